/* s2clr predict: a product in, a probability raster out. */
#include <math.h>
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/predict_report.h"
#include "commands/stack_rows.h"
#include "commands/zoo.h"

static const s2clr_param_row rows[] = {
    {"input", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .repeat = true,
     .group = "Input",
     .help = "A Sentinel-2 product (SAFE folder, its zip or its MTD_*.xml), a multi-band raster or "
             "VRT, a folder of single-band files, or the single-band files themselves: several "
             "inputs are the bands of one scene."},
    {"output", NULL, S2CLR_TYPE_OUTPUT_RASTER, .positional = true, .required = true,
     .group = "Output", .help = "The raster to make; it appears under this name when it is done."},
    S2CLR_ROW_MODEL,
    S2CLR_ROWS_STACK,
    {"stride", NULL, S2CLR_TYPE_INT, .meta = "PX", .minimum = 1, .maximum = 4096, .group = "Output",
     .help = "Input pixels per output pixel; each output pixel is the patch centred on it. Without "
             "it, the stride in the model's card."},
    {"srcwin", NULL, S2CLR_TYPE_WINDOW_INT, .meta = "X Y W H", .group = "Output",
     .help = "Maps this window of the input only, in input pixels. What lies around it is still "
             "seen by the patches at its border."},
    {"projwin", NULL, S2CLR_TYPE_WINDOW_REAL, .meta = "ULX ULY LRX LRY", .group = "Output",
     .help = "The same in coordinates of the input's reference system."},
    {"aoi", NULL, S2CLR_TYPE_VECTOR, .meta = "LAYER", .group = "Output",
     .help = "Polygons of any OGR dataset: outside them the map is nodata."},
    {"min-valid", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.5", .minimum = 0,
     .maximum = 1, .group = "Output",
     .help = "Smallest share of valid pixels with which a patch gets a value."},
    {"of", NULL, S2CLR_TYPE_CHOICE, .meta = "FORMAT", .standard = "GTiff", .choices = "GTiff,COG",
     .group = "Output", .help = "Format of the output."},
    {"ot", NULL, S2CLR_TYPE_CHOICE, .meta = "TYPE", .standard = "Float32",
     .choices = "Float32,Byte", .group = "Output",
     .help = "Pixel type: Float32 with NaN as nodata, or Byte with SCALE 1/254 and nodata 255."},
    {"co", NULL, S2CLR_TYPE_KEY_VALUE, .repeat = true, .meta = "KEY=VALUE", .group = "Output",
     .help = "Creation option of the output's GDAL driver, such as COMPRESS=ZSTD."},
    {"overwrite", NULL, S2CLR_TYPE_FLAG, .group = "Output",
     .help = "Replaces an existing output, at the very end."},
};

static s2clr_predict_settings settings_of(const s2clr_args *args, const char *model, int srcwin[4],
                                          const char **creation)
{
    s2clr_predict_settings settings;
    const double *window = s2clr_args_window(args, "srcwin");
    s2clr_predict_defaults(&settings);
    settings.model_path = model;
    settings.input_count = s2clr_args_list(args, "input", &settings.inputs);
    settings.output = s2clr_args_text(args, "output");
    settings.stack = s2clr_stack_options_of(args);
    settings.device = s2clr_args_text(args, "device");
    settings.threads = (int)s2clr_args_int(args, "threads");
    settings.memory_mb = (size_t)s2clr_args_int(args, "memory");
    settings.stride = (int)s2clr_args_int(args, "stride");
    settings.min_valid = s2clr_args_real(args, "min-valid");
    for (int i = 0; window && i < 4; i++) srcwin[i] = (int)window[i];
    settings.srcwin = window ? srcwin : NULL;
    settings.projwin = s2clr_args_window(args, "projwin");
    settings.aoi = s2clr_args_text(args, "aoi");
    settings.format = s2clr_args_text(args, "of");
    settings.creation = creation;
    settings.byte_output = strcmp(s2clr_args_text(args, "ot"), "Byte") == 0;
    settings.overwrite = s2clr_args_flag(args, "overwrite");
    settings.command_line = s2clr_args_line(args);
    return settings;
}

static s2clr_status check(const s2clr_args *args)
{
    const double *window = s2clr_args_window(args, "srcwin");
    if (window && s2clr_args_given(args, "projwin"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--srcwin and --projwin exclude each other");
    for (int i = 0; window && i < 4; i++)
        if (fabs(window[i]) > 2e9)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--srcwin: %.0f is beyond any raster",
                                   window[i]);
    return S2CLR_OK;
}

static s2clr_status predict(const s2clr_args *args)
{
    enum { OPTIONS_MAX = 256 };
    char model[S2CLR_ZOO_PATH];
    int srcwin[4];
    const char *creation[OPTIONS_MAX + 1] = {NULL};
    const char *const *given;
    const size_t count = s2clr_args_list(args, "co", &given);
    S2CLR_TRY(check(args));
    if (count > OPTIONS_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--co is given %zu times, at most %d are "
                               "possible",
                               count, OPTIONS_MAX);
    for (size_t i = 0; i < count; i++) creation[i] = given[i];
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(args, "model"), model));
    const s2clr_predict_settings settings = settings_of(args, model, srcwin, creation);

    s2clr_terminal terminal;
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    s2clr_predict_result result;
    const s2clr_status status = s2clr_predict_run(&settings, &progress, &result);
    s2clr_terminal_end(&terminal);
    S2CLR_TRY(status);
    s2clr_predict_warn(args, &result);
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(s2clr_predict_json(&settings, &result));
    if (!s2clr_args_flag(args, "quiet")) s2clr_predict_print(stdout, &settings, &result);
    return s2clr_edge_flush();
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = predict(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_predict = {
    .name = "predict",
    .summary = "a probability map of a Sentinel-2 scene",
    .description =
        "Runs a model over a Sentinel-2 scene and writes a georeferenced probability raster. Bands "
        "are bound by name, DN are brought to the model's unit as its card says, and the value of "
        "a pixel never depends on windows, threads or memory.",
    .example = "s2clr predict -m dense-eurosat-permanentcrop S2B_MSIL2A_X.SAFE.zip map.tif",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,progress,threads,memory,device,config",
    .run = run,
};
