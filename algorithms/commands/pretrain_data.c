#include "commands/pretrain_data.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/store_partners.h"

typedef struct named {
    const char *name;
    int index;
} named;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

/* to: (all.count) index of each patch of the data set in the training part, -1: in another. */
static s2clr_status find_in_train(const s2clr_samples *all, const s2clr_samples *train, int *to)
{
    named *list;
    S2CLR_TRY(s2clr_alloc(train->count, sizeof *list, "patch names", (void **)&list));
    for (size_t i = 0; i < train->count; i++)
        list[i] = (named){.name = train->names[i], .index = (int)i};
    qsort(list, train->count, sizeof *list, by_name);
    for (size_t i = 0; i < all->count; i++) {
        const named key = {.name = all->names[i]};
        const named *found = bsearch(&key, list, train->count, sizeof *list, by_name);
        to[i] = found ? found->index : -1;
    }
    s2clr_free(list);
    return S2CLR_OK;
}

/* circle: (all.count) next date of the place in the whole data set; the training part takes the
 * next one that is its own. */
static size_t follow(const int *circle, const int *to, size_t all, int *partner)
{
    size_t with = 0;
    for (size_t i = 0; i < all; i++) {
        if (to[i] < 0) continue;
        int next = circle[i];
        while (next >= 0 && (size_t)next != i && to[next] < 0) next = circle[next];
        const bool found = next >= 0 && (size_t)next != i;
        partner[to[i]] = found ? to[next] : -1;
        with += found;
    }
    return with;
}

s2clr_status s2clr_pretrain_partners(const s2clr_parts *parts, int **partner, size_t *with)
{
    int *circle, *to, *found = NULL;
    size_t pairs = 0;
    *partner = NULL;
    *with = 0;
    if (!parts->store) return S2CLR_OK;
    S2CLR_TRY(s2clr_store_partners(&parts->all, &circle, &pairs));
    s2clr_status status = s2clr_alloc(parts->all.count, sizeof *to, "places", (void **)&to);
    if (status == S2CLR_OK) {
        status = find_in_train(&parts->all, &parts->train, to);
        if (status == S2CLR_OK)
            status = s2clr_alloc(parts->train.count, sizeof *found, "places", (void **)&found);
        if (status == S2CLR_OK) pairs = follow(circle, to, parts->all.count, found);
        s2clr_free(to);
    }
    s2clr_free(circle);
    S2CLR_TRY(status);
    if (pairs)
        *partner = found;
    else
        s2clr_free(found);
    *with = pairs;
    return S2CLR_OK;
}

static bool two_kinds(const int *labels, size_t count)
{
    for (size_t i = 1; labels && i < count; i++)
        if (labels[i] != labels[0]) return true;
    return false;
}

void s2clr_pretrain_probe(const s2clr_parts *parts, const char *positive, s2clr_samples *out)
{
    s2clr_samples probe = parts->validation;
    const bool by_class = !positive && two_kinds(probe.groups, probe.count) &&
                          (!parts->store || !two_kinds(probe.labels, probe.count));
    if (by_class) probe.labels = probe.groups;
    if (!two_kinds(probe.labels, probe.count)) probe.count = 0;
    *out = probe;
}

/* The largest divisor of `of` in [1, most]. */
static int divisor(int of, int most)
{
    int d = most < of ? most : of;
    while (of % d != 0) d--;
    return d;
}

enum { WHOLE_MOST = 128, CHUNK_MOST = 64, CHUNK_LEAST = 16, MICRO_MOST = 16 };

/* Small batches whole; batch norm would suffer from tiny chunks. */
static int default_chunk(int batch)
{
    const int d = divisor(batch, CHUNK_MOST);
    return batch <= WHOLE_MOST || d < CHUNK_LEAST ? batch : d;
}

void s2clr_pretrain_fit(s2clr_pretrain_settings *settings, int chunk, int micro)
{
    settings->chunk = chunk ? chunk : default_chunk(settings->common.batch);
    settings->common.micro = micro ? micro : divisor(settings->chunk, MICRO_MOST);
}
