#include "train/supervised.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/model.h"
#include "train/class_metrics.h"
#include "train/metrics.h"
#include "train/normalise.h"
#include "train/ptrainer.h"
#include "train/recipe_check.h"

enum { RESAMPLES = 1000 };

static const double training_share = 0.9; /* of an epoch's progress; the rest is validation */

void s2clr_supervised_defaults(s2clr_supervised_settings *settings)
{
    *settings = (s2clr_supervised_settings){
        .common = s2clr_training_defaults(),
        .balance = 0.5,
        .patience = 6,
        .group_decay = 1,
        .distill_temperature = 2,
        .distill_share = 1,
    };
}

static s2clr_status floats(size_t count, size_t each, const char *what, float **out)
{
    S2CLR_TRY(s2clr_size_mul(count, each, &count));
    return s2clr_alloc(count, sizeof(float), what, (void **)out);
}

/* Where the feed has none on the device. */
static s2clr_status make_batch(trainer *t)
{
    const size_t batch = (size_t)t->settings->common.batch, size = (size_t)t->train->size;
    size_t patch;
    S2CLR_TRY(s2clr_size_mul(size * size, (size_t)t->train->channels, &patch));
    return floats(batch, patch, "training batch", &t->x);
}

static s2clr_status allocate(trainer *t)
{
    const size_t batch = (size_t)t->settings->common.batch;
    S2CLR_TRY(floats(batch, t->k, "targets", &t->target));
    S2CLR_TRY(floats(batch, t->k, "teacher's logits", &t->teacher));
    S2CLR_TRY(floats(batch, 1, "weights of the samples", &t->weight));
    S2CLR_TRY(floats(batch, t->k, "logits", &t->logits));
    S2CLR_TRY(floats(batch, t->k, "gradient of the logits", &t->dlogits));
    S2CLR_TRY(floats(batch, t->k, "gradient of the teacher's loss", &t->dsoft));
    return s2clr_alloc(t->val->count, t->k * sizeof(double), "probabilities", (void **)&t->p);
}

/* How an epoch is dealt, fed and computed. */
static s2clr_status make_parts(trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    const s2clr_training *c = &s->common;
    const int *labels;
    int classes;
    S2CLR_TRY(s2clr_trainer_deck(t, &labels, &classes));
    S2CLR_TRY(s2clr_sampler_new(labels, classes, t->train->count, (size_t)c->batch, s->balance,
                                c->seed, &t->sampler));
    S2CLR_TRY(
        s2clr_feed_new(t->train, t->card, t->level, &c->augment, c->seed, t->on.pool, &t->feed));
    const s2clr_step_options options = {.output = S2CLR_OUTPUT_LOGITS,
                                        .batch = c->batch,
                                        .micro = c->micro,
                                        .h = t->train->size,
                                        .w = t->train->size,
                                        .frozen = s->frozen};
    S2CLR_TRY(s2clr_run_loop_learn(&t->loop, &t->on, &options, 1));
    const s2clr_feed_joining joining = {
        .views = 1, .count = (size_t)c->batch, .progress = t->progress};
    S2CLR_TRY(s2clr_feed_join(t->feed, &t->on, t->loop.learner, &joining));
    if (!s2clr_feed_batch(t->feed)) S2CLR_TRY(make_batch(t));
    t->loop.steps = s2clr_sampler_steps(t->sampler);
    return S2CLR_OK;
}

static s2clr_status set_up(trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    char *identity;
    S2CLR_TRY(s2clr_trainer_check(t));
    S2CLR_TRY(s2clr_loss_find(t->k == 1 ? "bce" : "softmax", &t->loss));
    S2CLR_TRY(s2clr_recipe_net_new(t->card, &t->net));
    S2CLR_TRY(s2clr_trainer_rates(t));
    t->loop = (s2clr_run_loop){.training = &s->common,
                               .net = t->net,
                               .progress = t->progress,
                               .views = (size_t)s->common.batch,
                               .train_share = training_share,
                               .factor = t->factor,
                               .part_option = TRAINER_PART};
    S2CLR_TRY(s2clr_run_loop_open(&t->loop, true));
    S2CLR_TRY(allocate(t));
    if (!(t->card->std[0] > 0))
        S2CLR_TRY(s2clr_normalise_measure(t->card, t->level, t->train, s->common.seed, t->on.pool));
    t->card->arch = *s2clr_net_arch(t->net);
    t->card->seed = s->common.seed;
    s2clr_card_uncalibrate(t->card);
    S2CLR_TRY(make_parts(t));
    S2CLR_TRY(s2clr_trainer_try_validation(t));
    S2CLR_TRY(s2clr_trainer_identity(t, &identity));
    return s2clr_run_loop_start(&t->loop, identity, s->initial);
}

