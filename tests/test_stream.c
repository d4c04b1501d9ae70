/*
 * The streaming run: levels hold base pixels, pieces tile the window in order, and neither memory
 * nor window nor mask shows in a value.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict/stream.h"
#include "predict_rig.h"

#define AMPLE ((size_t)1 << 30)

/* What a run delivers, put together again: planes of the window asked for. */
typedef struct collector {
    int window[4];
    int planes;         /* first the probability or the features, then valid, then evidence */
    bool extra;         /* valid and evidence are asked for */
    float *map;         // (planes, rows, columns)
    int pieces, narrow; /* narrow: pieces that are not as wide as the window */
    int row, column;    /* where the next piece has to start */
    int row_end;
    bool in_order;
    bool (*want)(int column, int row); /* NULL: all */
    int fail_after;                    /* pieces; 0: never */
} collector;

static s2clr_status wanted(void *context, int column, int row, int columns, int rows, uint8_t *mask,
                           bool *any)
{
    const collector *c = context;
    *any = false;
    for (int y = row; y < row + rows; y++)
        for (int x = column; x < column + columns; x++) {
            const bool yes = c->want(x, y);
            if (mask) *mask++ = yes;
            *any = *any || yes;
        }
    return S2CLR_OK;
}

static void copy_plane(const collector *c, const s2clr_stream_piece *piece, const float *from,
                       float *plane)
{
    for (int y = 0; y < piece->rows; y++)
        for (int x = 0; x < piece->columns; x++) {
            const size_t to = (size_t)(piece->row - c->window[1] + y) * (size_t)c->window[2] +
                              (size_t)(piece->column - c->window[0] + x);
            plane[to] = from ? from[y * piece->columns + x] : NAN;
        }
}

static s2clr_status collect(void *context, const s2clr_stream_piece *piece)
{
    collector *c = context;
    const size_t pixels = (size_t)c->window[2] * (size_t)c->window[3];
    const size_t area = (size_t)piece->columns * (size_t)piece->rows;
    const s2clr_values *v = &piece->values;
    if (c->column == c->window[0]) c->row_end = piece->row + piece->rows;
    if (piece->column != c->column || piece->row != c->row ||
        piece->row + piece->rows != c->row_end)
        c->in_order = false;
    c->column = piece->column + piece->columns;
    c->narrow += piece->columns < c->window[2];
    if (c->column == c->window[0] + c->window[2]) {
        c->column = c->window[0];
        c->row = c->row_end;
    }
    for (int p = 0; p < c->planes - (c->extra ? 2 : 0); p++) {
        const float *first = v->embedding ? v->embedding + (size_t)p * area : v->probability;
        copy_plane(c, piece, piece->empty ? NULL : first, c->map + (size_t)p * pixels);
    }
    if (c->extra) {
        copy_plane(c, piece, v->valid, c->map + (size_t)(c->planes - 2) * pixels);
        copy_plane(c, piece, v->evidence, c->map + (size_t)(c->planes - 1) * pixels);
    }
    c->pieces++;
    if (c->fail_after && c->pieces >= c->fail_after)
        return s2clr_error_set(S2CLR_ERR_IO, "the disk is full");
    return S2CLR_OK;
}

static s2clr_status stream(rig_bench *b, int factor, size_t memory, const s2clr_progress *progress,
                           collector *c, s2clr_stream_times *times)
{
    s2clr_stream_request request = {.factor = factor,
                                    .memory = memory,
                                    .valid = c->extra,
                                    .evidence = c->extra,
                                    .wanted = c->want ? wanted : NULL,
                                    .done = collect,
                                    .context = c,
                                    .progress = progress,
                                    .to = 1};
    memcpy(request.window, c->window, sizeof request.window);
    c->in_order = true;
    c->column = c->window[0];
    c->row = c->window[1];
    c->pieces = c->narrow = 0;
    return s2clr_stream_run(b->engine, b->stack, &request, times);
}

static float *collected(rig_bench *b, int factor, size_t memory, collector *c)
{
    const size_t pixels = (size_t)c->window[2] * (size_t)c->window[3];
    c->map = calloc(pixels * (size_t)c->planes, sizeof *c->map);
    TEST_OK(stream(b, factor, memory, NULL, c, NULL));
    CU_ASSERT(c->in_order);
    CU_ASSERT_EQUAL(c->row, c->window[1] + c->window[3]);
    return c->map;
}

/* As little memory as the whole map can be computed in. */
static size_t little_memory(rig_bench *b, const collector *like)
{
    size_t memory = (size_t)1 << 20;
    for (; memory < AMPLE; memory += memory / 64) {
        collector c = *like;
        c.map = calloc((size_t)c.window[2] * (size_t)c.window[3] * (size_t)c.planes, sizeof(float));
        const s2clr_status status = stream(b, 1, memory, NULL, &c, NULL);
        free(c.map);
        if (status == S2CLR_OK) break;
        CU_ASSERT_EQUAL_FATAL(status, S2CLR_ERR_MEMORY);
    }
    return memory;
}

