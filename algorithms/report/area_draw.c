#include "report/area_draw.h"

#include "base/memory.h"
#include "base/philox.h"

/* High halves of the random streams, "area" in ASCII and one more; the low one is the stratum. */
#define STREAM_PICK 0x61726561u
#define STREAM_ORDER 0x61726562ull

typedef struct drawing {
    const s2clr_area_census *census;
    const size_t *taken; // (strata)
    uint64_t seed;
    uint64_t *seen; // (strata) pixels so far
    size_t *picked; // (strata)
    s2clr_area_drawn *drawn;
    size_t room;
} drawing;

/* In [0, 1), of 53 bits. */
static double uniform(uint64_t seed, int stratum, uint64_t pixel)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)pixel, (uint32_t)(pixel >> 32), (uint32_t)stratum,
                                 STREAM_PICK};
    uint32_t out[4];
    s2clr_philox(key, counter, out);
    return (double)((uint64_t)out[1] << 21 | out[0] >> 11) * 0x1p-53;
}

/* Pixels left times u < samples left: the t-th pixel is taken with just the chance that leaves
 * every set of pixels alike. */
static bool is_taken(drawing *d, int h)
{
    const s2clr_area_kind *stratum = &d->census->stratum[h];
    const uint64_t pixel = d->seen[h]++;
    const double left = stratum->pixels - (double)pixel;
    const double wanted = (double)(d->taken[h] - d->picked[h]);
    return wanted > 0 && left * uniform(d->seed, stratum->code, pixel) < wanted;
}

static s2clr_status changed(const s2clr_area_census *census)
{
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: changed while it was read; wanted: a map that is finished",
                           census->rule.map);
}

static s2clr_status pick_row(void *context, int row, const double *value, const double *stratum)
{
    drawing *d = context;
    const s2clr_area_census *c = d->census;
    for (int i = 0; i < c->map.width; i++) {
        s2clr_area_codes codes;
        S2CLR_TRY(s2clr_area_codes_of(c, value[i], stratum ? stratum[i] : NAN, &codes));
        if (codes.stratum < 0) continue;
        const int h = s2clr_area_kind_find(c->stratum, c->strata, codes.stratum);
        if (h < 0) return changed(c);
        if (!is_taken(d, h)) continue;
        d->picked[h]++;
        d->drawn->pick[d->drawn->count++] = (s2clr_area_pick){i, row, h, codes.class_, codes.value};
    }
    return S2CLR_OK;
}

/* Fisher and Yates. */
static void shuffle(s2clr_area_drawn *drawn, uint64_t seed)
{
    for (size_t i = drawn->count; i > 1; i--) {
        const size_t k = s2clr_random_below(seed, STREAM_ORDER << 32, i, (uint32_t)i);
        const s2clr_area_pick swapped = drawn->pick[i - 1];
        drawn->pick[i - 1] = drawn->pick[k];
        drawn->pick[k] = swapped;
    }
}

static s2clr_status draw(drawing *d, s2clr_area_census *census, const s2clr_progress *progress)
{
    const size_t strata = (size_t)census->strata;
    for (size_t h = 0; h < strata; h++) d->room += d->taken[h];
    if (d->room > UINT32_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--draw: %zu samples; wanted: at most %u",
                               d->room, UINT32_MAX);
    S2CLR_TRY(s2clr_alloc(d->room, sizeof *d->drawn->pick, "samples", (void **)&d->drawn->pick));
    S2CLR_TRY(s2clr_alloc(strata, sizeof *d->seen, "strata", (void **)&d->seen));
    S2CLR_TRY(s2clr_alloc(strata, sizeof *d->picked, "strata", (void **)&d->picked));
    S2CLR_TRY(s2clr_area_scan(census, progress, 0, 1, pick_row, d));
    if (d->drawn->count != d->room) return changed(census);
    shuffle(d->drawn, d->seed);
    return S2CLR_OK;
}

s2clr_status s2clr_area_draw(s2clr_area_census *census, const size_t *taken, uint64_t seed,
                             const s2clr_progress *progress, s2clr_area_drawn **out)
{
    drawing d = {.census = census, .taken = taken, .seed = seed};
    S2CLR_TRY(s2clr_alloc(1, sizeof *d.drawn, "samples", (void **)&d.drawn));
    d.drawn->taken = taken;
    const s2clr_status status = draw(&d, census, progress);
    s2clr_free(d.picked);
    s2clr_free(d.seen);
    if (status == S2CLR_OK)
        *out = d.drawn;
    else
        s2clr_area_drawn_free(d.drawn);
    return status;
}

void s2clr_area_drawn_free(s2clr_area_drawn *drawn)
{
    if (!drawn) return;
    s2clr_free(drawn->pick);
    s2clr_free(drawn);
}
