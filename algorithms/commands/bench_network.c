/* Rates of a network alone: inference on random patches, complete training steps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "base/philox.h"
#include "commands/bench_runs.h"
#include "commands/edge.h"
#include "commands/interrupt.h"
#include "net/infer.h"
#include "predict/clock.h"
#include "train/augment.h"
#include "train/batch_feed.h"
#include "train/learner.h"
#include "train/loss.h"

enum { STREAM_PATCHES = 900001, TRAIN_SAMPLES = 128 };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void s2clr_bench_add(s2clr_bench *bench, const char *name, const char *unit, double *rates,
                     int windows)
{
    qsort(rates, (size_t)windows, sizeof *rates, ascending);
    const int half = windows / 2;
    bench->rate[bench->rates++] =
        (s2clr_rate){.name = name,
                     .unit = unit,
                     .minimum = rates[0],
                     .median = windows % 2 ? rates[half] : (rates[half - 1] + rates[half]) / 2,
                     .maximum = rates[windows - 1],
                     .windows = windows};
}

/* What both runs have: a network with random weights on an open device. */
typedef struct rig {
    const s2clr_args *args;
    int batch, size, channels, windows;
    double seconds;
    s2clr_pool *pool;
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_net *net;
    float *params; // (param_count)
    size_t values; /* of a patch */
} rig;

static s2clr_status rig_open(const s2clr_args *args, int batch, rig *r)
{
    s2clr_arch arch = {.channels = (int)s2clr_args_int(args, "channels"),
                       .outputs = 1,
                       .width = (int)s2clr_args_int(args, "width"),
                       .depth = (int)s2clr_args_int(args, "depth")};
    snprintf(arch.name, sizeof arch.name, "%s", s2clr_args_text(args, "arch"));
    *r =
        (rig){.args = args,
              .batch = s2clr_args_given(args, "batch") ? (int)s2clr_args_int(args, "batch") : batch,
              .size = (int)s2clr_args_int(args, "size"),
              .channels = arch.channels,
              .windows = (int)s2clr_args_int(args, "windows"),
              .seconds = s2clr_args_real(args, "seconds")};
    r->values = (size_t)r->channels * (size_t)r->size * (size_t)r->size;
    S2CLR_TRY(s2clr_net_new(&arch, &r->net));
    S2CLR_TRY(
        s2clr_alloc(s2clr_net_param_count(r->net), sizeof(float), "weights", (void **)&r->params));
    S2CLR_TRY(s2clr_net_init(r->net, 1, r->params));
    S2CLR_TRY(s2clr_edge_pool(args, &r->pool));
    s2clr_precision precision;
    S2CLR_TRY(s2clr_precision_parse(s2clr_args_text(args, "precision"), &precision));
    return s2clr_device_select(s2clr_args_text(args, "device"), precision, &r->backend, &r->device);
}

static void rig_close(rig *r, s2clr_bench *bench)
{
    bench->threads = r->pool ? s2clr_pool_threads(r->pool) : 0;
    if (r->device) {
        snprintf(bench->device, sizeof bench->device, "%s: %s", r->backend->name,
                 r->backend->device_describe(r->device));
        r->backend->device_close(r->device);
    }
    s2clr_pool_free(r->pool);
    s2clr_free(r->params);
    s2clr_net_free(r->net);
}

static void random_values(size_t first, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = 2 * s2clr_random_uniform(1, STREAM_PATCHES, first + i) - 1;
}

/* ---- infer ---- */

typedef struct infer_job {
    const rig *r;
    s2clr_plan *plan;
    s2clr_session **session; // (threads)
    float **x;               // (threads) of (batch, C, H, W)
    float **y;               // (threads) of (batch, K)
    double *rate;            // (threads) of the current window
} infer_job;

/* One worker's window: as many batches as start before the time is over. */
static s2clr_status infer_window(void *context, size_t item, int worker)
{
    infer_job *job = context;
    (void)worker;
    const double start = s2clr_clock_seconds();
    double elapsed = 0;
    size_t batches = 0;
    while (elapsed < job->r->seconds) {
        S2CLR_TRY(s2clr_interrupt_check());
        S2CLR_TRY(s2clr_session_run(job->session[item], job->x[item], job->y[item]));
        batches++;
        elapsed = s2clr_clock_seconds() - start;
    }
    job->rate[item] = (double)batches * job->r->batch / elapsed;
    return S2CLR_OK;
}

