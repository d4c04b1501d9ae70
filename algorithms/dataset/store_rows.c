/* The index of a store, read into memory as a whole. Nothing in it is believed unchecked. */
#include <cpl_conv.h>
#include <math.h>
#include <ogr_api.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pstore.h"
#include "sentinel2/gdal_watch.h"

typedef struct reader {
    s2clr_index *index;
    s2clr_rows *rows;
    s2clr_footprints footprints;
    OGRFeatureH feature;
} reader;

void s2clr_rows_clear(s2clr_rows *rows)
{
    s2clr_free(rows->row);
    s2clr_free(rows->fid);
    s2clr_strings_clear(&rows->names);
    s2clr_strings_clear(&rows->texts);
    *rows = (s2clr_rows){0};
}

static s2clr_status refuse(const reader *r, s2clr_column column, const char *wanted)
{
    const int field = r->index->field[column];
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: row %lld: %s is '%.80s'; wanted: %s",
                           r->index->path, (long long)OGR_F_GetFID(r->feature),
                           s2clr_column_name(column), OGR_F_GetFieldAsString(r->feature, field),
                           wanted);
}

static bool is_set(const reader *r, s2clr_column column)
{
    return OGR_F_IsFieldSetAndNotNull(r->feature, r->index->field[column]) != 0;
}

static const char *text_of(const reader *r, s2clr_column column)
{
    return is_set(r, column) ? OGR_F_GetFieldAsString(r->feature, r->index->field[column]) : "";
}

static double number_of(const reader *r, s2clr_column column, double unknown)
{
    return is_set(r, column) ? OGR_F_GetFieldAsDouble(r->feature, r->index->field[column])
                             : unknown;
}

