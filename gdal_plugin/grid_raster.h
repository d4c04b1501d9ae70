/*
 * The coordinate raster S2CLR_GRID:COLUMNS:ROWS: two Float64 bands that hold each pixel's own
 * column and row. A pixel function is not told where its window lies; with these two as sources it
 * can read that from its input (see s2clr-pixel-functions(7), s2clr_patch).
 */
#ifndef S2CLR_GDAL_PLUGIN_GRID_RASTER_H
#define S2CLR_GDAL_PLUGIN_GRID_RASTER_H

#include <gdal_priv.h>

bool grid_raster_identify(const char *name);

/* NULL: has reported why. */
GDALDataset *grid_raster_open(const char *name);

#endif
