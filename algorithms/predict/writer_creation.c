/* The formats and creation options of an output. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "predict/pwriter.h"
#include "sentinel2/gdal_watch.h"

/* A row of tiles of every band waits in GDAL's cache until it is full. */
#define MANY_BANDS 8

/* The user's K=V replace the defaults. */
static char **with_user_options(char **list, const s2clr_writer_options *options)
{
    for (const char *const *pair = options->creation; pair && *pair; pair++) {
        char *key = NULL;
        const char *value = CPLParseNameValue(*pair, &key);
        if (key && value) list = CSLSetNameValue(list, key, value);
        CPLFree(key);
    }
    const char *packing = CSLFetchNameValueDef(list, "COMPRESS", "NONE");
    const bool predicts = EQUAL(packing, "DEFLATE") || EQUAL(packing, "LZW") ||
                          EQUAL(packing, "ZSTD") || EQUAL(packing, "LZMA");
    return predicts ? list : CSLSetNameValue(list, "PREDICTOR", NULL);
}

static char **common_options(const s2clr_writer_options *options)
{
    char threads[16];
    char **list = NULL;
    snprintf(threads, sizeof threads, "%d", options->threads);
    list = CSLSetNameValue(list, "COMPRESS", "DEFLATE");
    list = CSLSetNameValue(list, "BIGTIFF", "IF_SAFER");
    list = CSLSetNameValue(list, "SPARSE_OK", "TRUE");
    if (options->threads > 1) list = CSLSetNameValue(list, "NUM_THREADS", threads);
    return list;
}

char **s2clr_writer_gtiff_options(const s2clr_writer *writer)
{
    const s2clr_writer_options *options = &writer->options;
    const char *tile = options->bands > MANY_BANDS ? "64" : "256";
    char **list = common_options(options);
    list = CSLSetNameValue(list, "TILED", "YES");
    list = CSLSetNameValue(list, "BLOCKXSIZE", tile);
    list = CSLSetNameValue(list, "BLOCKYSIZE", tile);
    if (options->bands > 1) { /* three bytes are no colours, the fourth no transparency */
        list = CSLSetNameValue(list, "INTERLEAVE", "BAND");
        list = CSLSetNameValue(list, "PHOTOMETRIC", "MINISBLACK");
        list = CSLSetNameValue(list, "ALPHA", "NO");
    }
    list = CSLSetNameValue(list, "PREDICTOR", options->byte_output ? "2" : "3");
    return writer->cog ? list : with_user_options(list, options);
}

char **s2clr_writer_cog_options(const s2clr_writer *writer)
{
    char **list = common_options(&writer->options);
    list = CSLSetNameValue(list, "PREDICTOR", "YES");
    return with_user_options(list, &writer->options);
}

static s2clr_status check_bytes(const s2clr_writer_options *options)
{
    for (int i = 0; options->byte_output && i < options->bands; i++)
        if (!options->band[i].from_0_to_1)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "band \"%s\" does not range from 0 to 1, so bytes (-ot Byte) "
                                   "cannot hold it; write Float32",
                                   options->band[i].name);
    return S2CLR_OK;
}

s2clr_status s2clr_writer_check(s2clr_writer *writer)
{
    const s2clr_writer_options *options = &writer->options;
    GDALDriverH driver = GDALGetDriverByName(options->format);
    writer->cog = EQUAL(options->format, "COG");
    if (!writer->cog && !EQUAL(options->format, "GTiff"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "output format \"%s\": only GTiff and COG can be written",
                               options->format);
    if (!driver || !GDALGetDriverByName("GTiff"))
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "this GDAL has no %s driver",
                               options->format);
    S2CLR_TRY(check_bytes(options));
    for (const char *const *pair = options->creation; pair && *pair; pair++)
        if (!strchr(*pair, '='))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "creation option \"%s\": must look like NAME=VALUE", *pair);
    char **list =
        writer->cog ? s2clr_writer_cog_options(writer) : s2clr_writer_gtiff_options(writer);
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const bool good = GDALValidateCreationOptions(driver, (CSLConstList)list);
    s2clr_gdal_watch_end(&watch);
    CSLDestroy(list);
    if (!good)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "creation options of %s: %s", options->format,
                               watch.text);
    return S2CLR_OK;
}

s2clr_status s2clr_writer_try(const s2clr_writer_options *options)
{
    s2clr_writer *writer;
    S2CLR_TRY(s2clr_output_check(options->path, options->overwrite));
    S2CLR_TRY(s2clr_alloc(1, sizeof *writer, "writer", (void **)&writer));
    writer->options = *options;
    const s2clr_status status = s2clr_writer_check(writer);
    s2clr_free(writer);
    return status;
}
