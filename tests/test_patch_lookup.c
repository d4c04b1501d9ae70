/* s2clr_patch's other half: values at given output pixels, and the views that wait for them. */
#include <gdal.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/philox.h"
#include "harness.h"
#include "predict/connection.h"
#include "predict/patch_lookup.h"
#include "predict/view_pool.h"
#include "predict_rig.h"

/* A view of the small scene, opened apart from the pool, and all its pixels. */
typedef struct map {
    char name[1400];
    s2clr_view *view;
    int columns, rows, bands;
    float *whole; // (bands, rows, columns)
} map;

static void map_open(map *m, const char *model, const char *scene, const char *const *options)
{
    s2clr_connection *connection;
    snprintf(m->name, sizeof m->name, "S2CLR:\"%s\":\"%s\"", model, scene);
    TEST_OK(s2clr_connection_parse(m->name, options, &connection));
    TEST_OK(s2clr_view_open(s2clr_connection_settings(connection), &m->view));
    s2clr_connection_free(connection);
    const s2clr_view_info *info = s2clr_view_describe(m->view);
    m->columns = info->columns, m->rows = info->rows, m->bands = info->bands->count;
    const size_t pixels = (size_t)m->columns * (size_t)m->rows;
    m->whole = malloc(pixels * (size_t)m->bands * sizeof *m->whole);
    TEST_OK(s2clr_view_read(m->view, 1, 0, 0, m->columns, m->rows, m->whole, NULL));
}

static void map_close(map *m)
{
    s2clr_view_close(m->view);
    free(m->whole);
}

static const char *const options[] = {"LEVEL=L2A", "DEVICE=portable", "THREADS=1", NULL};

/* What nearest-neighbour resampling of an index raster gives for a window read into a buffer. */
static void coordinates(const int window[4], int columns, int rows, double *x, double *y)
{
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const size_t i = (size_t)r * (size_t)columns + (size_t)c;
            x[i] = window[0] + floor((c + 0.5) * window[2] / columns);
            y[i] = window[1] + floor((r + 0.5) * window[3] / rows);
        }
}

static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static int wrong_pixels(const map *m, int band, size_t count, const double *x, const double *y,
                        const float *out)
{
    const float *plane = m->whole + (size_t)band * (size_t)m->columns * (size_t)m->rows;
    int wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !same(
            out[i],
            plane[(size_t)floor(y[i] + 0.5) * (size_t)m->columns + (size_t)floor(x[i] + 0.5)]);
    return wrong;
}

static int below(uint64_t i, uint32_t what, int limit)
{
    return (int)s2clr_random_below(77, i, what, (uint32_t)limit);
}

/* Windows and decimations as programs ask for them: rows, tiles, thumbnails, enlargements. */
static void windows(const rig_model *model, int tries)
{
    map m = {0};
    map_open(&m, rig_model_make("m.safetensors", model), rig_scene_make("s.tif", &rig_scene_small),
             options);
    const size_t most = 4 * (size_t)m.columns * (size_t)m.rows;
    double *x = malloc(most * sizeof *x), *y = malloc(most * sizeof *y);
    float *out = malloc(most * sizeof *out);
    for (int i = 0; i < tries; i++) {
        const uint64_t n = (uint64_t)i;
        int window[4] = {below(n, 0, m.columns), below(n, 1, m.rows)};
        window[2] = 1 + below(n, 2, m.columns - window[0]);
        window[3] = i % 5 == 0 ? 1 : 1 + below(n, 3, m.rows - window[1]);
        int columns = window[2], rows = window[3];
        if (i % 3 == 1) columns = 1 + below(n, 4, 2 * columns), rows = 1 + below(n, 5, 2 * rows);
        if (i % 7 == 2) { /* exactly an overview's pixels */
            const int f = i % 2 ? 2 : 4;
            window[0] = window[1] = 0;
            window[2] = m.columns / f * f, window[3] = m.rows / f * f;
            columns = window[2] / f, rows = window[3] / f;
        }
        coordinates(window, columns, rows, x, y);
        const s2clr_patch_request request = {.name = m.name,
                                             .band = "probability",
                                             .options = options,
                                             .columns = columns,
                                             .rows = rows,
                                             .x = x,
                                             .y = y};
        TEST_OK(s2clr_patch_lookup(&request, out));
        CU_ASSERT_EQUAL(wrong_pixels(&m, 0, (size_t)columns * (size_t)rows, x, y, out), 0);
    }
    CU_ASSERT_EQUAL(s2clr_view_pool_count(), 1);
    s2clr_view_pool_drop();
    free(x), free(y), free(out);
    map_close(&m);
}

static void dense_windows(void)
{
    windows(&rig_dense, 400);
}

static void resnet_windows(void)
{
    windows(&rig_resnet, 200);
}

