/*
 * The engine against its definitions: the valid share counted pixel by pixel, the value of a patch
 * run alone, and independence of block, order and thread.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_select.h"
#include "harness.h"
#include "net/infer.h"
#include "predict_rig.h"

typedef rig_bench bench;

static s2clr_status bench_open(const char *model, const char *scene, const char *device,
                               int threads, int stride, s2clr_engine_options options, bench *b)
{
    return rig_bench_open(model, scene, device, threads, S2CLR_AIM_PROBABILITY, stride, options, b);
}

static size_t outputs(const bench *b)
{
    return (size_t)b->grid.columns * (size_t)b->grid.rows;
}

static s2clr_status run(bench *b, int column, int row, int columns, int rows, float *probability,
                        float *fraction)
{
    const s2clr_values values = {.probability = probability, .valid = fraction};
    return rig_bench_run(b, column, row, columns, rows, NULL, &values);
}

/* The whole grid in one block; the caller frees. */
static float *whole(bench *b, float *fraction)
{
    float *values = calloc(outputs(b), sizeof *values);
    TEST_OK(run(b, 0, 0, b->grid.columns, b->grid.rows, values, fraction));
    return values;
}

static const rig_model dense = {.arch = "dense", .width = 4, .depth = 1, .patch = 28, .stride = 4};
static const rig_model resnet = {
    .arch = "resnet18", .width = 4, .patch = 32, .stride = 16, .temperature = 1.7};

static rig_model constant(rig_model model, double bias)
{
    model.constant = true;
    model.bias = bias;
    return model;
}

static bool holes(int x, int y)
{
    return !((x % 37 < 11 && y % 29 < 13) || (x > 40 && x < 60 && y > 20));
}

static bool lower_half(int x, int y)
{
    (void)x;
    return y >= 60;
}

/* ---- constant models ---- */

static void check_constant(const char *model, const rig_model *what, const rig_scene *scene,
                           int stride, double min_valid)
{
    bench b;
    const char *path = rig_scene_make("constant.tif", scene);
    const double temperature = what->temperature > 0 ? what->temperature : 1;
    const float expected = (float)(1 / (1 + exp(-(double)(float)what->bias / temperature)));
    TEST_OK(bench_open(model, path, "portable", 1, stride,
                       (s2clr_engine_options){.min_valid = min_valid}, &b));
    if (b.engine) {
        float *fraction = calloc(outputs(&b), sizeof *fraction), *values = whole(&b, fraction);
        for (int row = 0, i = 0; row < b.grid.rows; row++)
            for (int column = 0; column < b.grid.columns; column++, i++) {
                const unsigned count = rig_valid_count(scene, what->patch, stride, column, row);
                const double share = count / ((double)what->patch * what->patch);
                CU_ASSERT_EQUAL(fraction[i], (float)share);
                if (count > 0 && share >= min_valid)
                    CU_ASSERT_EQUAL(values[i], expected)
                else
                    CU_ASSERT(isnan(values[i]));
            }
        free(fraction);
        free(values);
    }
    rig_bench_close(&b);
}

static void constant_of(const rig_model *model, const int *strides, const int *sizes, int count)
{
    const char *path = rig_model_make("constant.safetensors", model);
    char name[600];
    snprintf(name, sizeof name, "%s", path);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < count; i++)
            for (int j = 0; j < count; j++) {
                const rig_scene scene = {
                    .width = sizes[i], .height = sizes[j], .valid = (i + j + k) % 2 ? holes : NULL};
                check_constant(name, model, &scene, strides[k], (i + k) % 3 ? 0.5 : 0.3);
            }
}

static void constant_dense(void)
{
    const rig_model model = constant(dense, 0.75);
    constant_of(&model, (const int[]){4, 12, 32}, (const int[]){1, 13, 28, 29, 57, 84}, 6);
}

static void constant_patch(void)
{
    const rig_model model = constant(resnet, -1.25);
    constant_of(&model, (const int[]){3, 16, 40}, (const int[]){1, 15, 32, 33, 66, 96}, 6);
}

/* The edges of --min-valid: exactly at the threshold counts as enough; nothing valid never does. */
static void thresholds(void)
{
    const rig_model model = constant(dense, 2);
    const rig_scene scene = {.width = 100, .height = 120, .valid = lower_half};
    char name[600];
    snprintf(name, sizeof name, "%s", rig_model_make("threshold.safetensors", &model));
    check_constant(name, &model, &scene, 4, 0.0);
    check_constant(name, &model, &scene, 4, 0.5);
    check_constant(name, &model, &scene, 4, 1.0);
}

