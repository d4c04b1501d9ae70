#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "predict/writer.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "sentinel2/gdal_watch.h"
#include "predict/output_file.h"
#include "predict/overviews.h"

#define BYTE_STEPS 254
#define BYTE_NODATA 255
#define TILE "256"
#define PATH_ROOM S2CLR_OUTPUT_PATH_MAX

struct s2clr_writer {
    s2clr_writer_options options;
    bool cog;
    char target[PATH_ROOM]; /* options.path, or what that symbolic link points to */
    char part[PATH_ROOM];   /* the tiled GTiff being written */
    char final[PATH_ROOM];  /* what is renamed: part, or the COG made from it */
    GDALDatasetH dataset;
    s2clr_moments *row; // (rows) of the values as stored
    s2clr_moments all;
    uint64_t histogram[10];
    uint8_t *bytes; /* encoded block */
    size_t byte_room;
};

/* ---- opening ---- */

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

static char **gtiff_options(const s2clr_writer *writer)
{
    char **list = common_options(&writer->options);
    list = CSLSetNameValue(list, "TILED", "YES");
    list = CSLSetNameValue(list, "BLOCKXSIZE", TILE);
    list = CSLSetNameValue(list, "BLOCKYSIZE", TILE);
    list = CSLSetNameValue(list, "PREDICTOR", writer->options.byte_output ? "2" : "3");
    return writer->cog ? list : with_user_options(list, &writer->options);
}

static char **cog_options(const s2clr_writer *writer)
{
    char **list = common_options(&writer->options);
    list = CSLSetNameValue(list, "PREDICTOR", "YES");
    return with_user_options(list, &writer->options);
}

static s2clr_status check_format(s2clr_writer *writer)
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
    for (const char *const *pair = options->creation; pair && *pair; pair++)
        if (!strchr(*pair, '='))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "creation option \"%s\": must look like NAME=VALUE", *pair);
    char **list = writer->cog ? cog_options(writer) : gtiff_options(writer);
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

static s2clr_status name_parts(s2clr_writer *writer)
{
    const char *path = writer->options.path;
    const int pid = (int)getpid();
    S2CLR_TRY(s2clr_output_resolve(path, writer->target));
    snprintf(writer->part, PATH_ROOM, "%.*s.part-%d.tif", PATH_ROOM - S2CLR_OUTPUT_SUFFIX_MAX,
             writer->target, pid);
    if (writer->cog)
        snprintf(writer->final, PATH_ROOM, "%.*s.part-%d.cog.tif",
                 PATH_ROOM - S2CLR_OUTPUT_SUFFIX_MAX, writer->target, pid);
    else
        snprintf(writer->final, PATH_ROOM, "%s", writer->part);
    return S2CLR_OK;
}

/* Domain S2CLR; GDAL's COG driver copies the default domain only, so there they have a prefix. */
static void set_tags(s2clr_writer *writer)
{
    for (const char *const *pair = writer->options.tags; pair && *pair; pair++) {
        char name[128], *key = NULL;
        const char *value = CPLParseNameValue(*pair, &key);
        if (key && value) {
            snprintf(name, sizeof name, "%s%s", writer->cog ? "S2CLR_" : "", key);
            GDALSetMetadataItem(writer->dataset, name, value, writer->cog ? NULL : "S2CLR");
        }
        CPLFree(key);
    }
}

static void describe(s2clr_writer *writer)
{
    const s2clr_writer_options *options = &writer->options;
    GDALRasterBandH band = GDALGetRasterBand(writer->dataset, 1);
    double transform[6];
    memcpy(transform, options->transform, sizeof transform);
    if (options->has_transform) GDALSetGeoTransform(writer->dataset, transform);
    if (options->wkt && options->wkt[0]) GDALSetProjection(writer->dataset, options->wkt);
    GDALSetDescription(band, options->band);
    GDALSetRasterNoDataValue(band, options->byte_output ? BYTE_NODATA : NAN);
    if (options->byte_output) {
        GDALSetRasterScale(band, 1.0 / BYTE_STEPS);
        GDALSetRasterOffset(band, 0.0);
    }
    set_tags(writer);
}

