/*
 * Patch models: a unit is 4 neighbouring patches of one grid row, the first at a column that is a
 * multiple of 4; patches beyond the last column are zeros.
 */
#include <string.h>

#include "base/memory.h"
#include "predict/pengine.h"

#define UNIT S2CLR_UNIT_PATCHES

typedef struct patch_item {
    int row, unit; /* of the grid; unit is in columns / UNIT */
} patch_item;

typedef struct patch_job {
    s2clr_engine *engine;
    const s2clr_block *block;
    const uint8_t *pending;
    const s2clr_values *values;
    patch_item *item;
    size_t items;
} patch_job;

static s2clr_status prepare(s2clr_engine *engine, const s2clr_model *model)
{
    (void)engine, (void)model;
    return S2CLR_OK;
}

static int first_unit(int column)
{
    return column / UNIT;
}

static int units_end(int column, int columns)
{
    return (column + columns - 1) / UNIT + 1;
}

static void reach(const s2clr_engine *engine, int column, int row, int columns, int rows,
                  int64_t box[4])
{
    const s2clr_grid *grid = &engine->grid;
    const int patch = grid->patch;
    box[0] = s2clr_grid_start(grid, (int64_t)first_unit(column) * UNIT);
    box[1] = s2clr_grid_start(grid, row);
    box[2] = s2clr_grid_start(grid, (int64_t)units_end(column, columns) * UNIT - 1) + patch;
    box[3] = s2clr_grid_start(grid, (int64_t)row + rows - 1) + patch;
}

static int column_end(const s2clr_engine *engine, int end)
{
    (void)engine;
    return end - end % UNIT;
}

static int row_end(const s2clr_engine *engine, int end)
{
    (void)engine;
    return end;
}

static int unit_columns(const s2clr_engine *engine)
{
    (void)engine;
    return UNIT;
}

static int unit_rows(const s2clr_engine *engine)
{
    (void)engine;
    return 1;
}

static uint64_t units(const s2clr_engine *engine, int columns, int rows)
{
    (void)engine;
    return (uint64_t)units_end(0, columns) * (uint64_t)rows;
}

static size_t scratch(const s2clr_engine *engine, int columns, int rows)
{
    (void)engine;
    return ((size_t)columns / UNIT + 2) * (size_t)rows * sizeof(patch_item);
}

static size_t index_in(const s2clr_block *block, int column, int row)
{
    return (size_t)(row - block->row) * (size_t)block->columns + (size_t)(column - block->column);
}

static bool in_block(const s2clr_block *block, int column)
{
    return column >= block->column && column < block->column + block->columns;
}

static void keep(const patch_job *job, const float *result, size_t at)
{
    const size_t outputs = (size_t)job->block->columns * (size_t)job->block->rows;
    if (!job->pending[at]) return;
    if (job->values->probability && job->engine->planes > 1)
        s2clr_engine_classify(job->engine, result, outputs, job->values->probability + at);
    else if (job->values->probability)
        job->values->probability[at] = s2clr_engine_calibrate(job->engine, result[0]);
    for (int f = 0; job->values->embedding && f < job->engine->planes; f++)
        job->values->embedding[(size_t)f * outputs + at] = result[f];
}

static s2clr_status run_unit(void *context, size_t item, int worker)
{
    const patch_job *job = context;
    s2clr_engine *engine = job->engine;
    const s2clr_grid *grid = &engine->grid;
    const int row = job->item[item].row, first = job->item[item].unit * UNIT;
    const size_t floats = engine->runtime->input_count / UNIT;
    float *input = engine->runtime->input[worker];
    float *output = engine->runtime->output[worker]; // (UNIT, planes)
    S2CLR_TRY(s2clr_engine_tick(engine, worker, item, job->items));
    for (int i = 0; i < UNIT; i++) {
        float *patch = input + (size_t)i * floats;
        if (first + i < grid->columns)
            s2clr_engine_cut(engine, job->block, s2clr_grid_start(grid, first + i),
                             s2clr_grid_start(grid, row), grid->patch, grid->patch, patch);
        else
            memset(patch, 0, floats * sizeof *patch);
    }
    S2CLR_TRY(s2clr_session_run(engine->runtime->session[worker], input, output));
    for (int i = 0; i < UNIT; i++)
        if (in_block(job->block, first + i))
            keep(job, output + (size_t)i * (size_t)engine->planes,
                 index_in(job->block, first + i, row));
    return S2CLR_OK;
}

static bool unit_wanted(const patch_job *job, int row, int unit)
{
    for (int i = 0; i < UNIT; i++) {
        const int column = unit * UNIT + i;
        if (in_block(job->block, column) && job->pending[index_in(job->block, column, row)])
            return true;
    }
    return false;
}

static void list_units(patch_job *job)
{
    const s2clr_block *block = job->block;
    const int end = units_end(block->column, block->columns);
    for (int row = block->row; row < block->row + block->rows; row++)
        for (int unit = first_unit(block->column); unit < end; unit++)
            if (unit_wanted(job, row, unit))
                job->item[job->items++] = (patch_item){.row = row, .unit = unit};
}

static s2clr_status compute(s2clr_engine *engine, const s2clr_block *block, const uint8_t *pending,
                            const s2clr_values *values)
{
    patch_job job = {.engine = engine, .block = block, .pending = pending, .values = values};
    const size_t across =
        (size_t)(units_end(block->column, block->columns) - first_unit(block->column));
    S2CLR_TRY(s2clr_alloc(across * (size_t)block->rows, sizeof *job.item, "list of units",
                          (void **)&job.item));
    list_units(&job);
    const s2clr_status status = s2clr_pool_run(engine->runtime->pool, run_unit, &job, job.items);
    if (status == S2CLR_OK) engine->units += job.items;
    s2clr_free(job.item);
    return status;
}

const s2clr_engine_kind s2clr_engine_patch = {
    .name = "patch",
    .has_evidence = false,
    .prepare = prepare,
    .reach = reach,
    .column_end = column_end,
    .row_end = row_end,
    .unit_columns = unit_columns,
    .unit_rows = unit_rows,
    .units = units,
    .scratch = scratch,
    .compute = compute,
};
