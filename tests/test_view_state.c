/*
 * What becomes of a view: refused, cancelled, robbed of its file, read by many threads, closed. And
 * that nothing half done or left over stays behind.
 */
#define _POSIX_C_SOURCE 200809L
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "predict/model_share.h"
#include "predict/nesting.h"
#include "predict/result_cache.h"
#include "view_rig.h"

/* ---- failures ---- */

static bool stop(void *context, double fraction, const char *message)
{
    (void)fraction, (void)message;
    return ++*(int *)context < 3;
}

static void goes_on_after_a_cancelled_read(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    uint64_t units;
    float *expected = rig_view_fresh(&settings, &units);
    s2clr_result_cache_clear();
    s2clr_view *view = rig_view_open(&settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    const size_t pixels = (size_t)info->columns * (size_t)info->rows;
    float *out = malloc(pixels * sizeof *out);
    int calls = 0;
    const s2clr_progress progress = {.call = stop, .context = &calls};
    CU_ASSERT_EQUAL(s2clr_view_read(view, 1, 0, 0, info->columns, info->rows, out, &progress),
                    S2CLR_ERR_CANCELLED);
    CU_ASSERT_EQUAL(s2clr_result_cache_bytes(), 0);
    TEST_OK(s2clr_view_read(view, 1, 0, 0, info->columns, info->rows, out, NULL));
    CU_ASSERT_EQUAL(memcmp(out, expected, pixels * sizeof *out), 0);
    free(out);
    free(expected);
    s2clr_view_close(view);
}

static void goes_on_after_a_vanished_file(void)
{
    s2clr_view_settings settings = rig_view_prepare();
    char vrt[600], away[600];
    const char *const names[] = {vrt}, *const *inputs = settings.inputs, *scene = inputs[0];
    float block[64 * 64], again[64 * 64];
    snprintf(vrt, sizeof vrt, "%s", predict_rig_path("state.vrt"));
    snprintf(away, sizeof away, "%s", predict_rig_path("away.tif"));
    rig_view_vrt(vrt, scene);
    settings.inputs = names;
    s2clr_view *view = rig_view_open(&settings);
    CU_ASSERT_EQUAL(rename(scene, away), 0);
    const s2clr_status status = s2clr_view_block(view, 1, 0, 0, block);
    CU_ASSERT_EQUAL(status, S2CLR_ERR_IO);
    TEST_ERROR_SAYS("state.tif: vanished");
    CU_ASSERT_NOT_EQUAL(s2clr_view_read(view, 1, 0, 0, 9, 9, block, NULL), S2CLR_OK);
    CU_ASSERT_EQUAL(rename(away, scene), 0);
    TEST_OK(s2clr_view_block(view, 1, 0, 0, block));
    s2clr_view_close(view);
    settings.inputs = inputs;
    view = rig_view_open(&settings);
    s2clr_result_cache_clear();
    TEST_OK(s2clr_view_block(view, 1, 0, 0, again));
    CU_ASSERT_EQUAL(memcmp(block, again, sizeof block), 0);
    s2clr_view_close(view);
}

/* GDAL takes a VRT's missing source for an empty one after its first complaint; later versions
 * refuse every read themselves. The source is named either way. */
static void misses_a_source(void)
{
    s2clr_view_settings settings = rig_view_prepare();
    char vrt[600];
    const char *const names[] = {vrt};
    float block[64 * 64];
    snprintf(vrt, sizeof vrt, "%s", predict_rig_path("missing.vrt"));
    rig_view_vrt(vrt, predict_rig_path("missing.tif"));
    settings.inputs = names;
    s2clr_view *view = rig_view_open(&settings);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(s2clr_view_block(view, 1, i, 0, block), S2CLR_ERR_IO);
        TEST_ERROR_SAYS("missing.tif");
    }
    rig_scene_make("missing.tif", &rig_scene_small);
    TEST_OK(s2clr_view_block(view, 1, 0, 0, block));
    s2clr_view_close(view);
}

static s2clr_view_settings sound; /* settings */

