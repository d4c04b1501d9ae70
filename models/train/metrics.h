/*
 * Binary classification metrics with bootstrap confidence intervals.
 *
 *     s2clr_metrics m;
 *     S2CLR_TRY(s2clr_metrics_compute(p, label, n, 0.5, 1000, seed, &m));
 *     printf("AUC %.4f [%.4f, %.4f]\n", m.value[S2CLR_METRIC_AUC], ...);
 */
#ifndef S2CLR_TRAIN_METRICS_H
#define S2CLR_TRAIN_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"

typedef enum s2clr_metric {
    S2CLR_METRIC_ACCURACY,
    S2CLR_METRIC_PRECISION,
    S2CLR_METRIC_RECALL,
    S2CLR_METRIC_SPECIFICITY,
    S2CLR_METRIC_F1,
    S2CLR_METRIC_F05,
    S2CLR_METRIC_AUC,    /* area under ROC; ties count one half (Mann-Whitney) */
    S2CLR_METRIC_PR_AUC, /* average precision (step-wise, ties grouped) */
    S2CLR_METRIC_BRIER,
    S2CLR_METRIC_ECE, /* 15 equal-width bins (Guo et al. 2017) */
    S2CLR_METRICS
} s2clr_metric;

typedef struct s2clr_metrics {
    size_t n, positives;
    size_t tp, fp, tn, fn;
    double threshold;
    double value[S2CLR_METRICS]; /* NaN when undefined (no positives predicted, one class only) */
    double low[S2CLR_METRICS];   /* percentile bootstrap, 95 % */
    double high[S2CLR_METRICS];
    int resamples;
} s2clr_metrics;

const char *s2clr_metric_name(s2clr_metric metric); /* "auc" */

/* p: probabilities in [0, 1], no NaN; label: 0 or 1. Positive when p >= threshold. resamples 0: no
 * intervals (low = high = NaN). Resample r draws with Philox stream r: same on any thread count.
 * pool may be NULL. */
s2clr_status s2clr_metrics_compute(const double *p, const int *label, size_t n, double threshold,
                                   int resamples, uint64_t seed, s2clr_pool *pool,
                                   s2clr_metrics *out);

/* The threshold with the best F1 on these samples: halfway between two neighbouring probabilities
 * (the highest such threshold among equals); 0.5 when there is no positive. */
s2clr_status s2clr_metrics_best_threshold(const double *p, const int *label, size_t n, double *out);

/* {"n": ..., "auc": {"value": ..., "low": ..., "high": ...}, ...} as JSON text, undefined numbers
 * as null; *out is freed with s2clr_free(). */
s2clr_status s2clr_metrics_format(const s2clr_metrics *metrics, char **out);

/* ROC area alone, O(n log n); NaN when one class is missing. */
s2clr_status s2clr_metrics_auc(const double *p, const int *label, size_t n, double *out);

#endif
