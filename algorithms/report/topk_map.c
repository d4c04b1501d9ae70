#include "report/topk_map.h"

#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/topk_place.h"
#include "sentinel2/gdal_watch.h"

typedef struct map {
    const char *path;
    GDALDatasetH dataset;
    GDALRasterBandH band;
    int width, height;
    double scale, offset, nodata;
    bool has_nodata;
    s2clr_topk_place *place; /* its pixels to those of the raster */
    const s2clr_topk_raster *raster;
    s2clr_topk_list *list;
    size_t outside;
} map;

static s2clr_status open_map(const char *path, GDALDatasetH *out)
{
    s2clr_gdal_watch watch;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_READONLY, NULL, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!dataset)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened as a map: %s", path, watch.text);
    if (GDALGetRasterCount(dataset) < 1) {
        GDALClose(dataset);
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: has no raster band to be a map; name the one "
                               "of its subdatasets that is: gdalinfo",
                               path);
    }
    *out = dataset;
    return S2CLR_OK;
}

s2clr_status s2clr_topk_map_describe(const char *path, s2clr_topk_map *out)
{
    GDALDatasetH dataset;
    S2CLR_TRY(open_map(path, &dataset));
    const char *patch = GDALGetMetadataItem(dataset, "PATCH", "S2CLR");
    const char *model = GDALGetMetadataItem(dataset, "MODEL_ID", "S2CLR");
    const char *positive = GDALGetMetadataItem(dataset, "POSITIVE", "S2CLR");
    const char *warning = GDALGetMetadataItem(dataset, "MODEL_WARNING", "S2CLR");
    const long side = patch ? strtol(patch, NULL, 10) : 0;
    s2clr_topk_map found = {.patch = side > 0 && side <= 4096 ? (int)side : 0};
    snprintf(found.model, sizeof found.model, "%s", model ? model : "");
    snprintf(found.positive, sizeof found.positive, "%s", positive ? positive : "");
    snprintf(found.warning, sizeof found.warning, "%s", warning ? warning : "");
    GDALClose(dataset);
    *out = found;
    return S2CLR_OK;
}

/* ---- opening ---- */

static s2clr_status find_places(map *m)
{
    double transform[6];
    const char *wkt = GDALGetProjectionRef(m->dataset);
    if (!m->raster->has_transform || GDALGetGeoTransform(m->dataset, transform) != CE_None)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: %s no georeference, so that nothing says which pixel lies "
                               "where; give both one: gdal_edit.py -a_srs, -a_ullr",
                               m->path, m->raster->has_transform ? "has" : "the input has");
    const bool known = wkt && wkt[0] && m->raster->wkt[0];
    /* Two rasters of no CRS, or of which one does not say, are taken to have the same. */
    return s2clr_topk_place_new(transform, known ? wkt : "EPSG:4326", m->raster->transform,
                                known ? m->raster->wkt : "EPSG:4326", &m->place);
}

static void read_band(map *m)
{
    int given = 0;
    m->band = GDALGetRasterBand(m->dataset, 1);
    m->width = GDALGetRasterBandXSize(m->band);
    m->height = GDALGetRasterBandYSize(m->band);
    m->nodata = GDALGetRasterNoDataValue(m->band, &given);
    m->has_nodata = given != 0;
    m->scale = GDALGetRasterScale(m->band, &given);
    if (!given) m->scale = 1;
    m->offset = GDALGetRasterOffset(m->band, &given);
    if (!given) m->offset = 0;
}

/* ---- reading ---- */

static s2clr_status probability_of(const map *m, double value, int column, int row, double *out)
{
    const double p = value * m->scale + m->offset;
    const bool nothing = isnan(value) || (m->has_nodata && value == m->nodata);
    *out = nothing ? NAN : p;
    if (nothing || (p >= 0 && p <= 1.000001)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: pixel %d,%d of band 1 holds %g; a map of probabilities holds 0 to "
                           "1, and nodata",
                           m->path, column, row, p);
}

static s2clr_status take_row(map *m, int row, const double *value)
{
    for (int column = 0; column < m->width; column++) {
        s2clr_topk_item item = {.order = (uint64_t)row * (uint64_t)m->width + (uint64_t)column};
        S2CLR_TRY(probability_of(m, value[column], column, row, &item.p));
        item.index = (size_t)item.order;
        const bool high = item.p >= m->list->above;
        if (high && (!s2clr_topk_place_move(m->place, column + 0.5, row + 0.5, &item.x, &item.y) ||
                     item.x < 0 || item.y < 0 || item.x >= m->raster->width ||
                     item.y >= m->raster->height)) {
            m->outside++;
            continue;
        }
        S2CLR_TRY(s2clr_topk_list_add(m->list, &item));
    }
    return S2CLR_OK;
}

static s2clr_status read_rows(map *m, const s2clr_progress *progress)
{
    double *value;
    s2clr_gdal_watch watch;
    S2CLR_TRY(s2clr_alloc((size_t)m->width, sizeof *value, "a row of the map", (void **)&value));
    s2clr_status status = S2CLR_OK;
    for (int row = 0; status == S2CLR_OK && row < m->height; row++) {
        if (!s2clr_progress_report(progress, (double)row / m->height, "reading the map")) {
            status = s2clr_error_set(S2CLR_ERR_CANCELLED, "reading the map was cancelled");
            break;
        }
        s2clr_gdal_watch_begin(&watch);
        const CPLErr error = GDALRasterIO(m->band, GF_Read, 0, row, m->width, 1, value, m->width, 1,
                                          GDT_Float64, 0, 0);
        s2clr_gdal_watch_end(&watch);
        status = error == CE_None && !watch.failed
                     ? take_row(m, row, value)
                     : s2clr_error_set(S2CLR_ERR_IO, "%s: row %d cannot be read: %s", m->path, row,
                                       watch.text);
    }
    s2clr_free(value);
    return status;
}

s2clr_status s2clr_topk_map_find(const char *path, const s2clr_topk_raster *raster,
                                 const s2clr_progress *progress, s2clr_topk_list *list,
                                 size_t *outside)
{
    map m = {.path = path, .raster = raster, .list = list};
    S2CLR_TRY(open_map(path, &m.dataset));
    read_band(&m);
    s2clr_status status = find_places(&m);
    if (status == S2CLR_OK) status = read_rows(&m, progress);
    s2clr_topk_place_free(m.place);
    GDALClose(m.dataset);
    if (status == S2CLR_OK) *outside = m.outside;
    return status;
}
