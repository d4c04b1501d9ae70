/*
 * The cut of a run into blocks, for sizes that no test could compute.
 */
#include <gdal.h>
#include <string.h>

#include "harness.h"
#include "predict/model_share.h"
#include "predict/tasks.h"
#include "predict_rig.h"

/* Every output exactly once, ends where units end, memory kept: for any size and memory. */
static void cover_once(const s2clr_engine *engine, const int window[4], size_t memory)
{
    s2clr_tasks tasks;
    TEST_OK(s2clr_tasks_plan(engine, window, memory, 0, &tasks));
    int64_t pixels = 0;
    int row = window[1], column = window[0], next = 0;
    for (size_t i = 0; i < tasks.count; i++) {
        const s2clr_task_block *b = &tasks.block[i];
        CU_ASSERT(b->row == row && b->column == column && b->columns > 0 && b->rows > 0);
        CU_ASSERT(next == 0 || b->row + b->rows == next);
        next = b->row + b->rows;
        pixels += (int64_t)b->columns * b->rows;
        column += b->columns;
        if (column == window[0] + window[2]) {
            column = window[0];
            row = next;
            next = 0;
        }
    }
    CU_ASSERT_EQUAL(row, window[1] + window[3]);
    CU_ASSERT_EQUAL(pixels, (int64_t)window[2] * window[3]);
    CU_ASSERT(tasks.bytes + s2clr_tasks_cache_bytes(memory) <= memory);
    s2clr_tasks_free(&tasks);
}

static void tasks_of(const rig_model *what, s2clr_aim aim)
{
    static const int sides[][2] = {
        {100000, 100000}, {10980, 10980}, {61, 9000}, {9000, 61}, {1, 1}};
    const s2clr_engine_options options = {.min_valid = 0.5};
    const s2clr_model *model = NULL;
    s2clr_runtime *runtime = NULL;
    TEST_OK(s2clr_model_acquire(rig_model_make("tasks.safetensors", what), &model));
    TEST_OK(s2clr_runtime_acquire(model, "portable", S2CLR_F32, 2, aim, &runtime));
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        s2clr_grid grid;
        s2clr_engine *engine = NULL;
        TEST_OK(s2clr_grid_new(sides[i][0], sides[i][1], what->patch, what->stride, 0, &grid));
        TEST_OK(s2clr_engine_new(runtime, &grid, &options, &engine));
        const int all[4] = {0, 0, grid.columns, grid.rows};
        const int part[4] = {grid.columns / 3, grid.rows / 5, grid.columns - grid.columns / 3,
                             (grid.rows + 1) / 2};
        for (size_t memory = 128; memory <= 8192; memory *= 4) {
            cover_once(engine, all, memory << 20);
            cover_once(engine, part, memory << 20);
        }
        s2clr_tasks none;
        CU_ASSERT_EQUAL(s2clr_tasks_plan(engine, all, 1000, 0, &none), S2CLR_ERR_MEMORY);
        s2clr_engine_free(engine);
    }
    s2clr_runtime_release(runtime);
    s2clr_model_release(model);
}

static void tasks(void)
{
    tasks_of(&rig_dense, S2CLR_AIM_PROBABILITY);
    tasks_of(&rig_resnet, S2CLR_AIM_PROBABILITY);
    tasks_of(&rig_dense, S2CLR_AIM_EMBEDDING);
    tasks_of(&rig_resnet, S2CLR_AIM_EMBEDDING);
}

static const test_case cases[] = {
    {"tasks", tasks},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("tasks", cases, argc, argv);
}
