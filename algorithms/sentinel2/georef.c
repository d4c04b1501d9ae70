#include <geodesic.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>

#include "sentinel2/pstack.h"

#define ASPECT_MAX 1.01 /* CRS units */
#define GROUND_MAX 1.5  /* ground size over card size, either way */
#define GROUND_NOTE 1.01

/* Three points: the centre of the raster and its right and lower neighbours. */
typedef struct corner {
    double x[3], y[3];
} corner;

static corner centre_of(const s2clr_stack_info *info)
{
    const double *t = info->transform, px = info->width / 2.0, py = info->height / 2.0;
    corner c;
    c.x[0] = t[0] + px * t[1] + py * t[2];
    c.y[0] = t[3] + px * t[4] + py * t[5];
    c.x[1] = c.x[0] + t[1], c.y[1] = c.y[0] + t[4];
    c.x[2] = c.x[0] + t[2], c.y[2] = c.y[0] + t[5];
    return c;
}

/* CRS coordinates to degrees, in place. */
static bool to_degrees(OGRSpatialReferenceH crs, corner *c)
{
    bool ok = true;
    OGRSpatialReferenceH geographic = OSRIsGeographic(crs) ? NULL : OSRCloneGeogCS(crs);
    const double unit = OSRGetAngularUnits(geographic ? geographic : crs, NULL) * 180 / acos(-1);
    if (geographic) {
        OSRSetAxisMappingStrategy(geographic, OAMS_TRADITIONAL_GIS_ORDER);
        OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(crs, geographic);
        ok = way && OCTTransform(way, 3, c->x, c->y, NULL);
        if (way) OCTDestroyCoordinateTransformation(way);
        OSRDestroySpatialReference(geographic);
    }
    for (int i = 0; i < 3; i++) {
        c->x[i] *= unit, c->y[i] *= unit;
        if (!isfinite(c->x[i]) || !(fabs(c->y[i]) <= 90)) ok = false;
    }
    return ok;
}

/* Metres from the centre to its neighbours on the ellipsoid; false when the CRS gives no way. */
static bool geodesic_size(OGRSpatialReferenceH crs, corner c, double *x, double *y)
{
    OGRErr a_error, f_error;
    const double a = OSRGetSemiMajor(crs, &a_error), inverse = OSRGetInvFlattening(crs, &f_error);
    struct geod_geodesic ellipsoid;
    double azimuth;
    if (a_error != OGRERR_NONE || f_error != OGRERR_NONE || !(a > 0)) return false;
    if (!to_degrees(crs, &c)) return false;
    geod_init(&ellipsoid, a, inverse > 0 ? 1 / inverse : 0);
    geod_inverse(&ellipsoid, c.y[0], c.x[0], c.y[1], c.x[1], x, &azimuth, &azimuth);
    geod_inverse(&ellipsoid, c.y[0], c.x[0], c.y[2], c.x[2], y, &azimuth, &azimuth);
    return isfinite(*x) && isfinite(*y);
}

/* Ground size of a pixel; a projection that stretches by less than 1 % (UTM) keeps its own units.
 */
static bool ground_size(OGRSpatialReferenceH crs, s2clr_stack_info *info, bool *geographic)
{
    const double *t = info->transform;
    const double unit = OSRGetLinearUnits(crs, NULL);
    const double nominal_x = hypot(t[1], t[4]) * unit, nominal_y = hypot(t[2], t[5]) * unit;
    double x = 0, y = 0;
    *geographic = OSRIsGeographic(crs) != 0;
    const bool measured = geodesic_size(crs, centre_of(info), &x, &y);
    if (*geographic && !measured) return false;
    const bool keep =
        !measured || (fabs(x / nominal_x - 1) < 0.01 && fabs(y / nominal_y - 1) < 0.01);
    info->metres_x = !*geographic && keep ? nominal_x : x;
    info->metres_y = !*geographic && keep ? nominal_y : y;
    return true;
}

