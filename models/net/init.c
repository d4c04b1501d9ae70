/* First values of the parameters. */
#include <math.h>

#include "base/philox.h"
#include "net/pnet.h"

static void fill(float value, float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) x[i] = value;
}

static void fill_normal(double deviation, uint64_t seed, uint64_t stream, float *x, size_t count)
{
    for (size_t j = 0; j < count; j++)
        x[j] = (float)(deviation * (double)s2clr_random_normal(seed, stream, j));
}

/* He et al. 2015, "Delving deep into rectifiers", fan-out as torchvision's ResNets. */
static void fill_he(const s2clr_param *p, int groups, uint64_t seed, uint64_t stream, float *x)
{
    const double fan_out = (double)p->dims[0] * p->dims[2] * p->dims[3];
    fill_normal(sqrt(2.0 / fan_out * groups), seed, stream, x, p->count);
}

static void fill_uniform(double bound, uint64_t seed, uint64_t stream, float *x, size_t count)
{
    for (size_t j = 0; j < count; j++)
        x[j] = (float)(bound * (2.0 * (double)s2clr_random_uniform(seed, stream, j) - 1.0));
}

/* A layer that makes logits, of patches or of positions: what torch.nn.Linear does. */
static bool makes_logits(const s2clr_net *net, int node)
{
    return node == net->output[S2CLR_OUTPUT_LOGITS] || node == net->output[S2CLR_OUTPUT_LOCAL];
}

s2clr_status s2clr_net_init(const s2clr_net *net, uint64_t seed, float *params)
{
    for (size_t i = 0; i < net->params; i++) {
        const s2clr_param *p = &net->param[i];
        const s2clr_node *node = &net->node[p->node];
        float *x = params + p->offset;
        const double fan_in = net->node[node->input[0]].channels;
        switch (p->role) {
        case S2CLR_PARAM_WEIGHT:
        case S2CLR_PARAM_BIAS:
            if (makes_logits(net, p->node))
                fill_uniform(1.0 / sqrt(fan_in), seed, i, x, p->count);
            else if (p->role == S2CLR_PARAM_BIAS)
                fill(0.0f, x, p->count);
            else if (node->linear)
                fill_normal(sqrt(2.0 / fan_in), seed, i, x, p->count);
            else
                fill_he(p, node->groups, seed, i, x);
            break;
        case S2CLR_PARAM_GAMMA:
        case S2CLR_PARAM_RUNNING_VAR:
            fill(1.0f, x, p->count);
            break;
        case S2CLR_PARAM_BETA:
        case S2CLR_PARAM_RUNNING_MEAN:
            fill(0.0f, x, p->count);
            break;
        }
    }
    return S2CLR_OK;
}
