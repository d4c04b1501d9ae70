#include "predict/map_raster.h"

#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/gdal_watch.h"

static s2clr_status find_band(s2clr_map *map)
{
    const int bands = GDALGetRasterCount(map->dataset);
    int scaled = FALSE, shifted = FALSE;
    if (bands < 1)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: has no raster band to be a map; name the one of its "
                               "subdatasets that is: gdalinfo",
                               map->path);
    if (map->number < 1 || map->number > bands)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: has no band %d; wanted: a number from 1 to %d", map->path,
                               map->number, bands);
    map->band = GDALGetRasterBand(map->dataset, map->number);
    const double scale = GDALGetRasterScale(map->band, &scaled);
    const double offset = GDALGetRasterOffset(map->band, &shifted);
    map->scale = scaled ? scale : 1;
    map->offset = shifted ? offset : 0;
    if (!(GDALGetMaskFlags(map->band) & GMF_ALL_VALID)) map->mask = GDALGetMaskBand(map->band);
    if (GDALDataTypeIsComplex(GDALGetRasterDataType(map->band)))
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: band %d holds complex numbers; wanted: probabilities or "
                               "classes",
                               map->path, map->number);
    return S2CLR_OK;
}

static s2clr_status find_place(s2clr_map *map)
{
    if (GDALGetGeoTransform(map->dataset, map->transform) != CE_None ||
        !GDALInvGeoTransform(map->transform, map->inverse))
        return s2clr_error_set(
            S2CLR_ERR_FORMAT,
            "%s: has no geotransform, so nobody knows where its pixels lie; give "
            "it one: gdal_edit.py -a_ullr, or gdalwarp when it has control "
            "points",
            map->path);
    OGRSpatialReferenceH own = GDALGetSpatialRef(map->dataset);
    if (!own)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: does not say its CRS; give it one: gdal_edit.py -a_srs "
                               "EPSG:NUMBER",
                               map->path);
    map->crs = OSRClone(own);
    if (!map->crs) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for its CRS", map->path);
    OSRSetAxisMappingStrategy(map->crs, OAMS_TRADITIONAL_GIS_ORDER);
    map->geographic = OSRIsGeographic(map->crs) != 0;
    return S2CLR_OK;
}

static s2clr_status open_dataset(s2clr_map *map, bool anywhere)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    map->dataset = GDALOpenEx(map->path, GDAL_OF_RASTER | GDAL_OF_READONLY, NULL, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!map->dataset)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot be opened as a raster (%.400s); wanted: a map",
                               map->path, watch.text);
    map->width = GDALGetRasterXSize(map->dataset);
    map->height = GDALGetRasterYSize(map->dataset);
    S2CLR_TRY(find_band(map));
    const s2clr_status status = find_place(map);
    if (status == S2CLR_OK || !anywhere) return status;
    s2clr_error_clear();
    return S2CLR_OK;
}

static s2clr_status open_map(const char *path, int band, bool anywhere, s2clr_map *out)
{
    s2clr_map map = {.number = band};
    S2CLR_TRY(s2clr_strdup(path, &map.path));
    const s2clr_status status = open_dataset(&map, anywhere);
    if (status == S2CLR_OK)
        *out = map;
    else
        s2clr_map_close(&map);
    return status;
}

s2clr_status s2clr_map_open(const char *path, int band, s2clr_map *out)
{
    return open_map(path, band, false, out);
}

s2clr_status s2clr_map_open_anywhere(const char *path, int band, s2clr_map *out)
{
    return open_map(path, band, true, out);
}

/* In a COG they stand in the default domain. */
const char *s2clr_map_tag(const s2clr_map *map, const char *name)
{
    char other[64];
    const char *value = GDALGetMetadataItem(map->dataset, name, "S2CLR");
    snprintf(other, sizeof other, "S2CLR_%s", name);
    return value ? value : GDALGetMetadataItem(map->dataset, other, NULL);
}

