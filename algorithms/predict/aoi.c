#include "predict/aoi.h"

#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "labels/geos_rectangle.h"
#include "predict/paoi.h"

/* Below this many pixels a side, asking for each is cheaper than cutting further. */
#define LEAF 4

static void complain(const char *message, void *context)
{
    s2clr_aoi *aoi = context;
    snprintf(aoi->reason, sizeof aoi->reason, "%s", message);
}

s2clr_status s2clr_aoi_open(const char *path, const char *wkt, const double transform[6],
                            int columns, int rows, s2clr_aoi **out)
{
    s2clr_aoi *aoi;
    s2clr_aoi_frame frame = {.wkt = wkt, .columns = columns, .rows = rows};
    memcpy(frame.transform, transform, sizeof frame.transform);
    if (!GDALInvGeoTransform(frame.transform, frame.inverse))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: the raster's geotransform cannot be inverted", path);
    S2CLR_TRY(s2clr_alloc(1, sizeof *aoi, "area of interest", (void **)&aoi));
    snprintf(aoi->path, sizeof aoi->path, "%s", path);
    aoi->geos = GEOS_init_r();
    GEOSContext_setErrorMessageHandler_r(aoi->geos, complain, aoi);
    s2clr_status status = s2clr_aoi_load(aoi, path, &frame, &aoi->area);
    if (status == S2CLR_OK) {
        aoi->prepared = GEOSPrepare_r(aoi->geos, aoi->area);
        if (!aoi->prepared) status = s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %s", path, aoi->reason);
    }
    if (status != S2CLR_OK) {
        s2clr_aoi_close(aoi);
        return status;
    }
    *out = aoi;
    return S2CLR_OK;
}

void s2clr_aoi_close(s2clr_aoi *aoi)
{
    if (!aoi) return;
    if (aoi->prepared) GEOSPreparedGeom_destroy_r(aoi->geos, aoi->prepared);
    if (aoi->area) GEOSGeom_destroy_r(aoi->geos, aoi->area);
    GEOS_finish_r(aoi->geos);
    s2clr_free(aoi);
}

static bool narrow_axis(double low, double high, int *first, int *count)
{
    const double from = fmax(floor(low), *first), to = fmin(ceil(high), (double)*first + *count);
    if (!(from < to)) return false;
    *first = (int)from;
    *count = (int)(to - from);
    return true;
}

s2clr_status s2clr_aoi_narrow(const s2clr_aoi *aoi, int window[4])
{
    int narrow[4];
    double x0, y0, x1, y1;
    memcpy(narrow, window, sizeof narrow);
    const bool known = GEOSGeom_getXMin_r(aoi->geos, aoi->area, &x0) &&
                       GEOSGeom_getYMin_r(aoi->geos, aoi->area, &y0) &&
                       GEOSGeom_getXMax_r(aoi->geos, aoi->area, &x1) &&
                       GEOSGeom_getYMax_r(aoi->geos, aoi->area, &y1);
    if (!known || !narrow_axis(x0, x1, &narrow[0], &narrow[2]) ||
        !narrow_axis(y0, y1, &narrow[1], &narrow[3]))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: no polygon meets the raster (or the window asked for); check "
                               "the CRS of both",
                               aoi->path);
    memcpy(window, narrow, sizeof narrow);
    return S2CLR_OK;
}

/* ---- asking ---- */

typedef struct question {
    s2clr_aoi *aoi;
    int column, row, columns; /* of the whole mask */
    uint8_t *inside;
    bool any;
} question;

static s2clr_status failed(const s2clr_aoi *aoi)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: asking about a place failed: %s", aoi->path,
                           aoi->reason);
}

static void set(question *q, int column, int row, int columns, int rows)
{
    q->any = true;
    if (!q->inside) return;
    for (int r = row; r < row + rows; r++)
        memset(q->inside + (size_t)(r - q->row) * (size_t)q->columns + (column - q->column), 1,
               (size_t)columns);
}

static s2clr_status ask_points(question *q, int column, int row, int columns, int rows)
{
    GEOSContextHandle_t geos = q->aoi->geos;
    for (int r = row; r < row + rows; r++)
        for (int c = column; c < column + columns; c++) {
            GEOSGeometry *point = GEOSGeom_createPointFromXY_r(geos, c + 0.5, r + 0.5);
            if (!point) return failed(q->aoi);
            const char answer = GEOSPreparedIntersects_r(geos, q->aoi->prepared, point);
            GEOSGeom_destroy_r(geos, point);
            if (answer > 1) return failed(q->aoi);
            if (answer) set(q, c, r, 1, 1);
        }
    return S2CLR_OK;
}

/* Whole rectangles in or out at once; what an edge crosses is quartered. */
static s2clr_status ask(question *q, int column, int row, int columns, int rows)
{
    GEOSContextHandle_t geos = q->aoi->geos;
    if (!q->inside && q->any) return S2CLR_OK;
    if (columns <= LEAF && rows <= LEAF) return ask_points(q, column, row, columns, rows);
    GEOSGeometry *box = s2clr_geos_rectangle(geos, column, row, column + columns, row + rows);
    if (!box) return failed(q->aoi);
    const char meets = GEOSPreparedIntersects_r(geos, q->aoi->prepared, box);
    const char covers = meets == 1 ? GEOSPreparedCovers_r(geos, q->aoi->prepared, box) : 0;
    GEOSGeom_destroy_r(geos, box);
    if (meets > 1 || covers > 1) return failed(q->aoi);
    if (covers) set(q, column, row, columns, rows);
    if (!meets || covers) return S2CLR_OK;
    const int left = columns > 1 ? columns / 2 : columns, top = rows > 1 ? rows / 2 : rows;
    S2CLR_TRY(ask(q, column, row, left, top));
    if (columns > left) S2CLR_TRY(ask(q, column + left, row, columns - left, top));
    if (rows > top) S2CLR_TRY(ask(q, column, row + top, left, rows - top));
    if (columns > left && rows > top)
        S2CLR_TRY(ask(q, column + left, row + top, columns - left, rows - top));
    return S2CLR_OK;
}

s2clr_status s2clr_aoi_mask(s2clr_aoi *aoi, int column, int row, int columns, int rows,
                            uint8_t *inside, bool *any)
{
    question q = {.aoi = aoi, .column = column, .row = row, .columns = columns, .inside = inside};
    if (inside) memset(inside, 0, (size_t)columns * (size_t)rows);
    S2CLR_TRY(ask(&q, column, row, columns, rows));
    *any = q.any;
    return S2CLR_OK;
}
