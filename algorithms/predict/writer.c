#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "predict/writer.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "predict/provenance.h"
#include "predict/pwriter.h"
#include "sentinel2/gdal_watch.h"

#define PATH_ROOM S2CLR_OUTPUT_PATH_MAX

/* ---- opening ---- */

static s2clr_status name_parts(s2clr_writer *writer)
{
    const char *path = writer->options.path;
    const int room = PATH_ROOM - S2CLR_OUTPUT_SUFFIX_MAX;
    char owner[16] = "";
    if (!writer->options.steady_name) snprintf(owner, sizeof owner, "-%d", (int)getpid());
    S2CLR_TRY(s2clr_output_resolve(path, writer->target));
    snprintf(writer->part, PATH_ROOM, "%.*s.part%s.tif", room, writer->target, owner);
    if (writer->cog)
        snprintf(writer->final, PATH_ROOM, "%.*s.part%s.cog.tif", room, writer->target, owner);
    else
        snprintf(writer->final, PATH_ROOM, "%s", writer->part);
    return S2CLR_OK;
}

/* What people want to know stands in the default domain as well, where programs show it. */
static void show_tags(const s2clr_writer *writer)
{
    const char *const *tags = writer->options.tags;
    for (const char *const *name = s2clr_provenance_shown(); tags && *name; name++) {
        const char *value = CSLFetchNameValue((CSLConstList)tags, *name);
        if (value) GDALSetMetadataItem(writer->dataset, CPLSPrintf("S2CLR_%s", *name), value, NULL);
    }
}

/* Domain S2CLR; GDAL's COG driver copies the default domain only, so there they have a prefix. */
static void set_tags(const s2clr_writer *writer, const char *const *tags, const char *domain)
{
    for (const char *const *pair = tags; pair && *pair; pair++) {
        char name[128], *key = NULL;
        const char *value = CPLParseNameValue(*pair, &key);
        if (key && value) {
            snprintf(name, sizeof name, "%s%s", writer->cog ? "S2CLR_" : "", key);
            GDALSetMetadataItem(writer->dataset, name, value, writer->cog ? NULL : domain);
        }
        CPLFree(key);
    }
}

static void describe_band(const s2clr_writer *writer, int index)
{
    const s2clr_writer_options *options = &writer->options;
    const s2clr_writer_band *own = &options->band[index];
    GDALRasterBandH band = GDALGetRasterBand(writer->dataset, index + 1);
    GDALSetDescription(band, own->name);
    if (own->unit) GDALSetRasterUnitType(band, own->unit);
    if (own->quantity) GDALSetMetadataItem(band, S2CLR_BAND_QUANTITY, own->quantity, NULL);
    if (own->help) GDALSetMetadataItem(band, S2CLR_BAND_HELP, own->help, NULL);
    if (own->maximum > 0)
        GDALSetMetadataItem(band, S2CLR_BAND_MAXIMUM, CPLSPrintf("%.10g", own->maximum), NULL);
    GDALSetRasterNoDataValue(band, options->byte_output ? S2CLR_BYTE_NODATA : NAN);
    if (options->byte_output) {
        GDALSetRasterScale(band, 1.0 / S2CLR_BYTE_STEPS);
        GDALSetRasterOffset(band, 0.0);
    }
}

static void describe(const s2clr_writer *writer)
{
    const s2clr_writer_options *options = &writer->options;
    double transform[6];
    memcpy(transform, options->transform, sizeof transform);
    if (options->has_transform) GDALSetGeoTransform(writer->dataset, transform);
    if (options->wkt && options->wkt[0]) GDALSetProjection(writer->dataset, options->wkt);
    for (int i = 0; i < options->bands; i++) describe_band(writer, i);
    set_tags(writer, options->tags, "S2CLR");
    show_tags(writer);
    set_tags(writer, options->part_tags, "S2CLR_SHARD");
}

/* The file of a run that was killed, and what GDAL keeps beside it. */
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

