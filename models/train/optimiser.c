#include "train/optimiser.h"

#include <math.h>
#include <string.h>

/* The numbers of one step, rounded to float once, as PyTorch does with its Python scalars. */
typedef struct factors {
    float beta1, rest1, beta2, rest2;
    float size; /* rate / (1 - beta1^step) */
    float root; /* sqrt(1 - beta2^step) */
    float epsilon;
    float decay;  /* added to the gradient, times the weight */
    float shrink; /* the weight is multiplied by it first */
} factors;

static factors factors_of(const s2clr_optimiser_settings *s, double rate, uint64_t step)
{
    const double correction1 = 1 - pow(s->beta1, (double)step);
    const double correction2 = 1 - pow(s->beta2, (double)step);
    return (factors){.beta1 = (float)s->beta1,
                     .rest1 = (float)(1 - s->beta1),
                     .beta2 = (float)s->beta2,
                     .rest2 = (float)(1 - s->beta2),
                     .size = (float)(rate / correction1),
                     .root = (float)sqrt(correction2),
                     .epsilon = (float)s->epsilon,
                     .decay = 0,
                     .shrink = 1};
}

static void update(const factors *f, size_t count, const float *restrict gradient,
                   float *restrict first, float *restrict second, float *restrict params)
{
    const factors k = *f;
    for (size_t i = 0; i < count; i++) {
        const float weight = params[i] * k.shrink;
        const float g = gradient[i] + k.decay * weight;
        first[i] = k.beta1 * first[i] + k.rest1 * g;
        second[i] = k.beta2 * second[i] + k.rest2 * g * g;
        params[i] = weight - k.size * first[i] / (sqrtf(second[i]) / k.root + k.epsilon);
    }
}

static void adam(const s2clr_optimiser_settings *settings, double rate, uint64_t step, int decay,
                 size_t begin, size_t end, size_t count, const float *gradient, float *moments,
                 float *params)
{
    factors f = factors_of(settings, rate, step);
    if (decay) f.decay = (float)settings->weight_decay;
    update(&f, end - begin, gradient + begin, moments + begin, moments + count + begin,
           params + begin);
}

static void adamw(const s2clr_optimiser_settings *settings, double rate, uint64_t step, int decay,
                  size_t begin, size_t end, size_t count, const float *gradient, float *moments,
                  float *params)
{
    factors f = factors_of(settings, rate, step);
    if (decay) f.shrink = (float)(1 - rate * settings->weight_decay);
    update(&f, end - begin, gradient + begin, moments + begin, moments + count + begin,
           params + begin);
}

static const s2clr_optimiser table[] = {
    {"adam", "Adam; weight decay is part of the gradient", 2, adam},
    {"adamw", "Adam with decoupled weight decay", 2, adamw},
};
enum { ENTRIES = sizeof table / sizeof table[0] };

size_t s2clr_optimiser_list(const s2clr_optimiser **out)
{
    *out = table;
    return ENTRIES;
}

s2clr_status s2clr_optimiser_find(const char *name, const s2clr_optimiser **out)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (strcmp(table[i].name, name) != 0) continue;
        *out = &table[i];
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "optimiser \"%s\" is not known; use adam or adamw",
                           name);
}

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
} step_job;

/* One chunk of the flat array, cut where parameters begin: each has its own say about decay. */
static s2clr_status update_chunk(void *context, size_t item, int worker)
{
    (void)worker;
    const step_job *job = context;
    const size_t begin = item * CHUNK;
    const size_t end = job->count - begin < CHUNK ? job->count : begin + CHUNK;
    for (size_t i = 0; i < job->listed; i++) {
        const s2clr_param *param = &job->list[i];
        const size_t from = param->offset > begin ? param->offset : begin;
        const size_t past = param->offset + param->count;
        const size_t to = past < end ? past : end;
        if (from < to)
            job->optimiser->update(job->settings, job->rate, job->step, param->rank >= 2, from, to,
                                   job->count, job->gradient, job->moments, job->params);
    }
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
    return s2clr_pool_run(pool, update_chunk, &job, (job.count + CHUNK - 1) / CHUNK);
}
