/* One step of a whole network: every parameter with its own rate and its own say about decay. */
#include <math.h>

#include "base/memory.h"
#include "train/optimiser.h"

enum { CHUNK = 1 << 16 }; /* floats per pool item */

void s2clr_optimiser_plan(const s2clr_optimiser *optimiser,
                          const s2clr_optimiser_settings *settings, const s2clr_net *net,
                          double rate, uint64_t step, s2clr_update_range *range,
                          s2clr_update *update)
{
    const s2clr_param *list;
    const size_t listed = s2clr_net_param_list(net, &list);
    update->rule = optimiser->rule;
    update->count = s2clr_net_trainable_count(net);
    update->trust = settings->trust;
    update->weight_decay = settings->weight_decay;
    update->range = range;
    update->ranges = 0;
    for (size_t i = 0; i < listed; i++) {
        const double factor = settings->factor ? settings->factor[i] : 1;
        const bool weight = list[i].rank >= 2;
        if (list[i].offset >= update->count || !(factor > 0)) continue;
        s2clr_update_range *const own = &range[update->ranges++];
        optimiser->numbers(settings, rate * factor, step, weight, own);
        own->begin = list[i].offset;
        own->end = list[i].offset + list[i].count;
        own->adapted = optimiser->adapts && weight;
    }
}

typedef struct step_job {
    s2clr_update update;
    s2clr_update_range *range;
    double *squares; // (chunks + ranges, 2) of weight and gradient, pieces in order; adapting only
} step_job;

/* The elements of a range in a chunk, which together are a piece; false when it has none. */
static bool overlap(const step_job *job, size_t chunk, const s2clr_update_range *range,
                    size_t *from, size_t *to)
{
    const size_t begin = chunk * CHUNK, count = job->update.count;
    const size_t end = count - begin < CHUNK ? count : begin + CHUNK;
    *from = range->begin > begin ? range->begin : begin;
    *to = range->end < end ? range->end : end;
    return *from < *to;
}

/* Ranges lie one behind the other, so piece number chunk + range is met only once. */
static s2clr_status measure_chunk(void *context, size_t item, int worker)
{
    (void)worker;
    const step_job *job = context;
    const s2clr_update *const u = &job->update;
    for (size_t i = 0; i < u->ranges; i++) {
        size_t from, to;
        if (!job->range[i].adapted || !overlap(job, item, &job->range[i], &from, &to)) continue;
        double weight = 0, gradient = 0;
        for (size_t j = from; j < to; j++) {
            const double w = (double)u->params[j];
            const double g = (double)u->gradient[j] + u->weight_decay * w;
            weight += w * w;
            gradient += g * g;
        }
        job->squares[2 * (item + i)] = weight;
        job->squares[2 * (item + i) + 1] = gradient;
    }
    return S2CLR_OK;
}

static void adapt(const step_job *job, size_t chunks)
{
    for (size_t i = 0; i < job->update.ranges; i++) {
        s2clr_update_range *const range = &job->range[i];
        size_t from, to;
        double weight = 0, gradient = 0;
        if (!range->adapted) continue;
        for (size_t chunk = range->begin / CHUNK; chunk < chunks; chunk++) {
            if (!overlap(job, chunk, range, &from, &to)) break;
            weight += job->squares[2 * (chunk + i)];
            gradient += job->squares[2 * (chunk + i) + 1];
        }
        range->inside = (float)(range->rate * s2clr_update_adapt(job->update.trust, sqrt(weight),
                                                                 sqrt(gradient)));
    }
}

static s2clr_status update_chunk(void *context, size_t item, int worker)
{
    (void)worker;
    const step_job *job = context;
    for (size_t i = 0; i < job->update.ranges; i++) {
        size_t from, to;
        if (overlap(job, item, &job->range[i], &from, &to))
            s2clr_update_elements(&job->update, &job->range[i], from, to);
    }
    return S2CLR_OK;
}

static s2clr_status measure(step_job *job, s2clr_pool *pool, size_t chunks)
{
    S2CLR_TRY(s2clr_alloc(chunks + job->update.ranges, 2 * sizeof(double), "lengths of the weights",
                          (void **)&job->squares));
    S2CLR_TRY(s2clr_pool_run(pool, measure_chunk, job, chunks));
    adapt(job, chunks);
    return S2CLR_OK;
}

s2clr_status s2clr_optimiser_step(const s2clr_optimiser *optimiser,
                                  const s2clr_optimiser_settings *settings, const s2clr_net *net,
                                  s2clr_pool *pool, double rate, uint64_t step,
                                  const float *gradient, float *moments, float *params)
{
    const s2clr_param *list;
    step_job job = {.update = {.gradient = gradient, .moments = moments, .params = params}};
    S2CLR_TRY(s2clr_alloc(s2clr_net_param_list(net, &list), sizeof *job.range,
                          "numbers of an update", (void **)&job.range));
    s2clr_optimiser_plan(optimiser, settings, net, rate, step, job.range, &job.update);
    const size_t chunks = (job.update.count + CHUNK - 1) / CHUNK;
    s2clr_status status = optimiser->adapts ? measure(&job, pool, chunks) : S2CLR_OK;
    if (status == S2CLR_OK) status = s2clr_pool_run(pool, update_chunk, &job, chunks);
    s2clr_free(job.squares);
    s2clr_free(job.range);
    return status;
}
