/*
 * Laying out activations: a buffer is used again as soon as its last reader has run.
 *
 * Greedy by size: the largest value first, each at the lowest offset where it meets no value whose
 * life overlaps its own. Networks have a few hundred values, so quadratic is fine.
 */
#include "base/memory.h"
#include "net/pfuse.h"

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static bool overlap_in_time(const s2clr_life *a, const s2clr_life *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset for life i, given those already placed. */
static size_t lowest_offset(const s2clr_life *life, size_t count, const bool *placed, size_t i)
{
    size_t offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t j = 0; j < count; j++) {
            if (!placed[j] || !overlap_in_time(&life[i], &life[j])) continue;
            const size_t end = life[j].offset + rounded(life[j].bytes);
            if (offset < end && life[j].offset < offset + rounded(life[i].bytes)) {
                offset = end;
                moved = true;
            }
        }
    }
    return offset;
}

/* A life that takes over another's place makes one longer life of the two. */
static size_t root_of(const s2clr_life *life, size_t i)
{
    while (life[i].shares >= 0) i = (size_t)life[i].shares;
    return i;
}

s2clr_status s2clr_arena_place(s2clr_life *life, size_t count, size_t *total)
{
    bool *placed;
    S2CLR_TRY(s2clr_alloc(count, sizeof *placed, "arena plan", (void **)&placed));
    for (size_t i = 0; i < count; i++) {
        s2clr_life *root = &life[root_of(life, i)];
        if (life[i].last > root->last) root->last = life[i].last;
    }
    size_t end = 0;
    for (;;) {
        size_t best = count;
        for (size_t i = 0; i < count; i++)
            if (!placed[i] && life[i].shares < 0 &&
                (best == count || life[i].bytes > life[best].bytes))
                best = i;
        if (best == count) break;
        life[best].offset = lowest_offset(life, count, placed, best);
        placed[best] = true;
        const size_t top = life[best].offset + rounded(life[best].bytes);
        if (top > end) end = top;
    }
    for (size_t i = 0; i < count; i++) life[i].offset = life[root_of(life, i)].offset;
    s2clr_free(placed);
    *total = end;
    return S2CLR_OK;
}
