/*
 * What a store holds: counts of labels, moments and percentiles of bands, spectral indices.
 *
 *     const s2clr_stats_options options = {.split = "train", .scale = 0.0001};
 *     s2clr_stats *stats;
 *     S2CLR_TRY(s2clr_stats_make(store, &options, pool, &progress, &stats));
 *     ... stats->band[0].mean ...
 *     s2clr_stats_free(stats);
 *
 * Streaming: memory does not grow with the number of pixels. Bands of whole numbers are counted
 * value by value, so that their numbers are exact and the order cannot matter; all other sums are
 * added in the order of the patches (Chan, Golub and LeVeque, The American Statistician 37, 1983).
 * Threads therefore do not change a bit. Texts are borrowed from the store, which must outlive
 * this.
 */
#ifndef S2CLR_DATASET_STATS_H
#define S2CLR_DATASET_STATS_H

#include "base/pool.h"
#include "base/progress.h"
#include "dataset/store.h"
#include "pointwise/pointwise.h"

typedef struct s2clr_stats_options {
    const char *split; /* pixels of this part only; NULL: of all patches. Labels: always all */
    bool has_nodata;
    double nodata; /* a DN, before the offset, that is no value */
    double scale;  /* reflectance = (DN + dn_offset) * scale */
} s2clr_stats_options;

/* ---- moments ---- */

typedef struct s2clr_stats_moments {
    uint64_t count;
    double mean, m2; /* m2: sum of squared differences from the mean */
    double minimum, maximum;
} s2clr_stats_moments;

void s2clr_stats_moments_add(s2clr_stats_moments *into, const s2clr_stats_moments *more);
/* Of the population (divided by count), as GDAL's; NaN when empty. */
double s2clr_stats_moments_sd(const s2clr_stats_moments *moments);

/* ---- bands ---- */

enum { S2CLR_STATS_PERCENTILES = 9, S2CLR_STATS_CHART = 100, S2CLR_STATS_CLASSES_MAX = 256 };
extern const double s2clr_stats_percentile[S2CLR_STATS_PERCENTILES]; /* 1 2 5 25 50 75 95 98 99 */

typedef struct s2clr_band_stats {
    const char *name;
    s2clr_stats_moments moments; /* of DN + dn_offset */
    uint64_t left_out;           /* pixels that are nodata or not finite */
    bool exact;                  /* all values are whole numbers: what follows is there */
    double percentile[S2CLR_STATS_PERCENTILES]; /* smallest value that so many do not exceed */
    uint64_t chart[S2CLR_STATS_CHART]; /* pixels per step from chart_low on; larger: in the last */
    double chart_low, chart_step;
} s2clr_band_stats;

/* ---- labels ---- */

typedef struct s2clr_count {
    const char *name;
    size_t patches, positive, negative, unknown;
} s2clr_count;

typedef enum s2clr_stats_table {
    S2CLR_STATS_SPLITS,    /* train, validation, test, "": none */
    S2CLR_STATS_COUNTRIES, /* most patches first; "": unknown */
    S2CLR_STATS_SEASONS,   /* from December on; "": unknown */
    S2CLR_STATS_LEVELS,
    S2CLR_STATS_TABLES
} s2clr_stats_table;

typedef struct s2clr_label_stats {
    s2clr_count all;
    size_t rows[S2CLR_STATS_TABLES];
    s2clr_count *table[S2CLR_STATS_TABLES]; // (rows)
    size_t classes;
    s2clr_count *class_; // (classes) most patches first
    size_t paired;       /* classes in `pair`: the first S2CLR_STATS_CLASSES_MAX */
    size_t *pair;        // (paired, paired) patches that have both
    void *names;         /* owns the class names */
} s2clr_label_stats;

/* ---- indices ---- */

enum { S2CLR_STATS_INDICES = 5, S2CLR_STATS_GROUPS_MAX = 67 /* three labels, 64 classes */ };

typedef struct s2clr_index_about {
    s2clr_pointwise_id id;
    const char *name; /* "EVI2" */
    const char *bands;
    double low, high; /* values beyond are left out: no surface has them */
} s2clr_index_about;

extern const s2clr_index_about s2clr_stats_index[S2CLR_STATS_INDICES];

typedef struct s2clr_index_spread {
    s2clr_stats_moments moments;
    double quantile[5]; /* 5 25 50 75 95 %, to within (high - low) / 400 */
} s2clr_index_spread;

typedef struct s2clr_index_group {
    const char *name; /* "positive", "negative", "unknown", or a class */
    size_t patches;
    s2clr_index_spread index[S2CLR_STATS_INDICES];
} s2clr_index_group;

typedef struct s2clr_index_stats {
    bool there[S2CLR_STATS_INDICES]; /* the store has its bands */
    size_t
        left_out; /* patches without those bands, or of 8-bit numbers, which are no reflectance */
    size_t groups;
    s2clr_index_group *group; // (groups) without empty ones
    uint64_t pixels;          /* behind the correlation: those where all indices are there */
    double correlation[S2CLR_STATS_INDICES][S2CLR_STATS_INDICES]; /* NaN where not there */
} s2clr_index_stats;

typedef struct s2clr_stats {
    const char *title;
    s2clr_stats_options options;
    size_t patches, measured; /* of the store; of the part whose pixels were read */
    s2clr_label_stats labels;
    size_t bands;
    s2clr_band_stats band[S2CLR_STORE_BANDS_MAX];
    s2clr_index_stats indices;
} s2clr_stats;

s2clr_status s2clr_stats_make(const s2clr_store *store, const s2clr_stats_options *options,
                              s2clr_pool *pool, const s2clr_progress *progress, s2clr_stats **out);
void s2clr_stats_free(s2clr_stats *stats);

#endif
