/* Folding batch norm (running statistics) into a convolution or into scale and shift. */
#include <math.h>
#include <string.h>

#include "net/pfuse.h"
#include "net/pnet.h"

static const float *values(const s2clr_net *net, const float *params, int node,
                           s2clr_param_role role)
{
    const int index = s2clr_net_param_of(net, node, role);
    return index < 0 ? NULL : params + net->param[index].offset;
}

void s2clr_fold_norm(const s2clr_net *net, const float *params, int norm, float *scale,
                     float *shift)
{
    const float *gamma = values(net, params, norm, S2CLR_PARAM_GAMMA);
    const float *beta = values(net, params, norm, S2CLR_PARAM_BETA);
    const float *mean = values(net, params, norm, S2CLR_PARAM_RUNNING_MEAN);
    const float *variance = values(net, params, norm, S2CLR_PARAM_RUNNING_VAR);
    for (int c = 0; c < net->node[norm].channels; c++) {
        const double s =
            (double)gamma[c] / sqrt((double)variance[c] + (double)net->node[norm].epsilon);
        scale[c] = (float)s;
        shift[c] = (float)((double)beta[c] - (double)mean[c] * s);
    }
}

void s2clr_fold_conv(const s2clr_net *net, const float *params, const s2clr_fused *op,
                     float *weight, float *bias)
{
    const int outputs = net->node[op->conv].channels;
    const s2clr_param *w = &net->param[s2clr_net_param_of(net, op->conv, S2CLR_PARAM_WEIGHT)];
    const float *own_bias = values(net, params, op->conv, S2CLR_PARAM_BIAS);
    const size_t each = w->count / (size_t)outputs;
    memcpy(weight, params + w->offset, w->count * sizeof *weight);
    for (int k = 0; k < outputs; k++) bias[k] = own_bias ? own_bias[k] : 0.0f;
    if (op->norm < 0) return;
    float scale[outputs], shift[outputs];
    s2clr_fold_norm(net, params, op->norm, scale, shift);
    for (int k = 0; k < outputs; k++) {
        for (size_t j = 0; j < each; j++) weight[(size_t)k * each + j] *= scale[k];
        bias[k] = bias[k] * scale[k] + shift[k];
    }
}
