/* s2clr evaluate: how good a model is on labelled patches, beside the simplest thing that works. */
#include <stdio.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "commands/cmd_list.h"
#include "commands/dataset_rows.h"
#include "commands/edge.h"
#include "commands/evaluate_report.h"
#include "dataset/store.h"
#include "predict/zoo.h"
#include "report/baseline.h"
#include "train/supervised.h"

#define BASELINE_L2 1.0 /* scikit-learn's default */

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"model", "m", S2CLR_TYPE_MODEL, .meta = "FILE", .group = "Data",
     .help = "Model file, or the name of a model in the zoo; without it, the shipped one."},
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help =
         "The class that is label 1, or several, separated by commas; without it, the card's, or "
         "the labels of a store."},
    {"part", NULL, S2CLR_TYPE_CHOICE, .standard = "test", .choices = "test,validation,train,all",
     .group = "Data", .help = "The part of the data set to evaluate on."},
    {"level", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Data",
     .help = "Level of the card that the images' numbers are in; without it, the one the "
             "model was trained on."},
    {"threshold", NULL, S2CLR_TYPE_REAL, .meta = "P", .minimum = 0, .maximum = 1, .group = "Result",
     .help = "Probability from which a patch counts as positive; without it, the card's."},
    {"resamples", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "1000", .minimum = 0,
     .maximum = 1000000, .group = "Result",
     .help = "Bootstrap resamples for the confidence intervals; 0: no intervals."},
    {"shift", NULL, S2CLR_TYPE_INT, .meta = "PX", .standard = "0", .minimum = -1024,
     .maximum = 1024, .group = "Disturbance",
     .help = "Shifts every patch down and to the right before the model sees it."},
    {"blur", NULL, S2CLR_TYPE_FLAG, .group = "Disturbance",
     .help = "Blurs every patch with the 3x3 binomial filter."},
    {"gain", NULL, S2CLR_TYPE_REAL, .meta = "F", .standard = "1", .minimum = 0.01, .maximum = 100,
     .group = "Disturbance", .help = "Multiplies all DN by this factor."},
};

typedef struct job {
    const s2clr_args *args;
    s2clr_pool *pool;
    const s2clr_progress *progress;
    s2clr_terminal terminal;
    s2clr_parts parts;
    s2clr_samples samples; /* the part, disturbed */
    double *p;             // (samples.count)
    s2clr_evaluation e;
} job;

static s2clr_status score(job *j, const double *p, double threshold, const char *name)
{
    s2clr_evaluation *e = &j->e;
    e->name[e->rows] = name;
    S2CLR_TRY(s2clr_metrics_compute(p, j->samples.labels, j->samples.count, threshold,
                                    (int)s2clr_args_int(j->args, "resamples"),
                                    (uint64_t)s2clr_args_int(j->args, "seed"), j->pool,
                                    &e->metrics[e->rows]));
    e->rows++;
    return S2CLR_OK;
}

static s2clr_status run_model(job *j)
{
    const s2clr_model *model = j->e.model;
    const s2clr_card *card = s2clr_model_card(model);
    const s2clr_backend *backend;
    s2clr_device *device;
    S2CLR_TRY(s2clr_alloc(j->samples.count, sizeof(double), "probabilities", (void **)&j->p));
    j->e.p = j->p;
    S2CLR_TRY(s2clr_device_select(s2clr_args_text(j->args, "device"), S2CLR_F32, &backend, &device));
    const s2clr_status status =
        s2clr_predict_samples(s2clr_model_net(model), s2clr_model_params(model), card, j->e.level,
                              &j->samples, backend, device, j->pool, j->progress, j->p);
    backend->device_close(device);
    S2CLR_TRY(status);
    const bool given = s2clr_args_given(j->args, "threshold");
    return score(j, j->p, given ? s2clr_args_real(j->args, "threshold") : card->threshold,
                 card->id);
}

/* The baseline's threshold is chosen like the model's own: best F1 on the validation part. */
static s2clr_status baseline_threshold(job *j, const s2clr_baseline *baseline, double *threshold)
{
    const s2clr_samples *part = &j->parts.validation;
    double *p;
    *threshold = 0.5;
    if (part->count == 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(part->count, sizeof *p, "probabilities", (void **)&p));
    s2clr_status status = s2clr_baseline_predict(baseline, part, j->pool, p);
    if (status == S2CLR_OK)
        status = s2clr_metrics_best_threshold(p, part->labels, part->count, threshold);
    s2clr_free(p);
    return status;
}

