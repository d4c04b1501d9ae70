#include "predict/overviews.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

/* The base is read once, in chunks of whole tiles. */
#define CHUNK_ROWS 256
#define CHUNK_COLUMNS 8192
#define LEVEL_TILE 256
#define LEVEL_TILE_TEXT "256"
#define LEAST_SIDE 256

typedef struct span {
    int first, count;
} span;

typedef struct builder {
    GDALRasterBandH base; /* the band being filled from */
    int width, height;
    double nodata;
    float *chunk;  // (CHUNK_ROWS, CHUNK_COLUMNS)
    float *picked; // what one level takes of it
} builder;

int s2clr_overviews_levels(int width, int height, int levels[32])
{
    const int side = width > height ? width : height;
    int count = 0;
    for (int64_t f = 2; (side - 1) / (f / 2) + 1 >= LEAST_SIDE; f *= 2) levels[count++] = (int)f;
    return count;
}

static int64_t source_of(int64_t i, int f, int length)
{
    const int64_t at = i * f + f / 2;
    return at < length ? at : length - 1;
}

/* Overview pixels whose source lies in [from, to). */
static span pixels_from(int from, int to, int f, int length, int overview_length)
{
    span found = {0, 0};
    int64_t i = ((int64_t)from - f / 2) / f - 1;
    if (i < 0) i = 0;
    while (i < overview_length && source_of(i, f, length) < from) i++;
    found.first = (int)i;
    while (i < overview_length && source_of(i, f, length) < to) i++;
    found.count = (int)i - found.first;
    return found;
}

static bool is_nodata(const builder *b, float value)
{
    return isnan(b->nodata) ? isnan(value) : (double)value == b->nodata;
}

/* Picks what one level wants of the chunk at (x, y); writes it unless it is all nodata. */
static CPLErr fill_level(const builder *b, GDALRasterBandH overview, int f, int x, int y, int w,
                         int h)
{
    const int width = GDALGetRasterBandXSize(overview), height = GDALGetRasterBandYSize(overview);
    const span across = pixels_from(x, x + w, f, b->width, width);
    const span down = pixels_from(y, y + h, f, b->height, height);
    bool any = false;
    float *to = b->picked;
    for (int i = down.first; i < down.first + down.count; i++) {
        const float *row = b->chunk + (source_of(i, f, b->height) - y) * w;
        for (int j = across.first; j < across.first + across.count; j++) {
            *to = row[source_of(j, f, b->width) - x];
            any = any || !is_nodata(b, *to);
            to++;
        }
    }
    if (!any) return CE_None;
    return GDALRasterIO(overview, GF_Write, across.first, down.first, across.count, down.count,
                        b->picked, across.count, down.count, GDT_Float32, 0, 0);
}

static CPLErr fill_from_chunk(const builder *b, const int *levels, int count, int x, int y)
{
    const int w = b->width - x < CHUNK_COLUMNS ? b->width - x : CHUNK_COLUMNS;
    const int h = b->height - y < CHUNK_ROWS ? b->height - y : CHUNK_ROWS;
    const int data = GDALGetDataCoverageStatus(b->base, x, y, w, h, 0, NULL);
    if (data == GDAL_DATA_COVERAGE_STATUS_EMPTY) return CE_None;
    if (GDALRasterIO(b->base, GF_Read, x, y, w, h, b->chunk, w, h, GDT_Float32, 0, 0) != CE_None)
        return CE_Failure;
    for (int i = 0; i < count; i++)
        if (fill_level(b, GDALGetOverview(b->base, i), levels[i], x, y, w, h) != CE_None)
            return CE_Failure;
    return CE_None;
}

static s2clr_status fill_band(const builder *b, const char *path, const int *levels, int count,
                              const s2clr_progress *progress, double from, double to)
{
    for (int y = 0; y < b->height; y += CHUNK_ROWS) {
        if (!s2clr_progress_report(progress, from + (to - from) * y / b->height, "overviews"))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
        for (int x = 0; x < b->width; x += CHUNK_COLUMNS)
            if (fill_from_chunk(b, levels, count, x, y) != CE_None)
                return s2clr_error_set(S2CLR_ERR_IO, "%s: overviews cannot be written: %s", path,
                                       CPLGetLastErrorMsg());
    }
    return S2CLR_OK;
}

