/*
 * Blending: against the definition computed pixel by pixel, closed forms, and itself cut otherwise.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict/blend.h"
#include "predict_rig.h"

enum { WIDTH = 97, HEIGHT = 61 };

typedef struct result {
    float *values; // (HEIGHT, WIDTH) at most
    int columns, next;
} result;

static s2clr_status collect(void *context, int row, int rows, float *values)
{
    result *r = context;
    CU_ASSERT_EQUAL(row, r->next);
    memcpy(r->values + (size_t)row * (size_t)r->columns, values,
           (size_t)rows * (size_t)r->columns * sizeof *values);
    r->next += rows;
    return S2CLR_OK;
}

static s2clr_grid make_grid(int patch, int stride)
{
    s2clr_grid grid = {0};
    TEST_OK(s2clr_grid_new(WIDTH, HEIGHT, patch, stride, 0, &grid));
    return grid;
}

/* Blends a window of `map` (the grid's), in pieces of the given size. */
static float *blend(const s2clr_grid *grid, const float *map, const int window[4], int columns,
                    int rows)
{
    int need[4];
    s2clr_blend *b = NULL;
    result r = {.columns = window[2]};
    float *piece = calloc((size_t)columns * (size_t)rows, sizeof *piece);
    r.values = calloc((size_t)window[2] * (size_t)window[3], sizeof *r.values);
    s2clr_blend_patches(grid, window, need);
    TEST_OK(s2clr_blend_new(grid, window, collect, &r, &b));
    for (int y = need[1]; y < need[1] + need[3]; y += rows)
        for (int x = need[0]; x < need[0] + need[2]; x += columns) {
            const int w = need[0] + need[2] - x < columns ? need[0] + need[2] - x : columns;
            const int h = need[1] + need[3] - y < rows ? need[1] + need[3] - y : rows;
            for (int i = 0; i < h; i++)
                memcpy(piece + i * w, map + (y + i) * grid->columns + x, (size_t)w * sizeof *piece);
            TEST_OK(s2clr_blend_put(b, x, y, w, h, piece));
        }
    TEST_OK(s2clr_blend_end(b));
    CU_ASSERT_EQUAL(r.next, window[3]);
    s2clr_blend_free(b);
    free(piece);
    return r.values;
}

/* The definition: all patches of the grid, one pixel. */
static double slow(const s2clr_grid *grid, const float *map, int x, int y)
{
    double sum = 0, weight = 0;
    for (int j = 0; j < grid->rows; j++)
        for (int i = 0; i < grid->columns; i++) {
            const int k = x - (grid->stride * i + grid->stride / 2 - grid->patch / 2);
            const int l = y - (grid->stride * j + grid->stride / 2 - grid->patch / 2);
            const float p = map[j * grid->columns + i];
            if (k < 0 || l < 0 || k >= grid->patch || l >= grid->patch || isnan(p)) continue;
            const double w = pow(sin(M_PI * (k + 0.5) / grid->patch), 2) *
                             pow(sin(M_PI * (l + 0.5) / grid->patch), 2);
            sum += w * p;
            weight += w;
        }
    return weight > 0 ? sum / weight : NAN;
}

static float *make_map(const s2clr_grid *grid, double holes, unsigned seed)
{
    const size_t count = (size_t)grid->columns * (size_t)grid->rows;
    float *map = calloc(count, sizeof *map);
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        map[i] = (seed >> 8) % 1000 < holes * 1000 ? NAN : (float)(seed >> 16) / 65535.0f;
    }
    return map;
}

static void definition(void)
{
    static const int shapes[][2] = {{28, 4}, {32, 16}, {7, 3}, {8, 1}, {13, 5}};
    static const double holes[] = {0, 0.4, 0.97};
    const int whole[4] = {0, 0, WIDTH, HEIGHT};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (size_t h = 0; h < 3; h++) {
            const s2clr_grid grid = make_grid(shapes[s][0], shapes[s][1]);
            float *map = make_map(&grid, holes[h], 7u + (unsigned)h);
            float *out = blend(&grid, map, whole, grid.columns, 3);
            int wrong = 0;
            for (int i = 0; i < WIDTH * HEIGHT; i += 5) {
                const double expected = slow(&grid, map, i % WIDTH, i / WIDTH);
                wrong += isnan(expected) ? !isnan(out[i]) : !(fabs(out[i] - expected) < 1e-6);
            }
            CU_ASSERT_EQUAL(wrong, 0);
            free(out);
            free(map);
        }
}

/* One patch alone: its value wherever it reaches, nodata elsewhere. A constant: itself, exactly. */
static void closed_forms(void)
{
    const int whole[4] = {0, 0, WIDTH, HEIGHT};
    const s2clr_grid grid = make_grid(28, 4);
    const size_t count = (size_t)grid.columns * (size_t)grid.rows;
    float *map = calloc(count, sizeof *map);
    for (size_t i = 0; i < count; i++) map[i] = NAN;
    map[5 * grid.columns + 9] = 0.3f;
    float *out = blend(&grid, map, whole, 5, 2);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const bool inside = x >= 24 && x < 52 && y >= 8 && y < 36; /* 4 i + 2 - 14 */
            const float v = out[y * WIDTH + x];
            CU_ASSERT(inside ? v == 0.3f : isnan(v));
        }
    free(out);
    for (size_t i = 0; i < count; i++) map[i] = 0.1234567f;
    out = blend(&grid, map, whole, 7, 3);
    for (int i = 0; i < WIDTH * HEIGHT; i++) CU_ASSERT_EQUAL(out[i], 0.1234567f);
    free(out);
    free(map);
}

