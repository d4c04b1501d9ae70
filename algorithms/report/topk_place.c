#include "report/topk_place.h"

#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/gdal_watch.h"

struct s2clr_topk_place {
    double from[6], to[6]; /* pixels to CRS, CRS to pixels (not used for degrees) */
    bool degrees;
    OGRCoordinateTransformationH way; /* NULL: both CRS are one */
};

static OGRSpatialReferenceH srs_of(const char *wkt)
{
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    const OGRErr error = wkt ? OSRSetFromUserInput(srs, wkt) : OSRImportFromEPSG(srs, 4326);
    if (error != OGRERR_NONE) {
        OSRDestroySpatialReference(srs);
        return NULL;
    }
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    return srs;
}

static s2clr_status find_way(const char *wkt, const char *to_wkt, OGRCoordinateTransformationH *out)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH from = srs_of(wkt), to = srs_of(to_wkt);
    const bool same = from && to && to_wkt && OSRIsSame(from, to);
    *out = from && to && !same ? OCTNewCoordinateTransformation(from, to) : NULL;
    if (from) OSRDestroySpatialReference(from);
    if (to) OSRDestroySpatialReference(to);
    s2clr_gdal_watch_end(&watch);
    if (same || *out) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "no way from the CRS %.80s to %.80s: %s; correct the raster's CRS: "
                           "gdal_edit.py -a_srs EPSG:NUMBER",
                           wkt, to_wkt ? to_wkt : "WGS 84", watch.text);
}

s2clr_status s2clr_topk_place_new(const double transform[6], const char *wkt,
                                  const double *to_transform, const char *to_wkt,
                                  s2clr_topk_place **out)
{
    s2clr_topk_place *place;
    double to[6] = {0, 1, 0, 0, 0, 1}, inverse[6];
    OGRCoordinateTransformationH way;
    if (to_transform) memcpy(to, to_transform, sizeof to);
    if (!GDALInvGeoTransform(to, inverse))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "the geotransform %g %g %g %g %g %g has pixels without extent",
                               to[0], to[1], to[2], to[3], to[4], to[5]);
    S2CLR_TRY(find_way(wkt, to_wkt, &way));
    const s2clr_status status = s2clr_alloc(1, sizeof *place, "coordinates", (void **)&place);
    if (status != S2CLR_OK) {
        if (way) OCTDestroyCoordinateTransformation(way);
        return status;
    }
    memcpy(place->from, transform, sizeof place->from);
    memcpy(place->to, inverse, sizeof place->to);
    place->degrees = !to_wkt;
    place->way = way;
    *out = place;
    return S2CLR_OK;
}

void s2clr_topk_place_free(s2clr_topk_place *place)
{
    if (!place) return;
    if (place->way) OCTDestroyCoordinateTransformation(place->way);
    s2clr_free(place);
}

bool s2clr_topk_place_move(const s2clr_topk_place *place, double column, double row, double *x,
                           double *y)
{
    double px, py;
    s2clr_gdal_watch watch;
    GDALApplyGeoTransform((double *)place->from, column, row, &px, &py);
    s2clr_gdal_watch_begin(&watch);
    const bool found = !place->way || OCTTransform(place->way, 1, &px, &py, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!found || !isfinite(px) || !isfinite(py)) return false;
    if (place->degrees) {
        if (fabs(py) > 90) return false;
        px -= 360 * floor((px + 180) / 360); /* the west of the antimeridian is -180 */
    } else {
        GDALApplyGeoTransform((double *)place->to, px, py, &px, &py);
    }
    *x = px;
    *y = py;
    return true;
}
