/*
 * The connected areas of a finished map as polygons: a GeoPackage that QGIS draws with the map's
 * colours.
 *
 *     S2CLR_TRY(s2clr_polygons_check("fields.gpkg", overwrite));
 *     ... the map is made as map.part.tif ...
 *     S2CLR_TRY(s2clr_polygons_make("map.part.tif", 1, "fields.gpkg", progress, 0.9, 1, &told));
 *     S2CLR_TRY(s2clr_polygons_publish("fields.gpkg"));
 *
 * An area is made of the pixels that reach the threshold of the map's model (one half where it has
 * none), joined where they share an edge. Its outline follows the pixels. Memory grows with the
 * number of areas, not of pixels; two files beside the output hold the rest meanwhile.
 */
#ifndef S2CLR_PREDICT_MAP_POLYGONS_H
#define S2CLR_PREDICT_MAP_POLYGONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/progress.h"
#include "base/status.h"

#define S2CLR_POLYGONS_LAYER "areas"

typedef struct s2clr_polygons_told {
    uint64_t areas, pixels;
    double area; /* m2 */
    double threshold;
} s2clr_polygons_told;

/* Can it be written? A name that ends with .gpkg, in a folder that exists, and `overwrite` when
 * there is one already. */
s2clr_status s2clr_polygons_check(const char *path, bool overwrite);

/* Makes all of it under a temporary name, of a band that holds probabilities (from 1). On failure
 * nothing is left. */
s2clr_status s2clr_polygons_make(const char *map, int band, const char *path,
                                 const s2clr_progress *progress, double from, double to,
                                 s2clr_polygons_told *told);

/* Gives it its name; removes it instead. */
s2clr_status s2clr_polygons_publish(const char *path);
void s2clr_polygons_discard(const char *path);

#endif
