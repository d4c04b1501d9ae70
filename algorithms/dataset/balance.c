#include "dataset/balance.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/psplit.h"

typedef struct ranked {
    uint64_t hash;
    const char *name;
    size_t index;
} ranked;

/* The name breaks ties, so that the order of the patches does not matter. */
static int by_hash(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return strcmp(x->name, y->name);
}

static s2clr_status check_counts(const size_t count[2], const char *what)
{
    if (count[0] > 0 && count[1] > 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "balance: %s has %zu positive and %zu negative patches; wanted: some of "
                           "both; label more, or do not balance",
                           what, count[1], count[0]);
}

s2clr_status s2clr_names_balance(const char *const *names, const int *labels, size_t count,
                                 uint64_t seed, const char *what, bool *keep)
{
    size_t total[2] = {0}, kept[2] = {0};
    ranked *list;
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= 0) total[labels[i] != 0]++;
    S2CLR_TRY(check_counts(total, what));
    const size_t most = total[0] < total[1] ? total[0] : total[1];
    S2CLR_TRY(s2clr_alloc(count, sizeof *list, "balance", (void **)&list));
    for (size_t i = 0; i < count; i++)
        list[i] = (ranked){s2clr_split_hash(names[i], seed), names[i], i};
    qsort(list, count, sizeof *list, by_hash);
    for (size_t i = 0; i < count; i++) {
        const int label = labels[list[i].index];
        keep[list[i].index] = label >= 0 && kept[label != 0]++ < most;
    }
    s2clr_free(list);
    return S2CLR_OK;
}

typedef struct part_list {
    const char **names; // (count)
    int *labels;        // (count)
    bool *keep;         // (count)
    size_t *index;      // (count) in the store
    size_t count;
} part_list;

static void clear(part_list *list)
{
    s2clr_free((void *)list->names);
    s2clr_free(list->labels);
    s2clr_free(list->keep);
    s2clr_free(list->index);
}

static s2clr_status reserve(size_t count, part_list *list)
{
    S2CLR_TRY(s2clr_alloc(count, sizeof *list->names, "balance", (void **)&list->names));
    S2CLR_TRY(s2clr_alloc(count, sizeof *list->labels, "balance", (void **)&list->labels));
    S2CLR_TRY(s2clr_alloc(count, sizeof *list->keep, "balance", (void **)&list->keep));
    return s2clr_alloc(count, sizeof *list->index, "balance", (void **)&list->index);
}

static void gather(const s2clr_store *store, const char *const *split, s2clr_part part,
                   part_list *list)
{
    list->count = 0;
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        if (s2clr_part_of_name(split[i]) != part) continue;
        list->names[list->count] = row->name;
        list->labels[list->count] = row->label;
        list->index[list->count++] = i;
    }
}

s2clr_status s2clr_split_balance(const s2clr_store *store, uint64_t seed, const char **split)
{
    part_list list = {0};
    const char **thinned = NULL;
    const size_t patches = s2clr_store_count(store);
    s2clr_status status = reserve(patches, &list);
    if (status == S2CLR_OK)
        status = s2clr_alloc(patches, sizeof *thinned, "balance", (void **)&thinned);
    for (size_t i = 0; i < patches && status == S2CLR_OK; i++) thinned[i] = "";
    for (int part = 0; part < S2CLR_PART_OUT && status == S2CLR_OK; part++) {
        gather(store, split, (s2clr_part)part, &list);
        if (list.count == 0) continue;
        status = s2clr_names_balance(list.names, list.labels, list.count, seed,
                                     s2clr_part_names[part], list.keep);
        for (size_t i = 0; i < list.count && status == S2CLR_OK; i++)
            if (list.keep[i]) thinned[list.index[i]] = s2clr_part_names[part];
    }
    if (status == S2CLR_OK && patches > 0) memcpy(split, thinned, patches * sizeof *split);
    s2clr_free((void *)thinned);
    clear(&list);
    return status;
}
