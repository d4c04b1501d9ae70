/* s2clr finetune: an encoder and a few labels in, a model of a class out. */
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/dataset_rows.h"
#include "commands/edge.h"
#include "commands/labelled_run.h"
#include "commands/number.h"
#include "commands/training_rows.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"model", "m", S2CLR_TYPE_MODEL, .required = true, .meta = "FILE", .group = "Data",
     .help = "The encoder to go on from, as pretrain makes it, or any other model file; its bands, "
             "levels, statistics and patch size become the new model's."},
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help = "The class that is label 1, or several, separated by commas; all others are 0. "
             "Without it, a store's labels, and of images a model that tells all classes apart."},
    S2CLR_ROWS_FRACTION,
    S2CLR_ROWS_IMAGE_BANDS,
    S2CLR_ROWS_RUN,
    {"tap", NULL, S2CLR_TYPE_INT, .meta = "N", .standard = "0", .minimum = 0,
     .maximum = S2CLR_HEAD_MAX, .group = "Network",
     .help = "What the new head sees: 0 the encoder's features, 1 the first layer of its "
             "projection head, 2 the second, and so on."},
    S2CLR_ROWS_HEAD,
    {"last", NULL, S2CLR_TYPE_TEXT, .meta = "N", .standard = "all", .group = "Network",
     .help = "How many of the encoder's layers learn, counted from the head down: stages of the "
             "trunk and layers of the projection head. 0: only the new head; all: every one."},
    {"group-decay", NULL, S2CLR_TYPE_REAL, .meta = "X", .standard = "0.7", .minimum = 0.000001,
     .maximum = 1, .group = "Training",
     .help = "Factor of the learning rate from each layer to the one below; 1: one rate for all."},
    S2CLR_ROWS_SCHEDULE("20", "0.001", "0.01", ""),
    S2CLR_ROWS_LABELLED("flip,rot90,shift"),
};

static s2clr_status layers_of(const s2clr_args *args, int *last)
{
    const char *text = s2clr_args_text(args, "last");
    long number;
    *last = S2CLR_LAST_ALL;
    if (strcmp(text, "all") == 0) return S2CLR_OK;
    if (!s2clr_number_int(text, &number) || number < 0 || number > 10000)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--last %.60s: wanted a number of layers from 0, or all", text);
    *last = (int)number;
    return S2CLR_OK;
}

static int run(const s2clr_args *args)
{
    s2clr_labelled job = {.args = args,
                          .parent_path = s2clr_args_text(args, "model"),
                          .tap = (int)s2clr_args_int(args, "tap")};
    const s2clr_status status = layers_of(args, &job.last);
    return status == S2CLR_OK ? s2clr_labelled_run(&job) : s2clr_edge_fail(args, status);
}

static const s2clr_result_row results[] = {
    {"trained-model", "model", "The model file", true},
    {"best-epoch", "best_epoch", "Best epoch", false},
    {"validation-auc", "validation_auc", "Validation AUC", false},
};

const s2clr_command s2clr_cmd_finetune = {
    .name = "finetune",
    .summary = "goes on from an encoder with labelled patches",
    .description =
        "Puts a new classifier on an encoder and trains it, with as many of the encoder's layers "
        "as "
        "wanted, on labelled patches: few are enough when the encoder has seen many without. The "
        "validation part chooses the epoch and the threshold; the test part is never looked at. "
        "The same data, settings, seed and library version give the same weights, whatever the "
        "threads and however often the run was interrupted and resumed.",
    .example = "s2clr finetune -m encoder/model.safetensors eurosat_rgb.zip -o crop --positive "
               "PermanentCrop --labels-fraction 0.05",
    .title = "Fine-tune an encoder",
    .section = "Train",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,threads,device,seed,config",
    .run = run,
};
