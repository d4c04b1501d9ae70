/* Shared by the files of metrics, curves and their bootstrap only. */
#ifndef S2CLR_TRAIN_PMETRICS_H
#define S2CLR_TRAIN_PMETRICS_H

#include <stdint.h>

#include "train/metrics.h"

#define S2CLR_ECE_BINS 15 /* of equal width */

typedef struct ranked_sample {
    double p;
    int label;
    uint32_t index; /* place in the caller's arrays */
} ranked_sample;

/* Probabilities in [0, 1], labels 0 or 1, at least one sample. */
s2clr_status s2clr_metrics_check(const double *p, const int *label, size_t n);

/* Checks, then sorts by falling p; *out is freed with s2clr_free(). */
s2clr_status s2clr_metrics_rank(const double *p, const int *label, size_t n, ranked_sample **out);

/* The bin of the expected calibration error. */
int s2clr_metrics_bin(double p);

/* Counts and values of samples in falling order of p. times: how often sample `index` counts,
 * NULL: once each. prevalence: positives and negatives are weighted so that this is the share of
 * positives; values are NaN when a label is absent; 0: no weights. */
void s2clr_metrics_ranked(const ranked_sample *ranked, const uint32_t *times, size_t n,
                          double threshold, double prevalence, s2clr_metrics *out);

/* ---- bootstrap ---- */

typedef struct bootstrap_draw {
    int resamples;
    uint64_t seed;
    s2clr_pool *pool; /* or NULL */
} bootstrap_draw;

/* Values of one resample: `times` says how often each of the n samples was drawn. Called by several
 * threads at once. value: (values) of the job. */
typedef s2clr_status (*bootstrap_fn)(const void *context, const uint32_t *times, int worker,
                                     double *value);

/* 95 % percentile intervals of `values` numbers, low and high: (values). Draw i of resample r is
 * s2clr_random_below(seed, r, i, n). NaN says nothing and is left out; nothing left, or no
 * resamples: NaN. */
s2clr_status s2clr_bootstrap_run(const bootstrap_draw *draw, size_t n, size_t values,
                                 bootstrap_fn resample, const void *context, double *low,
                                 double *high);

/* Fills resamples, low and high of `out`, whose threshold is used. */
s2clr_status s2clr_metrics_bootstrap(const ranked_sample *ranked, size_t n,
                                     const bootstrap_draw *draw, double prevalence,
                                     s2clr_metrics *out);

#endif