const char *s2clr_map_positive(const s2clr_map *map)
{
    const char *own = GDALGetDescription(map->band), *tag = s2clr_map_tag(map, "POSITIVE");
    if (*own && strcmp(own, "probability") != 0) return own;
    return tag ? tag : own;
}

double s2clr_map_threshold(const s2clr_map *map, const char **from)
{
    const char *text = s2clr_map_tag(map, "THRESHOLD");
    const double own = text ? CPLAtof(text) : NAN;
    const bool has_own = own > 0 && own < 1;
    if (from) *from = has_own ? "of the map's model" : "one half";
    return has_own ? own : 0.5;
}

void s2clr_map_close(s2clr_map *map)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    if (map->crs) OSRDestroySpatialReference(map->crs);
    if (map->dataset) GDALClose(map->dataset);
    s2clr_gdal_watch_end(&watch);
    s2clr_free(map->valid);
    s2clr_free(map->path);
    *map = (s2clr_map){0};
}

static s2clr_status make_room(s2clr_map *map, size_t count)
{
    uint8_t *valid;
    if (count <= map->valid_room) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(count, sizeof *valid, "mask of a map", (void **)&valid));
    s2clr_free(map->valid);
    map->valid = valid;
    map->valid_room = count;
    return S2CLR_OK;
}

s2clr_status s2clr_map_read(s2clr_map *map, int column, int row, int columns, int rows,
                            double *values)
{
    size_t count;
    s2clr_gdal_watch watch;
    S2CLR_TRY(s2clr_size_mul((size_t)columns, (size_t)rows, &count));
    if (map->mask) S2CLR_TRY(make_room(map, count));
    s2clr_gdal_watch_begin(&watch);
    CPLErr got = GDALRasterIO(map->band, GF_Read, column, row, columns, rows, values, columns, rows,
                              GDT_Float64, 0, 0);
    if (got == CE_None && map->mask)
        got = GDALRasterIO(map->mask, GF_Read, column, row, columns, rows, map->valid, columns,
                           rows, GDT_Byte, 0, 0);
    s2clr_gdal_watch_end(&watch);
    if (got != CE_None || watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: band %d cannot be read at column %d, row %d: %.400s", map->path,
                               map->number, column, row, watch.text);
    for (size_t i = 0; i < count; i++) {
        const bool there = isfinite(values[i]) && (!map->mask || map->valid[i]);
        values[i] = there ? values[i] * map->scale + map->offset : NAN;
    }
    return S2CLR_OK;
}

bool s2clr_map_probability(double *value)
{
    const double slack = 1e-6;
    if (!(*value >= -slack && *value <= 1 + slack)) return false;
    *value = fmin(fmax(*value, 0), 1);
    return true;
}

/* ---- areas ---- */

/* Area of the ellipsoid between the equator and a latitude, per radian of longitude, over b^2 / 2;
 * Snyder, "Map projections: a working manual" (1987), equation 3-12 with b^2 = a^2 (1 - e^2). */
static double zone(double eccentricity, double latitude)
{
    const double e = eccentricity, s = sin(latitude);
    if (e < 1e-9) return 2 * s;
    return s / (1 - e * e * s * s) + log((1 + e * s) / (1 - e * s)) / (2 * e);
}

static bool ellipsoid_of(OGRSpatialReferenceH crs, double *minor, double *eccentricity)
{
    OGRErr a_error, f_error;
    const double a = OSRGetSemiMajor(crs, &a_error), inverse = OSRGetInvFlattening(crs, &f_error);
    const double f = inverse > 0 ? 1 / inverse : 0;
    if (a_error != OGRERR_NONE || f_error != OGRERR_NONE || !(a > 0) || !(f < 1)) return false;
    *minor = a * (1 - f);
    *eccentricity = sqrt(f * (2 - f));
    return true;
}

