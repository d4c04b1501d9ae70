/* Where labels and patches lie: PROJ through OSR, x = longitude or easting everywhere. */
#include <cpl_conv.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "labels/plabels.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"

/* Points per edge of a patch when its box is sought: the bulge of 1/16 of an edge is 1/256 of that
 * of the edge. */
enum { EDGE = 16 };
#define BOX_MARGIN 0.002 /* of the box, for what the bulge leaves */

/* A straight line of 500 m in a projected CRS is off by about a centimetre in degrees; a polygon
 * is cut into at most PIECES along its longer side, so that a continent stays small. */
#define PIECE_METRES 500.0
#define PIECES 4096

/* ---- ways ---- */

static void forget(s2clr_ways *ways, int slot)
{
    if (ways->kept[slot].there) OCTDestroyCoordinateTransformation(ways->kept[slot].there);
    if (ways->kept[slot].back) OCTDestroyCoordinateTransformation(ways->kept[slot].back);
    s2clr_free(ways->kept[slot].crs);
    memset(&ways->kept[slot], 0, sizeof ways->kept[slot]);
}

void s2clr_ways_clear(s2clr_ways *ways)
{
    for (int i = 0; i < S2CLR_WAYS_KEPT; i++) forget(ways, i);
    if (ways->target) OSRDestroySpatialReference(ways->target);
    *ways = (s2clr_ways){0};
}

static s2clr_status learn(s2clr_ways *ways, const char *crs, int *out)
{
    const int slot = ways->next;
    s2clr_gdal_watch watch;
    forget(ways, slot);
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH from = s2clr_srs_of(crs);
    if (from) {
        ways->kept[slot].there = OCTNewCoordinateTransformation(from, ways->target);
        ways->kept[slot].back = OCTNewCoordinateTransformation(ways->target, from);
        if (OSRIsGeographic(from))
            ways->kept[slot].turn = 2 * acos(-1) / OSRGetAngularUnits(from, NULL);
        OSRDestroySpatialReference(from);
    }
    s2clr_gdal_watch_end(&watch);
    s2clr_status status = S2CLR_OK;
    if (!ways->kept[slot].there || !ways->kept[slot].back)
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "the patch's CRS '%.80s' is not one that leads to that of the "
                                 "labels (%.200s); wanted: EPSG:NUMBER, WKT or a PROJ text",
                                 crs, from ? watch.text : "not understood");
    if (status == S2CLR_OK) status = s2clr_strdup(crs, &ways->kept[slot].crs);
    if (status != S2CLR_OK) {
        forget(ways, slot);
        return status;
    }
    ways->next = (slot + 1) % S2CLR_WAYS_KEPT;
    *out = slot;
    return S2CLR_OK;
}

/* ---- frames ---- */

/* Points along the four edges, in the patch's CRS. */
static void edges(const s2clr_frame *frame, double *x, double *y)
{
    static const double column[] = {0, 1, 1, 0, 0}, row[] = {0, 0, 1, 1, 0};
    const double *t = frame->transform;
    for (int i = 0; i < 4 * EDGE; i++) {
        const int side = i / EDGE;
        const double f = (double)(i % EDGE) / EDGE;
        const double c = frame->width * (column[side] + f * (column[side + 1] - column[side]));
        const double r = frame->height * (row[side] + f * (row[side + 1] - row[side]));
        x[i] = t[0] + c * t[1] + r * t[2];
        y[i] = t[3] + c * t[4] + r * t[5];
    }
}

/* In degrees the box goes on beyond 180 where the patch does. */
static bool find_box(const s2clr_ways *ways, s2clr_frame *frame)
{
    double x[4 * EDGE], y[4 * EDGE];
    edges(frame, x, y);
    if (!OCTTransform(frame->there, 4 * EDGE, x, y, NULL)) return false;
    const bool degrees = OSRIsGeographic(ways->target);
    double *box = frame->box;
    const double start = degrees ? remainder(x[0], 360) - x[0] : 0;
    box[0] = box[1] = INFINITY;
    box[2] = box[3] = -INFINITY;
    for (int i = 0; i < 4 * EDGE; i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]) || (degrees && fabs(y[i]) > 90)) return false;
        if (degrees) x[i] -= 360 * nearbyint((x[i] - x[0]) / 360);
        box[0] = fmin(box[0], x[i] + start);
        box[1] = fmin(box[1], y[i]);
        box[2] = fmax(box[2], x[i] + start);
        box[3] = fmax(box[3], y[i]);
    }
    const double more_x = BOX_MARGIN * (box[2] - box[0]), more_y = BOX_MARGIN * (box[3] - box[1]);
    box[0] -= more_x, box[2] += more_x;
    box[1] -= more_y, box[3] += more_y;
    return true;
}

static bool invert(s2clr_frame *frame)
{
    for (int i = 0; i < 6; i++)
        if (!isfinite(frame->transform[i])) return false;
    return frame->width > 0 && frame->height > 0 &&
           GDALInvGeoTransform(frame->transform, frame->inverse);
}

