#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pbigearthnet.h"
#include "sentinel2/bands.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/offset.h"

enum { SIDE = S2CLR_BIGEARTHNET_SIDE, PATH_MAX_BYTES = 4096 };
#define SAME_PLACE 0.5 /* metres */

struct s2clr_bigearthnet_pixels {
    uint16_t dn[S2CLR_BIGEARTHNET_BANDS][SIDE * SIDE]; // (bands, height, width)
    char *crs;
    char *projection; /* of a JSON that is the same as crs: comparing takes long */
};

/* What the first band says all others must. */
typedef struct place {
    bool known;
    double transform[6], dn_offset;
    char path[PATH_MAX_BYTES];
} place;

s2clr_status s2clr_bigearthnet_pixels_new(s2clr_bigearthnet_pixels **out)
{
    return s2clr_alloc(1, sizeof **out, "patch", (void **)out);
}

void s2clr_bigearthnet_pixels_free(s2clr_bigearthnet_pixels *pixels)
{
    if (!pixels) return;
    s2clr_free(pixels->crs);
    s2clr_free(pixels->projection);
    s2clr_free(pixels);
}

/* The corner and, over the whole patch, the pixel size. */
static bool same_extent(const double a[6], int pixels_a, const double b[6], int pixels_b)
{
    return fabs(a[0] - b[0]) <= SAME_PLACE && fabs(a[3] - b[3]) <= SAME_PLACE &&
           fabs(a[1] * pixels_a - b[1] * pixels_b) <= SAME_PLACE &&
           fabs(a[5] * pixels_a - b[5] * pixels_b) <= SAME_PLACE && a[2] == 0 && a[4] == 0;
}

static s2clr_status check_band(GDALDatasetH dataset, const char *path, int side, place *where)
{
    const int width = GDALGetRasterXSize(dataset), height = GDALGetRasterYSize(dataset);
    const int bands = GDALGetRasterCount(dataset);
    double transform[6];
    if (width != side || height != side || bands != 1)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: has %d x %d pixels and %d bands; wanted: %d x %d and 1", path,
                               width, height, bands, side, side);
    const GDALDataType type = GDALGetRasterDataType(GDALGetRasterBand(dataset, 1));
    if (type != GDT_UInt16)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: holds %s values; wanted: UInt16", path,
                               GDALGetDataTypeName(type));
    if (GDALGetGeoTransform(dataset, transform) != CE_None)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: has no georeference", path);
    if (!where->known) {
        where->known = true;
        memcpy(where->transform, transform, sizeof transform);
        snprintf(where->path, sizeof where->path, "%s", path);
        where->transform[1] *= (double)side / SIDE; /* as a 10 m band's */
        where->transform[5] *= (double)side / SIDE;
    }
    if (same_extent(transform, side, where->transform, SIDE)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH, "%s: does not cover the same ground as %s", path,
                           where->path);
}

static s2clr_status set_crs(s2clr_bigearthnet_pixels *pixels, GDALDatasetH dataset,
                            const char *path)
{
    const char *wkt = GDALGetProjectionRef(dataset);
    if (!wkt || !*wkt)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: has no coordinate system", path);
    if (pixels->crs && strcmp(pixels->crs, wkt) == 0) return S2CLR_OK;
    s2clr_free(pixels->crs);
    s2clr_free(pixels->projection);
    pixels->crs = pixels->projection = NULL;
    return s2clr_strdup(wkt, &pixels->crs);
}

/* The archive's patches have none, those that were exported from a store may. */
static s2clr_status check_offset(GDALDatasetH dataset, const char *path, int index, place *where)
{
    bool found;
    double offset = 0;
    S2CLR_TRY(
        s2clr_offset_of_raster(dataset, GDALGetRasterBand(dataset, 1), "", path, &found, &offset));
    if (index == 0) where->dn_offset = offset;
    if (offset == where->dn_offset) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: its DN offset is %g, that of %s is %g; a patch has one", path,
                           offset, where->path, where->dn_offset);
}