static s2clr_status graticule_area(const s2clr_map *map, int row, double *out)
{
    const double *t = map->transform, turn = acos(-1), unit = OSRGetAngularUnits(map->crs, NULL);
    double b, e;
    if (t[2] != 0 || t[4] != 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: its grid is turned against the meridians of its geographic "
                               "CRS; turn it: gdalwarp -r near",
                               map->path);
    const double top = (t[3] + row * t[5]) * unit, bottom = (t[3] + (row + 1) * t[5]) * unit;
    const double most = fmax(fabs(top), fabs(bottom));
    if (!ellipsoid_of(map->crs, &b, &e) || !(unit > 0) || !(most <= turn / 2 * (1 + 1e-9)))
        return s2clr_error_set(
            S2CLR_ERR_FORMAT,
            "%s: row %d reaches the latitude %.10g degrees; wanted: a map on the "
            "Earth; correct it: gdal_edit.py -a_ullr",
            map->path, row, most * 180 / turn);
    *out = b * b / 2 * fabs(t[1] * unit) * fabs(zone(e, top) - zone(e, bottom));
    return S2CLR_OK;
}

s2clr_status s2clr_map_row_area(const s2clr_map *map, int row, double *out)
{
    const double *t = map->transform;
    if (map->geographic) return graticule_area(map, row, out);
    const double unit = OSRGetLinearUnits(map->crs, NULL);
    const double area = fabs(t[1] * t[5] - t[2] * t[4]) * unit * unit;
    if (!(area > 0) || !isfinite(area))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: a pixel has the area %g m2; wanted: a CRS with a unit of "
                               "length",
                               map->path, area);
    *out = area;
    return S2CLR_OK;
}

/* The quadrilateral of the middle pixel, made as large as a kilometre so that its area keeps its
 * digits, on the sphere of latitudes of equal area: x = longitude, y = zone(latitude). */
static double true_area(const s2clr_map *map, OGRSpatialReferenceH geographic,
                        OGRCoordinateTransformationH way)
{
    static const double cx[] = {0, 1, 1, 0}, cy[] = {0, 0, 1, 1};
    const double *t = map->transform, linear = OSRGetLinearUnits(map->crs, NULL);
    const double pixel = sqrt(fabs(t[1] * t[5] - t[2] * t[4])) * linear;
    const double n = pixel > 0 && pixel < 1000 ? 1000 / pixel : 1;
    double x[4], y[4], b, e, sum = 0;
    for (int i = 0; i < 4; i++) {
        const double c = map->width / 2.0 + n * (cx[i] - 0.5);
        const double r = map->height / 2.0 + n * (cy[i] - 0.5);
        x[i] = t[0] + c * t[1] + r * t[2];
        y[i] = t[3] + c * t[4] + r * t[5];
    }
    if (!OCTTransform(way, 4, x, y, NULL) || !ellipsoid_of(map->crs, &b, &e)) return NAN;
    const double unit = OSRGetAngularUnits(geographic, NULL), turn = 2 * acos(-1);
    for (int i = 0; i < 4; i++) {
        x[i] *= unit;
        y[i] = zone(e, y[i] * unit);
    }
    for (int i = 0; i < 4; i++) {
        const int k = (i + 1) % 4;
        sum += remainder(x[i] - x[0], turn) * y[k] - remainder(x[k] - x[0], turn) * y[i];
    }
    return fabs(sum) / 2 * b * b / 2 / (n * n * pixel * pixel);
}

double s2clr_map_true_area(const s2clr_map *map)
{
    double ratio = NAN;
    s2clr_gdal_watch watch;
    if (map->geographic) return 1;
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH geographic = OSRCloneGeogCS(map->crs);
    if (geographic) {
        OSRSetAxisMappingStrategy(geographic, OAMS_TRADITIONAL_GIS_ORDER);
        OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(map->crs, geographic);
        if (way) ratio = true_area(map, geographic, way);
        if (way) OCTDestroyCoordinateTransformation(way);
        OSRDestroySpatialReference(geographic);
    }
    s2clr_gdal_watch_end(&watch);
    return isfinite(ratio) && ratio > 0 ? ratio : NAN;
}
