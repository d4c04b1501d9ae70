/* Which part a sample belongs to is a hash of its file name: no state, no random numbers. */
#include "dataset/images.h"

#include <math.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct part_view {
    const s2clr_samples *parent;
    size_t *indices;    // (count) into parent
    const char **names; // (count)
    int *labels;        // (count)
    int *groups;        // (count) or NULL
} part_view;

typedef struct ranked {
    uint64_t hash;
    size_t index;
} ranked;

static const char *const part_names[] = {"training", "validation", "test"};

static uint64_t name_hash(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *file = slash ? slash + 1 : name;
    struct sha256_ctx context;
    uint8_t digest[8];
    sha256_init(&context);
    sha256_update(&context, strlen(file), (const uint8_t *)file);
    sha256_digest(&context, sizeof digest, digest);
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof digest; i++) hash = hash << 8 | digest[i];
    return hash;
}

/* Where a sample stands among those that a fraction is taken of. The finaliser of SplitMix64
 * (Steele, Lea and Flood 2014) is one-to-one, so hashes that differ still do. */
static uint64_t chosen(uint64_t hash, uint64_t choice)
{
    if (choice == 0) return hash;
    uint64_t x = hash ^ choice * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static s2clr_split_part part_of(uint64_t hash, double test, double validation)
{
    const double u = ldexp((double)hash, -64);
    if (u < test) return S2CLR_SPLIT_TEST;
    return u < test + validation ? S2CLR_SPLIT_VALIDATION : S2CLR_SPLIT_TRAIN;
}

s2clr_split_part s2clr_split_of(const char *name, double test, double validation)
{
    return part_of(name_hash(name), test, validation);
}

static s2clr_status view_read(void *context, size_t index, float *dn)
{
    const part_view *view = context;
    return view->parent->read(view->parent->self, view->indices[index], dn);
}

static void view_free(void *context)
{
    part_view *view = context;
    if (!view) return;
    s2clr_free(view->indices);
    s2clr_free((void *)view->names);
    s2clr_free(view->labels);
    s2clr_free(view->groups);
    s2clr_free(view);
}

static int by_hash(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int by_index(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Labels are class indices or -1; what is beyond this many counts as one. */
enum { LABELS_TOLD_APART = 1024 };

static size_t label_slot(int label)
{
    return label < -1 || label > LABELS_TOLD_APART - 3 ? LABELS_TOLD_APART - 1
                                                       : (size_t)(label + 1);
}

/* Keeps the first ceil(fraction * n) of each label; members comes sorted by hash. */
static size_t thin(const s2clr_samples *parent, ranked *members, size_t count, double fraction)
{
    size_t total[LABELS_TOLD_APART] = {0}, kept[LABELS_TOLD_APART] = {0}, out = 0;
    for (size_t i = 0; i < count; i++) total[label_slot(parent->labels[members[i].index])]++;
    for (size_t i = 0; i < count; i++) {
        const size_t label = label_slot(parent->labels[members[i].index]);
        /* 0.07 * 100 is a little more than 7: that must not become 8. */
        const double limit = ceil(fraction * (double)total[label] * (1 - 1e-12));
        if ((double)kept[label] >= limit) continue;
        kept[label]++;
        members[out++] = members[i];
    }
    return out;
}

static s2clr_status view_fill(const s2clr_samples *parent, const ranked *members, size_t count,
                              part_view *view)
{
    view->parent = parent;
    S2CLR_TRY(s2clr_alloc(count, sizeof *view->indices, "split", (void **)&view->indices));
    S2CLR_TRY(s2clr_alloc(count, sizeof *view->names, "split", (void **)&view->names));
    S2CLR_TRY(s2clr_alloc(count, sizeof *view->labels, "split", (void **)&view->labels));
    if (parent->groups)
        S2CLR_TRY(s2clr_alloc(count, sizeof *view->groups, "split", (void **)&view->groups));
    for (size_t i = 0; i < count; i++) {
        const size_t index = members[i].index;
        view->indices[i] = index;
        view->names[i] = parent->names[index];
        view->labels[i] = parent->labels[index];
        if (parent->groups) view->groups[i] = parent->groups[index];
    }
    return S2CLR_OK;
}

static s2clr_status view_new(const s2clr_samples *parent, const ranked *members, size_t count,
                             s2clr_samples *out)
{
    part_view *view;
    S2CLR_TRY(s2clr_alloc(1, sizeof *view, "split", (void **)&view));
    const s2clr_status status = view_fill(parent, members, count, view);
    if (status != S2CLR_OK) {
        view_free(view);
        return status;
    }
    *out = *parent;
    out->self = view;
    out->count = count;
    out->names = view->names;
    out->labels = view->labels;
    out->groups = view->groups;
    out->read = view_read;
    out->free = view_free;
    return S2CLR_OK;
}

static s2clr_status check_shares(double test, double validation, double fraction)
{
    if (!(test >= 0 && validation >= 0 && test + validation <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "split shares: test %g and validation %g; wanted: at least 0, "
                               "together at most 1",
                               test, validation);
    if (!(fraction > 0 && fraction <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "fraction of the samples: %g; wanted: more than 0, at most 1",
                               fraction);
    return S2CLR_OK;
}

s2clr_status s2clr_samples_part(const s2clr_samples *parent, s2clr_split_part part, double test,
                                double validation, double fraction, uint64_t choice,
                                s2clr_samples *out)
{
    S2CLR_TRY(check_shares(test, validation, fraction));
    ranked *members;
    size_t count = 0;
    S2CLR_TRY(s2clr_alloc(parent->count, sizeof *members, "split", (void **)&members));
    for (size_t i = 0; i < parent->count; i++) {
        const uint64_t hash = name_hash(parent->names[i]);
        if (part_of(hash, test, validation) == part) members[count++] = (ranked){hash, i};
    }
    s2clr_status status;
    if (count == 0) {
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "none of the %zu samples falls into the %s part (test %g, "
                                 "validation %g); take larger shares or more samples",
                                 parent->count, part_names[part], test, validation);
    } else {
        if (fraction < 1) {
            for (size_t i = 0; i < count; i++) members[i].hash = chosen(members[i].hash, choice);
            qsort(members, count, sizeof *members, by_hash);
            count = thin(parent, members, count, fraction);
            qsort(members, count, sizeof *members, by_index);
        }
        status = view_new(parent, members, count, out);
    }
    s2clr_free(members);
    return status;
}