static s2clr_status infer_prepare(infer_job *job, size_t threads)
{
    const rig *r = job->r;
    const size_t inputs = (size_t)r->batch * r->values;
    S2CLR_TRY(s2clr_plan_new(r->net, r->params, r->backend, r->device, S2CLR_OUTPUT_LOGITS,
                             r->batch, r->size, r->size, &job->plan));
    S2CLR_TRY(s2clr_alloc(threads, sizeof(void *), "sessions", (void **)&job->session));
    S2CLR_TRY(s2clr_alloc(threads, sizeof(void *), "inputs", (void **)&job->x));
    S2CLR_TRY(s2clr_alloc(threads, sizeof(void *), "outputs", (void **)&job->y));
    S2CLR_TRY(s2clr_alloc(threads, sizeof(double), "rates", (void **)&job->rate));
    for (size_t i = 0; i < threads; i++) {
        S2CLR_TRY(s2clr_session_new(job->plan, &job->session[i]));
        S2CLR_TRY(s2clr_alloc(inputs, sizeof(float), "patches", (void **)&job->x[i]));
        S2CLR_TRY(s2clr_alloc((size_t)r->batch, sizeof(float), "logits", (void **)&job->y[i]));
        random_values(i * inputs, inputs, job->x[i]);
    }
    return S2CLR_OK;
}

static void infer_release(infer_job *job, size_t threads)
{
    for (size_t i = 0; i < threads; i++) {
        if (job->session) s2clr_session_free(job->session[i]);
        if (job->x) s2clr_free(job->x[i]);
        if (job->y) s2clr_free(job->y[i]);
    }
    s2clr_free(job->session);
    s2clr_free(job->x);
    s2clr_free(job->y);
    s2clr_free(job->rate);
    s2clr_plan_free(job->plan);
}

static s2clr_status infer_measure(infer_job *job, size_t threads, s2clr_bench *bench)
{
    double rates[S2CLR_BENCH_WINDOWS];
    S2CLR_TRY(infer_prepare(job, threads));
    for (int w = -1; w < job->r->windows; w++) {
        S2CLR_TRY(s2clr_pool_run(job->r->pool, infer_window, job, threads));
        double sum = 0;
        for (size_t i = 0; i < threads; i++) sum += job->rate[i];
        if (w >= 0) rates[w] = sum;
    }
    s2clr_bench_add(bench, "infer", "patches/s", rates, job->r->windows);
    const bool records = job->r->backend->recording != NULL;
    snprintf(bench->note, sizeof bench->note,
             "%.3g GFLOP per patch, %.4g TFLOP/s at the median%s%s\n",
             s2clr_plan_flop(job->plan) / job->r->batch * 1e-9,
             s2clr_plan_flop(job->plan) / job->r->batch * bench->rate[0].median * 1e-12,
             records ? "; ops " : "", records ? s2clr_session_way(job->session[0]) : "");
    return S2CLR_OK;
}

s2clr_status s2clr_bench_infer(const s2clr_args *args, s2clr_bench *bench)
{
    rig r;
    s2clr_status status = rig_open(args, 4, &r);
    if (status == S2CLR_OK) {
        infer_job job = {.r = &r};
        const size_t threads = (size_t)s2clr_pool_threads(r.pool);
        status = infer_measure(&job, threads, bench);
        infer_release(&job, threads);
    }
    rig_close(&r, bench);
    return status;
}

/* ---- train ---- */

/* Random patches in memory stand for a data set. */
typedef struct train_job {
    const rig *r;
    float *patches; // (TRAIN_SAMPLES, C, H, W)
    s2clr_card *card;
    s2clr_feed *feed;
    s2clr_learner *learner;
    const s2clr_optimiser *optimiser;
    const s2clr_loss *loss;
    float *x, *target, *logits, *dlogits, *moments;
    size_t *order; // (TRAIN_SAMPLES + batch) samples, over and over
    uint64_t steps;
} train_job;

static s2clr_status read_patch(void *self, size_t index, float *dn)
{
    const train_job *job = self;
    memcpy(dn, job->patches + index * job->r->values, job->r->values * sizeof *dn);
    return S2CLR_OK;
}

static s2clr_status train_card(train_job *job)
{
    S2CLR_TRY(s2clr_card_new(&job->card));
    s2clr_card *card = job->card;
    card->bands = job->r->channels;
    card->patch = job->r->size;
    card->levels = 1;
    card->level[0] = (s2clr_card_level){.name = "DN", .low = -10, .high = 10};
    for (int b = 0; b < card->bands; b++) card->level[0].gain[b] = card->std[b] = 1;
    return S2CLR_OK;
}

static s2clr_status train_buffers(train_job *job)
{
    const size_t batch = (size_t)job->r->batch, patches = TRAIN_SAMPLES * job->r->values;
    const size_t trainable = s2clr_net_trainable_count(job->r->net);
    const struct {
        float **to;
        size_t count;
    } buffers[] = {
        {&job->patches, patches}, {&job->x, batch * job->r->values},
        {&job->target, batch},    {&job->logits, batch},
        {&job->dlogits, batch},   {&job->moments, trainable * (size_t)job->optimiser->moments}};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        S2CLR_TRY(s2clr_alloc(buffers[i].count, sizeof(float), "training", (void **)buffers[i].to));
    S2CLR_TRY(
        s2clr_alloc(TRAIN_SAMPLES + batch, sizeof *job->order, "training", (void **)&job->order));
    random_values(0, patches, job->patches);
    for (size_t i = 0; i < TRAIN_SAMPLES + batch; i++) job->order[i] = i % TRAIN_SAMPLES;
    for (size_t i = 0; i < batch; i++) job->target[i] = (float)(i % 2);
    return S2CLR_OK;
}

