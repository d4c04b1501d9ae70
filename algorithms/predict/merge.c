#include "predict/merge.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/pool.h"
#include "predict/map_sides.h"
#include "predict/output_guard.h"
#include "predict/writer.h"
#include "sentinel2/gdal_watch.h"

/* Rows copied at once, and what is left of the progress for overviews and format. */
#define CHUNK_ROWS 256
#define FINISH_FROM 0.7

typedef struct merge_part {
    const char *path;
    GDALDatasetH dataset;
    int index, count, row, rows;
} merge_part;

typedef struct merge {
    const s2clr_merge_settings *settings;
    const s2clr_progress *progress;
    merge_part *part; // (settings->count), in the order of their rows
    int columns, rows, bands;
    bool byte_output;
    s2clr_writer_band *band; // (bands)
    char **creation;         /* CSL */
    s2clr_map_sides sides;
    double transform[6]; /* of the map */
    float *chunk;        // (CHUNK_ROWS, columns)
    s2clr_writer *writer;
} merge;

/* ---- the parts ---- */

static const char *item(const merge_part *part, const char *key)
{
    return GDALGetMetadataItem(part->dataset, key, "S2CLR_SHARD");
}

static int number(const merge_part *part, const char *key)
{
    const char *text = item(part, key);
    return text ? atoi(text) : -1;
}

static s2clr_status open_part(merge_part *part, const char *path)
{
    const char *const drivers[] = {"GTiff", NULL};
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    part->path = path;
    part->dataset = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, drivers, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!part->dataset)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened: %s", path, watch.text);
    part->index = number(part, "INDEX");
    part->count = number(part, "COUNT");
    part->row = number(part, "ROW");
    part->rows = GDALGetRasterYSize(part->dataset);
    if (part->index >= 1 && part->count >= part->index && part->row >= 0 &&
        number(part, "MAP_ROWS") >= 1 && item(part, "FORMAT"))
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: is no part of a map that predict --shard made",
                           path);
}

/* The first tag in which two maps differ, NULL if none. */
static const char *tag_that_differs(const merge_part *a, const merge_part *b, const char *domain)
{
    char **tags = GDALGetMetadata(a->dataset, domain), *key = NULL;
    for (char **tag = tags; tag && *tag; tag++) {
        CPLFree(key);
        key = NULL;
        const char *value = CPLParseNameValue(*tag, &key), *other;
        if (!key || EQUAL(key, "INDEX") || EQUAL(key, "ROW")) continue;
        other = GDALGetMetadataItem(b->dataset, key, domain);
        if (other && strcmp(value, other) == 0) continue;
        const char *name = CPLSPrintf("%s", key);
        CPLFree(key);
        return name;
    }
    CPLFree(key);
    return NULL;
}

static bool same_shape(const merge_part *a, const merge_part *b)
{
    double s[6] = {0}, t[6] = {0};
    const int bands = GDALGetRasterCount(a->dataset);
    if (bands != GDALGetRasterCount(b->dataset) ||
        GDALGetRasterXSize(a->dataset) != GDALGetRasterXSize(b->dataset) ||
        strcmp(GDALGetProjectionRef(a->dataset), GDALGetProjectionRef(b->dataset)) != 0 ||
        GDALGetGeoTransform(a->dataset, s) != GDALGetGeoTransform(b->dataset, t))
        return false;
    const double rows = b->row - a->row, grain = 1e-6 * (fabs(s[1]) + fabs(s[2]));
    for (int i = 0; i < 6; i++) {
        const double moved = i == 0 ? rows * s[2] : i == 3 ? rows * s[5] : 0;
        if (fabs(s[i] + moved - t[i]) > grain) return false;
    }
    for (int i = 1; i <= bands; i++)
        if (strcmp(GDALGetDescription(GDALGetRasterBand(a->dataset, i)),
                   GDALGetDescription(GDALGetRasterBand(b->dataset, i))) != 0)
            return false;
    return true;
}

static s2clr_status compare(const merge_part *a, const merge_part *b)
{
    const char *key = tag_that_differs(a, b, "S2CLR");
    if (!key) key = tag_that_differs(b, a, "S2CLR");
    if (!key) key = tag_that_differs(a, b, "S2CLR_SHARD");
    if (key)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: is a part of another map than %s: its tag %s differs", b->path,
                               a->path, key);
    if (same_shape(a, b)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: is a part of another map than %s: grid, reference system or bands "
                           "differ",
                           b->path, a->path);
}

