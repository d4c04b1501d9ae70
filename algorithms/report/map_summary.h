/*
 * What a finished map holds: its values counted in steps, pixels and areas with a value and above
 * the threshold. Read once, row by row.
 *
 *     S2CLR_TRY(s2clr_map_open_anywhere("map.tif", 1, &map));
 *     S2CLR_TRY(s2clr_map_summary_make(&map, 0, 1, &summary));
 */
#ifndef S2CLR_REPORT_MAP_SUMMARY_H
#define S2CLR_REPORT_MAP_SUMMARY_H

#include "predict/map_raster.h"

#define S2CLR_MAP_STEPS 50

typedef struct s2clr_map_count {
    double pixels, area; /* m2; NaN: the map does not say where it lies */
} s2clr_map_count;

typedef struct s2clr_map_summary {
    double low, high;             /* what the steps span */
    double step[S2CLR_MAP_STEPS]; /* pixels; values beyond the ends count at the ends */
    s2clr_map_count all, valid, above;
    double threshold;
    const char *threshold_from;
    double true_area; /* s2clr_map_true_area(), NaN without a place */
} s2clr_map_summary;

s2clr_status s2clr_map_summary_make(s2clr_map *map, double low, double high,
                                    s2clr_map_summary *out);

#endif
