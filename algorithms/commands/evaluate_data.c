/* What an evaluation judges by: a part of a data set, its labels and its groups. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "commands/edge.h"
#include "commands/evaluate_job.h"
#include "dataset/store.h"

enum { TRAIN, VALIDATION, PART };

static const s2clr_card *first_card(const s2clr_evaluate *j)
{
    return s2clr_model_card(j->model[0]);
}

/* ---- opening ---- */

/* Index of the part that --part names, 3: all. */
static unsigned part_number(const s2clr_evaluate *j)
{
    static const char *const names[] = {[S2CLR_SPLIT_TRAIN] = "train",
                                        [S2CLR_SPLIT_VALIDATION] = "validation",
                                        [S2CLR_SPLIT_TEST] = "test"};
    unsigned i = 0;
    while (i < 3 && strcmp(j->e.part, names[i]) != 0) i++;
    return i;
}

const s2clr_samples *s2clr_evaluate_part(const s2clr_evaluate *j, const s2clr_parts *parts)
{
    const s2clr_samples *const part[] = {[S2CLR_SPLIT_TRAIN] = &parts->train,
                                         [S2CLR_SPLIT_VALIDATION] = &parts->validation,
                                         [S2CLR_SPLIT_TEST] = &parts->test,
                                         [3] = &parts->all};
    return part[part_number(j)];
}

/* A class of the card that the store has: with it as the positive one, every patch with a class
 * name is labelled, and the names themselves are read from the groups. */
static s2clr_status known_class(const char *path, const s2clr_card *card, const char **out)
{
    s2clr_store *store;
    *out = NULL;
    S2CLR_TRY(s2clr_store_open(path, &store));
    for (size_t i = 0; !*out && i < s2clr_store_count(store); i++)
        for (int c = 0; !*out && c < card->classes; c++)
            if (strcmp(s2clr_store_row_at(store, i)->labels, card->class_name[c]) == 0)
                *out = card->class_name[c];
    s2clr_store_close(store);
    if (*out) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: no patch has one of the %d classes of %s as its only one; the "
                           "first of them is \"%s\"",
                           path, card->classes, card->id, card->class_name[0]);
}

s2clr_status s2clr_evaluate_open_parts(s2clr_evaluate *j, const s2clr_card *card, s2clr_parts *out)
{
    const char *path = s2clr_args_text(j->args, "dataset"), *positive = j->positive;
    const unsigned part = part_number(j);
    if (j->classes && s2clr_store_identify(path)) S2CLR_TRY(known_class(path, card, &positive));
    const s2clr_parts_options options = {.positive = positive,
                                         .needed = part < 3 ? 1u << part : 0,
                                         .fraction = 1,
                                         .classes = j->classes,
                                         .card = card};
    return s2clr_parts_open(j->args, &options, j->pool, j->progress, out);
}

/* ---- labels of classes ---- */

static s2clr_status map_labels(const s2clr_evaluate *j, const s2clr_samples *samples, int **out)
{
    const s2clr_card *card = first_card(j);
    int *labels;
    if (samples->count == 0) return S2CLR_OK;
    if (!samples->groups)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: patches have several classes each, and %s gives one; name the "
                               "class to look for with --positive",
                               j->e.dataset, card->id);
    S2CLR_TRY(s2clr_alloc(samples->count, sizeof *labels, "labels", (void **)&labels));
    for (size_t i = 0; i < samples->count; i++) {
        const char *name = samples->group_names[samples->groups[i]];
        labels[i] = 0;
        while (labels[i] < card->classes && strcmp(card->class_name[labels[i]], name) != 0)
            labels[i]++;
        if (labels[i] < card->classes) continue;
        s2clr_free(labels);
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: %s is of the class \"%.80s\", which %s does not know",
                               j->e.dataset, samples->names[i], name, card->id);
    }
    *out = labels;
    return S2CLR_OK;
}

static s2clr_status open_classes(s2clr_evaluate *j)
{
    const s2clr_card *card = first_card(j);
    S2CLR_TRY(s2clr_alloc((size_t)card->classes, sizeof *j->class_name, "classes",
                          (void **)&j->class_name));
    for (int c = 0; c < card->classes; c++) j->class_name[c] = card->class_name[c];
    j->e.classes = card->classes;
    j->e.class_name = j->class_name;
    S2CLR_TRY(map_labels(j, &j->parts.train, &j->labels[TRAIN]));
    S2CLR_TRY(map_labels(j, &j->parts.validation, &j->labels[VALIDATION]));
    S2CLR_TRY(map_labels(j, j->part, &j->labels[PART]));
    j->e.label = j->labels[PART];
    return S2CLR_OK;
}

/* ---- groups ---- */