static s2clr_status run_baseline(job *j)
{
    const size_t positives = s2clr_samples_positives(&j->parts.train);
    s2clr_baseline *baseline;
    double *p, threshold;
    if (positives == 0 || positives == j->parts.train.count) {
        snprintf(j->e.no_baseline, sizeof j->e.no_baseline,
                 "%zu of the %zu training samples are positive: it needs both labels to fit",
                 positives, j->parts.train.count);
        return S2CLR_OK;
    }
    S2CLR_TRY(s2clr_alloc(j->samples.count, sizeof *p, "probabilities", (void **)&p));
    s2clr_status status = s2clr_baseline_fit(&j->parts.train, BASELINE_L2, j->pool, &baseline);
    if (status == S2CLR_OK) {
        status = baseline_threshold(j, baseline, &threshold);
        if (status == S2CLR_OK) status = s2clr_baseline_predict(baseline, &j->samples, j->pool, p);
        if (status == S2CLR_OK) status = score(j, p, threshold, S2CLR_BASELINE_NAME);
        s2clr_baseline_free(baseline);
    }
    s2clr_free(p);
    return status;
}

static const s2clr_samples *part_of(job *j, unsigned *needed)
{
    static const char *const names[] = {"train", "validation", "test"};
    const s2clr_samples *const parts[] = {&j->parts.train, &j->parts.validation, &j->parts.test};
    *needed = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(j->e.part, names[i]) != 0) continue;
        *needed = 1u << i;
        return parts[i];
    }
    return &j->parts.all;
}

static s2clr_status with_samples(job *j)
{
    S2CLR_TRY(run_model(j));
    S2CLR_TRY(run_baseline(j));
    s2clr_terminal_end(&j->terminal);
    if (s2clr_args_flag(j->args, "json")) return s2clr_edge_json(s2clr_evaluation_json(&j->e));
    s2clr_evaluation_print(stdout, &j->e);
    return s2clr_edge_flush();
}

static s2clr_status open_data(job *j, const s2clr_card *card, unsigned needed)
{
    const bool store = s2clr_store_identify(s2clr_args_text(j->args, "dataset"));
    const char *positive = s2clr_args_text(j->args, "positive");
    if (store && s2clr_args_given(j->args, "image-bands"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--image-bands: the model's card says which bands of a store it "
                               "takes");
    const s2clr_parts_options options = {.positive = positive || store ? positive : card->positive,
                                         .needed = needed,
                                         .fraction = 1,
                                         .card = card};
    S2CLR_TRY(s2clr_parts_open(j->args, &options, j->pool, j->progress, &j->parts));
    s2clr_parts_note(j->args, &j->parts);
    return S2CLR_OK;
}

static s2clr_status with_model(job *j)
{
    const s2clr_card *card = s2clr_model_card(j->e.model);
    unsigned needed;
    j->e.part = s2clr_args_text(j->args, "part");
    j->e.perturb = (s2clr_perturb){.shift = (int)s2clr_args_int(j->args, "shift"),
                                   .blur = s2clr_args_flag(j->args, "blur"),
                                   .gain = s2clr_args_real(j->args, "gain")};
    const s2clr_samples *part = part_of(j, &needed);
    S2CLR_TRY(open_data(j, card, needed));
    s2clr_status status = s2clr_parts_level(
        &j->parts, card, s2clr_args_text(j->args, "level"),
        card->trained_level[0] ? card->trained_level : card->level[0].name, &j->e.level);
    if (status == S2CLR_OK) status = s2clr_perturb_new(part, &j->e.perturb, &j->samples);
    if (status == S2CLR_OK) {
        j->e.samples = &j->samples;
        status = with_samples(j);
        j->samples.free(j->samples.self);
    }
    s2clr_free(j->p);
    s2clr_parts_close(&j->parts);
    return status;
}

static s2clr_status evaluate(const s2clr_args *args)
{
    char path[S2CLR_ZOO_PATH];
    s2clr_model *model;
    job j = {.args = args};
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(args, "model"), path));
    S2CLR_TRY(s2clr_model_open(path, &model));
    const s2clr_progress progress = s2clr_edge_progress(args, &j.terminal);
    j.e.model = model;
    j.progress = &progress;
    s2clr_status status = s2clr_model_check_binary(model);
    if (status == S2CLR_OK) status = s2clr_edge_pool(args, &j.pool);
    if (status == S2CLR_OK) {
        status = with_model(&j);
        s2clr_pool_free(j.pool);
    }
    s2clr_terminal_end(&j.terminal);
    s2clr_model_close(model);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = evaluate(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_evaluate = {
    .name = "evaluate",
    .summary = "how good a model is on labelled patches",
    .description =
        "Runs a model on labelled image patches it was not trained on and prints metrics with 95 % "
        "bootstrap confidence intervals, beside a logistic regression on the mean and standard "
        "deviation of each band that is fitted on the training part. Disturbances show what the "
        "model hangs on.",
    .example = "s2clr evaluate -m run/model.safetensors eurosat_rgb.zip",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "json,progress,threads,device,seed,config,quiet",
    .run = run,
};