static s2clr_status create(s2clr_writer *writer)
{
    const s2clr_writer_options *options = &writer->options;
    char **list = s2clr_writer_gtiff_options(writer);
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    remove_part(writer->part);
    if (writer->cog) remove_part(writer->final);
    writer->dataset =
        GDALCreate(GDALGetDriverByName("GTiff"), writer->part, options->columns, options->rows,
                   options->bands, options->byte_output ? GDT_Byte : GDT_Float32, list);
    if (writer->dataset) describe(writer);
    s2clr_gdal_watch_end(&watch);
    CSLDestroy(list);
    if (!writer->dataset || watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: %s", options->path,
                               watch.text);
    return S2CLR_OK;
}

static s2clr_status make_planes(s2clr_writer *writer)
{
    const size_t bands = (size_t)writer->options.bands, rows = (size_t)writer->options.rows;
    size_t count;
    S2CLR_TRY(s2clr_size_mul(bands, rows, &count));
    S2CLR_TRY(s2clr_alloc(bands, sizeof *writer->plane, "bands", (void **)&writer->plane));
    S2CLR_TRY(
        s2clr_alloc(count, sizeof *writer->moments, "row statistics", (void **)&writer->moments));
    for (size_t i = 0; i < bands; i++) writer->plane[i].row = writer->moments + i * rows;
    return S2CLR_OK;
}

s2clr_status s2clr_writer_open(const s2clr_writer_options *options, s2clr_writer **out)
{
    s2clr_writer *writer;
    S2CLR_TRY(s2clr_output_check(options->path, options->overwrite));
    S2CLR_TRY(s2clr_alloc(1, sizeof *writer, "writer", (void **)&writer));
    writer->options = *options;
    s2clr_status status = s2clr_writer_check(writer);
    if (status == S2CLR_OK) status = make_planes(writer);
    if (status == S2CLR_OK) status = name_parts(writer);
    if (status == S2CLR_OK) status = create(writer);
    writer->options.tags = writer->options.part_tags = NULL;
    if (status != S2CLR_OK) {
        s2clr_writer_close(writer);
        return status;
    }
    *out = writer;
    return S2CLR_OK;
}

/* ---- blocks ---- */

static void count_value(const s2clr_writer *writer, int band, int row, double stored, double value)
{
    s2clr_writer_plane *plane = &writer->plane[band];
    s2clr_moments_add(&plane->row[row], stored);
    if (!writer->options.band[band].from_0_to_1) return;
    const int bin = (int)(value * 10);
    plane->histogram[bin > 9 ? 9 : bin]++;
}

/* Encodes and counts; *any: there is something to store. */
static void encode(s2clr_writer *writer, int band, int row, int columns, int rows,
                   const float *values, bool *any)
{
    const bool bytes = writer->options.byte_output;
    *any = false;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const size_t at = (size_t)r * (size_t)columns + (size_t)c;
            const double v = values[at];
            const bool valid = !isnan(v);
            uint8_t byte = S2CLR_BYTE_NODATA;
            if (bytes && valid) byte = (uint8_t)floor(v * S2CLR_BYTE_STEPS + 0.5);
            if (bytes) writer->bytes[at] = byte;
            if (!valid) continue;
            *any = true;
            if (bytes)
                count_value(writer, band, row + r, byte, byte / (double)S2CLR_BYTE_STEPS);
            else
                count_value(writer, band, row + r, v, v);
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

s2clr_status s2clr_writer_write(s2clr_writer *writer, int band, int column, int row, int columns,
                                int rows, const float *values)
{
    const bool bytes = writer->options.byte_output;
    bool any;
    S2CLR_TRY(make_room(writer, (size_t)columns * (size_t)rows));
    encode(writer, band, row, columns, rows, values, &any);
    if (!any) return S2CLR_OK;
    void *pixels = bytes ? (void *)writer->bytes : (void *)(uintptr_t)values;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error =
        GDALRasterIO(GDALGetRasterBand(writer->dataset, band + 1), GF_Write, column, row, columns,
                     rows, pixels, columns, rows, bytes ? GDT_Byte : GDT_Float32, 0, 0);
    s2clr_gdal_watch_end(&watch);
    if (error != CE_None || watch.failed)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", writer->options.path,
                               watch.text);
    return S2CLR_OK;
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
    s2clr_free(writer->plane);
    s2clr_free(writer->moments);
    s2clr_free(writer->bytes);
    s2clr_free(writer);
}
