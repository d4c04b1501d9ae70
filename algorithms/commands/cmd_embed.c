/* s2clr embed: a product in, a raster of embeddings out. */
#include "commands/cmd_list.h"
#include "commands/predict_rows.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_SCENE, S2CLR_ROWS_WINDOW, S2CLR_ROW_PRECISION("Output"),
    S2CLR_ROW_FORMAT, S2CLR_ROWS_FILE,
};

static int run(const s2clr_args *args)
{
    s2clr_predict_settings settings;
    s2clr_predict_defaults(&settings);
    settings.bands = "embedding";
    return s2clr_predict_rows_run(args, &settings);
}

const s2clr_command s2clr_cmd_embed = {
    .name = "embed",
    .summary = "what the network sees in a scene: its features as a raster",
    .description =
        "Runs a model over a Sentinel-2 scene as s2clr-predict(1) does, and writes what its last "
        "layer sees instead of a probability: one Float32 band per feature. Clustering, change "
        "between dates and small classifiers of one's own work on these.",
    .example = "s2clr embed -m resnet18-l2a-encoder S2B_MSIL2A_X.SAFE.zip features.tif",
    .title = "Features of a scene",
    .section = "Map",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,memory,device,config",
    .run = run,
};
