/* s2clr evaluate: how good models are on labelled patches, beside the simplest things that work;
 * how good a map is at points; what the marks on a contact sheet amount to. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/evaluate_job.h"
#include "commands/number.h"
#include "dataset/store.h"
#include "predict/output_file.h"
#include "predict/output_guard.h"
#include "report/evaluation_marked.h"
#include "report/html_page.h"

static const s2clr_param_row rows[] = {
    {"dataset", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true,
     .label = "Data set, or points for a map", .takes = "folder,file", .group = "Data",
     .help = "A store that \"s2clr dataset\" made, or a folder or zip of images, one folder per "
             "class (CLASS/NAME.jpg, png or tif); with --map, labelled points: CSV with columns "
             "lat and lon or x and y, or any OGR layer; or the CSV that the page of \"s2clr topk\" "
             "saves."},
    S2CLR_ROWS_PARTS,
    {"model", "m", S2CLR_TYPE_MODEL, .repeat = true, .meta = "FILE", .group = "Data",
     .help = "Model file, or the name of a model in the zoo; of several, all are judged on the "
             "same patches; without it, the default one."},
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help = "The class that is label 1, or several, separated by commas; without it, the card's, "
             "or the labels of a store. Of points, values of the label column."},
    {"part", NULL, S2CLR_TYPE_CHOICE, .standard = "test", .choices = "test,validation,train,all",
     .group = "Data", .help = "The part of the data set to evaluate on."},
    {"level", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Data",
     .help = "Level of the card that the images' numbers are in; without it, the one the "
             "model was trained on."},
    {"map", NULL, S2CLR_TYPE_INPUT, .meta = "RASTER", .takes = "layer,file", .group = "Map",
     .help = "Judges this probability map instead of models, at the points of DATASET."},
    {"band", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "1", .minimum = 1, .maximum = 65535,
     .group = "Map", .help = "Band of the map with the probability."},
    {"layer", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Map",
     .help = "Layer of the points; without it, the only one."},
    {"label-column", NULL, S2CLR_TYPE_TEXT, .meta = "NAME", .group = "Map",
     .help = "Column of the points that says the class; without it, \"water\" as on croplands.org "
             "(2: irrigated, 1: not), else \"label\" (1 is positive)."},
    {"negative", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Map",
     .help = "Values of the label column that are label 0; without it, all that are not positive. "
             "Points with other values are left out and counted."},
    {"threshold", NULL, S2CLR_TYPE_REAL, .meta = "P", .minimum = 0, .maximum = 1, .group = "Result",
     .help = "Probability from which a patch counts as positive; without it, the card's, or that "
             "of the map's tags."},
    {"prevalence", NULL, S2CLR_TYPE_REAL, .repeat = true, .meta = "P", .minimum = 0.000001,
     .maximum = 0.999999, .group = "Result",
     .help = "A share of positives that precision is stated for, besides 0.5; without it, 0.1 and "
             "0.023."},
    {"group", NULL, S2CLR_TYPE_TEXT, .meta = "COLUMN", .group = "Result",
     .help = "Recall for each group: country, tile, date, year, source, labels or class of a "
             "store, class of images (which they are grouped by anyway), any column of points."},
    {"filters", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "128", .minimum = 0, .maximum = 512,
     .group = "Result",
     .help = "Random filters of the second baseline, an even number; 0: without that baseline."},
    {"probe", NULL, S2CLR_TYPE_MODEL, .meta = "FILE", .group = "Result",
     .help = "A network whose frozen features are judged like the baselines, by a logistic "
             "regression fitted on the training part (linear probe): what pretraining without "
             "labels was worth. An encoder will do."},
    {"resamples", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "1000", .minimum = 0,
     .maximum = 1000000, .group = "Result",
     .help = "Bootstrap resamples for the confidence intervals; 0: no intervals."},
    {"output", "o", S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .label = "Report", .suffixes = "html",
     .group = "Result",
     .help = "Also writes one page of HTML with tables and curves, which needs no other file and "
             "no script."},
    {"shift", NULL, S2CLR_TYPE_INT, .meta = "PX", .standard = "0", .minimum = -1024,
     .maximum = 1024, .group = "Disturbance",
     .help = "Shifts every patch down and to the right before the model sees it."},
    {"blur", NULL, S2CLR_TYPE_FLAG, .group = "Disturbance",
     .help = "Blurs every patch with the 3x3 binomial filter."},
    {"gain", NULL, S2CLR_TYPE_REAL, .meta = "F", .standard = "1", .minimum = 0.01, .maximum = 100,
     .group = "Disturbance", .help = "Multiplies all DN by this factor."},
};

/* ---- what is asked for ---- */

