/*
 * Batches whose views are made on the learner's device. Patches are read here and go up once, in
 * one of two halves: while the device works on what was made of one, a thread of its own reads the
 * next part into the other, on a stream of its own.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "backend/backend_training.h"
#include "base/memory.h"
#include "train/pfeed.h"

/* Patches of a part, here and on the device, and how views are made of them. */
typedef struct feed_half {
    float *host;           // (patches, C, H, W)
    float *there;          // the same on the device
    size_t *sample;        // (patches)
    s2clr_view_list *list; /* of the part's views */
} feed_half;

typedef struct feed_device {
    const s2clr_feed *feed;
    const s2clr_backend *backend;
    s2clr_device *on;
    s2clr_stream *stream; /* the learner's: views are queued there */
    s2clr_stream *up;     /* for patches on their way */
    s2clr_pool *pool;     /* the feed's own may be busy with something else meanwhile */
    size_t count_max, views_max, patches_max; /* of a part: samples, views, patches */
    feed_half half[2];
    int next; /* half that is free */
    void *work;
    float *batch; // (views_max, C, H, W)
    /* The part that is expected, while there is a thread that reads it into half[next]. */
    bool reading;
    pthread_t thread;
    s2clr_feed_part expected;
    s2clr_status status;
    char text[1024];
} feed_device;

static const s2clr_backend_training *table(const feed_device *d)
{
    return d->backend->training;
}

/* ---- reading a part ---- */

typedef struct read_job {
    const s2clr_feed *feed;
    feed_half *half;
} read_job;

static s2clr_status read_one(void *context, size_t patch, int worker)
{
    const read_job *job = context;
    (void)worker;
    return s2clr_feed_read(job->feed, job->half->sample[patch],
                           job->half->host + patch * job->feed->values);
}

/* The patch that a view is made of: that of the sample itself, or of another date behind them. */
static size_t patch_of(const s2clr_feed *feed, const s2clr_feed_part *part, size_t item, int view,
                       feed_half *half, size_t *patches)
{
    const size_t sample = s2clr_feed_source(feed, part, item, view);
    if (sample == part->index[item]) return item;
    half->sample[*patches] = sample;
    return (*patches)++;
}

static s2clr_status plan(const s2clr_feed *feed, const s2clr_feed_part *part, feed_half *half,
                         size_t *patches)
{
    *patches = part->count;
    /* The caller's indices are looked at once: there is no room for what two looks could find. */
    s2clr_feed_part own = *part;
    own.index = half->sample;
    for (size_t item = 0; item < part->count; item++) half->sample[item] = part->index[item];
    s2clr_view_list_clear(half->list);
    for (int view = own.view; view < own.view + own.views; view++)
        for (size_t item = 0; item < own.count; item++) {
            const size_t patch = patch_of(feed, &own, item, view, half, patches);
            S2CLR_TRY(s2clr_feed_plan(feed, &own, item, view, patch, half->list));
        }
    return S2CLR_OK;
}

/* Everything of a part that the device needs is there on return. */
static s2clr_status read_part(feed_device *d, const s2clr_feed_part *part, feed_half *half)
{
    const read_job job = {.feed = d->feed, .half = half};
    size_t patches;
    S2CLR_TRY(plan(d->feed, part, half, &patches));
    S2CLR_TRY(s2clr_pool_run(d->pool, read_one, (void *)&job, patches));
    S2CLR_TRY(table(d)->copy_in(d->up, half->host, patches * d->feed->values * sizeof(float),
                                half->there));
    return d->backend->stream_wait(d->up);
}

/* ---- ahead of time ---- */

static void *read_ahead(void *argument)
{
    feed_device *d = argument;
    d->status = read_part(d, &d->expected, &d->half[d->next]);
    if (d->status != S2CLR_OK) snprintf(d->text, sizeof d->text, "%s", s2clr_error_text());
    return NULL;
}

