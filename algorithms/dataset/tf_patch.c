/* A tf.train.Example of SimCLR-S2 as a patch. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "dataset/product_names.h"
#include "dataset/pstore.h"
#include "dataset/ptfrecord.h"

enum { HASH_DIGITS = 12 };

/* ---- bands ---- */

/* The variants differ by the size of the red edge. */
static s2clr_status find_variant(s2clr_tf_patch *patch)
{
    const s2clr_tf_variant *rows;
    const size_t count = s2clr_tf_variant_list(&rows);
    const s2clr_feature *feature = s2clr_tfexample_find(&patch->example, "B05");
    for (size_t v = 0; feature && v < count; v++)
        for (int b = 0; b < rows[v].bands; b++) {
            const size_t side = (size_t)rows[v].band[b].side;
            if (strcmp(rows[v].band[b].name, "B05") != 0 || feature->count != side * side) continue;
            patch->variant = &rows[v];
            return S2CLR_OK;
        }
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: %s %zu values; wanted: a patch of SimCLR-S2, with 3600 or 14400 "
                           "integers in B05",
                           patch->example.subject, feature ? "band B05 has" : "has no band B05,",
                           feature ? feature->count : 0);
}

/* *dtype: unsigned, unless a value is negative. */
static s2clr_status to_pixels(const s2clr_tf_patch *patch, const char *band, size_t count,
                              uint16_t *pixels, s2clr_dtype *dtype)
{
    int64_t least = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        if (patch->value[i] < least) least = patch->value[i];
        if (patch->value[i] > most) most = patch->value[i];
        pixels[i] = (uint16_t)patch->value[i];
    }
    *dtype = least < 0 ? S2CLR_DTYPE_I16 : S2CLR_DTYPE_U16;
    if (least >= INT16_MIN && most <= (least < 0 ? INT16_MAX : UINT16_MAX)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: band %s has values from %lld to %lld; wanted: DN of 16 bits",
                           patch->example.subject, band, (long long)least, (long long)most);
}

static s2clr_status read_band(s2clr_tf_patch *patch, const s2clr_tf_band *wanted, uint16_t *pixels,
                              s2clr_patch_record *record)
{
    const s2clr_feature *feature = s2clr_tfexample_find(&patch->example, wanted->name);
    const size_t count = (size_t)wanted->side * (size_t)wanted->side;
    if ((!feature || feature->kind == S2CLR_FEATURE_EMPTY) && !wanted->needed) return S2CLR_OK;
    if (!feature)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: band %s is missing; wanted: the %s records' bands",
                               patch->example.subject, wanted->name, patch->variant->name);
    s2clr_patch_band *band = &record->band[record->bands];
    S2CLR_TRY(s2clr_feature_ints(&patch->example, feature, patch->value, count));
    S2CLR_TRY(to_pixels(patch, wanted->name, count, pixels, &band->dtype));
    snprintf(band->name, sizeof band->name, "%s", wanted->name);
    band->height = band->width = wanted->side;
    band->data = pixels;
    record->bands++;
    return S2CLR_OK;
}

/* *pixels: values in all bands. */
static s2clr_status read_bands(s2clr_tf_patch *patch, s2clr_patch_record *record, size_t *pixels)
{
    size_t at = 0;
    record->bands = 0;
    for (int b = 0; b < patch->variant->bands; b++) {
        const s2clr_tf_band *wanted = &patch->variant->band[b];
        const int before = record->bands;
        S2CLR_TRY(read_band(patch, wanted, patch->pixels + at, record));
        if (record->bands > before) at += (size_t)wanted->side * (size_t)wanted->side;
    }
    *pixels = at;
    return S2CLR_OK;
}

/* ---- name ---- */

static s2clr_status read_name(s2clr_tf_patch *patch)
{
    const s2clr_feature *feature = s2clr_tfexample_find(&patch->example, S2CLR_TF_NAME);
    s2clr_bytes name;
    if (!feature)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: has no " S2CLR_TF_NAME "; wanted: one text",
                               patch->example.subject);
    S2CLR_TRY(s2clr_feature_bytes(&patch->example, feature, &name, 1));
    /* The cropland records have the path of a folder on the machine they were made on. */
    while (!patch->variant->unique_names && name.size && name.at[name.size - 1] == '/') name.size--;
    const unsigned char *slash =
        patch->variant->unique_names ? NULL : memrchr(name.at, '/', name.size);
    if (slash) {
        name.size -= (size_t)(slash + 1 - name.at);
        name.at = slash + 1;
    }
    if (name.size < 1 || name.size > S2CLR_PATCH_NAME_MAX - HASH_DIGITS - 1 ||
        memchr(name.at, 0, name.size))
        return s2clr_error_set(
            S2CLR_ERR_FORMAT, "%s: " S2CLR_TF_NAME " has %zu bytes; wanted: a text of 1 to %d",
            patch->example.subject, name.size, S2CLR_PATCH_NAME_MAX - HASH_DIGITS - 1);
    memcpy(patch->picture, name.at, name.size);
    patch->picture[name.size] = '\0';
    return S2CLR_OK;
}

/* Patches that share a picture get part of the hash of their pixels, so that a name depends
 * neither on the order of the records nor on which files are read together; one that has it
 * already keeps its name. */
static void complete_name(s2clr_tf_patch *patch, size_t pixels)
{
    char hex[65], suffix[HASH_DIGITS + 2];
    const size_t length = strlen(patch->picture);
    s2clr_store_digest(patch->pixels, pixels * sizeof patch->pixels[0], hex);
    snprintf(suffix, sizeof suffix, "_%.*s", HASH_DIGITS, hex);
    const bool has =
        length > HASH_DIGITS + 1 && strcmp(patch->picture + length - HASH_DIGITS - 1, suffix) == 0;
    const bool plain = patch->variant->unique_names || has;
    snprintf(patch->name, sizeof patch->name, "%s%s", patch->picture, plain ? "" : suffix);
}

s2clr_status s2clr_tf_patch_read(const void *bytes, size_t size, const char *subject,
                                 const s2clr_tf_positive *positive, s2clr_tf_patch *patch,
                                 s2clr_patch_record *record)
{
    size_t pixels;
    S2CLR_TRY(s2clr_tfexample_parse(bytes, size, subject, &patch->example));
    S2CLR_TRY(find_variant(patch));
    S2CLR_TRY(read_name(patch));
    S2CLR_TRY(read_bands(patch, record, &pixels));
    S2CLR_TRY(s2clr_tf_labels_read(patch, positive, record));
    complete_name(patch, pixels);
    if (!s2clr_product_date(patch->name, patch->date)) patch->date[0] = '\0';
    if (!s2clr_product_tile(patch->name, patch->tile)) patch->tile[0] = '\0';
    record->name = patch->name;
    record->date = patch->date;
    record->tile = patch->tile;
    record->level = "L2A"; /* both were made of L2A products */
    record->metres = 10;
    if (!patch->variant->unique_names) record->source = patch->picture;
    return s2clr_patch_record_check(record);
}
