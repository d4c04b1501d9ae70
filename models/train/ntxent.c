#include "train/ntxent.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/cosine.h"

enum { ROWS = S2CLR_COSINE_ROWS };

/* Letters: M = 2n views, D numbers of an embedding, d a gradient. */
typedef struct ntxent {
    const int *place; // (n) or NULL
    size_t views, d;
    double temperature;
    s2clr_cosine *cosine;
    double *scratch; // (threads, ROWS, width)
    double *sums;    // (threads, D)
    double *lse;     // (M) log of the sum of exponentials
    double *cost;    // (M) l_i
    float *dz;       // (M, D) or NULL
} ntxent;

static s2clr_status check(size_t n, size_t d, double temperature)
{
    if (n < 2)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "contrastive loss of %zu patches: at least 2 are needed, because "
                               "each is told apart from the others",
                               n);
    if (d < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "contrastive loss of embeddings without numbers");
    if (temperature > 0 && isfinite(temperature) && isfinite(1 / temperature)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "the temperature of the contrastive loss is %g, must be above 0",
                           temperature);
}

static s2clr_status check_lengths(const float *z, size_t n, size_t d)
{
    for (size_t i = 0; i < 2 * n; i++) {
        double square = 0;
        for (size_t k = 0; k < d; k++) square += (double)z[i * d + k] * (double)z[i * d + k];
        if (!(square > 0) || !isfinite(square))
            return s2clr_error_set(S2CLR_ERR_BACKEND,
                                   "the embedding of view %zu of patch %zu of the batch is %s: it "
                                   "has no direction to compare",
                                   i % 2 + 1, i / 2 + 1, square == 0 ? "zero" : "not finite");
    }
    return S2CLR_OK;
}

s2clr_status s2clr_ntxent_check(const float *z, size_t n, size_t d, double temperature)
{
    S2CLR_TRY(check(n, d, temperature));
    return check_lengths(z, n, d);
}

/* Does view j stand in the sum of view i? Symmetric. */
static int counts(const ntxent *job, size_t i, size_t j)
{
    if (i / 2 == j / 2) return i != j;
    return !job->place || job->place[i / 2] != job->place[j / 2];
}

static void cost_of(ntxent *job, size_t i, const double *s)
{
    double most = s[i ^ 1], sum = 0;
    for (size_t j = 0; j < job->views; j++)
        if (s[j] > most && counts(job, i, j)) most = s[j];
    for (size_t j = 0; j < job->views; j++)
        if (counts(job, i, j)) sum += exp(s[j] - most);
    job->lse[i] = most + log(sum);
    job->cost[i] = job->lse[i] - s[i ^ 1];
}

/* View i pulls and is pulled: ds_ij of row i and ds_ji of row j both reach u_i. */
static void gradient_of(ntxent *job, size_t i, const double *s, double *du)
{
    const size_t d = job->d;
    memset(du, 0, d * sizeof *du);
    for (size_t j = 0; j < job->views; j++) {
        if (!counts(job, i, j)) continue;
        const double ds =
            exp(s[j] - job->lse[i]) + exp(s[j] - job->lse[j]) - (j == (i ^ 1) ? 2 : 0);
        const double *restrict u = job->cosine->u + j * d;
        for (size_t k = 0; k < d; k++) du[k] += ds * u[k];
    }
    const double *u = job->cosine->u + i * d;
    double along = 0; /* the length of z does not matter, so its direction gets no gradient */
    for (size_t k = 0; k < d; k++) along += u[k] * du[k];
    const double scale = 1 / (job->temperature * (double)job->views * job->cosine->norm[i]);
    for (size_t k = 0; k < d; k++) job->dz[i * d + k] = (float)(scale * (du[k] - along * u[k]));
}

/* s_ij of the rows of `item`; borrowed until the worker's next call. */
static const double *similarities(ntxent *job, size_t item, int worker)
{
    const size_t count = ROWS * job->cosine->width;
    double *s = job->scratch + (size_t)worker * count;
    s2clr_cosine_compare(job->cosine, job->cosine, item * ROWS, s);
    for (size_t j = 0; j < count; j++) s[j] /= job->temperature;
    return s;
}

static s2clr_status cost_rows(void *context, size_t item, int worker)
{
    ntxent *job = context;
    const double *s = similarities(job, item, worker);
    for (size_t r = 0; r < ROWS && item * ROWS + r < job->views; r++)
        cost_of(job, item * ROWS + r, s + r * job->cosine->width);
    return S2CLR_OK;
}

static s2clr_status gradient_rows(void *context, size_t item, int worker)
{
    ntxent *job = context;
    const double *s = similarities(job, item, worker);
    double *du = job->sums + (size_t)worker * job->d;
    for (size_t r = 0; r < ROWS && item * ROWS + r < job->views; r++)
        gradient_of(job, item * ROWS + r, s + r * job->cosine->width, du);
    return S2CLR_OK;
}

static s2clr_status doubles(size_t rows, size_t columns, double **out)
{
    size_t count;
    S2CLR_TRY(s2clr_size_mul(rows, columns, &count));
    return s2clr_alloc(count, sizeof(double), "contrastive loss", (void **)out);
}

static s2clr_status compute(ntxent *job, const float *z, s2clr_pool *pool, double *loss)
{
    const size_t threads = s2clr_cosine_threads(pool);
    S2CLR_TRY(s2clr_cosine_new(z, job->views, job->d, job->d, &job->cosine));
    S2CLR_TRY(doubles(threads * ROWS, job->cosine->width, &job->scratch));
    S2CLR_TRY(doubles(threads, job->d, &job->sums));
    S2CLR_TRY(doubles(job->views, 1, &job->lse));
    S2CLR_TRY(doubles(job->views, 1, &job->cost));
    S2CLR_TRY(s2clr_cosine_run(pool, cost_rows, job, job->views));
    if (job->dz) S2CLR_TRY(s2clr_cosine_run(pool, gradient_rows, job, job->views));
    double sum = 0;
    for (size_t i = 0; i < job->views; i++) sum += job->cost[i];
    *loss = sum / (double)job->views;
    return S2CLR_OK;
}

s2clr_status s2clr_ntxent(const float *z, const int *place, size_t n, size_t d, double temperature,
                          s2clr_pool *pool, double *loss, float *dz)
{
    ntxent job = {.place = place, .d = d, .temperature = temperature, .dz = dz};
    S2CLR_TRY(s2clr_size_mul(n, 2, &job.views));
    S2CLR_TRY(s2clr_ntxent_check(z, n, d, temperature));
    const s2clr_status status = compute(&job, z, pool, loss);
    s2clr_cosine_free(job.cosine);
    s2clr_free(job.scratch);
    s2clr_free(job.sums);
    s2clr_free(job.lse);
    s2clr_free(job.cost);
    return status;
}
