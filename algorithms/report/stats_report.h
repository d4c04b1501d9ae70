/*
 * Statistics of a store for people, programs and browsers.
 */
#ifndef S2CLR_REPORT_STATS_REPORT_H
#define S2CLR_REPORT_STATS_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "dataset/stats.h"

/* only: pairs with this class alone, NULL: the most frequent pairs. */
void s2clr_stats_print(FILE *to, const s2clr_stats *stats, const char *only);

/* NULL when memory is short; the caller owns the reference. NaN is null. */
json_t *s2clr_stats_json(const s2clr_stats *stats);

s2clr_status s2clr_stats_html(const char *path, const char *store, const s2clr_stats *stats);

/* "12 images with Rice fields that are also Vineyards", most frequent first: up to `most` pairs,
 * each once. Calls `each` with a text it may not keep. */
void s2clr_stats_pairs(const s2clr_stats *stats, const char *only, size_t most,
                       void (*each)(void *context, const char *text), void *context);

#endif
