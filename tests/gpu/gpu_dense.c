#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gpu_job.h"

enum { WINDOWS = 4 /* of a strip, side by side */ };

/* The whole strip up, then windows of it. */
static s2clr_status time_strip(gpu_job *j, const gpu_plan *p, int side, double *rate)
{
    const int64_t columns = (int64_t)side * WINDOWS, at[1][2] = {{side, 0}};
    s2clr_strip *strip;
    float *planes = NULL;
    S2CLR_TRY(s2clr_strip_new(p->plan, &strip));
    s2clr_status status = gpu_noise((size_t)columns * (size_t)side * GPU_BANDS, &planes);
    if (status == S2CLR_OK) status = s2clr_strip_fill(strip, columns, side, planes);
    if (status == S2CLR_OK) status = gpu_plan_rate(p, j->amount, NULL, strip, at, rate);
    s2clr_strip_free(strip);
    free(planes);
    return status;
}

static s2clr_status time_windows(gpu_job *j, const gpu_plan *p, int side, double *rate)
{
    float *x = NULL;
    S2CLR_TRY(gpu_noise((size_t)side * (size_t)side * GPU_BANDS, &x));
    const s2clr_status status = gpu_plan_rate(p, j->amount, x, NULL, NULL, rate);
    free(x);
    return status;
}

s2clr_status gpu_dense(gpu_job *j)
{
    s2clr_arch arch = {.channels = GPU_BANDS, .outputs = 1};
    gpu_plan p;
    double rate = 0;
    snprintf(arch.name, sizeof arch.name, "%s", j->network);
    S2CLR_TRY(gpu_net(j, &arch));
    const int step = s2clr_net_step(j->net);
    if (step == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s has no local logits; dense has", j->network);
    const int side = s2clr_net_field(j->net) + (j->side - 1) * step;
    S2CLR_TRY(gpu_plan_open(j, S2CLR_OUTPUT_LOCAL, 1, side, &p));
    const bool cuts = s2clr_plan_cuts(p.plan);
    const s2clr_status status =
        cuts ? time_strip(j, &p, side, &rate) : time_windows(j, &p, side, &rate);
    gpu_plan_close(&p);
    gpu_say(j, "\"cut\": %s", cuts ? "true" : "false");
    gpu_say(j, "\"mpix_per_s\": %.4g", rate * pow((double)j->side * step, 2) / 1e6);
    return status;
}