static s2clr_status create(s2clr_writer *writer)
{
    const s2clr_writer_options *options = &writer->options;
    char **list = gtiff_options(writer);
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    writer->dataset =
        GDALCreate(GDALGetDriverByName("GTiff"), writer->part, options->columns, options->rows, 1,
                   options->byte_output ? GDT_Byte : GDT_Float32, list);
    if (writer->dataset) describe(writer);
    s2clr_gdal_watch_end(&watch);
    CSLDestroy(list);
    if (!writer->dataset || watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: %s", options->path,
                               watch.text);
    return S2CLR_OK;
}

s2clr_status s2clr_writer_open(const s2clr_writer_options *options, s2clr_writer **out)
{
    s2clr_writer *writer;
    S2CLR_TRY(s2clr_output_check(options->path, options->overwrite));
    S2CLR_TRY(s2clr_alloc(1, sizeof *writer, "writer", (void **)&writer));
    writer->options = *options;
    s2clr_status status = name_parts(writer);
    if (status == S2CLR_OK) status = check_format(writer);
    if (status == S2CLR_OK)
        status = s2clr_alloc((size_t)options->rows, sizeof *writer->row, "row statistics",
                             (void **)&writer->row);
    if (status == S2CLR_OK) status = create(writer);
    writer->options.tags = NULL;
    if (status != S2CLR_OK) {
        s2clr_writer_close(writer);
        return status;
    }
    *out = writer;
    return S2CLR_OK;
}

/* ---- blocks ---- */

static void count_value(s2clr_writer *writer, int row, double stored, double probability)
{
    int bin = (int)(probability * 10);
    if (bin > 9) bin = 9;
    s2clr_moments_add(&writer->row[row], stored);
    writer->histogram[bin]++;
}

/* Encodes and counts; *any: there is something to store. */
static void encode(s2clr_writer *writer, int row, int columns, int rows, const float *probability,
                   bool *any)
{
    *any = false;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const size_t at = (size_t)r * (size_t)columns + (size_t)c;
            const float p = probability[at];
            const bool valid = !isnan(p);
            const uint8_t byte = valid ? (uint8_t)floor(p * (double)BYTE_STEPS + 0.5) : BYTE_NODATA;
            if (writer->bytes) writer->bytes[at] = byte;
            if (!valid) continue;
            *any = true;
            if (writer->options.byte_output)
                count_value(writer, row + r, byte, byte / (double)BYTE_STEPS);
            else
                count_value(writer, row + r, p, p);
        }
}

static s2clr_status make_room(s2clr_writer *writer, size_t pixels)
{
    if (!writer->options.byte_output || pixels <= writer->byte_room) return S2CLR_OK;
    s2clr_free(writer->bytes);
    writer->bytes = NULL;
    writer->byte_room = 0;
    S2CLR_TRY(s2clr_alloc(pixels, 1, "block of bytes", (void **)&writer->bytes));
    writer->byte_room = pixels;
    return S2CLR_OK;
}

s2clr_status s2clr_writer_write(s2clr_writer *writer, int column, int row, int columns, int rows,
                                const float *probability)
{
    const bool bytes = writer->options.byte_output;
    bool any;
    S2CLR_TRY(make_room(writer, (size_t)columns * (size_t)rows));
    encode(writer, row, columns, rows, probability, &any);
    if (!any) return S2CLR_OK;
    void *pixels = bytes ? (void *)writer->bytes : (void *)(uintptr_t)probability;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error =
        GDALRasterIO(GDALGetRasterBand(writer->dataset, 1), GF_Write, column, row, columns, rows,
                     pixels, columns, rows, bytes ? GDT_Byte : GDT_Float32, 0, 0);
    s2clr_gdal_watch_end(&watch);
    if (error != CE_None || watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", writer->options.path,
                               watch.text);
    return S2CLR_OK;
}

/* ---- finishing ---- */

static s2clr_status close_dataset(s2clr_writer *writer)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALClose(writer->dataset);
    s2clr_gdal_watch_end(&watch);
    writer->dataset = NULL;
    if (watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", writer->options.path,
                               watch.text);
    return S2CLR_OK;
}

static s2clr_status reopen(s2clr_writer *writer)
{
    s2clr_gdal_watch watch;
    const char *const drivers[] = {"GTiff", NULL};
    s2clr_gdal_watch_begin(&watch);
    writer->dataset =
        GDALOpenEx(writer->part, GDAL_OF_RASTER | GDAL_OF_UPDATE, drivers, NULL, NULL);
    s2clr_gdal_watch_end(&watch);
    if (!writer->dataset)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be completed: %s", writer->options.path,
                               watch.text);
    return S2CLR_OK;
}

