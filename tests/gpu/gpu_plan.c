#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backend/device_select.h"
#include "gpu_job.h"

double gpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

s2clr_status gpu_plan_open(const gpu_job *j, s2clr_output output, int n, int side, gpu_plan *out)
{
    gpu_plan p = {0};
    S2CLR_TRY(s2clr_device_select(j->device, j->precision, &p.be, &p.device));
    const s2clr_status status =
        s2clr_plan_new(j->net, j->params, p.be, p.device, output, n, side, side, &p.plan);
    if (status == S2CLR_OK)
        *out = p;
    else
        gpu_plan_close(&p);
    return status;
}

void gpu_plan_close(gpu_plan *p)
{
    s2clr_plan_free(p->plan);
    if (p->device) p->be->device_close(p->device);
    *p = (gpu_plan){0};
}

typedef struct worker {
    s2clr_session *session;
    const float *x;
    const s2clr_strip *strip;
    const int64_t (*at)[2];
    float *y;
    double end;
    long runs;
    s2clr_status status;
    char text[600];
} worker;

static s2clr_status run_once(const worker *w)
{
    return w->x ? s2clr_session_run(w->session, w->x, w->y)
                : s2clr_session_run_cut(w->session, w->strip, w->at, w->y);
}

static void *run_until(void *argument)
{
    worker *const w = argument;
    while (w->status == S2CLR_OK && gpu_now() < w->end) {
        w->status = run_once(w);
        w->runs++;
    }
    snprintf(w->text, sizeof w->text, "%s", s2clr_error_text());
    return NULL;
}

/* The first runs choose kernels and record launches. */
static s2clr_status prepare(const gpu_plan *p, worker *w)
{
    const s2clr_shape y = s2clr_plan_output(p->plan);
    w->y = malloc((size_t)y.n * (size_t)y.c * (size_t)y.h * (size_t)y.w * sizeof *w->y);
    if (!w->y) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the output");
    S2CLR_TRY(s2clr_session_new(p->plan, &w->session));
    for (int i = 0; i < 4; i++) S2CLR_TRY(run_once(w));
    return S2CLR_OK;
}

static s2clr_status run_all(worker *w, double seconds, double *rate)
{
    pthread_t thread[GPU_SESSIONS];
    int started = 0;
    long runs = 0;
    const double begin = gpu_now();
    for (; started < GPU_SESSIONS; started++) {
        w[started].end = begin + seconds;
        if (pthread_create(&thread[started], NULL, run_until, &w[started]) != 0) break;
    }
    for (int i = 0; i < started; i++) pthread_join(thread[i], NULL);
    const double took = gpu_now() - begin;
    for (int i = 0; i < started; i++) {
        if (w[i].status != S2CLR_OK) return s2clr_error_set(w[i].status, "%s", w[i].text);
        runs += w[i].runs;
    }
    if (started < GPU_SESSIONS) return s2clr_error_set(S2CLR_ERR_MEMORY, "no thread starts");
    *rate = (double)runs / took;
    return S2CLR_OK;
}

s2clr_status gpu_plan_rate(const gpu_plan *p, double seconds, const float *x,
                           const s2clr_strip *strip, const int64_t (*at)[2], double *rate)
{
    worker w[GPU_SESSIONS];
    s2clr_status status = S2CLR_OK;
    for (int i = 0; i < GPU_SESSIONS; i++) {
        w[i] = (worker){.x = x, .strip = strip, .at = at};
        if (status == S2CLR_OK) status = prepare(p, &w[i]);
    }
    if (status == S2CLR_OK) status = run_all(w, seconds, rate);
    for (int i = 0; i < GPU_SESSIONS; i++) {
        s2clr_session_free(w[i].session);
        free(w[i].y);
    }
    return status;
}
