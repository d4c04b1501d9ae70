/* The learner whose arrays are those of the caller: nothing has to be brought anywhere. */
#include <string.h>

#include "base/memory.h"
#include "train/plearner.h"

static s2clr_status floats(size_t count, const char *what, float **out)
{
    return s2clr_alloc(count, sizeof(float), what, (void **)out);
}

static s2clr_status open_host(s2clr_learner *l)
{
    S2CLR_TRY(s2clr_learner_step_open(l));
    l->params = l->options.params;
    l->moments = l->options.moments;
    S2CLR_TRY(floats(l->trainable, "gradient", &l->gradient));
    if (l->options.parts == 1) return S2CLR_OK;
    S2CLR_TRY(floats(l->trainable, "gradient of a part", &l->part));
    S2CLR_TRY(floats(l->running, "running statistics", &l->kept));
    return s2clr_alloc(l->running, sizeof(double), "running statistics", (void **)&l->sum);
}

static void close_host(s2clr_learner *l)
{
    s2clr_step_free(l->step);
    s2clr_free(l->gradient);
    s2clr_free(l->part);
    s2clr_free(l->kept);
    s2clr_free(l->sum);
}

static s2clr_status nothing(s2clr_learner *l)
{
    (void)l;
    return S2CLR_OK;
}

/* ---- parts ---- */

static s2clr_status before_forward(s2clr_learner *l, size_t part)
{
    float *running = l->params + l->trainable;
    if (part == 0) {
        memcpy(l->kept, running, l->running * sizeof *running);
        memset(l->sum, 0, l->running * sizeof *l->sum);
    }
    memcpy(running, l->kept, l->running * sizeof *running);
    return S2CLR_OK;
}

static s2clr_status after_forward(s2clr_learner *l, size_t part)
{
    const float *running = l->params + l->trainable;
    (void)part;
    for (size_t i = 0; i < l->running; i++) l->sum[i] += (double)running[i];
    return S2CLR_OK;
}

static s2clr_status before_backward(s2clr_learner *l, size_t part)
{
    if (part == 0) memset(l->gradient, 0, l->trainable * sizeof *l->gradient);
    return S2CLR_OK;
}

static s2clr_status after_backward(s2clr_learner *l, size_t part)
{
    float *running = l->params + l->trainable;
    for (size_t i = 0; i < l->trainable; i++) l->gradient[i] += l->part[i];
    if (part + 1 < l->options.parts) return S2CLR_OK;
    for (size_t i = 0; i < l->running; i++)
        running[i] = (float)(l->sum[i] / (double)l->options.parts);
    return S2CLR_OK;
}

/* ---- the end of a batch ---- */

static s2clr_status update(s2clr_learner *l, double rate, uint64_t step)
{
    return s2clr_optimiser_step(l->options.optimiser, &l->options.numbers, l->options.net,
                                l->on.pool, rate, step, l->gradient, l->moments, l->params);
}

static s2clr_status gradient(s2clr_learner *l, float *out)
{
    memcpy(out, l->gradient, l->trainable * sizeof *out);
    return S2CLR_OK;
}

const learner_kind s2clr_learner_host = {
    .open = open_host,
    .close = close_host,
    .load = nothing,
    .fetch = nothing,
    .forward = s2clr_learner_step_forward,
    .look = s2clr_learner_step_look,
    .backward = s2clr_learner_step_backward,
    .update = update,
    .gradient = gradient,
    .before_forward = before_forward,
    .after_forward = after_forward,
    .before_backward = before_backward,
    .after_backward = after_backward,
};
