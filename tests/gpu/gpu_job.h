/*
 * What the measurements of gpu_rates.c share: the network, the device that runs it, and a plan kept
 * busy for some seconds.
 *
 *     static s2clr_status infer(gpu_job *j) // a line of the table there
 *     {
 *         ... gpu_say(j, "\"patches_per_s\": %.1f", rate);
 *     }
 */
#ifndef S2CLR_TESTS_GPU_JOB_H
#define S2CLR_TESTS_GPU_JOB_H

#include "net/infer.h"

enum { GPU_BANDS = 12, GPU_OUTPUTS = 10, GPU_SESSIONS = 2 };

typedef struct gpu_job {
    const char *device, *network;
    s2clr_precision precision;
    int side, batch; /* of a patch, pixels; patches or views */
    double amount;   /* seconds, or what the measurement says */
    s2clr_net *net;
    float *params;
    char said[1500]; /* members of the line of JSON */
} gpu_job;

/* Adds a member to the line, format and all. */
void gpu_say(gpu_job *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

double gpu_now(void);                              /* seconds */
s2clr_status gpu_noise(size_t count, float **out); /* in [-1, 1); free() */
size_t gpu_floats(const gpu_job *j, int batch);    /* of so many patches */

/* Makes j->net and its weights. */
s2clr_status gpu_net(gpu_job *j, const s2clr_arch *arch);

typedef struct gpu_plan {
    const s2clr_backend *be;
    s2clr_device *device;
    s2clr_plan *plan;
} gpu_plan;

s2clr_status gpu_plan_open(const gpu_job *j, s2clr_output output, int n, int side, gpu_plan *out);
void gpu_plan_close(gpu_plan *p); /* all NULL: nothing */

/* Runs per second of GPU_SESSIONS sessions, a thread each: of x, or, x being NULL, of the windows
 * `at` of a strip. */
s2clr_status gpu_plan_rate(const gpu_plan *p, double seconds, const float *x,
                           const s2clr_strip *strip, const int64_t (*at)[2], double *rate);

/* ---- the measurements: each in a file of its own ---- */

/* patches_per_s, from the host's floats to the host's floats, and cut_patches_per_s, from pixels on
 * the device; the distance of the logits from those of the portable backend, relative to their
 * norm, which fails when it is more than the precision explains; kernels of the first two ops. */
s2clr_status gpu_infer(gpu_job *j);

/* views_per_s of whole contrastive steps: forward, loss, backward, update; `batch` views. */
s2clr_status gpu_steps(gpu_job *j);

/* mpix_per_s of local logits: one window at once, as predict computes them; `side` is the positions
 * along a window, 64 there. */
s2clr_status gpu_dense(gpu_job *j);

/* seconds for all patches of a square scene at stride 10, `batch` at once, from normalised pixels
 * on the host to logits on the host; `amount` is the scene's side in pixels. */
s2clr_status gpu_scene(gpu_job *j);

/* seconds of the contrastive loss and its gradient, of `batch` patches and 128 numbers. */
s2clr_status gpu_contrast(gpu_job *j);

#endif
