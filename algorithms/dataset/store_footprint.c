/* Footprints of patches in WGS 84, longitude first (PROJ through OSR in traditional GIS order). */
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pstore.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"

enum { CORNERS = 4, CLIPPED_MAX = 8 };

typedef struct ring {
    int count;
    double x[CLIPPED_MAX], y[CLIPPED_MAX];
} ring;

void s2clr_footprints_clear(s2clr_footprints *footprints)
{
    if (footprints->way) OCTDestroyCoordinateTransformation(footprints->way);
    s2clr_free(footprints->crs);
    s2clr_free(footprints->short_crs);
    *footprints = (s2clr_footprints){0};
}

/* "EPSG:32630" when the CRS says that of itself and it is true. */
static s2clr_status shorten(OGRSpatialReferenceH srs, const char *text, char **out)
{
    char code[64];
    const char *authority = OSRGetAuthorityName(srs, NULL),
               *number = OSRGetAuthorityCode(srs, NULL);
    if (!authority || !number || strcmp(authority, "EPSG") != 0) return s2clr_strdup(text, out);
    snprintf(code, sizeof code, "EPSG:%.40s", number);
    OGRSpatialReferenceH same = s2clr_srs_of(code);
    const bool is = same && OSRIsSame(srs, same);
    if (same) OSRDestroySpatialReference(same);
    return s2clr_strdup(is ? code : text, out);
}

static s2clr_status set_crs(s2clr_footprints *footprints, const char *name, const char *crs)
{
    s2clr_gdal_watch watch;
    s2clr_footprints_clear(footprints);
    s2clr_status status = s2clr_strdup(crs, &footprints->crs);
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH from = s2clr_srs_of(crs), to = s2clr_srs_of("EPSG:4326");
    if (from && to) footprints->way = OCTNewCoordinateTransformation(from, to);
    if (status == S2CLR_OK && footprints->way) status = shorten(from, crs, &footprints->short_crs);
    if (from) OSRDestroySpatialReference(from);
    if (to) OSRDestroySpatialReference(to);
    s2clr_gdal_watch_end(&watch);
    if (status == S2CLR_OK && !footprints->way)
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "patch '%.80s': its CRS '%.80s' is not one that leads to WGS 84 "
                                 "(%.200s); wanted: EPSG:NUMBER, WKT or a PROJ text",
                                 name, crs, watch.text);
    if (status != S2CLR_OK) s2clr_footprints_clear(footprints);
    return status;
}

s2clr_status s2clr_footprints_corners(s2clr_footprints *footprints, const char *name,
                                      const char *crs, const double transform[6], int width,
                                      int height, double longitude[4], double latitude[4])
{
    static const int column[CORNERS] = {0, 1, 1, 0}, row[CORNERS] = {0, 0, 1, 1};
    const double *t = transform;
    double x[CORNERS], y[CORNERS];
    s2clr_gdal_watch watch;
    if (!footprints->crs || strcmp(footprints->crs, crs) != 0)
        S2CLR_TRY(set_crs(footprints, name, crs));
    for (int i = 0; i < CORNERS; i++) {
        const double px = column[i] * width, py = row[i] * height;
        x[i] = t[0] + px * t[1] + py * t[2];
        y[i] = t[3] + px * t[4] + py * t[5];
    }
    s2clr_gdal_watch_begin(&watch);
    bool good = OCTTransform(footprints->way, CORNERS, x, y, NULL) != 0;
    s2clr_gdal_watch_end(&watch);
    for (int i = 0; i < CORNERS; i++) good = good && fabs(x[i]) <= 540 && fabs(y[i]) <= 90;
    if (!good)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "patch '%.80s': a corner (geotransform %g %g %g %g %g %g, %.60s) "
                               "has no place on the globe; wanted: coordinates within the CRS",
                               name, t[0], t[1], t[2], t[3], t[4], t[5], crs);
    for (int i = 0; i < CORNERS; i++) {
        longitude[i] = x[i] - 360 * nearbyint((x[i] - x[0]) / 360);
        latitude[i] = y[i];
    }
    return S2CLR_OK;
}

/* The part of a convex ring on one side of a meridian (Sutherland and Hodgman, 1974). */
static ring clip(const ring *from, double meridian, double side)
{
    ring to = {0};
    for (int i = 0; i < from->count; i++) {
        const int j = (i + 1) % from->count;
        const double a = side * (from->x[i] - meridian), b = side * (from->x[j] - meridian);
        if (a >= 0 && to.count < CLIPPED_MAX) {
            to.x[to.count] = from->x[i];
            to.y[to.count++] = from->y[i];
        }
        if (a * b < 0 && to.count < CLIPPED_MAX) {
            to.x[to.count] = meridian;
            to.y[to.count++] = from->y[i] + (from->y[j] - from->y[i]) * (a / (a - b));
        }
    }
    return to;
}

static void add_ring(OGRGeometryH collection, const ring *part, double shift)
{
    if (part->count < 3) return;
    OGRGeometryH polygon = OGR_G_CreateGeometry(wkbPolygon);
    OGRGeometryH line = OGR_G_CreateGeometry(wkbLinearRing);
    for (int i = 0; i <= part->count; i++) {
        const int k = i % part->count;
        OGR_G_AddPoint_2D(line, part->x[k] + shift, part->y[k]);
    }
    OGR_G_AddGeometryDirectly(polygon, line);
    OGR_G_AddGeometryDirectly(collection, polygon);
}

OGRGeometryH s2clr_footprint_polygon(const double longitude[4], const double latitude[4])
{
    ring whole = {.count = CORNERS};
    double low = longitude[0], high = longitude[0];
    OGRGeometryH collection = OGR_G_CreateGeometry(wkbMultiPolygon);
    if (!collection) return NULL;
    for (int i = 0; i < CORNERS; i++) {
        whole.x[i] = longitude[i];
        whole.y[i] = latitude[i];
        low = fmin(low, longitude[i]);
        high = fmax(high, longitude[i]);
    }
    const double edge = high > 180 ? 180 : -180;
    if (high <= 180 && low >= -180) {
        add_ring(collection, &whole, 0);
    } else {
        const ring west = clip(&whole, edge, -1), east = clip(&whole, edge, 1);
        add_ring(collection, &west, edge < 0 ? 360 : 0);
        add_ring(collection, &east, edge > 0 ? -360 : 0);
    }
    return collection;
}
