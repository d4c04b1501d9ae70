#include "train/learner.h"

#include "base/memory.h"
#include "train/plearner.h"

const learner_kind *s2clr_learner_kind_for(const s2clr_learner_options *options,
                                           const s2clr_machine *on)
{
    const s2clr_backend_training *training = on->backend->training;
    if (on->device_count > 1) return &s2clr_learner_group;
    if (options->place == S2CLR_LEARNER_RESIDENT) return &s2clr_learner_resident;
    if (options->place == S2CLR_LEARNER_HOST || !training || !training->apart)
        return &s2clr_learner_host;
    return &s2clr_learner_resident;
}

s2clr_learner s2clr_learner_prepared(const learner_kind *kind, const s2clr_learner_options *options,
                                     const s2clr_machine *on)
{
    s2clr_learner l = {.kind = kind, .options = *options, .on = *on};
    s2clr_step_options *step = &l.options.step;
    l.trainable = s2clr_net_trainable_count(options->net);
    l.running = s2clr_net_param_count(options->net) - l.trainable;
    step->resident = kind != &s2clr_learner_host;
    if (step->resident) step->micro = step->batch;
    return l;
}

s2clr_status s2clr_learner_new(const s2clr_learner_options *options, const s2clr_machine *on,
                               s2clr_learner **out)
{
    s2clr_learner *l, chosen;
    S2CLR_TRY(s2clr_learner_choose(options, on, &chosen));
    S2CLR_TRY(s2clr_alloc(1, sizeof *l, "learner", (void **)&l));
    *l = chosen;
    const s2clr_status status = l->kind->open(l);
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
    l->kind->close(l);
    s2clr_free(l);
}

const char *s2clr_learner_note(const s2clr_learner *l)
{
    return l->note;
}

bool s2clr_learner_can_take_resident(const s2clr_learner *l)
{
    return l->kind == &s2clr_learner_resident;
}

s2clr_stream *s2clr_learner_take_resident(s2clr_learner *l)
{
    if (!s2clr_learner_can_take_resident(l)) return NULL;
    s2clr_step_take_resident(l->step);
    return s2clr_step_stream(l->step);
}

s2clr_status s2clr_learner_load(s2clr_learner *l)
{
    S2CLR_TRY(l->kind->load(l));
    l->stale = false;
    return l->step ? s2clr_learner_step_share(l) : S2CLR_OK;
}

s2clr_status s2clr_learner_fetch(s2clr_learner *l)
{
    if (l->stale) S2CLR_TRY(l->kind->fetch(l));
    l->stale = false;
    return S2CLR_OK;
}

s2clr_status s2clr_learner_forward(s2clr_learner *l, size_t part, const float *x, float *out)
{
    l->stale = true;
    return l->kind->forward(l, part, x, out);
}

s2clr_status s2clr_learner_look(s2clr_learner *l, const float *x, float *out)
{
    return l->kind->look(l, x, out);
}

s2clr_status s2clr_learner_backward(s2clr_learner *l, size_t part, const float *dout)
{
    return l->kind->backward(l, part, dout);
}

s2clr_status s2clr_learner_update(s2clr_learner *l, double rate, uint64_t step)
{
    l->stale = true;
    if (l->step) S2CLR_TRY(s2clr_learner_step_gather(l));
    return l->kind->update(l, rate, step);
}

s2clr_status s2clr_learner_gradient(s2clr_learner *l, float *out)
{
    return l->kind->gradient(l, out);
}
