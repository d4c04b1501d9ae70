/*
 * Percentile bootstrap (Efron 1979): each resample draws n of the n samples with replacement. The
 * samples stay sorted; a resample only changes how often each counts, so it costs O(n).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "train/pmetrics.h"

typedef struct bootstrap_job {
    size_t n, values, resamples;
    uint64_t seed;
    bootstrap_fn resample;
    const void *context;
    uint32_t *times; // (threads, n)
    double *each;    // (resamples, values)
    double *column;  // (resamples)
} bootstrap_job;

/* Draw i of resample r is s2clr_random_below(seed, r, i, n), made four at a time. */
static void draw_times(uint64_t seed, uint64_t resample, size_t n, uint32_t *times)
{
    memset(times, 0, n * sizeof *times);
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t i = 0; i < n; i += 4) {
        const uint64_t block = i / 4;
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)resample,
                                     (uint32_t)(resample >> 32)};
        uint32_t word[4];
        s2clr_philox(key, counter, word);
        for (size_t j = 0; j < 4 && i + j < n; j++) times[(uint64_t)word[j] * n >> 32]++;
    }
}

static s2clr_status resample_one(void *context, size_t item, int worker)
{
    const bootstrap_job *job = context;
    uint32_t *times = job->times + (size_t)worker * job->n;
    draw_times(job->seed, item, job->n, times);
    return job->resample(job->context, times, worker, job->each + item * job->values);
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Linear interpolation between the order statistics. */
static double quantile(const double *sorted, size_t count, double q)
{
    const double at = q * (double)(count - 1);
    const size_t below = (size_t)at;
    if (below + 1 >= count) return sorted[count - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Resamples in which the number is undefined say nothing about it and are left out. */
static void interval(const bootstrap_job *job, size_t value, double *low, double *high)
{
    size_t defined = 0;
    for (size_t i = 0; i < job->resamples; i++) {
        const double one = job->each[i * job->values + value];
        if (!isnan(one)) job->column[defined++] = one;
    }
    *low = *high = NAN;
    if (defined == 0) return;
    qsort(job->column, defined, sizeof *job->column, rising);
    *low = quantile(job->column, defined, 0.025);
    *high = quantile(job->column, defined, 0.975);
}

static s2clr_status run(bootstrap_job *job, s2clr_pool *pool, double *low, double *high)
{
    const size_t threads = pool ? (size_t)s2clr_pool_threads(pool) : 1;
    size_t times, each;
    S2CLR_TRY(s2clr_size_mul(threads, job->n, &times));
    S2CLR_TRY(s2clr_size_mul(job->resamples, job->values, &each));
    S2CLR_TRY(s2clr_alloc(times, sizeof(uint32_t), "bootstrap weights", (void **)&job->times));
    S2CLR_TRY(s2clr_alloc(each, sizeof(double), "bootstrap values", (void **)&job->each));
    S2CLR_TRY(
        s2clr_alloc(job->resamples, sizeof(double), "bootstrap values", (void **)&job->column));
    if (pool) {
        S2CLR_TRY(s2clr_pool_run(pool, resample_one, job, job->resamples));
    } else {
        for (size_t r = 0; r < job->resamples; r++) S2CLR_TRY(resample_one(job, r, 0));
    }
    for (size_t v = 0; v < job->values; v++) interval(job, v, &low[v], &high[v]);
    return S2CLR_OK;
}

s2clr_status s2clr_bootstrap_run(const bootstrap_draw *draw, size_t n, size_t values,
                                 bootstrap_fn resample, const void *context, double *low,
                                 double *high)
{
    if (draw->resamples < 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%d bootstrap resamples: must be 0 or more",
                               draw->resamples);
    for (size_t v = 0; v < values; v++) low[v] = high[v] = NAN;
    if (draw->resamples == 0) return S2CLR_OK;
    bootstrap_job job = {.n = n,
                         .values = values,
                         .resamples = (size_t)draw->resamples,
                         .seed = draw->seed,
                         .resample = resample,
                         .context = context};
    const s2clr_status status = run(&job, draw->pool, low, high);
    s2clr_free(job.times);
    s2clr_free(job.each);
    s2clr_free(job.column);
    return status;
}

/* ---- of binary metrics ---- */

typedef struct ranked_job {
    const ranked_sample *ranked;
    size_t n;
    double threshold, prevalence;
} ranked_job;

static s2clr_status resample_ranked(const void *context, const uint32_t *times, int worker,
                                    double *value)
{
    const ranked_job *job = context;
    s2clr_metrics found;
    (void)worker;
    s2clr_metrics_ranked(job->ranked, times, job->n, job->threshold, job->prevalence, &found);
    memcpy(value, found.value, sizeof found.value);
    return S2CLR_OK;
}

s2clr_status s2clr_metrics_bootstrap(const ranked_sample *ranked, size_t n,
                                     const bootstrap_draw *draw, double prevalence,
                                     s2clr_metrics *out)
{
    const ranked_job job = {
        .ranked = ranked, .n = n, .threshold = out->threshold, .prevalence = prevalence};
    out->resamples = draw->resamples;
    return s2clr_bootstrap_run(draw, n, S2CLR_METRICS, resample_ranked, &job, out->low, out->high);
}
