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

/* Shared by sgd and lars, which differ in where the rate enters. */
static void momentum(float beta, float decay, float inside, float outside, size_t count,
                     const float *restrict gradient, float *restrict first, float *restrict params)
{
    for (size_t i = 0; i < count; i++) {
        first[i] = beta * first[i] + inside * (gradient[i] + decay * params[i]);
        params[i] -= outside * first[i];
    }
}

static void sgd(const s2clr_optimiser_settings *settings, double rate, uint64_t step, int decay,
                size_t begin, size_t end, size_t count, const float *gradient, float *moments,
                float *params)
{
    (void)step, (void)count;
    momentum((float)settings->beta1, decay ? (float)settings->weight_decay : 0, 1, (float)rate,
             end - begin, gradient + begin, moments + begin, params + begin);
}

static void lars(const s2clr_optimiser_settings *settings, double rate, uint64_t step, int decay,
                 size_t begin, size_t end, size_t count, const float *gradient, float *moments,
                 float *params)
{
    (void)step, (void)count;
    momentum((float)settings->beta1, decay ? (float)settings->weight_decay : 0, (float)rate, 1,
             end - begin, gradient + begin, moments + begin, params + begin);
}

/* A weight or gradient of 0 has no direction to adapt to. */
static double lars_scale(const s2clr_optimiser_settings *settings, double weight, double gradient)
{
    return weight > 0 && gradient > 0 ? settings->trust * weight / gradient : 1;
}

static const s2clr_optimiser table[] = {
    {"adam", "Adam; weight decay is part of the gradient", 2, NULL, adam},
    {"adamw", "Adam with decoupled weight decay", 2, NULL, adamw},
    {"sgd", "stochastic gradient descent with momentum 0.9", 1, NULL, sgd},
    {"lars", "momentum 0.9, the rate adapted to the length of each weight; large batches", 1,
     lars_scale, lars},
};
enum { ENTRIES = sizeof table / sizeof table[0] };

s2clr_optimiser_settings s2clr_optimiser_defaults(void)
{
    return (s2clr_optimiser_settings){
        .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .trust = 0.001};
}

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
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "optimiser \"%s\" is not known; use adam, adamw, sgd or lars", name);
}
