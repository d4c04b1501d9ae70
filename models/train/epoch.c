#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/metrics.h"
#include "train/ptrainer.h"

static const double training_share = 0.9; /* of an epoch's progress; the rest is validation */

typedef struct epoch_report {
    int epoch;
    double loss, rate, views_per_second, seconds;
    s2clr_metrics val;
} epoch_report;

double s2clr_trainer_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

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
    return s2clr_predict_samples(t->net, params, t->card, t->level->name, t->val, t->backend,
                                 t->device, t->pool, &progress, t->p);
}

/* One optimiser step on the samples of `index`; *loss of this batch, *rate it was made with. */
static s2clr_status train_batch(trainer *t, uint64_t epoch, size_t slot, const size_t *index,
                                double *loss, double *rate)
{
    const s2clr_supervised_settings *s = t->settings;
    const size_t batch = (size_t)s->batch;
    S2CLR_TRY(s2clr_feed_fill(t->feed, epoch, slot, index, batch, t->x));
    for (size_t i = 0; i < batch; i++)
        t->target[i] =
            (float)(t->train->labels[index[i]] * (1 - s->label_smoothing) + s->label_smoothing / 2);
    S2CLR_TRY(s2clr_step_forward(t->step, t->state.params, t->x, t->logits));
    S2CLR_TRY(t->loss->run(t->logits, t->target, NULL, batch, 1, loss, t->dlogits));
    if (!isfinite(*loss))
        return s2clr_error_set(S2CLR_ERR_BACKEND,
                               "training diverged: the loss of step %llu is %g; use a lower rate "
                               "than %g",
                               (unsigned long long)(t->state.step + 1), *loss, s->rate);
    S2CLR_TRY(s2clr_step_backward(t->step, t->state.params, t->dlogits, t->gradient));

    const uint64_t total = (uint64_t)s->epochs * s2clr_sampler_steps(t->sampler);
    const uint64_t warmup = (uint64_t)llround(s->warmup * (double)total);
    const s2clr_optimiser_settings numbers = {
        .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = s->weight_decay};
    *rate = s2clr_schedule_cosine(s->rate, warmup, total, t->state.step + 1);
    S2CLR_TRY(s2clr_optimiser_step(t->optimiser, &numbers, t->net, t->pool, *rate,
                                   t->state.step + 1, t->gradient, t->state.moments,
                                   t->state.params));
    t->state.step++;
    return S2CLR_OK;
}

/* "epoch 3/20 loss 0.1234 auc 0.9870 1840 views/s"; the AUC is the best so far. */
static void describe(const trainer *t, const epoch_report *report, char *text, size_t size)
{
    char auc[32] = "";
    if (t->state.best_epoch > 0) snprintf(auc, sizeof auc, " auc %.4f", t->state.best_auc);
    snprintf(text, size, "epoch %d/%d loss %.4f%s %.0f views/s", report->epoch, t->settings->epochs,
             report->loss, auc, report->views_per_second);
}

static s2clr_status train_all_batches(trainer *t, epoch_report *report)
{
    const uint64_t epoch = t->state.epoch;
    const size_t steps = s2clr_sampler_steps(t->sampler), batch = (size_t)t->settings->batch;
    const size_t *order = s2clr_sampler_order(t->sampler, epoch);
    const double start = s2clr_trainer_now();
    double sum = 0;
    for (size_t i = 0; i < steps; i++) {
        double loss;
        S2CLR_TRY(train_batch(t, epoch, i * batch, order + i * batch, &loss, &report->rate));
        sum += loss;
        report->loss = sum / (double)(i + 1);
        report->views_per_second = (double)((i + 1) * batch) / (s2clr_trainer_now() - start);
        char text[128];
        describe(t, report, text, sizeof text);
        const double within = training_share * (double)(i + 1) / (double)steps;
        if (!s2clr_progress_report(t->progress,
                                   ((double)epoch + within) / (double)t->settings->epochs, text))
            return s2clr_error_set(S2CLR_ERR_CANCELLED,
                                   "training stopped in epoch %d of %d; %llu finished epochs are "
                                   "kept in %s",
                                   report->epoch, t->settings->epochs, (unsigned long long)epoch,
                                   t->folder.checkpoint);
    }
    return S2CLR_OK;
}

static s2clr_status log_epoch(const trainer *t, const epoch_report *report)
{
    json_t *val = json_object();
    int failed = 0;
    for (int m = 0; m < S2CLR_METRICS; m++) {
        const double value = report->val.value[m];
        failed |= json_object_set_new(val, s2clr_metric_name((s2clr_metric)m),
                                      isfinite(value) ? json_real(value) : json_null());
    }
    json_t *root = json_pack("{s:i, s:I, s:f, s:f, s:f, s:f, s:o, s:i}", "epoch", report->epoch,
                             "step", (json_int_t)t->state.step, "loss", report->loss, "rate",
                             report->rate, "views_per_second", report->views_per_second, "seconds",
                             report->seconds, "val", val, "best_epoch", t->state.best_epoch);
    char *line = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(root);
    if (!line) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for a line of the log");
    const s2clr_status status = s2clr_run_folder_log(&t->folder, line);
    free(line);
    return status;
}

s2clr_status s2clr_trainer_epoch(trainer *t)
{
    const double start = s2clr_trainer_now(), epochs = t->settings->epochs;
    epoch_report report = {.epoch = (int)t->state.epoch + 1};
    S2CLR_TRY(train_all_batches(t, &report));

    char text[128];
    describe(t, &report, text, sizeof text);
    const double before = (double)t->state.epoch;
    S2CLR_TRY(s2clr_trainer_validate(t, t->state.params, (before + training_share) / epochs,
                                     (before + 1) / epochs, text));
    S2CLR_TRY(
        s2clr_metrics_compute(t->p, t->val->labels, t->val->count, 0.5, 0, 0, NULL, &report.val));
    const double auc = report.val.value[S2CLR_METRIC_AUC];
    if (t->state.best_epoch == 0 || auc > t->state.best_auc) {
        t->state.best_epoch = report.epoch;
        t->state.best_auc = auc;
        memcpy(t->state.best, t->state.params, t->state.param_count * sizeof(float));
    }
    t->state.epoch++;
    report.seconds = s2clr_trainer_now() - start;
    /* The log goes first: on resume a line too many is cut off, a missing one could not be made. */
    S2CLR_TRY(log_epoch(t, &report));
    return s2clr_checkpoint_save(t->folder.checkpoint, t->identity, &t->state);
}
