/* TFRecords that SimCLR-S2's published code reads: PATH/train, PATH/val, PATH/test. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pexport.h"
#include "dataset/ptfrecord.h"
#include "dataset/tfrecord.h"

enum { RECORDS = 1000, PARTS = 4, FEATURES = S2CLR_TF_BANDS_MAX + 3 };

/* Patches of no split lie in PATH itself. */
static const struct {
    const char *split, *folder;
} parts[PARTS] = {{"train", "train"}, {"validation", "val"}, {"test", "test"}, {"", ""}};

typedef struct part {
    s2clr_tfrecord_writer *writer; /* or NULL */
    size_t files, records;         /* records: of the open one */
} part;

typedef struct export
{
    s2clr_export_place place;
    const s2clr_tf_variant *variant;
    size_t records; /* per file, at most */
    size_t files;
    part part[PARTS];
    int64_t value[S2CLR_TF_BANDS_MAX * S2CLR_TF_SIDE_MAX * S2CLR_TF_SIDE_MAX];
    int64_t hot[S2CLR_BIGEARTHNET_CLASSES];
    s2clr_bytes label[S2CLR_BIGEARTHNET_CLASSES], name;
    s2clr_feature_source feature[FEATURES];
}
export;

/* ---- bands ---- */

static bool get_value(const s2clr_patch_band *band, size_t i, int64_t *out)
{
    uint16_t u16;
    int16_t i16;
    const unsigned char *bytes = band->data;
    switch (band->dtype) {
    case S2CLR_DTYPE_U8:
        *out = bytes[i];
        return true;
    case S2CLR_DTYPE_U16:
        memcpy(&u16, bytes + 2 * i, 2);
        *out = u16;
        return true;
    case S2CLR_DTYPE_I16:
        memcpy(&i16, bytes + 2 * i, 2);
        *out = i16;
        return true;
    default:
        return false;
    }
}

/* The records know no offset, so it is added; 0 means no data before and after. */
static s2clr_status fill(const s2clr_store_row *row, const s2clr_patch_band *band, int64_t *out)
{
    const int64_t offset = llround(row->dn_offset);
    const size_t count = (size_t)band->width * (size_t)band->height;
    for (size_t i = 0; i < count; i++) {
        if (!get_value(band, i, &out[i]))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "patch '%.200s': band %s holds floats; wanted: integers",
                                   row->name, band->name);
        if (out[i] != 0) out[i] += offset;
    }
    return S2CLR_OK;
}

static const s2clr_patch_band *find_band(const s2clr_store_patch *patch, const char *name)
{
    for (int b = 0; b < patch->bands; b++)
        if (strcmp(patch->band[b].name, name) == 0) return &patch->band[b];
    return NULL;
}

static s2clr_status put_bands(export *to, const s2clr_store_row *row,
                              const s2clr_store_patch *patch, size_t *features)
{
    int64_t *value = to->value;
    for (int b = 0; b < to->variant->bands; b++) {
        const s2clr_tf_band *wanted = &to->variant->band[b];
        const s2clr_patch_band *band = find_band(patch, wanted->name);
        const int side = wanted->side;
        if (!band && !wanted->needed) continue;
        if (!band || band->width != side || band->height != side)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "patch '%.200s': band %s has %d x %d pixels; the %s records "
                                   "want %d x %d",
                                   row->name, wanted->name, band ? band->width : 0,
                                   band ? band->height : 0, to->variant->name, side, side);
        S2CLR_TRY(fill(row, band, value));
        const size_t count = (size_t)side * (size_t)side;
        to->feature[(*features)++] = (s2clr_feature_source){
            .name = wanted->name, .kind = S2CLR_FEATURE_INTS, .count = count, .ints = value};
        value += count;
    }
    return S2CLR_OK;
}

/* ---- labels ---- */

static void mark_names(export *to, const char *labels)
{
    for (int i = 0; i < to->variant->class_count; i++) {
        const char *name = to->variant->classes[i];
        const size_t length = strlen(name);
        for (const char *at = labels; *at; at += strcspn(at, "|"), at += *at == '|')
            if (strcspn(at, "|") == length && strncmp(at, name, length) == 0) to->hot[i] = 1;
    }
}

/* The published code takes class 12 of 43 for the label, so that a positive patch of other class
 * names, or of none, gets it; an unknown label would be read as a negative one. */
static s2clr_status mark_label(export *to, const s2clr_store_row *row)
{
    const bool binary = to->variant->class_count == 2;
    memset(to->hot, 0, sizeof to->hot);
    if (!binary) mark_names(to, row->labels);
    for (int i = 0; i < to->variant->class_count; i++)
        if (to->hot[i]) return S2CLR_OK;
    if (row->label == S2CLR_LABEL_UNKNOWN && !binary)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "patch '%.200s': its label is unknown, the %s records would say it "
                               "is negative",
                               row->name, to->variant->name);
    const int positive = binary ? 0 : s2clr_bigearthnet_class_find("Permanently irrigated land");
    if (row->label == S2CLR_LABEL_POSITIVE) to->hot[positive] = 1;
    if (row->label == S2CLR_LABEL_NEGATIVE && binary) to->hot[1] = 1;
    return S2CLR_OK;
}

