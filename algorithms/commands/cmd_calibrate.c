/* s2clr calibrate: probabilities that mean what they say, written into the card. */
#include <stdio.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "commands/calibrate_report.h"
#include "commands/cmd_list.h"
#include "commands/dataset_rows.h"
#include "commands/edge.h"
#include "commands/model_actions.h"
#include "dataset/store.h"
#include "predict/output_file.h"
#include "predict/output_guard.h"
#include "predict/zoo.h"
#include "train/supervised.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"model", "m", S2CLR_TYPE_MODEL, .meta = "FILE", .group = "Data",
     .help = "Model file, or the name of a model in the zoo; without it, the default one."},
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help =
         "The class that is label 1, or several, separated by commas; without it, the card's, or "
         "the labels of a store."},
    {"part", NULL, S2CLR_TYPE_CHOICE, .standard = "validation",
     .choices = "validation,test,train,all", .group = "Data",
     .help = "The part of the data set to learn from; never one that the model was trained on."},
    {"report-part", NULL, S2CLR_TYPE_CHOICE, .choices = "test,validation,train,all",
     .group = "Data", .help = "Another part to show the scores of as well."},
    {"level", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Data",
     .help = "Level of the card that the images' numbers are in; without it, the one the "
             "model was trained on."},
    {"method", NULL, S2CLR_TYPE_CHOICE, .choices = "temperature,platt,isotonic",
     .group = "Calibration",
     .help = "temperature: one number that divides the logit; platt: that and a bias; isotonic: "
             "any rising curve, for which more samples are needed. Without it platt, and "
             "temperature for models that tell several classes apart."},
    {"prevalence", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .minimum = 1e-9, .maximum = 1 - 1e-9,
     .group = "Calibration",
     .help = "Share of positives that the probabilities are to hold for; without it, that of the "
             "part. Of platt and isotonic: a temperature leaves the share as it is."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FILE, .required = true, .meta = "FILE",
     .label = "Calibrated model", .suffixes = "safetensors", .group = "Output",
     .help = "The model file to write: the same weights, and a card with the calibration."},
    {"overwrite", NULL, S2CLR_TYPE_FLAG, .label = "Replace an existing output", .group = "Output",
     .help = "Replaces an existing file."},
};

typedef struct job {
    const s2clr_args *args;
    s2clr_pool *pool;
    const s2clr_progress *progress;
    s2clr_terminal terminal;
    s2clr_parts parts;
    s2clr_card *card; /* the new one */
    float *logits[2]; // (samples, outputs) of each reported part
    int *relabelled;  // (most samples of a part) classes of the card
    s2clr_calibrated c;
} job;

static const s2clr_samples *part_of(const s2clr_parts *parts, const char *name, unsigned *needed)
{
    static const char *const names[] = {"train", "validation", "test"};
    const s2clr_samples *const part[] = {&parts->train, &parts->validation, &parts->test};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *needed |= 1u << i;
        return part[i];
    }
    return &parts->all;
}

/* ---- labels ---- */

/* The folders' classes as the card counts them. */
static s2clr_status class_labels(job *j, const s2clr_samples *samples, const int **out)
{
    const s2clr_card *card = j->card;
    int index[S2CLR_CARD_CLASSES_MAX];
    for (int g = 0; g < samples->group_count && g < S2CLR_CARD_CLASSES_MAX; g++) {
        index[g] = -1;
        for (int c = 0; c < card->classes; c++)
            if (strcmp(samples->group_names[g], card->class_name[c]) == 0) index[g] = c;
    }
    s2clr_free(j->relabelled);
    j->relabelled = NULL;
    S2CLR_TRY(s2clr_alloc(samples->count, sizeof(int), "labels", (void **)&j->relabelled));
    for (size_t i = 0; i < samples->count; i++) {
        const int g = samples->groups[i];
        if (g < 0 || g >= S2CLR_CARD_CLASSES_MAX || index[g] < 0)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: of class %.60s, which is none of the %d classes of %s; "
                                   "leave such images out",
                                   samples->names[i], g < 0 ? "" : samples->group_names[g],
                                   card->classes, s2clr_model_path(j->c.model));
        j->relabelled[i] = index[g];
    }
    *out = j->relabelled;
    return S2CLR_OK;
}

static s2clr_status labels_of(job *j, const s2clr_samples *samples, const char *part,
                              const int **out)
{
    if (j->card->arch.outputs > 1) return class_labels(j, samples, out);
    const size_t positives = s2clr_samples_positives(samples);
    *out = samples->labels;
    if (positives > 0 && positives < samples->count) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: %zu of the %zu patches of part %s are %s, and both kinds are "
                           "needed; choose another --part, --validation-share or --positive",
                           s2clr_args_text(j->args, "dataset"), positives, samples->count, part,
                           j->card->positive);
}

