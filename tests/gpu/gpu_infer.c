#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_job.h"

enum { COMPARED = 4, STRIDE = 10 };

/* By much more than rounding adds up to in fifty layers, by much less than an error would. */
static const double limits[S2CLR_PRECISIONS] = {
    [S2CLR_F32] = 1e-4, [S2CLR_TF32] = 1e-2, [S2CLR_BF16] = 5e-2, [S2CLR_FP16] = 1e-2};

/* The first runs launch plainly, later ones may replay what was recorded: the same bytes. */
static s2clr_status run_again(s2clr_session *session, const float *x, const float *logits)
{
    float again[COMPARED * GPU_OUTPUTS];
    for (int i = 0; i < 4; i++) {
        S2CLR_TRY(s2clr_session_run(session, x, again));
        if (memcmp(again, logits, sizeof again) != 0)
            return s2clr_error_set(S2CLR_ERR_BACKEND, "run %d gives other logits than the first",
                                   i + 2);
    }
    return S2CLR_OK;
}

static s2clr_status logits_of(const gpu_job *j, const float *x, float *logits)
{
    gpu_plan p;
    s2clr_session *session = NULL;
    S2CLR_TRY(gpu_plan_open(j, S2CLR_OUTPUT_LOGITS, COMPARED, j->side, &p));
    s2clr_status status = s2clr_session_new(p.plan, &session);
    if (status == S2CLR_OK) status = s2clr_session_run(session, x, logits);
    if (status == S2CLR_OK && strcmp(j->device, "portable") != 0)
        status = run_again(session, x, logits);
    s2clr_session_free(session);
    gpu_plan_close(&p);
    return status;
}

static s2clr_status compare(gpu_job *j)
{
    gpu_job exact = *j;
    float got[COMPARED * GPU_OUTPUTS], wanted[COMPARED * GPU_OUTPUTS], *x = NULL;
    exact.device = "portable";
    exact.precision = S2CLR_F32;
    S2CLR_TRY(gpu_noise(gpu_floats(j, COMPARED), &x));
    s2clr_status status = logits_of(j, x, got);
    if (status == S2CLR_OK) status = logits_of(&exact, x, wanted);
    free(x);
    if (status != S2CLR_OK) return status;
    double apart = 0, size = 0;
    for (int i = 0; i < COMPARED * GPU_OUTPUTS; i++) {
        apart += pow((double)got[i] - (double)wanted[i], 2);
        size += pow((double)wanted[i], 2);
    }
    apart = sqrt(apart / size);
    gpu_say(j, "\"apart\": %.3g", apart);
    if (apart <= limits[j->precision]) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND, "the logits are %.3g of their norm apart, at most %g",
                           apart, limits[j->precision]);
}

/* From the host's floats. */
static s2clr_status time_plan(gpu_job *j, const gpu_plan *p)
{
    float *x = NULL;
    double rate;
    S2CLR_TRY(gpu_noise(gpu_floats(j, j->batch), &x));
    const s2clr_status status = gpu_plan_rate(p, j->amount, x, NULL, NULL, &rate);
    free(x);
    if (status == S2CLR_OK) gpu_say(j, "\"patches_per_s\": %.1f", rate * j->batch);
    return status;
}

/* From pixels that are on the device: patches side by side, STRIDE apart. */
static s2clr_status time_cut(gpu_job *j, const gpu_plan *p)
{
    const int64_t columns = (int64_t)STRIDE * (j->batch - 1) + j->side;
    int64_t(*const at)[2] = calloc((size_t)j->batch, sizeof *at);
    s2clr_strip *strip = NULL;
    float *planes = NULL;
    double rate;
    if (!at) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the patches");
    for (int i = 0; i < j->batch; i++) at[i][0] = (int64_t)STRIDE * i;
    s2clr_status status = gpu_noise((size_t)columns * (size_t)j->side * GPU_BANDS, &planes);
    if (status == S2CLR_OK) status = s2clr_strip_new(p->plan, &strip);
    if (status == S2CLR_OK) status = s2clr_strip_fill(strip, columns, j->side, planes);
    if (status == S2CLR_OK)
        status = gpu_plan_rate(p, j->amount, NULL, strip, (const int64_t(*)[2])at, &rate);
    s2clr_strip_free(strip);
    free(planes);
    free(at);
    if (status == S2CLR_OK) gpu_say(j, "\"cut_patches_per_s\": %.1f", rate * j->batch);
    return status;
}

static s2clr_status time_both(gpu_job *j, const gpu_plan *p)
{
    S2CLR_TRY(time_plan(j, p));
    if (s2clr_plan_cuts(p->plan)) S2CLR_TRY(time_cut(j, p));
    gpu_say(j, "\"kernels\": [\"%s\", \"%s\"]", s2clr_plan_kernel(p->plan, 0),
            s2clr_plan_kernel(p->plan, 1));
    return S2CLR_OK;
}

s2clr_status gpu_infer(gpu_job *j)
{
    s2clr_arch arch = {.channels = GPU_BANDS, .outputs = GPU_OUTPUTS};
    gpu_plan p;
    snprintf(arch.name, sizeof arch.name, "%s", j->network);
    S2CLR_TRY(gpu_net(j, &arch));
    S2CLR_TRY(compare(j));
    S2CLR_TRY(gpu_plan_open(j, S2CLR_OUTPUT_LOGITS, j->batch, j->side, &p));
    const s2clr_status status = time_both(j, &p);
    gpu_plan_close(&p);
    return status;
}
