/*
 * Intervals of the metrics of K classes. Samples are sorted once for every class; a resample only
 * changes how often each counts.
 */
#include <math.h>

#include "base/memory.h"
#include "train/pclass_metrics.h"
#include "train/pmetrics.h"

typedef struct class_job {
    const double *p;  // (n, k)
    const int *label; // (n)
    size_t n, k;
    uint32_t *choice; // (n)
    uint32_t *order;  // (k, n) samples by falling p of the class
} class_job;

/* Area under ROC of class c with these draws; NaN when it or all others were not drawn. */
static double area(const class_job *job, const uint32_t *times, size_t c)
{
    const uint32_t *order = job->order + c * job->n;
    double positives = 0, negatives = 0, twice = 0;
    for (size_t i = 0; i < job->n;) {
        const double p = job->p[order[i] * job->k + c];
        double group[2] = {0, 0};
        for (; i < job->n && job->p[order[i] * job->k + c] == p; i++)
            group[(size_t)job->label[order[i]] == c] += times[order[i]];
        twice += group[0] * (2 * positives + group[1]);
        positives += group[1];
        negatives += group[0];
    }
    return positives > 0 && negatives > 0 ? twice / (2 * positives * negatives) : (double)NAN;
}

static s2clr_status resample(const void *context, const uint32_t *times, int worker, double *value)
{
    const class_job *job = context;
    s2clr_class_metrics m = {.classes = (int)job->k};
    double hits = 0, sum = 0;
    int found = 0;
    (void)worker;
    for (size_t i = 0; i < job->n; i++) {
        const int hit = job->choice[i] == (uint32_t)job->label[i];
        m.count[job->label[i]] += times[i];
        m.called[job->choice[i]] += times[i];
        m.hits[job->label[i]] += hit ? times[i] : 0;
        hits += hit ? times[i] : 0;
    }
    for (size_t c = 0; c < job->k; c++) {
        const double one = area(job, times, c);
        if (isnan(one)) continue;
        sum += one;
        found++;
    }
    value[S2CLR_CLASS_ACCURACY] = hits / (double)job->n;
    value[S2CLR_CLASS_AUC] = found ? sum / found : (double)NAN;
    value[S2CLR_CLASS_MACRO_F1] = s2clr_class_macro_f1(&m);
    return S2CLR_OK;
}

/* column, is: (n) scratch */
static s2clr_status sort_class(class_job *job, size_t c, double *column, int *is)
{
    ranked_sample *ranked;
    for (size_t i = 0; i < job->n; i++) {
        column[i] = job->p[i * job->k + c];
        is[i] = (size_t)job->label[i] == c;
    }
    S2CLR_TRY(s2clr_metrics_rank(column, is, job->n, &ranked));
    for (size_t i = 0; i < job->n; i++) job->order[c * job->n + i] = ranked[i].index;
    s2clr_free(ranked);
    return S2CLR_OK;
}

static s2clr_status prepare(class_job *job, double *column, int *is)
{
    size_t cells;
    S2CLR_TRY(s2clr_size_mul(job->n, job->k, &cells));
    S2CLR_TRY(s2clr_alloc(job->n, sizeof *job->choice, "choices", (void **)&job->choice));
    S2CLR_TRY(s2clr_alloc(cells, sizeof *job->order, "orders of classes", (void **)&job->order));
    for (size_t c = 0; c < job->k; c++) S2CLR_TRY(sort_class(job, c, column, is));
    for (size_t i = 0; i < job->n; i++)
        job->choice[i] = (uint32_t)s2clr_class_choice(job->p + i * job->k, job->k);
    return S2CLR_OK;
}

s2clr_status s2clr_class_metrics_bootstrap(const double *p, const int *label, size_t n, size_t k,
                                           int resamples, uint64_t seed, s2clr_pool *pool,
                                           s2clr_class_metrics *metrics)
{
    const bootstrap_draw draw = {.resamples = resamples, .seed = seed, .pool = pool};
    class_job job = {.p = p, .label = label, .n = n, .k = k};
    double *column = NULL, low[S2CLR_CLASS_METRICS], high[S2CLR_CLASS_METRICS];
    int *is = NULL;
    S2CLR_TRY(s2clr_class_metrics_check(label, n, k));
    s2clr_status status = s2clr_alloc(n, sizeof *column, "a class's scores", (void **)&column);
    if (status == S2CLR_OK) status = s2clr_alloc(n, sizeof *is, "a class's labels", (void **)&is);
    if (status == S2CLR_OK) status = prepare(&job, column, is);
    if (status == S2CLR_OK)
        status = s2clr_bootstrap_run(&draw, n, S2CLR_CLASS_METRICS, resample, &job, low, high);
    s2clr_free(column);
    s2clr_free(is);
    s2clr_free(job.choice);
    s2clr_free(job.order);
    S2CLR_TRY(status);
    metrics->resamples = resamples;
    for (int m = 0; m < S2CLR_CLASS_METRICS; m++)
        metrics->low[m] = low[m], metrics->high[m] = high[m];
    return S2CLR_OK;
}
