/* VSIStatBufL is a struct stat64. */
#define _LARGEFILE64_SOURCE
#include <cpl_vsi.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/bigearthnet_classes.h"
#include "dataset/pbigearthnet.h"
#include "dataset/product_names.h"

enum { FILE_BYTES_MAX = 1 << 20, PATH_MAX_BYTES = 4096 };

static bool skip_number(const char **text, size_t digits)
{
    const size_t n = strspn(*text, "0123456789");
    if (n == 0 || (digits && n != digits)) return false;
    *text += n;
    return true;
}

static bool skip_text(const char **text, const char *expected)
{
    const size_t n = strlen(expected);
    if (strncmp(*text, expected, n) != 0) return false;
    *text += n;
    return true;
}

/* "_87_48" and nothing else. */
static bool ends_with_place(const char *p)
{
    return skip_text(&p, "_") && skip_number(&p, 0) && skip_text(&p, "_") && skip_number(&p, 0) &&
           !*p;
}

int s2clr_bigearthnet_version(const char *name)
{
    const char *p = name;
    if (strlen(name) >= S2CLR_BIGEARTHNET_NAME || !skip_text(&p, "S2") || *p < 'A' || *p > 'Z')
        return 0;
    p++;
    if (!skip_text(&p, "_MSIL2A_") || !skip_number(&p, 8) || !skip_text(&p, "T") ||
        !skip_number(&p, 0))
        return 0;
    if (ends_with_place(p)) return 1;
    if (!skip_text(&p, "_N") || !skip_number(&p, 4) || !skip_text(&p, "_R") || !skip_number(&p, 3))
        return 0;
    char tile[8];
    if (*p != '_' || !s2clr_product_tile(p + 1, tile) || strncmp(p + 1, tile, 6) != 0) return 0;
    return ends_with_place(p + 7) ? 2 : 0;
}

static s2clr_status load_json(const char *path, json_t **out)
{
    VSIStatBufL info;
    json_error_t error;
    VSILFILE *file = VSIStatL(path, &info) == 0 ? VSIFOpenL(path, "rb") : NULL;
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened; every patch needs it", path);
    char *text = NULL;
    s2clr_status status = S2CLR_OK;
    const size_t size = info.st_size > 0 ? (size_t)info.st_size : 0;
    if (size == 0 || size > FILE_BYTES_MAX)
        status = s2clr_error_set(S2CLR_ERR_FORMAT, "%s: has %zu bytes; wanted: 1 byte to 1 MiB",
                                 path, size);
    if (status == S2CLR_OK) status = s2clr_alloc(size, 1, "labels", (void **)&text);
    if (status == S2CLR_OK && VSIFReadL(text, 1, size, file) != size)
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read to its end", path);
    VSIFCloseL(file);
    json_t *json =
        status == S2CLR_OK ? json_loadb(text, size, JSON_REJECT_DUPLICATES, &error) : NULL;
    s2clr_free(text);
    S2CLR_TRY(status);
    if (!json)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: line %d is not JSON: %s; fetch it again",
                               path, error.line, error.text);
    *out = json;
    return S2CLR_OK;
}

static s2clr_status take_labels(const char *path, json_t *json, s2clr_bigearthnet_metadata *out)
{
    const json_t *labels = json_object_get(json, "labels");
    const size_t count = json_array_size(labels);
    if (count == 0 || count > S2CLR_PATCH_LABELS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: \"labels\" names %zu classes; wanted: a list of 1 to %d", path,
                               count, S2CLR_PATCH_LABELS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *label = json_string_value(json_array_get(labels, i));
        const bool merged = label && s2clr_bigearthnet_class_merged(label);
        if (!label || (!merged && s2clr_bigearthnet_class_find(label) < 0))
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: label \"%.100s\" is none of BigEarthNet's 43 classes", path,
                                   label ? label : "(not a text)");
        out->merged |= merged;
        out->labels[out->label_count++] = label;
    }
    return S2CLR_OK;
}

static s2clr_status take_box(const char *path, json_t *json, s2clr_bigearthnet_metadata *out)
{
    static const char *const keys[] = {"ulx", "uly", "lrx", "lry"};
    const json_t *box = json_object_get(json, "coordinates");
    for (int i = 0; i < 4; i++) {
        const json_t *number = json_object_get(box, keys[i]);
        out->box[i] = json_number_value(number);
        if (!json_is_number(number) || !isfinite(out->box[i]))
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: \"coordinates\" has no number %s; wanted: ulx, uly, lrx, "
                                   "lry",
                                   path, keys[i]);
    }
    return S2CLR_OK;
}

static s2clr_status take_text(const char *path, json_t *json, const char *key, const char **out)
{
    *out = json_string_value(json_object_get(json, key));
    if (*out) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: no text \"%s\"", path, key);
}

static s2clr_status take_all(const char *path, json_t *json, s2clr_bigearthnet_metadata *out)
{
    const char *date;
    S2CLR_TRY(take_labels(path, json, out));
    S2CLR_TRY(take_box(path, json, out));
    S2CLR_TRY(take_text(path, json, "projection", &out->projection));
    S2CLR_TRY(take_text(path, json, "tile_source", &out->tile_source));
    S2CLR_TRY(take_text(path, json, "acquisition_date", &date));
    if (s2clr_product_date(date, out->date)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: \"acquisition_date\" is \"%.40s\"; wanted: a day such as "
                           "2017-06-13",
                           path, date);
}

s2clr_status s2clr_bigearthnet_metadata_read(const char *folder, const char *name,
                                             s2clr_bigearthnet_metadata *out)
{
    char path[PATH_MAX_BYTES];
    json_t *json;
    s2clr_bigearthnet_metadata metadata = {0};
    if ((size_t)snprintf(path, sizeof path, "%s/%s_labels_metadata.json", folder, name) >=
        sizeof path)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.200s...: name too long; move the folder",
                               folder);
    S2CLR_TRY(load_json(path, &json));
    metadata.json = json;
    const s2clr_status status = take_all(path, json, &metadata);
    if (status == S2CLR_OK)
        *out = metadata;
    else
        s2clr_bigearthnet_metadata_clear(&metadata);
    return status;
}

void s2clr_bigearthnet_metadata_clear(s2clr_bigearthnet_metadata *metadata)
{
    json_decref(metadata->json);
    *metadata = (s2clr_bigearthnet_metadata){0};
}