static void pieces_and_windows(void)
{
    static const int cuts[][2] = {{1, 1}, {3, 2}, {100, 1}, {6, 100}, {100, 100}};
    const int whole[4] = {0, 0, WIDTH, HEIGHT};
    const s2clr_grid grid = make_grid(28, 4);
    float *map = make_map(&grid, 0.5, 99);
    float *expected = blend(&grid, map, whole, grid.columns, grid.rows);
    unsigned seed = 5;
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        float *out = blend(&grid, map, whole, cuts[i][0], cuts[i][1]);
        rig_same_bytes(expected, WIDTH, 0, 0, out, WIDTH, HEIGHT);
        free(out);
    }
    for (int i = 0; i < 100; i++) {
        int window[4];
        seed = seed * 1664525u + 1013904223u;
        window[0] = (int)((seed >> 8) % WIDTH);
        window[1] = (int)((seed >> 16) % HEIGHT);
        seed = seed * 1664525u + 1013904223u;
        window[2] = 1 + (int)((seed >> 8) % (unsigned)(WIDTH - window[0]));
        window[3] = 1 + (int)((seed >> 16) % (unsigned)(HEIGHT - window[1]));
        float *out = blend(&grid, map, window, 1 + i % 9, 1 + i % 4);
        rig_same_bytes(expected, WIDTH, window[0], window[1], out, window[2], window[3]);
        free(out);
    }
    free(expected);
    free(map);
}

/* Pieces that never come are nodata. */
static void gaps(void)
{
    const int whole[4] = {0, 0, WIDTH, HEIGHT};
    const s2clr_grid grid = make_grid(8, 1);
    result r = {.columns = WIDTH};
    s2clr_blend *b = NULL;
    const float one = 1;
    r.values = calloc(WIDTH * HEIGHT, sizeof *r.values);
    TEST_OK(s2clr_blend_new(&grid, whole, collect, &r, &b));
    TEST_OK(s2clr_blend_put(b, 40, 50, 1, 1, &one));
    TEST_OK(s2clr_blend_end(b));
    CU_ASSERT_EQUAL(r.next, HEIGHT);
    int valid = 0;
    for (int i = 0; i < WIDTH * HEIGHT; i++) valid += r.values[i] == 1;
    CU_ASSERT_EQUAL(valid, 64);
    s2clr_blend_free(b);
    free(r.values);
}

static void too_sparse(void)
{
    const int whole[4] = {0, 0, WIDTH, HEIGHT};
    const s2clr_grid grid = make_grid(28, 15);
    s2clr_blend *b = NULL;
    CU_ASSERT_EQUAL(s2clr_blend_new(&grid, whole, collect, NULL, &b), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("at most 14");
    CU_ASSERT_PTR_NULL(b);
}

/* A whole run: the map of a run without blending, spread by the definition; windows, memory. */
static void whole_run(void)
{
    const int window[4] = {100, 60, 333, 171};
    rig_job j;
    int columns, rows;
    char model[600], scene[600];
    snprintf(model, sizeof model, "%s", rig_model_make("run.safetensors", &rig_dense));
    snprintf(scene, sizeof scene, "%s", rig_scene_make("run.tif", &rig_scene_small));
    rig_job_make(model, scene, predict_rig_path("run-map.tif"), &j);
    TEST_OK(rig_job_run(&j));
    float *map = rig_raster_read(j.settings.output, &columns, &rows);
    s2clr_grid grid = {0};
    TEST_OK(s2clr_grid_new(rig_scene_small.width, rig_scene_small.height, 28, 4, 4, &grid));
    rig_job_make(model, scene, predict_rig_path("run-blend.tif"), &j);
    j.settings.blend = true;
    TEST_OK(rig_job_run(&j));
    float *all = rig_raster_read(j.settings.output, &columns, &rows);
    CU_ASSERT_EQUAL(columns, grid.width);
    CU_ASSERT_EQUAL(rows, grid.height);
    for (int i = 0; i < 400; i++) {
        const int x = (i * 7919) % columns, y = (i * 104729) % rows;
        const double expected = slow(&grid, map, x, y);
        const float value = all[(size_t)y * (size_t)columns + (size_t)x];
        CU_ASSERT(isnan(expected) ? isnan(value) : fabs(value - expected) < 1e-6);
    }
    j.settings.srcwin = window;
    j.settings.output = predict_rig_path("run-window.tif");
    j.settings.memory_mb = 30;
    TEST_OK(rig_job_run(&j));
    int w, h;
    float *part = rig_raster_read(j.settings.output, &w, &h);
    CU_ASSERT(w == window[2] && h == window[3]);
    rig_same_bytes(all, columns, window[0], window[1], part, w, h);
    free(part);
    free(all);
    free(map);
}

static const test_case cases[] = {
    {"definition", definition},
    {"closed forms", closed_forms},
    {"pieces and windows", pieces_and_windows},
    {"gaps", gaps},
    {"too sparse", too_sparse},
    {"whole run", whole_run},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("blend", cases, argc, argv);
}
