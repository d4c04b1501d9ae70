/* The learner whose arrays are those of the device. Everything is queued on the stream of its step,
 * and nothing comes back but what forward gives and what is fetched. */
#include "base/memory.h"
#include "train/plearner.h"

static const s2clr_backend_training *table(const s2clr_learner *l)
{
    return l->on.backend->training;
}

static s2clr_stream *stream(const s2clr_learner *l)
{
    return s2clr_step_stream(l->step);
}

static s2clr_status bytes_of(size_t count, size_t rows, size_t *out)
{
    S2CLR_TRY(s2clr_size_mul(count, rows, out));
    return s2clr_size_mul(*out, sizeof(float), out);
}

static s2clr_status floats(const s2clr_learner *l, size_t count, size_t rows, float **out)
{
    size_t bytes;
    S2CLR_TRY(bytes_of(count, rows, &bytes));
    return l->on.backend->buffer_new(l->on.device, bytes, (void **)out);
}

/* The numbers of one step; arrays as well. */
static s2clr_update plan(const s2clr_learner *l, double rate, uint64_t step)
{
    s2clr_update u = {.gradient = l->gradient, .moments = l->moments, .params = l->params};
    s2clr_optimiser_plan(l->options.optimiser, &l->options.numbers, l->options.net, rate, step,
                         l->range, &u);
    return u;
}

static s2clr_status open_resident(s2clr_learner *l)
{
    const s2clr_param *list;
    S2CLR_TRY(s2clr_learner_step_open(l));
    S2CLR_TRY(floats(l, l->trainable + l->running, 1, &l->params));
    S2CLR_TRY(floats(l, l->trainable, 1, &l->gradient));
    S2CLR_TRY(floats(l, l->trainable, (size_t)l->options.optimiser->moments, &l->moments));
    S2CLR_TRY(s2clr_alloc(s2clr_net_param_list(l->options.net, &list), sizeof *l->range,
                          "numbers of an update", (void **)&l->range));
    const s2clr_update u = plan(l, 0, 1);
    S2CLR_TRY(l->on.backend->buffer_new(l->on.device, table(l)->update_bytes(&u), &l->scratch));
    if (l->options.parts == 1) return S2CLR_OK;
    S2CLR_TRY(floats(l, l->trainable, 1, &l->part));
    S2CLR_TRY(floats(l, l->running, 1, &l->kept));
    return floats(l, l->running, l->options.parts, &l->moved);
}

static void close_resident(s2clr_learner *l)
{
    void *const buffers[] = {l->params, l->gradient, l->moments, l->scratch,
                             l->part,   l->kept,     l->moved};
    /* The step goes first: its stream ends what is queued, which reads the arrays. */
    s2clr_step_free(l->step);
    s2clr_free(l->range);
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (buffers[i]) l->on.backend->buffer_free(l->on.device, buffers[i]);
}

/* ---- to and from the host's copies ---- */

static s2clr_status load(s2clr_learner *l)
{
    size_t bytes;
    S2CLR_TRY(table(l)->copy_in(stream(l), l->options.params,
                                (l->trainable + l->running) * sizeof(float), l->params));
    S2CLR_TRY(bytes_of(l->trainable, (size_t)l->options.optimiser->moments, &bytes));
    return table(l)->copy_in(stream(l), l->options.moments, bytes, l->moments);
}

static s2clr_status fetch(s2clr_learner *l)
{
    size_t bytes;
    S2CLR_TRY(table(l)->copy_out(stream(l), l->params, (l->trainable + l->running) * sizeof(float),
                                 l->options.params));
    S2CLR_TRY(bytes_of(l->trainable, (size_t)l->options.optimiser->moments, &bytes));
    return table(l)->copy_out(stream(l), l->moments, bytes, l->options.moments);
}

/* ---- parts ---- */

static s2clr_status before_forward(s2clr_learner *l, size_t part)
{
    float *const running = l->params + l->trainable;
    const size_t bytes = l->running * sizeof *running;
    return part == 0 ? table(l)->copy(stream(l), running, bytes, l->kept)
                     : table(l)->copy(stream(l), l->kept, bytes, running);
}

static s2clr_status after_forward(s2clr_learner *l, size_t part)
{
    return table(l)->copy(stream(l), l->params + l->trainable, l->running * sizeof(float),
                          l->moved + part * l->running);
}

static s2clr_status before_backward(s2clr_learner *l, size_t part)
{
    if (part > 0) return S2CLR_OK;
    return table(l)->zero(stream(l), l->trainable * sizeof(float), l->gradient);
}

static s2clr_status after_backward(s2clr_learner *l, size_t part)
{
    S2CLR_TRY(table(l)->add(stream(l), l->trainable, l->part, l->gradient));
    if (part + 1 < l->options.parts) return S2CLR_OK;
    return table(l)->mean(stream(l), l->options.parts, l->running, l->moved,
                          l->params + l->trainable);
}

/* ---- the end of a batch ---- */

static s2clr_status update(s2clr_learner *l, double rate, uint64_t step)
{
    const s2clr_update u = plan(l, rate, step);
    return table(l)->update(stream(l), &u, l->scratch);
}

static s2clr_status gradient(s2clr_learner *l, float *out)
{
    return table(l)->copy_out(stream(l), l->gradient, l->trainable * sizeof *out, out);
}

const learner_kind s2clr_learner_resident = {
    .open = open_resident,
    .close = close_resident,
    .load = load,
    .fetch = fetch,
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
