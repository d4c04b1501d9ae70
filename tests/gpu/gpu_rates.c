/*
 * How fast a device infers and trains, and how far its answers are from the portable backend's:
 *
 *     gpu_rates DEVICE NETWORK PRECISION SIDE BATCH SECONDS
 *     gpu_rates cuda resnet50 bf16 120 256 5
 *
 * Prints one line of JSON: patches/s of inference (two sessions on two threads, from the host's
 * floats to the host's floats), views/s of a training step without the optimiser, bytes held, the
 * distance of the logits relative to their norm, the kernels. Exit status 1 with one line when
 * something fails, or when the distance is more than the precision explains.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backend/device_select.h"
#include "base/philox.h"
#include "base/pool.h"
#include "net/infer.h"
#include "net/step.h"

enum { BANDS = 12, OUTPUTS = 10, COMPARED = 4, SESSIONS = 2, PROJECTED = 128 };

typedef struct job {
    const char *device, *network;
    s2clr_precision precision;
    int side, batch;
    double seconds;
    s2clr_net *net;
    float *params;
    double patches, views, apart;
    size_t bytes;
    char kernels[2][160]; /* of the first and the second op */
} job;

/* By much more than rounding adds up to in fifty layers, by much less than an error would. */
static const double limits[S2CLR_PRECISIONS] = {
    [S2CLR_F32] = 1e-4, [S2CLR_TF32] = 1e-2, [S2CLR_BF16] = 5e-2, [S2CLR_FP16] = 1e-2};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *noise(size_t count)
{
    float *const x = malloc(count * sizeof *x);
    for (size_t i = 0; x && i < count; i++) x[i] = 2 * s2clr_random_uniform(1, 1, i) - 1;
    return x;
}

static size_t floats_of(const job *j, int batch)
{
    return (size_t)batch * BANDS * (size_t)j->side * (size_t)j->side;
}

static s2clr_status out_of_memory(void)
{
    return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the patches");
}

/* ---- the same answers ---- */

static s2clr_status logits_of(const job *j, const char *device_name, s2clr_precision precision,
                              const float *x, float *logits)
{
    const s2clr_backend *be;
    s2clr_device *device;
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    S2CLR_TRY(s2clr_device_select(device_name, precision, &be, &device));
    s2clr_status status = s2clr_plan_new(j->net, j->params, be, device, S2CLR_OUTPUT_LOGITS,
                                         COMPARED, j->side, j->side, &plan);
    if (status == S2CLR_OK) status = s2clr_session_new(plan, &session);
    if (status == S2CLR_OK) status = s2clr_session_run(session, x, logits);
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    be->device_close(device);
    return status;
}

static s2clr_status compare(job *j)
{
    float got[COMPARED * OUTPUTS], wanted[COMPARED * OUTPUTS];
    float *const x = noise(floats_of(j, COMPARED));
    if (!x) return out_of_memory();
    s2clr_status status = logits_of(j, j->device, j->precision, x, got);
    if (status == S2CLR_OK) status = logits_of(j, "portable", S2CLR_F32, x, wanted);
    free(x);
    if (status != S2CLR_OK) return status;
    double apart = 0, size = 0;
    for (int i = 0; i < COMPARED * OUTPUTS; i++) {
        apart += pow((double)got[i] - (double)wanted[i], 2);
        size += pow((double)wanted[i], 2);
    }
    j->apart = sqrt(apart / size);
    if (j->apart <= limits[j->precision]) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND, "the logits are %.3g of their norm apart, at most %g",
                           j->apart, limits[j->precision]);
}

/* ---- inference ---- */

typedef struct worker {
    const job *j;
    s2clr_session *session;
    const float *x;
    float *y;
    double end;
    long runs;
    s2clr_status status;
    char text[600];
} worker;

static void *run_until(void *argument)
{
    worker *const w = argument;
    while (w->status == S2CLR_OK && now() < w->end) {
        w->status = s2clr_session_run(w->session, w->x, w->y);
        w->runs++;
    }
    snprintf(w->text, sizeof w->text, "%s", s2clr_error_text());
    return NULL;
}

static s2clr_status time_sessions(job *j, const s2clr_plan *plan, const float *x)
{
    worker w[SESSIONS] = {0};
    pthread_t thread[SESSIONS];
    s2clr_status status = S2CLR_OK;
    for (int i = 0; i < SESSIONS; i++) {
        w[i] = (worker){.j = j, .x = x, .y = calloc((size_t)j->batch * OUTPUTS, sizeof(float))};
        if (!w[i].y) status = out_of_memory();
        if (status == S2CLR_OK) status = s2clr_session_new(plan, &w[i].session);
        if (status == S2CLR_OK) status = s2clr_session_run(w[i].session, x, w[i].y); /* warm */
    }
    const double begin = now();
    long runs = 0;
    for (int i = 0; i < SESSIONS && status == S2CLR_OK; i++) {
        w[i].end = begin + j->seconds;
        pthread_create(&thread[i], NULL, run_until, &w[i]);
    }
    for (int i = 0; i < SESSIONS && status == S2CLR_OK; i++) pthread_join(thread[i], NULL);
    const double took = now() - begin;
    for (int i = 0; i < SESSIONS; i++) {
        if (status == S2CLR_OK && w[i].status != S2CLR_OK)
            status = s2clr_error_set(w[i].status, "%s", w[i].text);
        runs += w[i].runs;
        s2clr_session_free(w[i].session);
        free(w[i].y);
    }
    j->patches = (double)(runs * j->batch) / took;
    return status;
}

