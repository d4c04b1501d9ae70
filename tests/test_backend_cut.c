/*
 * Windows cut on the device, on every backend that cuts: bit for bit what upload() makes of the
 * same windows cut pixel by pixel here; and a network run over them is the network's own run.
 */
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "net/infer.h"

typedef struct windows {
    int64_t columns, rows;
    s2clr_shape to;
    const int64_t (*at)[2];
} windows;

/* One device that cuts. */
typedef struct place {
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_stream *stream;
} place;

static float *made_up(size_t count)
{
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = s2clr_random_normal(7, 1, i);
    return values;
}

static size_t floats(s2clr_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* The definition. */
static float *cut_here(const windows *w, const float *planes)
{
    float *out = malloc(floats(w->to) * sizeof *out), *next = out;
    for (int n = 0; n < w->to.n; n++)
        for (int c = 0; c < w->to.c; c++)
            for (int64_t y = w->at[n][1]; y < w->at[n][1] + w->to.h; y++)
                for (int64_t x = w->at[n][0]; x < w->at[n][0] + w->to.w; x++) {
                    const bool there = y >= 0 && y < w->rows && x >= 0 && x < w->columns;
                    *next++ = there ? planes[(c * w->rows + y) * w->columns + x] : 0;
                }
    return out;
}

static void everywhere(void (*check)(const place *p))
{
    const s2clr_backend_entry *list;
    const size_t count = s2clr_backend_list(&list);
    int checked = 0;
    for (size_t b = 0; b < count; b++)
        for (int precision = 0; precision < S2CLR_PRECISIONS; precision++) {
            place p = {.backend = list[b].backend};
            if (!p.backend || !p.backend->cutting) continue;
            if (p.backend->device_open("", (s2clr_precision)precision, &p.device) != S2CLR_OK)
                continue;
            TEST_OK(p.backend->stream_new(p.device, 0, &p.stream));
            CU_ASSERT_PTR_NOT_NULL_FATAL(p.stream);
            check(&p);
            p.backend->stream_free(p.stream);
            p.backend->device_close(p.device);
            checked++;
        }
    CU_ASSERT(checked >= 2); /* portable, f32 and bf16 */
}

/* ---- windows ---- */

static void compare(const place *p, const windows *w)
{
    const s2clr_backend *const be = p->backend;
    const size_t count = floats(w->to);
    const size_t bytes = (size_t)(w->to.c * w->columns * w->rows) * sizeof(float);
    float *planes = made_up(bytes / sizeof(float)), *wanted = cut_here(w, planes);
    float *got = malloc(count * sizeof *got), *device_planes = NULL;
    void *native = NULL;
    size_t tensor;
    TEST_OK(be->tensor_bytes(p->device, w->to, &tensor));
    TEST_OK(be->buffer_new(p->device, tensor, &native));
    TEST_OK(be->buffer_new(p->device, bytes, (void **)&device_planes));
    TEST_OK(be->upload(p->stream, w->to, wanted, native));
    TEST_OK(be->download(p->stream, w->to, native, wanted)); /* rounded as the device does */
    const s2clr_backend_cut cut = {
        .columns = w->columns, .rows = w->rows, .at = w->at, .to = w->to};
    TEST_OK(be->cutting->raw_upload(p->stream, planes, bytes, device_planes));
    memset(planes, 0, bytes); /* has been read */
    TEST_OK(be->cutting->cut(p->stream, &cut, device_planes, native));
    memset(got, 0xff, count * sizeof *got);
    TEST_OK(be->download(p->stream, w->to, native, got));
    if (memcmp(got, wanted, count * sizeof *got) != 0) {
        char text[120];
        snprintf(text, sizeof text, "%s, %s: %d windows of %d x %d, %d bands differ", be->name,
                 s2clr_precision_name(be->device_precision(p->device)), w->to.n, w->to.h, w->to.w,
                 w->to.c);
        CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
    }
    be->buffer_free(p->device, native);
    be->buffer_free(p->device, device_planes);
    free(planes), free(wanted), free(got);
}

/* Inside, over each side and corner, larger than the planes, beside them, and nowhere at all. */
static void check_places(const place *p)
{
    static const int64_t at[][2] = {{0, 0},   {12, 9},   {31, 23},  {-3, 5},   {5, -4},
                                    {36, 4},  {8, 28},   {-2, 0},   {-8, -11}, {40, 30},
                                    {39, 29}, {-7, 12},  {40, -10}, {-3, 29},  {9, 0},
                                    {1, 1},   {100, 15}, {15, 100}, {-50, 0},  {INT64_MIN / 2, 7}};
    static const s2clr_shape shapes[] = {{1, 1, 1, 1},    {3, 3, 7, 9},   {6, 8, 8, 8},
                                         {20, 10, 11, 8}, {5, 13, 1, 40}, {4, 17, 60, 50}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const windows w = {.columns = 40, .rows = 30, .to = shapes[i], .at = at};
        compare(p, &w);
    }
}

static void places(void)
{
    everywhere(check_places);
}

/* More than go into one launch of a device's kernel. */
static void check_many(const place *p)
{
    static int64_t at[300][2];
    for (int i = 0; i < 300; i++) {
        at[i][0] = (int64_t)(s2clr_random_uniform(1, 2, (uint64_t)i) * 90) - 10;
        at[i][1] = (int64_t)(s2clr_random_uniform(1, 3, (uint64_t)i) * 40) - 10;
    }
    compare(p, &(windows){.columns = 77, .rows = 31, .to = {300, 3, 5, 6}, .at = at});
    compare(p, &(windows){.columns = 77, .rows = 31, .to = {128, 4, 6, 5}, .at = at});
}

static void many(void)
{
    everywhere(check_many);
}

static void check_refusals(const place *p)
{
    const int64_t at[1][2] = {{0, 0}};
    float planes = 0, native = 0;
    s2clr_backend_cut cut = {.columns = 0, .rows = 1, .at = at, .to = {1, 1, 1, 1}};
    CU_ASSERT_EQUAL(p->backend->cutting->cut(p->stream, &cut, &planes, &native),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("from planes of 1 x 0");
    cut = (s2clr_backend_cut){.columns = 1, .rows = 1, .to = {1, 1, 1, 1}};
    CU_ASSERT_EQUAL(p->backend->cutting->cut(p->stream, &cut, &planes, &native),
                    S2CLR_ERR_ARGUMENT);
}

static void refusals(void)
{
    everywhere(check_refusals);
}

/* ---- a network over a strip ---- */

enum { BANDS = 3, SIDE = 24, UNIT = 5, THREADS = 2, RUNS = 3 };

static const int64_t unit_at[UNIT][2] = {{0, 0}, {10, 3}, {-9, 20}, {30, 25}, {17, 9}};

typedef struct runner {
    const s2clr_plan *plan;
    const s2clr_strip *strip;
    float y[RUNS][UNIT];
    s2clr_status status;
} runner;

static void *run_often(void *context)
{
    runner *const r = context;
    s2clr_session *session = NULL;
    r->status = s2clr_session_new(r->plan, &session);
    for (int i = 0; i < RUNS && r->status == S2CLR_OK; i++)
        r->status = s2clr_session_run_cut(session, r->strip, unit_at, r->y[i]);
    s2clr_session_free(session);
    return NULL;
}

/* Two threads at once, each with a session, over one strip. */
static void check_runs(const s2clr_plan *plan, const s2clr_strip *strip, const float *wanted)
{
    runner runners[THREADS];
    pthread_t thread[THREADS];
    for (int t = 0; t < THREADS; t++) {
        runners[t] = (runner){.plan = plan, .strip = strip};
        CU_ASSERT_EQUAL(pthread_create(&thread[t], NULL, run_often, &runners[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        pthread_join(thread[t], NULL);
        TEST_OK(runners[t].status);
        for (int i = 0; i < RUNS; i++)
            CU_ASSERT_EQUAL(memcmp(runners[t].y[i], wanted, UNIT * sizeof *wanted), 0);
    }
}

static void check_sizes(const s2clr_plan *plan, s2clr_strip *strip)
{
    static const int64_t sizes[][2] = {{40, 30}, {90, 70}, {31, 9}, {90, 70}};
    s2clr_session *session = NULL;
    float wanted[UNIT];
    TEST_OK(s2clr_session_new(plan, &session));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const windows w = {sizes[i][0], sizes[i][1], s2clr_plan_input(plan), unit_at};
        float *planes = made_up((size_t)(BANDS * w.columns * w.rows)), *x = cut_here(&w, planes);
        TEST_OK(s2clr_session_run(session, x, wanted));
        CU_ASSERT(wanted[0] != wanted[1]);
        if (i == 3) s2clr_strip_empty(strip);
        TEST_OK(s2clr_strip_fill(strip, w.columns, w.rows, planes));
        CU_ASSERT_EQUAL(s2clr_strip_bytes(plan, w.columns, w.rows),
                        (size_t)(BANDS * w.columns * w.rows) * sizeof(float));
        free(planes);
        check_runs(plan, strip, wanted);
        free(x);
    }
    s2clr_session_free(session);
}

static void check_strip(const place *p)
{
    const s2clr_arch arch = {.name = "resnet18", .channels = BANDS, .outputs = 1, .width = 4};
    s2clr_net *net = NULL;
    s2clr_plan *plan = NULL;
    s2clr_strip *strip = NULL;
    float *params = NULL, y[UNIT];
    s2clr_session *session = NULL;
    TEST_OK(s2clr_net_new(&arch, &net));
    TEST_OK(s2clr_alloc(s2clr_net_param_count(net), sizeof *params, "test", (void **)&params));
    TEST_OK(s2clr_net_init(net, 5, params));
    TEST_OK(s2clr_plan_new(net, params, p->backend, p->device, S2CLR_OUTPUT_LOGITS, UNIT, SIDE,
                           SIDE, &plan));
    CU_ASSERT(s2clr_plan_cuts(plan));
    TEST_OK(s2clr_strip_new(plan, &strip));
    TEST_OK(s2clr_session_new(plan, &session));
    CU_ASSERT_EQUAL(s2clr_session_run_cut(session, strip, unit_at, y), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("planes of 0 x 0"); /* nothing was filled in */
    s2clr_session_free(session);
    check_sizes(plan, strip);
    s2clr_strip_free(strip);
    s2clr_plan_free(plan);
    s2clr_net_free(net);
    s2clr_free(params);
}

static void strips(void)
{
    everywhere(check_strip);
}

static const test_case cases[] = {
    {"places", places},
    {"many windows", many},
    {"refusals", refusals},
    {"strips", strips},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("backend_cut", cases, argc, argv);
}
