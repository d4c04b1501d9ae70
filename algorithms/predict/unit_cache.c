#include "predict/unit_cache.h"

#include "base/memory.h"

typedef struct slot {
    int64_t unit; /* row-major number + 1, 0 = empty */
    float *values;
} slot;

struct s2clr_unit_cache {
    int64_t columns;
    size_t floats, slots;
    slot *slot; // (slots)
};

s2clr_status s2clr_unit_cache_new(int64_t columns, int64_t rows, size_t floats, size_t budget,
                                  s2clr_unit_cache **out)
{
    s2clr_unit_cache *cache;
    const uint64_t room = budget / (floats * sizeof(float));
    const uint64_t rows_that_fit = room / (uint64_t)columns;
    const uint64_t kept = rows_that_fit < (uint64_t)rows ? rows_that_fit : (uint64_t)rows;
    S2CLR_TRY(s2clr_alloc(1, sizeof *cache, "unit cache", (void **)&cache));
    cache->columns = columns;
    cache->floats = floats;
    cache->slots = (size_t)(kept ? kept * (uint64_t)columns : room);
    const s2clr_status status =
        s2clr_alloc(cache->slots, sizeof *cache->slot, "unit cache", (void **)&cache->slot);
    if (status != S2CLR_OK) {
        s2clr_free(cache);
        return status;
    }
    *out = cache;
    return S2CLR_OK;
}

void s2clr_unit_cache_free(s2clr_unit_cache *cache)
{
    if (!cache) return;
    for (size_t i = 0; i < cache->slots; i++) s2clr_free(cache->slot[i].values);
    s2clr_free(cache->slot);
    s2clr_free(cache);
}

static slot *slot_of(const s2clr_unit_cache *cache, int64_t column, int64_t row, int64_t *unit)
{
    *unit = row * cache->columns + column + 1;
    return cache->slots ? &cache->slot[(uint64_t)*unit % cache->slots] : NULL;
}

const float *s2clr_unit_cache_get(const s2clr_unit_cache *cache, int64_t column, int64_t row)
{
    int64_t unit;
    const slot *found = slot_of(cache, column, row, &unit);
    return found && found->unit == unit ? found->values : NULL;
}

float *s2clr_unit_cache_put(s2clr_unit_cache *cache, int64_t column, int64_t row)
{
    int64_t unit;
    slot *place = slot_of(cache, column, row, &unit);
    if (!place) return NULL;
    if (!place->values && s2clr_alloc(cache->floats, sizeof(float), "cached unit",
                                      (void **)&place->values) != S2CLR_OK)
        return NULL;
    place->unit = unit;
    return place->values;
}

size_t s2clr_unit_cache_bytes(const s2clr_unit_cache *cache)
{
    return cache->slots * (sizeof *cache->slot + cache->floats * sizeof(float));
}
