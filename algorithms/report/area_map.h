/*
 * One band of a georeferenced raster as doubles: what points are looked up in, what areas are
 * counted in. Private to map_points*.c and area*.c.
 *
 *     S2CLR_TRY(s2clr_map_open("map.tif", 1, &map));
 *     S2CLR_TRY(s2clr_map_read(&map, 0, row, map.width, 1, values));
 *     s2clr_map_close(&map);
 */
#ifndef S2CLR_REPORT_AREA_MAP_H
#define S2CLR_REPORT_AREA_MAP_H

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
void s2clr_map_close(s2clr_map *map);

/* Values with SCALE and OFFSET applied; NaN: nodata, masked, infinite. */
s2clr_status s2clr_map_read(s2clr_map *map, int column, int row, int columns, int rows,
                            double *values); // (rows, columns)

/* m2 of each pixel of a row: on the ellipsoid in a geographic CRS, in the plane of any other. */
s2clr_status s2clr_map_row_area(const s2clr_map *map, int row, double *out);

/* Area on the ellipsoid over area in the plane at the middle of a projected map; 1 for a
 * geographic one, NaN when the CRS gives no way to tell. */
double s2clr_map_true_area(const s2clr_map *map);

#endif