/* ---- the value of a patch alone ---- */

static void compare_alone(bench *b, const char *wish, const float *values, int step)
{
    const int patch = b->grid.patch;
    const size_t count = (size_t)RIG_BANDS * (size_t)patch * (size_t)patch;
    float *input = calloc(count, sizeof *input), logit = 0;
    uint8_t *valid = calloc((size_t)patch * (size_t)patch, 1);
    const s2clr_backend *backend = NULL;
    s2clr_device *device = NULL;
    s2clr_plan *plan = NULL;
    s2clr_session *session = NULL;
    int compared = 0;
    TEST_OK(s2clr_device_select(wish, S2CLR_F32, &backend, &device));
    TEST_OK(s2clr_plan_new(s2clr_model_net(b->model), s2clr_model_params(b->model), backend, device,
                           S2CLR_OUTPUT_LOGITS, 1, patch, patch, &plan));
    if (plan) TEST_OK(s2clr_session_new(plan, &session));
    for (int i = 0; session && i < b->grid.columns * b->grid.rows; i += step) {
        const int64_t x = s2clr_grid_start(&b->grid, i % b->grid.columns);
        const int64_t y = s2clr_grid_start(&b->grid, i / b->grid.columns);
        TEST_OK(s2clr_stack_read(b->stack, x, y, patch, patch, input, valid));
        TEST_OK(s2clr_session_run(session, input, &logit));
        if (isnan(values[i])) continue;
        const double temperature = s2clr_model_card(b->model)->temperature;
        TEST_NEAR(values[i], 1 / (1 + exp(-logit / temperature)), 1e-5);
        compared++;
    }
    CU_ASSERT(compared > 30);
    s2clr_session_free(session);
    s2clr_plan_free(plan);
    backend->device_close(device);
    free(input);
    free(valid);
}

static double spread(const float *values, size_t count)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) continue;
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    return high - low;
}

static void alone(const rig_model *model, int stride, int step)
{
    static const char *const backends[] = {"portable", "auto"};
    const rig_scene scene = {.width = 401, .height = 283, .valid = holes};
    char name[600], path[600];
    snprintf(name, sizeof name, "%s", rig_model_make("alone.safetensors", model));
    snprintf(path, sizeof path, "%s", rig_scene_make("alone.tif", &scene));
    for (int i = 0; i < 2; i++) {
        bench b;
        TEST_OK(bench_open(name, path, backends[i], 2, stride,
                           (s2clr_engine_options){.min_valid = 0.6}, &b));
        if (b.engine) {
            float *values = whole(&b, NULL);
            CU_ASSERT(spread(values, outputs(&b)) > 1e-3); /* or the comparison shows nothing */
            compare_alone(&b, backends[i], values, step);
            free(values);
        }
        rig_bench_close(&b);
    }
}

static void alone_dense(void)
{
    alone(&dense, 4, 61);
    alone(&dense, 24, 5);
}

static void alone_patch(void)
{
    alone(&resnet, 16, 5);
}

/* ---- blocks, threads, order ---- */

static void fill(bench *b, int columns, int rows, bool backwards, float *values)
{
    const int across = (b->grid.columns - 1) / columns + 1, down = (b->grid.rows - 1) / rows + 1;
    float *block = calloc((size_t)columns * (size_t)rows, sizeof *block);
    for (int k = 0; k < across * down; k++) {
        const int at = backwards ? across * down - 1 - k : k;
        const int column = at % across * columns, row = at / across * rows;
        const int w = b->grid.columns - column < columns ? b->grid.columns - column : columns;
        const int h = b->grid.rows - row < rows ? b->grid.rows - row : rows;
        TEST_OK(run(b, column, row, w, h, block, NULL));
        for (int r = 0; r < h; r++)
            memcpy(values + (size_t)(row + r) * (size_t)b->grid.columns + column,
                   block + (size_t)r * (size_t)w, (size_t)w * sizeof *values);
    }
    free(block);
}

