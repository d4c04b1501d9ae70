/*
 * Finished blocks of the whole process, least recently used ones dropped first. Hosts open a layer
 * several times (QGIS threads, a COG's two passes); each block is computed once.
 *
 *     switch (s2clr_result_cache_take(key, floats, out)) ...
 *
 * A key is 32 bytes that stand for everything a value depends on (model, inputs with their times of
 * change, settings, device) followed by level and block. Thread-safe.
 */
#ifndef S2CLR_PREDICT_RESULT_CACHE_H
#define S2CLR_PREDICT_RESULT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_result_key {
    uint8_t view[32]; /* SHA-256 of what the values depend on */
    int32_t factor, block_x, block_y;
} s2clr_result_key;

/* Copies the block to out and returns true; or returns false and reserves the key: the caller
 * computes the block and must then call s2clr_result_cache_give() or s2clr_result_cache_fail().
 * While another thread holds the reservation, waits for it (after its failure one waiter gets the
 * reservation). reserve == false: only looks, never waits or reserves. */
bool s2clr_result_cache_take(const s2clr_result_key *key, size_t floats, bool reserve, float *out);

/* Reserves a key that is neither finished nor reserved, without waiting: for blocks computed on the
 * way. Who holds a reservation must not wait for another one. */
bool s2clr_result_cache_reserve(const s2clr_result_key *key);

/* Stores a copy (if it fits the limit) and wakes who waits. Also allowed without a reservation. */
void s2clr_result_cache_give(const s2clr_result_key *key, size_t floats, const float *values);
void s2clr_result_cache_fail(const s2clr_result_key *key);

/* Limit in bytes; 64 MB at first. */
void s2clr_result_cache_limit(size_t bytes);
void s2clr_result_cache_clear(void); /* the plug-in's unloading, tests */
size_t s2clr_result_cache_bytes(void);
size_t s2clr_result_cache_room(void); /* the limit */

/* A number that was never given before: in the key of what nobody else may share. */
uint64_t s2clr_result_cache_ticket(void);

#endif
