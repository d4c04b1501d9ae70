#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "train/pmetrics.h"

enum { ECE_BINS = 15 };

const char *s2clr_metric_name(s2clr_metric metric)
{
    static const char *const names[S2CLR_METRICS] = {
        "accuracy", "precision", "recall", "specificity", "f1",
        "f0.5",     "auc",       "pr_auc", "brier",       "ece"};
    return (unsigned)metric < S2CLR_METRICS ? names[metric] : "unknown";
}

static int falling(const void *a, const void *b)
{
    const ranked_sample *x = a, *y = b;
    if (x->p != y->p) return x->p < y->p ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static s2clr_status check(const double *p, const int *label, size_t n)
{
    if (n == 0 || n > UINT32_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "metrics of %zu samples: must be 1 to 4294967295", n);
    for (size_t i = 0; i < n; i++) {
        if (!(p[i] >= 0 && p[i] <= 1))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "probability of sample %zu is %g, must be 0 to 1", i, p[i]);
        if (label[i] != 0 && label[i] != 1)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "label of sample %zu is %d, must be 0 or 1",
                                   i, label[i]);
    }
    return S2CLR_OK;
}

static s2clr_status rank(const double *p, const int *label, size_t n, ranked_sample **out)
{
    S2CLR_TRY(check(p, label, n));
    ranked_sample *ranked;
    S2CLR_TRY(s2clr_alloc(n, sizeof *ranked, "ranked samples", (void **)&ranked));
    for (size_t i = 0; i < n; i++)
        ranked[i] = (ranked_sample){.p = p[i], .label = label[i], .index = (uint32_t)i};
    qsort(ranked, n, sizeof *ranked, falling);
    *out = ranked;
    return S2CLR_OK;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* Both areas in one pass over the groups of equal p. All counts are whole numbers below 2^53, so
 * the ROC area is exact up to its last division. */
static void areas(const ranked_sample *ranked, const uint32_t *weight, size_t n, double *roc,
                  double *pr)
{
    double positives = 0, negatives = 0, twice = 0, steps = 0;
    for (size_t i = 0; i < n;) {
        const double p = ranked[i].p;
        double group[2] = {0, 0};
        for (; i < n && ranked[i].p == p; i++)
            group[ranked[i].label] += weight ? weight[ranked[i].index] : 1;
        twice += group[0] * (2 * positives + group[1]);
        positives += group[1];
        negatives += group[0];
        if (group[1] > 0) steps += group[1] * (positives / (positives + negatives));
    }
    *roc = ratio(twice, 2 * positives * negatives);
    *pr = ratio(steps, positives);
}

static void scores(const ranked_sample *ranked, const uint32_t *weight, size_t n, double *brier,
                   double *ece)
{
    double total = 0, squares = 0, error = 0;
    double sum_p[ECE_BINS] = {0}, sum_label[ECE_BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        const double w = weight ? weight[ranked[i].index] : 1, p = ranked[i].p;
        const double miss = p - ranked[i].label;
        const int slot = (int)(p * ECE_BINS);
        const int bin = slot < ECE_BINS ? slot : ECE_BINS - 1;
        total += w;
        squares += w * (miss * miss);
        sum_p[bin] += w * p;
        sum_label[bin] += w * ranked[i].label;
    }
    for (int bin = 0; bin < ECE_BINS; bin++) error += fabs(sum_p[bin] - sum_label[bin]);
    *brier = squares / total;
    *ece = error / total;
}

void s2clr_metrics_ranked(const ranked_sample *ranked, const uint32_t *weight, size_t n,
                          double threshold, s2clr_metrics *out)
{
    size_t cell[2][2] = {{0, 0}, {0, 0}}; // (label, decision)
    for (size_t i = 0; i < n; i++)
        cell[ranked[i].label][ranked[i].p >= threshold] += weight ? weight[ranked[i].index] : 1;
    out->threshold = threshold;
    out->tn = cell[0][0], out->fp = cell[0][1], out->fn = cell[1][0], out->tp = cell[1][1];
    out->positives = out->fn + out->tp;
    out->n = out->positives + out->tn + out->fp;

    const double tp = (double)out->tp, fp = (double)out->fp, tn = (double)out->tn,
                 fn = (double)out->fn;
    double *value = out->value;
    value[S2CLR_METRIC_ACCURACY] = ratio(tp + tn, tp + tn + fp + fn);
    value[S2CLR_METRIC_PRECISION] = ratio(tp, tp + fp);
    value[S2CLR_METRIC_RECALL] = ratio(tp, tp + fn);
    value[S2CLR_METRIC_SPECIFICITY] = ratio(tn, tn + fp);
    value[S2CLR_METRIC_F1] = ratio(2 * tp, 2 * tp + fp + fn);
    value[S2CLR_METRIC_F05] = ratio(1.25 * tp, 1.25 * tp + fp + 0.25 * fn);
    areas(ranked, weight, n, &value[S2CLR_METRIC_AUC], &value[S2CLR_METRIC_PR_AUC]);
    scores(ranked, weight, n, &value[S2CLR_METRIC_BRIER], &value[S2CLR_METRIC_ECE]);
}

s2clr_status s2clr_metrics_compute(const double *p, const int *label, size_t n, double threshold,
                                   int resamples, uint64_t seed, s2clr_pool *pool,
                                   s2clr_metrics *out)
{
    ranked_sample *ranked;
    S2CLR_TRY(rank(p, label, n, &ranked));
    s2clr_metrics found;
    s2clr_metrics_ranked(ranked, NULL, n, threshold, &found);
    const s2clr_status status = s2clr_metrics_bootstrap(ranked, n, resamples, seed, pool, &found);
    s2clr_free(ranked);
    if (status == S2CLR_OK) *out = found;
    return status;
}

s2clr_status s2clr_metrics_auc(const double *p, const int *label, size_t n, double *out)
{
    ranked_sample *ranked;
    double precision;
    S2CLR_TRY(rank(p, label, n, &ranked));
    areas(ranked, NULL, n, out, &precision);
    s2clr_free(ranked);
    return S2CLR_OK;
}

s2clr_status s2clr_metrics_best_threshold(const double *p, const int *label, size_t n, double *out)
{
    ranked_sample *ranked;
    S2CLR_TRY(rank(p, label, n, &ranked));
    double positives = 0, tp = 0, best = 0, threshold = 0.5;
    for (size_t i = 0; i < n; i++) positives += ranked[i].label;
    for (size_t i = 0; i < n; i++) {
        tp += ranked[i].label;
        const int last = i + 1 == n;
        if (!last && ranked[i + 1].p == ranked[i].p) continue;
        const double f1 = 2 * tp / ((double)(i + 1) + positives);
        if (f1 <= best) continue;
        best = f1;
        threshold = last ? ranked[i].p : 0.5 * (ranked[i].p + ranked[i + 1].p);
    }
    s2clr_free(ranked);
    *out = threshold;
    return S2CLR_OK;
}