static s2clr_status infer(job *j)
{
    const s2clr_backend *be;
    s2clr_device *device;
    s2clr_plan *plan = NULL;
    S2CLR_TRY(s2clr_device_select(j->device, j->precision, &be, &device));
    float *const x = noise(floats_of(j, j->batch));
    s2clr_status status = x ? S2CLR_OK : out_of_memory();
    if (status == S2CLR_OK)
        status = s2clr_plan_new(j->net, j->params, be, device, S2CLR_OUTPUT_LOGITS, j->batch,
                                j->side, j->side, &plan);
    for (size_t i = 0; i < 2 && status == S2CLR_OK; i++)
        snprintf(j->kernels[i], sizeof j->kernels[i], "%s", s2clr_plan_kernel(plan, i));
    if (status == S2CLR_OK) status = time_sessions(j, plan, x);
    s2clr_plan_free(plan);
    free(x);
    be->device_close(device);
    return status;
}

/* ---- training ---- */

static s2clr_status time_steps(job *j, s2clr_step *step, const float *x, float *out, float *dparams)
{
    const double begin = now();
    long steps = -1; /* the first warms */
    double from = begin;
    for (; steps < 1 || now() - from < j->seconds; steps++) {
        S2CLR_TRY(s2clr_step_forward(step, j->params, x, out));
        S2CLR_TRY(s2clr_step_backward(step, j->params, out, dparams));
        if (steps < 0) from = now();
    }
    j->views = (double)(steps * j->batch) / (now() - from);
    return S2CLR_OK;
}

static s2clr_status train(job *j)
{
    const s2clr_step_options o = {.output = S2CLR_OUTPUT_PROJECTION,
                                  .batch = j->batch,
                                  .micro = j->batch,
                                  .h = j->side,
                                  .w = j->side};
    const s2clr_backend *be;
    s2clr_device *device;
    s2clr_pool *pool = NULL;
    s2clr_step *step = NULL;
    S2CLR_TRY(s2clr_device_select(j->device, j->precision, &be, &device));
    float *const x = noise(floats_of(j, j->batch));
    float *const out = calloc((size_t)j->batch * PROJECTED, sizeof *out);
    float *const dparams = calloc(s2clr_net_trainable_count(j->net), sizeof *dparams);
    s2clr_status status = x && out && dparams ? S2CLR_OK : out_of_memory();
    if (status == S2CLR_OK) status = s2clr_pool_new(1, &pool);
    if (status == S2CLR_OK) status = s2clr_step_new(j->net, be, device, pool, &o, &step);
    if (status == S2CLR_OK) j->bytes = s2clr_step_bytes(step);
    if (status == S2CLR_OK) status = time_steps(j, step, x, out, dparams);
    s2clr_step_free(step);
    s2clr_pool_free(pool);
    free(x);
    free(out);
    free(dparams);
    be->device_close(device);
    return status;
}

static s2clr_status run(job *j)
{
    s2clr_arch arch = {
        .channels = BANDS, .outputs = OUTPUTS, .projections = 1, .projection = {PROJECTED}};
    snprintf(arch.name, sizeof arch.name, "%s", j->network);
    S2CLR_TRY(s2clr_net_new(&arch, &j->net));
    j->params = malloc(s2clr_net_param_count(j->net) * sizeof(float));
    if (!j->params) return out_of_memory();
    S2CLR_TRY(s2clr_net_init(j->net, 1, j->params));
    S2CLR_TRY(compare(j));
    S2CLR_TRY(infer(j));
    return j->precision == S2CLR_FP16 ? S2CLR_OK : train(j);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: gpu_rates DEVICE NETWORK PRECISION SIDE BATCH SECONDS\n", stderr);
        return 2;
    }
    job j = {.device = argv[1],
             .network = argv[2],
             .side = atoi(argv[4]),
             .batch = atoi(argv[5]),
             .seconds = atof(argv[6])};
    s2clr_status status = s2clr_precision_parse(argv[3], &j.precision);
    if (status == S2CLR_OK) status = run(&j);
    if (status == S2CLR_OK)
        printf("{\"network\": \"%s\", \"precision\": \"%s\", \"side\": %d, \"batch\": %d, "
               "\"patches_per_s\": %.1f, \"views_per_s\": %.1f, \"training_bytes\": %zu, "
               "\"apart\": %.3g, \"kernels\": [\"%s\", \"%s\"]}\n",
               j.network, argv[3], j.side, j.batch, j.patches, j.views, j.bytes, j.apart,
               j.kernels[0], j.kernels[1]);
    else
        fprintf(stderr, "gpu_rates: %s %s: %s\n", j.network, argv[3], s2clr_error_text());
    s2clr_net_free(j.net);
    free(j.params);
    return status == S2CLR_OK ? 0 : 1;
}
