/* One step of a whole network: every parameter with its own rate and its own say about decay. */
#include <math.h>

#include "base/memory.h"
#include "train/optimiser.h"

enum { CHUNK = 1 << 16 }; /* floats per pool item */

typedef struct step_job {
    const s2clr_optimiser *optimiser;
    const s2clr_optimiser_settings *settings;
    const s2clr_param *list;
    size_t listed, count; /* count: trainable floats */
    double rate;
    uint64_t step;
    const float *gradient;
    float *moments, *params;
    /* lars only: pieces are what a chunk has of a parameter */
    double *squares; // (chunks + listed, 2) of weight and gradient, pieces in order
    double *scale;   // (listed)
} step_job;

/* The elements of parameter i in a chunk; false when it has none. */
static bool overlap(const step_job *job, size_t chunk, size_t i, size_t *from, size_t *to)
{
    const size_t begin = chunk * CHUNK;
    const size_t end = job->count - begin < CHUNK ? job->count : begin + CHUNK;
    const s2clr_param *param = &job->list[i];
    const size_t past = param->offset + param->count;
    *from = param->offset > begin ? param->offset : begin;
    *to = past < end ? past : end;
    return *from < *to;
}

/* Parameters lie one behind the other, so piece number chunk + parameter is met only once. */
static s2clr_status measure_chunk(void *context, size_t item, int worker)
{
    (void)worker;
    const step_job *job = context;
    for (size_t i = 0; i < job->listed; i++) {
        size_t from, to;
        if (job->list[i].rank < 2 || !overlap(job, item, i, &from, &to)) continue;
        const double decay = job->settings->weight_decay;
        double weight = 0, gradient = 0;
        for (size_t j = from; j < to; j++) {
            const double w = (double)job->params[j], g = (double)job->gradient[j] + decay * w;
            weight += w * w;
            gradient += g * g;
        }
        job->squares[2 * (item + i)] = weight;
        job->squares[2 * (item + i) + 1] = gradient;
    }
    return S2CLR_OK;
}

static void reduce(const step_job *job, size_t chunks)
{
    for (size_t i = 0; i < job->listed; i++) {
        size_t from, to;
        double weight = 0, gradient = 0;
        for (size_t chunk = job->list[i].offset / CHUNK; chunk < chunks; chunk++) {
            if (!overlap(job, chunk, i, &from, &to)) break;
            weight += job->squares[2 * (chunk + i)];
            gradient += job->squares[2 * (chunk + i) + 1];
        }
        job->scale[i] = job->list[i].rank >= 2
                            ? job->optimiser->scale(job->settings, sqrt(weight), sqrt(gradient))
                            : 1;
    }
}

static double rate_of(const step_job *job, size_t i)
{
    const double factor = job->settings->factor ? job->settings->factor[i] : 1;
    return job->rate * factor * (job->scale ? job->scale[i] : 1);
}

static s2clr_status update_chunk(void *context, size_t item, int worker)
{
    (void)worker;
    const step_job *job = context;
    for (size_t i = 0; i < job->listed; i++) {
        size_t from, to;
        if (!overlap(job, item, i, &from, &to)) continue;
        if (job->settings->factor && !(job->settings->factor[i] > 0)) continue;
        job->optimiser->update(job->settings, rate_of(job, i), job->step, job->list[i].rank >= 2,
                               from, to, job->count, job->gradient, job->moments, job->params);
    }
    return S2CLR_OK;
}

static s2clr_status measure(step_job *job, s2clr_pool *pool, size_t chunks)
{
    S2CLR_TRY(s2clr_alloc(chunks + job->listed, 2 * sizeof(double), "lengths of the weights",
                          (void **)&job->squares));
    S2CLR_TRY(
        s2clr_alloc(job->listed, sizeof(double), "rates of the weights", (void **)&job->scale));
    S2CLR_TRY(s2clr_pool_run(pool, measure_chunk, job, chunks));
    reduce(job, chunks);
    return S2CLR_OK;
}

s2clr_status s2clr_optimiser_step(const s2clr_optimiser *optimiser,
                                  const s2clr_optimiser_settings *settings, const s2clr_net *net,
                                  s2clr_pool *pool, double rate, uint64_t step,
                                  const float *gradient, float *moments, float *params)
{
    step_job job = {.optimiser = optimiser,
                    .settings = settings,
                    .count = s2clr_net_trainable_count(net),
                    .rate = rate,
                    .step = step,
                    .gradient = gradient,
                    .moments = moments,
                    .params = params};
    job.listed = s2clr_net_param_list(net, &job.list);
    const size_t chunks = (job.count + CHUNK - 1) / CHUNK;
    s2clr_status status = optimiser->scale ? measure(&job, pool, chunks) : S2CLR_OK;
    if (status == S2CLR_OK) status = s2clr_pool_run(pool, update_chunk, &job, chunks);
    s2clr_free(job.squares);
    s2clr_free(job.scale);
    return status;
}
