/*
 * A view is what prediction writes, whatever the window, block, level or order that asks; what it
 * says about itself.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/probability.h"
#include "harness.h"
#include "predict/engine.h"
#include "predict/model_share.h"
#include "predict/result_cache.h"
#include "view_rig.h"

static char model[600], input[600];
static const char *const inputs[] = {input};

static s2clr_view_settings prepare(const rig_model *m, const rig_scene *scene)
{
    snprintf(model, sizeof model, "%s", rig_model_make("view.safetensors", m));
    snprintf(input, sizeof input, "%s", rig_scene_make("view.tif", scene));
    s2clr_result_cache_clear();
    return rig_view_settings(model, inputs);
}

/* ---- values ---- */

/* All bands of a raster: (bands, rows, columns). */
static float *read_file(const char *path, int bands, int *columns, int *rows)
{
    GDALDatasetH dataset = GDALOpen(path, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    CU_ASSERT_EQUAL_FATAL(GDALGetRasterCount(dataset), bands);
    *columns = GDALGetRasterXSize(dataset);
    *rows = GDALGetRasterYSize(dataset);
    float *values = calloc((size_t)*columns * (size_t)*rows * (size_t)bands, sizeof *values);
    CU_ASSERT_EQUAL(GDALDatasetRasterIO(dataset, GF_Read, 0, 0, *columns, *rows, values, *columns,
                                        *rows, GDT_Float32, bands, NULL, 0, 0, 0),
                    CE_None);
    GDALClose(dataset);
    return values;
}

static void equals_predict(const rig_model *m, const char *bands, double prevalence)
{
    s2clr_view_settings settings = prepare(m, &rig_scene_small);
    rig_job job;
    int columns, rows;
    rig_job_make(model, input, predict_rig_path("predicted.tif"), &job);
    job.settings.bands = settings.bands = bands;
    job.settings.prevalence = settings.prevalence = prevalence;
    TEST_OK(rig_job_run(&job));
    s2clr_view *view = rig_view_open(&settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    float *expected = read_file(job.settings.output, info->bands->count, &columns, &rows);
    CU_ASSERT_EQUAL_FATAL(info->columns, columns);
    CU_ASSERT_EQUAL_FATAL(info->rows, rows);
    float *values = rig_view_read(view, 1);
    rig_view_same(view, 1, expected, 0, 0, columns, rows, values);
    s2clr_result_cache_clear();
    rig_view_check(view, 1, expected, 3, 20);
    free(values);
    free(expected);
    s2clr_view_close(view);
}

static void predict_dense(void)
{
    equals_predict(&rig_dense, NULL, 0);
    equals_predict(&rig_dense, "valid,probability,evidence,entropy", 0.05);
    equals_predict(&rig_dense, "embedding", 0);
}

static void predict_patch(void)
{
    equals_predict(&rig_resnet, "probability,entropy,valid", 0);
    equals_predict(&rig_resnet, "embedding", 0);
}

/* Hundreds of windows and blocks, with room in the cache for all, some and none. */
static void random_windows(const rig_model *m, const char *bands, int count)
{
    static const size_t room[] = {(size_t)64 << 20, (size_t)100 << 10, 1};
    s2clr_view_settings settings = prepare(m, &rig_scene_small);
    settings.bands = bands;
    s2clr_view *view = rig_view_open(&settings);
    float *whole = rig_view_read(view, 1);
    for (size_t i = 0; i < sizeof room / sizeof room[0]; i++) {
        s2clr_result_cache_limit(room[i]);
        s2clr_result_cache_clear();
        rig_view_check(view, 1, whole, 10 + i, count);
        CU_ASSERT(s2clr_result_cache_bytes() <= room[i]);
    }
    s2clr_result_cache_limit((size_t)64 << 20);
    free(whole);
    s2clr_view_close(view);
}

static void windows_dense(void)
{
    random_windows(&rig_dense, "probability,valid,evidence", 150);
}

static void windows_patch(void)
{
    random_windows(&rig_resnet, NULL, 50);
}

/* Pixel i of level f is base pixel f*i + floor(f/2), or the last one. */
static void levels(void)
{
    s2clr_view_settings settings = prepare(&rig_dense, &rig_scene_wide);
    settings.bands = "probability,valid";
    s2clr_view *view = rig_view_open(&settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    float *base = rig_view_read(view, 1);
    CU_ASSERT_EQUAL(info->levels, 2);
    for (int i = 0; i < info->levels; i++) {
        const int f = info->level[i];
        int columns, rows, wrong = 0;
        s2clr_view_level_size(view, f, &columns, &rows);
        CU_ASSERT_EQUAL(columns, (info->columns + f - 1) / f);
        s2clr_result_cache_clear();
        float *values = rig_view_read(view, f);
        for (int band = 0; band < 2; band++)
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++) {
                    const int y = f * r + f / 2 < info->rows ? f * r + f / 2 : info->rows - 1;
                    const int x = f * c + f / 2 < info->columns ? f * c + f / 2 : info->columns - 1;
                    wrong += memcmp(&values[(band * rows + r) * columns + c],
                                    &base[(band * info->rows + y) * info->columns + x],
                                    sizeof *values) != 0;
                }
        CU_ASSERT_EQUAL(wrong, 0);
        rig_view_check(view, f, values, 40 + (uint64_t)i, 60);
        free(values);
    }
    free(base);
    s2clr_view_close(view);
}

/* Blocks row by row, as a host reads them: each unit is computed once, also with read-ahead. */
static void in_sequence(void)
{
    s2clr_view_settings settings = prepare(&rig_dense, &rig_scene_wide);
    s2clr_view *view = rig_view_open(&settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    float *whole = rig_view_read(view, 1);
    const uint64_t once = s2clr_view_units(view);
    s2clr_view_close(view);
    s2clr_result_cache_clear();
    view = rig_view_open(&settings);
    info = s2clr_view_describe(view);
    const int w = info->block_columns, h = info->block_rows;
    float *block = malloc((size_t)w * (size_t)h * sizeof *block);
    for (int y = 0; y * h < info->rows; y++)
        for (int x = 0; x * w < info->columns; x++) {
            TEST_OK(s2clr_view_block(view, 1, x, y, block));
            CU_ASSERT_EQUAL(memcmp(block, whole + y * h * info->columns + x * w, sizeof *block), 0);
        }
    CU_ASSERT_EQUAL(s2clr_view_units(view), once);
    s2clr_view_close(view);
    free(block);
    free(whole);
}

/* One block costs its units, not those of the raster. */
static void costs_its_units(void)
{
    s2clr_view_settings settings = prepare(&rig_dense, &rig_scene_wide);
    s2clr_view *view = rig_view_open(&settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    float *block = malloc((size_t)(info->block_columns * info->block_rows) * sizeof *block);
    TEST_OK(s2clr_view_block(view, 1, 3, 1, block));
    CU_ASSERT(s2clr_view_units(view) >= 1 && s2clr_view_units(view) <= 4);
    const uint64_t before = s2clr_view_units(view);
    TEST_OK(s2clr_view_block(view, 1, 3, 1, block));
    CU_ASSERT_EQUAL(s2clr_view_units(view), before);
    free(block);
    s2clr_view_close(view);
}

/* ---- what it says ---- */

static const char *tag(const s2clr_view_info *info, const char *key)
{
    const size_t n = strlen(key);
    for (const char *const *t = info->tags; *t; t++)
        if (strncmp(*t, key, n) == 0 && (*t)[n] == '=') return *t + n + 1;
    return NULL;
}

static void describes_itself(void)
{
    s2clr_view_settings settings = prepare(&rig_dense, &rig_scene_small);
    settings.stride = 8;
    s2clr_view *view = rig_view_open(&settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    CU_ASSERT_EQUAL(info->columns, 77);
    CU_ASSERT_EQUAL(info->rows, 44);
    CU_ASSERT(info->has_transform);
    CU_ASSERT_EQUAL(info->transform[0], 600000);
    CU_ASSERT_EQUAL(info->transform[1], 80);
    CU_ASSERT_EQUAL(info->transform[5], -80);
    CU_ASSERT_PTR_NOT_NULL(strstr(info->wkt, "33N"));
    CU_ASSERT_STRING_EQUAL(info->bands->band[0].name, "made_up_class");
    CU_ASSERT_STRING_EQUAL(tag(info, "STRIDE"), "8");
    CU_ASSERT_STRING_EQUAL(tag(info, "INPUT_1"), input);
    CU_ASSERT_STRING_EQUAL(tag(info, "WINDOW"), "0 0 77 44 of 77 x 44");
    CU_ASSERT_PTR_NULL(tag(info, "COMMAND_LINE"));
    CU_ASSERT_PTR_NULL(tag(info, "BACKEND"));
    CU_ASSERT_PTR_NOT_NULL(strstr(info->card_json, "rig-dense"));
    CU_ASSERT_STRING_EQUAL(info->files[0], model);
    CU_ASSERT_STRING_EQUAL(info->files[1], input);
    CU_ASSERT_PTR_NULL(info->files[2]);
    CU_ASSERT_STRING_EQUAL(info->warning, "For tests only");
    s2clr_view_close(view);
}

/* Blocks are whole units of the engine. */
static void blocks_are_units(void)
{
    static const int strides[] = {4, 8, 12, 20, 64, 256, 1024};
    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++) {
        s2clr_view_settings settings = prepare(&rig_dense, &rig_scene_small);
        settings.stride = strides[i];
        s2clr_view *view = rig_view_open(&settings);
        const s2clr_view_info *info = s2clr_view_describe(view);
        const s2clr_engine_options options = {.min_valid = 0.5};
        const s2clr_model *m = NULL;
        s2clr_runtime *runtime = NULL;
        s2clr_engine *engine = NULL;
        s2clr_grid grid;
        TEST_OK(s2clr_model_acquire(model, &m));
        TEST_OK(s2clr_runtime_acquire(m, "auto", S2CLR_F32, 2, S2CLR_AIM_PROBABILITY, &runtime));
        TEST_OK(s2clr_grid_new(612, 349, 28, strides[i], 4, &grid));
        TEST_OK(s2clr_engine_new(runtime, &grid, &options, &engine));
        CU_ASSERT_EQUAL(info->block_columns % s2clr_engine_unit_columns(engine), 0);
        CU_ASSERT_EQUAL(info->block_rows % s2clr_engine_unit_rows(engine), 0);
        CU_ASSERT(info->block_columns >= 16 && info->block_columns <= 64);
        s2clr_engine_free(engine);
        s2clr_runtime_release(runtime);
        s2clr_model_release(m);
        s2clr_view_close(view);
    }
}

static const test_case cases[] = {
    {"dense: what predict writes", predict_dense},
    {"patches: what predict writes", predict_patch},
    {"dense: windows and blocks", windows_dense},
    {"patches: windows and blocks", windows_patch},
    {"levels hold base pixels", levels},
    {"blocks in sequence compute every unit once", in_sequence},
    {"a block costs its units", costs_its_units},
    {"what it says about itself", describes_itself},
    {"blocks are whole units", blocks_are_units},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("view", cases, argc, argv);
}