static void independence(const rig_model *model, int stride)
{
    static const int blocks[][4] = {
        {1000, 1000, 0, 1}, {7, 1000, 1, 2}, {1000, 5, 0, 3}, {13, 11, 1, 3}, {40, 9, 0, 2},
    };
    const rig_scene scene = {.width = 612, .height = 349, .valid = holes};
    char name[600], path[600];
    float *first = NULL;
    snprintf(name, sizeof name, "%s", rig_model_make("blocks.safetensors", model));
    snprintf(path, sizeof path, "%s", rig_scene_make("blocks.tif", &scene));
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        bench b;
        TEST_OK(bench_open(name, path, "auto", blocks[i][3], stride,
                           (s2clr_engine_options){.min_valid = 0.5}, &b));
        float *values = calloc(outputs(&b), sizeof *values);
        const int columns = blocks[i][0] < b.grid.columns ? blocks[i][0] : b.grid.columns;
        const int rows = blocks[i][1] < b.grid.rows ? blocks[i][1] : b.grid.rows;
        fill(&b, columns, rows, blocks[i][2], values);
        if (first) CU_ASSERT_EQUAL(memcmp(first, values, outputs(&b) * sizeof *values), 0);
        if (first)
            free(values);
        else
            first = values;
        rig_bench_close(&b);
    }
    free(first);
}

static void independence_dense(void)
{
    independence(&dense, 4);
    independence(&dense, 16);
}

static void independence_patch(void)
{
    independence(&resnet, 14);
}

/* ---- wishes, refusals, cancelling ---- */

static void wanted_only(const rig_model *model, int stride)
{
    const rig_scene scene = {.width = 300, .height = 200, .valid = holes};
    bench b;
    char name[600];
    snprintf(name, sizeof name, "%s", rig_model_make("wanted.safetensors", model));
    TEST_OK(bench_open(name, rig_scene_make("wanted.tif", &scene), "auto", 2, stride,
                       (s2clr_engine_options){.min_valid = 0.5}, &b));
    float *shares = calloc(outputs(&b), sizeof *shares), *all = whole(&b, shares);
    float *some = calloc(outputs(&b), sizeof *some), *share = calloc(outputs(&b), sizeof *share);
    uint8_t *wanted = calloc(outputs(&b), 1);
    for (size_t i = 0; i < outputs(&b); i++) wanted[i] = i % 7 == 3;
    const s2clr_values values = {.probability = some, .valid = share};
    TEST_OK(rig_bench_run(&b, 0, 0, b.grid.columns, b.grid.rows, wanted, &values));
    for (size_t i = 0; i < outputs(&b); i++) {
        if (wanted[i]) {
            CU_ASSERT_EQUAL(memcmp(&all[i], &some[i], sizeof all[i]), 0);
            CU_ASSERT_EQUAL(shares[i], share[i]);
        } else {
            CU_ASSERT(isnan(some[i]) && isnan(share[i]));
        }
    }
    free(wanted);
    free(some);
    free(share);
    free(shares);
    free(all);
    rig_bench_close(&b);
}

static void wanted(void)
{
    wanted_only(&dense, 8);
    wanted_only(&resnet, 16);
}

static bool stop_at_once(void *context, double fraction, const char *message)
{
    (void)context, (void)fraction, (void)message;
    return false;
}

static void cancelled(void)
{
    const rig_scene scene = {.width = 90, .height = 90};
    bench b;
    float *values = calloc(23 * 23, sizeof *values);
    const s2clr_engine_options options = {.min_valid = 0.5, .progress = {.call = stop_at_once}};
    TEST_OK(bench_open(rig_model_make("stop.safetensors", &dense),
                       rig_scene_make("stop.tif", &scene), "portable", 1, 4, options, &b));
    CU_ASSERT_EQUAL(run(&b, 0, 0, 23, 23, values, NULL), S2CLR_ERR_CANCELLED);
    free(values);
    rig_bench_close(&b);
}

static void refuse(int patch, double min_valid, int expected, const char *text)
{
    const rig_scene scene = {.width = 90, .height = 90};
    bench b;
    rig_model model = dense;
    model.patch = patch;
    const char *path = rig_model_make("refuse.safetensors", &model);
    CU_ASSERT_EQUAL((int)bench_open(path, rig_scene_make("refuse.tif", &scene), "portable", 1, 4,
                                    (s2clr_engine_options){.min_valid = min_valid}, &b),
                    expected);
    TEST_ERROR_SAYS(text);
    rig_bench_close(&b);
}

static void refusals(void)
{
    const double zero = 0;
    refuse(28, 1.5, S2CLR_ERR_ARGUMENT, "between 0 and 1");
    refuse(28, zero / zero, S2CLR_ERR_ARGUMENT, "between 0 and 1");
}

static const test_case cases[] = {
    {"constant_dense", constant_dense},
    {"constant_patch", constant_patch},
    {"thresholds", thresholds},
    {"alone_dense", alone_dense},
    {"alone_patch", alone_patch},
    {"independence_dense", independence_dense},
    {"independence_patch", independence_patch},
    {"wanted", wanted},
    {"cancelled", cancelled},
    {"refusals", refusals},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("engine", cases, argc, argv);
}