/* ---- levels ---- */

static int base_of(int level, int factor, int count)
{
    const int base = level * factor + factor / 2;
    return base < count ? base : count - 1;
}

/* Pixel i of level f is base pixel min(f*i + floor(f/2), last), bit by bit. */
static void compare_level(const rig_bench *b, const float *whole, int factor, const collector *c)
{
    const int *w = c->window;
    const size_t all = (size_t)b->grid.columns * (size_t)b->grid.rows;
    int wrong = 0;
    for (int p = 0, i = 0; p < c->planes; p++)
        for (int y = w[1]; y < w[1] + w[3]; y++)
            for (int x = w[0]; x < w[0] + w[2]; x++, i++) {
                const int column = base_of(x, factor, b->grid.columns);
                const int row = base_of(y, factor, b->grid.rows);
                float expected = whole[(size_t)p * all + (size_t)(row * b->grid.columns + column)];
                if (c->want && !c->want(x, y)) expected = NAN;
                const bool same = isnan(expected)
                                      ? isnan(c->map[i])
                                      : memcmp(&expected, &c->map[i], sizeof expected) == 0;
                wrong += !same;
            }
    CU_ASSERT_EQUAL(wrong, 0);
}

static bool checkers(int column, int row)
{
    return (column / 3 + row / 2) % 4 == 1;
}

static void levels_of(const rig_model *model, s2clr_aim aim, bool extra, int stride)
{
    static const int factors[] = {1, 2, 3, 4, 16, 50, 1000};
    rig_bench b;
    int narrow = 0;
    char name[600];
    snprintf(name, sizeof name, "%s", rig_model_make("levels.safetensors", model));
    TEST_OK(rig_bench_open(name, rig_scene_make("levels.tif", &rig_scene_small), "auto", 2, aim,
                           stride, (s2clr_engine_options){.min_valid = 0.5}, &b));
    collector c = {.extra = extra};
    c.planes = s2clr_runtime_planes(b.runtime) + (extra ? 2 : 0);
    memcpy(c.window, (int[4]){0, 0, b.grid.columns, b.grid.rows}, sizeof c.window);
    const size_t little = little_memory(&b, &c);
    float *whole = collected(&b, 1, AMPLE, &c);
    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        const int f = factors[i];
        const int columns = (b.grid.columns - 1) / f + 1, rows = (b.grid.rows - 1) / f + 1;
        const int windows[3][4] = {{0, 0, columns, rows},
                                   {columns / 3, rows / 4, columns - columns / 3, (rows + 1) / 2},
                                   {columns - 1, rows - 1, 1, 1}};
        for (int k = 0; k < 6; k++) {
            memcpy(c.window, windows[k / 2], sizeof c.window);
            c.want = k % 2 ? checkers : NULL;
            collected(&b, f, i % 2 || k > 3 ? AMPLE : little, &c);
            compare_level(&b, whole, f, &c);
            narrow += c.narrow;
            free(c.map);
        }
    }
    CU_ASSERT(narrow > 0); /* the little memory has cut rows as well */
    free(whole);
    rig_bench_close(&b);
}

static void levels_dense(void)
{
    levels_of(&rig_dense, S2CLR_AIM_PROBABILITY, true, 4);
}

static void levels_patch(void)
{
    levels_of(&rig_resnet, S2CLR_AIM_PROBABILITY, false, 14);
}

static void levels_embedding(void)
{
    levels_of(&rig_dense, S2CLR_AIM_EMBEDDING, false, 12);
}

/* ---- what is not computed ---- */

static void far_levels_cost_little(void)
{
    const rig_scene full = {.width = 1200, .height = 1300};
    rig_bench b;
    TEST_OK(rig_bench_open(rig_model_make("far.safetensors", &rig_resnet),
                           rig_scene_make("far.tif", &full), "auto", 2, S2CLR_AIM_PROBABILITY, 16,
                           (s2clr_engine_options){.min_valid = 0}, &b));
    collector c = {.window = {0, 0, 5, 6}, .planes = 1};
    free(collected(&b, 16, AMPLE, &c));
    CU_ASSERT_EQUAL(c.pieces, 6);                         /* a strip per row */
    CU_ASSERT_EQUAL(s2clr_engine_units(b.engine), 5 * 6); /* a unit per pixel */
    c.want = checkers;
    free(collected(&b, 16, AMPLE, &c));
    CU_ASSERT(s2clr_engine_units(b.engine) < 5 * 6 + 15);
    rig_bench_close(&b);
}

