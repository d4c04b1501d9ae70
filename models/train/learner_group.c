/*
 * The learner of several devices: on each a resident one, held by a thread of its own, that
 * computes its slice of every part. What the ranks wait for is each other's gradient; so whoever
 * fails says so to all, and what it failed with is what the caller gets.
 */
#include <pthread.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/stop.h"
#include "train/plearner.h"

typedef struct member {
    s2clr_machine on; /* one device */
    s2clr_collective *together;
    s2clr_learner *learner;
} member;

typedef struct learner_group {
    int count;
    member *member;   // (count)
    s2clr_pool *pool; /* a thread for each */
    s2clr_pool *none; /* of one thread: a resident learner asks for no more */
    size_t in, out;   /* floats of a slice */
    char name[S2CLR_GROUP_NAME];
    s2clr_stop stop;
    pthread_mutex_t lock; /* of the first failure */
    s2clr_status cause;
    char text[1024];
    /* the call under way */
    size_t part;
    const float *x, *dout;
    float *y;
    double rate;
    uint64_t step;
} learner_group;

typedef s2clr_status (*member_call)(s2clr_learner *l, size_t rank);

/* ---- one call of all members ---- */

typedef struct call_of_all {
    s2clr_learner *l;
    member_call call;
} call_of_all;

/* Those that were stopped because of it may come before. */
static void note_cause(learner_group *g, s2clr_status status)
{
    pthread_mutex_lock(&g->lock);
    if (g->cause == S2CLR_OK || (g->cause == S2CLR_ERR_CANCELLED && status != g->cause)) {
        g->cause = status;
        snprintf(g->text, sizeof g->text, "%s", s2clr_error_text());
    }
    pthread_mutex_unlock(&g->lock);
    s2clr_stop_set(&g->stop);
}

static s2clr_status call_member(void *context, size_t rank, int worker)
{
    const call_of_all *const all = context;
    (void)worker;
    const s2clr_status status = all->call(all->l, rank);
    if (status != S2CLR_OK) note_cause(all->l->group, status);
    return status;
}

static s2clr_status call_all(s2clr_learner *l, member_call call)
{
    learner_group *const g = l->group;
    call_of_all all = {l, call};
    if (g->cause == S2CLR_OK) {
        const s2clr_status status = s2clr_pool_run(g->pool, call_member, &all, (size_t)g->count);
        if (status != S2CLR_OK) note_cause(g, status);
    }
    return g->cause == S2CLR_OK ? S2CLR_OK : s2clr_error_set(g->cause, "%s", g->text);
}

/* ---- life ---- */

s2clr_status s2clr_learner_slice(const s2clr_learner_options *options, int count,
                                 s2clr_learner_options *out)
{
    const int batch = options->step.batch;
    if (options->together)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "a learner of %d devices is a group by itself, and cannot be part "
                               "of another",
                               count);
    if (batch % count != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%d samples at once cannot be shared out equally over %d devices: "
                               "%s must be a multiple of %d",
                               batch, count, options->part_option ? options->part_option : "these",
                               count);
    *out = *options;
    out->step.batch = out->step.micro = batch / count;
    out->place = S2CLR_LEARNER_RESIDENT;
    return S2CLR_OK;
}

/* Once there was room for all it is not asked again. */
static s2clr_status open_member(s2clr_learner *l, size_t rank)
{
    learner_group *const g = l->group;
    member *const m = &g->member[rank];
    s2clr_learner_options options;
    S2CLR_TRY(s2clr_learner_slice(&l->options, g->count, &options));
    S2CLR_TRY(s2clr_collective_join(&m->on, g->name, (int)rank, g->count, &g->stop, &m->together));
    options.together = m->together;
    S2CLR_TRY(s2clr_alloc(1, sizeof *m->learner, "learner", (void **)&m->learner));
    *m->learner = s2clr_learner_prepared(&s2clr_learner_resident, &options, &m->on);
    return m->learner->kind->open(m->learner);
}

static s2clr_status close_member(s2clr_learner *l, size_t rank)
{
    member *const m = &l->group->member[rank];
    s2clr_learner_free(m->learner);
    s2clr_collective_leave(m->together);
    return S2CLR_OK;
}

static s2clr_status close_any(void *context, size_t rank, int worker)
{
    (void)worker;
    return close_member(context, rank);
}

