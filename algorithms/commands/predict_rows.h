/*
 * The options that predict and embed share, and the run behind both.
 *
 *     static const s2clr_param_row rows[] = {S2CLR_ROWS_SCENE, ..., S2CLR_ROWS_WINDOW, ...};
 *     s2clr_predict_settings settings;
 *     s2clr_predict_defaults(&settings);
 *     settings.bands = "embedding";
 *     return s2clr_predict_rows_run(args, &settings);
 */
#ifndef S2CLR_COMMANDS_PREDICT_ROWS_H
#define S2CLR_COMMANDS_PREDICT_ROWS_H

#include "commands/params.h"
#include "commands/stack_rows.h"
#include "predict/predict.h"

#define S2CLR_ROWS_SCENE                                                                           \
    {"input",                                                                                      \
     NULL,                                                                                         \
     S2CLR_TYPE_INPUT,                                                                             \
     .positional = true,                                                                           \
     .required = true,                                                                             \
     .repeat = true,                                                                               \
     .label = "Sentinel-2 product or raster",                                                      \
     .group = "Input",                                                                             \
     .help = "A Sentinel-2 product (SAFE folder, its zip or its MTD_*.xml), a multi-band raster "  \
             "or VRT, a folder of single-band files, or the single-band files themselves: "        \
             "several inputs are the bands of one scene."},                                        \
        {"output",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_OUTPUT_RASTER,                                                                 \
         .positional = true,                                                                       \
         .required = true,                                                                         \
         .label = "Map",                                                                           \
         .group = "Output",                                                                        \
         .help = "The raster to make; it appears under this name when it is done."},               \
        S2CLR_ROW_MODEL, S2CLR_ROWS_STACK

#define S2CLR_ROWS_WINDOW                                                                          \
    {"stride",                                                                                     \
     NULL,                                                                                         \
     S2CLR_TYPE_INT,                                                                               \
     .meta = "PX",                                                                                 \
     .minimum = 1,                                                                                 \
     .maximum = 4096,                                                                              \
     .label = "Stride in pixels",                                                                  \
     .group = "Output",                                                                            \
     .help = "Input pixels from one patch to the next, and per output pixel: each output pixel "   \
             "is the patch centred on it. Without it, the stride in the model's card."},           \
        {"srcwin",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_WINDOW_INT,                                                                    \
         .meta = "X Y W H",                                                                        \
         .advanced = true,                                                                         \
         .label = "Window in pixels",                                                              \
         .group = "Output",                                                                        \
         .help = "Maps this window of the input only, in input pixels. What lies around it is "    \
                 "still seen by the patches at its border."},                                      \
        {"projwin",                                                                                \
         NULL,                                                                                     \
         S2CLR_TYPE_WINDOW_REAL,                                                                   \
         .meta = "ULX ULY LRX LRY",                                                                \
         .label = "Extent",                                                                        \
         .group = "Output",                                                                        \
         .help = "Maps this box of the input only, in coordinates of its reference system."},      \
        {"aoi",                                                                                    \
         NULL,                                                                                     \
         S2CLR_TYPE_VECTOR,                                                                        \
         .meta = "LAYER",                                                                          \
         .label = "Area of interest",                                                              \
         .group = "Output",                                                                        \
         .help = "Polygons of any OGR dataset, of all its layers: outside them the map is "        \
                 "nodata."},                                                                       \
    {                                                                                              \
        "min-valid", NULL, S2CLR_TYPE_REAL,                                                        \
            .meta = "SHARE", .standard = "0.5", .minimum = 0, .maximum = 1, .advanced = true,      \
            .label = "Least share of valid pixels", .group = "Output",                             \
            .help = "Smallest share of valid pixels with which a "                                 \
                    "patch gets a value."                                                          \
    }

#define S2CLR_ROW_FORMAT                                                                           \
    {                                                                                              \
        "of", NULL, S2CLR_TYPE_CHOICE,                                                             \
            .meta = "FORMAT", .standard = "GTiff", .choices = "GTiff,COG", .advanced = true,       \
            .label = "Format", .group = "Output", .help = "Format of the output."                  \
    }

#define S2CLR_ROWS_FILE                                                                            \
    {"co",                                                                                         \
     NULL,                                                                                         \
     S2CLR_TYPE_KEY_VALUE,                                                                         \
     .repeat = true,                                                                               \
     .meta = "KEY=VALUE",                                                                          \
     .advanced = true,                                                                             \
     .label = "Creation options",                                                                  \
     .group = "Output",                                                                            \
     .help = "Creation option of the output's GDAL driver, such as COMPRESS=ZSTD."},               \
        {"dry-run",                                                                                \
         NULL,                                                                                     \
         S2CLR_TYPE_FLAG,                                                                          \
         .label = "Only tell what it would take",                                                  \
         .group = "Output",                                                                        \
         .help = "Prints what would be read, computed and written and how long that takes on "     \
                 "this machine, and writes nothing."},                                             \
        {"overwrite",       NULL,                                                                  \
         S2CLR_TYPE_FLAG,   .label = "Replace an existing output",                                 \
         .group = "Output", .help = "Replaces an existing output, at the very end."},              \
        {"resume",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_FLAG,                                                                          \
         .dialog_on = true,                                                                        \
         .label = "Keep what is done when cancelled, and go on from it",                           \
         .group = "Output",                                                                        \
         .help = "Keeps finished blocks in OUTPUT.part.journal, and goes on where an interrupted " \
                 "or killed run with the same settings ended. What one with other settings left "  \
                 "is thrown away with --overwrite, and otherwise refused."},                       \
    {                                                                                              \
        "shard", NULL, S2CLR_TYPE_TEXT,                                                            \
            .meta = "I/N", .advanced = true, .label = "Part of the rows", .group = "Output",       \
            .help = "Makes part I of N of the rows only, as OUTPUT with .shard-I-of-N before "     \
                    "its ending; s2clr-merge(1) makes one map of the parts."                       \
    }

#define S2CLR_ROW_POLYGONS                                                                         \
    {                                                                                              \
        "polygons", NULL, S2CLR_TYPE_OUTPUT_FILE,                                                  \
            .meta = "FILE", .label = "Polygons", .suffixes = "gpkg", .group = "Output",            \
            .help = "A GeoPackage of the connected areas where "                                   \
                    "the probability reaches the model's "                                         \
                    "threshold, each with its area in m2 and "                                     \
                    "its mean and maximum probability (a name "                                    \
                    "that ends with .gpkg)."                                                       \
    }

#define S2CLR_ROW_NO_STYLE                                                                         \
    {                                                                                              \
        "no-style", NULL, S2CLR_TYPE_FLAG, .advanced = true, .label = "Write no style",            \
                                           .group = "Output",                                      \
                                           .help = "Writes no .qml file beside the map, which "    \
                                                   "QGIS takes its colours and legend from."       \
    }

/* Fills in what the rows above were given, runs, reports. settings: defaults and what is the
 * command's own. Returns the exit code. */
int s2clr_predict_rows_run(const s2clr_args *args, const s2clr_predict_settings *settings);

#endif
