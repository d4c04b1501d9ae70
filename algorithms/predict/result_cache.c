#include "predict/result_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"

#define BUCKETS 4096
#define LIMIT_AT_FIRST ((size_t)64 << 20)

/* A block, or (values NULL) the reservation of one. */
typedef struct entry {
    s2clr_result_key key;
    struct entry *next;          /* in its bucket */
    struct entry *newer, *older; /* finished ones: by last use */
    float *values;               // (floats)
    size_t floats;
    int readers; /* copying it outside the lock */
    bool gone;   /* not in the table any more: the last reader frees it */
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static entry *bucket[BUCKETS];
static entry *newest, *oldest;
static size_t used, limit = LIMIT_AT_FIRST;
static uint64_t tickets;

static size_t bytes_of(size_t floats)
{
    return sizeof(entry) + floats * sizeof(float);
}

/* ---- table and list (lock held) ---- */

static bool same_key(const s2clr_result_key *a, const s2clr_result_key *b)
{
    return a->factor == b->factor && a->block_x == b->block_x && a->block_y == b->block_y &&
           memcmp(a->view, b->view, sizeof a->view) == 0;
}

static entry **place_of(const s2clr_result_key *key)
{
    uint64_t hash;
    memcpy(&hash, key->view, sizeof hash); /* of a hash already */
    hash ^= (uint64_t)(uint32_t)key->factor << 40;
    hash ^= (uint64_t)(uint32_t)key->block_y << 20 ^ (uint32_t)key->block_x;
    hash *= 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio: neighbours land far apart */
    entry **at = &bucket[hash >> 52];
    while (*at && !same_key(&(*at)->key, key)) at = &(*at)->next;
    return at;
}

static void unlink_use(entry *e)
{
    *(e->newer ? &e->newer->older : &newest) = e->older;
    *(e->older ? &e->older->newer : &oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void link_newest(entry *e)
{
    e->older = newest;
    *(newest ? &newest->newer : &oldest) = e;
    newest = e;
}

static void free_entry(entry *e)
{
    s2clr_free(e->values);
    s2clr_free(e);
}

static void drop(entry *e)
{
    *place_of(&e->key) = e->next;
    if (e->values) {
        unlink_use(e);
        used -= bytes_of(e->floats);
    }
    e->gone = true;
    if (e->readers == 0) free_entry(e);
}

static void shrink(void)
{
    while (used > limit) drop(oldest);
}

static bool add_reservation(const s2clr_result_key *key)
{
    entry *e;
    if (s2clr_alloc(1, sizeof *e, "cached block", (void **)&e) != S2CLR_OK) return false;
    e->key = *key;
    *place_of(key) = e;
    return true;
}

/* Copies with the lock given back meanwhile: blocks of many bands are large. */
static void copy_out(entry *e, float *out)
{
    unlink_use(e);
    link_newest(e);
    e->readers++;
    pthread_mutex_unlock(&lock);
    memcpy(out, e->values, e->floats * sizeof *out);
    pthread_mutex_lock(&lock);
    e->readers--;
    if (e->gone && e->readers == 0) free_entry(e);
}

/* ---- users ---- */

bool s2clr_result_cache_take(const s2clr_result_key *key, size_t floats, bool reserve, float *out)
{
    pthread_mutex_lock(&lock);
    entry *e = *place_of(key);
    while (reserve && e && !e->values) {
        pthread_cond_wait(&changed, &lock);
        e = *place_of(key);
    }
    const bool found = e && e->values && e->floats == floats;
    if (found) {
        copy_out(e, out);
    } else if (reserve) {
        if (e) drop(e);
        add_reservation(key);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

bool s2clr_result_cache_reserve(const s2clr_result_key *key)
{
    pthread_mutex_lock(&lock);
    const bool reserved = !*place_of(key) && add_reservation(key);
    pthread_mutex_unlock(&lock);
    return reserved;
}

static entry *new_entry(const s2clr_result_key *key, size_t floats, const float *values)
{
    entry *e;
    if (floats > SIZE_MAX / sizeof(float) - sizeof *e) return NULL;
    if (s2clr_alloc(1, sizeof *e, "cached block", (void **)&e) != S2CLR_OK) return NULL;
    if (s2clr_alloc(floats, sizeof *values, "cached block", (void **)&e->values) != S2CLR_OK) {
        s2clr_free(e);
        return NULL;
    }
    memcpy(e->values, values, floats * sizeof *values);
    e->key = *key;
    e->floats = floats;
    return e;
}

void s2clr_result_cache_give(const s2clr_result_key *key, size_t floats, const float *values)
{
    entry *e = new_entry(key, floats, values);
    pthread_mutex_lock(&lock);
    entry *old = *place_of(key);
    if (old) drop(old);
    if (e && bytes_of(floats) <= limit) {
        *place_of(key) = e;
        link_newest(e);
        used += bytes_of(floats);
        shrink();
        e = NULL;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (e) free_entry(e);
}

void s2clr_result_cache_fail(const s2clr_result_key *key)
{
    pthread_mutex_lock(&lock);
    entry *e = *place_of(key);
    if (e && !e->values) drop(e);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void s2clr_result_cache_limit(size_t bytes)
{
    pthread_mutex_lock(&lock);
    limit = bytes;
    shrink();
    pthread_mutex_unlock(&lock);
}

size_t s2clr_result_cache_room(void)
{
    pthread_mutex_lock(&lock);
    const size_t bytes = limit;
    pthread_mutex_unlock(&lock);
    return bytes;
}

void s2clr_result_cache_clear(void)
{
    pthread_mutex_lock(&lock);
    while (oldest) drop(oldest);
    pthread_mutex_unlock(&lock);
}

size_t s2clr_result_cache_bytes(void)
{
    pthread_mutex_lock(&lock);
    const size_t bytes = used;
    pthread_mutex_unlock(&lock);
    return bytes;
}

uint64_t s2clr_result_cache_ticket(void)
{
    pthread_mutex_lock(&lock);
    const uint64_t ticket = ++tickets;
    pthread_mutex_unlock(&lock);
    return ticket;
}
