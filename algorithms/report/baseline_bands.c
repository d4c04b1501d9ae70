/* Mean and standard deviation of every band of every patch. */
#include <math.h>

#include "base/memory.h"
#include "report/baseline.h"

typedef struct statistics_job {
    const s2clr_samples *samples;
    float *dn; // (threads, C, size, size)
    size_t pixels, values;
    double *features; // (n, 2 * C)
} statistics_job;

static void measure_band(const float *plane, size_t pixels, double *mean, double *sd)
{
    double sum = 0, squares = 0, known = 0;
    for (size_t i = 0; i < pixels; i++) {
        if (!isfinite(plane[i])) continue;
        sum += (double)plane[i];
        known++;
    }
    *mean = *sd = NAN;
    if (!(known > 0)) return;
    *mean = sum / known;
    for (size_t i = 0; i < pixels; i++) {
        const double d = (double)plane[i] - *mean;
        if (isfinite(plane[i])) squares += d * d;
    }
    *sd = sqrt(squares / known);
}

static s2clr_status measure_one(void *context, size_t item, int worker)
{
    const statistics_job *job = context;
    const size_t bands = (size_t)job->samples->channels;
    float *dn = job->dn + (size_t)worker * job->values;
    double *out = job->features + item * 2 * bands;
    S2CLR_TRY(job->samples->read(job->samples->self, item, dn));
    for (size_t b = 0; b < bands; b++, out += 2)
        measure_band(dn + b * job->pixels, job->pixels, &out[0], &out[1]);
    return S2CLR_OK;
}

s2clr_status s2clr_band_statistics(const s2clr_samples *samples, s2clr_pool *pool, double **out)
{
    statistics_job job = {.samples = samples};
    size_t total;
    job.pixels = (size_t)samples->size * (size_t)samples->size;
    S2CLR_TRY(s2clr_size_mul(job.pixels, (size_t)samples->channels, &job.values));
    S2CLR_TRY(s2clr_size_mul(job.values, (size_t)s2clr_pool_threads(pool), &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(float), "patches", (void **)&job.dn));
    s2clr_status status = s2clr_size_mul(samples->count, 2 * (size_t)samples->channels, &total);
    if (status == S2CLR_OK)
        status = s2clr_alloc(total, sizeof(double), "features", (void **)&job.features);
    if (status == S2CLR_OK) status = s2clr_pool_run(pool, measure_one, &job, samples->count);
    s2clr_free(job.dn);
    if (status == S2CLR_OK)
        *out = job.features;
    else
        s2clr_free(job.features);
    return status;
}