static s2clr_status check_shape(const char *input, double metres, const s2clr_stack_info *info)
{
    const double *t = info->transform, x = hypot(t[1], t[4]), y = hypot(t[2], t[5]);
    const double aspect = x > y ? x / y : y / x;
    const double skew = fabs(t[1] * t[2] + t[4] * t[5]) / (x * y);
    if (aspect <= ASPECT_MAX && skew <= ASPECT_MAX - 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: pixels are %.10g x %.10g CRS units%s, expected squares within 1 "
                           "%%; resample first, in "
                           "a CRS in metres: gdalwarp -tr %g %g",
                           input, x, y, aspect <= ASPECT_MAX ? " and sheared" : "", metres, metres);
}

/* "-t_srs EPSG:32631 ": the UTM zone of the raster's centre; "" beyond UTM's 80 S to 84 N. */
static void name_utm(OGRSpatialReferenceH crs, const s2clr_stack_info *info, char out[32])
{
    corner c = centre_of(info);
    out[0] = '\0';
    if (!to_degrees(crs, &c) || c.y[0] < -80 || c.y[0] > 84) return;
    const double east = remainder(c.x[0], 360); /* -180 .. 180 */
    const int zone = (int)floor((east + 180) / 6) % 60 + 1;
    snprintf(out, 32, "-t_srs EPSG:%d ", (c.y[0] < 0 ? 32700 : 32600) + zone);
}

static s2clr_status check_ground(const char *input, double metres, const char *utm, bool geographic,
                                 s2clr_stack_info *info)
{
    const double x = info->metres_x, y = info->metres_y;
    const double low = fmin(x, y) / metres, high = fmax(x, y) / metres;
    if (high > GROUND_MAX || low < 1 / GROUND_MAX)
        return s2clr_error_set(
            S2CLR_ERR_MISMATCH,
            "%s: pixels are %.4g x %.4g m on the ground, the model wants %g m (at most 1.5 times "
            "more or less); resample first: gdalwarp %s-tr %g %g",
            input, x, y, metres, utm, metres, metres);
    if (geographic)
        s2clr_info_warn(info,
                        "%s: geographic CRS, pixels are %.4g x %.4g m on the ground, the model "
                        "wants %g m squares; better: gdalwarp %s-tr %g %g",
                        input, x, y, metres, utm, metres, metres);
    else if (high > GROUND_NOTE || low < 1 / GROUND_NOTE)
        s2clr_info_warn(info, "%s: pixels are %.4g x %.4g m on the ground, the model wants %g m",
                        input, x, y, metres);
    return S2CLR_OK;
}

static s2clr_status measure(const char *input, double metres, s2clr_stack_info *info)
{
    s2clr_gdal_watch watch;
    bool geographic = false;
    char utm[32] = "";
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH crs = OSRNewSpatialReference(info->wkt);
    if (crs) OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    const bool measured = crs && ground_size(crs, info, &geographic);
    if (measured && geographic) name_utm(crs, info, utm);
    OSRDestroySpatialReference(crs);
    s2clr_gdal_watch_end(&watch);
    if (!measured)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: its georeference (origin %.10g, %.10g) does not lie on the "
                               "Earth in its CRS: %s; correct it: gdal_edit.py -a_srs, -a_ullr",
                               input, info->transform[0], info->transform[3], watch.text);
    return check_ground(input, metres, utm, geographic, info);
}

s2clr_status s2clr_stack_ground(const char *input, double card_metres, s2clr_stack_info *info)
{
    info->metres_x = info->metres_y = 0;
    if (!info->has_transform) {
        s2clr_info_warn(info, "%s: no georeference; pixels are taken to be %g m", input,
                        card_metres);
        return S2CLR_OK;
    }
    S2CLR_TRY(check_shape(input, card_metres, info));
    if (info->wkt[0]) return measure(input, card_metres, info);
    s2clr_info_warn(info, "%s: no coordinate reference system; pixels are taken to be %g m", input,
                    card_metres);
    return S2CLR_OK;
}
