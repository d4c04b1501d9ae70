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
     .group = "Input",                                                                             \
     .help = "A Sentinel-2 product (SAFE folder, its zip or its MTD_*.xml), a multi-band raster "  \
             "or VRT, a folder of single-band files, or the single-band files themselves: "        \
             "several inputs are the bands of one scene."},                                        \
        {"output",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_OUTPUT_RASTER,                                                                 \
         .positional = true,                                                                       \
         .required = true,                                                                         \
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
     .group = "Output",                                                                            \
     .help = "Input pixels from one patch to the next, and per output pixel: each output pixel "   \
             "is the patch centred on it. Without it, the stride in the model's card."},           \
        {"srcwin",                                                                                 \
         NULL,                                                                                     \
         S2CLR_TYPE_WINDOW_INT,                                                                    \
         .meta = "X Y W H",                                                                        \
         .group = "Output",                                                                        \
         .help = "Maps this window of the input only, in input pixels. What lies around it is "    \
                 "still seen by the patches at its border."},                                      \
        {"projwin",                                                                                \
         NULL,                                                                                     \
         S2CLR_TYPE_WINDOW_REAL,                                                                   \
         .meta = "ULX ULY LRX LRY",                                                                \
         .group = "Output",                                                                        \
         .help = "The same in coordinates of the input's reference system."},                      \
        {"aoi",                                                                                    \
         NULL,                                                                                     \
         S2CLR_TYPE_VECTOR,                                                                        \
         .meta = "LAYER",                                                                          \
         .group = "Output",                                                                        \
         .help = "Polygons of any OGR dataset: outside them the map is nodata."},                  \
    {                                                                                              \
        "min-valid", NULL, S2CLR_TYPE_REAL, .meta = "SHARE", .standard = "0.5", .minimum = 0,      \
                                            .maximum = 1, .group = "Output",                       \
                                            .help = "Smallest share of valid pixels with which a " \
                                                    "patch gets a value."                          \
    }

#define S2CLR_ROW_FORMAT                                                                           \
    {                                                                                              \
        "of", NULL, S2CLR_TYPE_CHOICE, .meta = "FORMAT", .standard = "GTiff",                      \
                                       .choices = "GTiff,COG", .group = "Output",                  \
                                       .help = "Format of the output."                             \
    }

#define S2CLR_ROWS_FILE                                                                            \
    {"co",                                                                                         \
     NULL,                                                                                         \
     S2CLR_TYPE_KEY_VALUE,                                                                         \
     .repeat = true,                                                                               \
     .meta = "KEY=VALUE",                                                                          \
     .group = "Output",                                                                            \
     .help = "Creation option of the output's GDAL driver, such as COMPRESS=ZSTD."},               \
        {"overwrite", NULL, S2CLR_TYPE_FLAG, .group = "Output",                                    \
         .help = "Replaces an existing output, at the very end."},                                 \
        {"resume", NULL, S2CLR_TYPE_FLAG, .group = "Output",                                       \
         .help = "Keeps finished blocks in OUTPUT.part.journal, and goes on where an interrupted " \
                 "or killed run with the same settings ended."},                                   \
    {                                                                                              \
        "shard", NULL, S2CLR_TYPE_TEXT,                                                            \
            .meta = "I/N", .group = "Output",                                                      \
            .help = "Makes part I of N of the rows only, as OUTPUT with .shard-I-of-N before "     \
                    "its ending; s2clr-merge(1) makes one map of the parts."                       \
    }

/* Fills in what the rows above were given, runs, reports. settings: defaults and what is the
 * command's own. Returns the exit code. */
int s2clr_predict_rows_run(const s2clr_args *args, const s2clr_predict_settings *settings);

#endif
