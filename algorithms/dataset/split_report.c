/* What a split means: labels per part, groups in several parts, and how near test is to training.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/psplit.h"

/* ---- labels and groups ---- */

static void count_labels(const s2clr_store *store, const char *const *split,
                         s2clr_split_report *report)
{
    static const char *const names[S2CLR_PARTS] = {"train", "validation", "test", "left out"};
    for (int part = 0; part < S2CLR_PARTS; part++) report->part[part].name = names[part];
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        s2clr_split_part_report *part = &report->part[s2clr_part_of_name(split[i])];
        const s2clr_label label = s2clr_store_row_at(store, i)->label;
        part->patches++;
        part->positives += label == S2CLR_LABEL_POSITIVE;
        part->negatives += label == S2CLR_LABEL_NEGATIVE;
        part->unknown += label == S2CLR_LABEL_UNKNOWN;
    }
}

typedef struct member {
    const char *country, *tile;
    int part;
} member;

static int by_group(const void *a, const void *b)
{
    const member *x = a, *y = b;
    const int country = strcmp(x->country, y->country);
    return country ? country : strcmp(x->tile, y->tile);
}

/* A group is a country and a tile; patches that have neither are in none. */
static s2clr_status count_shared(const s2clr_store *store, const char *const *split,
                                 s2clr_split_report *report)
{
    member *members;
    size_t count = 0, end;
    S2CLR_TRY(s2clr_alloc(s2clr_store_count(store), sizeof *members, "groups", (void **)&members));
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        const s2clr_part part = s2clr_part_of_name(split[i]);
        if (part != S2CLR_PART_OUT && (*row->country || *row->tile))
            members[count++] = (member){row->country, row->tile, (int)part};
    }
    qsort(members, count, sizeof *members, by_group);
    for (size_t begin = 0; begin < count; begin = end) {
        bool there[S2CLR_PARTS] = {false};
        int parts = 0;
        for (end = begin; end < count && by_group(&members[begin], &members[end]) == 0; end++)
            there[members[end].part] = true;
        for (int part = 0; part < S2CLR_PARTS; part++) parts += there[part];
        for (int part = 0; part < S2CLR_PARTS; part++)
            report->part[part].groups_shared += there[part] && parts > 1;
    }
    s2clr_free(members);
    return S2CLR_OK;
}

/* ---- distances ---- */

typedef struct centres {
    double *longitude, *latitude; // (count)
    size_t count;
} centres;

static void centres_clear(centres *c)
{
    s2clr_free(c->longitude);
    s2clr_free(c->latitude);
}

static s2clr_status gather(const s2clr_store *store, const char *const *split, s2clr_part part,
                           centres *out)
{
    const size_t all = s2clr_store_count(store);
    S2CLR_TRY(s2clr_alloc(all, sizeof *out->longitude, "centres", (void **)&out->longitude));
    S2CLR_TRY(s2clr_alloc(all, sizeof *out->latitude, "centres", (void **)&out->latitude));
    for (size_t i = 0; i < all; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, i);
        if (!row->has_footprint || s2clr_part_of_name(split[i]) != part) continue;
        s2clr_row_centre(row, &out->longitude[out->count], &out->latitude[out->count]);
        out->count++;
    }
    return S2CLR_OK;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static s2clr_status measure(const centres *train, const centres *test, s2clr_split_report *report)
{
    s2clr_places *places = NULL;
    double *metres = NULL;
    const size_t n = test->count;
    if (n == 0 || train->count == 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_places_new(train->longitude, train->latitude, train->count, &places));
    const s2clr_status status = s2clr_alloc(n, sizeof *metres, "distances", (void **)&metres);
    if (status == S2CLR_OK) {
        for (size_t i = 0; i < n; i++)
            metres[i] = s2clr_places_nearest(places, test->longitude[i], test->latitude[i]);
        qsort(metres, n, sizeof *metres, by_size);
        report->distance_minimum = metres[0];
        report->distance_median = (metres[(n - 1) / 2] + metres[n / 2]) / 2;
        report->distance_maximum = metres[n - 1];
    }
    s2clr_free(metres);
    s2clr_places_free(places);
    return status;
}

s2clr_status s2clr_split_report_make(const s2clr_store *store, const char *const *split,
                                     s2clr_split_report *out)
{
    s2clr_split_report report = {
        .distance_minimum = NAN, .distance_median = NAN, .distance_maximum = NAN};
    centres train = {0}, test = {0};
    count_labels(store, split, &report);
    S2CLR_TRY(count_shared(store, split, &report));
    s2clr_status status = gather(store, split, S2CLR_PART_TRAIN, &train);
    if (status == S2CLR_OK) status = gather(store, split, S2CLR_PART_TEST, &test);
    if (status == S2CLR_OK) status = measure(&train, &test, &report);
    if (status == S2CLR_OK) status = s2clr_split_touching(store, split, &report.touching);
    centres_clear(&train);
    centres_clear(&test);
    if (status == S2CLR_OK) *out = report;
    return status;
}
