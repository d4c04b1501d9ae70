/* s2clr predict: a product in, a probability raster out. */
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/predict_rows.h"

static const s2clr_param_row rows[] = {
    S2CLR_ROWS_SCENE,
    {"bands", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .standard = "probability",
     .label = "Bands to write", .group = "Output",
     .help = "Bands to write, of probability, entropy (bits), valid (share of valid pixels in the "
             "patch) and evidence (mean local logit in the output pixel, dense models), separated "
             "by commas. Of a model that tells several classes apart also classes (the probability "
             "of each) and names of classes; probability is that of the card's positive class, or "
             "where it has none that of each."},
    S2CLR_ROWS_WINDOW,
    S2CLR_ROW_PRECISION("Output"),
    {"prevalence", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .minimum = 1e-9, .maximum = 1 - 1e-9,
     .label = "Expected share of positives", .group = "Output",
     .help = "Share of positives to expect on the ground: probabilities are told for it instead of "
             "for the share in the model's card."},
    {"blend", NULL, S2CLR_TYPE_CHOICE, .meta = "HOW", .standard = "none", .choices = "none,hann",
     .label = "Blending", .group = "Output",
     .help = "hann gives a map on the input's own grid: every pixel is the mean of the patches "
             "that reach it, with Hann weights. The stride may be half a patch at most."},
    S2CLR_ROW_FORMAT,
    {"ot", NULL, S2CLR_TYPE_CHOICE, .meta = "TYPE", .standard = "Float32",
     .choices = "Float32,Byte", .advanced = true, .label = "Pixel type", .group = "Output",
     .help = "Pixel type: Float32 with NaN as nodata, or Byte with SCALE 1/254 and nodata 255."},
    S2CLR_ROWS_FILE,
    {"report", NULL, S2CLR_TYPE_OUTPUT_FILE, .meta = "FILE", .label = "Report", .suffixes = "html",
     .group = "Output",
     .help = "A page that explains the map: pictures, histogram, areas, times, settings, model "
             "(a name that ends with .html)."},
    S2CLR_ROW_POLYGONS,
    S2CLR_ROW_NO_STYLE,
};

static int run(const s2clr_args *args)
{
    s2clr_predict_settings settings;
    s2clr_predict_defaults(&settings);
    settings.bands = s2clr_args_text(args, "bands");
    settings.prevalence = s2clr_args_real(args, "prevalence");
    settings.blend = strcmp(s2clr_args_text(args, "blend"), "hann") == 0;
    settings.report = s2clr_args_text(args, "report");
    settings.polygons = s2clr_args_text(args, "polygons");
    settings.no_style = s2clr_args_flag(args, "no-style");
    settings.byte_output = strcmp(s2clr_args_text(args, "ot"), "Byte") == 0;
    if (strcmp(settings.bands, "embedding") == 0) {
        s2clr_error_set(S2CLR_ERR_ARGUMENT, "--bands embedding: \"s2clr embed\" writes embeddings");
        return s2clr_edge_fail(args, S2CLR_ERR_ARGUMENT);
    }
    return s2clr_predict_rows_run(args, &settings);
}

static const s2clr_result_row results[] = {
    {"pixels", "pixels", "Pixels of the map", false},
    {"valid-pixels", "valid_pixels", "Valid pixels", false},
    {"mean", "probability.mean", "Mean probability", false},
    {"maximum", "probability.maximum", "Highest probability", false},
    {"model-warning", "model_warning", "Warning of the model", true},
    {"areas", "polygons.areas", "Number of areas", false},
    {"area-m2", "polygons.area_m2", "Area of all areas, m2", false},
};

const s2clr_command s2clr_cmd_predict = {
    .name = "predict",
    .summary = "a probability map of a Sentinel-2 scene",
    .description =
        "Runs a model over a Sentinel-2 scene and writes a georeferenced probability raster. Bands "
        "are bound by name, DN are brought to the model's unit as its card says, and the value of "
        "a pixel never depends on windows, threads or memory.",
    .example = "s2clr predict -m dense-l2a-permanentcrop S2B_MSIL2A_X.SAFE.zip map.tif",
    .title = "Map a scene",
    .section = "Map",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,threads,memory,device,config",
    .run = run,
};