static void measure(s2clr_learner *l)
{
    const s2clr_step_options *const step = &l->options.step;
    const s2clr_net *const net = l->options.net;
    const size_t samples = (size_t)step->batch / (size_t)l->group->count;
    const int last = s2clr_net_output(net, step->output);
    l->group->in =
        samples * (size_t)s2clr_net_arch(net)->channels * (size_t)step->h * (size_t)step->w;
    if (last >= 0) l->group->out = samples * (size_t)s2clr_net_node(net, (size_t)last)->channels;
}

static s2clr_status open_group(s2clr_learner *l)
{
    learner_group *g;
    const int count = l->on.device_count;
    S2CLR_TRY(s2clr_alloc(1, sizeof *g, "learner of several devices", (void **)&g));
    l->group = g;
    pthread_mutex_init(&g->lock, NULL);
    g->count = count;
    S2CLR_TRY(s2clr_alloc((size_t)count, sizeof *g->member, "learner of several devices",
                          (void **)&g->member));
    S2CLR_TRY(s2clr_pool_new(1, &g->none));
    S2CLR_TRY(s2clr_collective_name(l->on.backend, g->name));
    measure(l);
    for (int i = 0; i < count; i++)
        g->member[i].on =
            (s2clr_machine){.backend = l->on.backend, .device = l->on.devices[i], .pool = g->none};
    S2CLR_TRY(s2clr_pool_new(count, &g->pool));
    return call_all(l, open_member);
}

/* Each by a thread of its own as well: they leave together. */
static void close_group(s2clr_learner *l)
{
    learner_group *const g = l->group;
    if (!g) return;
    if (g->pool) (void)s2clr_pool_run(g->pool, close_any, l, (size_t)g->count);
    s2clr_pool_free(g->pool);
    s2clr_pool_free(g->none);
    s2clr_free(g->member);
    pthread_mutex_destroy(&g->lock);
    s2clr_free(g);
}

/* ---- what the members do ---- */

static s2clr_status load_member(s2clr_learner *l, size_t rank)
{
    return s2clr_learner_load(l->group->member[rank].learner);
}

static s2clr_status load(s2clr_learner *l)
{
    return call_all(l, load_member);
}

/* All have the same. */
static s2clr_status fetch_member(s2clr_learner *l, size_t rank)
{
    return rank == 0 ? s2clr_learner_fetch(l->group->member[0].learner) : S2CLR_OK;
}

static s2clr_status fetch(s2clr_learner *l)
{
    return call_all(l, fetch_member);
}

static s2clr_status forward_member(s2clr_learner *l, size_t rank)
{
    const learner_group *const g = l->group;
    return s2clr_learner_forward(g->member[rank].learner, g->part, g->x + rank * g->in,
                                 g->y + rank * g->out);
}

static s2clr_status forward(s2clr_learner *l, size_t part, const float *x, float *out)
{
    l->group->part = part;
    l->group->x = x;
    l->group->y = out;
    return call_all(l, forward_member);
}

static s2clr_status look_member(s2clr_learner *l, size_t rank)
{
    const learner_group *const g = l->group;
    return s2clr_learner_look(g->member[rank].learner, g->x + rank * g->in, g->y + rank * g->out);
}

static s2clr_status look(s2clr_learner *l, const float *x, float *out)
{
    l->group->x = x;
    l->group->y = out;
    return call_all(l, look_member);
}

static s2clr_status backward_member(s2clr_learner *l, size_t rank)
{
    const learner_group *const g = l->group;
    return s2clr_learner_backward(g->member[rank].learner, g->part, g->dout + rank * g->out);
}

static s2clr_status backward(s2clr_learner *l, size_t part, const float *dout)
{
    l->group->part = part;
    l->group->dout = dout;
    return call_all(l, backward_member);
}

static s2clr_status update_member(s2clr_learner *l, size_t rank)
{
    const learner_group *const g = l->group;
    return s2clr_learner_update(g->member[rank].learner, g->rate, g->step);
}

static s2clr_status update(s2clr_learner *l, double rate, uint64_t step)
{
    l->group->rate = rate;
    l->group->step = step;
    return call_all(l, update_member);
}

/* Of the last sum. */
static s2clr_status gradient(s2clr_learner *l, float *out)
{
    return s2clr_learner_gradient(l->group->member[0].learner, out);
}

const learner_kind s2clr_learner_group = {
    .open = open_group,
    .close = close_group,
    .load = load,
    .fetch = fetch,
    .forward = forward,
    .look = look,
    .backward = backward,
    .update = update,
    .gradient = gradient,
};
