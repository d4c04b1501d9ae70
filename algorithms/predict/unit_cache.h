/*
 * Finished units of local logits, kept because neighbouring blocks share those at their seam.
 *
 * A ring over units in row-major order: with room for n rows of units it holds exactly the last n
 * rows of a run from top to bottom. It can only save time: a unit has one value wherever it is
 * computed. Not thread-safe.
 */
#ifndef S2CLR_PREDICT_UNIT_CACHE_H
#define S2CLR_PREDICT_UNIT_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_unit_cache s2clr_unit_cache;

/* columns x rows: all units there are; floats: of one unit; budget: bytes to spend at most. */
s2clr_status s2clr_unit_cache_new(int64_t columns, int64_t rows, size_t floats, size_t budget,
                                  s2clr_unit_cache **out);
void s2clr_unit_cache_free(s2clr_unit_cache *cache);

/* The unit's floats or NULL. Borrowed until the next put. */
const float *s2clr_unit_cache_get(const s2clr_unit_cache *cache, int64_t column, int64_t row);

/* The place for a unit's floats, to be filled at once; NULL when there is no room. */
float *s2clr_unit_cache_put(s2clr_unit_cache *cache, int64_t column, int64_t row);

size_t s2clr_unit_cache_bytes(const s2clr_unit_cache *cache); /* when full */

#endif
