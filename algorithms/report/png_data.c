#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "report/png_data.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/gdal_watch.h"

static const char before[] = "data:image/png;base64,";

/* The picture as a dataset in memory, or NULL. */
static GDALDatasetH make_raster(const uint8_t *planes, int width, int height, int bands)
{
    GDALDriverH memory = GDALGetDriverByName("MEM");
    GDALDatasetH raster =
        memory ? GDALCreate(memory, "", width, height, bands, GDT_Byte, NULL) : NULL;
    const CPLErr error =
        raster ? GDALDatasetRasterIO(raster, GF_Write, 0, 0, width, height, (void *)planes, width,
                                     height, GDT_Byte, bands, NULL, 0, 0, 0)
               : CE_Failure;
    if (raster && error != CE_None) {
        GDALClose(raster);
        return NULL;
    }
    if (raster && bands == 4)
        GDALSetRasterColorInterpretation(GDALGetRasterBand(raster, 4), GCI_AlphaBand);
    return raster;
}

/* The bytes of the file; the caller frees them with VSIFree(). */
static GByte *encode(GDALDatasetH raster, const char *name, vsi_l_offset *size)
{
    GDALDriverH png = GDALGetDriverByName("PNG");
    GDALDatasetH made = png ? GDALCreateCopy(png, name, raster, TRUE, NULL, NULL, NULL) : NULL;
    if (!made) return NULL;
    GDALClose(made);
    return VSIGetMemFileBuffer(name, size, TRUE);
}

static s2clr_status to_text(const GByte *bytes, vsi_l_offset size, char **out)
{
    char *text = size < INT_MAX / 2 ? CPLBase64Encode((int)size, bytes) : NULL;
    s2clr_status status = S2CLR_ERR_MEMORY;
    char *uri = NULL;
    if (text)
        status = s2clr_alloc(sizeof before + strlen(text), 1, "picture as text", (void **)&uri);
    if (status == S2CLR_OK) {
        stpcpy(stpcpy(uri, before), text);
        *out = uri;
    } else if (!text) {
        s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for a picture of %llu bytes as text",
                        (unsigned long long)size);
    }
    CPLFree(text);
    return status;
}

s2clr_status s2clr_png_data(const uint8_t *planes, int width, int height, bool alpha, char **out)
{
    char name[64];
    vsi_l_offset size = 0;
    s2clr_gdal_watch watch;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    snprintf(name, sizeof name, "/vsimem/s2clr-picture-%p.png", (void *)out);
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH raster = make_raster(planes, width, height, alpha ? 4 : 3);
    GByte *bytes = raster ? encode(raster, name, &size) : NULL;
    if (raster) GDALClose(raster);
    VSIUnlink(name);
    s2clr_gdal_watch_end(&watch);
    if (!bytes)
        return s2clr_error_set(
            S2CLR_ERR_UNSUPPORTED,
            "a picture of %d x %d pixels cannot be made (%s); GDAL's drivers MEM "
            "and PNG are needed: gdalinfo --formats",
            width, height, watch.text);
    const s2clr_status status = to_text(bytes, size, out);
    VSIFree(bytes);
    return status;
}
