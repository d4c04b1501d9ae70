/* s2clr supervised: labelled patches in, a model file out. */
#include "commands/cmd_list.h"
#include "commands/dataset_rows.h"
#include "commands/labelled_run.h"
#include "commands/training_rows.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_DATASET,
    {"positive", NULL, S2CLR_TYPE_TEXT, .meta = "CLASS", .group = "Data",
     .help = "The class that is label 1, or several, separated by commas; all others are 0. "
             "Without it, a store's labels, and of images a model that tells all classes apart; "
             "the card names them then."},
    S2CLR_ROWS_FRACTION,
    S2CLR_ROWS_IMAGE_BANDS,
    S2CLR_ROWS_RUN,
    S2CLR_ROWS_NETWORK("dense"),
    S2CLR_ROWS_HEAD,
    {"initial", NULL, S2CLR_TYPE_MODEL, .meta = "FILE", .group = "Network",
     .help = "Model file whose weights all layers start from, an imported ImageNet one or an "
             "encoder; its architecture, bands, levels, statistics and patch size are taken. "
             "Without it, random ones."},
    S2CLR_ROWS_SCHEDULE("20", "0.002", "0.01", ""),
    S2CLR_ROWS_LABELLED("flip,rot90,shift"),
};

static int run(const s2clr_args *args)
{
    s2clr_labelled job = {
        .args = args, .parent_path = s2clr_args_text(args, "initial"), .last = S2CLR_LAST_ALL};
    return s2clr_labelled_run(&job);
}

static const s2clr_result_row results[] = {
    {"trained-model", "model", "The model file", true},
    {"best-epoch", "best_epoch", "Best epoch", false},
    {"validation-auc", "validation_auc", "Validation AUC", false},
};

const s2clr_command s2clr_cmd_supervised = {
    .name = "supervised",
    .summary = "trains a model from labelled patches",
    .description =
        "Trains a network on labelled image patches and writes a model file that \"s2clr predict\" "
        "takes. The same data, settings, seed and library version give the same weights, whatever "
        "the threads and however often the run was interrupted and resumed.",
    .example = "s2clr supervised eurosat_rgb.zip -o run --positive PermanentCrop",
    .title = "Train from labelled patches",
    .section = "Train",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,threads,device,seed,config",
    .run = run,
};
