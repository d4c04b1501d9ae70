#include "train/scorer.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "net/infer.h"
#include "train/normalise.h"

/* BATCH never depends on the data or the threads: the last batch is filled up with zeros, so that a
 * sample's bits do not depend on how many others there are. */
enum { BATCH = 8, BATCHES_PER_REPORT = 8 };

struct s2clr_scorer {
    s2clr_scorer_options options;
    const s2clr_card_level *level;
    s2clr_pool *pool;
    s2clr_plan *plan;
    size_t threads, width;
    size_t pixels, values, stored; /* of a patch: per band, of the network, of the samples */
    s2clr_session **idle; // (idles) sessions that no thread has; fewer than threads on a device
    size_t idles;         /* under the lock, while a run is under way */
    pthread_mutex_t lock;
    pthread_cond_t back;
    float *x;  // (threads, BATCH, C, H, W)
    float *dn; // (threads, stored): only when bands are picked
    float *y;  // (threads, BATCH, width)
    /* the run under way */
    size_t first, count, batch; /* batch: which one is item 0 of this round */
    float *rows;
};

/* One patch in the card's bands, from the DN. */
static s2clr_status read_patch(s2clr_scorer *s, size_t sample, size_t worker, float *patch)
{
    const s2clr_samples *samples = s->options.samples;
    float *dn = s->options.band ? s->dn + worker * s->stored : patch;
    S2CLR_TRY(samples->read(samples->self, sample, dn));
    for (int b = 0; s->options.band && b < s->options.card->bands; b++)
        memcpy(patch + (size_t)b * s->pixels, dn + (size_t)s->options.band[b] * s->pixels,
               s->pixels * sizeof *patch);
    s2clr_normalise_unit(s->options.card, s->level, NULL, NULL, s->pixels, patch, patch);
    s2clr_normalise_standard(s->options.card, s->pixels, patch, patch);
    return S2CLR_OK;
}

/* Whose session it is does not show in a number. */
static s2clr_status run_session(s2clr_scorer *s, const float *x, float *y)
{
    pthread_mutex_lock(&s->lock);
    while (s->idles == 0) pthread_cond_wait(&s->back, &s->lock);
    s2clr_session *const session = s->idle[--s->idles];
    pthread_mutex_unlock(&s->lock);
    const s2clr_status status = s2clr_session_run(session, x, y);
    pthread_mutex_lock(&s->lock);
    s->idle[s->idles++] = session;
    pthread_cond_signal(&s->back);
    pthread_mutex_unlock(&s->lock);
    return status;
}

static s2clr_status run_batch(void *context, size_t item, int worker)
{
    s2clr_scorer *s = context;
    const size_t start = (s->batch + item) * BATCH, w = (size_t)worker;
    const size_t count = s->count - start < BATCH ? s->count - start : BATCH;
    float *x = s->x + w * BATCH * s->values, *y = s->y + w * BATCH * s->width;
    for (size_t i = 0; i < count; i++)
        S2CLR_TRY(read_patch(s, s->first + start + i, w, x + i * s->values));
    memset(x + count * s->values, 0, (BATCH - count) * s->values * sizeof *x);
    S2CLR_TRY(run_session(s, x, y));
    for (size_t i = 0; i < count * s->width; i++)
        if (!isfinite(y[i]))
            return s2clr_error_set(S2CLR_ERR_BACKEND,
                                   "%s: the network's output is %g, not a finite number; training "
                                   "with a lower rate or checking the model may help",
                                   s->options.samples->names[s->first + start + i / s->width],
                                   (double)y[i]);
    memcpy(s->rows + start * s->width, y, count * s->width * sizeof *y);
    return S2CLR_OK;
}

static s2clr_status check(const s2clr_scorer_options *options, const s2clr_card_level **found)
{
    const s2clr_card *card = options->card;
    const s2clr_samples *samples = options->samples;
    if ((!options->band && samples->channels != card->bands) || samples->size != card->patch)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "the samples have %d bands of %dx%d pixels, the model \"%s\" takes "
                               "%d bands of %dx%d",
                               samples->channels, samples->size, samples->size, card->id,
                               card->bands, card->patch, card->patch);
    *found = options->level ? s2clr_card_find_level(card, options->level) : NULL;
    if (*found) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "the model \"%s\" has no level \"%s\"; the first of the %d it has is "
                           "\"%s\"",
                           card->id, options->level ? options->level : "", card->levels,
                           card->levels > 0 ? card->level[0].name : "");
}

