/*
 * What is made beside a map: the style, and the polygons. Shared by a run of prediction and by the
 * merging of its parts.
 *
 *     S2CLR_TRY(s2clr_map_sides_check(&sides));
 *     ... the map is finished as map.part.tif ...
 *     status = s2clr_map_sides_make(&sides, "map.part.tif", progress, 0.99, 1);
 *     ... it gets its name, whatever the status: hours may be in it ...
 *     if (status == S2CLR_OK) status = s2clr_map_sides_publish(&sides);
 *     if (status != S2CLR_OK) return s2clr_map_sides_blame(&sides, status);
 */
#ifndef S2CLR_PREDICT_MAP_SIDES_H
#define S2CLR_PREDICT_MAP_SIDES_H

#include "predict/map_polygons.h"
#include "predict/map_style.h"

typedef struct s2clr_map_sides {
    const char *map;               /* under its own name */
    const s2clr_writer_band *band; // (bands)
    int bands;
    const char *polygons;    /* NULL: none */
    const double *transform; /* GDAL's, of the map; NULL: it has no place */
    const char *wkt;
    bool no_style, overwrite;
    int polygon_band; /* set by check */
    bool made;        /* by this run, under a temporary name; not yet published */
    s2clr_style_told style;
    s2clr_polygons_told told;
} s2clr_map_sides;

/* Before anything long begins. */
s2clr_status s2clr_map_sides_check(s2clr_map_sides *sides);
s2clr_status s2clr_map_sides_make(s2clr_map_sides *sides, const char *finished,
                                  const s2clr_progress *progress, double from, double to);
s2clr_status s2clr_map_sides_publish(const s2clr_map_sides *sides);

/* Forgets what was made and not published. */
void s2clr_map_sides_discard(const s2clr_map_sides *sides);

/* The error of one of the above, which is no error of the map. */
s2clr_status s2clr_map_sides_blame(const s2clr_map_sides *sides, s2clr_status status);

#endif
