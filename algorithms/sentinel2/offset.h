/*
 * The DN offset that a raster's own metadata name: BOA_ADD_OFFSET or RADIO_ADD_OFFSET.
 *
 *     bool found;
 *     double offset;
 *     S2CLR_TRY(s2clr_offset_of_raster(dataset, band, "B04", path, &found, &offset));
 *     if (found) ... DN + offset ...
 */
#ifndef S2CLR_SENTINEL2_OFFSET_H
#define S2CLR_SENTINEL2_OFFSET_H

#include <gdal.h>
#include <stdbool.h>

#include "base/status.h"

/* A number of DN, at most 65535 either way, and nothing behind it. */
bool s2clr_offset_parse(const char *text, double *out);

/* As metadata of the raster band, else of the dataset (KEY_B04 before KEY). *out is written only
 * when it is found; `path` is for messages. */
s2clr_status s2clr_offset_of_raster(GDALDatasetH dataset, GDALRasterBandH raster, const char *band,
                                    const char *path, bool *found, double *out);

#endif
