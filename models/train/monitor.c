#include "train/monitor.h"

#include <math.h>

#include "base/memory.h"
#include "train/cosine.h"

static s2clr_status need(const char *what, size_t count, size_t least, size_t d)
{
    if (count >= least && d >= 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s of %zu embeddings of %zu numbers: at least %zu of at least 1 are "
                           "needed",
                           what, count, d, least);
}

s2clr_status s2clr_monitor_spread(const float *z, size_t count, size_t d, double *out)
{
    s2clr_cosine *cosine;
    S2CLR_TRY(need("spread", count, 1, d));
    S2CLR_TRY(s2clr_cosine_new(z, count, d, d, &cosine));
    double sum = 0;
    for (size_t k = 0; k < d; k++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < count; i++) mean += cosine->u[i * d + k];
        mean /= (double)count;
        for (size_t i = 0; i < count; i++) {
            const double off = cosine->u[i * d + k] - mean;
            square += off * off;
        }
        sum += sqrt(square / (double)count);
    }
    *out = sum / sqrt((double)d); /* mean over d, times sqrt(d) */
    s2clr_cosine_free(cosine);
    return S2CLR_OK;
}

s2clr_status s2clr_monitor_alignment(const float *z, size_t n, size_t d, double *out)
{
    s2clr_cosine *cosine;
    size_t views;
    S2CLR_TRY(need("alignment", n, 1, d));
    S2CLR_TRY(s2clr_size_mul(n, 2, &views));
    S2CLR_TRY(s2clr_cosine_new(z, views, d, d, &cosine));
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double *one = cosine->u + 2 * i * d, *other = one + d;
        for (size_t k = 0; k < d; k++) sum += (one[k] - other[k]) * (one[k] - other[k]);
    }
    *out = sum / (double)n;
    s2clr_cosine_free(cosine);
    return S2CLR_OK;
}

typedef struct uniformity {
    s2clr_cosine *cosine;
    double *scratch; // (threads, S2CLR_COSINE_ROWS, width)
    double *sum;     // (count) over j > i
    double *square;  // (count) |u|^2: 1, or 0 for a vector without direction
} uniformity;

static s2clr_status uniformity_rows(void *context, size_t item, int worker)
{
    uniformity *job = context;
    const s2clr_cosine *cosine = job->cosine;
    const size_t first = item * S2CLR_COSINE_ROWS;
    double *s = job->scratch + (size_t)worker * S2CLR_COSINE_ROWS * cosine->width;
    s2clr_cosine_compare(cosine, cosine, first, s);
    for (size_t i = first; i < first + S2CLR_COSINE_ROWS && i < cosine->count; i++) {
        const double *row = s + (i - first) * cosine->width;
        for (size_t j = i + 1; j < cosine->count; j++)
            job->sum[i] += exp(-2 * (job->square[i] + job->square[j] - 2 * row[j]));
    }
    return S2CLR_OK;
}

static s2clr_status uniformity_of(uniformity *job, s2clr_pool *pool, double *out)
{
    const size_t count = job->cosine->count, threads = s2clr_cosine_threads(pool);
    size_t scratch;
    S2CLR_TRY(s2clr_size_mul(threads * S2CLR_COSINE_ROWS, job->cosine->width, &scratch));
    S2CLR_TRY(s2clr_alloc(scratch, sizeof(double), "uniformity", (void **)&job->scratch));
    S2CLR_TRY(s2clr_alloc(count, sizeof(double), "uniformity", (void **)&job->sum));
    S2CLR_TRY(s2clr_alloc(count, sizeof(double), "uniformity", (void **)&job->square));
    for (size_t i = 0; i < count; i++)
        job->square[i] = job->cosine->norm[i] > 0 && isfinite(job->cosine->norm[i]);
    S2CLR_TRY(s2clr_cosine_run(pool, uniformity_rows, job, count));
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += job->sum[i];
    *out = log(sum / ((double)count * (double)(count - 1) / 2));
    return S2CLR_OK;
}

s2clr_status s2clr_monitor_uniformity(const float *z, size_t count, size_t stride, size_t d,
                                      s2clr_pool *pool, double *out)
{
    uniformity job = {0};
    S2CLR_TRY(need("uniformity", count, 2, d));
    S2CLR_TRY(s2clr_cosine_new(z, count, stride, d, &job.cosine));
    const s2clr_status status = uniformity_of(&job, pool, out);
    s2clr_cosine_free(job.cosine);
    s2clr_free(job.scratch);
    s2clr_free(job.sum);
    s2clr_free(job.square);
    return status;
}
