/*
 * Prediction on every device that cuts its patches itself: the answers of the portable backend,
 * within rounding; the same bytes whatever blocks, threads and sessions; and blocks as small as
 * the device's memory wants them.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict/pengine.h"
#include "predict/tasks.h"
#include "predict_rig.h"

/* 140 columns of patches, 3 rows: a unit of 128 patches and some more; or 70 of the dense model,
 * whose lattice of local logits goes over a unit's edge. */
static const rig_scene wide = {.width = 560, .height = 12};
static const rig_scene narrow = {.width = 280, .height = 12};
static const rig_model patch = {
    .arch = "resnet18", .width = 4, .patch = 16, .stride = 4, .temperature = 1.7};
static const rig_model patch_classes = {
    .arch = "resnet18", .width = 4, .patch = 16, .stride = 4, .classes = 3};
static const rig_model dense = {.arch = "dense", .width = 4, .depth = 1, .patch = 28, .stride = 4};
static const rig_model dense_classes = {
    .arch = "dense", .width = 4, .depth = 1, .patch = 28, .stride = 4, .classes = 3};

typedef struct task {
    const rig_model *model;
    s2clr_aim aim;
} task;

static const task list[] = {
    {&patch, S2CLR_AIM_PROBABILITY},     {&patch_classes, S2CLR_AIM_CLASSES},
    {&patch, S2CLR_AIM_EMBEDDING},       {&dense, S2CLR_AIM_PROBABILITY},
    {&dense_classes, S2CLR_AIM_CLASSES}, {&dense, S2CLR_AIM_EMBEDDING},
};

/* The bench of a task; model and scene are written once per task. */
static void bench_open(const task *t, const char *device, int threads, rig_bench *b)
{
    char name[600], path[600];
    snprintf(name, sizeof name, "%s", rig_model_make("device.safetensors", t->model));
    const bool is_dense = strcmp(t->model->arch, "dense") == 0;
    snprintf(path, sizeof path, "%s", rig_scene_make("device.tif", is_dense ? &narrow : &wide));
    TEST_OK(rig_bench_open(name, path, device, threads, t->aim, 0,
                           (s2clr_engine_options){.min_valid = 0.25}, b));
    CU_ASSERT_PTR_NOT_NULL_FATAL(b->engine);
}

static size_t plane(const rig_bench *b)
{
    return (size_t)b->grid.columns * (size_t)b->grid.rows;
}

static size_t count_of(const rig_bench *b)
{
    return plane(b) * (size_t)s2clr_runtime_planes(b->runtime);
}

static void run(rig_bench *b, s2clr_aim aim, int column, int row, int columns, int rows,
                float *values)
{
    s2clr_values out = {0};
    *(aim == S2CLR_AIM_EMBEDDING ? &out.embedding : &out.probability) = values;
    TEST_OK(rig_bench_run(b, column, row, columns, rows, NULL, &out));
}

/* The whole grid in blocks of a size. The caller frees. */
static float *whole(rig_bench *b, s2clr_aim aim, int columns, int rows)
{
    const s2clr_grid *g = &b->grid;
    const size_t planes = (size_t)s2clr_runtime_planes(b->runtime);
    float *all = calloc(count_of(b), sizeof *all);
    float *block = calloc((size_t)columns * (size_t)rows * planes, sizeof *block);
    for (int row = 0; row < g->rows; row += rows)
        for (int column = 0; column < g->columns; column += columns) {
            const int w = g->columns - column < columns ? g->columns - column : columns;
            const int h = g->rows - row < rows ? g->rows - row : rows;
            run(b, aim, column, row, w, h, block);
            for (size_t f = 0; f < planes; f++)
                for (int r = 0; r < h; r++)
                    memcpy(all + f * plane(b) + (row + r) * g->columns + column,
                           block + (f * (size_t)h + (size_t)r) * (size_t)w,
                           (size_t)w * sizeof *all);
        }
    free(block);
    return all;
}

/* Names of the devices that cut; portable is the first. */
static int find_devices(const char *names[8])
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    int found = 0;
    names[found++] = "portable";
    for (size_t i = 0; i < count; i++)
        if (entries[i].backend && entries[i].backend->cutting &&
            strcmp(entries[i].name, "portable") != 0 && found < 8)
            names[found++] = entries[i].name;
    return found;
}

/* ---- the same bytes ---- */

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void compare_blocks(const task *t, const char *device, const float *wanted)
{
    static const int blocks[][3] = {{1000, 2, 5}, {50, 1000, 2}, {129, 1, 1}};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        rig_bench b;
        bench_open(t, device, blocks[i][2], &b);
        float *values = whole(&b, t->aim, least(blocks[i][0], b.grid.columns),
                              least(blocks[i][1], b.grid.rows));
        if (memcmp(values, wanted, count_of(&b) * sizeof *values) != 0) {
            char text[100];
            snprintf(text, sizeof text, "%s, %s, aim %d: blocks of %d x %d show", device,
                     t->model->arch, (int)t->aim, blocks[i][0], blocks[i][1]);
            CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
        }
        free(values);
        rig_bench_close(&b);
    }
}