static s2clr_status group_by_class(s2clr_evaluate *j)
{
    const s2clr_samples *part = j->part;
    j->e.group_by = "class";
    j->e.by_class = true;
    for (size_t i = 0; i < part->count; i++)
        S2CLR_TRY(s2clr_evaluation_group(&j->e, i, part->group_names[part->groups[i]]));
    return S2CLR_OK;
}

/* Text of a column of the index, its first `*most` bytes. */
static const char *column_of(const s2clr_store_row *row, const char *column, size_t *most)
{
    *most = 64;
    if (strcmp(column, "country") == 0) return row->country;
    if (strcmp(column, "tile") == 0) return row->tile;
    if (strcmp(column, "source") == 0) return row->source;
    if (strcmp(column, "date") == 0) return *most = 10, row->date;
    if (strcmp(column, "year") == 0) return *most = 4, row->date;
    return NULL;
}

/* A patch of several classes is in the group of each. */
static s2clr_status group_by_labels(s2clr_evaluate *j, size_t index, const char *labels)
{
    char name[256];
    do {
        const size_t length = strcspn(labels, "|");
        snprintf(name, sizeof name, "%.*s", (int)(length < 255 ? length : 255), labels);
        S2CLR_TRY(s2clr_evaluation_group(&j->e, index, name));
        labels += length;
    } while (*labels++ == '|');
    return S2CLR_OK;
}

static s2clr_status group_sample(s2clr_evaluate *j, const s2clr_store *store, size_t index)
{
    const int64_t at = s2clr_store_find(store, j->part->names[index]);
    char name[72];
    size_t most;
    if (at < 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: patch %s has gone from the index",
                               j->e.dataset, j->part->names[index]);
    const s2clr_store_row *row = s2clr_store_row_at(store, (size_t)at);
    if (strcmp(j->e.group_by, "labels") == 0) return group_by_labels(j, index, row->labels);
    const char *text = column_of(row, j->e.group_by, &most);
    if (!text)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--group %.60s: patches of a store can be grouped by country, tile, "
                               "date, year, source, labels or class",
                               j->e.group_by);
    snprintf(name, sizeof name, "%.*s", (int)most, text);
    return s2clr_evaluation_group(&j->e, index, name);
}

static s2clr_status open_groups(s2clr_evaluate *j)
{
    const char *by = s2clr_args_text(j->args, "group");
    const bool classes = j->part->groups != NULL;
    s2clr_store *store;
    if (j->classes && by)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--group %.60s: groups are counted for one class against the rest; "
                               "--positive says which",
                               by);
    if (j->classes || (!by && !classes)) return S2CLR_OK;
    if (!by || (strcmp(by, "class") == 0 && classes)) return group_by_class(j);
    if (!j->parts.store)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--group %.60s: images can be grouped by class only; a store (s2clr "
                               "dataset import) knows more of its patches",
                               by);
    j->e.group_by = by;
    S2CLR_TRY(s2clr_store_open(j->e.dataset, &store));
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; status == S2CLR_OK && i < j->part->count; i++)
        status = group_sample(j, store, i);
    s2clr_store_close(store);
    return status;
}

/* ---- all ---- */

static s2clr_status choose_question(s2clr_evaluate *j)
{
    const s2clr_card *card = first_card(j);
    const bool store = s2clr_store_identify(j->e.dataset);
    const char *asked = s2clr_args_text(j->args, "positive");
    if (store && s2clr_args_given(j->args, "image-bands"))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--image-bands: the model's card says which bands of a store it "
                               "takes");
    j->positive = asked || store || j->classes ? asked : card->positive;
    j->e.positive = j->classes ? "" : asked ? asked : card->positive;
    return S2CLR_OK;
}

s2clr_status s2clr_evaluate_open_data(s2clr_evaluate *j)
{
    s2clr_evaluation *e = &j->e;
    e->dataset = s2clr_args_text(j->args, "dataset");
    e->part = s2clr_args_text(j->args, "part");
    S2CLR_TRY(choose_question(j));
    S2CLR_TRY(s2clr_evaluate_open_parts(j, first_card(j), &j->parts));
    s2clr_parts_note(j->args, &j->parts);
    j->part = s2clr_evaluate_part(j, &j->parts);
    S2CLR_TRY(s2clr_perturb_new(j->part, &e->perturb, &j->samples));
    e->count = j->part->count;
    e->label = j->part->labels;
    if (j->classes) S2CLR_TRY(open_classes(j));
    return open_groups(j);
}

void s2clr_evaluate_close_data(s2clr_evaluate *j)
{
    if (j->samples.free) j->samples.free(j->samples.self);
    for (int i = 0; i < 3; i++) s2clr_free(j->labels[i]);
    s2clr_free(j->class_name);
    s2clr_parts_close(&j->parts);
}
