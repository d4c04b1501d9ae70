/*
 * One band of a georeferenced raster as doubles: what points are looked up in, what areas are
 * counted in.
 *
 *     S2CLR_TRY(s2clr_map_open("map.tif", 1, &map));
 *     S2CLR_TRY(s2clr_map_read(&map, 0, row, map.width, 1, values));
 *     s2clr_map_close(&map);
 */
#ifndef S2CLR_PREDICT_MAP_RASTER_H
#define S2CLR_PREDICT_MAP_RASTER_H

#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_map {
    char *path;
    GDALDatasetH dataset;
    GDALRasterBandH band, mask; /* mask NULL: every finite value counts */
    int number;                 /* of the band */
    int width, height;
    double transform[6], inverse[6];
    double scale, offset;
    OGRSpatialReferenceH crs; /* in traditional GIS order */
    bool geographic;
    uint8_t *valid; // (valid_room) of the pixels read last
    size_t valid_room;
} s2clr_map;

/* band: from 1. Wants a geotransform and a CRS. */
s2clr_status s2clr_map_open(const char *path, int band, s2clr_map *out);
/* The same without these two wants: crs is NULL where the raster does not say where it lies, and
 * areas are not to be asked for. */
s2clr_status s2clr_map_open_anywhere(const char *path, int band, s2clr_map *out);
void s2clr_map_close(s2clr_map *map);

/* A tag that prediction wrote, NULL: not there. Borrowed. */
const char *s2clr_map_tag(const s2clr_map *map, const char *name);

/* Of what the band holds the probability: its own name, for a map of several classes has only one
 * POSITIVE; "" when nothing says it. Borrowed. */
const char *s2clr_map_positive(const s2clr_map *map);

/* From where on a probability counts as the class: what the tags say, else one half. *from: words
 * for it, may be NULL. */
double s2clr_map_threshold(const s2clr_map *map, const char **from);

/* Values with SCALE and OFFSET applied; NaN: nodata, masked, infinite. */
s2clr_status s2clr_map_read(s2clr_map *map, int column, int row, int columns, int rows,
                            double *values); // (rows, columns)

/* Whether it is one. What rounding put beyond 0 or 1 (by 1e-6 at most) is brought back there. */
bool s2clr_map_probability(double *value);

/* m2 of each pixel of a row: on the ellipsoid in a geographic CRS, in the plane of any other. */
s2clr_status s2clr_map_row_area(const s2clr_map *map, int row, double *out);

/* Area on the ellipsoid over area in the plane at the middle of a projected map; 1 for a
 * geographic one, NaN when the CRS gives no way to tell. */
double s2clr_map_true_area(const s2clr_map *map);

#endif
