/*
 * A whole scene without its files: strips of patches go up and are cut there, answers come back.
 * Every session has a strip of its own, so that one goes up while the other is computed. All strips
 * hold the same noise: what a pixel says does not matter here.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu_job.h"

enum { STRIDE = 10, STRIP_ROWS = 48 /* of patches */ };

typedef struct scene {
    gpu_plan plan;
    const float *planes;  // (GPU_BANDS, rows of a strip, columns)
    int n, side;          /* patches of a run, pixels of one */
    int64_t pixels;       /* along a side */
    int64_t across;       /* patches along a side */
    int64_t strips, next; /* next: that nobody has taken */
    pthread_mutex_t lock;
} scene;

typedef struct worker {
    scene *of;
    s2clr_session *session;
    s2clr_strip *strip;
    int64_t (*at)[2]; // (n)
    float *y;         // (n, GPU_OUTPUTS)
    int64_t done;     /* patches */
    double sum;       /* of all answers */
    s2clr_status status;
    char text[600];
} worker;

/* Rows of patches of a strip; the last has what is left. */
static int64_t strip_rows(const scene *s, int64_t strip)
{
    const int64_t left = s->across - strip * STRIP_ROWS;
    return left < STRIP_ROWS ? left : STRIP_ROWS;
}

static int64_t pixel_rows(const scene *s, int64_t rows)
{
    return (rows - 1) * STRIDE + s->side;
}

static int64_t take(scene *s)
{
    pthread_mutex_lock(&s->lock);
    const int64_t strip = s->next < s->strips ? s->next++ : -1;
    pthread_mutex_unlock(&s->lock);
    return strip;
}

/* Runs of n patches; the last repeats its last one. */
static s2clr_status run_strip(worker *w, int64_t rows)
{
    const scene *const s = w->of;
    const int64_t patches = rows * s->across;
    S2CLR_TRY(s2clr_strip_fill(w->strip, s->pixels, pixel_rows(s, rows), s->planes));
    for (int64_t first = 0; first < patches; first += s->n) {
        const int64_t count = patches - first < s->n ? patches - first : s->n;
        for (int64_t i = 0; i < s->n; i++) {
            const int64_t patch = first + (i < count ? i : count - 1);
            w->at[i][0] = patch % s->across * STRIDE;
            w->at[i][1] = patch / s->across * STRIDE;
        }
        S2CLR_TRY(s2clr_session_run_cut(w->session, w->strip, (const int64_t(*)[2])w->at, w->y));
        for (int64_t i = 0; i < count * GPU_OUTPUTS; i++) w->sum += (double)w->y[i];
        w->done += count;
    }
    return S2CLR_OK;
}

static void *work(void *argument)
{
    worker *const w = argument;
    for (int64_t strip; w->status == S2CLR_OK && (strip = take(w->of)) >= 0;)
        w->status = run_strip(w, strip_rows(w->of, strip));
    snprintf(w->text, sizeof w->text, "%s", s2clr_error_text());
    return NULL;
}

/* What is cut there is what would have been brought. */
static s2clr_status check(worker *w)
{
    const scene *const s = w->of;
    const int64_t rows = pixel_rows(s, strip_rows(s, 0));
    const size_t plane = (size_t)s->side * (size_t)s->side;
    float *const x = calloc((size_t)s->n * GPU_BANDS * plane, sizeof *x);
    float *const y = calloc((size_t)s->n * GPU_OUTPUTS, sizeof *y);
    s2clr_status status = x && y ? S2CLR_OK : s2clr_error_set(S2CLR_ERR_MEMORY, "no memory");
    for (int64_t i = 0; i < s->n; i++) w->at[i][0] = i % s->across * STRIDE, w->at[i][1] = 0;
    for (size_t i = 0; status == S2CLR_OK && i < (size_t)s->n * GPU_BANDS; i++)
        for (size_t row = 0; row < (size_t)s->side; row++)
            memcpy(x + i * plane + row * (size_t)s->side,
                   s->planes + ((i % GPU_BANDS) * (size_t)rows + row) * (size_t)s->pixels +
                       w->at[i / GPU_BANDS][0],
                   (size_t)s->side * sizeof *x);
    if (status == S2CLR_OK) status = s2clr_strip_fill(w->strip, s->pixels, rows, s->planes);
    if (status == S2CLR_OK)
        status = s2clr_session_run_cut(w->session, w->strip, (const int64_t(*)[2])w->at, w->y);
    if (status == S2CLR_OK) status = s2clr_session_run(w->session, x, y);
    if (status == S2CLR_OK && memcmp(y, w->y, (size_t)s->n * GPU_OUTPUTS * sizeof *y) != 0)
        status = s2clr_error_set(S2CLR_ERR_BACKEND, "patches cut on the device give other logits");
    free(x);
    free(y);
    return status;
}

