/* Many threads read through the driver, each with a dataset of its own, or all with one where GDAL
 * allows that: every window equals the whole. */
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver_rig.h"
#include "harness.h"
#include "predict_rig.h"

enum { THREADS = 16, WINDOWS = 25 };

typedef struct whole {
    const char *name;
    char **options;
    int columns, rows, bands;
    float *values; // (bands, rows, columns)
} whole;

typedef struct reader {
    const whole *expected;
    GDALDatasetH shared; /* NULL: opens its own */
    uint32_t seed;
    int different, unreadable;
} reader;

static GDALDatasetH open_with(const char *name, char **options, unsigned flags)
{
    return GDALOpenEx(name, GDAL_OF_RASTER | flags, NULL, (const char *const *)options, NULL);
}

static bool read_whole(const char *name, char **options, whole *out)
{
    GDALDatasetH dataset = open_with(name, options, GDAL_OF_VERBOSE_ERROR);
    CU_ASSERT_PTR_NOT_NULL(dataset);
    if (!dataset) return false;
    *out = (whole){.name = name,
                   .options = options,
                   .columns = GDALGetRasterXSize(dataset),
                   .rows = GDALGetRasterYSize(dataset),
                   .bands = GDALGetRasterCount(dataset)};
    const size_t pixels = (size_t)out->columns * (size_t)out->rows;
    out->values = malloc(pixels * (size_t)out->bands * sizeof(float));
    const CPLErr result =
        !out->values
            ? CE_Failure
            : GDALDatasetRasterIO(dataset, GF_Read, 0, 0, out->columns, out->rows, out->values,
                                  out->columns, out->rows, GDT_Float32, out->bands, NULL, 0, 0, 0);
    CU_ASSERT_EQUAL(result, CE_None);
    GDALClose(dataset);
    return result == CE_None;
}

static uint32_t draw(reader *r, uint32_t limit)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)r->seed * limit) >> 32);
}

static void read_window(reader *r, GDALDatasetH dataset, float *buffer)
{
    const whole *all = r->expected;
    const int x = (int)draw(r, (uint32_t)all->columns), y = (int)draw(r, (uint32_t)all->rows);
    const int w = 1 + (int)draw(r, (uint32_t)(all->columns - x));
    const int h = 1 + (int)draw(r, (uint32_t)(all->rows - y));
    const int band = 1 + (int)draw(r, (uint32_t)all->bands);
    if (GDALRasterIO(GDALGetRasterBand(dataset, band), GF_Read, x, y, w, h, buffer, w, h,
                     GDT_Float32, 0, 0) != CE_None) {
        r->unreadable++;
        return;
    }
    const float *plane =
        all->values + (size_t)(band - 1) * (size_t)all->columns * (size_t)all->rows;
    for (int row = 0; row < h; row++)
        if (memcmp(plane + (size_t)(y + row) * (size_t)all->columns + x,
                   buffer + (size_t)row * (size_t)w, (size_t)w * sizeof(float)) != 0) {
            r->different++;
            return;
        }
}

static void *read_windows(void *context)
{
    reader *r = context;
    const whole *all = r->expected;
    float *buffer = malloc((size_t)all->columns * (size_t)all->rows * sizeof *buffer);
    GDALDatasetH dataset = r->shared ? r->shared : open_with(all->name, all->options, 0);
    if (!buffer || !dataset) r->unreadable += WINDOWS;
    for (int i = 0; buffer && dataset && i < WINDOWS; i++) read_window(r, dataset, buffer);
    if (dataset && !r->shared) GDALClose(dataset);
    free(buffer);
    return NULL;
}

/* Windows that failed; CUnit itself is for one thread only. */
static int read_by_threads(const whole *expected, GDALDatasetH shared)
{
    pthread_t thread[THREADS];
    reader readers[THREADS];
    int started = 0, bad = 0;
    for (; started < THREADS; started++) {
        readers[started] = (reader){expected, shared, 77u + (uint32_t)started * 1000003u, 0, 0};
        if (pthread_create(&thread[started], NULL, read_windows, &readers[started]) != 0) break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(thread[i], NULL);
        bad += readers[i].different + readers[i].unreadable;
    }
    return started == THREADS ? bad : bad + 1;
}

static const char *made_name(const rig_model *model, const char *stem)
{
    char file[64], scene[64];
    snprintf(file, sizeof file, "%s.safetensors", stem);
    snprintf(scene, sizeof scene, "%s.tif", stem);
    return driver_rig_name(rig_model_make(file, model), rig_scene_make(scene, &rig_scene_small));
}

static void sixteen_threads(const rig_model *model, const char *stem, const char *bands)
{
    if (!driver_rig_load()) return;
    char **options = CSLSetNameValue(NULL, "LEVEL", "L2A");
    options = CSLSetNameValue(options, "BANDS", bands);
    whole expected = {0};
    if (read_whole(made_name(model, stem), options, &expected))
        CU_ASSERT_EQUAL(read_by_threads(&expected, NULL), 0);
    free(expected.values);
    CSLDestroy(options);
}

static void a_dataset_each(void)
{
    sixteen_threads(&rig_dense, "each", "probability");
}

static void four_bands_each(void)
{
    sixteen_threads(&rig_dense, "four", "probability,entropy,valid,evidence");
}

static void a_patch_model_each(void)
{
    sixteen_threads(&rig_resnet, "patches", "probability,valid");
}

typedef struct other_model {
    whole expected;
    int bad;
} other_model;

static void *read_with_others(void *context)
{
    other_model *other = context;
    other->bad = read_by_threads(&other->expected, NULL);
    return NULL;
}

static void two_models_at_once(void)
{
    if (!driver_rig_load()) return;
    char **options = CSLSetNameValue(NULL, "LEVEL", "L2A");
    whole one = {0};
    other_model two = {.bad = -1};
    pthread_t other;
    if (read_whole(made_name(&rig_dense, "one"), options, &one) &&
        read_whole(made_name(&rig_resnet, "two"), options, &two.expected) &&
        pthread_create(&other, NULL, read_with_others, &two) == 0) {
        CU_ASSERT_EQUAL(read_by_threads(&one, NULL), 0);
        pthread_join(other, NULL);
        CU_ASSERT_EQUAL(two.bad, 0);
    }
    free(one.values);
    free(two.expected.values);
    CSLDestroy(options);
}

static void one_dataset_for_all(void)
{
#ifdef GDAL_OF_THREAD_SAFE
    if (!driver_rig_load()) return;
    char **options = CSLSetNameValue(NULL, "LEVEL", "L2A");
    options = CSLSetNameValue(options, "STRIDE", "8"); /* clones have to keep it */
    whole expected = {0};
    if (read_whole(made_name(&rig_dense, "shared"), options, &expected)) {
        GDALDatasetH shared = open_with(expected.name, options, GDAL_OF_THREAD_SAFE);
        CU_ASSERT_PTR_NOT_NULL(shared);
        if (shared) {
            CU_ASSERT_EQUAL(read_by_threads(&expected, shared), 0);
            GDALClose(shared);
        }
    }
    free(expected.values);
    CSLDestroy(options);
#else
    test_skip("GDAL before 3.10 shares no dataset between threads");
#endif
}

static const test_case cases[] = {
    {"a dataset each", a_dataset_each},           {"four bands each", four_bands_each},
    {"a patch model each", a_patch_model_each},   {"two models at once", two_models_at_once},
    {"one dataset for all", one_dataset_for_all},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("driver_threads", cases, argc, argv);
}