void s2clr_feed_expect(s2clr_feed *feed, const s2clr_feed_part *part)
{
    feed_device *d = feed->device;
    sigset_t all, before;
    if (!d || d->reading) return;
    d->expected = *part;
    /* Signals belong to the host's own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    /* Without a thread the part is read when it is asked for. */
    d->reading = pthread_create(&d->thread, NULL, read_ahead, d) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool same(const s2clr_feed_part *a, const s2clr_feed_part *b)
{
    return a->epoch == b->epoch && a->slot == b->slot && a->view == b->view &&
           a->views == b->views && a->index == b->index && a->count == b->count;
}

/* The thread has ended on return. */
static void stop_reading(feed_device *d)
{
    if (d->reading) pthread_join(d->thread, NULL);
    d->reading = false;
}

/* Has half[next] read, or reads it. */
static s2clr_status have_part(feed_device *d, const s2clr_feed_part *part)
{
    const bool ahead = d->reading && same(part, &d->expected);
    stop_reading(d);
    if (!ahead) return read_part(d, part, &d->half[d->next]);
    return d->status == S2CLR_OK ? S2CLR_OK : s2clr_error_set(d->status, "%s", d->text);
}

s2clr_status s2clr_feed_device_fill(s2clr_feed *feed, const s2clr_feed_part *part, float *x)
{
    feed_device *d = feed->device;
    const feed_half *half = &d->half[d->next];
    const size_t views = (size_t)part->views * part->count;
    if (part->count > d->count_max || views > d->views_max)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "%zu views of %zu samples in a part of a batch: there is room for %zu of "
            "%zu on the device",
            views, part->count, d->views_max, d->count_max);
    S2CLR_TRY(have_part(d, part));
    /* The half before is read by views that were queued, and its turn comes next. */
    S2CLR_TRY(d->backend->stream_wait(d->stream));
    S2CLR_TRY(table(d)->views->run(d->stream, half->list, half->there, d->work, x));
    d->next = !d->next;
    return S2CLR_OK;
}

/* ---- life ---- */

static s2clr_status floats_of(const feed_device *d, size_t patches, size_t *bytes)
{
    S2CLR_TRY(s2clr_size_mul(patches, d->feed->values, bytes));
    return s2clr_size_mul(*bytes, sizeof(float), bytes);
}

static s2clr_status device_floats(const feed_device *d, size_t patches, float **out)
{
    size_t bytes;
    S2CLR_TRY(floats_of(d, patches, &bytes));
    return d->backend->buffer_new(d->on, bytes, (void **)out);
}

static s2clr_status furnish(const feed_device *d, feed_half *half)
{
    const s2clr_samples *samples = d->feed->samples;
    size_t values;
    S2CLR_TRY(s2clr_size_mul(d->patches_max, d->feed->values, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof(float), "patches being read", (void **)&half->host));
    S2CLR_TRY(s2clr_alloc(d->patches_max, sizeof *half->sample, "patches being read",
                          (void **)&half->sample));
    S2CLR_TRY(s2clr_view_list_new(samples->channels, samples->size, d->views_max,
                                  s2clr_feed_steps(d->feed), &half->list));
    return device_floats(d, d->patches_max, &half->there);
}

static s2clr_status sized_list(const feed_device *d, s2clr_view_list *list)
{
    const s2clr_samples *samples = d->feed->samples;
    return s2clr_view_list_sized(samples->channels, samples->size, d->views_max,
                                 s2clr_feed_steps(d->feed), list);
}

/* Bytes that views are made in. */
static s2clr_status work_bytes(const feed_device *d, size_t *bytes)
{
    s2clr_view_list list;
    S2CLR_TRY(sized_list(d, &list));
    *bytes = table(d)->views->work_bytes(d->on, &list);
    return S2CLR_OK;
}

/* Bytes on the device. */
static s2clr_status device_bytes(const feed_device *d, size_t work, size_t *bytes)
{
    size_t patches, views;
    S2CLR_TRY(floats_of(d, 2 * d->patches_max, &patches));
    S2CLR_TRY(floats_of(d, d->views_max, &views));
    S2CLR_TRY(s2clr_size_add(patches, views, bytes));
    return s2clr_size_add(*bytes, work, bytes);
}

/* At most half of the device's memory that is left: validation wants some of it as well, and the
 * host makes the same views. */
static s2clr_status check_room(const feed_device *d, size_t work, size_t reserve)
{
    const double giga = 1e9;
    size_t needs, available, total;
    if (!d->backend->memory) return S2CLR_OK;
    S2CLR_TRY(device_bytes(d, work, &needs));
    S2CLR_TRY(d->backend->memory(d->on, &available, &total));
    available = available > reserve ? available - reserve : 0;
    if (needs <= available / 2) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MEMORY,
                           "views of %zu samples need %.3g GB of the device's own memory, and "
                           "half of %.3g GB may be theirs",
                           d->count_max, (double)needs / giga, (double)available / giga);
}

