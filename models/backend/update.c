#include "backend/update.h"

#include <math.h>

static void adam(const s2clr_update_range *range, size_t count, const float *restrict gradient,
                 float *restrict first, float *restrict second, float *restrict params)
{
    const s2clr_update_range k = *range;
    for (size_t i = 0; i < count; i++) {
        const float weight = params[i] * k.shrink;
        const float g = gradient[i] + k.decay * weight;
        first[i] = k.beta1 * first[i] + k.rest1 * g;
        second[i] = k.beta2 * second[i] + k.rest2 * g * g;
        params[i] = weight - k.size * first[i] / (sqrtf(second[i]) / k.root + k.epsilon);
    }
}

static void momentum(const s2clr_update_range *range, size_t count, const float *restrict gradient,
                     float *restrict first, float *restrict params)
{
    const s2clr_update_range k = *range;
    for (size_t i = 0; i < count; i++) {
        first[i] = k.beta1 * first[i] + k.inside * (gradient[i] + k.decay * params[i]);
        params[i] -= k.outside * first[i];
    }
}

void s2clr_update_elements(const s2clr_update *update, const s2clr_update_range *range,
                           size_t begin, size_t end)
{
    const float *const gradient = update->gradient + begin;
    float *const first = update->moments + begin, *const params = update->params + begin;
    if (update->rule == S2CLR_UPDATE_ADAM)
        adam(range, end - begin, gradient, first, first + update->count, params);
    else
        momentum(range, end - begin, gradient, first, params);
}

double s2clr_update_adapt(double trust, double weight, double gradient)
{
    return weight > 0 && gradient > 0 ? trust * weight / gradient : 1;
}
