/*
 * The baselines every network has to beat: a logistic regression on the mean and the standard
 * deviation of each band, and one on random convolutional features. And one on what a network makes
 * of the patches, its weights left as they are: the linear probe that encoders are judged by.
 *
 *     const s2clr_baseline_options options = {.kind = S2CLR_BASELINE_BANDS, .l2 = 1};
 *     S2CLR_TRY(s2clr_baseline_fit(&options, &train, &validation, pool, &baseline));
 *     S2CLR_TRY(s2clr_baseline_predict(baseline, &test, pool, p));
 *     ... s2clr_baseline_describe(baseline)->threshold ...
 *     s2clr_baseline_free(baseline);
 *
 * Features are standardised with the training samples' numbers; pixels without value are left out,
 * and a patch of nothing else counts as average. The fit is that of baseline_logistic.h. Threads
 * cannot matter.
 */
#ifndef S2CLR_REPORT_BASELINE_H
#define S2CLR_REPORT_BASELINE_H

#include "backend/backend.h"
#include "base/pool.h"
#include "base/progress.h"
#include "file/card.h"
#include "net/net.h"
#include "train/samples.h"

typedef enum s2clr_baseline_kind {
    S2CLR_BASELINE_BANDS,
    S2CLR_BASELINE_RANDOM,
    S2CLR_BASELINE_FEATURES,
    S2CLR_BASELINES
} s2clr_baseline_kind;

/* "per-band mean and standard deviation + logistic regression" */
const char *s2clr_baseline_name(s2clr_baseline_kind kind);
/* "baseline: band statistics" */
const char *s2clr_baseline_brief(s2clr_baseline_kind kind);

typedef struct s2clr_baseline_options {
    s2clr_baseline_kind kind;
    int classes; /* K >= 2: labels are below K; 0: labels are 0 or 1 */
    double l2;   /* 0: of 0.01, 0.1, 1, 10 and 100 the one with the least log loss on the validation
                    samples; 10 without any */
    size_t most; /* training samples, taken evenly from all; 0: all */
    /* of random features (random_features.h) */
    int filters;
    uint64_t seed;
    /* of a network's features (scorer.h); must outlive the baseline */
    const s2clr_net *net;
    const float *params;
    const s2clr_card *card;
    const char *level; /* of the samples' DN */
    const s2clr_progress *progress; /* NULL: none */
    /* of both */
    const s2clr_backend *backend;
    s2clr_device *device;
} s2clr_baseline_options;

typedef struct s2clr_baseline_about {
    size_t features;
    size_t trained, available; /* training samples used, and there */
    size_t validated;          /* 0: threshold 0.5, and l2 is given */
    double l2;
    double threshold; /* best F1 on the validation samples, as a model's is; K classes: 0.5 */
    double share;     /* of positives in training: what its probabilities hold for */
} s2clr_baseline_about;

typedef struct s2clr_baseline s2clr_baseline;

/* At least two labels must occur in train. validation: NULL or empty when there is none. */
s2clr_status s2clr_baseline_fit(const s2clr_baseline_options *options, const s2clr_samples *train,
                                const s2clr_samples *validation, s2clr_pool *pool,
                                s2clr_baseline **out);
void s2clr_baseline_free(s2clr_baseline *baseline);

/* Borrowed. */
const s2clr_baseline_about *s2clr_baseline_describe(const s2clr_baseline *baseline);

// p: (samples->count), or (samples->count, K)
s2clr_status s2clr_baseline_predict(const s2clr_baseline *baseline, const s2clr_samples *samples,
                                    s2clr_pool *pool, double *p);

/* (1 or K, features + 1): weights on the standardised features (of band statistics: mean and
 * deviation of band 0, of band 1 ...), then the intercept. Borrowed. */
const double *s2clr_baseline_weights(const s2clr_baseline *baseline);

/* Mean and standard deviation of each band over the finite pixels of each patch, NaN where a patch
 * has none. *out: (count, 2 * channels), freed with s2clr_free(). */
s2clr_status s2clr_band_statistics(const s2clr_samples *samples, s2clr_pool *pool, double **out);

#endif
