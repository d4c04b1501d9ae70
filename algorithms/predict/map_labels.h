/*
 * Connected areas of a map: its pixels that reach a threshold, joined where they share an edge.
 *
 *     s2clr_labels labels;
 *     S2CLR_TRY(s2clr_labels_make(&map, 0.5, "areas.part.tif", progress, &labels));
 *     ... labels.label[number - 1].area ...
 *     s2clr_labels_free(&labels);
 *
 * The map is read twice, row by row, and the number of each pixel's area is written as a raster (0:
 * none), so that memory grows with the number of areas and not with pixels. Areas are numbered in
 * the order in which a reader meets them.
 */
#ifndef S2CLR_PREDICT_MAP_LABELS_H
#define S2CLR_PREDICT_MAP_LABELS_H

#include <stdint.h>

#include "base/progress.h"
#include "predict/map_raster.h"

typedef struct s2clr_map_area {
    uint64_t pixels;
    double area;         /* m2 */
    double sum, maximum; /* of the values */
} s2clr_map_area;

typedef struct s2clr_labels {
    uint32_t count;
    s2clr_map_area *label; // (count)
} s2clr_labels;

/* path: a GTiff of 32-bit numbers on the map's grid; replaced, and removed again on failure.
 * Progress runs over `from` to `to`. */
s2clr_status s2clr_labels_make(s2clr_map *map, double threshold, const char *path,
                               const s2clr_progress *progress, double from, double to,
                               s2clr_labels *out);
void s2clr_labels_free(s2clr_labels *labels);

#endif
