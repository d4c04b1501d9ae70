#include "commands/tsne_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/dataset_rows.h"
#include "commands/edge.h"
#include "commands/store_parts.h"
#include "dataset/images.h"
#include "dataset/store_samples.h"

static void release(s2clr_samples *samples)
{
    if (samples->free) samples->free(samples->self);
    *samples = (s2clr_samples){0};
}

void s2clr_tsne_data_close(s2clr_tsne_data *data)
{
    release(&data->chosen);
    release(&data->part);
    release(&data->all);
    s2clr_free(data->class_all);
    data->class_all = NULL;
}

/* ---- opening ---- */

typedef struct store_look {
    bool parts, one_class;
} store_look;

static s2clr_status look_at_store(const char *path, store_look *out)
{
    s2clr_store *store;
    size_t named = 0;
    S2CLR_TRY(s2clr_store_open(path, &store));
    *out = (store_look){.parts = s2clr_store_has_parts(store), .one_class = true};
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const char *labels = s2clr_store_row_at(store, i)->labels;
        named += *labels != '\0';
        out->one_class &= strchr(labels, '|') == NULL;
    }
    out->one_class &= named > 0;
    s2clr_store_close(store);
    return S2CLR_OK;
}

static s2clr_status open_store(const s2clr_args *args, const s2clr_card *card, bool *recorded,
                               s2clr_tsne_data *data)
{
    const char *path = s2clr_args_text(args, "dataset");
    const bool whole = strcmp(data->part_name, "all") == 0;
    store_look look;
    S2CLR_TRY(look_at_store(path, &look));
    if (s2clr_args_given(args, "image-bands"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--image-bands: the model's card says which bands of a store it "
                               "takes");
    if (!data->by) data->by = look.one_class ? "class" : "label";
    const bool by_label = strcmp(data->by, "label") == 0;
    const s2clr_store_samples_options options = {
        .split = look.parts && !whole ? data->part_name : NULL,
        .positive = by_label ? s2clr_args_text(args, "positive") : NULL,
        .group = by_label                         ? NULL
                 : strcmp(data->by, "class") == 0 ? "labels"
                                                  : data->by,
        .unlabelled = true};
    const s2clr_parts told = {.store = true, .as_recorded = look.parts || whole};
    s2clr_parts_note(args, &told);
    S2CLR_TRY(s2clr_store_samples_open(path, card, &options, &data->all));
    snprintf(data->store_level, sizeof data->store_level, "%s",
             s2clr_store_samples_level(&data->all));
    *recorded = look.parts;
    return S2CLR_OK;
}

static s2clr_status open_images(const s2clr_args *args, const s2clr_card *card, s2clr_pool *pool,
                                const s2clr_progress *progress, s2clr_tsne_data *data)
{
    const char *positive = s2clr_args_text(args, "positive");
    if (!data->by) data->by = "class";
    const bool by_label = strcmp(data->by, "label") == 0;
    if (!by_label && strcmp(data->by, "class") != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--by %s: images have no %s; wanted: class or label, or a store",
                               data->by, data->by);
    if (!positive) positive = card->positive;
    if (by_label && !*positive)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--by label: the model's card names no positive class; name it with "
                               "--positive");
    const s2clr_images_options options = {.positive = by_label ? positive : NULL,
                                          .bands = s2clr_args_text(args, "image-bands")};
    return s2clr_images_open(s2clr_args_text(args, "dataset"), &options, pool, progress,
                             &data->all);
}

/* ---- classes ---- */

static void class_by_label(const s2clr_args *args, const s2clr_card *card, s2clr_tsne_data *data)
{
    const char *given = s2clr_args_text(args, "positive");
    const char *negative = given ? "others" : card->negative;
    const char *positive = given ? given : card->positive;
    data->class[0].name = *negative ? negative : "negative";
    data->class[1].name = *positive ? positive : "positive";
    data->class[2] = (s2clr_tsne_class){.name = "unknown", .unknown = true};
    data->classes = 3;
    for (size_t i = 0; i < data->all.count; i++)
        data->class_all[i] = data->all.labels[i] < 0 ? 2 : data->all.labels[i] > 0;
}

/* The most frequent groups are classes, in the order they have in the data; others become one.
 * slot: (groups) samples of each in, class out. */
static void number_classes(s2clr_tsne_data *data, size_t *slot)
{
    const int groups = data->all.group_count;
    const bool many = groups > S2CLR_TSNE_CLASSES;
    const int own = many ? S2CLR_TSNE_CLASSES - 1 : groups;
    for (int g = 0; g < groups; g++) {
        int before = 0;
        for (int h = 0; many && h < groups; h++)
            before += slot[h] > slot[g] || (slot[h] == slot[g] && h < g);
        if (before >= own) continue;
        const char *name = data->all.group_names[g];
        data->class[data->classes++] = (s2clr_tsne_class){
            .name = name, .count = (size_t)g, .unknown = strcmp(name, "unknown") == 0};
    }
    for (int g = 0; g < groups; g++) slot[g] = (size_t)data->classes;
    for (int c = 0; c < data->classes; c++) slot[data->class[c].count] = (size_t)c;
    if (!many) return;
    snprintf(data->others, sizeof data->others, "%d others", groups - own);
    data->class[data->classes++] = (s2clr_tsne_class){.name = data->others};
}