static void set_statistics(s2clr_writer *writer)
{
    GDALRasterBandH band = GDALGetRasterBand(writer->dataset, 1);
    const double pixels = (double)writer->options.columns * writer->options.rows;
    char percent[32];
    for (int i = 0; i < writer->options.rows; i++)
        s2clr_moments_merge(&writer->all, &writer->row[i]);
    if (writer->all.count == 0) return;
    GDALSetRasterStatistics(band, writer->all.minimum, writer->all.maximum, writer->all.mean,
                            s2clr_moments_deviation(&writer->all));
    CPLsnprintf(percent, sizeof percent, "%.4g", 100.0 * (double)writer->all.count / pixels);
    GDALSetMetadataItem(band, "STATISTICS_VALID_PERCENT", percent, NULL);
}

static s2clr_status complete(s2clr_writer *writer, const s2clr_progress *progress, double from,
                             double to)
{
    s2clr_gdal_watch watch;
    S2CLR_TRY(close_dataset(writer));
    S2CLR_TRY(reopen(writer));
    s2clr_gdal_watch_begin(&watch);
    set_statistics(writer);
    const s2clr_status status =
        s2clr_overviews_build(writer->dataset, writer->options.path, progress, from, to);
    s2clr_gdal_watch_end(&watch);
    S2CLR_TRY(status);
    return close_dataset(writer);
}

typedef struct scaled {
    const s2clr_progress *progress;
    double from, to;
    bool cancelled;
} scaled;

static int CPL_STDCALL pass_on(double done, const char *message, void *context)
{
    scaled *range = context;
    const double fraction = range->from + (range->to - range->from) * done;
    (void)message;
    if (!s2clr_progress_report(range->progress, fraction, "writing COG")) range->cancelled = true;
    return !range->cancelled;
}

static s2clr_status make_cog(s2clr_writer *writer, const s2clr_progress *progress, double from)
{
    scaled range = {.progress = progress, .from = from, .to = 1.0};
    s2clr_gdal_watch watch;
    char **list = cog_options(writer);
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH source = GDALOpen(writer->part, GA_ReadOnly);
    GDALDatasetH cog = source ? GDALCreateCopy(GDALGetDriverByName("COG"), writer->final, source,
                                               FALSE, list, pass_on, &range)
                              : NULL;
    const bool made = cog != NULL;
    if (cog) GDALClose(cog);
    if (source) GDALClose(source);
    s2clr_gdal_watch_end(&watch);
    CSLDestroy(list);
    if (range.cancelled) return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
    if (!made || watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: the COG cannot be written: %s",
                               writer->options.path, watch.text);
    return S2CLR_OK;
}

s2clr_status s2clr_writer_finish(s2clr_writer *writer, const s2clr_progress *progress, double from)
{
    const double middle = writer->cog ? from + (1.0 - from) / 2 : 1.0;
    S2CLR_TRY(complete(writer, progress, from, middle));
    if (writer->cog) S2CLR_TRY(make_cog(writer, progress, middle));
    return s2clr_output_publish(writer->final, writer->target, writer->options.path);
}

void s2clr_writer_statistics(const s2clr_writer *writer, s2clr_moments *moments,
                             uint64_t histogram[10])
{
    const double scale = writer->options.byte_output ? 1.0 / BYTE_STEPS : 1.0;
    *moments = writer->all;
    moments->mean *= scale;
    moments->minimum *= scale;
    moments->maximum *= scale;
    moments->squares *= scale * scale;
    memcpy(histogram, writer->histogram, sizeof writer->histogram);
}

static void remove_part(const char *path)
{
    static const char *const suffixes[] = {"",     ".aux.xml", ".ovr",
                                           ".msk", ".ovr.tmp", ".msk.ovr.tmp"};
    char name[PATH_ROOM + 16];
    VSIStatBufL found;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        if (VSIStatL(name, &found) == 0) VSIUnlink(name);
    }
}

void s2clr_writer_close(s2clr_writer *writer)
{
    if (!writer) return;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch); /* a full disk complains once more */
    if (writer->dataset) GDALClose(writer->dataset);
    if (writer->part[0]) remove_part(writer->part);
    if (writer->cog && writer->final[0]) remove_part(writer->final);
    s2clr_gdal_watch_end(&watch);
    s2clr_free(writer->row);
    s2clr_free(writer->bytes);
    s2clr_free(writer);
}
