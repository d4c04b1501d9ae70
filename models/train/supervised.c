#include "train/supervised.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/model.h"
#include "train/augment.h"
#include "train/metrics.h"
#include "train/normalise.h"
#include "train/ptrainer.h"
#include "train/run_identity.h"

enum { RESAMPLES = 1000 };

void s2clr_supervised_defaults(s2clr_supervised_settings *settings)
{
    *settings = (s2clr_supervised_settings){
        .optimiser = "adamw",
        .rate = 2e-3,
        .weight_decay = 0.01,
        .warmup = 0.1,
        .epochs = 20,
        .batch = 64,
        .micro = 16,
        .augment = S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_ROT90 | S2CLR_AUGMENT_SHIFT,
        .balance = 0.5,
        .patience = 6,
        .seed = 1,
    };
}

static s2clr_status check_range(const char *name, double value, double low, double high)
{
    if (value >= low && value <= high) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s is %g, must be %g to %g", name, value, low,
                           high);
}

static s2clr_status check_settings(const s2clr_supervised_settings *s)
{
    S2CLR_TRY(check_range("rate", s->rate, 0, 1000));
    S2CLR_TRY(check_range("weight decay", s->weight_decay, 0, 1000));
    S2CLR_TRY(check_range("warm-up", s->warmup, 0, 1));
    S2CLR_TRY(check_range("number of epochs", s->epochs, 1, 1000000));
    S2CLR_TRY(check_range("batch", s->batch, 1, 1 << 20));
    S2CLR_TRY(check_range("micro-batch", s->micro, 1, s->batch));
    S2CLR_TRY(check_range("balance", s->balance, 0, 1));
    S2CLR_TRY(check_range("label smoothing", s->label_smoothing, 0, 1));
    S2CLR_TRY(check_range("patience", s->patience, 0, 1000000));
    if (s->batch % s->micro == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "batch is %d, must be a multiple of micro-batch %d",
                           s->batch, s->micro);
}

static s2clr_status check_samples(const s2clr_card *card, const s2clr_samples *samples,
                                  const char *what)
{
    size_t positives = 0;
    for (size_t i = 0; i < samples->count; i++) positives += samples->labels[i] == 1;
    if (positives == 0 || positives == samples->count)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%zu of the %zu %s samples are \"%s\": both labels are needed",
                               positives, samples->count, what, card->positive);
    if (samples->channels == card->bands && samples->size == card->patch) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "the %s samples have %d bands of %dx%d pixels, the card says %d bands "
                           "of %dx%d",
                           what, samples->channels, samples->size, samples->size, card->bands,
                           card->patch, card->patch);
}

static s2clr_status check_card(trainer *t)
{
    const char *level = t->settings->level;
    S2CLR_TRY(check_samples(t->card, t->train, "training"));
    S2CLR_TRY(check_samples(t->card, t->val, "validation"));
    t->level = level ? s2clr_card_find_level(t->card, level) : NULL;
    if (!t->level)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the card has no level \"%s\"; the level of the training samples "
                               "must be one of its %d levels",
                               level ? level : "", t->card->levels);
    if (t->card->arch.outputs != 1 || t->card->arch.channels != t->card->bands)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "the card's network has %d inputs and %d outputs, must have %d (one "
                               "per band) and 1",
                               t->card->arch.channels, t->card->arch.outputs, t->card->bands);
    return S2CLR_OK;
}

static s2clr_status floats(size_t count, const char *what, float **out)
{
    return s2clr_alloc(count, sizeof(float), what, (void **)out);
}

static s2clr_status allocate(trainer *t)
{
    const size_t batch = (size_t)t->settings->batch;
    const size_t trainable = s2clr_net_trainable_count(t->net);
    s2clr_checkpoint *state = &t->state;
    state->param_count = s2clr_net_param_count(t->net);
    S2CLR_TRY(s2clr_size_mul(trainable, (size_t)t->optimiser->moments, &state->moment_count));
    size_t input;
    S2CLR_TRY(s2clr_size_mul(batch, (size_t)t->train->channels, &input));
    S2CLR_TRY(s2clr_size_mul(input, (size_t)t->train->size, &input));
    S2CLR_TRY(s2clr_size_mul(input, (size_t)t->train->size, &input));
    S2CLR_TRY(floats(state->param_count, "weights", &state->params));
    S2CLR_TRY(floats(state->param_count, "best weights", &state->best));
    S2CLR_TRY(floats(state->moment_count, "optimiser moments", &state->moments));
    S2CLR_TRY(floats(trainable, "gradient", &t->gradient));
    S2CLR_TRY(floats(input, "training batch", &t->x));
    S2CLR_TRY(floats(batch, "targets", &t->target));
    S2CLR_TRY(floats(batch, "logits", &t->logits));
    S2CLR_TRY(floats(batch, "gradient of the logits", &t->dlogits));
    return s2clr_alloc(t->val->count, sizeof(double), "probabilities", (void **)&t->p);
}

/* Weights and counters to go on from: the checkpoint's, or fresh ones. */
static s2clr_status begin(trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    S2CLR_TRY(s2clr_run_identity(s, t->card, t->level, s2clr_net_arch(t->net), t->train, t->val,
                                 &t->identity));
    if (t->folder.has_checkpoint)
        S2CLR_TRY(s2clr_checkpoint_load(t->folder.checkpoint, t->identity, &t->state));
    else
        S2CLR_TRY(s2clr_net_init(t->net, s->seed, t->state.params));
    return s2clr_run_folder_cut_log(&t->folder, t->state.epoch);
}