/* Unordered, repeated, between pixels: whatever resampling made them. */
static void scattered(void)
{
    enum { COUNT = 3000 };
    static double x[COUNT], y[COUNT];
    static float out[COUNT];
    map m = {0};
    map_open(&m, rig_model_make("m.safetensors", &rig_dense),
             rig_scene_make("s.tif", &rig_scene_small), options);
    for (int i = 0; i < COUNT; i++) {
        x[i] = below((uint64_t)i, 0, m.columns) + (below((uint64_t)i, 2, 9) - 4) * 0.1;
        y[i] = below((uint64_t)i, 1, m.rows) + (below((uint64_t)i, 3, 9) - 4) * 0.1;
    }
    s2clr_patch_request request = {.name = m.name,
                                   .band = "made_up_class",
                                   .options = options,
                                   .columns = 60,
                                   .rows = COUNT / 60,
                                   .x = x,
                                   .y = y};
    TEST_OK(s2clr_patch_lookup(&request, out));
    CU_ASSERT_EQUAL(wrong_pixels(&m, 0, COUNT, x, y, out), 0);
    x[7] = NAN, y[11] = NAN;
    TEST_OK(s2clr_patch_lookup(&request, out));
    CU_ASSERT_TRUE(isnan(out[7]) && isnan(out[11]));
    x[7] = y[11] = 0;
    x[20] = m.columns;
    CU_ASSERT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("outside");
    x[20] = -0.6;
    CU_ASSERT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_ERR_MISMATCH);
    x[20] = INFINITY;
    CU_ASSERT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_ERR_MISMATCH);
    x[20] = 0;
    TEST_OK(s2clr_patch_lookup(&request, out));
    s2clr_view_pool_drop();
    map_close(&m);
}

static void bands(void)
{
    enum { COUNT = 400 };
    static const char *const three[] = {"LEVEL=L2A", "DEVICE=portable", "THREADS=1",
                                        "BANDS=entropy,valid,probability", NULL};
    static double x[COUNT], y[COUNT];
    static float out[COUNT];
    map m = {0};
    map_open(&m, rig_model_make("m.safetensors", &rig_dense),
             rig_scene_make("s.tif", &rig_scene_small), three);
    coordinates((int[4]){3, 5, 20, 20}, 20, 20, x, y);
    static const char *const names[] = {"entropy", "valid", "probability"};
    for (int i = 0; i < 3; i++) {
        s2clr_patch_request request = {.name = m.name,
                                       .band = names[i],
                                       .options = options,
                                       .columns = 20,
                                       .rows = 20,
                                       .x = x,
                                       .y = y};
        TEST_OK(s2clr_patch_lookup(&request, out));
        CU_ASSERT_EQUAL(wrong_pixels(&m, i, COUNT, x, y, out), 0);
        request.options = three; /* BANDS given: the band is picked out of several */
        TEST_OK(s2clr_patch_lookup(&request, out));
        CU_ASSERT_EQUAL(wrong_pixels(&m, i, COUNT, x, y, out), 0);
    }
    s2clr_patch_request request = {.name = m.name,
                                   .band = "entrpy",
                                   .options = three,
                                   .columns = 20,
                                   .rows = 20,
                                   .x = x,
                                   .y = y};
    CU_ASSERT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("entropy");
    request.options = options;
    CU_ASSERT_NOT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_OK);
    request.name = "S2CLR:\"/nowhere/m.safetensors\":\"/nowhere/s.tif\"";
    CU_ASSERT_NOT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_OK);
    TEST_ERROR_SAYS("/nowhere");
    s2clr_view_pool_drop();
    map_close(&m);
}

/* Of a model of several classes a name is needed. */
static void classes(void)
{
    enum { COUNT = 400 };
    static double x[COUNT], y[COUNT];
    static float out[COUNT];
    rig_model rig = rig_dense;
    map m = {0};
    rig.classes = 3;
    map_open(&m, rig_model_make("classes.safetensors", &rig),
             rig_scene_make("classes.tif", &rig_scene_small), options);
    CU_ASSERT_EQUAL(m.bands, 3);
    coordinates((int[4]){3, 5, 20, 20}, 20, 20, x, y);
    s2clr_patch_request request = {.name = m.name,
                                   .band = "class 2",
                                   .options = options,
                                   .columns = 20,
                                   .rows = 20,
                                   .x = x,
                                   .y = y};
    TEST_OK(s2clr_patch_lookup(&request, out));
    CU_ASSERT_EQUAL(wrong_pixels(&m, 1, COUNT, x, y, out), 0);
    request.band = "probability";
    CU_ASSERT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("tells 3 classes apart");
    request.band = NULL;
    CU_ASSERT_EQUAL(s2clr_patch_lookup(&request, out), S2CLR_ERR_ARGUMENT);
    s2clr_view_pool_drop();
    map_close(&m);
}

/* ---- the pool ---- */