s2clr_status s2clr_frame_make(s2clr_ways *ways, const char *crs, const double transform[6],
                              int width, int height, s2clr_frame *out)
{
    s2clr_frame frame = {.width = width, .height = height};
    s2clr_gdal_watch watch;
    int slot = 0;
    memcpy(frame.transform, transform, sizeof frame.transform);
    if (!crs || !*crs)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the patch has no CRS, so labels cannot be brought to it; give its "
                               "raster one: gdal_edit.py -a_srs EPSG:NUMBER");
    while (slot < S2CLR_WAYS_KEPT && (!ways->kept[slot].crs || strcmp(ways->kept[slot].crs, crs)))
        slot++;
    if (slot == S2CLR_WAYS_KEPT) S2CLR_TRY(learn(ways, crs, &slot));
    frame.there = ways->kept[slot].there;
    frame.back = ways->kept[slot].back;
    frame.turn = ways->kept[slot].turn;
    frame.middle = transform[0] + width / 2.0 * transform[1] + height / 2.0 * transform[2];
    s2clr_gdal_watch_begin(&watch);
    const bool good = invert(&frame) && find_box(ways, &frame);
    s2clr_gdal_watch_end(&watch);
    if (!good)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "a patch of %d x %d pixels with the geotransform %g %g %g %g %g %g "
                               "has no place in %.60s; wanted: an area within the CRS",
                               width, height, transform[0], transform[1], transform[2],
                               transform[3], transform[4], transform[5], crs);
    *out = frame;
    return S2CLR_OK;
}

bool s2clr_frame_to_pixels(const s2clr_frame *frame, int count, double *x, double *y)
{
    const double *inverse = frame->inverse;
    if (!OCTTransform(frame->back, count, x, y, NULL)) return false;
    for (int i = 0; i < count; i++) {
        const double away = frame->turn > 0 ? nearbyint((x[i] - frame->middle) / frame->turn) : 0;
        const double geo_x = x[i] - away * frame->turn, geo_y = y[i];
        x[i] = inverse[0] + inverse[1] * geo_x + inverse[2] * geo_y;
        y[i] = inverse[3] + inverse[4] * geo_x + inverse[5] * geo_y;
        if (!isfinite(x[i]) || !isfinite(y[i])) return false;
    }
    return true;
}

bool s2clr_frame_holds(const s2clr_frame *frame, double column, double row)
{
    return column >= 0 && column < frame->width && row >= 0 && row < frame->height;
}

/* ---- geometries ---- */

/* An edge of more than half the world is taken to cross the antimeridian, unless the ring then
 * does not close (it goes around a pole) or has no width (the edge of a map of the world). */
static void make_continuous(OGRGeometryH line)
{
    const int count = OGR_G_GetPointCount(line);
    double shift = 0, low = INFINITY, high = -INFINITY, last = 0;
    bool crosses = false;
    for (int i = 0; i < count; i++) {
        const double x = OGR_G_GetX(line, i);
        if (i > 0 && fabs(x - last) > 180) {
            shift += x > last ? -360 : 360;
            crosses = true;
        }
        low = fmin(low, x + shift);
        high = fmax(high, x + shift);
        last = x;
    }
    if (!crosses || fabs(shift) > 0 || !(high - low > 0)) return;
    for (int i = 0; i < count; i++) {
        const double x = OGR_G_GetX(line, i);
        if (i > 0 && fabs(x - last) > 180) shift += x > last ? -360 : 360;
        OGR_G_SetPoint_2D(line, i, x + shift, OGR_G_GetY(line, i));
        last = x;
    }
}

/* False when a point does not lie on the globe. */
static bool settle(OGRGeometryH geometry)
{
    const int parts = OGR_G_GetGeometryCount(geometry), points = OGR_G_GetPointCount(geometry);
    for (int i = 0; i < parts; i++)
        if (!settle(OGR_G_GetGeometryRef(geometry, i))) return false;
    if (parts > 0) return true;
    for (int i = 0; i < points; i++) {
        const double x = OGR_G_GetX(geometry, i), y = OGR_G_GetY(geometry, i);
        if (!(fabs(x) <= 540) || !(fabs(y) <= 90)) return false;
    }
    if (points > 1) make_continuous(geometry);
    return true;
}

bool s2clr_geometry_to_world(OGRGeometryH geometry, OGRCoordinateTransformationH way,
                             double metres_per_unit)
{
    if (metres_per_unit > 0 && OGR_G_GetDimension(geometry) == 2) {
        OGREnvelope box;
        OGR_G_GetEnvelope(geometry, &box);
        const double side = fmax(box.MaxX - box.MinX, box.MaxY - box.MinY);
        if (!isfinite(side)) return false;
        const double piece = fmax(PIECE_METRES / metres_per_unit, side / PIECES);
        OGR_G_Segmentize(geometry, piece);
    }
    return OGR_G_Transform(geometry, way) == OGRERR_NONE && settle(geometry);
}