static s2clr_status add_share(s2clr_evaluation *e, double share)
{
    for (int i = 0; i < e->shares; i++)
        if (e->share[i] == share) return S2CLR_OK;
    if (e->shares == S2CLR_EVALUATION_SHARES)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--prevalence: at most %d shares fit",
                               S2CLR_EVALUATION_SHARES - 1);
    e->share[e->shares++] = share;
    return S2CLR_OK;
}

/* Half and half first. The rest of the defaults: the land of a region with much irrigation, and
 * BigEarthNet's share of irrigated patches. */
static s2clr_status read_shares(s2clr_evaluate *j)
{
    const char *const *texts;
    const size_t count = s2clr_args_list(j->args, "prevalence", &texts);
    S2CLR_TRY(add_share(&j->e, 0.5));
    if (count == 0) {
        S2CLR_TRY(add_share(&j->e, 0.1));
        return add_share(&j->e, 0.023);
    }
    for (size_t i = 0; i < count; i++) {
        double share = 0;
        s2clr_number_real(texts[i], &share);
        S2CLR_TRY(add_share(&j->e, share));
    }
    return S2CLR_OK;
}

/* Options that would do nothing are refused. */
static s2clr_status check_options(const s2clr_args *args, const char *const *names, size_t count,
                                  const char *why)
{
    for (size_t i = 0; i < count; i++)
        if (s2clr_args_given(args, names[i]))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--%s does nothing %s; leave it out",
                                   names[i], why);
    return S2CLR_OK;
}

static const char *const of_models[] = {"model", "image-bands", "test-share", "validation-share",
                                        "part",  "level",       "filters",    "probe",
                                        "shift", "blur",        "gain"};
static const char *const of_maps[] = {"map", "band", "layer", "label-column", "negative"};
static const char *const of_both[] = {"positive", "threshold", "prevalence", "group", "resamples"};

#define CHECK(args, names, why) check_options(args, names, sizeof names / sizeof names[0], why)

/* ---- models, maps ---- */

static s2clr_status judge_models(s2clr_evaluate *j)
{
    j->e.perturb = (s2clr_perturb){.shift = (int)s2clr_args_int(j->args, "shift"),
                                   .blur = s2clr_args_flag(j->args, "blur"),
                                   .gain = s2clr_args_real(j->args, "gain")};
    if (s2clr_args_int(j->args, "filters") % 2)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--filters %ld: half are 3x3, half 5x5 pixels; wanted: an even "
                               "number",
                               s2clr_args_int(j->args, "filters"));
    S2CLR_TRY(check_options(j->args, of_maps + 1, sizeof of_maps / sizeof of_maps[0] - 1,
                            "without --map"));
    S2CLR_TRY(s2clr_evaluate_open_models(j));
    S2CLR_TRY(s2clr_evaluate_open_data(j));
    S2CLR_TRY(s2clr_device_select(s2clr_args_text(j->args, "device"), S2CLR_F32, &j->backend,
                                  &j->device));
    S2CLR_TRY(s2clr_evaluate_models(j));
    return s2clr_evaluate_baselines(j);
}

static s2clr_status judge_map(s2clr_evaluate *j)
{
    j->e.perturb.gain = 1;
    S2CLR_TRY(CHECK(j->args, of_models, "with --map, which judges a finished map"));
    return s2clr_evaluate_map(j);
}

static s2clr_status report(s2clr_evaluate *j)
{
    const char *page = s2clr_args_text(j->args, "output");
    S2CLR_TRY(s2clr_evaluation_compute(&j->e, (int)s2clr_args_int(j->args, "resamples"),
                                       (uint64_t)s2clr_args_int(j->args, "seed"), j->pool));
    s2clr_terminal_end(&j->terminal);
    if (page) S2CLR_TRY(s2clr_evaluation_html(&j->e, page));
    if (s2clr_edge_wants_json(j->args))
        S2CLR_TRY(s2clr_edge_result(j->args, s2clr_evaluation_json(&j->e)));
    if (s2clr_args_flag(j->args, "json")) return S2CLR_OK;
    if (!page || !s2clr_args_flag(j->args, "quiet")) s2clr_evaluation_print(stdout, &j->e);
    return s2clr_edge_flush();
}

static s2clr_status judge(s2clr_evaluate *j)
{
    const bool map = s2clr_args_given(j->args, "map");
    S2CLR_TRY(read_shares(j));
    S2CLR_TRY(s2clr_edge_pool(j->args, &j->pool));
    S2CLR_TRY(map ? judge_map(j) : judge_models(j));
    return report(j);
}

static void close_job(s2clr_evaluate *j)
{
    s2clr_terminal_end(&j->terminal);
    s2clr_evaluation_free(&j->e);
    s2clr_evaluate_close_data(j);
    s2clr_evaluate_map_close(j);
    if (j->device) j->backend->device_close(j->device);
    if (j->pool) s2clr_pool_free(j->pool);
    for (size_t i = 0; i < j->models; i++) s2clr_model_close(j->model[i]);
    if (j->probe) s2clr_model_close(j->probe);
    s2clr_free(j);
}