static void pool_keeps_and_drops(void)
{
    static const char *const turned[] = {"THREADS=1", "DEVICE=portable", "LEVEL=L2A", NULL};
    char name[1400];
    s2clr_pooled_view *a, *b;
    snprintf(name, sizeof name, "S2CLR:\"%s\":\"%s\"", rig_model_make("m.safetensors", &rig_dense),
             rig_scene_make("s.tif", &rig_scene_small));
    TEST_OK(s2clr_view_pool_take(name, options, &a));
    s2clr_view *first = s2clr_pooled_view_get(a);
    s2clr_view_pool_give(a);
    CU_ASSERT_EQUAL(s2clr_view_pool_count(), 1);
    TEST_OK(s2clr_view_pool_take(name, turned, &a)); /* the same in another order */
    CU_ASSERT_PTR_EQUAL(s2clr_pooled_view_get(a), first);
    TEST_OK(s2clr_view_pool_take(name, options, &b)); /* in use: another one */
    CU_ASSERT_PTR_NOT_EQUAL(s2clr_pooled_view_get(b), first);
    s2clr_view_pool_give(a);
    s2clr_view_pool_give(b);
    CU_ASSERT_EQUAL(s2clr_view_pool_count(), 2);
    CU_ASSERT_EQUAL(s2clr_view_pool_drop(), 2);

    s2clr_pooled_view *many[S2CLR_VIEW_POOL_MAX + 3];
    for (int i = 0; i < S2CLR_VIEW_POOL_MAX + 3; i++)
        TEST_OK(s2clr_view_pool_take(name, options, &many[i]));
    for (int i = 0; i < S2CLR_VIEW_POOL_MAX + 3; i++) s2clr_view_pool_give(many[i]);
    CU_ASSERT_EQUAL(s2clr_view_pool_count(), S2CLR_VIEW_POOL_MAX);
    s2clr_view_pool_hold();
    s2clr_view_pool_hold();
    s2clr_view_pool_release();
    CU_ASSERT_EQUAL(s2clr_view_pool_count(), S2CLR_VIEW_POOL_MAX);
    s2clr_view_pool_release();
    CU_ASSERT_EQUAL(s2clr_view_pool_count(), 0);
}

/* A scene that was replaced must not be answered from an open view of the old one. */
static void pool_sees_changes(void)
{
    char name[1400];
    s2clr_pooled_view *pooled;
    float old, new;
    rig_scene other = rig_scene_small;
    other.width = 500;
    const char *scene = rig_scene_make("s.tif", &rig_scene_small);
    snprintf(name, sizeof name, "S2CLR:\"%s\":\"%s\"", rig_model_make("m.safetensors", &rig_dense),
             scene);
    const double x = 100, y = 40;
    const s2clr_patch_request request = {
        .name = name, .options = options, .columns = 1, .rows = 1, .x = &x, .y = &y};
    TEST_OK(s2clr_patch_lookup(&request, &old));
    unlink(scene);
    rig_scene_make("s.tif", &other);
    TEST_OK(s2clr_view_pool_take(name, options, &pooled));
    CU_ASSERT_EQUAL(s2clr_view_describe(s2clr_pooled_view_get(pooled))->columns, 125);
    s2clr_view_pool_give(pooled);
    TEST_OK(s2clr_patch_lookup(&request, &new));
    CU_ASSERT_FALSE(same(old, new));
    s2clr_view_pool_drop();
}

typedef struct worker {
    const map *m;
    int seed, wrong;
} worker;

static void *work(void *context)
{
    worker *w = context;
    double x[64 * 8], y[64 * 8];
    float out[64 * 8];
    for (int i = 0; i < 40; i++) {
        const uint64_t n = (uint64_t)(1000 * w->seed + i);
        const int window[4] = {below(n, 0, w->m->columns - 64), below(n, 1, w->m->rows - 8), 64, 8};
        coordinates(window, 64, 8, x, y);
        const s2clr_patch_request request = {
            .name = w->m->name, .options = options, .columns = 64, .rows = 8, .x = x, .y = y};
        if (s2clr_patch_lookup(&request, out) == S2CLR_OK)
            w->wrong += wrong_pixels(w->m, 0, 64 * 8, x, y, out);
        else
            w->wrong++;
    }
    return NULL;
}

static void threads(void)
{
    enum { THREADS = 8 };
    pthread_t thread[THREADS];
    worker workers[THREADS];
    map m = {0};
    map_open(&m, rig_model_make("m.safetensors", &rig_dense),
             rig_scene_make("s.tif", &rig_scene_small), options);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){&m, i, 0};
        CU_ASSERT_EQUAL(pthread_create(&thread[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT_EQUAL(workers[i].wrong, 0);
    }
    CU_ASSERT_TRUE(s2clr_view_pool_count() <= THREADS);
    s2clr_view_pool_drop();
    map_close(&m);
}

static const test_case cases[] = {
    {"windows and decimations of a dense model", dense_windows},
    {"windows and decimations of a patch model", resnet_windows},
    {"scattered pixels", scattered},
    {"bands by name", bands},
    {"bands of classes", classes},
    {"the pool keeps and drops views", pool_keeps_and_drops},
    {"the pool sees changed files", pool_sees_changes},
    {"threads", threads},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("patch_lookup", cases, argc, argv);
}
