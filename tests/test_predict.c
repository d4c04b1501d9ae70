/*
 * A whole run: the values. They are the engine's (which test_engine proves) whatever the threads,
 * the memory, the window, or the emptiness around.
 */
#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict_rig.h"

/* The same map straight from the engine. */
static float *engine_map(const char *model, const char *input)
{
    rig_bench b;
    TEST_OK(rig_bench_open(model, input, "auto", 1, S2CLR_AIM_PROBABILITY, 0,
                           (s2clr_engine_options){.min_valid = 0.5}, &b));
    float *map = calloc((size_t)b.grid.columns * (size_t)b.grid.rows, sizeof *map);
    const s2clr_values values = {.probability = map};
    TEST_OK(rig_bench_run(&b, 0, 0, b.grid.columns, b.grid.rows, NULL, &values));
    rig_bench_close(&b);
    return map;
}

static void same_for_settings(const rig_model *model)
{
    static const int runs[][2] = {{1, 0}, {2, 0}, {3, 0}, {1, 26}, {2, 26}, {3, 60}, {2, 34}};
    char path[600], input[600];
    snprintf(path, sizeof path, "%s", rig_model_make("same.safetensors", model));
    snprintf(input, sizeof input, "%s", rig_scene_make("same.tif", &rig_scene_small));
    float *expected = engine_map(path, input);
    int ran = 0;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        rig_job j;
        int columns, rows;
        rig_job_make(path, input, predict_rig_path("same-out.tif"), &j);
        j.settings.threads = runs[i][0];
        j.settings.memory_mb = (size_t)runs[i][1];
        const s2clr_status status = rig_job_run(&j);
        if (runs[i][1] && status == S2CLR_ERR_MEMORY) continue; /* too few for this backend */
        TEST_OK(status);
        float *values = rig_raster_read(j.settings.output, &columns, &rows);
        rig_same_bytes(expected, columns, 0, 0, values, columns, rows);
        CU_ASSERT_EQUAL(j.result.pixels, (uint64_t)columns * (uint64_t)rows);
        free(values);
        ran++;
    }
    CU_ASSERT(ran >= 5);
    free(expected);
}

static void same_dense(void)
{
    same_for_settings(&rig_dense);
}

static void same_patch(void)
{
    same_for_settings(&rig_resnet);
}

static void windows_of(const rig_model *model)
{
    static const int windows[][4] = {
        {0, 0, 1, 1}, {101, 53, 210, 111}, {600, 340, 500, 500}, {-50, 200, 120, 90}};
    char path[600], input[600];
    int all_columns, all_rows;
    snprintf(path, sizeof path, "%s", rig_model_make("window.safetensors", model));
    snprintf(input, sizeof input, "%s", rig_scene_make("window.tif", &rig_scene_small));
    rig_job j;
    rig_job_make(path, input, predict_rig_path("window-all.tif"), &j);
    TEST_OK(rig_job_run(&j));
    float *whole = rig_raster_read(j.settings.output, &all_columns, &all_rows);
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        int columns, rows;
        const int stride = model->stride;
        const int x = windows[i][0] < 0 ? 0 : windows[i][0] / stride, y = windows[i][1] / stride;
        j.settings.output = predict_rig_path("window-part.tif");
        j.settings.srcwin = windows[i];
        j.settings.memory_mb = i % 2 ? 30 : 0;
        TEST_OK(rig_job_run(&j));
        float *part = rig_raster_read(j.settings.output, &columns, &rows);
        CU_ASSERT_FATAL(x + columns <= all_columns && y + rows <= all_rows);
        rig_same_bytes(whole, all_columns, x, y, part, columns, rows);
        free(part);
    }
    free(whole);
}

static void windows(void)
{
    windows_of(&rig_dense);
    windows_of(&rig_resnet);
}

/* ---- large and empty ---- */

/* An island in a raster of 400 megapixels: the same values as the island's own map where all of a
 * patch lies on it, nothing elsewhere, and next to nothing stored. */
static void sparse(void)
{
    const int side = 20000, x = 7168, y = 9216;
    char model[600];
    int columns, rows, all_columns, all_rows;
    VSIStatBufL info;
    rig_job j, big;
    snprintf(model, sizeof model, "%s", rig_model_make("sparse.safetensors", &rig_dense));
    rig_job_make(model, rig_scene_make("island.tif", &rig_scene_small),
                 predict_rig_path("island-out.tif"), &j);
    TEST_OK(rig_job_run(&j));
    rig_job_make(model, rig_sparse_vrt(j.input, side, x, y), predict_rig_path("sparse-out.tif"),
                 &big);
    big.settings.memory_mb = 128;
    TEST_OK(rig_job_run(&big));
    CU_ASSERT_EQUAL(big.result.columns, 5000);
    CU_ASSERT_EQUAL(big.result.valid_pixels, j.result.valid_pixels);
    CU_ASSERT(big.result.skipped_pixels > 20000000);
    float *island = rig_raster_read(j.settings.output, &columns, &rows);
    float *all = rig_raster_read(big.settings.output, &all_columns, &all_rows);
    /* Outside the raster and nodata are the same to a patch; only the units differ. */
    float worst = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const float a = island[r * columns + c], b = all[(r + y / 4) * all_columns + c + x / 4];
            CU_ASSERT_EQUAL(isnan(a), isnan(b));
            if (!isnan(a)) worst = fmaxf(worst, fabsf(a - b));
        }
    CU_ASSERT(worst < 1e-5f);
    CU_ASSERT_EQUAL(VSIStatL(big.settings.output, &info), 0);
    CU_ASSERT(info.st_size < 4000000);
    free(island);
    free(all);
}

static const test_case cases[] = {
    {"same_dense", same_dense},
    {"same_patch", same_patch},
    {"windows", windows},
    {"sparse", sparse},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("predict", cases, argc, argv);
}
