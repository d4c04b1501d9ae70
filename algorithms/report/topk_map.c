#include "report/topk_map.h"

#include <gdal.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "predict/map_raster.h"
#include "report/topk_place.h"

typedef struct map {
    s2clr_map raster;
    s2clr_topk_place *place; /* its pixels to those of the input */
    const s2clr_topk_raster *input;
    s2clr_topk_list *list;
    size_t outside;
} map;

static void keep_tag(const s2clr_map *raster, const char *name, char *out, size_t size)
{
    const char *value = s2clr_map_tag(raster, name);
    s2clr_utf8_show(value ? value : "", out, size);
}

s2clr_status s2clr_topk_map_describe(const char *path, s2clr_topk_map *out)
{
    s2clr_map raster;
    S2CLR_TRY(s2clr_map_open_anywhere(path, 1, &raster));
    const char *patch = s2clr_map_tag(&raster, "PATCH");
    const long side = patch ? strtol(patch, NULL, 10) : 0;
    s2clr_topk_map found = {.patch = side > 0 && side <= 4096 ? (int)side : 0};
    keep_tag(&raster, "MODEL_ID", found.model, sizeof found.model);
    s2clr_utf8_show(s2clr_map_positive(&raster), found.positive, sizeof found.positive);
    keep_tag(&raster, "MODEL_WARNING", found.warning, sizeof found.warning);
    s2clr_map_close(&raster);
    *out = found;
    return S2CLR_OK;
}

/* ---- opening ---- */

static s2clr_status find_places(map *m)
{
    double transform[6];
    const char *wkt = GDALGetProjectionRef(m->raster.dataset);
    const bool placed = GDALGetGeoTransform(m->raster.dataset, transform) == CE_None;
    if (!m->input->has_transform || !placed)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: %s no georeference, so that nothing says which pixel lies "
                               "where; give both one: gdal_edit.py -a_srs, -a_ullr",
                               m->raster.path, placed ? "the input has" : "has");
    const bool known = wkt && wkt[0] && m->input->wkt[0];
    /* Two rasters of no CRS, or of which one does not say, are taken to have the same. */
    return s2clr_topk_place_new(transform, known ? wkt : "EPSG:4326", m->input->transform,
                                known ? m->input->wkt : "EPSG:4326", &m->place);
}

/* ---- reading ---- */

static s2clr_status refuse(const map *m, double value, int column, int row)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: pixel %d,%d of band 1 holds %g; a map of probabilities holds 0 to "
                           "1, and nodata",
                           m->raster.path, column, row, value);
}

static s2clr_status take_row(map *m, int row, const double *value)
{
    const uint64_t width = (uint64_t)m->raster.width;
    for (int column = 0; column < m->raster.width; column++) {
        s2clr_topk_item item = {.p = value[column],
                                .order = (uint64_t)row * width + (uint64_t)column};
        if (!isnan(item.p) && !s2clr_map_probability(&item.p))
            return refuse(m, item.p, column, row);
        item.index = (size_t)item.order;
        const bool high = item.p >= m->list->above;
        if (high &&
            (!s2clr_topk_place_move(m->place, column + 0.5, row + 0.5, &item.x, &item.y) ||
             item.x < 0 || item.y < 0 || item.x >= m->input->width || item.y >= m->input->height)) {
            m->outside++;
            continue;
        }
        S2CLR_TRY(s2clr_topk_list_add(m->list, &item));
    }
    return S2CLR_OK;
}

static s2clr_status read_rows(map *m, const s2clr_progress *progress)
{
    s2clr_map *raster = &m->raster;
    double *value;
    S2CLR_TRY(
        s2clr_alloc((size_t)raster->width, sizeof *value, "a row of the map", (void **)&value));
    s2clr_status status = S2CLR_OK;
    for (int row = 0; status == S2CLR_OK && row < raster->height; row++) {
        if (!s2clr_progress_report(progress, (double)row / raster->height, "reading the map")) {
            status = s2clr_error_set(S2CLR_ERR_CANCELLED, "reading the map was cancelled");
            break;
        }
        status = s2clr_map_read(raster, 0, row, raster->width, 1, value);
        if (status == S2CLR_OK) status = take_row(m, row, value);
    }
    s2clr_free(value);
    return status;
}

s2clr_status s2clr_topk_map_find(const char *path, const s2clr_topk_raster *raster,
                                 const s2clr_progress *progress, s2clr_topk_list *list,
                                 size_t *outside)
{
    map m = {.input = raster, .list = list};
    S2CLR_TRY(s2clr_map_open_anywhere(path, 1, &m.raster));
    s2clr_status status = find_places(&m);
    if (status == S2CLR_OK) status = read_rows(&m, progress);
    s2clr_topk_place_free(m.place);
    s2clr_map_close(&m.raster);
    if (status == S2CLR_OK) *outside = m.outside;
    return status;
}