/* One for every thread, or as many as keep the device busy: each holds memory of it. */
static s2clr_status make_sessions(s2clr_scorer *s, const s2clr_backend *backend)
{
    const size_t wish = backend->cutting ? (size_t)backend->cutting->sessions : 0;
    const size_t count = wish > 0 && wish < s->threads ? wish : s->threads;
    S2CLR_TRY(s2clr_alloc(count, sizeof(s2clr_session *), "sessions", (void **)&s->idle));
    for (; s->idles < count; s->idles++) S2CLR_TRY(s2clr_session_new(s->plan, &s->idle[s->idles]));
    return S2CLR_OK;
}

static s2clr_status prepare(s2clr_scorer *s, const s2clr_backend *backend, s2clr_device *device)
{
    const s2clr_scorer_options *o = &s->options;
    const int size = o->samples->size;
    size_t total;
    S2CLR_TRY(check(o, &s->level));
    S2CLR_TRY(
        s2clr_plan_new(o->net, o->params, backend, device, o->output, BATCH, size, size, &s->plan));
    const s2clr_shape y = s2clr_plan_output(s->plan);
    s->width = (size_t)y.c * (size_t)y.h * (size_t)y.w;
    s->pixels = (size_t)size * (size_t)size;
    S2CLR_TRY(s2clr_size_mul(s->pixels, (size_t)o->card->bands, &s->values));
    S2CLR_TRY(s2clr_size_mul(s->pixels, (size_t)o->samples->channels, &s->stored));
    S2CLR_TRY(s2clr_size_mul(s->values, s->threads * BATCH, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(float), "batches to predict", (void **)&s->x));
    S2CLR_TRY(s2clr_size_mul(s->stored, o->band ? s->threads : 0, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(float), "patches being read", (void **)&s->dn));
    S2CLR_TRY(s2clr_size_mul(s->width, s->threads * BATCH, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof(float), "outputs", (void **)&s->y));
    return make_sessions(s, backend);
}

s2clr_status s2clr_scorer_new(const s2clr_scorer_options *options, const s2clr_backend *backend,
                              s2clr_device *device, s2clr_pool *pool, s2clr_scorer **out)
{
    s2clr_scorer *s;
    S2CLR_TRY(s2clr_alloc(1, sizeof *s, "scorer", (void **)&s));
    s->options = *options;
    s->pool = pool;
    s->threads = (size_t)s2clr_pool_threads(pool);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->back, NULL);
    const s2clr_status status = prepare(s, backend, device);
    if (status != S2CLR_OK) {
        s2clr_scorer_free(s);
        return status;
    }
    *out = s;
    return S2CLR_OK;
}

void s2clr_scorer_free(s2clr_scorer *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->idles; i++) s2clr_session_free(s->idle[i]);
    s2clr_free(s->idle);
    pthread_cond_destroy(&s->back);
    pthread_mutex_destroy(&s->lock);
    s2clr_free(s->x);
    s2clr_free(s->dn);
    s2clr_free(s->y);
    s2clr_plan_free(s->plan);
    s2clr_free(s);
}

s2clr_status s2clr_scorer_try(const s2clr_scorer_options *options, const s2clr_backend *backend,
                              s2clr_device *device, s2clr_pool *pool)
{
    s2clr_scorer *scorer;
    if (!backend->memory) return S2CLR_OK;
    S2CLR_TRY(s2clr_scorer_new(options, backend, device, pool, &scorer));
    s2clr_scorer_free(scorer);
    return S2CLR_OK;
}

size_t s2clr_scorer_width(const s2clr_scorer *scorer)
{
    return scorer->width;
}

s2clr_status s2clr_scorer_run(s2clr_scorer *s, size_t first, size_t count,
                              const s2clr_progress *progress, float *rows)
{
    const size_t batches = (count + BATCH - 1) / BATCH, round = s->threads * BATCHES_PER_REPORT;
    s->first = first;
    s->count = count;
    s->rows = rows;
    for (s->batch = 0; s->batch < batches; s->batch += round) {
        if (!s2clr_progress_report(progress, (double)s->batch / (double)batches, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "stopped after %zu of %zu samples",
                                   s->batch * BATCH, count);
        const size_t left = batches - s->batch;
        S2CLR_TRY(s2clr_pool_run(s->pool, run_batch, s, left < round ? left : round));
    }
    return S2CLR_OK;
}
