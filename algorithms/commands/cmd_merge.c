/* s2clr merge: the parts of a map in, the map out. */
#include <stdio.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/predict_report.h"
#include "commands/predict_rows.h"
#include "predict/merge.h"
#include "report/json_words.h"

static const s2clr_param_row rows[] = {
    {"part", NULL, S2CLR_TYPE_INPUT, .positional = true, .required = true, .repeat = true,
     .label = "Parts", .takes = "file", .suffixes = "tif", .group = "Input",
     .help = "All parts that predict or embed made with --shard, in any order."},
    {"output", NULL, S2CLR_TYPE_OUTPUT_RASTER, .positional = true, .required = true,
     .group = "Output",
     .help = "The map; format, pixel type and creation options are those the parts were asked "
             "for."},
    {"overwrite", NULL, S2CLR_TYPE_FLAG, .group = "Output",
     .help = "Replaces an existing output, at the very end."},
    S2CLR_ROW_POLYGONS,
    S2CLR_ROW_NO_STYLE,
};

static json_t *merge_json(const s2clr_merge_settings *settings, const s2clr_merge_result *result)
{
    return json_pack("{s:o, s:i, s:[i,i], s:i, s:o, s:o}", "output",
                     s2clr_json_words(settings->output), "parts", result->parts, "size",
                     result->columns, result->rows, "bands", result->bands, "style",
                     s2clr_style_json(&result->style), "polygons",
                     s2clr_polygons_json(settings->polygons, &result->polygons));
}

static s2clr_status merge(const s2clr_args *args)
{
    s2clr_merge_settings settings = {.output = s2clr_args_text(args, "output"),
                                     .overwrite = s2clr_args_flag(args, "overwrite"),
                                     .polygons = s2clr_args_text(args, "polygons"),
                                     .no_style = s2clr_args_flag(args, "no-style"),
                                     .threads = (int)s2clr_args_int(args, "threads")};
    s2clr_merge_result result;
    s2clr_terminal terminal;
    settings.count = s2clr_args_list(args, "part", &settings.parts);
    const s2clr_progress progress = s2clr_edge_progress(args, &terminal);
    const s2clr_status status = s2clr_merge_run(&settings, &progress, &result);
    s2clr_terminal_end(&terminal);
    S2CLR_TRY(status);
    if (s2clr_edge_wants_json(args))
        S2CLR_TRY(s2clr_edge_result(args, merge_json(&settings, &result)));
    if (s2clr_args_flag(args, "json")) return S2CLR_OK;
    if (!s2clr_args_flag(args, "quiet")) {
        printf("map         %s, %d x %d pixels, %d band%s, of %d parts\n", settings.output,
               result.columns, result.rows, result.bands, result.bands == 1 ? "" : "s",
               result.parts);
        s2clr_sides_print(stdout, &result.style, settings.polygons, &result.polygons);
    }
    return s2clr_edge_flush();
}

static int run(const s2clr_args *args)
{
    s2clr_edge_gdal(args);
    const s2clr_status status = merge(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

static const s2clr_result_row results[] = {
    {"part-count", "parts", "Parts", false},
    {"areas", "polygons.areas", "Number of areas", false},
    {"area-m2", "polygons.area_m2", "Area of all areas, m2", false},
};

const s2clr_command s2clr_cmd_merge = {
    .name = "merge",
    .summary = "one map of the parts that --shard made",
    .description =
        "Joins the parts of a map that s2clr-predict(1) or s2clr-embed(1) made with --shard: the "
        "same pixels, tags, statistics and overviews as a run that made it whole. A missing part, "
        "or one of another map, is refused by name.",
    .example = "s2clr merge map.shard-1-of-2.tif map.shard-2-of-2.tif map.tif",
    .title = "Join the parts of a map",
    .section = "Map",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .results = results,
    .result_count = sizeof results / sizeof results[0],
    .global = "quiet,json,results,progress,threads,config",
    .run = run,
};
