#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/infer.h"
#include "train/normalise.h"
#include "train/supervised.h"

/* BATCH never depends on the data or the threads: the last batch is filled up with zeros, so that a
 * sample's bits do not depend on how many others there are. */
enum { BATCH = 8, BATCHES_PER_REPORT = 8 };

typedef struct predict_job {
    const s2clr_card *card;
    const s2clr_card_level *level;
    const s2clr_samples *samples;
    s2clr_plan *plan;
    int threads;
    s2clr_session **sessions; // (threads)
    float *x;                 // (threads, BATCH, C, H, W)
    size_t pixels, values;    /* of a patch */
    size_t first;             /* batch that is item 0 of this round */
    double *p;
} predict_job;

static s2clr_status predict_batch(void *context, size_t item, int worker)
{
    predict_job *job = context;
    const s2clr_samples *samples = job->samples;
    const size_t first = (job->first + item) * BATCH;
    const size_t count = samples->count - first < BATCH ? samples->count - first : BATCH;
    float *x = job->x + (size_t)worker * BATCH * job->values;
    for (size_t i = 0; i < count; i++) {
        float *patch = x + i * job->values;
        S2CLR_TRY(samples->read(samples->self, first + i, patch));
        s2clr_normalise_unit(job->card, job->level, NULL, NULL, job->pixels, patch, patch);
        s2clr_normalise_standard(job->card, job->pixels, patch, patch);
    }
    memset(x + count * job->values, 0, (BATCH - count) * job->values * sizeof *x);

    float logits[BATCH];
    S2CLR_TRY(s2clr_session_run(job->sessions[worker], x, logits));
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(logits[i]))
            return s2clr_error_set(S2CLR_ERR_BACKEND,
                                   "%s: the network's output is %g, not a finite number; training "
                                   "with a lower rate or checking the model may help",
                                   samples->names[first + i], (double)logits[i]);
        job->p[first + i] = 1 / (1 + exp(-(double)logits[i] / job->card->temperature));
    }
    return S2CLR_OK;
}

static s2clr_status check(const s2clr_net *net, const s2clr_card *card, const char *level,
                          const s2clr_samples *samples, const s2clr_card_level **found)
{
    if (samples->channels != card->bands || samples->size != card->patch)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "the samples have %d bands of %dx%d pixels, the model \"%s\" takes "
                               "%d bands of %dx%d",
                               samples->channels, samples->size, samples->size, card->id,
                               card->bands, card->patch, card->patch);
    if (s2clr_net_arch(net)->outputs != 1)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "the model \"%s\" has %d outputs; probabilities of two classes need "
                               "exactly 1",
                               card->id, s2clr_net_arch(net)->outputs);
    *found = level ? s2clr_card_find_level(card, level) : NULL;
    if (*found) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "the model \"%s\" has no level \"%s\"; the first of the %d it has is "
                           "\"%s\"",
                           card->id, level ? level : "", card->levels,
                           card->levels > 0 ? card->level[0].name : "");
}

static s2clr_status prepare(predict_job *job)
{
    const size_t threads = (size_t)job->threads;
    size_t total;
    job->pixels = (size_t)job->samples->size * (size_t)job->samples->size;
    S2CLR_TRY(s2clr_size_mul(job->pixels, (size_t)job->samples->channels, &job->values));
    S2CLR_TRY(s2clr_size_mul(job->values, threads * BATCH, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(float), "batches to predict", (void **)&job->x));
    S2CLR_TRY(s2clr_alloc(threads, sizeof(s2clr_session *), "sessions", (void **)&job->sessions));
    for (size_t i = 0; i < threads; i++) S2CLR_TRY(s2clr_session_new(job->plan, &job->sessions[i]));
    return S2CLR_OK;
}

static s2clr_status predict_all(predict_job *job, s2clr_pool *pool, const s2clr_progress *progress)
{
    S2CLR_TRY(prepare(job));
    const size_t batches = (job->samples->count + BATCH - 1) / BATCH;
    const size_t round = (size_t)job->threads * BATCHES_PER_REPORT;
    for (; job->first < batches; job->first += round) {
        if (!s2clr_progress_report(progress, (double)job->first / (double)batches, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "stopped after %zu of %zu samples",
                                   job->first * BATCH, job->samples->count);
        const size_t left = batches - job->first;
        S2CLR_TRY(s2clr_pool_run(pool, predict_batch, job, left < round ? left : round));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_predict_samples(const s2clr_net *net, const float *params,
                                   const s2clr_card *card, const char *level,
                                   const s2clr_samples *samples, const s2clr_backend *backend,
                                   s2clr_device *device, s2clr_pool *pool,
                                   const s2clr_progress *progress, double *p)
{
    predict_job job = {
        .card = card, .samples = samples, .threads = s2clr_pool_threads(pool), .p = p};
    S2CLR_TRY(check(net, card, level, samples, &job.level));
    S2CLR_TRY(s2clr_plan_new(net, params, backend, device, S2CLR_OUTPUT_LOGITS, BATCH,
                             samples->size, samples->size, &job.plan));
    const s2clr_status status = predict_all(&job, pool, progress);
    for (int i = 0; job.sessions && i < job.threads; i++) s2clr_session_free(job.sessions[i]);
    s2clr_free(job.sessions);
    s2clr_free(job.x);
    s2clr_plan_free(job.plan);
    return status;
}