/* ---- marked sheets ---- */

static s2clr_status judge_marks(const s2clr_args *args)
{
    const char *page = s2clr_args_text(args, "output");
    s2clr_marked marked;
    S2CLR_TRY(CHECK(args, of_models, "to marks, which are counted"));
    S2CLR_TRY(CHECK(args, of_maps, "to marks, which are counted"));
    S2CLR_TRY(CHECK(args, of_both, "to marks, which are counted"));
    S2CLR_TRY(s2clr_marked_read(s2clr_args_text(args, "dataset"), &marked));
    if (page) S2CLR_TRY(s2clr_marked_html(&marked, page));
    if (s2clr_edge_wants_json(args)) S2CLR_TRY(s2clr_edge_result(args, s2clr_marked_json(&marked)));
    if (s2clr_args_flag(args, "json")) return S2CLR_OK;
    if (!page || !s2clr_args_flag(args, "quiet")) s2clr_marked_print(stdout, &marked);
    return s2clr_edge_flush();
}

/* ---- files ---- */

/* Before the work, which may take hours. A page takes the place of an older page, and of nothing
 * else: not of models, points or marks. */
static s2clr_status check_page(const s2clr_args *args)
{
    const char *page = s2clr_args_text(args, "output");
    const char *const inputs[] = {s2clr_args_text(args, "dataset"), s2clr_args_text(args, "map")};
    if (!page) return S2CLR_OK;
    if (!s2clr_html_named(page))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--output %s: the report is a page of HTML; wanted: a name that "
                               "ends with .html",
                               page);
    S2CLR_TRY(s2clr_output_guard(page, inputs, sizeof inputs / sizeof inputs[0]));
    return s2clr_output_check(page, true);
}

/* A file that is no archive is none of what models are judged by. */
static s2clr_status check_dataset(const s2clr_args *args)
{
    const char *path = s2clr_args_text(args, "dataset");
    struct stat found;
    char start[2] = "";
    if (s2clr_args_given(args, "map") || stat(path, &found) != 0 || S_ISDIR(found.st_mode))
        return S2CLR_OK;
    FILE *from = S_ISREG(found.st_mode) ? fopen(path, "rb") : NULL;
    const bool zip = from && fread(start, 1, 2, from) == 2 && memcmp(start, "PK", 2) == 0;
    if (from) fclose(from);
    if (zip || s2clr_store_identify(path)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: neither a store, nor a folder or zip of images, nor the marks of a "
                           "contact sheet (CSV with columns rank and mark); points are for a map "
                           "(--map)",
                           path);
}

static s2clr_status evaluate(const s2clr_args *args)
{
    s2clr_evaluate *j;
    S2CLR_TRY(check_page(args));
    if (!s2clr_args_given(args, "map") && s2clr_marked_identify(s2clr_args_text(args, "dataset")))
        return judge_marks(args);
    S2CLR_TRY(check_dataset(args));
    S2CLR_TRY(s2clr_alloc(1, sizeof *j, "evaluation", (void **)&j));
    j->args = args;
    const s2clr_progress progress = s2clr_edge_progress(args, &j->terminal);
    j->progress = &progress;
    const s2clr_status status = judge(j);
    close_job(j);
    return status;
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = evaluate(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

static const s2clr_result_row results[] = {
    {"samples", "samples", "Samples", false},
    {"auc", "rows.0.metrics.auc.value", "Area under the ROC curve", false},
    {"f1", "rows.0.metrics.f1.value", "F1", false},
    {"precision", "rows.0.metrics.precision.value", "Precision", false},
    {"recall", "rows.0.metrics.recall.value", "Recall", false},
    {"marked-precision", "precision.value", "Precision of what was marked", false},
};

const s2clr_command s2clr_cmd_evaluate = {
    .name = "evaluate",
    .summary = "how good models are on labelled patches, or a map at points",
    .description =
        "Runs models on labelled image patches they were not trained on and tells metrics with 95 "
        "% bootstrap confidence intervals, as sampled and at other shares of positives, beside two "
        "baselines that are fitted on the training part: a logistic regression on the mean and "
        "standard deviation of each band, and one on random convolutional features. Or judges a "
        "probability map at labelled points, or counts what a person marked on a contact sheet. "
        "Disturbances show what a model hangs on.",
    .example = "s2clr evaluate -m run/model.safetensors eurosat_rgb.zip -o report.html",
    .title = "Evaluate models or a map",
    .section = "Judge",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "json,results,progress,threads,device,seed,config,quiet",
    .run = run,
};
