/* Shared by metrics.c and bootstrap.c only. */
#ifndef S2CLR_TRAIN_PMETRICS_H
#define S2CLR_TRAIN_PMETRICS_H

#include <stdint.h>

#include "train/metrics.h"

typedef struct ranked_sample {
    double p;
    int label;
    uint32_t index; /* place in the caller's arrays */
} ranked_sample;

/* Counts and values of samples in falling order of p. weight: how often sample `index` counts,
 * NULL: once each. */
void s2clr_metrics_ranked(const ranked_sample *ranked, const uint32_t *weight, size_t n,
                          double threshold, s2clr_metrics *out);

/* Fills low and high of `out`, whose threshold is used. */
s2clr_status s2clr_metrics_bootstrap(const ranked_sample *ranked, size_t n, int resamples,
                                     uint64_t seed, s2clr_pool *pool, s2clr_metrics *out);

#endif
