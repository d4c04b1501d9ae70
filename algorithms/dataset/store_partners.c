#include "dataset/store_partners.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/store.h"

typedef struct sight {
    const char *place, *date, *name;
    size_t sample;
} sight;

static int by_place_and_date(const void *a, const void *b)
{
    const sight *p = a, *q = b;
    int order = strcmp(p->place, q->place);
    if (order == 0) order = strcmp(p->date, q->date);
    return order ? order : strcmp(p->name, q->name);
}

/* Sights are in order; returns how many have a partner. */
static size_t link_places(const sight *sights, size_t count, int *partner)
{
    size_t with = 0, end;
    for (size_t first = 0; first < count; first = end) {
        for (end = first + 1; end < count; end++)
            if (strcmp(sights[end].place, sights[first].place) != 0) break;
        if (end - first < 2 || !*sights[first].place) continue;
        for (size_t i = first; i < end; i++)
            partner[sights[i].sample] = (int)sights[i + 1 < end ? i + 1 : first].sample;
        with += end - first;
    }
    return with;
}

s2clr_status s2clr_store_partners(const s2clr_samples *samples, int **partner, size_t *with)
{
    const size_t count = samples->count;
    sight *sights;
    int *found;
    if (count > INT_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%zu samples are more than can be paired, which is %d", count,
                               INT_MAX);
    S2CLR_TRY(s2clr_alloc(count, sizeof *sights, "places of samples", (void **)&sights));
    const s2clr_status status = s2clr_alloc(count, sizeof *found, "second dates", (void **)&found);
    if (status != S2CLR_OK) {
        s2clr_free(sights);
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        const s2clr_store_row *row = s2clr_store_samples_row(samples, i);
        sights[i] = (sight){.place = row->place, .date = row->date, .name = row->name, .sample = i};
        found[i] = -1;
    }
    qsort(sights, count, sizeof *sights, by_place_and_date);
    *with = link_places(sights, count, found);
    *partner = found;
    s2clr_free(sights);
    return S2CLR_OK;
}
