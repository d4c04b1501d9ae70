/* A training batch whose weights and gradients stay on the device: what step.c does with the
 * caller's arrays is queued here. */
#include "net/pstep.h"

/* The values of a parameter of node i in one of the flat arrays; NULL when it has none. */
static const float *values(const s2clr_step *step, const float *flat, int i, s2clr_param_role role)
{
    const int index = s2clr_net_param_of(step->net, i, role);
    return index < 0 || !flat ? NULL : flat + step->net->param[index].offset;
}

static float *own(const s2clr_step *step, float *flat, int i, s2clr_param_role role)
{
    const int index = s2clr_net_param_of(step->net, i, role);
    return index < 0 || !flat ? NULL : flat + step->net->param[index].offset;
}

static s2clr_norm norm_of(const s2clr_step *step, int i)
{
    const s2clr_shape shape = step->shape[i];
    return (s2clr_norm){.channels = (size_t)shape.c,
                        .count = (double)shape.n * shape.h * shape.w,
                        .epsilon = step->net->node[i].epsilon,
                        .sums = step->sums,
                        .gamma = values(step, step->params, i, S2CLR_PARAM_GAMMA),
                        .beta = values(step, step->params, i, S2CLR_PARAM_BETA),
                        .moment = step->node[i].moment,
                        .coefficient = step->node[i].coefficient};
}

static s2clr_status fold(const s2clr_step *step, int i)
{
    s2clr_norm norm = norm_of(step, i);
    norm.running_mean = values(step, step->params, i, S2CLR_PARAM_RUNNING_MEAN);
    norm.running_variance = values(step, step->params, i, S2CLR_PARAM_RUNNING_VAR);
    return step->resident->norm_frozen(step->stream[0], &norm);
}

s2clr_status s2clr_step_resident_begin(const s2clr_step *step)
{
    for (int i = 0; i <= step->last; i++) {
        const s2clr_step_node *node = &step->node[i];
        if (!node->needed) continue;
        if (node->coefficient && !s2clr_step_trains(step, i)) S2CLR_TRY(fold(step, i));
        if (step->net->node[i].kind != S2CLR_NODE_CONV) continue;
        S2CLR_TRY(step->resident->pack(
            node->op, step->stream[0], values(step, step->params, i, S2CLR_PARAM_WEIGHT),
            values(step, step->params, i, S2CLR_PARAM_BIAS), node->packed));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_step_resident_clear(const s2clr_step *step)
{
    for (size_t i = 0; i < step->net->params; i++) {
        const s2clr_param *p = &step->net->param[i];
        if (p->offset < step->net->trainable_floats && !s2clr_step_trains(step, p->node))
            S2CLR_TRY(step->resident->zero(step->stream[0], p->count * sizeof(float),
                                           step->dparams + p->offset));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_step_resident_norm(const s2clr_step *step, int i)
{
    s2clr_norm norm = norm_of(step, i);
    if (step->running == &step->forward) {
        norm.moved_mean = own(step, step->statistics, i, S2CLR_PARAM_RUNNING_MEAN);
        norm.moved_variance = own(step, step->statistics, i, S2CLR_PARAM_RUNNING_VAR);
        return step->resident->norm_forward(step->stream[0], &norm);
    }
    norm.dgamma = own(step, step->dparams, i, S2CLR_PARAM_GAMMA);
    norm.dbeta = own(step, step->dparams, i, S2CLR_PARAM_BETA);
    return step->resident->norm_backward(step->stream[0], &norm);
}

void s2clr_step_resident_gradients(const s2clr_step *step, int i, s2clr_op_args *args)
{
    args->dweight = own(step, step->dparams, i, S2CLR_PARAM_WEIGHT);
    args->dbias = own(step, step->dparams, i, S2CLR_PARAM_BIAS);
}