static s2clr_status allocate(feed_device *d, size_t reserve)
{
    size_t work;
    S2CLR_TRY(work_bytes(d, &work));
    S2CLR_TRY(check_room(d, work, reserve));
    for (int i = 0; i < 2; i++) S2CLR_TRY(furnish(d, &d->half[i]));
    S2CLR_TRY(device_floats(d, d->views_max, &d->batch));
    S2CLR_TRY(d->backend->buffer_new(d->on, work, &d->work));
    S2CLR_TRY(d->backend->stream_new(d->on, 0, &d->up));
    return s2clr_pool_new(s2clr_pool_threads(d->feed->pool), &d->pool);
}

void s2clr_feed_device_free(feed_device *d)
{
    if (!d) return;
    stop_reading(d);
    if (d->up) d->backend->stream_free(d->up);
    void *const buffers[] = {d->half[0].there, d->half[1].there, d->batch, d->work};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (buffers[i]) d->backend->buffer_free(d->on, buffers[i]);
    for (int i = 0; i < 2; i++) {
        s2clr_free(d->half[i].host);
        s2clr_free(d->half[i].sample);
        s2clr_view_list_free(d->half[i].list);
    }
    s2clr_pool_free(d->pool);
    s2clr_free(d);
}

static feed_device prepared(const s2clr_feed *feed, const s2clr_machine *on,
                            const s2clr_feed_joining *joining)
{
    return (feed_device){.feed = feed,
                         .backend = on->backend,
                         .on = on->device,
                         .views_max = (size_t)joining->views * joining->count,
                         .count_max = joining->count,
                         .patches_max = feed->partner ? 2 * joining->count : joining->count};
}

/* Without the room the host makes the same views. */
static s2clr_status without_room(s2clr_status status, const s2clr_progress *progress)
{
    char text[1200];
    if (status != S2CLR_ERR_MEMORY) return status;
    snprintf(text, sizeof text, "%s: the processor makes them, with the same result, but slower",
             s2clr_error_text());
    s2clr_error_clear();
    s2clr_progress_warn(progress, text);
    return S2CLR_OK;
}

s2clr_status s2clr_feed_join(s2clr_feed *feed, const s2clr_machine *on, s2clr_learner *learner,
                             const s2clr_feed_joining *joining)
{
    const s2clr_backend_training *training = on->backend->training;
    feed_device *d;
    if (!training || !training->apart || !training->views) return S2CLR_OK;
    if (!s2clr_learner_can_take_resident(learner)) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(1, sizeof *d, "batch feed", (void **)&d));
    *d = prepared(feed, on, joining);
    const s2clr_status status = allocate(d, joining->reserve);
    if (status != S2CLR_OK) {
        s2clr_feed_device_free(d);
        return without_room(status, joining->progress);
    }
    d->stream = s2clr_learner_take_resident(learner);
    feed->device = d;
    return S2CLR_OK;
}

/* Two halves of patches and lists. */
static s2clr_status host_bytes(const feed_device *d, const s2clr_view_list *list, size_t *out)
{
    const size_t arrays[][2] = {{d->patches_max, sizeof(size_t)},
                                {list->views_max, sizeof *list->view},
                                {list->steps_max, sizeof *list->step},
                                {list->positions_max, sizeof *list->position},
                                {list->numbers_max, sizeof *list->number}};
    S2CLR_TRY(floats_of(d, d->patches_max, out));
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        size_t bytes;
        S2CLR_TRY(s2clr_size_mul(arrays[i][0], arrays[i][1], &bytes));
        S2CLR_TRY(s2clr_size_add(*out, bytes, out));
    }
    return s2clr_size_mul(*out, 2, out);
}

s2clr_status s2clr_feed_needs(const s2clr_samples *samples, const s2clr_augment_recipe *recipe,
                              const int *partner, const s2clr_machine *on,
                              const s2clr_feed_joining *joining, s2clr_learner_bytes *out)
{
    const s2clr_backend_training *const training = on->backend->training;
    s2clr_feed feed = {.samples = samples, .recipe = *recipe, .partner = partner};
    s2clr_learner_bytes bytes = {0};
    s2clr_view_list list;
    if (training && training->apart && training->views && on->device_count <= 1) {
        const size_t size = (size_t)samples->size;
        S2CLR_TRY(s2clr_size_mul(size * size, (size_t)samples->channels, &feed.values));
        const feed_device d = prepared(&feed, on, joining);
        S2CLR_TRY(sized_list(&d, &list));
        S2CLR_TRY(host_bytes(&d, &list, &bytes.host));
        S2CLR_TRY(device_bytes(&d, training->views->work_bytes(on->device, &list), &bytes.device));
    }
    *out = bytes;
    return S2CLR_OK;
}

float *s2clr_feed_batch(const s2clr_feed *feed)
{
    return feed->device ? feed->device->batch : NULL;
}