static void near(const char *device, const task *t, const float *a, const float *b, size_t count)
{
    double most = 0, peak = 0;
    char text[100];
    for (size_t i = 0; i < count; i++) {
        const double apart = fabs((double)a[i] - (double)b[i]);
        if (isnan(a[i]) && isnan(b[i])) continue;
        if (!(apart <= most)) most = isnan(apart) ? INFINITY : apart;
        peak = fmax(peak, fabs((double)b[i]));
    }
    if (peak > 0 && most <= 1e-5 * peak) return;
    snprintf(text, sizeof text, "%s, %s, aim %d: off by %g of %g", device, t->model->arch,
             (int)t->aim, most, peak);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void maps(void)
{
    const char *devices[8];
    const int count = find_devices(devices);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        float *portable = NULL;
        for (int d = 0; d < count; d++) {
            rig_bench b;
            bench_open(&list[i], devices[d], 1, &b);
            float *values = whole(&b, list[i].aim, b.grid.columns, b.grid.rows);
            if (portable) near(devices[d], &list[i], values, portable, count_of(&b));
            rig_bench_close(&b);
            compare_blocks(&list[i], devices[d], values);
            if (portable)
                free(values);
            else
                portable = values;
        }
        free(portable);
    }
}

/* ---- what a runtime makes of a device ---- */

static void runtimes(void)
{
    const char *devices[8];
    const int count = find_devices(devices);
    const task tasks[] = {list[0], list[3]};
    for (int d = 0; d < count; d++)
        for (int i = 0; i < 2; i++) {
            rig_bench b;
            bench_open(&tasks[i], devices[d], 3, &b);
            const s2clr_backend_cutting *cutting = b.runtime->backend->cutting;
            const bool wish = i == 0 && cutting->unit_patches > 0;
            const int unit = wish ? cutting->unit_patches : i == 0 ? S2CLR_UNIT_PATCHES : 1;
            CU_ASSERT_PTR_NOT_NULL(b.runtime->strip);
            CU_ASSERT_EQUAL(b.runtime->unit, unit);
            CU_ASSERT_EQUAL(b.runtime->sessions, cutting->sessions ? cutting->sessions : 3);
            CU_ASSERT_EQUAL(s2clr_pool_threads(b.runtime->unit_pool), b.runtime->sessions);
            CU_ASSERT_EQUAL(s2clr_pool_threads(b.runtime->pool), 3);
            CU_ASSERT_EQUAL(strstr(s2clr_runtime_device(b.runtime), ", units of ") != NULL, wish);
            rig_bench_close(&b);
        }
}

/* ---- memory ---- */

static size_t blocks_of(const rig_bench *b, size_t device_memory, size_t *bytes)
{
    const int window[4] = {0, 0, b->grid.columns, b->grid.rows};
    s2clr_tasks tasks;
    TEST_OK(s2clr_tasks_plan(b->engine, window, (size_t)1 << 30, device_memory, &tasks));
    const size_t count = tasks.count;
    if (device_memory) CU_ASSERT(tasks.device_bytes <= device_memory);
    CU_ASSERT(tasks.device_bytes <= tasks.device_limit);
    *bytes = tasks.device_bytes;
    s2clr_tasks_free(&tasks);
    return count;
}

/* Less memory, more blocks; too little names what is missing. The grid is that of a whole tile,
 * which nobody computes. */
static void check_memory(rig_bench *b)
{
    const s2clr_engine_options options = {.min_valid = 0.5};
    s2clr_engine_free(b->engine);
    b->engine = NULL;
    TEST_OK(s2clr_grid_new(10980, 10980, b->grid.patch, b->grid.stride, 4, &b->grid));
    TEST_OK(s2clr_engine_new(b->runtime, &b->grid, &options, &b->engine));
    const int window[4] = {0, 0, b->grid.columns, b->grid.rows};
    size_t bytes, fewer, held, left;
    s2clr_tasks none;
    const size_t blocks = blocks_of(b, 0, &bytes);
    TEST_OK(s2clr_engine_device_bytes(b->engine, 0, &held, &left));
    CU_ASSERT(bytes > held && bytes - held <= left);
    const size_t more = blocks_of(b, held + (bytes - held) / 8, &fewer);
    CU_ASSERT(more > blocks && fewer < bytes);
    CU_ASSERT_EQUAL(s2clr_tasks_plan(b->engine, window, (size_t)1 << 30, held + 1, &none),
                    S2CLR_ERR_MEMORY);
    TEST_ERROR_SAYS("of the device's memory are left for pixels");
    TEST_ERROR_SAYS("--device cpu");
}

static void memory(void)
{
    const char *devices[8];
    const int count = find_devices(devices);
    bool any = false;
    for (int d = 0; d < count; d++)
        for (int i = 0; i < 4; i += 3) {
            rig_bench b;
            size_t bytes;
            bench_open(&list[i], devices[d], 2, &b);
            if (b.runtime->backend->memory) {
                any = true;
                check_memory(&b);
            } else {
                blocks_of(&b, 0, &bytes);
                CU_ASSERT_EQUAL(bytes, 0);
            }
            rig_bench_close(&b);
        }
    if (!any) test_skip("no device here has memory of its own");
}

static const test_case cases[] = {
    {"maps", maps},
    {"runtimes", runtimes},
    {"memory", memory},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    const int status = TEST_MAIN("predict_device", cases, argc, argv);
    s2clr_runtime_drop_idle(); /* the pretended CUDA counts what is left */
    return status;
}
