/*
 * Parts of the statistics: bands, labels, indices. Private.
 *
 * Patches are measured by many workers in rounds; what a patch gave waits in its slot until the
 * round is over and is then added in order. Counts of whole numbers are kept per worker: sums of
 * whole numbers do not depend on order.
 */
#ifndef S2CLR_DATASET_PSTATS_H
#define S2CLR_DATASET_PSTATS_H

#include "dataset/stats.h"

/* ---- moments: stats_moments.c ---- */

s2clr_stats_moments s2clr_stats_moments_of(const float *values,
                                           size_t count); /* NaN are left out */

/* ---- bands: stats_bands.c ---- */

enum { S2CLR_BINS_BELOW = 65536, S2CLR_BINS = 163840 }; /* I16 and U16, offset by up to 32768 */

/* Of one worker. */
typedef struct s2clr_band_bins {
    uint64_t *count[S2CLR_STORE_BANDS_MAX]; // (S2CLR_BINS) value + S2CLR_BINS_BELOW; NULL: none yet
    float *values;                          // (room)
    size_t room;
} s2clr_band_bins;

/* Of one patch: what could not be counted. */
typedef struct s2clr_band_slot {
    s2clr_stats_moments other[S2CLR_STORE_BANDS_MAX];
    uint64_t left_out[S2CLR_STORE_BANDS_MAX];
} s2clr_band_slot;

void s2clr_band_bins_clear(s2clr_band_bins *bins);
s2clr_status s2clr_stats_bands_measure(const s2clr_store_about *about, const s2clr_stats *stats,
                                       const s2clr_store_row *row, const s2clr_store_patch *patch,
                                       s2clr_band_bins *bins, s2clr_band_slot *slot);
void s2clr_stats_bands_add(s2clr_stats *stats, const s2clr_band_slot *slot);
/* Adds the workers' counts up; `bins` (workers) are used up. */
s2clr_status s2clr_stats_bands_finish(s2clr_stats *stats, s2clr_band_bins *bins, int workers);

/* ---- labels: stats_labels.c ---- */

s2clr_status s2clr_stats_labels_count(const s2clr_store *store, s2clr_label_stats *labels);
void s2clr_stats_labels_clear(s2clr_label_stats *labels);
/* Numbers of the classes of a patch, each once; how many. */
int s2clr_stats_classes_of(const s2clr_label_stats *labels, const char *text,
                           size_t number[S2CLR_PATCH_LABELS_MAX]);

/* ---- indices: stats_indices.c ---- */

enum { S2CLR_INDEX_BINS = 400, S2CLR_INDEX_PAIRS = S2CLR_STATS_INDICES * S2CLR_STATS_INDICES };

/* Sums over pixels where all indices are there. */
typedef struct s2clr_index_products {
    uint64_t count;
    double mean[S2CLR_STATS_INDICES], product[S2CLR_INDEX_PAIRS];
} s2clr_index_products;

/* Of one patch. */
typedef struct s2clr_index_slot {
    bool left_out;
    s2clr_stats_moments moments[S2CLR_STATS_INDICES];
    uint32_t bin[S2CLR_STATS_INDICES][S2CLR_INDEX_BINS];
    s2clr_index_products products;
} s2clr_index_slot;

/* Of one worker. */
typedef struct s2clr_index_planes {
    float *plane; // (planes, pixels)
    size_t room;
} s2clr_index_planes;

typedef struct s2clr_index_sums s2clr_index_sums;

s2clr_status s2clr_stats_indices_new(const s2clr_store_about *about, s2clr_stats *stats,
                                     s2clr_index_sums **out);
void s2clr_stats_indices_free(s2clr_index_sums *sums);
s2clr_status s2clr_stats_indices_measure(const s2clr_stats *stats, const s2clr_store_row *row,
                                         const s2clr_store_patch *patch, s2clr_index_planes *planes,
                                         s2clr_index_slot *slot);
void s2clr_stats_indices_add(s2clr_index_sums *sums, s2clr_stats *stats, const s2clr_store_row *row,
                             const s2clr_index_slot *slot);
s2clr_status s2clr_stats_indices_finish(const s2clr_index_sums *sums, s2clr_stats *stats);

#endif