static s2clr_feed_part part_of(const train_job *job, uint64_t step)
{
    const size_t first = (size_t)step * (size_t)job->r->batch;
    return (s2clr_feed_part){.slot = first,
                             .views = 1,
                             .index = job->order + first % TRAIN_SAMPLES,
                             .count = (size_t)job->r->batch};
}

/* One step as the supervised recipe makes it. */
static s2clr_status train_step(train_job *job)
{
    const rig *r = job->r;
    const s2clr_feed_part part = part_of(job, job->steps), next = part_of(job, job->steps + 1);
    float *const there = s2clr_feed_batch(job->feed), *const x = there ? there : job->x;
    double loss;
    S2CLR_TRY(s2clr_feed_fill(job->feed, &part, x));
    s2clr_feed_expect(job->feed, &next);
    S2CLR_TRY(s2clr_learner_forward(job->learner, 0, x, job->logits));
    S2CLR_TRY(
        job->loss->run(job->logits, job->target, NULL, (size_t)r->batch, 1, &loss, job->dlogits));
    S2CLR_TRY(s2clr_learner_backward(job->learner, 0, job->dlogits));
    job->steps++;
    return s2clr_learner_update(job->learner, 1e-4, job->steps);
}

static s2clr_status train_measure(train_job *job, s2clr_bench *bench)
{
    const rig *r = job->r;
    double rates[S2CLR_BENCH_WINDOWS];
    S2CLR_TRY(train_step(job));
    for (int w = 0; w < r->windows; w++) {
        const double start = s2clr_clock_seconds();
        double elapsed = 0;
        int steps = 0;
        while (elapsed < r->seconds) {
            S2CLR_TRY(s2clr_interrupt_check());
            S2CLR_TRY(train_step(job));
            steps++;
            elapsed = s2clr_clock_seconds() - start;
        }
        rates[w] = (double)steps * r->batch / elapsed;
    }
    s2clr_bench_add(bench, "train", "views/s", rates, r->windows);
    return S2CLR_OK;
}

static s2clr_status train_run(train_job *job, const s2clr_samples *samples, s2clr_bench *bench)
{
    const rig *r = job->r;
    int micro = (int)s2clr_args_int(r->args, "micro");
    if (micro > r->batch && !s2clr_args_given(r->args, "micro")) micro = r->batch;
    S2CLR_TRY(s2clr_optimiser_find("adamw", &job->optimiser));
    S2CLR_TRY(s2clr_loss_find("bce", &job->loss));
    S2CLR_TRY(train_card(job));
    S2CLR_TRY(train_buffers(job));
    const s2clr_augment_recipe recipe = {.flags = S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_ROT90 |
                                                  S2CLR_AUGMENT_SHIFT};
    S2CLR_TRY(
        s2clr_feed_new(samples, job->card, &job->card->level[0], &recipe, 1, r->pool, &job->feed));
    const s2clr_machine on = {.backend = r->backend, .device = r->device, .pool = r->pool};
    s2clr_learner_options options = {
        .net = r->net,
        .step = {.batch = r->batch, .micro = micro, .h = r->size, .w = r->size},
        .parts = 1,
        .optimiser = job->optimiser,
        .numbers = s2clr_optimiser_defaults(),
        .params = r->params,
        .moments = job->moments};
    options.numbers.weight_decay = 0.01;
    S2CLR_TRY(s2clr_learner_new(&options, &on, &job->learner));
    S2CLR_TRY(s2clr_learner_load(job->learner));
    const s2clr_feed_joining joining = {.views = 1, .count = (size_t)r->batch};
    S2CLR_TRY(s2clr_feed_join(job->feed, &on, job->learner, &joining));
    return train_measure(job, bench);
}

s2clr_status s2clr_bench_train(const s2clr_args *args, s2clr_bench *bench)
{
    rig r;
    s2clr_status status = rig_open(args, 32, &r);
    if (status == S2CLR_OK) {
        train_job job = {.r = &r};
        const s2clr_samples samples = {.self = &job,
                                       .count = TRAIN_SAMPLES,
                                       .channels = r.channels,
                                       .size = r.size,
                                       .read = read_patch};
        status = train_run(&job, &samples, bench);
        s2clr_learner_free(job.learner);
        s2clr_feed_free(job.feed);
        s2clr_card_free(job.card);
        s2clr_free(job.order);
        float *const buffers[] = {job.patches, job.x,       job.target,
                                  job.logits,  job.dlogits, job.moments};
        for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++) s2clr_free(buffers[i]);
    }
    rig_close(&r, bench);
    return status;
}