static void warn_few(const job *j, const s2clr_samples *samples)
{
    const size_t positives = s2clr_samples_positives(samples), rest = samples->count - positives;
    char text[200];
    if (positives >= S2CLR_CALIBRATION_ENOUGH && rest >= S2CLR_CALIBRATION_ENOUGH) return;
    snprintf(text, sizeof text,
             "%zu positive and %zu other patches are few for an isotonic curve (%d of each are "
             "asked for); platt needs less",
             positives, rest, S2CLR_CALIBRATION_ENOUGH);
    s2clr_edge_warn(j->args, text);
}

/* ---- scores ---- */

static s2clr_status ask_network(job *j, const s2clr_samples *samples, float **logits)
{
    const s2clr_model *model = j->c.model;
    const s2clr_backend *backend;
    s2clr_device *device;
    size_t count;
    S2CLR_TRY(s2clr_size_mul(samples->count, (size_t)j->card->arch.outputs, &count));
    S2CLR_TRY(s2clr_alloc(count, sizeof **logits, "logits", (void **)logits));
    S2CLR_TRY(
        s2clr_device_select(s2clr_args_text(j->args, "device"), S2CLR_F32, &backend, &device));
    const s2clr_status status = s2clr_predict_logits(
        s2clr_model_net(model), s2clr_model_params(model), s2clr_model_card(model), j->c.level,
        samples, backend, device, j->pool, j->progress, *logits);
    backend->device_close(device);
    return status;
}

static s2clr_status score(const job *j, const s2clr_card *card, const float *logits,
                          const int *labels, size_t n, s2clr_calibration_scores *out)
{
    const size_t k = (size_t)card->arch.outputs;
    if (k > 1) return s2clr_calibration_score_classes(card, logits, labels, n, k, out);
    return s2clr_calibration_score(card, logits, labels, n, j->c.scored_at, out);
}

static s2clr_status fit(job *j, const s2clr_samples *samples, const float *logits,
                        const int *labels)
{
    s2clr_calibration_method method = S2CLR_CALIBRATION_TEMPERATURE;
    const size_t k = (size_t)j->card->arch.outputs;
    while (strcmp(s2clr_calibration_method_name(method), j->c.method) != 0) method++;
    if (k > 1) return s2clr_calibration_fit_classes(logits, labels, samples->count, k, j->card);
    if (method == S2CLR_CALIBRATION_ISOTONIC) warn_few(j, samples);
    return s2clr_calibration_fit(method, logits, labels, samples->count, j->c.prevalence, j->card);
}

/* Old and new are compared where the new one holds; of classes no card tells where that is. */
static double share_to_score(const s2clr_card *card)
{
    const bool known = card->arch.outputs == 1 && card->prevalence > 0 && card->prevalence < 1;
    return known ? card->prevalence : 0;
}

/* The first part is the one that is fitted on. */
static s2clr_status run_part(job *j, const s2clr_samples *samples, const char *name)
{
    s2clr_calibrated_part *part = &j->c.part[j->c.parts];
    float **logits = &j->logits[j->c.parts];
    const s2clr_card *old = s2clr_model_card(j->c.model);
    const int *labels;
    *part = (s2clr_calibrated_part){.name = name, .samples = samples->count};
    S2CLR_TRY(labels_of(j, samples, name, &labels));
    if (old->arch.outputs == 1) part->positives = s2clr_samples_positives(samples);
    S2CLR_TRY(ask_network(j, samples, logits));
    if (j->c.parts == 0) S2CLR_TRY(fit(j, samples, *logits, labels));
    j->c.scored_at = share_to_score(j->card);
    S2CLR_TRY(score(j, old, *logits, labels, samples->count, &part->before));
    S2CLR_TRY(score(j, j->card, *logits, labels, samples->count, &part->after));
    j->c.parts++;
    return S2CLR_OK;
}

/* ---- the new model ---- */

static s2clr_status save(job *j)
{
    S2CLR_TRY(s2clr_calibrated_card(&j->c, s2clr_args_line(j->args), j->card));
    return s2clr_model_save_card(j->c.output, j->c.model, j->card);
}

static s2clr_status report(job *j)
{
    s2clr_terminal_end(&j->terminal);
    if (s2clr_edge_wants_json(j->args))
        S2CLR_TRY(s2clr_edge_result(j->args, s2clr_calibrated_json(&j->c)));
    if (s2clr_args_flag(j->args, "json")) return S2CLR_OK;
    if (s2clr_args_flag(j->args, "quiet")) return S2CLR_OK;
    s2clr_calibrated_print(stdout, &j->c);
    return s2clr_edge_flush();
}

/* ---- the data ---- */

static s2clr_status check_temperature(const job *j)
{
    if (strcmp(j->c.method, "temperature") != 0 || !s2clr_args_given(j->args, "prevalence"))
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "--prevalence: a temperature leaves the share of positives that the "
                           "probabilities hold for at %g, as the card of %s says; use --method "
                           "platt, or --prevalence of s2clr predict",
                           j->card->prevalence, s2clr_model_path(j->c.model));
}

