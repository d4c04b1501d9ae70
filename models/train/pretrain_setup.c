#include <stdint.h>

#include "base/memory.h"
#include "train/normalise.h"
#include "train/ppretrain.h"
#include "train/recipe_check.h"

static s2clr_status check_settings(const s2clr_pretrain_settings *s, const s2clr_samples *train)
{
    S2CLR_TRY(s2clr_training_check(&s->common));
    S2CLR_TRY(s2clr_training_check_range("temperature", s->temperature, 1e-6, 1e6));
    S2CLR_TRY(s2clr_training_check_range("chunk", s->chunk, 1, s->common.batch));
    S2CLR_TRY(s2clr_training_check_range("share of second dates", s->natural, 0, 1));
    S2CLR_TRY(s2clr_training_check_range("number of neighbours", s->probe_k, 1, 1000000));
    if (train->count < (size_t)s->common.batch)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%zu training samples are fewer than a batch of %d: a patch must not "
            "be its own counterexample; use a smaller batch",
            train->count, s->common.batch);
    if (train->count > INT32_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%zu training samples, must be at most %d",
                               train->count, INT32_MAX);
    if (s->natural > 0 && !s->partner)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%g of the pairs are to be of two dates, but the training samples "
                               "have one date of each place",
                               s->natural);
    return S2CLR_OK;
}

static s2clr_status check_card(pretrainer *t)
{
    const s2clr_arch *arch = &t->card->arch;
    S2CLR_TRY(s2clr_recipe_check_shape(t->card, t->train, "training"));
    if (t->probe.from) S2CLR_TRY(s2clr_recipe_check_shape(t->card, t->probe.from, "probe's"));
    S2CLR_TRY(s2clr_recipe_find_level(t->card, t->settings->common.level, &t->level));
    if (arch->outputs == 0 && arch->channels == t->card->bands) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "the card's network has %d inputs and %d outputs, must have %d (one per "
                           "band) and none: an encoder has no classes",
                           arch->channels, arch->outputs, t->card->bands);
}

/* The smallest index among the dates of one place, by following partners both ways. */
static int root_of(int *place, int i)
{
    while (place[i] != i) {
        place[i] = place[place[i]];
        i = place[i];
    }
    return i;
}

static s2clr_status join_places(pretrainer *t)
{
    const int *partner = t->settings->partner;
    const int count = (int)t->train->count;
    if (!partner) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc((size_t)count, sizeof(int), "places", (void **)&t->place));
    S2CLR_TRY(s2clr_alloc((size_t)t->settings->common.batch, sizeof(int), "places",
                          (void **)&t->batch_place));
    for (int i = 0; i < count; i++) t->place[i] = i;
    for (int i = 0; i < count; i++) {
        if (partner[i] >= count)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "the other date of training sample %d is number %d of %d", i,
                                   partner[i], count);
        if (partner[i] < 0) continue;
        const int a = root_of(t->place, i), b = root_of(t->place, partner[i]);
        t->place[a > b ? a : b] = a > b ? b : a;
    }
    for (int i = 0; i < count; i++) t->place[i] = root_of(t->place, i);
    return S2CLR_OK;
}

s2clr_contrast_options s2clr_pretrainer_options(const pretrainer *t)
{
    const s2clr_pretrain_settings *s = t->settings;
    return (s2clr_contrast_options){.net = t->net,
                                    .batch = s->common.batch,
                                    .chunk = s->chunk,
                                    .micro = s->common.micro,
                                    .size = t->train->size,
                                    .temperature = s->temperature,
                                    .slices = t->on.device_count};
}

s2clr_status s2clr_pretrainer_check(pretrainer *t)
{
    S2CLR_TRY(check_card(t));
    S2CLR_TRY(s2clr_recipe_net_new(t->card, &t->net));
    const s2clr_contrast_options options = s2clr_pretrainer_options(t);
    S2CLR_TRY(s2clr_contrast_check(&options));
    S2CLR_TRY(check_settings(t->settings, t->train));
    t->loop.net = t->net;
    t->loop.steps = t->train->count / (size_t)options.batch;
    t->loop.views = 2 * (size_t)options.batch;
    return S2CLR_OK;
}

static s2clr_status join_feed(pretrainer *t, const s2clr_contrast_options *options)
{
    s2clr_feed_joining joining = {
        .views = 2, .count = (size_t)options->chunk, .progress = t->loop.progress};
    S2CLR_TRY(s2clr_contrast_device_needs(options, &t->on, &joining.reserve));
    return s2clr_feed_join(t->feed, &t->on, t->loop.learner, &joining);
}

s2clr_status s2clr_pretrainer_prepare(pretrainer *t)
{
    const s2clr_pretrain_settings *s = t->settings;
    s2clr_contrast_options options = s2clr_pretrainer_options(t);
    if (!(t->card->std[0] > 0))
        S2CLR_TRY(s2clr_normalise_measure(t->card, t->level, t->train, s->common.seed, t->on.pool));
    t->card->arch = *s2clr_net_arch(t->net);
    t->card->seed = s->common.seed;
    S2CLR_TRY(s2clr_alloc(t->train->count, sizeof(size_t), "sample order", (void **)&t->order));
    S2CLR_TRY(join_places(t));
    S2CLR_TRY(s2clr_feed_new(t->train, t->card, t->level, &s->common.augment, s->common.seed,
                             t->on.pool, &t->feed));
    s2clr_feed_pair(t->feed, s->partner, s->natural);
    S2CLR_TRY(join_feed(t, &options));
    options.views = s2clr_feed_batch(t->feed);
    return s2clr_contrast_new(&options, t->loop.learner, &t->on, &t->contrast);
}

void s2clr_pretrainer_close(pretrainer *t)
{
    s2clr_run_loop_close(&t->loop);
    s2clr_contrast_free(t->contrast);
    s2clr_feed_free(t->feed);
    s2clr_probe_close(&t->probe);
    s2clr_net_free(t->net);
    s2clr_free(t->order);
    s2clr_free(t->place);
    s2clr_free(t->batch_place);
}