static int by_index(const void *a, const void *b)
{
    const int x = ((const merge_part *)a)->index, y = ((const merge_part *)b)->index;
    return (x > y) - (x < y);
}

/* Parts 1, 2 ... each once, one behind the other. */
static s2clr_status check_order(merge *m)
{
    const int count = (int)m->settings->count, wanted = m->part[0].count;
    int row = 0;
    qsort(m->part, (size_t)count, sizeof *m->part, by_index);
    for (int i = 0; i < count; i++) {
        const merge_part *part = &m->part[i];
        if (i > 0 && part->index == part[-1].index)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: is part %d of %d, as %s is already",
                                   part->path, part->index, wanted, part[-1].path);
        if (part->index != i + 1)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "part %d of %d is missing; \"--shard %d/%d\" "
                                   "makes it",
                                   i + 1, wanted, i + 1, wanted);
        if (part->row != row)
            return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: begins in row %d, where row %d is next",
                                   part->path, part->row, row);
        row += part->rows;
    }
    if (count < wanted)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "part %d of %d is missing; \"--shard %d/%d\" "
                               "makes it",
                               count + 1, wanted, count + 1, wanted);
    m->rows = number(&m->part[0], "MAP_ROWS");
    if (row == m->rows) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: the parts have %d rows, the map has %d",
                           m->part[0].path, row, m->rows);
}

static s2clr_status open_parts(merge *m)
{
    const size_t count = m->settings->count;
    if (count < 1) return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no part is named");
    S2CLR_TRY(s2clr_output_guard(m->settings->output, m->settings->parts, count));
    S2CLR_TRY(s2clr_alloc(count, sizeof *m->part, "parts", (void **)&m->part));
    for (size_t i = 0; i < count; i++) {
        S2CLR_TRY(open_part(&m->part[i], m->settings->parts[i]));
        if (i > 0) S2CLR_TRY(compare(&m->part[0], &m->part[i]));
    }
    return check_order(m);
}

/* ---- the map ---- */

static const char *band_item(GDALRasterBandH band, const char *key)
{
    return GDALGetMetadataItem(band, key, NULL);
}

static s2clr_status describe_bands(merge *m)
{
    GDALDatasetH first = m->part[0].dataset;
    m->columns = GDALGetRasterXSize(first);
    m->bands = GDALGetRasterCount(first);
    m->byte_output = GDALGetRasterDataType(GDALGetRasterBand(first, 1)) == GDT_Byte;
    S2CLR_TRY(s2clr_alloc((size_t)m->bands, sizeof *m->band, "bands", (void **)&m->band));
    for (int i = 0; i < m->bands; i++) {
        GDALRasterBandH band = GDALGetRasterBand(first, i + 1);
        const char *unit = GDALGetRasterUnitType(band);
        const char *maximum = band_item(band, S2CLR_BAND_MAXIMUM);
        m->band[i] = (s2clr_writer_band){.name = GDALGetDescription(band),
                                         .unit = unit[0] ? unit : NULL,
                                         .from_0_to_1 = m->byte_output,
                                         .quantity = band_item(band, S2CLR_BAND_QUANTITY),
                                         .help = band_item(band, S2CLR_BAND_HELP),
                                         .maximum = maximum ? CPLAtof(maximum) : 0};
    }
    for (int i = 1;; i++) {
        const char *option = item(&m->part[0], CPLSPrintf("CREATION_%d", i));
        if (!option) return S2CLR_OK;
        m->creation = CSLAddString(m->creation, option);
    }
}

static s2clr_status check_sides(merge *m)
{
    const s2clr_merge_settings *settings = m->settings;
    GDALDatasetH first = m->part[0].dataset;
    const bool placed = GDALGetGeoTransform(first, m->transform) == CE_None;
    m->sides = (s2clr_map_sides){.map = settings->output,
                                 .band = m->band,
                                 .bands = m->bands,
                                 .polygons = settings->polygons,
                                 .transform = placed ? m->transform : NULL,
                                 .wkt = GDALGetProjectionRef(first),
                                 .no_style = settings->no_style,
                                 .overwrite = settings->overwrite};
    if (settings->polygons)
        S2CLR_TRY(s2clr_output_guard(settings->polygons, settings->parts, settings->count));
    return s2clr_map_sides_check(&m->sides);
}

