#include <stdio.h>

#include "base/memory.h"
#include "train/ppretrain.h"

/* A run that is only tried, and the arrays of its learner. */
typedef struct attempt {
    pretrainer t; /* of which no folder is opened */
    s2clr_learner_options learner;
    s2clr_learner_bytes needs; /* without what a run can do without */
} attempt;

static s2clr_status plan(attempt *a)
{
    const s2clr_contrast_options options = s2clr_pretrainer_options(&a->t);
    a->learner = (s2clr_learner_options){.net = a->t.net,
                                         .step = s2clr_contrast_step(&options),
                                         .parts = s2clr_contrast_parts(&options),
                                         .numbers = s2clr_optimiser_defaults(),
                                         .part_option = PRETRAINER_PART,
                                         .part_unit = PRETRAINER_UNIT};
    S2CLR_TRY(s2clr_contrast_device_needs(&options, &a->t.on, &a->learner.beside));
    return s2clr_optimiser_find(a->t.settings->common.optimiser, &a->learner.optimiser);
}

/* Weights with running statistics, and the optimiser's moments. */
static s2clr_status weight_bytes(const attempt *a, size_t *out)
{
    S2CLR_TRY(s2clr_size_mul(s2clr_net_trainable_count(a->t.net),
                             (size_t)a->learner.optimiser->moments, out));
    S2CLR_TRY(s2clr_size_add(*out, s2clr_net_param_count(a->t.net), out));
    return s2clr_size_mul(*out, sizeof(float), out);
}

/* Views that the device makes, if it has the room. */
static s2clr_status add_feed(const attempt *a, s2clr_pretrain_cost *cost)
{
    const s2clr_pretrain_settings *s = a->t.settings;
    const s2clr_feed_joining joining = {.views = 2, .count = (size_t)s->chunk};
    s2clr_learner_bytes feed;
    S2CLR_TRY(
        s2clr_feed_needs(a->t.train, &s->common.augment, s->partner, &a->t.on, &joining, &feed));
    S2CLR_TRY(s2clr_size_add(cost->device_bytes, feed.device, &cost->device_bytes));
    return s2clr_size_add(cost->bytes, feed.host, &cost->bytes);
}

static s2clr_status measure(attempt *a, s2clr_pretrain_cost *cost)
{
    const s2clr_contrast_options options = s2clr_pretrainer_options(&a->t);
    s2clr_learner_bytes learner;
    size_t weights;
    cost->steps = a->t.loop.steps;
    S2CLR_TRY(weight_bytes(a, &weights));
    S2CLR_TRY(s2clr_learner_needs(&a->learner, &a->t.on, &learner));
    S2CLR_TRY(s2clr_contrast_needs(&options, &cost->bytes));
    S2CLR_TRY(s2clr_size_add(learner.device, a->learner.beside, &cost->device_bytes));
    S2CLR_TRY(s2clr_size_add(cost->bytes, learner.host, &cost->bytes));
    S2CLR_TRY(s2clr_size_add(cost->bytes, weights, &cost->bytes));
    a->needs = (s2clr_learner_bytes){.host = cost->bytes, .device = cost->device_bytes};
    return add_feed(a, cost);
}

static s2clr_status time_step(pretrainer *t, double *seconds)
{
    s2clr_pretrainer_shuffle(t, 0);
    const double start = s2clr_run_loop_now();
    S2CLR_TRY(s2clr_pretrainer_gradient(t, 0));
    S2CLR_TRY(s2clr_pretrainer_look(t));
    S2CLR_TRY(s2clr_learner_fetch(t->loop.learner)); /* a device may only have queued it */
    *seconds = s2clr_run_loop_now() - start;
    return S2CLR_OK;
}

/* Weights stay 0 no longer than until they are drawn; moments are never looked at. */
static s2clr_status make_arrays(attempt *a)
{
    size_t moments;
    S2CLR_TRY(s2clr_alloc(s2clr_net_param_count(a->t.net), sizeof(float), "weights",
                          (void **)&a->learner.params));
    S2CLR_TRY(s2clr_size_mul(s2clr_net_trainable_count(a->t.net),
                             (size_t)a->learner.optimiser->moments, &moments));
    S2CLR_TRY(
        s2clr_alloc(moments, sizeof(float), "optimiser moments", (void **)&a->learner.moments));
    return s2clr_net_init(a->t.net, a->t.settings->common.seed, a->learner.params);
}

static s2clr_status try_step(attempt *a, s2clr_pretrain_cost *cost)
{
    pretrainer *const t = &a->t;
    S2CLR_TRY(make_arrays(a));
    S2CLR_TRY(s2clr_learner_new(&a->learner, &t->on, &t->loop.learner));
    S2CLR_TRY(s2clr_learner_load(t->loop.learner));
    snprintf(cost->note, sizeof cost->note, "%s", s2clr_learner_note(t->loop.learner));
    S2CLR_TRY(s2clr_pretrainer_prepare(t));
    return time_step(t, &cost->seconds);
}

static s2clr_status run(attempt *a, s2clr_pretrain_cost *cost)
{
    S2CLR_TRY(s2clr_probe_open(NULL, &a->t.probe));
    S2CLR_TRY(s2clr_pretrainer_check(&a->t));
    S2CLR_TRY(plan(a));
    S2CLR_TRY(measure(a, cost));
    return s2clr_learner_fits(&a->t.on, &a->needs) ? try_step(a, cost) : S2CLR_OK;
}

s2clr_status s2clr_pretrain_try(const s2clr_pretrain_settings *settings, s2clr_card *card,
                                const s2clr_samples *train, const s2clr_machine *on,
                                s2clr_pretrain_cost *out)
{
    s2clr_pretrain_cost cost = {0};
    attempt a = {.t = {.settings = settings, .card = card, .train = train, .on = *on}};
    const s2clr_status status = run(&a, &cost);
    s2clr_pretrainer_close(&a.t);
    s2clr_free(a.learner.params);
    s2clr_free(a.learner.moments);
    if (status == S2CLR_OK) *out = cost;
    return status;
}