static s2clr_status read_texts(reader *r, s2clr_store_row *row)
{
    const struct {
        s2clr_column column;
        const char **to;
    } texts[] = {{S2CLR_COLUMN_LABELS, &row->labels},   {S2CLR_COLUMN_SPLIT, &row->split},
                 {S2CLR_COLUMN_COUNTRY, &row->country}, {S2CLR_COLUMN_TILE, &row->tile},
                 {S2CLR_COLUMN_PLACE, &row->place},     {S2CLR_COLUMN_SOURCE, &row->source},
                 {S2CLR_COLUMN_LEVEL, &row->level},     {S2CLR_COLUMN_CRS, &row->crs}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        S2CLR_TRY(s2clr_strings_put(&r->rows->texts, text_of(r, texts[i].column), texts[i].to));
    if (!s2clr_split_name_known(row->split))
        return refuse(r, S2CLR_COLUMN_SPLIT, "train, validation, test or nothing");
    const char *sha256 = text_of(r, S2CLR_COLUMN_SHA256);
    if (strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64)
        return refuse(r, S2CLR_COLUMN_SHA256, "64 hexadecimal digits");
    return s2clr_strings_keep(&r->rows->texts, sha256, &row->sha256);
}

static s2clr_status read_date(reader *r, s2clr_store_row *row)
{
    char text[16] = "";
    int y, m, d, ignored;
    if (is_set(r, S2CLR_COLUMN_DATE)) {
        if (!OGR_F_GetFieldAsDateTime(r->feature, r->index->field[S2CLR_COLUMN_DATE], &y, &m, &d,
                                      &ignored, &ignored, &ignored, &ignored) ||
            y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31)
            return refuse(r, S2CLR_COLUMN_DATE, "a day");
        for (int i = 3; i >= 0; i--, y /= 10) text[i] = (char)('0' + y % 10);
        text[4] = text[7] = '-';
        text[5] = (char)('0' + m / 10), text[6] = (char)('0' + m % 10);
        text[8] = (char)('0' + d / 10), text[9] = (char)('0' + d % 10);
    }
    return s2clr_strings_put(&r->rows->texts, text, &row->date);
}

static s2clr_status read_numbers(reader *r, s2clr_store_row *row)
{
    const double label = number_of(r, S2CLR_COLUMN_LABEL, -1);
    if (label != -1 && label != 0 && label != 1) return refuse(r, S2CLR_COLUMN_LABEL, "0 or 1");
    row->label = (s2clr_label)label;
    row->cover = number_of(r, S2CLR_COLUMN_COVER, -1);
    if (!(row->cover == -1 || (row->cover >= 0 && row->cover <= 1)))
        return refuse(r, S2CLR_COLUMN_COVER, "a share from 0 to 1");
    row->dn_offset = number_of(r, S2CLR_COLUMN_DN_OFFSET, 0);
    if (!isfinite(row->dn_offset)) return refuse(r, S2CLR_COLUMN_DN_OFFSET, "a number");
    row->metres = number_of(r, S2CLR_COLUMN_METRES, 0);
    if (!(row->metres >= 0 && isfinite(row->metres)))
        return refuse(r, S2CLR_COLUMN_METRES, "metres");
    const double width = number_of(r, S2CLR_COLUMN_WIDTH, 0);
    const double height = number_of(r, S2CLR_COLUMN_HEIGHT, 0);
    if (!(width >= 1 && width <= S2CLR_PATCH_SIDE_MAX))
        return refuse(r, S2CLR_COLUMN_WIDTH, "1 to 8192");
    if (!(height >= 1 && height <= S2CLR_PATCH_SIDE_MAX))
        return refuse(r, S2CLR_COLUMN_HEIGHT, "1 to 8192");
    row->width = (int)width;
    row->height = (int)height;
    return S2CLR_OK;
}

/* ---- footprint ---- */

static bool parse_transform(const char *text, double transform[6])
{
    for (int i = 0; i < 6; i++) {
        char *end;
        transform[i] = CPLStrtod(text, &end);
        if (end == text || !isfinite(transform[i])) return false;
        text = end;
    }
    return strspn(text, " ") == strlen(text);
}

/* The four corners of a single quadrilateral; false for anything else. */
static bool read_corners(OGRGeometryH geometry, s2clr_store_row *row)
{
    if (!geometry || OGR_G_GetGeometryCount(geometry) != 1) return false;
    OGRGeometryH polygon = OGR_G_GetGeometryRef(geometry, 0);
    if (OGR_G_GetGeometryCount(polygon) != 1) return false;
    OGRGeometryH line = OGR_G_GetGeometryRef(polygon, 0);
    if (OGR_G_GetPointCount(line) != 5) return false;
    for (int i = 0; i < 4; i++) {
        row->longitude[i] = OGR_G_GetX(line, i);
        row->latitude[i] = OGR_G_GetY(line, i);
        if (!(fabs(row->longitude[i]) <= 180 && fabs(row->latitude[i]) <= 90)) return false;
    }
    return true;
}

/* Across the antimeridian the geometry is in two parts: the corners are computed again. */
static s2clr_status read_footprint(reader *r, s2clr_store_row *row)
{
    const char *transform = text_of(r, S2CLR_COLUMN_TRANSFORM);
    row->has_footprint = *row->crs && *transform;
    if (!row->has_footprint) return S2CLR_OK;
    if (!parse_transform(transform, row->transform))
        return refuse(r, S2CLR_COLUMN_TRANSFORM, "six numbers");
    if (read_corners(OGR_F_GetGeometryRef(r->feature), row)) return S2CLR_OK;
    return s2clr_footprints_corners(&r->footprints, row->name, row->crs, row->transform, row->width,
                                    row->height, row->longitude, row->latitude);
}

/* ---- rows ---- */

static s2clr_status read_row(reader *r, s2clr_store_row *row)
{
    s2clr_strings *names = &r->rows->names;
    const char *name = text_of(r, S2CLR_COLUMN_NAME);
    if (!*name || strlen(name) > S2CLR_PATCH_NAME_MAX)
        return refuse(r, S2CLR_COLUMN_NAME, "1 to 500 bytes");
    if (s2clr_strings_find(names, name) >= 0)
        return refuse(r, S2CLR_COLUMN_NAME, "a name that no other row has");
    S2CLR_TRY(s2clr_strings_put(names, name, &row->name));
    S2CLR_TRY(read_texts(r, row));
    S2CLR_TRY(read_date(r, row));
    S2CLR_TRY(read_numbers(r, row));
    return read_footprint(r, row);
}

static s2clr_status reserve(s2clr_rows *rows, size_t wanted)
{
    s2clr_store_row *row;
    int64_t *fid;
    S2CLR_TRY(s2clr_alloc(wanted, sizeof *row, "rows of a store", (void **)&row));
    const s2clr_status status = s2clr_alloc(wanted, sizeof *fid, "rows of a store", (void **)&fid);
    if (status != S2CLR_OK) {
        s2clr_free(row);
        return status;
    }
    if (rows->count) {
        memcpy(row, rows->row, rows->count * sizeof *row);
        memcpy(fid, rows->fid, rows->count * sizeof *fid);
    }
    s2clr_free(rows->row);
    s2clr_free(rows->fid);
    rows->row = row;
    rows->fid = fid;
    return S2CLR_OK;
}

/* A read that fails ends the loop like the end of the table: `watch` tells the difference. */
static s2clr_status read_all(reader *r, const s2clr_gdal_watch *watch)
{
    s2clr_rows *rows = r->rows;
    size_t room = 0;
    OGR_L_ResetReading(r->index->layer);
    while ((r->feature = OGR_L_GetNextFeature(r->index->layer))) {
        s2clr_status status = S2CLR_OK;
        if (rows->count == room) status = reserve(rows, room = room ? 2 * room : 1024);
        if (status == S2CLR_OK) status = read_row(r, &rows->row[rows->count]);
        if (status == S2CLR_OK) rows->fid[rows->count++] = OGR_F_GetFID(r->feature);
        OGR_F_Destroy(r->feature);
        S2CLR_TRY(status);
    }
    if (watch->failed)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: reading failed after row %zu: %.300s; fetch or make the store "
                               "again",
                               r->index->path, rows->count, watch->text);
    return S2CLR_OK;
}

s2clr_status s2clr_rows_read(s2clr_index *index, s2clr_rows *out)
{
    s2clr_rows rows = {0};
    reader r = {.index = index, .rows = &rows};
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = read_all(&r, &watch);
    s2clr_gdal_watch_end(&watch);
    s2clr_footprints_clear(&r.footprints);
    if (status == S2CLR_OK)
        *out = rows;
    else
        s2clr_rows_clear(&rows);
    return status;
}
