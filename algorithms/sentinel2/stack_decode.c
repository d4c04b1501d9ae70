#include "sentinel2/stack_decode.h"

#include <cpl_string.h>
#include <gdal.h>
#include <math.h>

#include "sentinel2/pstack.h"

/* Pixels of the blocks of one axis that the target pixels from..from + count meet. */
static uint64_t block_pixels(s2clr_axis axis, int64_t from, int count, int block)
{
    const double a = axis.scale * (double)from + axis.shift;
    const double b = axis.scale * ((double)from + count) + axis.shift;
    const double low = fmax(floor(fmin(a, b)), 0), high = fmin(ceil(fmax(a, b)), axis.size);
    if (!(high > low) || block < 1) return 0;
    const uint64_t first = (uint64_t)low / (uint64_t)block;
    const uint64_t last = ((uint64_t)high - 1) / (uint64_t)block;
    const uint64_t end = (last + 1) * (uint64_t)block, size = (uint64_t)axis.size;
    return (end < size ? end : size) - first * (uint64_t)block;
}

/* A VRT (the SENTINEL2 driver makes them too) has small blocks of its own: those of the first of
 * its files that has its size are what is decoded. */
static void block_size(const s2clr_plane *plane, int *columns, int *rows)
{
    static const char *const tiled[] = {"GTiff",  "JP2OpenJPEG", "JP2KAK",
                                        "JP2ECW", "JP2MrSID",    NULL};
    const char *driver = GDALGetDescription(GDALGetDatasetDriver(plane->dataset));
    GDALGetBlockSize(plane->band, columns, rows);
    if (!EQUAL(driver, "VRT") && !EQUAL(driver, "SENTINEL2")) return;
    char **files = GDALGetFileList(plane->dataset);
    bool found = false;
    for (int i = 0; files && files[i] && !found; i++) {
        GDALDatasetH file = GDALOpenEx(files[i], GDAL_OF_RASTER, tiled, NULL, NULL);
        found = file && GDALGetRasterXSize(file) == plane->x.size &&
                GDALGetRasterYSize(file) == plane->y.size;
        if (found) GDALGetBlockSize(GDALGetRasterBand(file, 1), columns, rows);
        if (file) GDALClose(file);
    }
    CSLDestroy(files);
}

static uint64_t plane_bytes(const s2clr_plane *plane, int64_t x0, int64_t y0, int w, int h)
{
    int columns = 0, rows = 0;
    block_size(plane, &columns, &rows);
    const uint64_t bytes = (uint64_t)GDALGetDataTypeSizeBytes(GDALGetRasterDataType(plane->band));
    return block_pixels(plane->x, x0, w, columns) * block_pixels(plane->y, y0, h, rows) * bytes;
}

uint64_t s2clr_stack_decode_bytes(const s2clr_stack *stack, int64_t x0, int64_t y0, int w, int h)
{
    uint64_t bytes = 0;
    s2clr_gdal_watch watch; /* a file that cannot be opened is found out when it is read */
    s2clr_gdal_watch_begin(&watch);
    for (int i = 0; i < stack->info.bands; i++)
        bytes += plane_bytes(&stack->plane[i], x0, y0, w, h);
    if (stack->info.has_scl) bytes += plane_bytes(&stack->scl, x0, y0, w, h);
    s2clr_gdal_watch_end(&watch);
    return bytes;
}
