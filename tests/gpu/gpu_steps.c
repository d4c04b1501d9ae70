/* Training steps of contrastive pretraining, and its loss alone. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/philox.h"
#include "gpu_job.h"
#include "train/contrast.h"
#include "train/ntxent.h"

static const double temperature = 0.1;

typedef struct training {
    s2clr_machine on;
    s2clr_learner *learner;
    s2clr_contrast *contrast;
    float *moments, *views; // (2, weights), (batch, C, H, W)
} training;

/* The views are there already: what they are made of is not measured here. */
static s2clr_status fill(void *context, size_t first, size_t count, float *x)
{
    (void)context, (void)first, (void)count, (void)x;
    return S2CLR_OK;
}

static const char *name(void *context, size_t patch)
{
    (void)context, (void)patch;
    return "a patch of noise";
}

static s2clr_status open_training(const gpu_job *j, training *t)
{
    const s2clr_contrast_options options = {.net = j->net,
                                            .batch = j->batch / 2,
                                            .chunk = j->batch / 2,
                                            .micro = j->batch / 2,
                                            .size = j->side,
                                            .temperature = temperature,
                                            .views = t->views};
    s2clr_learner_options learner = {.net = j->net,
                                     .step = s2clr_contrast_step(&options),
                                     .parts = s2clr_contrast_parts(&options),
                                     .numbers = s2clr_optimiser_defaults(),
                                     .params = j->params,
                                     .moments = t->moments};
    S2CLR_TRY(s2clr_optimiser_find("adamw", &learner.optimiser));
    S2CLR_TRY(s2clr_learner_new(&learner, &t->on, &t->learner));
    S2CLR_TRY(s2clr_learner_load(t->learner));
    return s2clr_contrast_new(&options, t->learner, &t->on, &t->contrast);
}

/* The first three choose kernels and record launches. */
static s2clr_status time_steps(gpu_job *j, training *t)
{
    const s2clr_contrast_source source = {.fill = fill, .name = name};
    double from = gpu_now(), loss = NAN;
    long steps = -3;
    for (; steps < 1 || gpu_now() - from < j->amount; steps++) {
        if (steps == 0) from = gpu_now();
        S2CLR_TRY(s2clr_contrast_run(t->contrast, NULL, &source, &loss));
        S2CLR_TRY(s2clr_learner_update(t->learner, 1e-4, (uint64_t)(steps + 4)));
    }
    S2CLR_TRY(s2clr_learner_fetch(t->learner)); /* waits for what is queued */
    gpu_say(j, "\"views_per_s\": %.1f", (double)(steps * j->batch) / (gpu_now() - from));
    gpu_say(j, "\"loss\": %.4f", loss);
    if (isfinite(loss)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND, "the loss is not a number after %ld steps", steps);
}

s2clr_status gpu_steps(gpu_job *j)
{
    s2clr_arch arch = {.channels = GPU_BANDS, .projections = 3, .projection = {1024, 512, 128}};
    training t = {0};
    snprintf(arch.name, sizeof arch.name, "%s", j->network);
    S2CLR_TRY(gpu_net(j, &arch));
    t.moments = calloc(2 * s2clr_net_trainable_count(j->net), sizeof *t.moments);
    s2clr_status status = t.moments ? gpu_noise(gpu_floats(j, j->batch), &t.views)
                                    : s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for moments");
    if (status == S2CLR_OK) status = s2clr_pool_new(1, &t.on.pool);
    if (status == S2CLR_OK) status = s2clr_machine_open(j->device, j->precision, &t.on);
    if (status == S2CLR_OK) status = open_training(j, &t);
    if (status == S2CLR_OK) status = time_steps(j, &t);
    s2clr_contrast_free(t.contrast);
    s2clr_learner_free(t.learner);
    s2clr_machine_close(&t.on);
    s2clr_pool_free(t.on.pool);
    free(t.moments);
    free(t.views);
    return status;
}

/* ---- the loss alone ---- */

enum { NUMBERS = 128 };

static s2clr_status time_loss(gpu_job *j, s2clr_ntxent_loss *loss, const float *z, float *dz)
{
    double value = NAN, from = gpu_now();
    long runs = -2;
    for (; runs < 1 || gpu_now() - from < j->amount; runs++) {
        if (runs == 0) from = gpu_now();
        S2CLR_TRY(s2clr_ntxent_run(loss, z, NULL, temperature, &value, dz));
    }
    gpu_say(j, "\"seconds\": %.5f, \"loss\": %.4f", (gpu_now() - from) / (double)runs, value);
    return S2CLR_OK;
}

s2clr_status gpu_contrast(gpu_job *j)
{
    const size_t n = (size_t)j->batch, count = 2 * n * NUMBERS;
    s2clr_machine on = {0};
    s2clr_ntxent_loss *loss = NULL;
    float *z = NULL, *const dz = malloc(count * sizeof *dz);
    size_t bytes = 0;
    s2clr_status status =
        dz ? gpu_noise(count, &z) : s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for embeddings");
    if (status == S2CLR_OK) status = s2clr_machine_open(j->device, j->precision, &on);
    if (status == S2CLR_OK) status = s2clr_ntxent_device_needs(&on, n, NUMBERS, &bytes);
    if (status == S2CLR_OK) status = s2clr_ntxent_new(&on, n, NUMBERS, &loss);
    if (status == S2CLR_OK) status = time_loss(j, loss, z, dz);
    if (status == S2CLR_OK) gpu_say(j, "\"device_bytes\": %zu", bytes);
    s2clr_ntxent_free(loss);
    s2clr_machine_close(&on);
    free(z);
    free(dz);
    return status;
}
