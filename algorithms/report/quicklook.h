/*
 * Small pictures of large rasters, for pages: read coarsely, so that neither time nor memory
 * depends on the raster's size.
 *
 *     s2clr_quicklook scene;
 *     S2CLR_TRY(s2clr_quicklook_scene(&stack, window, &scene));
 *     fprintf(to, "<img src=\"%s\" alt=\"...\">", scene.uri);
 *     s2clr_quicklook_free(&scene);
 */
#ifndef S2CLR_REPORT_QUICKLOOK_H
#define S2CLR_REPORT_QUICKLOOK_H

#include "predict/colour_ramp.h"
#include "predict/map_raster.h"
#include "sentinel2/stack.h"

#define S2CLR_QUICKLOOK_SIDE 600 /* pixels of the longer side at most */

typedef struct s2clr_quicklook {
    char *uri; /* data:image/png */
    int width, height;
    char name[64];  /* "True colour", "Band B08" */
    char rule[300]; /* which values give which colours, or that pixels are averaged */
} s2clr_quicklook;

/* The part of a scene under window (x, y, width, height in pixels of the stack, cut to it): true
 * colour where B04, B03 and B02 are bound, else the first band in grey. */
s2clr_status s2clr_quicklook_scene(const s2clr_stack_info *stack, const double window[4],
                                   s2clr_quicklook *out);

/* A band of a map, low to high over the ramp; pixels without value are transparent. */
s2clr_status s2clr_quicklook_map(s2clr_map *map, const s2clr_ramp *ramp, double low,
                                 double high, s2clr_quicklook *out);

void s2clr_quicklook_free(s2clr_quicklook *picture);

#endif
