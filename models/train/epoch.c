#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/class_metrics.h"
#include "train/metrics.h"
#include "train/ptrainer.h"
#include "train/scorer.h"

typedef struct validation_progress {
    const trainer *t;
    double from, to;
    const char *message;
} validation_progress;

static bool report_validation(void *context, double fraction, const char *message)
{
    (void)message;
    const validation_progress *v = context;
    return s2clr_progress_report(v->t->progress, v->from + fraction * (v->to - v->from),
                                 v->message);
}

s2clr_status s2clr_trainer_validate(trainer *t, const float *params, double from, double to,
                                    const char *message)
{
    validation_progress context = {.t = t, .from = from, .to = to, .message = message};
    const s2clr_progress progress = {.call = report_validation, .context = &context};
    return s2clr_predict_classes(t->net, params, t->card, t->level->name, t->val, t->on.backend,
                                 t->on.device, t->on.pool, &progress, t->p);
}

s2clr_status s2clr_trainer_try_validation(const trainer *t)
{
    const s2clr_scorer_options options = {.net = t->net,
                                          .params = t->loop.state.params,
                                          .card = t->card,
                                          .level = t->level->name,
                                          .samples = t->val,
                                          .output = S2CLR_OUTPUT_LOGITS};
    if (t->val->count == 0) return S2CLR_OK;
    return s2clr_scorer_try(&options, t->on.backend, t->on.device, t->on.pool);
}

/* Batch number `step` of an epoch. */
static s2clr_feed_part part_of(const trainer *t, const size_t *order, size_t step)
{
    const size_t batch = (size_t)t->settings->common.batch;
    return (s2clr_feed_part){.epoch = t->loop.state.epoch,
                             .slot = step * batch,
                             .views = 1,
                             .index = order + step * batch,
                             .count = batch};
}

/* Its loss and gradient. */
static s2clr_status train_batch(trainer *t, const size_t *order, size_t step, double *loss)
{
    const size_t batch = (size_t)t->settings->common.batch;
    const s2clr_feed_part part = part_of(t, order, step), next = part_of(t, order, step + 1);
    float *const there = s2clr_feed_batch(t->feed), *const x = there ? there : t->x;
    S2CLR_TRY(s2clr_feed_fill(t->feed, &part, x));
    if (step + 1 < t->loop.steps) s2clr_feed_expect(t->feed, &next);
    s2clr_trainer_targets(t, part.index, batch);
    S2CLR_TRY(s2clr_learner_forward(t->loop.learner, 0, x, t->logits));
    S2CLR_TRY(s2clr_trainer_loss(t, batch, loss));
    S2CLR_TRY(s2clr_run_loop_check_loss(&t->loop, *loss));
    return s2clr_learner_backward(t->loop.learner, 0, t->dlogits);
}

static s2clr_status train_all_batches(trainer *t)
{
    const size_t *order = s2clr_sampler_order(t->sampler, t->loop.state.epoch);
    for (size_t i = 0; i < t->loop.steps; i++) {
        double loss;
        S2CLR_TRY(train_batch(t, order, i, &loss));
        S2CLR_TRY(s2clr_run_loop_step(&t->loop, i, loss));
    }
    return S2CLR_OK;
}

static s2clr_status measure_binary(const trainer *t, json_t *val, double *auc)
{
    s2clr_metrics metrics;
    int failed = 0;
    S2CLR_TRY(
        s2clr_metrics_compute(t->p, t->val->labels, t->val->count, 0.5, 0, 0, NULL, &metrics));
    for (int m = 0; m < S2CLR_METRICS; m++) {
        const double value = metrics.value[m];
        failed |= json_object_set_new(val, s2clr_metric_name((s2clr_metric)m),
                                      isfinite(value) ? json_real(value) : json_null());
    }
    if (failed) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for a line of the log");
    *auc = metrics.value[S2CLR_METRIC_AUC];
    return S2CLR_OK;
}

static s2clr_status measure_classes(const trainer *t, json_t *val, double *auc)
{
    s2clr_class_metrics metrics;
    S2CLR_TRY(s2clr_class_metrics_compute(t->p, t->val->labels, t->val->count, t->k, &metrics));
    if (json_object_set_new(val, "accuracy", json_real(metrics.accuracy)) != 0 ||
        json_object_set_new(val, "auc", json_real(metrics.auc)) != 0)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for a line of the log");
    *auc = metrics.auc;
    return S2CLR_OK;
}

/* "auc 0.9870", of the best epoch so far. */
static void note_best(trainer *t)
{
    if (t->val->count && t->loop.state.best_epoch > 0)
        snprintf(t->loop.note, sizeof t->loop.note, "auc %.4f", t->loop.state.best_auc);
}

/* Without validation the last one is as good as can be known. */
static void keep_best(trainer *t, double auc)
{
    s2clr_checkpoint *state = &t->loop.state;
    if (t->val->count && state->best_epoch > 0 && !(auc > state->best_auc)) return;
    state->best_epoch = (int)state->epoch + 1;
    state->best_auc = auc;
    memcpy(state->best, state->params, state->param_count * sizeof(float));
}

static s2clr_status validate_epoch(trainer *t, json_t *val)
{
    char text[192];
    double auc;
    const double before = (double)t->loop.state.epoch, epochs = t->settings->common.epochs;
    s2clr_run_loop_describe(&t->loop, text, sizeof text);
    S2CLR_TRY(s2clr_trainer_validate(t, t->loop.state.params,
                                     (before + t->loop.train_share) / epochs, (before + 1) / epochs,
                                     text));
    S2CLR_TRY(t->k == 1 ? measure_binary(t, val, &auc) : measure_classes(t, val, &auc));
    keep_best(t, auc);
    return S2CLR_OK;
}

s2clr_status s2clr_trainer_epoch(trainer *t)
{
    s2clr_run_loop_begin_epoch(&t->loop);
    note_best(t);
    S2CLR_TRY(train_all_batches(t));
    S2CLR_TRY(s2clr_learner_fetch(t->loop.learner));
    if (t->val->count == 0) {
        keep_best(t, 0);
        return s2clr_run_loop_end_epoch(&t->loop, json_object());
    }
    json_t *val = json_object();
    const s2clr_status status = validate_epoch(t, val);
    if (status != S2CLR_OK) {
        json_decref(val);
        return status;
    }
    return s2clr_run_loop_end_epoch(
        &t->loop, json_pack("{s:o, s:i}", "val", val, "best_epoch", t->loop.state.best_epoch));
}
