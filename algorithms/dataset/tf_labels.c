/* Labels of a TFRecord: class names, their multi-hot vector, and what counts as positive. */
#include <stdio.h>
#include <string.h>

#include "dataset/ptfrecord.h"

/* Rows of the variants. */
enum { BIGEARTHNET, CROPLAND };

s2clr_status s2clr_tf_positive_read(const char *text, s2clr_tf_positive *out)
{
    s2clr_tf_positive positive = {.given = text != NULL, .text = text};
    const bool irrigated = text && strcmp(text, "Irrigated") == 0;
    const bool rainfed = text && strcmp(text, "Rainfed") == 0;
    const bool set = text && (strcmp(text, "regular") == 0 || strcmp(text, "expanded") == 0);
    if (text && !irrigated && !rainfed) {
        S2CLR_TRY(s2clr_bigearthnet_positive(text, positive.bigearthnet));
        positive.known[BIGEARTHNET] = true;
    }
    positive.known[CROPLAND] = irrigated || rainfed || set;
    positive.cropland[0] = irrigated || set;
    positive.cropland[1] = rainfed;
    *out = positive;
    return S2CLR_OK;
}

static int class_find(const s2clr_tf_variant *variant, const s2clr_bytes *name)
{
    for (int i = 0; i < variant->class_count; i++)
        if (strlen(variant->classes[i]) == name->size &&
            memcmp(variant->classes[i], name->at, name->size) == 0)
            return i;
    return -1;
}

static s2clr_status read_names(const s2clr_tf_patch *patch, const s2clr_feature *feature,
                               bool *there)
{
    s2clr_bytes names[S2CLR_PATCH_LABELS_MAX];
    if (feature->count > S2CLR_PATCH_LABELS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %zu labels; wanted: at most %d",
                               patch->example.subject, feature->count, S2CLR_PATCH_LABELS_MAX);
    S2CLR_TRY(s2clr_feature_bytes(&patch->example, feature, names, feature->count));
    for (size_t i = 0; i < feature->count; i++) {
        const int index = class_find(patch->variant, &names[i]);
        if (index < 0)
            return s2clr_error_set(
                S2CLR_ERR_FORMAT,
                "%s: unknown label '%.*s'; wanted: one of the %d classes of the "
                "%s records",
                patch->example.subject, names[i].size < 80 ? (int)names[i].size : 80,
                (const char *)names[i].at, patch->variant->class_count, patch->variant->name);
        there[index] = true;
    }
    return S2CLR_OK;
}

static s2clr_status read_multi_hot(const s2clr_tf_patch *patch, const s2clr_feature *feature,
                                   bool *there)
{
    int64_t value[S2CLR_BIGEARTHNET_CLASSES];
    const size_t count = (size_t)patch->variant->class_count;
    S2CLR_TRY(s2clr_feature_ints(&patch->example, feature, value, count));
    for (size_t i = 0; i < count; i++) {
        if (value[i] != 0 && value[i] != 1)
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: " S2CLR_TF_MULTI_HOT " holds %lld; wanted: 0 and 1",
                                   patch->example.subject, (long long)value[i]);
        there[i] = value[i] != 0;
    }
    return S2CLR_OK;
}

static const s2clr_feature *find_filled(const s2clr_tf_patch *patch, const char *name)
{
    const s2clr_feature *feature = s2clr_tfexample_find(&patch->example, name);
    return feature && feature->kind != S2CLR_FEATURE_EMPTY ? feature : NULL;
}

/* *known: the record says anything about classes. */
static s2clr_status read_classes(const s2clr_tf_patch *patch, bool *there, bool *known)
{
    const size_t bytes = (size_t)patch->variant->class_count * sizeof *there;
    const s2clr_feature *names = find_filled(patch, S2CLR_TF_LABELS);
    const s2clr_feature *vector = find_filled(patch, S2CLR_TF_MULTI_HOT);
    bool hot[S2CLR_BIGEARTHNET_CLASSES] = {false};
    *known = names || vector;
    if (names) S2CLR_TRY(read_names(patch, names, there));
    if (!vector) return S2CLR_OK;
    S2CLR_TRY(read_multi_hot(patch, vector, hot));
    if (names && memcmp(hot, there, bytes) != 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: " S2CLR_TF_LABELS " and " S2CLR_TF_MULTI_HOT
                               " say different things; one of them is wrong",
                               patch->example.subject);
    memcpy(there, hot, bytes);
    return S2CLR_OK;
}

s2clr_status s2clr_tf_labels_read(const s2clr_tf_patch *patch, const s2clr_tf_positive *positive,
                                  s2clr_patch_record *record)
{
    const s2clr_tf_variant *variant = patch->variant;
    const int row = variant->class_count == 2 ? CROPLAND : BIGEARTHNET;
    const bool *wanted = row == CROPLAND ? positive->cropland : positive->bigearthnet;
    bool there[S2CLR_BIGEARTHNET_CLASSES] = {false}, known;
    S2CLR_TRY(read_classes(patch, there, &known));
    record->label_count = 0;
    record->label = known && positive->given ? S2CLR_LABEL_NEGATIVE : S2CLR_LABEL_UNKNOWN;
    record->cover = -1;
    for (int i = 0; i < variant->class_count; i++) {
        if (!there[i]) continue;
        record->labels[record->label_count++] = variant->classes[i];
        if (wanted[i]) record->label = S2CLR_LABEL_POSITIVE;
    }
    if (record->label_count && positive->given && !positive->known[row])
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: has labels of the %s records, of which '%.100s' is none; the "
                               "positive class is %s there",
                               patch->example.subject, variant->name, positive->text,
                               row == CROPLAND ? "Irrigated or Rainfed"
                                               : "regular, expanded or one of the 43");
    return S2CLR_OK;
}