/* 400 megapixels with an island in them, in little memory. */
static void emptiness(void)
{
    const int side = 20000;
    rig_bench b;
    s2clr_stream_times times = {0};
    char name[600];
    snprintf(name, sizeof name, "%s", rig_model_make("island.safetensors", &rig_dense));
    const char *island = rig_scene_make("island.tif", &rig_scene_small);
    TEST_OK(rig_bench_open(name, rig_sparse_vrt(island, side, 7168, 9216), "auto", 2,
                           S2CLR_AIM_PROBABILITY, 4, (s2clr_engine_options){.min_valid = 0.5}, &b));
    collector c = {.window = {0, 0, 625, 625}, .planes = 3, .extra = true};
    c.map = calloc(3 * 625 * 625, sizeof *c.map);
    TEST_OK(stream(&b, 8, (size_t)128 << 20, NULL, &c, &times));
    CU_ASSERT(c.in_order);
    CU_ASSERT(times.skipped > 300000);
    int values = 0, shares = 0;
    for (int i = 0; i < 625 * 625; i++) {
        values += !isnan(c.map[i]);
        shares += c.map[625 * 625 + i] > 0;
        CU_ASSERT_FATAL(!isnan(c.map[625 * 625 + i])); /* nothing valid is a share of 0 */
    }
    CU_ASSERT(values > 50 && shares >= values && shares < 500);
    free(c.map);
    rig_bench_close(&b);
}

/* ---- ends before the end ---- */

typedef struct watch {
    int calls, stop_at;
    double last;
    bool rising;
} watch;

static bool watching(void *context, double fraction, const char *message)
{
    watch *w = context;
    (void)message;
    w->rising = w->rising && fraction >= w->last && fraction <= 1;
    w->last = fraction;
    return ++w->calls < w->stop_at;
}

static void cancelled(void)
{
    rig_bench b;
    watch w = {.stop_at = 1 << 30, .rising = true};
    const s2clr_progress progress = {.call = watching, .context = &w};
    TEST_OK(rig_bench_open(rig_model_make("stop.safetensors", &rig_resnet),
                           rig_scene_make("stop.tif", &rig_scene_small), "auto", 1,
                           S2CLR_AIM_PROBABILITY, 16, (s2clr_engine_options){.min_valid = 0.5},
                           &b));
    collector c = {.window = {0, 0, b.grid.columns, b.grid.rows}, .planes = 1};
    const size_t pixels = (size_t)b.grid.columns * (size_t)b.grid.rows;
    float *whole = collected(&b, 1, AMPLE, &c);
    c.map = calloc(pixels, sizeof *c.map);
    TEST_OK(stream(&b, 1, AMPLE, &progress, &c, NULL));
    CU_ASSERT(w.rising && w.last > 0.9);
    const int pieces = c.pieces;
    CU_ASSERT_FATAL(pieces > 5 && w.calls > 150); /* one per unit and more */
    for (int stop = 1; stop < 150; stop += 37) {
        w = (watch){.stop_at = stop, .rising = true};
        CU_ASSERT_EQUAL(stream(&b, 1, AMPLE, &progress, &c, NULL), S2CLR_ERR_CANCELLED);
        CU_ASSERT_EQUAL(w.calls, stop); /* not asked again */
        CU_ASSERT(c.pieces < pieces);
    }
    /* The engine has its own progress back and is as good as new. */
    TEST_OK(stream(&b, 1, AMPLE, NULL, &c, NULL));
    CU_ASSERT_EQUAL(memcmp(whole, c.map, pixels * sizeof *whole), 0);
    c.fail_after = 1;
    CU_ASSERT_EQUAL(stream(&b, 1, AMPLE, NULL, &c, NULL), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("the disk is full");
    CU_ASSERT_EQUAL(c.pieces, 1);
    free(whole);
    free(c.map);
    rig_bench_close(&b);
}

static void refusals(void)
{
    rig_bench b;
    TEST_OK(rig_bench_open(
        rig_model_make("no.safetensors", &rig_resnet), rig_scene_make("no.tif", &rig_scene_small),
        "portable", 1, S2CLR_AIM_PROBABILITY, 16, (s2clr_engine_options){.min_valid = 0.5}, &b));
    float map[16];
    collector c = {.window = {18, 10, 2, 2}, .planes = 1, .map = map}; /* level 2 is 20 x 11 */
    CU_ASSERT_EQUAL(stream(&b, 2, AMPLE, NULL, &c, NULL), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("20 x 11");
    c.window[1] = 9;
    CU_ASSERT_EQUAL(stream(&b, 0, AMPLE, NULL, &c, NULL), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(stream(&b, 2, 1000, NULL, &c, NULL), S2CLR_ERR_MEMORY);
    c.extra = true;
    CU_ASSERT_EQUAL(stream(&b, 2, AMPLE, NULL, &c, NULL), S2CLR_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(c.pieces, 0);
    rig_bench_close(&b);
}

static const test_case cases[] = {
    {"levels_dense", levels_dense},
    {"levels_patch", levels_patch},
    {"levels_embedding", levels_embedding},
    {"far_levels_cost_little", far_levels_cost_little},
    {"emptiness", emptiness},
    {"cancelled", cancelled},
    {"refusals", refusals},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("stream", cases, argc, argv);
}
