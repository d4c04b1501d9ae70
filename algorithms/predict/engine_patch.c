/*
 * Patch models: a unit is U neighbouring patches of one grid row, the first at a column that is a
 * multiple of U; patches beyond the last column are zeros. U is the runtime's.
 */
#include "base/memory.h"
#include "predict/pengine.h"

typedef struct patch_item {
    int row, unit; /* of the grid; unit is in columns / U */
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

static int first_unit(const s2clr_engine *engine, int column)
{
    return column / engine->runtime->unit;
}

static int units_end(const s2clr_engine *engine, int column, int columns)
{
    return (column + columns - 1) / engine->runtime->unit + 1;
}

static void reach(const s2clr_engine *engine, int column, int row, int columns, int rows,
                  int64_t box[4])
{
    const s2clr_grid *grid = &engine->grid;
    const int patch = grid->patch, unit = engine->runtime->unit;
    box[0] = s2clr_grid_start(grid, (int64_t)first_unit(engine, column) * unit);
    box[1] = s2clr_grid_start(grid, row);
    box[2] = s2clr_grid_start(grid, (int64_t)units_end(engine, column, columns) * unit - 1) + patch;
    box[3] = s2clr_grid_start(grid, (int64_t)row + rows - 1) + patch;
}

static int column_end(const s2clr_engine *engine, int end)
{
    return end - end % engine->runtime->unit;
}

static int row_end(const s2clr_engine *engine, int end)
{
    (void)engine;
    return end;
}

static int unit_columns(const s2clr_engine *engine)
{
    return engine->runtime->unit;
}

static int unit_rows(const s2clr_engine *engine)
{
    (void)engine;
    return 1;
}

static uint64_t units(const s2clr_engine *engine, int columns, int rows)
{
    return (uint64_t)units_end(engine, 0, columns) * (uint64_t)rows;
}

static size_t scratch(const s2clr_engine *engine, int columns, int rows)
{
    return ((size_t)columns / (size_t)engine->runtime->unit + 2) * (size_t)rows *
           sizeof(patch_item);
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
    const s2clr_engine *engine = job->engine;
    const s2clr_grid *grid = &engine->grid;
    const int unit = engine->runtime->unit;
    const int row = job->item[item].row, first = job->item[item].unit * unit;
    const float *output; // (unit, planes)
    int64_t at[unit][2];
    S2CLR_TRY(s2clr_engine_tick(engine, worker, item, job->items));
    for (int i = 0; i < unit; i++) {
        at[i][0] = first + i < grid->columns ? s2clr_grid_start(grid, first + i) : S2CLR_NOWHERE;
        at[i][1] = s2clr_grid_start(grid, row);
    }
    S2CLR_TRY(s2clr_engine_run_unit(engine, job->block, (const int64_t(*)[2])at, worker, &output));
    for (int i = 0; i < unit; i++)
        if (in_block(job->block, first + i))
            keep(job, output + (size_t)i * (size_t)engine->planes,
                 index_in(job->block, first + i, row));
    return S2CLR_OK;
}

static bool unit_wanted(const patch_job *job, int row, int unit)
{
    const int patches = job->engine->runtime->unit;
    for (int i = 0; i < patches; i++) {
        const int column = unit * patches + i;
        if (in_block(job->block, column) && job->pending[index_in(job->block, column, row)])
            return true;
    }
    return false;
}

static void list_units(patch_job *job)
{
    const s2clr_block *block = job->block;
    const int begin = first_unit(job->engine, block->column);
    const int end = units_end(job->engine, block->column, block->columns);
    for (int row = block->row; row < block->row + block->rows; row++)
        for (int unit = begin; unit < end; unit++)
            if (unit_wanted(job, row, unit))
                job->item[job->items++] = (patch_item){.row = row, .unit = unit};
}

static s2clr_status compute(s2clr_engine *engine, const s2clr_block *block, const uint8_t *pending,
                            const s2clr_values *values)
{
    patch_job job = {.engine = engine, .block = block, .pending = pending, .values = values};
    const int across =
        units_end(engine, block->column, block->columns) - first_unit(engine, block->column);
    S2CLR_TRY(s2clr_alloc((size_t)across * (size_t)block->rows, sizeof *job.item, "list of units",
                          (void **)&job.item));
    list_units(&job);
    const s2clr_status status = s2clr_engine_run_units(engine, block, run_unit, &job, job.items);
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