static s2clr_status read_open(s2clr_bigearthnet_pixels *pixels, GDALDatasetH dataset,
                              const char *path, int index, int side, place *where)
{
    S2CLR_TRY(check_band(dataset, path, side, where));
    S2CLR_TRY(check_offset(dataset, path, index, where));
    if (index == 0) S2CLR_TRY(set_crs(pixels, dataset, path));
    if (GDALRasterIO(GDALGetRasterBand(dataset, 1), GF_Read, 0, 0, side, side, pixels->dn[index],
                     side, side, GDT_UInt16, 0, 0) == CE_None)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: cannot be decoded", path);
}

static s2clr_status read_band(s2clr_bigearthnet_pixels *pixels, const char *path, int index,
                              int side, place *where)
{
    static const char *const drivers[] = {"GTiff", NULL}, *const no_siblings[] = {NULL};
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset =
        GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, drivers, NULL, no_siblings);
    s2clr_status status = S2CLR_OK;
    if (dataset) {
        status = read_open(pixels, dataset, path, index, side, where);
        GDALClose(dataset);
    }
    s2clr_gdal_watch_end(&watch);
    if (!dataset || (status == S2CLR_OK && watch.failed))
        status = s2clr_error_set(S2CLR_ERR_FORMAT, "%s: missing or not a readable TIFF: %s", path,
                                 watch.text);
    return status;
}

static bool same_crs(const char *a, const char *b)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH x = OSRNewSpatialReference(a), y = OSRNewSpatialReference(b);
    const bool same = x && y && OSRIsSame(x, y);
    OSRDestroySpatialReference(x);
    OSRDestroySpatialReference(y);
    s2clr_gdal_watch_end(&watch);
    return same;
}

static s2clr_status compare_metadata(s2clr_bigearthnet_pixels *pixels, const place *where,
                                     const s2clr_bigearthnet_metadata *metadata)
{
    const double *t = where->transform, *box = metadata->box;
    const double corner[4] = {t[0], t[3], t[0] + SIDE * t[1], t[3] + SIDE * t[5]};
    for (int i = 0; i < 4; i++)
        if (!(fabs(corner[i] - box[i]) <= SAME_PLACE))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: covers %.8g %.8g to %.8g %.8g, its labels file says %.8g "
                                   "%.8g to %.8g %.8g",
                                   where->path, corner[0], corner[1], corner[2], corner[3], box[0],
                                   box[1], box[2], box[3]);
    if (pixels->projection && strcmp(pixels->projection, metadata->projection) == 0)
        return S2CLR_OK;
    if (!same_crs(pixels->crs, metadata->projection))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: its coordinate system is not that of its labels file (%.80s)",
                               where->path, metadata->projection);
    s2clr_free(pixels->projection);
    pixels->projection = NULL;
    return s2clr_strdup(metadata->projection, &pixels->projection);
}

static s2clr_status read_bands(s2clr_bigearthnet_pixels *pixels, const char *folder,
                               const char *name, place *where, s2clr_patch_record *record)
{
    const s2clr_band *bands;
    const size_t count = s2clr_band_list(&bands);
    record->bands = 0;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX_BYTES];
        if (strcmp(bands[i].name, "B10") == 0) continue; /* L2A has none */
        const int index = record->bands, side = SIDE * 10 / bands[i].metres;
        if ((size_t)snprintf(path, sizeof path, "%s/%s_%s.tif", folder, name, bands[i].name) >=
            sizeof path)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s...: name too long; move the folder",
                                   folder);
        S2CLR_TRY(read_band(pixels, path, index, side, where));
        s2clr_patch_band *band = &record->band[record->bands++];
        snprintf(band->name, sizeof band->name, "%s", bands[i].name);
        band->dtype = S2CLR_DTYPE_U16;
        band->height = band->width = side;
        band->data = pixels->dn[index];
    }
    return S2CLR_OK;
}

s2clr_status s2clr_bigearthnet_pixels_read(s2clr_bigearthnet_pixels *pixels, const char *folder,
                                           const char *name,
                                           const s2clr_bigearthnet_metadata *metadata,
                                           s2clr_patch_record *record)
{
    place where = {0};
    S2CLR_TRY(read_bands(pixels, folder, name, &where, record));
    if (metadata) S2CLR_TRY(compare_metadata(pixels, &where, metadata));
    record->dn_offset = where.dn_offset;
    record->has_footprint = true;
    record->crs = pixels->crs;
    memcpy(record->transform, where.transform, sizeof record->transform);
    record->width = record->height = SIDE;
    record->metres = 10;
    return S2CLR_OK;
}
