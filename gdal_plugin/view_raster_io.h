/*
 * Large reads past GDAL's block cache: the window goes to the view in one piece, so that its units
 * are computed once by all workers, and GDAL's progress function can cancel it.
 *
 *     if (view_io_suits(dataset, request)) return view_io_read(dataset, request);
 */
#ifndef S2CLR_GDAL_PLUGIN_VIEW_RASTER_IO_H
#define S2CLR_GDAL_PLUGIN_VIEW_RASTER_IO_H

#include "view_dataset.h"

struct view_io {
    GDALRWFlag flag;
    int x, y, width, height; /* of the dataset's level */
    void *data;
    int buffer_width, buffer_height;
    GDALDataType type;
    int bands;
    const int *band_map; // (bands) from 1
    GSpacing pixel_space, line_space, band_space;
    const GDALRasterIOExtraArg *extra;
};

/* True for reads of all bands at the level's own resolution that hold at least two whole blocks;
 * anything smaller gains from the block cache. */
bool view_io_suits(ViewDataset *dataset, const view_io &io);

CPLErr view_io_read(ViewDataset *dataset, const view_io &io);

#endif