static s2clr_status prepare(worker *w)
{
    const scene *const s = w->of;
    w->at = calloc((size_t)s->n, sizeof *w->at);
    w->y = calloc((size_t)s->n * GPU_OUTPUTS, sizeof *w->y);
    if (!w->at || !w->y) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the patches");
    S2CLR_TRY(s2clr_session_new(s->plan.plan, &w->session));
    S2CLR_TRY(s2clr_strip_new(s->plan.plan, &w->strip));
    return check(w);
}

static s2clr_status run_workers(worker *w)
{
    pthread_t thread[GPU_SESSIONS];
    int started = 0;
    while (started < GPU_SESSIONS && pthread_create(&thread[started], NULL, work, &w[started]) == 0)
        started++;
    for (int i = 0; i < started; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < started; i++)
        if (w[i].status != S2CLR_OK) return s2clr_error_set(w[i].status, "%s", w[i].text);
    return started ? S2CLR_OK : s2clr_error_set(S2CLR_ERR_MEMORY, "no thread starts");
}

static s2clr_status time_scene(gpu_job *j, scene *s)
{
    worker w[GPU_SESSIONS];
    s2clr_status status = S2CLR_OK;
    double took = 0, sum = 0;
    int64_t done = 0;
    for (int i = 0; i < GPU_SESSIONS; i++) {
        w[i] = (worker){.of = s};
        if (status == S2CLR_OK) status = prepare(&w[i]);
    }
    if (status == S2CLR_OK) {
        const double begin = gpu_now();
        status = run_workers(w);
        took = gpu_now() - begin;
    }
    for (int i = 0; i < GPU_SESSIONS; i++) {
        done += w[i].done, sum += w[i].sum;
        s2clr_session_free(w[i].session);
        s2clr_strip_free(w[i].strip);
        free(w[i].at);
        free(w[i].y);
    }
    if (status != S2CLR_OK) return status;
    if (!(sum == sum)) return s2clr_error_set(S2CLR_ERR_BACKEND, "there are NaN in the answers");
    gpu_say(j, "\"pixels\": %lld, \"stride\": %d, \"patches\": %lld, \"seconds\": %.2f",
            (long long)s->pixels, STRIDE, (long long)done, took);
    return S2CLR_OK;
}

s2clr_status gpu_scene(gpu_job *j)
{
    s2clr_arch arch = {.channels = GPU_BANDS, .outputs = GPU_OUTPUTS};
    scene s = {.n = j->batch, .side = j->side, .pixels = (int64_t)j->amount};
    float *planes = NULL;
    snprintf(arch.name, sizeof arch.name, "%s", j->network);
    s.across = (s.pixels - s.side) / STRIDE + 1;
    s.strips = (s.across + STRIP_ROWS - 1) / STRIP_ROWS;
    if (s.pixels < s.side)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "a scene of %lld pixels, patches of %d",
                               (long long)s.pixels, s.side);
    S2CLR_TRY(gpu_net(j, &arch));
    S2CLR_TRY(gpu_plan_open(j, S2CLR_OUTPUT_LOGITS, s.n, s.side, &s.plan));
    s2clr_status status = S2CLR_OK;
    if (!s2clr_plan_cuts(s.plan.plan))
        status = s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "%s does not cut patches", j->device);
    const size_t rows = (size_t)pixel_rows(&s, strip_rows(&s, 0));
    if (status == S2CLR_OK) status = gpu_noise(GPU_BANDS * rows * (size_t)s.pixels, &planes);
    s.planes = planes;
    pthread_mutex_init(&s.lock, NULL);
    if (status == S2CLR_OK) status = time_scene(j, &s);
    pthread_mutex_destroy(&s.lock);
    free(planes);
    gpu_plan_close(&s.plan);
    return status;
}