static void refuses(void (*change)(s2clr_view_settings *), s2clr_status status, const char *text)
{
    s2clr_view_settings settings = sound;
    s2clr_view *view = NULL;
    change(&settings);
    CU_ASSERT_EQUAL(s2clr_view_open(&settings, &view), status);
    CU_ASSERT_PTR_NULL(view);
    TEST_ERROR_SAYS(text);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
}

static void no_model(s2clr_view_settings *s)
{
    s->model = "dense-eurosat-permanentcrob";
}

static void no_input(s2clr_view_settings *s)
{
    s->input_count = 0;
}

static void absent(s2clr_view_settings *s)
{
    static const char *const names[] = {"/nowhere/scene.tif"};
    s->inputs = names;
}

static void bad_share(s2clr_view_settings *s)
{
    s->min_valid = NAN;
}

static void bad_prevalence(s2clr_view_settings *s)
{
    s->prevalence = 1;
}

static void bad_stride(s2clr_view_settings *s)
{
    s->stride = 6;
}

static void bad_bands(s2clr_view_settings *s)
{
    s->bands = "probabilty";
}

static void bad_level(s2clr_view_settings *s)
{
    s->stack.level = "L3";
}

static void refuses_nonsense(void)
{
    sound = rig_view_prepare();
    s2clr_runtime_drop_idle(); /* and the model it holds */
    setenv("S2CLR_ZOO", test_source("../models/zoo"), 1);
    refuses(no_model, S2CLR_ERR_IO, "did you mean dense-");
    refuses(no_input, S2CLR_ERR_ARGUMENT, "no raster");
    refuses(absent, S2CLR_ERR_IO, "/nowhere/scene.tif");
    refuses(bad_share, S2CLR_ERR_ARGUMENT, "0 to 1");
    refuses(bad_prevalence, S2CLR_ERR_ARGUMENT, "between 0 and 1");
    refuses(bad_stride, S2CLR_ERR_ARGUMENT, "multiple of 4");
    refuses(bad_bands, S2CLR_ERR_ARGUMENT, "did you mean probability");
    refuses(bad_level, S2CLR_ERR_ARGUMENT, "L3");
}

static void refuses_windows(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    float out[1];
    s2clr_view *view = rig_view_open(&settings); /* 153 x 88, blocks of 64 x 64 */
    static const int windows[][4] = {{-1, 0, 1, 1},  {0, 88, 1, 1},         {0, 0, 154, 1},
                                     {152, 0, 2, 1}, {0, 0, 0, 1},          {2147483647, 0, 1, 1},
                                     {1, 1, 1, -5},  {0, 0, 2147483647, 1}, {152, 87, 1, 2}};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        const int *w = windows[i];
        CU_ASSERT_EQUAL(s2clr_view_read(view, 1, w[0], w[1], w[2], w[3], out, NULL),
                        S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS("it has 153 x 88");
    }
    CU_ASSERT_EQUAL(s2clr_view_read(view, 2, 0, 0, 1, 1, out, NULL), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_view_read(view, 0, 0, 0, 1, 1, out, NULL), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_view_block(view, 1, 3, 0, out), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_view_block(view, 1, 0, -1, out), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_view_block(view, 2147483647, 0, 0, out), S2CLR_ERR_ARGUMENT);
    s2clr_view_close(view);
}

/* As deep as a raster of ours can lie beneath another: the next one is refused, with one message
 * that names the cause first, and nothing else changes. */
