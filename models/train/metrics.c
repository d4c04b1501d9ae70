#include "train/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "train/pmetrics.h"
#include "train/prior_shift.h"

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

s2clr_status s2clr_metrics_check(const double *p, const int *label, size_t n)
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

s2clr_status s2clr_metrics_rank(const double *p, const int *label, size_t n, ranked_sample **out)
{
    S2CLR_TRY(s2clr_metrics_check(p, label, n));
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

int s2clr_metrics_bin(double p)
{
    const int slot = (int)(p * S2CLR_ECE_BINS);
    return slot < S2CLR_ECE_BINS ? slot : S2CLR_ECE_BINS - 1;
}

/* How often each sample counts, and what one of each label weighs: 1, unless a prevalence asks for
 * something else. With 1 all sums are of whole numbers below 2^53, so that areas are exact up to
 * their last division. */
typedef struct weighing {
    const uint32_t *times; // (n) by index, NULL: once each
    double label[2];
} weighing;

static double weigh(const weighing *by, const ranked_sample *sample)
{
    return by->label[sample->label] * (by->times ? by->times[sample->index] : 1);
}

/* Both areas in one pass over the groups of equal p. */
static void areas(const ranked_sample *ranked, const weighing *by, size_t n, double *roc,
                  double *pr)
{
    double positives = 0, negatives = 0, twice = 0, steps = 0;
    for (size_t i = 0; i < n;) {
        const double p = ranked[i].p;
        double group[2] = {0, 0};
        for (; i < n && ranked[i].p == p; i++) group[ranked[i].label] += weigh(by, &ranked[i]);
        twice += group[0] * (2 * positives + group[1]);
        positives += group[1];
        negatives += group[0];
        if (group[1] > 0) steps += group[1] * (positives / (positives + negatives));
    }
    *roc = ratio(twice, 2 * positives * negatives);
    *pr = ratio(steps, positives);
}

static void scores(const ranked_sample *ranked, const weighing *by, size_t n, double *brier,
                   double *ece)
{
    double total = 0, squares = 0, error = 0;
    double sum_p[S2CLR_ECE_BINS] = {0}, sum_label[S2CLR_ECE_BINS] = {0};
    for (size_t i = 0; i < n; i++) {
        const double w = weigh(by, &ranked[i]), p = ranked[i].p;
        const double miss = p - ranked[i].label;
        const int bin = s2clr_metrics_bin(p);
        total += w;
        squares += w * (miss * miss);
        sum_p[bin] += w * p;
        sum_label[bin] += w * ranked[i].label;
    }
    for (int bin = 0; bin < S2CLR_ECE_BINS; bin++) error += fabs(sum_p[bin] - sum_label[bin]);
    *brier = squares / total;
    *ece = error / total;
}

static void count_cells(const ranked_sample *ranked, const uint32_t *times, size_t n,
                        s2clr_metrics *out)
{
    size_t cell[2][2] = {{0, 0}, {0, 0}}; // (label, decision)
    for (size_t i = 0; i < n; i++)
        cell[ranked[i].label][ranked[i].p >= out->threshold] += times ? times[ranked[i].index] : 1;
    out->tn = cell[0][0], out->fp = cell[0][1], out->fn = cell[1][0], out->tp = cell[1][1];
    out->positives = out->fn + out->tp;
    out->n = out->positives + out->tn + out->fp;
}

/* False when no weights make the samples have that prevalence. */
static int weigh_labels(const s2clr_metrics *counts, double prevalence, weighing *by)
{
    by->label[0] = by->label[1] = 1;
    if (prevalence == 0) return 1;
    if (counts->positives == 0 || counts->positives == counts->n) return 0;
    by->label[0] = (1 - prevalence) / (double)(counts->n - counts->positives);
    by->label[1] = prevalence / (double)counts->positives;
    return 1;
}

void s2clr_metrics_ranked(const ranked_sample *ranked, const uint32_t *times, size_t n,
                          double threshold, double prevalence, s2clr_metrics *out)
{
    weighing by = {.times = times};
    double *value = out->value;
    out->threshold = threshold;
    count_cells(ranked, times, n, out);
    if (!weigh_labels(out, prevalence, &by)) {
        for (int m = 0; m < S2CLR_METRICS; m++) value[m] = NAN;
        return;
    }
    const double tp = (double)out->tp * by.label[1], fp = (double)out->fp * by.label[0],
                 tn = (double)out->tn * by.label[0], fn = (double)out->fn * by.label[1];
    value[S2CLR_METRIC_ACCURACY] = ratio(tp + tn, tp + tn + fp + fn);
    value[S2CLR_METRIC_PRECISION] = ratio(tp, tp + fp);
    value[S2CLR_METRIC_RECALL] = ratio(tp, tp + fn);
    value[S2CLR_METRIC_SPECIFICITY] = ratio(tn, tn + fp);
    value[S2CLR_METRIC_F1] = ratio(2 * tp, 2 * tp + fp + fn);
    value[S2CLR_METRIC_F05] = ratio(1.25 * tp, 1.25 * tp + fp + 0.25 * fn);
    areas(ranked, &by, n, &value[S2CLR_METRIC_AUC], &value[S2CLR_METRIC_PR_AUC]);
    scores(ranked, &by, n, &value[S2CLR_METRIC_BRIER], &value[S2CLR_METRIC_ECE]);
}

static s2clr_status compute(const double *p, const int *label, size_t n, const bootstrap_draw *draw,
                            double threshold, double prevalence, s2clr_metrics *out)
{
    ranked_sample *ranked;
    S2CLR_TRY(s2clr_metrics_rank(p, label, n, &ranked));
    s2clr_metrics found;
    s2clr_metrics_ranked(ranked, NULL, n, threshold, prevalence, &found);
    s2clr_status status;
    if (prevalence > 0 && (found.positives == 0 || found.positives == n))
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "metrics at prevalence %g: %zu of the %zu samples are positive, "
                                 "and both labels are needed",
                                 prevalence, found.positives, n);
    else
        status = s2clr_metrics_bootstrap(ranked, n, draw, prevalence, &found);
    s2clr_free(ranked);
    if (status == S2CLR_OK) *out = found;
    return status;
}