static s2clr_status check_classes(const job *j, bool store)
{
    const bool several = j->card->arch.outputs > 1;
    if (store && s2clr_args_given(j->args, "image-bands"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--image-bands: the model's card says which bands of a store it "
                               "takes");
    if (!several) return check_temperature(j);
    if (strcmp(j->c.method, "temperature") != 0 || s2clr_args_given(j->args, "prevalence") ||
        s2clr_args_given(j->args, "positive"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: tells %d classes apart; of those only the temperature can be "
                               "calibrated, without --prevalence and --positive",
                               s2clr_model_path(j->c.model), j->card->arch.outputs);
    if (store)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: a store, whose labels are yes or no; a model of %d classes is "
                               "calibrated on a folder or zip of images with a folder per class",
                               s2clr_args_text(j->args, "dataset"), j->card->arch.outputs);
    return S2CLR_OK;
}

static s2clr_status open_data(job *j, unsigned needed)
{
    const bool store = s2clr_store_identify(s2clr_args_text(j->args, "dataset"));
    const char *positive = s2clr_args_text(j->args, "positive");
    const bool several = j->card->arch.outputs > 1;
    S2CLR_TRY(check_classes(j, store));
    const s2clr_parts_options options = {
        .positive = positive || store || several ? positive : j->card->positive,
        .needed = needed,
        .fraction = 1,
        .classes = several,
        .card = j->card};
    S2CLR_TRY(s2clr_parts_open(j->args, &options, j->pool, j->progress, &j->parts));
    s2clr_parts_note(j->args, &j->parts);
    return S2CLR_OK;
}

static s2clr_status calibrate_data(job *j)
{
    const char *part = s2clr_args_text(j->args, "part");
    const char *beside = s2clr_args_text(j->args, "report-part");
    const char *standard =
        j->card->trained_level[0] ? j->card->trained_level : j->card->level[0].name;
    unsigned needed = 0;
    const s2clr_samples *samples = part_of(&j->parts, part, &needed);
    const s2clr_samples *others = beside ? part_of(&j->parts, beside, &needed) : NULL;
    S2CLR_TRY(open_data(j, needed));
    s2clr_status status = s2clr_parts_level(&j->parts, j->card, s2clr_args_text(j->args, "level"),
                                            standard, &j->c.level);
    if (status == S2CLR_OK) status = run_part(j, samples, part);
    if (status == S2CLR_OK && others && others != samples) status = run_part(j, others, beside);
    if (status == S2CLR_OK) status = save(j);
    if (status == S2CLR_OK) status = report(j);
    s2clr_free(j->relabelled);
    s2clr_free(j->logits[0]);
    s2clr_free(j->logits[1]);
    s2clr_parts_close(&j->parts);
    return status;
}

/* ---- the command ---- */

static s2clr_status with_model(job *j)
{
    const s2clr_model *model = j->c.model;
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_progress progress = s2clr_edge_progress(j->args, &j->terminal);
    j->progress = &progress;
    if (card->arch.outputs == 0) return s2clr_model_check_binary(model);
    if (!j->c.method) j->c.method = card->arch.outputs > 1 ? "temperature" : "platt";
    S2CLR_TRY(s2clr_card_copy(card, &j->card));
    j->c.card = j->card;
    s2clr_status status = s2clr_edge_pool(j->args, &j->pool);
    if (status == S2CLR_OK) {
        status = calibrate_data(j);
        s2clr_pool_free(j->pool);
    }
    s2clr_terminal_end(&j->terminal);
    s2clr_card_free(j->card);
    return status;
}

static s2clr_status check_output(const s2clr_args *args, const char *model)
{
    const char *output = s2clr_args_text(args, "output");
    const char *const dataset = s2clr_args_text(args, "dataset");
    S2CLR_TRY(s2clr_model_check_output(args, model));
    S2CLR_TRY(s2clr_output_guard(output, &dataset, 1));
    return s2clr_output_check(output, true);
}

static s2clr_status calibrate(const s2clr_args *args)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_model *model;
    job j = {.args = args};
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(args, "model"), path));
    S2CLR_TRY(check_output(args, path));
    S2CLR_TRY(s2clr_model_open(path, &model));
    j.c = (s2clr_calibrated){.model = model,
                             .method = s2clr_args_text(args, "method"),
                             .output = s2clr_args_text(args, "output"),
                             .prevalence = s2clr_args_real(args, "prevalence")};
    const s2clr_status status = with_model(&j);
    s2clr_model_close(model);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = calibrate(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

static const s2clr_result_row results[] = {
    {"new-temperature", "after.temperature", "Temperature", false},
    {"new-threshold", "after.threshold", "Threshold", false},
};

const s2clr_command s2clr_cmd_calibrate = {
    .name = "calibrate",
    .summary = "probabilities that mean what they say",
    .description =
        "Learns on labelled patches that the model was not trained on which probability its logits "
        "stand for, and writes a model file with the same weights whose card holds that, the share "
        "of positives it is true for, and the threshold moved so that every decision stays.",
    .example = "s2clr calibrate -m run/model.safetensors eurosat_rgb.zip --method platt -o "
               "calibrated.safetensors",
    .title = "Calibrate a model",
    .section = "Judge",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "json,results,progress,threads,device,config,quiet",
    .run = run,
};
