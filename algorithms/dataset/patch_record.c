#include "dataset/patch_record.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentinel2/bands.h"

enum { TEXT_MAX = 65536 };

/* A piece of a message: shortened and without control characters. */
typedef struct shown {
    char text[84];
} shown;

static const char *show(const char *text, shown *out)
{
    snprintf(out->text, sizeof out->text, "%s", text ? text : "(none)");
    for (char *c = out->text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return out->text;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127) return true;
    return false;
}

/* jansson is the judge. */
static bool is_utf8(const char *text)
{
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

static s2clr_status refuse(const s2clr_patch_record *record, const char *item, const char *found,
                           const char *wanted)
{
    shown name, value;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "patch '%s': %s is '%s', wanted: %s",
                           show(record->name, &name), item, show(found, &value), wanted);
}

static s2clr_status check_name(const s2clr_patch_record *record)
{
    const char *name = record->name;
    if (!name || !*name) return refuse(record, "the name", name, "a name that is not empty");
    const size_t length = strlen(name);
    char found[32];
    snprintf(found, sizeof found, "%zu bytes long", length);
    if (length > S2CLR_PATCH_NAME_MAX)
        return refuse(record, "the name", found, "at most 500 bytes; shorten it");
    if (has_control(name)) return refuse(record, "the name", name, "no control characters");
    if (name[0] == ' ' || name[length - 1] == ' ')
        return refuse(record, "the name", name, "no blank at either end");
    return is_utf8(name) ? S2CLR_OK : refuse(record, "the name", name, "UTF-8 text");
}

static s2clr_status check_band(const s2clr_patch_record *record, const s2clr_patch_band *band)
{
    char item[40], found[40];
    if (!memchr(band->name, 0, sizeof band->name))
        return refuse(record, "a band's name", "not terminated", "at most 15 bytes");
    snprintf(item, sizeof item, "band '%s'", band->name);
    const s2clr_band *known = s2clr_band_find(band->name);
    if (strcmp(band->name, "SCL") != 0 && (!known || strcmp(known->name, band->name) != 0))
        return refuse(record, item, known ? "not the canonical name" : "unknown",
                      known ? known->name : "a Sentinel-2 band (B01 to B12, B8A) or SCL");
    for (const s2clr_patch_band *other = record->band; other < band; other++)
        if (strcmp(other->name, band->name) == 0)
            return refuse(record, item, "there twice", "each band once");
    snprintf(found, sizeof found, "%d rows, %d columns", band->height, band->width);
    if (band->height < 1 || band->width < 1 || band->height > S2CLR_PATCH_SIDE_MAX ||
        band->width > S2CLR_PATCH_SIDE_MAX)
        return refuse(record, item, found, "1 to 8192 of each");
    const s2clr_dtype type = band->dtype;
    if (type != S2CLR_DTYPE_U8 && type != S2CLR_DTYPE_U16 && type != S2CLR_DTYPE_I16 &&
        type != S2CLR_DTYPE_F32)
        return refuse(record, item, "of another type", "U8, U16, I16 or F32");
    return band->data ? S2CLR_OK : refuse(record, item, "without data", "pixels");
}

static s2clr_status check_bands(const s2clr_patch_record *record)
{
    char found[40];
    snprintf(found, sizeof found, "%d", record->bands);
    if (record->bands < 1 || record->bands > S2CLR_PATCH_BANDS_MAX)
        return refuse(record, "the number of bands", found, "1 to 16");
    for (int b = 0; b < record->bands; b++) S2CLR_TRY(check_band(record, &record->band[b]));
    return S2CLR_OK;
}

void s2clr_patch_record_size(const s2clr_patch_record *record, int *height, int *width)
{
    int h = 0, w = 0;
    for (int b = 0; b < record->bands; b++) {
        if (record->band[b].height > h) h = record->band[b].height;
        if (record->band[b].width > w) w = record->band[b].width;
    }
    *height = h;
    *width = w;
}

static s2clr_status check_footprint(const s2clr_patch_record *record)
{
    const double *t = record->transform;
    char found[64];
    int height, width;
    if (!record->has_footprint) return S2CLR_OK;
    if (!record->crs || !*record->crs)
        return refuse(record, "the CRS of its footprint", "", "a CRS such as EPSG:32630");
    bool good = isnormal(t[1] * t[5] - t[2] * t[4]);
    for (int i = 0; i < 6; i++) good = good && isfinite(t[i]);
    if (!good)
        return refuse(record, "its geotransform", "without area or not finite",
                      "six finite numbers that span an area");
    s2clr_patch_record_size(record, &height, &width);
    snprintf(found, sizeof found, "%d rows, %d columns", record->height, record->width);
    if (record->height != height || record->width != width)
        return refuse(record, "the size of its footprint", found, "that of its finest band");
    return S2CLR_OK;
}

