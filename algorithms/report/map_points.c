/* The values of a map beneath points. */
#include "report/map_points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "predict/map_raster.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"

const char *s2clr_point_state_text(s2clr_point_state state)
{
    static const char *const texts[] = {
        [S2CLR_POINT_HERE] = "on the map",
        [S2CLR_POINT_NODATA] = "on nodata",
        [S2CLR_POINT_OFF_MAP] = "off the map",
        [S2CLR_POINT_PLACELESS] = "not within the map's projection",
    };
    return texts[state];
}

/* ---- the way to the map ---- */

static s2clr_status find_way(const s2clr_map *map, const char *crs,
                             OGRCoordinateTransformationH *out)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH from = s2clr_srs_of(crs);
    OGRCoordinateTransformationH way = from ? OCTNewCoordinateTransformation(from, map->crs) : NULL;
    if (from) OSRDestroySpatialReference(from);
    s2clr_gdal_watch_end(&watch);
    if (!way)
        return s2clr_error_set(
            S2CLR_ERR_MISMATCH,
            "%s: the points' CRS '%.80s' does not lead to that of the map: %.300s", map->path, crs,
            watch.text);
    *out = way;
    return S2CLR_OK;
}

/* Longitudes are taken around the Earth to the map: 190 is -170. */
static double nearest_turn(const s2clr_map *map, double x)
{
    if (!map->geographic) return x;
    const double turn = 2 * acos(-1) / OSRGetAngularUnits(map->crs, NULL);
    const double *t = map->transform;
    const double middle = t[0] + map->width / 2.0 * t[1] + map->height / 2.0 * t[2];
    return x - turn * nearbyint((x - middle) / turn);
}

static void locate(const s2clr_map *map, OGRCoordinateTransformationH way, const double at[2],
                   s2clr_map_value *out)
{
    const double *inverse = map->inverse;
    double x = at[0], y = at[1];
    int good = FALSE;
    *out = (s2clr_map_value){NAN, -1, -1, S2CLR_POINT_PLACELESS};
    if (!isfinite(x) || !isfinite(y)) return;
    if (!OCTTransformEx(way, 1, &x, &y, NULL, &good) || !good || !isfinite(x) || !isfinite(y))
        return;
    x = nearest_turn(map, x);
    const double column = floor(inverse[0] + inverse[1] * x + inverse[2] * y);
    const double row = floor(inverse[3] + inverse[4] * x + inverse[5] * y);
    out->state = S2CLR_POINT_OFF_MAP;
    if (!(column >= 0 && column < map->width && row >= 0 && row < map->height)) return;
    out->column = (int)column;
    out->row = (int)row;
    out->state = S2CLR_POINT_NODATA; /* until a value is read */
}

/* ---- reading, block by block ---- */

typedef struct stop {
    int block_y, block_x, row, column;
    size_t point;
} stop;

static int by_block(const void *a, const void *b)
{
    const stop *p = a, *q = b;
    if (p->block_y != q->block_y) return p->block_y < q->block_y ? -1 : 1;
    if (p->block_x != q->block_x) return p->block_x < q->block_x ? -1 : 1;
    if (p->row != q->row) return p->row < q->row ? -1 : 1;
    if (p->column != q->column) return p->column < q->column ? -1 : 1;
    return p->point < q->point ? -1 : p->point > q->point;
}

static s2clr_status read_stops(s2clr_map *map, stop *stops, size_t count, s2clr_map_value *out)
{
    qsort(stops, count, sizeof *stops, by_block);
    for (size_t i = 0; i < count; i++) {
        s2clr_map_value *to = &out[stops[i].point];
        S2CLR_TRY(s2clr_map_read(map, to->column, to->row, 1, 1, &to->value));
        if (!isnan(to->value)) to->state = S2CLR_POINT_HERE;
    }
    return S2CLR_OK;
}

static s2clr_status read_values(s2clr_map *map, size_t count, s2clr_map_value *out)
{
    stop *stops;
    size_t used = 0;
    int block_w, block_h;
    GDALGetBlockSize(map->band, &block_w, &block_h);
    S2CLR_TRY(s2clr_alloc(count, sizeof *stops, "points", (void **)&stops));
    for (size_t i = 0; i < count; i++)
        if (out[i].state == S2CLR_POINT_NODATA)
            stops[used++] =
                (stop){out[i].row / block_h, out[i].column / block_w, out[i].row, out[i].column, i};
    const s2clr_status status = read_stops(map, stops, used, out);
    s2clr_free(stops);
    return status;
}

static s2clr_status sample(s2clr_map *map, const char *crs, const double (*at)[2], size_t count,
                           s2clr_map_value *found)
{
    OGRCoordinateTransformationH way;
    s2clr_gdal_watch watch; /* points beyond a projection are counted, not told of one by one */
    S2CLR_TRY(find_way(map, crs, &way));
    s2clr_gdal_watch_begin(&watch);
    for (size_t i = 0; i < count; i++) locate(map, way, at[i], &found[i]);
    OCTDestroyCoordinateTransformation(way);
    s2clr_gdal_watch_end(&watch);
    return read_values(map, count, found);
}

s2clr_status s2clr_map_points(const char *path, int band, const char *crs, const double (*at)[2],
                              size_t count, s2clr_map_value *out)
{
    s2clr_map map;
    s2clr_map_value *found;
    S2CLR_TRY(s2clr_alloc(count, sizeof *found, "values of a map", (void **)&found));
    s2clr_status status = s2clr_map_open(path, band, &map);
    if (status == S2CLR_OK) {
        status = sample(&map, crs, at, count, found);
        s2clr_map_close(&map);
    }
    if (status == S2CLR_OK && count) memcpy(out, found, count * sizeof *found);
    s2clr_free(found);
    return status;
}
