/*
 * Overviews by definition, not by a resampler: level f (2, 4, 8 ... until the longer side is below
 * 256 pixels) holds at pixel i the base value at f*i + floor(f/2), or at the last one.
 */
#ifndef S2CLR_PREDICT_OVERVIEWS_H
#define S2CLR_PREDICT_OVERVIEWS_H

#include <gdal.h>

#include "base/progress.h"
#include "base/status.h"

/* Levels for a raster of that size; levels: room for 32. */
int s2clr_overviews_levels(int width, int height, int levels[32]);

/* Makes and fills the overviews inside a dataset opened for update; `path` is for messages. */
s2clr_status s2clr_overviews_build(GDALDatasetH dataset, const char *path,
                                   const s2clr_progress *progress, double from, double to);

#endif