static void refuses_a_circle(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    s2clr_view *inner = NULL, *view = rig_view_open(&settings);
    float out[1];
    s2clr_nesting_set(S2CLR_NESTING_MAX);
    CU_ASSERT_EQUAL(s2clr_view_open(&settings, &inner), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS(S2CLR_NESTING_TEXT);
    CU_ASSERT_EQUAL(s2clr_view_read(view, 1, 0, 0, 1, 1, out, NULL), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS(S2CLR_NESTING_TEXT);
    CU_ASSERT_EQUAL(s2clr_nesting_depth(), S2CLR_NESTING_MAX);
    s2clr_nesting_set(0);
    TEST_OK(s2clr_view_read(view, 1, 0, 0, 1, 1, out, NULL));
    CU_ASSERT_EQUAL(s2clr_nesting_depth(), 0);
    s2clr_view_close(view);
}

/* ---- threads, and many ---- */

enum { THREADS = 8 };

typedef struct reader {
    const s2clr_view_settings *settings;
    const float *whole;
    uint64_t seed;
    pthread_t thread;
} reader;

static void *read_much(void *context)
{
    const reader *r = context;
    s2clr_view *view = rig_view_open(r->settings);
    rig_view_check(view, 1, r->whole, r->seed, 40);
    s2clr_view_close(view);
    return NULL;
}

static void threads(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    reader readers[THREADS];
    uint64_t units;
    float *whole = rig_view_fresh(&settings, &units);
    s2clr_result_cache_clear();
    for (int i = 0; i < THREADS; i++) {
        readers[i] = (reader){&settings, whole, 100 + (uint64_t)i, 0};
        CU_ASSERT_EQUAL(pthread_create(&readers[i].thread, NULL, read_much, &readers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(readers[i].thread, NULL);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), s2clr_runtime_count());
    free(whole);
}

typedef struct block_reader {
    s2clr_view *view;
    pthread_t thread;
} block_reader;

static void *read_blocks(void *context)
{
    const block_reader *r = context;
    float block[64 * 64];
    for (int i = 0; i < 6; i++) TEST_OK(s2clr_view_block(r->view, 1, i % 3, i / 3, block));
    return NULL;
}

/* Eight views asked for the same blocks at the same time: each is computed once. */
static void each_block_once(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    block_reader readers[THREADS];
    uint64_t once, total = 0;
    s2clr_view *view = rig_view_open(&settings);
    const block_reader alone = {.view = view};
    read_blocks((void *)&alone);
    once = s2clr_view_units(view);
    s2clr_view_close(view);
    s2clr_result_cache_clear();
    for (int i = 0; i < THREADS; i++) readers[i].view = rig_view_open(&settings);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL(pthread_create(&readers[i].thread, NULL, read_blocks, &readers[i]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(readers[i].thread, NULL);
    for (int i = 0; i < THREADS; i++) {
        total += s2clr_view_units(readers[i].view);
        s2clr_view_close(readers[i].view);
    }
    /* A unit that two blocks share is computed by each view that computes one of them. */
    CU_ASSERT(total >= once && total <= 4 * 6);
}

static long resident_pages(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &size, &resident) != 2) resident = 0;
    if (file) fclose(file);
    return resident;
}

static void open_and_close(void)
{
    const s2clr_view_settings settings = rig_view_prepare();
    float out[1];
    long before = 0;
    s2clr_runtime_drop_idle();
    for (int i = 0; i < 1000; i++) {
        s2clr_view *view = rig_view_open(&settings);
        CU_ASSERT_EQUAL(s2clr_model_share_count(), 1);
        if (i % 100 == 0) TEST_OK(s2clr_view_read(view, 1, i % 150, 0, 1, 1, out, NULL));
        s2clr_view_close(view);
        CU_ASSERT(s2clr_runtime_count() <= 1);
        if (i == 300) before = resident_pages();
    }
    s2clr_runtime_drop_idle();
    CU_ASSERT_EQUAL(s2clr_runtime_count(), 0);
    CU_ASSERT_EQUAL(s2clr_model_share_count(), 0);
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
    CU_ASSERT(resident_pages() < before + 1024);
#else
    (void)before;
#endif
}

static const test_case cases[] = {
    {"after a cancelled read", goes_on_after_a_cancelled_read},
    {"after a vanished file", goes_on_after_a_vanished_file},
    {"a source that is not there", misses_a_source},
    {"settings that make no sense", refuses_nonsense},
    {"windows that are not there", refuses_windows},
    {"rasters in a circle", refuses_a_circle},
    {"eight threads", threads},
    {"each block is computed once", each_block_once},
    {"a thousand views", open_and_close},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("view_state", cases, argc, argv);
}