static s2clr_status class_by_group(s2clr_tsne_data *data)
{
    size_t *slot;
    S2CLR_TRY(s2clr_alloc((size_t)data->all.group_count, sizeof *slot, "classes", (void **)&slot));
    for (size_t i = 0; i < data->all.count; i++) slot[data->all.groups[i]]++;
    number_classes(data, slot);
    for (size_t i = 0; i < data->all.count; i++)
        data->class_all[i] = (int)slot[data->all.groups[i]];
    s2clr_free(slot);
    return S2CLR_OK;
}

/* ---- which of them ---- */

static s2clr_status take_part(const s2clr_args *args, bool recorded, s2clr_tsne_data *data)
{
    static const char *const names[] = {"train", "validation", "test"};
    double test = s2clr_args_real(args, "test-share");
    double validation = s2clr_args_real(args, "validation-share");
    s2clr_split_part part = S2CLR_SPLIT_TRAIN;
    if (test + validation > 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--test-share %g and --validation-share %g are more than everything",
                               test, validation);
    if (recorded || strcmp(data->part_name, "all") == 0) test = validation = 0;
    for (int i = 0; i < 3 && test + validation > 0; i++)
        if (strcmp(data->part_name, names[i]) == 0) part = (s2clr_split_part)i;
    return s2clr_samples_part(&data->all, part, test, validation, 1, 0, &data->part);
}

/* How many samples a fraction takes of all classes together: of each, rounded up. */
static size_t taken_by(const s2clr_tsne_data *data, const size_t *count, double fraction)
{
    double total = 0;
    for (int c = 0; c < data->classes; c++) total += ceil(fraction * (double)count[c]);
    return (size_t)total;
}

/* The same share of every class, at most --max-samples together. */
static s2clr_status thin(const s2clr_args *args, s2clr_tsne_data *data)
{
    const size_t most = (size_t)s2clr_args_int(args, "max-samples");
    size_t count[S2CLR_TSNE_CLASSES] = {0};
    double fraction = 1;
    for (size_t i = 0; i < data->part.count; i++) count[data->part.labels[i]]++;
    if (data->part.count > most) {
        double low = 0, high = 1;
        for (int step = 0; step < 40; step++) {
            fraction = (low + high) / 2;
            if (taken_by(data, count, fraction) > most)
                high = fraction;
            else
                low = fraction;
        }
        fraction = low;
    }
    return s2clr_samples_part(&data->part, S2CLR_SPLIT_TRAIN, 0, 0, fraction, 0, &data->chosen);
}

static s2clr_status find_level(const s2clr_args *args, const s2clr_card *card,
                               s2clr_tsne_data *data)
{
    s2clr_parts told = {.store = data->store_level[0] != '\0'};
    const char *usual = card->trained_level[0] ? card->trained_level : card->level[0].name;
    const char *level;
    memcpy(told.level, data->store_level, sizeof told.level);
    S2CLR_TRY(s2clr_parts_level(&told, card, s2clr_args_text(args, "level"), usual, &level));
    data->level = level == told.level ? data->store_level : level;
    return S2CLR_OK;
}

static s2clr_status open_data(const s2clr_args *args, const s2clr_card *card, s2clr_pool *pool,
                              const s2clr_progress *progress, s2clr_tsne_data *data)
{
    bool recorded = false;
    if (s2clr_store_identify(s2clr_args_text(args, "dataset")))
        S2CLR_TRY(open_store(args, card, &recorded, data));
    else
        S2CLR_TRY(open_images(args, card, pool, progress, data));
    S2CLR_TRY(s2clr_alloc(data->all.count, sizeof *data->class_all, "classes",
                          (void **)&data->class_all));
    if (strcmp(data->by, "label") == 0)
        class_by_label(args, card, data);
    else
        S2CLR_TRY(class_by_group(data));
    data->all.labels = data->class_all; /* the views share them out by class */
    S2CLR_TRY(take_part(args, recorded, data));
    data->part_count = data->part.count;
    S2CLR_TRY(thin(args, data));
    data->class_of = data->chosen.labels;
    return S2CLR_OK;
}

s2clr_status s2clr_tsne_data_open(const s2clr_args *args, const s2clr_card *card, s2clr_pool *pool,
                                  const s2clr_progress *progress, s2clr_tsne_data *out)
{
    *out = (s2clr_tsne_data){.part_name = s2clr_args_text(args, "part"),
                             .by = s2clr_args_text(args, "by")};
    s2clr_status status = open_data(args, card, pool, progress, out);
    if (status == S2CLR_OK) status = find_level(args, card, out);
    if (status != S2CLR_OK) s2clr_tsne_data_close(out);
    return status;
}
