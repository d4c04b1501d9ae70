/* Counts of labels: per class, pairs of classes, split, country, season. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pstats.h"
#include "dataset/pstore.h"

typedef s2clr_strings class_names;

static void count_label(s2clr_count *count, s2clr_label label)
{
    count->patches++;
    count->positive += label == S2CLR_LABEL_POSITIVE;
    count->negative += label == S2CLR_LABEL_NEGATIVE;
    count->unknown += label == S2CLR_LABEL_UNKNOWN;
}

static int by_patches(const void *a, const void *b)
{
    const s2clr_count *x = a, *y = b;
    if (x->patches != y->patches) return x->patches < y->patches ? 1 : -1;
    return strcmp(x->name, y->name);
}

/* ---- tables ---- */

static const char *const splits[] = {"train", "validation", "test", ""};
static const char *const seasons[] = {"December to February", "March to May", "June to August",
                                      "September to November", ""};

static const char *split_of(const s2clr_store_row *row)
{
    return row->split;
}

static const char *country_of(const s2clr_store_row *row)
{
    return row->country;
}

/* Months, not names of seasons: those are another half of the year in the south. */
static const char *season_of(const s2clr_store_row *row)
{
    int ymd[3];
    return s2clr_date_parse(row->date, ymd) ? seasons[ymd[1] % 12 / 3] : "";
}

static const char *level_of(const s2clr_store_row *row)
{
    return row->level;
}

static const struct {
    const char *(*key)(const s2clr_store_row *row);
    const char *const *names; /* a fixed order; NULL: as many as there are */
    size_t count;
} tables[S2CLR_STATS_TABLES] = {
    [S2CLR_STATS_SPLITS] = {split_of, splits, 4},
    [S2CLR_STATS_COUNTRIES] = {country_of, NULL, 0},
    [S2CLR_STATS_SEASONS] = {season_of, seasons, 5},
    [S2CLR_STATS_LEVELS] = {level_of, NULL, 0},
};

static s2clr_status collect(const s2clr_store *store, size_t t, s2clr_strings *names)
{
    const char *kept;
    for (size_t i = 0; i < tables[t].count; i++)
        S2CLR_TRY(s2clr_strings_put(names, tables[t].names[i], &kept));
    for (size_t i = 0; i < s2clr_store_count(store); i++)
        S2CLR_TRY(s2clr_strings_put(names, tables[t].key(s2clr_store_row_at(store, i)), &kept));
    return S2CLR_OK;
}

static void count_rows(const s2clr_store *store, size_t t, const s2clr_strings *names,
                       s2clr_count *table)
{
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        const int64_t at = s2clr_strings_find(names, tables[t].key(row));
        if (at < 0) continue;
        if (!table[at].name) table[at].name = tables[t].key(row); /* the store outlives `names` */
        count_label(&table[at], row->label);
    }
}

static s2clr_status count_table(const s2clr_store *store, size_t t, s2clr_label_stats *labels)
{
    s2clr_strings names = {0};
    s2clr_count *table = NULL;
    s2clr_status status = collect(store, t, &names);
    if (status == S2CLR_OK)
        status = s2clr_alloc(names.count, sizeof *table, "counts", (void **)&table);
    if (status == S2CLR_OK) {
        for (size_t i = 0; i < tables[t].count; i++) table[i].name = tables[t].names[i];
        count_rows(store, t, &names, table);
        if (!tables[t].names) qsort(table, names.count, sizeof *table, by_patches);
        labels->table[t] = table;
        labels->rows[t] = names.count;
    }
    s2clr_strings_clear(&names);
    return status;
}

/* ---- classes ---- */

static int numbers_of(const class_names *names, const char *text,
                      size_t number[S2CLR_PATCH_LABELS_MAX])
{
    char name[1024];
    int count = 0;
    for (const char *at = *text ? text : NULL; at && count < S2CLR_PATCH_LABELS_MAX;) {
        at = s2clr_class_name_next(at, name, sizeof name);
        const int64_t found = s2clr_strings_find(names, name);
        bool again = found < 0;
        for (int i = 0; i < count; i++) again |= number[i] == (size_t)found;
        if (!again) number[count++] = (size_t)found;
    }
    return count;
}

int s2clr_stats_classes_of(const s2clr_label_stats *labels, const char *text,
                           size_t number[S2CLR_PATCH_LABELS_MAX])
{
    return numbers_of(labels->names, text, number);
}

static void count_classes(const s2clr_store *store, const class_names *names, s2clr_count *count)
{
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        size_t number[S2CLR_PATCH_LABELS_MAX];
        const int classes = numbers_of(names, row->labels, number);
        for (int k = 0; k < classes; k++) count_label(&count[number[k]], row->label);
    }
}

/* Names again in a set of their own, numbered from the most frequent on. */
static s2clr_status sort_classes(const s2clr_store *store, const class_names *found,
                                 s2clr_label_stats *labels)
{
    class_names *sorted = labels->names;
    S2CLR_TRY(
        s2clr_alloc(found->count, sizeof *labels->class_, "classes", (void **)&labels->class_));
    for (size_t i = 0; i < found->count; i++) labels->class_[i].name = found->text[i];
    count_classes(store, found, labels->class_);
    qsort(labels->class_, found->count, sizeof *labels->class_, by_patches);
    for (size_t i = 0; i < found->count; i++)
        S2CLR_TRY(s2clr_strings_put(sorted, labels->class_[i].name, &labels->class_[i].name));
    labels->classes = found->count;
    return S2CLR_OK;
}

static s2clr_status count_pairs(const s2clr_store *store, s2clr_label_stats *labels)
{
    const size_t n =
        labels->classes < S2CLR_STATS_CLASSES_MAX ? labels->classes : S2CLR_STATS_CLASSES_MAX;
    S2CLR_TRY(s2clr_alloc(n * n, sizeof *labels->pair, "pairs of classes", (void **)&labels->pair));
    labels->paired = n;
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        size_t number[S2CLR_PATCH_LABELS_MAX];
        const char *text = s2clr_store_row_at(store, i)->labels;
        const int classes = numbers_of(labels->names, text, number);
        for (int a = 0; a < classes; a++)
            for (int b = 0; b < classes; b++)
                if (number[a] < n && number[b] < n) labels->pair[number[a] * n + number[b]]++;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_stats_labels_count(const s2clr_store *store, s2clr_label_stats *labels)
{
    class_names found = {0};
    S2CLR_TRY(s2clr_alloc(1, sizeof found, "classes", &labels->names));
    for (size_t i = 0; i < s2clr_store_count(store); i++)
        count_label(&labels->all, s2clr_store_row_at(store, i)->label);
    labels->all.name = "all";
    for (size_t t = 0; t < S2CLR_STATS_TABLES; t++) S2CLR_TRY(count_table(store, t, labels));
    s2clr_status status = s2clr_class_names_collect(store, &found);
    if (status == S2CLR_OK) status = sort_classes(store, &found, labels);
    s2clr_strings_clear(&found);
    return status == S2CLR_OK ? count_pairs(store, labels) : status;
}

void s2clr_stats_labels_clear(s2clr_label_stats *labels)
{
    for (size_t t = 0; t < S2CLR_STATS_TABLES; t++) s2clr_free(labels->table[t]);
    s2clr_free(labels->class_);
    s2clr_free(labels->pair);
    if (labels->names) s2clr_strings_clear(labels->names);
    s2clr_free(labels->names);
    *labels = (s2clr_label_stats){.classes = 0};
}