static s2clr_status set_up(trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    S2CLR_TRY(check_settings(s));
    S2CLR_TRY(check_card(t));
    S2CLR_TRY(s2clr_optimiser_find(s->optimiser, &t->optimiser));
    S2CLR_TRY(s2clr_loss_find("bce", &t->loss));
    S2CLR_TRY(s2clr_run_folder_open(s->run_dir, s->resume, &t->folder));
    S2CLR_TRY(s2clr_net_new(&t->card->arch, &t->net));
    S2CLR_TRY(allocate(t));
    if (!(t->card->std[0] > 0))
        S2CLR_TRY(s2clr_normalise_measure(t->card, t->level, t->train, s->seed, t->pool));
    t->card->arch = *s2clr_net_arch(t->net);
    t->card->seed = s->seed;
    t->card->temperature = 1;
    S2CLR_TRY(s2clr_sampler_new(t->train->labels, t->train->count, (size_t)s->batch, s->balance,
                                s->seed, &t->sampler));
    S2CLR_TRY(s2clr_feed_new(t->train, t->card, t->level, s->augment, s->seed, t->pool, &t->feed));
    S2CLR_TRY(s2clr_step_new(t->net, t->backend, t->device, t->pool, s->batch, s->micro,
                             t->train->size, t->train->size, &t->step));
    return begin(t);
}

static void tear_down(trainer *t)
{
    s2clr_step_free(t->step);
    s2clr_feed_free(t->feed);
    s2clr_sampler_free(t->sampler);
    s2clr_net_free(t->net);
    s2clr_free(t->identity);
    s2clr_free(t->state.params);
    s2clr_free(t->state.best);
    s2clr_free(t->state.moments);
    s2clr_free(t->gradient);
    s2clr_free(t->x);
    s2clr_free(t->target);
    s2clr_free(t->logits);
    s2clr_free(t->dlogits);
    s2clr_free(t->p);
}

/* From the counters alone, so that a resumed run stops where the uninterrupted one did. */
static int finished(const trainer *t)
{
    const s2clr_supervised_settings *s = t->settings;
    const s2clr_checkpoint *state = &t->state;
    if (state->epoch >= (uint64_t)s->epochs) return 1;
    return s->patience > 0 && state->epoch >= (uint64_t)state->best_epoch + (uint64_t)s->patience;
}

/* Card text METRICS: {"validation": {...}}. */
static s2clr_status set_metrics(s2clr_card *card, const s2clr_metrics *metrics)
{
    char *numbers;
    S2CLR_TRY(s2clr_metrics_format(metrics, &numbers));
    json_t *root = json_pack("{s:o}", "validation", json_loads(numbers, 0, NULL));
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
    s2clr_free(numbers);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the card's metrics");
    const s2clr_status status = s2clr_card_set_text(card, S2CLR_CARD_METRICS, text);
    free(text);
    return status;
}

/* Threshold, metrics and the model file, all with the best epoch's weights. */
static s2clr_status conclude(trainer *t)
{
    s2clr_card *card = t->card;
    const int *labels = t->val->labels;
    S2CLR_TRY(s2clr_trainer_validate(t, t->state.best, 1, 1, "validating the best epoch"));
    S2CLR_TRY(s2clr_metrics_best_threshold(t->p, labels, t->val->count, &card->threshold));
    s2clr_metrics metrics;
    S2CLR_TRY(s2clr_metrics_compute(t->p, labels, t->val->count, card->threshold, RESAMPLES,
                                    t->settings->seed, t->pool, &metrics));
    card->prevalence = s2clr_sampler_share(t->sampler);
    snprintf(card->trained_level, sizeof card->trained_level, "%s", t->level->name);
    S2CLR_TRY(set_metrics(card, &metrics));
    return s2clr_model_save(t->folder.model, card, t->net, t->state.best);
}

s2clr_status s2clr_supervised_run(const s2clr_supervised_settings *settings, s2clr_card *card,
                                  const s2clr_samples *train, const s2clr_samples *val,
                                  const s2clr_backend *backend, s2clr_device *device,
                                  s2clr_pool *pool, const s2clr_progress *progress,
                                  s2clr_supervised_result *result)
{
    const double start = s2clr_trainer_now();
    trainer t = {.settings = settings,
                 .card = card,
                 .train = train,
                 .val = val,
                 .backend = backend,
                 .device = device,
                 .pool = pool,
                 .progress = progress};
    s2clr_status status = set_up(&t);
    while (status == S2CLR_OK && !finished(&t)) status = s2clr_trainer_epoch(&t);
    if (status == S2CLR_OK) status = conclude(&t);
    if (status == S2CLR_OK) {
        *result = (s2clr_supervised_result){.epochs_run = (int)t.state.epoch,
                                            .best_epoch = t.state.best_epoch,
                                            .best_auc = t.state.best_auc,
                                            .seconds = s2clr_trainer_now() - start};
        memcpy(result->model_path, t.folder.model, sizeof result->model_path);
    }
    tear_down(&t);
    return status;
}