static s2clr_status check_text(const s2clr_patch_record *record, const char *item, const char *text)
{
    if (!text) return S2CLR_OK;
    if (strnlen(text, TEXT_MAX) == TEXT_MAX)
        return refuse(record, item, "too long", "less than 65,536 bytes");
    if (has_control(text) || !is_utf8(text))
        return refuse(record, item, text, "UTF-8 text without control characters");
    return S2CLR_OK;
}

/* A line break is usual in WKT. */
static s2clr_status check_crs(const s2clr_patch_record *record)
{
    if (!record->crs) return S2CLR_OK;
    if (strnlen(record->crs, TEXT_MAX) == TEXT_MAX || !is_utf8(record->crs))
        return refuse(record, "the CRS", record->crs, "UTF-8 text of less than 65,536 bytes");
    return S2CLR_OK;
}

static s2clr_status check_labels(const s2clr_patch_record *record)
{
    char found[40];
    snprintf(found, sizeof found, "%d", record->label_count);
    if (record->label_count < 0 || record->label_count > S2CLR_PATCH_LABELS_MAX)
        return refuse(record, "the number of class names", found, "0 to 64");
    for (int i = 0; i < record->label_count; i++) {
        const char *label = record->labels[i];
        if (!label || !*label || strchr(label, '|'))
            return refuse(record, "a class name", label, "a text that is not empty and without |");
        S2CLR_TRY(check_text(record, "a class name", label));
    }
    snprintf(found, sizeof found, "%d", (int)record->label);
    if (record->label < S2CLR_LABEL_UNKNOWN || record->label > S2CLR_LABEL_POSITIVE)
        return refuse(record, "the label", found, "-1, 0 or 1");
    snprintf(found, sizeof found, "%g", record->cover);
    if (!(record->cover == -1 || (record->cover >= 0 && record->cover <= 1)))
        return refuse(record, "the cover", found, "a share from 0 to 1, or -1 for unknown");
    return S2CLR_OK;
}

bool s2clr_date_parse(const char *date, int ymd[3])
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int i = 0; i < 10; i++) {
        const bool dash = i == 4 || i == 7;
        if (dash ? date[i] != '-' : date[i] < '0' || date[i] > '9') return false;
    }
    if (date[10]) return false;
    const int y = atoi(date), m = atoi(date + 5), d = atoi(date + 8);
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (y < 1 || m < 1 || m > 12 || d < 1 || d > days[m - 1] + (m == 2 && leap)) return false;
    ymd[0] = y, ymd[1] = m, ymd[2] = d;
    return true;
}

static s2clr_status check_meaning(const s2clr_patch_record *record)
{
    char found[40];
    int ymd[3];
    snprintf(found, sizeof found, "%g", record->dn_offset);
    if (!isfinite(record->dn_offset)) return refuse(record, "the DN offset", found, "a number");
    snprintf(found, sizeof found, "%g", record->metres);
    if (!isfinite(record->metres) || record->metres < 0)
        return refuse(record, "the ground size of a pixel", found, "metres, or 0 for unknown");
    if (record->date && *record->date && !s2clr_date_parse(record->date, ymd))
        return refuse(record, "the date", record->date, "a day such as 2017-06-13, or none");
    if (!s2clr_split_name_known(record->split))
        return refuse(record, "the split", record->split, "train, validation, test or none");
    return S2CLR_OK;
}

bool s2clr_split_name_known(const char *split)
{
    return !split || !*split || strcmp(split, "train") == 0 || strcmp(split, "validation") == 0 ||
           strcmp(split, "test") == 0;
}

s2clr_status s2clr_patch_record_check(const s2clr_patch_record *record)
{
    const struct {
        const char *item, *text;
    } texts[] = {{"the level", record->level},   {"the country", record->country},
                 {"the tile", record->tile},     {"the place", record->place},
                 {"the source", record->source}, {"the date", record->date},
                 {"the split", record->split}};
    S2CLR_TRY(check_name(record));
    S2CLR_TRY(check_bands(record));
    S2CLR_TRY(check_crs(record));
    S2CLR_TRY(check_footprint(record));
    S2CLR_TRY(check_labels(record));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        S2CLR_TRY(check_text(record, texts[i].item, texts[i].text));
    return check_meaning(record);
}
