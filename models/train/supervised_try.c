/* What a supervised run would cost: one step on made-up patches, timed. */
#include <stdio.h>

#include "base/memory.h"
#include "train/ptrainer.h"
#include "train/recipe_check.h"

typedef struct attempt {
    trainer t; /* of which no folder is opened */
    s2clr_learner_options options;
    s2clr_learner_bytes needs; /* without what a run can do without */
    double forward;            /* seconds */
} attempt;

/* Views that the device makes, if it has the room. */
static s2clr_status add_feed(const attempt *a, s2clr_supervised_cost *cost)
{
    const s2clr_feed_joining joining = {.views = 1, .count = (size_t)a->options.step.batch};
    s2clr_learner_bytes feed;
    S2CLR_TRY(s2clr_feed_needs(a->t.train, &a->t.settings->common.augment, NULL, &a->t.on, &joining,
                               &feed));
    S2CLR_TRY(s2clr_size_add(cost->device_bytes, feed.device, &cost->device_bytes));
    return s2clr_size_add(cost->bytes, feed.host, &cost->bytes);
}

static s2clr_status measure(attempt *a, s2clr_supervised_cost *cost)
{
    const trainer *t = &a->t;
    const size_t all = s2clr_net_param_count(t->net);
    const size_t batch = (size_t)a->options.step.batch;
    const size_t trainable = s2clr_net_trainable_count(t->net);
    const s2clr_param *list;
    s2clr_learner_bytes learner;
    size_t weights;
    cost->weights = trainable;
    cost->learning = 0;
    for (size_t i = 0, count = s2clr_net_param_list(t->net, &list); i < count; i++)
        if (list[i].offset < trainable && (!t->factor || t->factor[i] > 0))
            cost->learning += list[i].count;
    cost->steps = t->train->count / batch ? t->train->count / batch : 1;
    /* Weights now and of the best epoch, and moments. */
    S2CLR_TRY(s2clr_size_mul(trainable, (size_t)a->options.optimiser->moments, &weights));
    S2CLR_TRY(s2clr_size_add(weights, 2 * all, &weights));
    S2CLR_TRY(s2clr_size_mul(weights, sizeof(float), &weights));
    S2CLR_TRY(s2clr_learner_needs(&a->options, &t->on, &learner));
    cost->device_bytes = learner.device;
    S2CLR_TRY(s2clr_size_add(learner.host, weights, &cost->bytes));
    a->needs = (s2clr_learner_bytes){.host = cost->bytes, .device = cost->device_bytes};
    return add_feed(a, cost);
}

static s2clr_status floats(size_t count, size_t each, float **out)
{
    size_t values;
    S2CLR_TRY(s2clr_size_mul(count, each, &values));
    return s2clr_alloc(values, sizeof(float), "a step that is timed", (void **)out);
}

static s2clr_status make_up(attempt *a)
{
    trainer *t = &a->t;
    s2clr_learner_options *const o = &a->options;
    const size_t batch = (size_t)o->step.batch, trainable = s2clr_net_trainable_count(t->net);
    const size_t patch = (size_t)t->card->bands * (size_t)o->step.h * (size_t)o->step.w;
    S2CLR_TRY(floats(s2clr_net_param_count(t->net), 1, &o->params));
    S2CLR_TRY(floats(trainable, (size_t)o->optimiser->moments, &o->moments));
    S2CLR_TRY(floats(batch, patch, &t->x));
    S2CLR_TRY(floats(batch, t->k, &t->logits));
    S2CLR_TRY(floats(batch, t->k, &t->dlogits));
    for (size_t i = 0; i < batch * patch; i++) t->x[i] = (float)(i * 7919 % 1000) / 500 - 1;
    for (size_t i = 0; i < batch * t->k; i++) t->dlogits[i] = (i % 2 ? 1e-3f : -1e-3f);
    S2CLR_TRY(s2clr_net_init(t->net, t->settings->common.seed, o->params));
    S2CLR_TRY(s2clr_learner_new(o, &t->on, &t->loop.learner));
    return s2clr_learner_load(t->loop.learner);
}

static s2clr_status take_step(attempt *a, uint64_t number)
{
    trainer *t = &a->t;
    const double start = s2clr_run_loop_now();
    S2CLR_TRY(s2clr_learner_forward(t->loop.learner, 0, t->x, t->logits));
    a->forward = s2clr_run_loop_now() - start;
    S2CLR_TRY(s2clr_learner_backward(t->loop.learner, 0, t->dlogits));
    return s2clr_learner_update(t->loop.learner, 1e-6, number);
}

/* The first step compiles and touches the memory; the second is what all others will be. */
static s2clr_status time_step(attempt *a, s2clr_supervised_cost *cost)
{
    const double per_batch = (double)a->options.step.batch;
    S2CLR_TRY(make_up(a));
    snprintf(cost->note, sizeof cost->note, "%s", s2clr_learner_note(a->t.loop.learner));
    S2CLR_TRY(take_step(a, 1));
    const double start = s2clr_run_loop_now();
    S2CLR_TRY(take_step(a, 2));
    S2CLR_TRY(s2clr_learner_fetch(a->t.loop.learner)); /* what was only queued is done then */
    cost->seconds = s2clr_run_loop_now() - start;
    cost->validation_seconds = a->forward * (double)a->t.val->count / per_batch;
    return S2CLR_OK;
}

static s2clr_status run(attempt *a, s2clr_supervised_cost *cost)
{
    trainer *t = &a->t;
    const s2clr_supervised_settings *s = t->settings;
    S2CLR_TRY(s2clr_trainer_check(t));
    S2CLR_TRY(s2clr_recipe_net_new(t->card, &t->net));
    S2CLR_TRY(s2clr_trainer_rates(t));
    a->options = (s2clr_learner_options){.net = t->net,
                                         .step = {.output = S2CLR_OUTPUT_LOGITS,
                                                  .batch = s->common.batch,
                                                  .micro = s->common.micro,
                                                  .h = t->train->size,
                                                  .w = t->train->size,
                                                  .frozen = s->frozen},
                                         .parts = 1,
                                         .numbers = s2clr_optimiser_defaults(),
                                         .part_option = TRAINER_PART};
    a->options.numbers.factor = t->factor;
    S2CLR_TRY(s2clr_optimiser_find(s->common.optimiser, &a->options.optimiser));
    S2CLR_TRY(measure(a, cost));
    return s2clr_learner_fits(&t->on, &a->needs) ? time_step(a, cost) : S2CLR_OK;
}

s2clr_status s2clr_supervised_try(const s2clr_supervised_settings *settings, s2clr_card *card,
                                  const s2clr_samples *train, const s2clr_samples *val,
                                  const s2clr_machine *on, s2clr_supervised_cost *out)
{
    s2clr_supervised_cost cost = {0};
    attempt a = {.t = {.settings = settings, .card = card, .train = train, .val = val, .on = *on}};
    const s2clr_status status = run(&a, &cost);
    s2clr_learner_free(a.t.loop.learner);
    s2clr_net_free(a.t.net);
    float *const arrays[] = {a.options.params, a.options.moments, a.t.x, a.t.logits, a.t.dlogits};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) s2clr_free(arrays[i]);
    s2clr_free(a.t.factor);
    if (status == S2CLR_OK) *out = cost;
    return status;
}
