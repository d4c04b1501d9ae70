/*
 * Points with attributes, and the values of a map beneath them.
 *
 *     S2CLR_TRY(s2clr_points_open("points.csv", NULL, &points));
 *     S2CLR_TRY(s2clr_points_column(points, "country", &country));
 *     S2CLR_TRY(s2clr_map_points("map.tif", 1, points->crs, points->at, points->count, value));
 *     if (value[i].state == S2CLR_POINT_HERE) use(value[i].value, s2clr_points_text(points, i,
 * country)); s2clr_points_close(points);
 *
 * Coordinates are x = longitude or easting, y = latitude or northing, whatever the CRS says of its
 * axes; PROJ brings them to the map. A point's value is that of the pixel it lies in: nothing is
 * interpolated. A pixel's own left and upper edges belong to it.
 */
#ifndef S2CLR_REPORT_MAP_POINTS_H
#define S2CLR_REPORT_MAP_POINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The rows of a table (CSV with lon and lat, longitude and latitude, or x and y and a .prj) or of
 * any OGR layer of points that have a place. Treat it as read-only. */
typedef struct s2clr_points {
    char *path, *crs; /* crs: WKT of `at` */
    size_t count;     /* rows with a place */
    size_t placeless; /* rows left out: no geometry, or coordinates that are no numbers */
    double (*at)[2];  // (count) x, y
    long long *row;   // (count) number of the feature in the file: for messages
    size_t columns;
    char **column;     // (columns) names
    const char **text; // (count, columns) attributes as text, "" where there is none
    void *own;
} s2clr_points;

/* layer: NULL when there is only one. Errors: cannot be opened, is damaged, several layers, no
 * points, no coordinates, no CRS. */
s2clr_status s2clr_points_open(const char *path, const char *layer, s2clr_points **out);
void s2clr_points_close(s2clr_points *points);

/* The column of this name, any case; the message of the error lists what there is. */
s2clr_status s2clr_points_column(const s2clr_points *points, const char *name, size_t *out);
bool s2clr_points_has_column(const s2clr_points *points, const char *name, size_t *out);
/* Borrowed; "" for none. */
const char *s2clr_points_text(const s2clr_points *points, size_t point, size_t column);

typedef enum s2clr_point_state {
    S2CLR_POINT_HERE,
    S2CLR_POINT_NODATA, /* on a pixel without value */
    S2CLR_POINT_OFF_MAP,
    S2CLR_POINT_PLACELESS /* PROJ finds no way from its coordinates to the map's CRS */
} s2clr_point_state;

/* "on nodata", "off the map", ... for lists of what was left out. */
const char *s2clr_point_state_text(s2clr_point_state state);

typedef struct s2clr_map_value {
    double value;    /* SCALE and OFFSET of the band applied; NaN unless the state is HERE */
    int column, row; /* of the map; -1 off it */
    s2clr_point_state state;
} s2clr_map_value;

/* band: from 1. crs: of `at`, WKT or EPSG:NUMBER. Errors: the map cannot be opened or read, has no
 * such band, no CRS or no georeference; a point off the map is none. */
s2clr_status s2clr_map_points(const char *map, int band, const char *crs, const double (*at)[2],
                              size_t count, s2clr_map_value *out);

#endif
