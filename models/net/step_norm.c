/*
 * Batch norm over the whole batch (Ioffe and Szegedy 2015): the units deliver sums, this file turns
 * them into per-channel numbers.
 *
 * With M values per channel, g the gradient behind the activation and xhat = (x - mean) * inv:
 *     dbeta = sum g,  dgamma = sum g * xhat = inv * (sum g*x - mean * sum g)
 *     dx = gamma * inv * (g - dbeta / M - xhat * dgamma / M) = a g + b x + d
 */
#include <math.h>

#include "net/pstep.h"

enum { SCALE, SHIFT, A, B, D };

static const s2clr_param *param_of(const s2clr_step *step, int node, s2clr_param_role role)
{
    return &step->net->param[s2clr_net_param_of(step->net, node, role)];
}

/* Sum of entry `i` of all units, in unit order. */
static double total(const s2clr_step *step, size_t i)
{
    double sum = 0.0;
    for (int u = 0; u < step->units; u++) sum += step->sums[(size_t)u * step->sums_room + i];
    return sum;
}

static double values_per_channel(const s2clr_step *step, int node)
{
    return (double)step->options.batch * step->shape[node].h * step->shape[node].w;
}

static void update_statistics(const s2clr_step *step, int node, size_t c, double mean,
                              double variance)
{
    const double count = values_per_channel(step, node);
    const double unbiased = count > 1.0 ? variance * count / (count - 1.0) : variance;
    float *running_mean = step->statistics + param_of(step, node, S2CLR_PARAM_RUNNING_MEAN)->offset;
    float *running_var = step->statistics + param_of(step, node, S2CLR_PARAM_RUNNING_VAR)->offset;
    running_mean[c] = (float)(0.9 * (double)running_mean[c] + 0.1 * mean);
    running_var[c] = (float)(0.9 * (double)running_var[c] + 0.1 * unbiased);
}

s2clr_status s2clr_step_norm_forward(s2clr_step *step, int node)
{
    if (step->resident) return s2clr_step_resident_norm(step, node);
    const size_t channels = (size_t)step->shape[node].c;
    const double count = values_per_channel(step, node);
    const float *gamma = step->params + param_of(step, node, S2CLR_PARAM_GAMMA)->offset;
    const float *beta = step->params + param_of(step, node, S2CLR_PARAM_BETA)->offset;
    s2clr_step_node *n = &step->node[node];
    for (size_t c = 0; c < channels; c++) {
        const double mean = total(step, c) / count;
        const double variance = fmax(0.0, total(step, channels + c) / count - mean * mean);
        const double inverse = 1.0 / sqrt(variance + (double)step->net->node[node].epsilon);
        n->moment[c] = mean;
        n->moment[channels + c] = inverse;
        n->coefficient[SCALE * channels + c] = (float)((double)gamma[c] * inverse);
        n->coefficient[SHIFT * channels + c] =
            (float)((double)beta[c] - mean * (double)gamma[c] * inverse);
        if (step->statistics) update_statistics(step, node, c, mean, variance);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_step_norm_backward(s2clr_step *step, int node)
{
    if (step->resident) return s2clr_step_resident_norm(step, node);
    const size_t channels = (size_t)step->shape[node].c;
    const double count = values_per_channel(step, node);
    const size_t gamma_at = param_of(step, node, S2CLR_PARAM_GAMMA)->offset;
    const size_t beta_at = param_of(step, node, S2CLR_PARAM_BETA)->offset;
    s2clr_step_node *n = &step->node[node];
    for (size_t c = 0; c < channels; c++) {
        const double mean = n->moment[c], inverse = n->moment[channels + c];
        const double dbeta = total(step, c);
        const double dgamma = inverse * (total(step, channels + c) - mean * dbeta);
        const double a = (double)step->params[gamma_at + c] * inverse;
        const double b = -a * inverse * dgamma / count;
        step->dparams[beta_at + c] = (float)dbeta;
        step->dparams[gamma_at + c] = (float)dgamma;
        n->coefficient[A * channels + c] = (float)a;
        n->coefficient[B * channels + c] = (float)b;
        n->coefficient[D * channels + c] = (float)(-a * dbeta / count - b * mean);
    }
    return S2CLR_OK;
}
