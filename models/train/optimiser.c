#include "train/optimiser.h"

#include <math.h>
#include <string.h>

/* Numbers are rounded to float once, as PyTorch does with its Python scalars. */
static void adam(const s2clr_optimiser_settings *s, double rate, uint64_t step, bool decay,
                 s2clr_update_range *out)
{
    const double correction1 = 1 - pow(s->beta1, (double)step);
    const double correction2 = 1 - pow(s->beta2, (double)step);
    *out = (s2clr_update_range){.beta1 = (float)s->beta1,
                                .rest1 = (float)(1 - s->beta1),
                                .beta2 = (float)s->beta2,
                                .rest2 = (float)(1 - s->beta2),
                                .size = (float)(rate / correction1),
                                .root = (float)sqrt(correction2),
                                .epsilon = (float)s->epsilon,
                                .decay = decay ? (float)s->weight_decay : 0,
                                .shrink = 1};
}

static void adamw(const s2clr_optimiser_settings *s, double rate, uint64_t step, bool decay,
                  s2clr_update_range *out)
{
    adam(s, rate, step, false, out);
    if (decay) out->shrink = (float)(1 - rate * s->weight_decay);
}

/* sgd and lars differ in where the rate enters. */
static void sgd(const s2clr_optimiser_settings *s, double rate, uint64_t step, bool decay,
                s2clr_update_range *out)
{
    (void)step;
    *out = (s2clr_update_range){.beta1 = (float)s->beta1,
                                .decay = decay ? (float)s->weight_decay : 0,
                                .inside = 1,
                                .outside = (float)rate};
}

static void lars(const s2clr_optimiser_settings *s, double rate, uint64_t step, bool decay,
                 s2clr_update_range *out)
{
    sgd(s, rate, step, decay, out);
    out->rate = rate;
    out->inside = (float)rate;
    out->outside = 1;
}

static const s2clr_optimiser table[] = {
    {"adam", "Adam; weight decay is part of the gradient", 2, S2CLR_UPDATE_ADAM, false, adam},
    {"adamw", "Adam with decoupled weight decay", 2, S2CLR_UPDATE_ADAM, false, adamw},
    {"sgd", "stochastic gradient descent with momentum 0.9", 1, S2CLR_UPDATE_MOMENTUM, false, sgd},
    {"lars", "momentum 0.9, the rate adapted to the length of each weight; large batches", 1,
     S2CLR_UPDATE_MOMENTUM, true, lars},
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