s2clr_status s2clr_metrics_compute(const double *p, const int *label, size_t n, double threshold,
                                   int resamples, uint64_t seed, s2clr_pool *pool,
                                   s2clr_metrics *out)
{
    const bootstrap_draw draw = {.resamples = resamples, .seed = seed, .pool = pool};
    return compute(p, label, n, &draw, threshold, 0, out);
}

s2clr_status s2clr_metrics_at_prevalence(const double *p, const int *label, size_t n,
                                         double threshold, double prevalence, int resamples,
                                         uint64_t seed, s2clr_pool *pool, s2clr_metrics *out)
{
    const bootstrap_draw draw = {.resamples = resamples, .seed = seed, .pool = pool};
    if (!(prevalence > 0 && prevalence < 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "prevalence %g: must lie between 0 and 1, both excluded",
                               prevalence);
    return compute(p, label, n, &draw, threshold, prevalence, out);
}

s2clr_status s2clr_metrics_auc(const double *p, const int *label, size_t n, double *out)
{
    const weighing once = {.label = {1, 1}};
    ranked_sample *ranked;
    double precision;
    S2CLR_TRY(s2clr_metrics_rank(p, label, n, &ranked));
    areas(ranked, &once, n, out, &precision);
    s2clr_free(ranked);
    return S2CLR_OK;
}

s2clr_status s2clr_metrics_best_threshold(const double *p, const int *label, size_t n, double *out)
{
    ranked_sample *ranked;
    S2CLR_TRY(s2clr_metrics_rank(p, label, n, &ranked));
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