static void tear_down(trainer *t)
{
    s2clr_run_loop_close(&t->loop);
    s2clr_feed_free(t->feed);
    s2clr_sampler_free(t->sampler);
    s2clr_net_free(t->net);
    s2clr_free(t->decided);
    s2clr_free(t->factor);
    s2clr_free(t->x);
    s2clr_free(t->target);
    s2clr_free(t->teacher);
    s2clr_free(t->weight);
    s2clr_free(t->logits);
    s2clr_free(t->dlogits);
    s2clr_free(t->dsoft);
    s2clr_free(t->p);
}

/* From the counters alone, so that a resumed run stops where the uninterrupted one did. */
static int finished(const trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    const s2clr_checkpoint *state = &t->loop.state;
    if (state->epoch >= (uint64_t)s->common.epochs) return 1;
    return t->val->count > 0 && s->patience > 0 &&
           state->epoch >= (uint64_t)state->best_epoch + (uint64_t)s->patience;
}

/* Card text METRICS: {"validation": {...}}; numbers: JSON, freed here. */
static s2clr_status set_metrics(s2clr_card *card, char *numbers)
{
    json_t *root = json_pack("{s:o}", "validation", json_loads(numbers, 0, NULL));
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
    s2clr_free(numbers);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the card's metrics");
    const s2clr_status status = s2clr_card_set_text(card, S2CLR_CARD_METRICS, text);
    free(text);
    return status;
}

static s2clr_status judge_binary(trainer *t)
{
    s2clr_card *card = t->card;
    const int *labels = t->val->labels;
    s2clr_metrics metrics;
    char *numbers;
    S2CLR_TRY(s2clr_metrics_best_threshold(t->p, labels, t->val->count, &card->threshold));
    S2CLR_TRY(s2clr_metrics_compute(t->p, labels, t->val->count, card->threshold, RESAMPLES,
                                    t->settings->common.seed, t->on.pool, &metrics));
    card->prevalence = s2clr_trainer_prevalence(t);
    S2CLR_TRY(s2clr_metrics_format(&metrics, &numbers));
    return set_metrics(card, numbers);
}

static s2clr_status judge_classes(trainer *t)
{
    s2clr_class_metrics metrics;
    char *numbers;
    S2CLR_TRY(s2clr_class_metrics_compute(t->p, t->val->labels, t->val->count, t->k, &metrics));
    S2CLR_TRY(s2clr_class_metrics_format(&metrics, t->card, &numbers));
    return set_metrics(t->card, numbers);
}

/* What no validation says: the threshold of the teacher, or 1/2. */
static s2clr_status judge_nothing(trainer *t)
{
    if (t->k == 1) {
        const s2clr_supervised_settings *s = t->settings;
        t->card->threshold = s->distill_hard ? 0.5 : 1 / (1 + exp(-s->distill_least));
        t->card->prevalence = s2clr_trainer_prevalence(t);
    }
    return s2clr_card_set_text(t->card, S2CLR_CARD_METRICS, "");
}

/* Threshold, metrics and the model file, all with the best epoch's weights. */
static s2clr_status conclude(trainer *t)
{
    const float *best = t->loop.state.best;
    snprintf(t->card->trained_level, sizeof t->card->trained_level, "%s", t->level->name);
    if (t->val->count == 0) {
        S2CLR_TRY(judge_nothing(t));
    } else {
        S2CLR_TRY(s2clr_trainer_validate(t, best, 1, 1, "validating the best epoch"));
        S2CLR_TRY(t->k == 1 ? judge_binary(t) : judge_classes(t));
    }
    return s2clr_model_save(t->loop.folder.model, t->card, t->net, best);
}

s2clr_status s2clr_supervised_run(const s2clr_supervised_settings *settings, s2clr_card *card,
                                  const s2clr_samples *train, const s2clr_samples *val,
                                  const s2clr_machine *on, const s2clr_progress *progress,
                                  s2clr_supervised_result *result)
{
    const double start = s2clr_run_loop_now();
    trainer t = {.settings = settings,
                 .card = card,
                 .train = train,
                 .val = val,
                 .on = *on,
                 .progress = progress};
    s2clr_status status = set_up(&t);
    while (status == S2CLR_OK && !finished(&t)) status = s2clr_trainer_epoch(&t);
    if (status == S2CLR_OK) status = conclude(&t);
    if (status == S2CLR_OK) {
        *result = (s2clr_supervised_result){.epochs_run = (int)t.loop.state.epoch,
                                            .best_epoch = t.loop.state.best_epoch,
                                            .judged = val->count > 0,
                                            .best_auc = t.loop.state.best_auc,
                                            .seconds = s2clr_run_loop_now() - start};
        memcpy(result->model_path, t.loop.folder.model, sizeof result->model_path);
    }
    tear_down(&t);
    return status;
}
