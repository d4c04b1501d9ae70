#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "predict/shards.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "predict/output_file.h"

/* First row of part `index`, counted from 0, of rows [top, top + rows) of the grid. */
static int64_t first_row(int64_t top, int64_t rows, int64_t unit, int64_t index, int64_t count)
{
    const int64_t units = (top + rows - 1) / unit - top / unit + 1;
    const int64_t row = index == 0 ? top : (top / unit + units * index / count) * unit;
    return row < top + rows ? row : top + rows;
}

s2clr_status s2clr_shard_rows(int top, int rows, int unit, int index, int count, s2clr_shard *out)
{
    const int64_t units = ((int64_t)top + rows - 1) / unit - top / unit + 1;
    if (count < 1 || index < 1 || index > count)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "part %d of %d: parts are counted from 1 to their number", index,
                               count);
    if (count > units)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%d parts: the map's %d rows are computed in units of %d, which "
                               "makes %lld parts at most",
                               count, rows, unit, (long long)units);
    const int64_t first = first_row(top, rows, unit, index - 1, count);
    const int64_t end = first_row(top, rows, unit, index, count);
    *out = (s2clr_shard){
        .index = index, .count = count, .row = (int)(first - top), .rows = (int)(end - first)};
    return S2CLR_OK;
}

/* ---- names ---- */

/* Bytes of the output's name before its extension. */
static int stem_length(const char *output)
{
    const char *slash = strrchr(output, '/'), *dot = strrchr(output, '.');
    const bool has = dot && dot != output && (!slash || dot > slash + 1);
    return (int)(has ? (size_t)(dot - output) : strlen(output));
}

static s2clr_status check_length(int length, size_t size, const char *output)
{
    if (length >= 0 && (size_t)length < size) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.80s...: the name is too long", output);
}

s2clr_status s2clr_shard_name(const char *output, int index, int count, char *name, size_t size)
{
    return check_length(
        snprintf(name, size, "%.*s.shard-%d-of-%d.tif", stem_length(output), output, index, count),
        size, output);
}

s2clr_status s2clr_shard_vrt_name(const char *output, int count, char *name, size_t size)
{
    return check_length(
        snprintf(name, size, "%.*s.shards-of-%d.vrt", stem_length(output), output, count), size,
        output);
}

/* ---- the VRT ---- */

static void put_escaped(VSILFILE *file, const char *text)
{
    char *escaped = CPLEscapeString(text, -1, CPLES_XML);
    VSIFWriteL(escaped, 1, strlen(escaped), file);
    CPLFree(escaped);
}

static s2clr_status put_source(VSILFILE *file, const s2clr_shard_map *map, const s2clr_shard *part,
                               int band)
{
    char name[S2CLR_OUTPUT_PATH_MAX];
    S2CLR_TRY(s2clr_shard_name(map->output, part->index, map->parts, name, sizeof name));
    const char *slash = strrchr(name, '/');
    VSIFPrintfL(file, "    <SimpleSource>\n      <SourceFilename relativeToVRT=\"1\">");
    put_escaped(file, slash ? slash + 1 : name);
    VSIFPrintfL(file,
                "</SourceFilename>\n      <SourceBand>%d</SourceBand>\n"
                "      <SourceProperties RasterXSize=\"%d\" RasterYSize=\"%d\" DataType=\"%s\" "
                "BlockXSize=\"256\" BlockYSize=\"256\"/>\n"
                "      <SrcRect xOff=\"0\" yOff=\"0\" xSize=\"%d\" ySize=\"%d\"/>\n"
                "      <DstRect xOff=\"0\" yOff=\"%d\" xSize=\"%d\" ySize=\"%d\"/>\n"
                "    </SimpleSource>\n",
                band, map->columns, part->rows, map->byte_output ? "Byte" : "Float32", map->columns,
                part->rows, part->row, map->columns, part->rows);
    return S2CLR_OK;
}

static s2clr_status put_band(VSILFILE *file, const s2clr_shard_map *map, int band)
{
    VSIFPrintfL(file, "  <VRTRasterBand dataType=\"%s\" band=\"%d\">\n    <Description>",
                map->byte_output ? "Byte" : "Float32", band);
    put_escaped(file, map->band[band - 1]);
    VSIFPrintfL(file, "</Description>\n    <NoDataValue>%s</NoDataValue>\n",
                map->byte_output ? "255" : "nan");
    if (map->byte_output) VSIFPrintfL(file, "    <Scale>%.17g</Scale>\n", 1.0 / 254);
    for (int i = 0; i < map->parts; i++) S2CLR_TRY(put_source(file, map, &map->part[i], band));
    VSIFPrintfL(file, "  </VRTRasterBand>\n");
    return S2CLR_OK;
}

static s2clr_status put_vrt(VSILFILE *file, const s2clr_shard_map *map)
{
    const double *t = map->transform;
    VSIFPrintfL(file, "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\">\n", map->columns,
                map->rows);
    if (map->wkt[0]) {
        VSIFPrintfL(file, "  <SRS dataAxisToSRSAxisMapping=\"1,2\">");
        put_escaped(file, map->wkt);
        VSIFPrintfL(file, "</SRS>\n");
    }
    if (t)
        VSIFPrintfL(file,
                    "  <GeoTransform>%.17g, %.17g, %.17g, %.17g, %.17g, %.17g</GeoTransform>\n",
                    t[0], t[1], t[2], t[3], t[4], t[5]);
    for (int band = 1; band <= map->bands; band++) S2CLR_TRY(put_band(file, map, band));
    VSIFPrintfL(file, "</VRTDataset>\n");
    return S2CLR_OK;
}

s2clr_status s2clr_shard_vrt_write(const s2clr_shard_map *map)
{
    char name[S2CLR_OUTPUT_PATH_MAX], part[S2CLR_OUTPUT_PATH_MAX + 32];
    S2CLR_TRY(s2clr_shard_vrt_name(map->output, map->parts, name, sizeof name));
    snprintf(part, sizeof part, "%s.part-%d", name, (int)getpid());
    VSILFILE *file = VSIFOpenL(part, "wb");
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: %s", name, strerror(errno));
    s2clr_status status = put_vrt(file, map);
    const bool written = VSIFCloseL(file) == 0;
    if (status == S2CLR_OK && (!written || VSIRename(part, name) != 0))
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", name, strerror(errno));
    if (status != S2CLR_OK) VSIUnlink(part);
    return status;
}
