/* What the learners share that compute with a step of their own: parts of a batch, and ranks. */
#include "train/plearner.h"

static s2clr_status check_together(const s2clr_learner *l)
{
    const s2clr_collective *together = l->options.together;
    if (!together || together->resident == l->options.step.resident) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "weights on the %s cannot be learned by a group that adds up arrays of "
                           "the %s",
                           together->resident ? "host" : "device",
                           together->resident ? "device" : "host");
}

s2clr_status s2clr_learner_step_open(s2clr_learner *l)
{
    S2CLR_TRY(check_together(l));
    return s2clr_step_new(l->options.net, l->on.backend, l->on.device, l->on.pool, &l->options.step,
                          &l->step);
}

/* ---- a batch ---- */

s2clr_status s2clr_learner_step_forward(s2clr_learner *l, size_t part, const float *x, float *out)
{
    const bool several = l->options.parts > 1;
    if (several) S2CLR_TRY(l->kind->before_forward(l, part));
    S2CLR_TRY(s2clr_step_forward(l->step, l->params, x, out));
    return several ? l->kind->after_forward(l, part) : S2CLR_OK;
}

s2clr_status s2clr_learner_step_look(s2clr_learner *l, const float *x, float *out)
{
    return s2clr_step_replay(l->step, l->params, x, out);
}

s2clr_status s2clr_learner_step_backward(s2clr_learner *l, size_t part, const float *dout)
{
    if (l->options.parts == 1) return s2clr_step_backward(l->step, l->params, dout, l->gradient);
    S2CLR_TRY(l->kind->before_backward(l, part));
    S2CLR_TRY(s2clr_step_backward(l->step, l->params, dout, l->part));
    return l->kind->after_backward(l, part);
}

/* ---- together ---- */

static s2clr_stream *stream(const s2clr_learner *l)
{
    return l->options.step.resident ? s2clr_step_stream(l->step) : NULL;
}

static s2clr_status share(s2clr_learner *l, size_t count, size_t rows, float *values)
{
    const s2clr_collective *together = l->options.together;
    return together->share(together->self, stream(l), rows * count * sizeof *values, values);
}

s2clr_status s2clr_learner_step_share(s2clr_learner *l)
{
    if (!l->options.together) return S2CLR_OK;
    l->stale = true;
    S2CLR_TRY(share(l, l->trainable + l->running, 1, l->params));
    return share(l, l->trainable, (size_t)l->options.optimiser->moments, l->moments);
}

s2clr_status s2clr_learner_step_gather(s2clr_learner *l)
{
    const s2clr_collective *together = l->options.together;
    if (!together) return S2CLR_OK;
    S2CLR_TRY(together->sum(together->self, stream(l), l->trainable, l->gradient));
    return share(l, l->running, 1, l->params + l->trainable);
}
