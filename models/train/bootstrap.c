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
    const ranked_sample *ranked;
    size_t n;
    double threshold;
    uint64_t seed;
    uint32_t *weight; // (threads, n)
    double *value;    // (S2CLR_METRICS, resamples)
    size_t resamples;
} bootstrap_job;

/* Draw i of resample r is s2clr_random_below(seed, r, i, n), made four at a time. */
static void draw_weights(uint64_t seed, uint64_t resample, size_t n, uint32_t *weight)
{
    memset(weight, 0, n * sizeof *weight);
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t i = 0; i < n; i += 4) {
        const uint64_t block = i / 4;
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)resample,
                                     (uint32_t)(resample >> 32)};
        uint32_t word[4];
        s2clr_philox(key, counter, word);
        for (size_t j = 0; j < 4 && i + j < n; j++) weight[(uint64_t)word[j] * n >> 32]++;
    }
}

static s2clr_status resample_one(void *context, size_t item, int worker)
{
    bootstrap_job *job = context;
    uint32_t *weight = job->weight + (size_t)worker * job->n;
    draw_weights(job->seed, item, job->n, weight);
    s2clr_metrics found;
    s2clr_metrics_ranked(job->ranked, weight, job->n, job->threshold, &found);
    for (size_t m = 0; m < S2CLR_METRICS; m++)
        job->value[m * job->resamples + item] = found.value[m];
    return S2CLR_OK;
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

/* Resamples in which the metric is undefined say nothing about it and are left out. */
static void interval(double *values, size_t count, double *low, double *high)
{
    size_t defined = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i])) values[defined++] = values[i];
    *low = *high = NAN;
    if (defined == 0) return;
    qsort(values, defined, sizeof *values, rising);
    *low = quantile(values, defined, 0.025);
    *high = quantile(values, defined, 0.975);
}

static s2clr_status run(bootstrap_job *job, s2clr_pool *pool, s2clr_metrics *out)
{
    const size_t threads = pool ? (size_t)s2clr_pool_threads(pool) : 1;
    size_t weights;
    S2CLR_TRY(s2clr_size_mul(threads, job->n, &weights));
    S2CLR_TRY(s2clr_alloc(weights, sizeof(uint32_t), "bootstrap weights", (void **)&job->weight));
    S2CLR_TRY(s2clr_alloc(job->resamples, S2CLR_METRICS * sizeof(double), "bootstrap values",
                          (void **)&job->value));
    if (pool) {
        S2CLR_TRY(s2clr_pool_run(pool, resample_one, job, job->resamples));
    } else {
        for (size_t r = 0; r < job->resamples; r++) S2CLR_TRY(resample_one(job, r, 0));
    }
    for (size_t m = 0; m < S2CLR_METRICS; m++)
        interval(job->value + m * job->resamples, job->resamples, &out->low[m], &out->high[m]);
    return S2CLR_OK;
}

s2clr_status s2clr_metrics_bootstrap(const ranked_sample *ranked, size_t n, int resamples,
                                     uint64_t seed, s2clr_pool *pool, s2clr_metrics *out)
{
    if (resamples < 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%d bootstrap resamples: must be 0 or more",
                               resamples);
    out->resamples = resamples;
    for (size_t m = 0; m < S2CLR_METRICS; m++) out->low[m] = out->high[m] = NAN;
    if (resamples == 0) return S2CLR_OK;

    bootstrap_job job = {.ranked = ranked,
                         .n = n,
                         .threshold = out->threshold,
                         .seed = seed,
                         .resamples = (size_t)resamples};
    const s2clr_status status = run(&job, pool, out);
    s2clr_free(job.weight);
    s2clr_free(job.value);
    return status;
}
