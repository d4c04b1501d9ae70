#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "sentinel2/pstack.h"

/* The band's own nodata as a double, whatever its type. Pixels are compared after the same
 * conversion, so 64-bit values match as well. */
static bool own_nodata(GDALRasterBandH band, GDALDataType type, double *out)
{
    int has = FALSE;
#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 5, 0)
    if (type == GDT_Int64) {
        const int64_t value = GDALGetRasterNoDataValueAsInt64(band, &has);
        if (has) *out = (double)value;
        return has != FALSE;
    }
    if (type == GDT_UInt64) {
        const uint64_t value = GDALGetRasterNoDataValueAsUInt64(band, &has);
        if (has) *out = (double)value;
        return has != FALSE;
    }
#endif
    (void)type;
    const double value = GDALGetRasterNoDataValue(band, &has);
    if (has) *out = value;
    return has != FALSE;
}

/* Products name their nodata in the metadata instead of on the bands. */
static bool product_nodata(GDALDatasetH dataset, double *out)
{
    const char *text = GDALGetMetadataItem(dataset, "SPECIAL_VALUE_NODATA", NULL);
    if (!text || strcmp(text, "0") != 0) return false;
    *out = 0;
    return true;
}

static bool fits_float(GDALDataType type)
{
    return GDALGetDataTypeSizeBits(type) <= 16 || type == GDT_Float32;
}

/* A mask beyond nodata: a mask file, a mask band, alpha, or a nodata tuple over all bands. */
static bool needs_mask(GDALRasterBandH band)
{
    const int flags = GDALGetMaskFlags(band);
    return !(flags & GMF_ALL_VALID) && flags != GMF_NODATA;
}

static float to_float(double value)
{
    if (value > FLT_MAX && value < 3.5e38) return FLT_MAX; /* "3.40282347e+38", written rounded */
    if (value < -FLT_MAX && value > -3.5e38) return -FLT_MAX;
    return (float)value;
}

s2clr_status s2clr_plane_open(GDALDatasetH dataset, const char *path, int number,
                              const s2clr_card_level *level, s2clr_plane *out)
{
    s2clr_plane plane = {.dataset = dataset, .number = number};
    plane.band = number <= GDALGetRasterCount(dataset) ? GDALGetRasterBand(dataset, number) : NULL;
    if (!plane.band)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: no raster band %d; it has %d", path, number,
                               GDALGetRasterCount(dataset));
    const GDALDataType type = GDALGetRasterDataType(plane.band);
    if (GDALDataTypeIsComplex(type) || type == GDT_Unknown)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: band %d is of type %s, expected real numbers", path, number,
                               GDALGetDataTypeName(type));
    plane.wide = !fits_float(type);
    plane.has_mask = needs_mask(plane.band);
    plane.has_nodata =
        own_nodata(plane.band, type, &plane.nodata) || product_nodata(dataset, &plane.nodata);
    plane.empty_is_nodata = plane.has_nodata;
    if (!plane.has_nodata && level && level->has_nodata) {
        plane.has_nodata = true;
        plane.nodata = level->nodata;
        plane.empty_is_nodata = level->nodata == 0; /* empty blocks then read as 0 */
    }
    if (type == GDT_Float32) plane.nodata = (double)to_float(plane.nodata);
    *out = plane;
    return S2CLR_OK;
}