static s2clr_status put_labels(export *to, const s2clr_store_row *row, size_t *features)
{
    size_t names = 0;
    S2CLR_TRY(mark_label(to, row));
    for (int i = 0; i < to->variant->class_count; i++) {
        const char *name = to->variant->classes[i];
        if (to->hot[i])
            to->label[names++] = (s2clr_bytes){(const unsigned char *)name, strlen(name)};
    }
    if (names == 0 && row->label == S2CLR_LABEL_UNKNOWN) return S2CLR_OK;
    to->feature[(*features)++] = (s2clr_feature_source){
        .name = S2CLR_TF_LABELS, .kind = S2CLR_FEATURE_BYTES, .count = names, .bytes = to->label};
    to->feature[(*features)++] = (s2clr_feature_source){.name = S2CLR_TF_MULTI_HOT,
                                                        .kind = S2CLR_FEATURE_INTS,
                                                        .count = (size_t)to->variant->class_count,
                                                        .ints = to->hot};
    return S2CLR_OK;
}

/* ---- files ---- */

static s2clr_status open_part(export *to, int index)
{
    part *into = &to->part[index];
    const char *folder = parts[index].folder;
    char name[60], path[S2CLR_EXPORT_PATH_MAX];
    if (into->writer && into->records == to->records) {
        s2clr_tfrecord_writer *full = into->writer;
        into->writer = NULL;
        S2CLR_TRY(s2clr_tfrecord_finish(full, true));
    }
    if (into->writer) return S2CLR_OK;
    if (*folder) S2CLR_TRY(s2clr_export_place_folder(&to->place, folder));
    snprintf(name, sizeof name, "%s%spart-%05zu.tfrecord", folder, *folder ? "/" : "", into->files);
    S2CLR_TRY(s2clr_export_place_join(&to->place, name, path));
    S2CLR_TRY(s2clr_tfrecord_create(path, &into->writer));
    into->records = 0;
    into->files++;
    to->files++;
    return S2CLR_OK;
}

static s2clr_status close_parts(export *to, s2clr_status status)
{
    for (int i = 0; i < PARTS; i++) {
        if (!to->part[i].writer) continue;
        const s2clr_status closed = s2clr_tfrecord_finish(to->part[i].writer, status == S2CLR_OK);
        if (status == S2CLR_OK) status = closed;
    }
    return status;
}

static s2clr_status put(void *self, const s2clr_store_row *row, const s2clr_store_patch *patch)
{
    export *to = self;
    size_t features = 0, size;
    int index = 0;
    void *bytes;
    while (index < PARTS - 1 && strcmp(parts[index].split, row->split) != 0) index++;
    S2CLR_TRY(put_bands(to, row, patch, &features));
    S2CLR_TRY(put_labels(to, row, &features));
    to->name = (s2clr_bytes){(const unsigned char *)row->name, strlen(row->name)};
    to->feature[features++] = (s2clr_feature_source){
        .name = S2CLR_TF_NAME, .kind = S2CLR_FEATURE_BYTES, .count = 1, .bytes = &to->name};
    S2CLR_TRY(open_part(to, index));
    S2CLR_TRY(s2clr_tfexample_encode(to->feature, features, &bytes, &size));
    const s2clr_status status = s2clr_tfrecord_write(to->part[index].writer, bytes, size);
    s2clr_free(bytes);
    to->part[index].records++;
    return status;
}

/* All bands at 10 m: the cropland variant; else the one with the archive's own sizes. */
static const s2clr_tf_variant *choose_variant(const s2clr_store *store)
{
    const s2clr_tf_variant *rows;
    const s2clr_store_about *about = s2clr_store_describe(store);
    s2clr_tf_variant_list(&rows);
    for (int b = 0; b < about->bands; b++)
        if (strcmp(about->band[b].name, "B05") == 0 &&
            about->band[b].smallest[0] == S2CLR_TF_SIDE_MAX)
            return &rows[1];
    return &rows[0];
}

static s2clr_status run(const s2clr_store *store, const char *path,
                        const s2clr_export_options *options, s2clr_export_report *out)
{
    s2clr_export_report report = {.patches = 0};
    export *to;
    S2CLR_TRY(s2clr_alloc(1, sizeof *to, path, (void **)&to));
    to->variant = choose_variant(store);
    to->records = options->records ? options->records : RECORDS;
    s2clr_status status = s2clr_export_place_begin(path, true, &to->place);
    if (status == S2CLR_OK) {
        status = s2clr_export_each(store, options, true, put, to, &report);
        status = close_parts(to, status);
        status = s2clr_export_place_end(&to->place, status);
    }
    report.files = to->files;
    s2clr_free(to);
    if (status == S2CLR_OK) *out = report;
    return status;
}

const s2clr_export_kind s2clr_export_tfrecord = {
    "tfrecord", "TFRecords as SimCLR-S2 has them, a folder for each split", true, run};
