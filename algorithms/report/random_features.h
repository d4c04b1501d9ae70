/*
 * Random convolutional features: what a network knows before it has learnt anything.
 *
 *     const s2clr_random_features_options options = {.channels = 3, .size = 64, .filters = 128,
 * ...}; S2CLR_TRY(s2clr_random_features_new(&options, &features));
 *     S2CLR_TRY(s2clr_random_features_measure(features, &samples, pool, &x));   // (n, 2 * filters)
 *     s2clr_random_features_free(features);
 *
 * Fixed random filters of 3x3 and 5x5 pixels over all bands, half of them each; the mean over the
 * patch of what is positive and of what is negative in their answer: the features of Rolf et al.,
 * "A generalizable and accessible approach to machine learning with global satellite imagery",
 * Nature Communications 12, 2021, with Gaussian filters and a Gaussian offset. Filters go over
 * every second pixel. Bands are standardised first; a pixel without value counts as average.
 */
#ifndef S2CLR_REPORT_RANDOM_FEATURES_H
#define S2CLR_REPORT_RANDOM_FEATURES_H

#include "backend/backend.h"
#include "base/pool.h"
#include "train/samples.h"

#define S2CLR_RANDOM_FILTERS_MAX 512

typedef struct s2clr_random_features s2clr_random_features;

typedef struct s2clr_random_features_options {
    int channels, size;
    int filters;             /* even, 2 to S2CLR_RANDOM_FILTERS_MAX */
    const double *mean, *sd; // (channels) of the bands' DN; sd > 0
    uint64_t seed;
    const s2clr_backend *backend; /* both must outlive the features */
    s2clr_device *device;
} s2clr_random_features_options;

s2clr_status s2clr_random_features_new(const s2clr_random_features_options *options,
                                       s2clr_random_features **out);
void s2clr_random_features_free(s2clr_random_features *features);

/* *out: (samples->count, 2 * filters): of filter k the positive mean at 2k, the negative one behind
 * it. Freed with s2clr_free(). */
s2clr_status s2clr_random_features_measure(s2clr_random_features *features,
                                           const s2clr_samples *samples, s2clr_pool *pool,
                                           double **out);

#endif