static s2clr_status open_writer(merge *m)
{
    GDALDatasetH first = m->part[0].dataset;
    s2clr_writer_options options = {.path = m->settings->output,
                                    .format = item(&m->part[0], "FORMAT"),
                                    .creation = (const char *const *)m->creation,
                                    .byte_output = m->byte_output,
                                    .overwrite = m->settings->overwrite,
                                    .columns = m->columns,
                                    .rows = m->rows,
                                    .threads = m->settings->threads ? m->settings->threads
                                                                    : s2clr_cpu_count(),
                                    .wkt = GDALGetProjectionRef(first),
                                    .bands = m->bands,
                                    .band = m->band,
                                    .tags = (const char *const *)GDALGetMetadata(first, "S2CLR")};
    options.has_transform = GDALGetGeoTransform(first, options.transform) == CE_None;
    return s2clr_writer_open(&options, &m->writer);
}

/* As floats: a byte stands for itself / 254, which the writer turns into the same byte. */
static s2clr_status read_chunk(const merge *m, const merge_part *part, int band, int row, int rows)
{
    const size_t pixels = (size_t)m->columns * (size_t)rows;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error =
        GDALRasterIO(GDALGetRasterBand(part->dataset, band + 1), GF_Read, 0, row, m->columns, rows,
                     m->chunk, m->columns, rows, GDT_Float32, 0, 0);
    s2clr_gdal_watch_end(&watch);
    if (error != CE_None)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read: %s", part->path, watch.text);
    for (size_t i = 0; m->byte_output && i < pixels; i++)
        m->chunk[i] = m->chunk[i] == 255 ? NAN : m->chunk[i] / 254;
    return S2CLR_OK;
}

static s2clr_status copy_part(merge *m, const merge_part *part)
{
    for (int row = 0; row < part->rows; row += CHUNK_ROWS) {
        const int rows = part->rows - row < CHUNK_ROWS ? part->rows - row : CHUNK_ROWS;
        const double done = FINISH_FROM * (part->row + row) / m->rows;
        if (!s2clr_progress_report(m->progress, done, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "merging was cancelled");
        for (int band = 0; band < m->bands; band++) {
            S2CLR_TRY(read_chunk(m, part, band, row, rows));
            S2CLR_TRY(s2clr_writer_write(m->writer, band, 0, part->row + row, m->columns, rows,
                                         m->chunk));
        }
    }
    return S2CLR_OK;
}

static s2clr_status run(merge *m)
{
    S2CLR_TRY(open_parts(m));
    S2CLR_TRY(describe_bands(m));
    S2CLR_TRY(check_sides(m));
    S2CLR_TRY(
        s2clr_alloc((size_t)m->columns * CHUNK_ROWS, sizeof *m->chunk, "rows", (void **)&m->chunk));
    S2CLR_TRY(open_writer(m));
    for (size_t i = 0; i < m->settings->count; i++) S2CLR_TRY(copy_part(m, &m->part[i]));
    S2CLR_TRY(s2clr_writer_finish(m->writer, m->progress, FINISH_FROM));
    s2clr_status beside =
        s2clr_map_sides_make(&m->sides, s2clr_writer_finished(m->writer), m->progress, 1, 1);
    if (beside == S2CLR_ERR_CANCELLED) return beside;
    S2CLR_TRY(s2clr_writer_publish(m->writer));
    if (beside == S2CLR_OK) beside = s2clr_map_sides_publish(&m->sides);
    return beside == S2CLR_OK ? S2CLR_OK : s2clr_map_sides_blame(&m->sides, beside);
}

static void release(merge *m)
{
    s2clr_map_sides_discard(&m->sides);
    s2clr_writer_close(m->writer);
    for (size_t i = 0; m->part && i < m->settings->count; i++)
        if (m->part[i].dataset) GDALClose(m->part[i].dataset);
    CSLDestroy(m->creation);
    s2clr_free(m->band);
    s2clr_free(m->part);
    s2clr_free(m->chunk);
}

s2clr_status s2clr_merge_run(const s2clr_merge_settings *settings, const s2clr_progress *progress,
                             s2clr_merge_result *result)
{
    merge m = {.settings = settings, .progress = progress};
    s2clr_gdal_watch watch; /* nothing prints down here */
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = run(&m);
    release(&m);
    s2clr_gdal_watch_end(&watch);
    if (status == S2CLR_OK)
        *result = (s2clr_merge_result){.columns = m.columns,
                                       .rows = m.rows,
                                       .bands = m.bands,
                                       .parts = (int)settings->count,
                                       .style = m.sides.style,
                                       .polygons = m.sides.told};
    return status;
}
