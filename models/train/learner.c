#include "train/learner.h"

#include "base/memory.h"
#include "train/plearner.h"

static const learner_kind *kind_for(const s2clr_learner_options *options, const s2clr_machine *on)
{
    const s2clr_backend_training *training = on->backend->training;
    if (options->place == S2CLR_LEARNER_RESIDENT) return &s2clr_learner_resident;
    if (options->place == S2CLR_LEARNER_HOST || !training || !training->apart)
        return &s2clr_learner_host;
    return &s2clr_learner_resident;
}

static s2clr_learner prepared(const s2clr_learner_options *options, const s2clr_machine *on)
{
    s2clr_learner l = {.kind = kind_for(options, on), .options = *options, .on = *on};
    s2clr_step_options *step = &l.options.step;
    l.trainable = s2clr_net_trainable_count(options->net);
    l.running = s2clr_net_param_count(options->net) - l.trainable;
    step->resident = l.kind == &s2clr_learner_resident;
    if (step->resident) step->micro = step->batch;
    return l;
}

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

static s2clr_status open_learner(s2clr_learner *l)
{
    S2CLR_TRY(check_together(l));
    S2CLR_TRY(s2clr_step_new(l->options.net, l->on.backend, l->on.device, l->on.pool,
                             &l->options.step, &l->step));
    return l->kind->open(l);
}

s2clr_status s2clr_learner_new(const s2clr_learner_options *options, const s2clr_machine *on,
                               s2clr_learner **out)
{
    s2clr_learner *l;
    S2CLR_TRY(s2clr_alloc(1, sizeof *l, "learner", (void **)&l));
    *l = prepared(options, on);
    const s2clr_status status = open_learner(l);
    if (status != S2CLR_OK) {
        s2clr_learner_free(l);
        return status;
    }
    *out = l;
    return S2CLR_OK;
}

void s2clr_learner_free(s2clr_learner *l)
{
    if (!l) return;
    /* The step goes first: its stream ends what is queued, which reads the arrays. */
    s2clr_step_free(l->step);
    l->kind->close(l);
    s2clr_free(l);
}

s2clr_status s2clr_learner_needs(const s2clr_learner_options *options, const s2clr_machine *on,
                                 size_t *bytes)
{
    const s2clr_learner l = prepared(options, on);
    const bool resident = l.options.step.resident;
    const size_t several = options->parts > 1;
    size_t copies, floats, step;
    S2CLR_TRY(s2clr_step_needs(options->net, on->backend, on->device, s2clr_pool_threads(on->pool),
                               &l.options.step, &step));
    /* What a resident learner has of its own: weights and moments beside those of the host. */
    copies = 1 + several + (resident ? 1 + (size_t)options->optimiser->moments : 0);
    S2CLR_TRY(s2clr_size_mul(l.trainable, copies, &floats));
    copies = several * (resident ? 1 + options->parts : 3) + resident;
    S2CLR_TRY(s2clr_size_mul(l.running, copies, &copies));
    S2CLR_TRY(s2clr_size_add(floats, copies, &floats));
    S2CLR_TRY(s2clr_size_mul(floats, sizeof(float), &floats));
    return s2clr_size_add(floats, step, bytes);
}

bool s2clr_learner_fits(const s2clr_machine *on, size_t bytes)
{
    const s2clr_backend_training *training = on->backend->training;
    const size_t available = s2clr_memory_available();
    return (training && training->apart) || available == 0 || bytes < available;
}

static s2clr_stream *stream(const s2clr_learner *l)
{
    return l->options.step.resident ? s2clr_step_stream(l->step) : NULL;
}

/* What rank 0 has, for all. */
static s2clr_status share(s2clr_learner *l, size_t count, size_t rows, float *values)
{
    const s2clr_collective *together = l->options.together;
    return together->share(together->self, stream(l), rows * count * sizeof *values, values);
}

s2clr_status s2clr_learner_load(s2clr_learner *l)
{
    S2CLR_TRY(l->kind->load(l));
    l->stale = false;
    if (!l->options.together) return S2CLR_OK;
    l->stale = true;
    S2CLR_TRY(share(l, l->trainable + l->running, 1, l->params));
    return share(l, l->trainable, (size_t)l->options.optimiser->moments, l->moments);
}

s2clr_status s2clr_learner_fetch(s2clr_learner *l)
{
    if (l->stale) S2CLR_TRY(l->kind->fetch(l));
    l->stale = false;
    return S2CLR_OK;
}

s2clr_status s2clr_learner_forward(s2clr_learner *l, size_t part, const float *x, float *out)
{
    const bool several = l->options.parts > 1;
    l->stale = true;
    if (several) S2CLR_TRY(l->kind->before_forward(l, part));
    S2CLR_TRY(s2clr_step_forward(l->step, l->params, x, out));
    return several ? l->kind->after_forward(l, part) : S2CLR_OK;
}

s2clr_status s2clr_learner_look(s2clr_learner *l, const float *x, float *out)
{
    return s2clr_step_replay(l->step, l->params, x, out);
}

s2clr_status s2clr_learner_backward(s2clr_learner *l, size_t part, const float *dout)
{
    if (l->options.parts == 1) return s2clr_step_backward(l->step, l->params, dout, l->gradient);
    S2CLR_TRY(l->kind->before_backward(l, part));
    S2CLR_TRY(s2clr_step_backward(l->step, l->params, dout, l->part));
    return l->kind->after_backward(l, part);
}

/* The gradient of all ranks, and one of their running statistics. */
static s2clr_status gather(s2clr_learner *l)
{
    const s2clr_collective *together = l->options.together;
    S2CLR_TRY(together->sum(together->self, stream(l), l->trainable, l->gradient));
    return share(l, l->running, 1, l->params + l->trainable);
}

s2clr_status s2clr_learner_update(s2clr_learner *l, double rate, uint64_t step)
{
    l->stale = true;
    if (l->options.together) S2CLR_TRY(gather(l));
    return l->kind->update(l, rate, step);
}

s2clr_status s2clr_learner_gradient(s2clr_learner *l, float *out)
{
    return l->kind->gradient(l, out);
}
