/*
 * Coordinates of patches: from the pixels of a raster to WGS 84, and from one raster's pixels to
 * another's, whatever their reference systems (PROJ through OSR, x before y everywhere).
 *
 *     s2clr_topk_place *place;
 *     S2CLR_TRY(s2clr_topk_place_new(transform, wkt, NULL, NULL, &place));      // to WGS 84
 *     if (s2clr_topk_place_move(place, column, row, &longitude, &latitude)) ...
 *     s2clr_topk_place_free(place);
 */
#ifndef S2CLR_REPORT_TOPK_PLACE_H
#define S2CLR_REPORT_TOPK_PLACE_H

#include <stdbool.h>

#include "base/status.h"

typedef struct s2clr_topk_place s2clr_topk_place;

/* transform, wkt: of the raster whose pixels are given. to_transform, to_wkt: of the one whose
 * pixels are wanted; NULL both: degrees in WGS 84. S2CLR_ERR_MISMATCH names a CRS that leads
 * nowhere. */
s2clr_status s2clr_topk_place_new(const double transform[6], const char *wkt,
                                  const double *to_transform, const char *to_wkt,
                                  s2clr_topk_place **out);
void s2clr_topk_place_free(s2clr_topk_place *place); /* NULL is allowed */

/* Fractional pixels, (0, 0) being the upper left corner; false when the point has no place there.
 */
bool s2clr_topk_place_move(const s2clr_topk_place *place, double column, double row, double *x,
                           double *y);

#endif