static s2clr_status fill(builder *b, GDALDatasetH dataset, const char *path, const int *levels,
                         int count, const s2clr_progress *progress, double from, double to)
{
    const int bands = GDALGetRasterCount(dataset);
    for (int i = 0; i < bands; i++) {
        b->base = GDALGetRasterBand(dataset, i + 1);
        S2CLR_TRY(fill_band(b, path, levels, count, progress, from + (to - from) * i / bands,
                            from + (to - from) * (i + 1) / bands));
    }
    return S2CLR_OK;
}

/* The directories of all levels: 16 bytes per tile and band, and metadata. */
static size_t directory_bytes(GDALDatasetH dataset, const int *levels, int count)
{
    const double columns = GDALGetRasterXSize(dataset), rows = GDALGetRasterYSize(dataset);
    double bytes = 65536;
    for (int i = 0; i < count; i++)
        bytes += 16.0 * GDALGetRasterCount(dataset) * (columns / levels[i] / LEVEL_TILE + 1) *
                 (rows / levels[i] / LEVEL_TILE + 1);
    return (size_t)bytes;
}

/* When the disk fills up while GDALBuildOverviews() writes its directories, GDAL 3.13.3 goes on
 * with a file that it could not open again, and crashes. So whether they fit is tried first. */
static bool has_room(GDALDatasetH dataset, const int *levels, int count)
{
    static const char zeros[4096];
    VSILFILE *file = VSIFOpenL(GDALGetDescription(dataset), "r+b");
    if (!file) return true; /* not every file system can append */
    bool good = VSIFSeekL(file, 0, SEEK_END) == 0;
    const vsi_l_offset end = VSIFTellL(file);
    for (size_t left = directory_bytes(dataset, levels, count); good && left;) {
        const size_t part = left < sizeof zeros ? left : sizeof zeros;
        good = VSIFWriteL(zeros, 1, part, file) == part;
        left -= part;
    }
    good = VSIFFlushL(file) == 0 && good;
    good = VSIFTruncateL(file, end) == 0 && good;
    return VSIFCloseL(file) == 0 && good;
}

static CPLErr create_levels(GDALDatasetH dataset, int *levels, int count)
{
    CPLSetThreadLocalConfigOption("SPARSE_OK_OVERVIEW", "ON");
    CPLSetThreadLocalConfigOption("GDAL_TIFF_OVR_BLOCKSIZE", LEVEL_TILE_TEXT);
    const CPLErr error = GDALBuildOverviews(dataset, "NONE", count, levels, 0, NULL, NULL, NULL);
    CPLSetThreadLocalConfigOption("GDAL_TIFF_OVR_BLOCKSIZE", NULL);
    CPLSetThreadLocalConfigOption("SPARSE_OK_OVERVIEW", NULL);
    return error;
}

s2clr_status s2clr_overviews_build(GDALDatasetH dataset, const char *path,
                                   const s2clr_progress *progress, double from, double to)
{
    int levels[32];
    builder b = {.width = GDALGetRasterXSize(dataset), .height = GDALGetRasterYSize(dataset)};
    const int count = s2clr_overviews_levels(b.width, b.height, levels);
    if (count == 0) return S2CLR_OK;
    b.base = GDALGetRasterBand(dataset, 1);
    b.nodata = GDALGetRasterNoDataValue(b.base, NULL);
    if (!has_room(dataset, levels, count))
        return s2clr_error_set(S2CLR_ERR_IO, "%s: overviews cannot be written; is the disk full?",
                               path);
    if (create_levels(dataset, levels, count) != CE_None || GDALGetOverviewCount(b.base) != count)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: overviews cannot be made: %s", path,
                               CPLGetLastErrorMsg());
    const size_t room = (size_t)CHUNK_ROWS * CHUNK_COLUMNS;
    s2clr_status status = s2clr_alloc(room, sizeof(float), "overview chunk", (void **)&b.chunk);
    if (status == S2CLR_OK)
        status = s2clr_alloc(room, sizeof(float), "overview pixels", (void **)&b.picked);
    if (status == S2CLR_OK) status = fill(&b, dataset, path, levels, count, progress, from, to);
    s2clr_free(b.chunk);
    s2clr_free(b.picked);
    return status;
}
