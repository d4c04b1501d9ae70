#include <math.h>
#include <stdio.h>

#include "train/monitor.h"
#include "train/ppretrain.h"
#include "train/pstreams.h"
#include "train/sampler.h"

/* Of an epoch's progress, when a probe follows. */
static const double training_share = 0.9;

/* Below this share of an even spread, embeddings tell nothing apart. */
static const double collapsed_below = 0.05;

void s2clr_pretrainer_shuffle(pretrainer *t, uint64_t epoch)
{
    t->epoch = epoch;
    for (size_t i = 0; i < t->train->count; i++) t->order[i] = i;
    s2clr_sampler_shuffle(t->settings->common.seed, stream_of(STREAM_ORDER_MIX, epoch), 0,
                          t->train->count, t->order);
}

static s2clr_feed_part part_at(const pretrainer *t, size_t slot, size_t count)
{
    return (s2clr_feed_part){
        .epoch = t->epoch, .slot = slot, .views = 2, .index = t->order + slot, .count = count};
}

/* Place in the order of what is asked for next: batches of several chunks are gone through twice.
 */
static size_t next_slot(const pretrainer *t, size_t count)
{
    const size_t batch = (size_t)t->settings->common.batch, chunks = batch / count;
    if (t->fills < (chunks > 1 ? 2 * chunks : 1)) return t->first + t->fills % chunks * count;
    return t->first + batch;
}

static s2clr_status fill(void *context, size_t first, size_t count, float *x)
{
    pretrainer *t = context;
    const s2clr_feed_part part = part_at(t, t->first + first, count);
    S2CLR_TRY(s2clr_feed_fill(t->feed, &part, x));
    t->fills++;
    const s2clr_feed_part next = part_at(t, next_slot(t, count), count);
    /* What no batch of this epoch takes would still be read when the next one is dealt. */
    const size_t taken = t->loop.steps * (size_t)t->settings->common.batch;
    if (next.slot + count <= taken) s2clr_feed_expect(t->feed, &next);
    return S2CLR_OK;
}

static const char *name(void *context, size_t patch)
{
    const pretrainer *t = context;
    return t->train->names[t->order[t->first + patch]];
}

/* Turns to a batch; the places of its patches. */
static const int *begin_batch(pretrainer *t, size_t step)
{
    const size_t batch = (size_t)t->settings->common.batch;
    t->first = step * batch;
    t->fills = 0;
    for (size_t i = 0; t->place && i < batch; i++)
        t->batch_place[i] = t->place[t->order[t->first + i]];
    return t->place ? t->batch_place : NULL;
}

s2clr_status s2clr_pretrainer_gradient(pretrainer *t, size_t step)
{
    const s2clr_contrast_source source = {.context = t, .fill = fill, .name = name};
    return s2clr_contrast_run(t->contrast, begin_batch(t, step), &source, &t->loss);
}

s2clr_status s2clr_pretrainer_again(pretrainer *t, size_t step)
{
    const s2clr_contrast_source source = {.context = t, .fill = fill, .name = name};
    return s2clr_contrast_look(t->contrast, begin_batch(t, step), &source, &t->loss);
}

/* "std 0.91 align 0.34 knn 0.87" */
static void write_note(pretrainer *t)
{
    char knn[24] = "";
    if (!isnan(t->probe.accuracy)) snprintf(knn, sizeof knn, " knn %.3f", t->probe.accuracy);
    snprintf(t->loop.note, sizeof t->loop.note, "std %.2f%s align %.2f%s", t->spread,
             t->collapsed ? " (collapsed)" : "", t->alignment, knn);
}

s2clr_status s2clr_pretrainer_look(pretrainer *t)
{
    const size_t batch = (size_t)t->settings->common.batch;
    size_t d;
    const float *z = s2clr_contrast_embeddings(t->contrast, &d);
    S2CLR_TRY(s2clr_monitor_spread(z, 2 * batch, d, &t->spread));
    S2CLR_TRY(s2clr_monitor_alignment(z, batch, d, &t->alignment));
    t->collapsed = t->spread < collapsed_below;
    write_note(t);
    /* Of first views alone, for those of a pair are related; it costs as much as the loss. */
    if (t->first / batch + 1 < t->loop.steps) return S2CLR_OK;
    return s2clr_monitor_uniformity(z, batch, 2 * d, d, t->on.pool, &t->uniformity);
}

static s2clr_status train(pretrainer *t)
{
    s2clr_run_loop *loop = &t->loop;
    for (size_t step = 0; step < loop->steps; step++) {
        S2CLR_TRY(s2clr_pretrainer_gradient(t, step));
        S2CLR_TRY(s2clr_pretrainer_look(t));
        S2CLR_TRY(s2clr_run_loop_step(loop, step, t->loss));
    }
    return S2CLR_OK;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *entries(const pretrainer *t)
{
    json_t *root = json_pack("{s:o, s:o, s:o, s:i}", "spread", number(t->spread), "alignment",
                             number(t->alignment), "uniformity", number(t->uniformity),
                             "batch_norm_views", 2 * t->settings->chunk);
    if (t->collapsed)
        json_object_set_new(root, "warning",
                            json_string("collapsed: all embeddings point the same way; a lower "
                                        "rate, a larger batch or stronger augmentation may help"));
    if (!t->probe.from) return root;
    json_object_set_new(root, "knn_accuracy", number(t->probe.accuracy));
    json_object_set_new(root, "knn_auc", number(t->probe.auc));
    return root;
}

s2clr_status s2clr_pretrainer_epoch(pretrainer *t)
{
    s2clr_run_loop *loop = &t->loop;
    const double before = (double)loop->state.epoch, epochs = t->settings->common.epochs;
    loop->train_share = t->probe.from ? training_share : 1;
    s2clr_pretrainer_shuffle(t, loop->state.epoch);
    s2clr_run_loop_begin_epoch(loop);
    S2CLR_TRY(train(t));
    S2CLR_TRY(s2clr_learner_fetch(loop->learner));
    if (t->probe.from)
        S2CLR_TRY(s2clr_probe_run(t, (before + training_share) / epochs, (before + 1) / epochs));
    write_note(t);
    return s2clr_run_loop_end_epoch(loop, entries(t));
}
