/*
 * One map of the parts that `predict --shard` made: the same pixels, tags, statistics and overviews
 * as a run that made it whole, in the format that run asked for.
 *
 *     const s2clr_merge_settings settings = {.parts = names, .count = n, .output = "map.tif"};
 *     S2CLR_TRY(s2clr_merge_run(&settings, progress, &result));
 */
#ifndef S2CLR_PREDICT_MERGE_H
#define S2CLR_PREDICT_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/progress.h"
#include "base/status.h"
#include "predict/map_polygons.h"
#include "predict/map_style.h"

typedef struct s2clr_merge_settings {
    const char *const *parts; /* files, in any order */
    size_t count;
    const char *output;
    bool overwrite;
    const char *polygons; /* NULL or a GeoPackage to make as well, see predict/map_polygons.h */
    bool no_style;        /* no .qml beside the output, see predict/map_style.h */
    int threads;          /* of GDAL's encoder; 0: one per CPU */
} s2clr_merge_settings;

typedef struct s2clr_merge_result {
    int columns, rows, bands, parts;
    s2clr_style_told style;
    s2clr_polygons_told polygons; /* when they were asked for */
} s2clr_merge_result;

/* A file that is no part, a part of another map, a part given twice or missing is refused by name.
 */
s2clr_status s2clr_merge_run(const s2clr_merge_settings *settings, const s2clr_progress *progress,
                             s2clr_merge_result *result);

#endif
