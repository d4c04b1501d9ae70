/*
 * Area of interest: the polygons of any OGR dataset, asked about output pixels.
 *
 * Polygons are brought to the raster's CRS (long edges are cut up first, since a straight line in
 * one CRS is none in another), then to output pixel coordinates, and united. A pixel is inside
 * when its centre is, or lies exactly on an edge. GEOS decides.
 */
#ifndef S2CLR_PREDICT_AOI_H
#define S2CLR_PREDICT_AOI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_aoi s2clr_aoi;

/* wkt: CRS of the raster, "" if none (then, and for layers without CRS, coordinates are taken as
 * they are). transform: geotransform of the output grid of columns x rows pixels.
 * Errors: cannot be opened, no polygon, no polygon near the raster. */
s2clr_status s2clr_aoi_open(const char *path, const char *wkt, const double transform[6],
                            int columns, int rows, s2clr_aoi **out);
void s2clr_aoi_close(s2clr_aoi *aoi);

/* Narrows a window (column, row, columns, rows) to the pixels the area's box meets.
 * S2CLR_ERR_ARGUMENT when none is left. */
s2clr_status s2clr_aoi_narrow(const s2clr_aoi *aoi, int window[4]);

/* inside: (rows, columns) 1 or 0; may be NULL when only *any is wanted. */
s2clr_status s2clr_aoi_mask(s2clr_aoi *aoi, int column, int row, int columns, int rows,
                            uint8_t *inside, bool *any);

#endif
