/* s2clr vrt: a recipe of vrt_templates/ filled in for a scene. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/stack_rows.h"
#include "report/json_words.h"
#include "vrt/vrt.h"

static const s2clr_param_row rows[] = {
    {"template", NULL, S2CLR_TYPE_TEXT, .positional = true, .required = true, .takes = "list,file",
     .suffixes = "vrt",
     .words = "stack10,stack12,masked,indices,pixel,patch,probability,calibrated,ensemble,view",
     .group = "Input",
     .help = "The name of a template (--list shows them), or the file of one of your own: with a "
             "slash in its name, or ending in .vrt."},
    {"input", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .repeat = true,
     .label = "Sentinel-2 product or raster", .group = "Input",
     .help = "A scene as for \"s2clr predict\"; several inputs are the bands of one scene."},
    {"output", NULL, S2CLR_TYPE_OUTPUT_FILE, .positional = true, .required = true,
     .label = "Output VRT", .suffixes = "vrt,s2clr", .group = "Output",
     .help = "The VRT to write, or for the template view the sidecar (.s2clr). It appears under "
             "this name after GDAL could open it and read a pixel."},
    {"list", NULL, S2CLR_TYPE_FLAG, .alone = true, .group = "Input",
     .help = "Shows the templates and writes nothing."},
    {"model", "m", S2CLR_TYPE_MODEL, .repeat = true, .meta = "FILE", .group = "Input",
     .help = "Model file, or the name of a model in the zoo; without it, the default one. The "
             "template ensemble takes several."},
    S2CLR_ROWS_STACK,
    {"scl-classes", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .advanced = true,
     .label = "Classes to keep", .group = "Output",
     .help = "Classes of the scene classification whose pixels keep their value in the template "
             "masked; without it, 2,4,5,6,7,11."},
    {"resampling", NULL, S2CLR_TYPE_CHOICE, .meta = "METHOD", .choices = "nearest,bilinear,cubic",
     .advanced = true, .group = "Output",
     .help = "How GDAL brings coarser bands to the grid of the VRT; without it, nearest, and for "
             "the template pixel as the model's card says."},
    {"stride", NULL, S2CLR_TYPE_INT, .meta = "PX", .minimum = 1, .maximum = 4096, .group = "Output",
     .help = "Input pixels per pixel of a model's map; without it, the stride in its card."},
    {"bands", NULL, S2CLR_TYPE_TEXT, .meta = "LIST", .group = "Output",
     .help =
         "Bands of a model's map in the templates probability and view: probability, entropy, "
         "valid, evidence in any order with commas, or embedding; of a model that tells several "
         "classes apart also classes and their names."},
    {"min-valid", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .minimum = 0, .maximum = 1,
     .advanced = true, .label = "Least share of valid pixels", .group = "Output",
     .help = "Smallest share of valid pixels with which a patch gets a value; without it, 0.5."},
    {"prevalence", NULL, S2CLR_TYPE_REAL, .meta = "P", .minimum = 1e-6, .maximum = 0.999999,
     .label = "Expected share of positives", .group = "Output",
     .help = "Share of positives to tell the probability for; without it, the one of the training. "
             "The template calibrated wants it."},
    {"overwrite", NULL, S2CLR_TYPE_FLAG, .label = "Replace an existing output", .group = "Output",
     .help = "Replaces an existing output, at the very end."},
};

static s2clr_status list_templates(const s2clr_args *args)
{
    s2clr_vrt_template *list;
    size_t count;
    S2CLR_TRY(s2clr_vrt_templates_list(&list, &count));
    json_t *array = json_array();
    const bool json = s2clr_args_flag(args, "json");
    for (size_t i = 0; i < count; i++) {
        if (json)
            json_array_append_new(
                array, json_pack("{s:s, s:s}", "name", list[i].name, "summary", list[i].summary));
        else
            printf("%-13s %s\n", list[i].name, list[i].summary);
    }
    s2clr_free(list);
    if (json) return s2clr_edge_json(json_pack("{s:o}", "templates", array));
    json_decref(array);
    return s2clr_edge_flush();
}

static s2clr_vrt_settings settings_of(const s2clr_args *args)
{
    s2clr_vrt_settings settings = {
        .recipe = s2clr_args_text(args, "template"),
        .output = s2clr_args_text(args, "output"),
        .stack = s2clr_stack_options_of(args),
        .classes = s2clr_args_text(args, "scl-classes"),
        .resampling = s2clr_args_text(args, "resampling"),
        .bands = s2clr_args_text(args, "bands"),
        .stride = (int)s2clr_args_int(args, "stride"),
        .min_valid = s2clr_args_given(args, "min-valid") ? s2clr_args_real(args, "min-valid") : -1,
        .prevalence = s2clr_args_real(args, "prevalence"),
        .overwrite = s2clr_args_flag(args, "overwrite"),
        .command_line = s2clr_args_line(args),
    };
    settings.input_count = s2clr_args_list(args, "input", &settings.inputs);
    settings.model_count = s2clr_args_list(args, "model", &settings.models);
    return settings;
}

static s2clr_status show(const s2clr_args *args, const s2clr_vrt_settings *settings,
                         const s2clr_vrt_result *result)
{
    if (!result->tried)
        s2clr_edge_warn(args, "not tried out: GDAL does not find the plug-in gdal_S2CLR.so, which "
                              "reads this file; install it or set GDAL_DRIVER_PATH to its folder");
    if (s2clr_args_flag(args, "json"))
        return s2clr_edge_json(json_pack(
            "{s:o, s:o, s:[i,i], s:i, s:b, s:[i,i], s:o}", "output",
            s2clr_json_words(settings->output), "template", s2clr_json_words(settings->recipe),
            "size", result->width, result->height, "bands", result->bands, "tried", result->tried,
            "pixel", result->column, result->row, "value",
            isfinite(result->value) ? json_real(result->value) : json_null()));
    if (s2clr_args_flag(args, "quiet")) return S2CLR_OK;
    printf("output      %s", settings->output);
    if (result->tried) {
        printf(", %d x %d pixels, %d band%s\ntried       pixel %d, %d: ", result->width,
               result->height, result->bands, result->bands == 1 ? "" : "s", result->column,
               result->row);
        printf(isnan(result->value) ? "no data" : "%.6g", result->value);
    }
    printf("\n");
    return s2clr_edge_flush();
}

static s2clr_status write_vrt(const s2clr_args *args)
{
    const s2clr_vrt_settings settings = settings_of(args);
    s2clr_vrt_result result;
    S2CLR_TRY(s2clr_vrt_write(&settings, &result));
    for (int i = 0; i < result.warnings; i++) s2clr_edge_warn(args, result.warning[i]);
    return show(args, &settings, &result);
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status =
        s2clr_args_flag(args, "list") ? list_templates(args) : write_vrt(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_vrt = {
    .name = "vrt",
    .summary = "a VRT made from a template: stacks, indices, maps that are computed when read",
    .description =
        "Fills in a template for a scene: its bands are found by name, its grid and offsets are "
        "written down, and what comes out is a VRT for any GDAL program. Those that hold indices "
        "or a model's map need the plug-in gdal_S2CLR.so where they are read.",
    .example = "s2clr vrt probability S2B_MSIL2A_X.SAFE.zip probability.vrt",
    .title = "Make a VRT from a template",
    .section = "Map",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "quiet,json,config",
    .run = run,
};
