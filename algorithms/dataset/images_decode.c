#include "dataset/pimages.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <stdio.h>

enum { SIZE_MAX_PIXELS = 4096, BANDS_MAX = 256 };

static s2clr_status measure(GDALDatasetH dataset, const char *path, const char *name,
                            s2clr_image_shape *out)
{
    const int width = GDALGetRasterXSize(dataset), height = GDALGetRasterYSize(dataset);
    const int bands = GDALGetRasterCount(dataset);
    if (width != height || width > SIZE_MAX_PIXELS)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: %s has %d x %d pixels; wanted: a square of at most %d", path,
                               name, width, height, SIZE_MAX_PIXELS);
    if (bands < 1 || bands > BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %s has %d bands; wanted: 1 to %d", path, name,
                               bands, BANDS_MAX);
    const GDALRasterBandH first = GDALGetRasterBand(dataset, 1);
    const GDALDataType type = GDALGetRasterDataType(first);
    if (type != GDT_Byte && type != GDT_UInt16)
        return s2clr_error_set(
            S2CLR_ERR_FORMAT, "%s: %s holds %s values; wanted: Byte or UInt16 (gdal_translate -ot)",
            path, name, GDALGetDataTypeName(type));
    if (GDALGetRasterColorTable(first))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: %s has a colour table, its values are not measurements; expand "
                               "it (gdal_translate -expand rgb)",
                               path, name);
    *out = (s2clr_image_shape){bands, width, type == GDT_Byte ? 1 : 2};
    return S2CLR_OK;
}

static s2clr_status compare(const s2clr_image_shape *found, const s2clr_image_shape *wanted,
                            const char *path, const char *name)
{
    if (found->bands == wanted->bands && found->size == wanted->size &&
        found->depth == wanted->depth)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: %s is %d px wide with %d bands of %d bits, the images before it %d "
                           "px with %d bands of %d bits; all images must be alike",
                           path, name, found->size, found->bands, 8 * found->depth, wanted->size,
                           wanted->bands, 8 * wanted->depth);
}

static s2clr_status decode_open(GDALDatasetH dataset, const char *path, const char *name,
                                const s2clr_image_shape *wanted, const int *bands, int channels,
                                void *pixels, s2clr_image_shape *found)
{
    S2CLR_TRY(measure(dataset, path, name, found));
    if (!wanted) return S2CLR_OK;
    S2CLR_TRY(compare(found, wanted, path, name));
    int numbers[BANDS_MAX];
    for (int i = 0; i < channels; i++) numbers[i] = bands[i];
    const int size = found->size;
    if (GDALDatasetRasterIO(dataset, GF_Read, 0, 0, size, size, pixels, size, size,
                            found->depth == 1 ? GDT_Byte : GDT_UInt16, channels, numbers, 0, 0,
                            0) != CE_None)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: cannot decode %s (%s)", path, name,
                               CPLGetLastErrorMsg());
    return S2CLR_OK;
}

s2clr_status s2clr_image_decode(unsigned char *bytes, size_t size, const char *path,
                                const char *name, const s2clr_image_shape *wanted, const int *bands,
                                int channels, void *pixels, s2clr_image_shape *found)
{
    static const char *const drivers[] = {"JPEG", "PNG", "GTiff", NULL};
    static const char *const no_siblings[] = {NULL};
    char memory[64];
    snprintf(memory, sizeof memory, "/vsimem/s2clr-image-%p", (void *)bytes);
    VSILFILE *file = VSIFileFromMemBuffer(memory, bytes, size, FALSE);
    if (!file) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: no memory for %s", path, name);
    VSIFCloseL(file);

    /* libjpeg fills what is missing with grey and only warns: for training data that is an error.
     */
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLSetThreadLocalConfigOption("GDAL_ERROR_ON_LIBJPEG_WARNING", "TRUE");
    CPLErrorReset();
    s2clr_status status;
    GDALDatasetH dataset =
        GDALOpenEx(memory, GDAL_OF_RASTER | GDAL_OF_INTERNAL, drivers, NULL, no_siblings);
    if (dataset) {
        status = decode_open(dataset, path, name, wanted, bands, channels, pixels, found);
        GDALClose(dataset);
    } else {
        status =
            s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %s is not a readable JPEG, PNG or TIFF%s%s",
                            path, name, *CPLGetLastErrorMsg() ? ": " : "", CPLGetLastErrorMsg());
    }
    CPLSetThreadLocalConfigOption("GDAL_ERROR_ON_LIBJPEG_WARNING", NULL);
    CPLPopErrorHandler();
    VSIUnlink(memory);
    return status;
}
