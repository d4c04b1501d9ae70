/*
 * Dense models: the lattice of local logits starts at the first patch; logit k of it sees input
 * pixels [start0 + f*k, + R). A unit is 64 x 64 of them. The patch logit is the mean over the
 * logits inside the patch, summed afresh for every output in one fixed order, rows first, in
 * double: so neither block nor thread can show in a value. For classes a lattice has a plane per
 * class and for an embedding one per feature, and each is treated like the logits.
 */
#include <string.h>

#include "base/memory.h"
#include "predict/pengine.h"

#define UNIT S2CLR_UNIT_POSITIONS
#define CACHE_BYTES ((size_t)32 << 20)
#define SUM_COLUMNS 64 /* neighbouring sums advance together: no effect on their order */

typedef struct dense_job {
    s2clr_engine *engine;
    const s2clr_block *block;
    const uint8_t *pending;
    int64_t unit_x, unit_y; /* first unit of the block */
    size_t across, down;    /* units */
    uint8_t *needed;        // (down, across)
    size_t *item;           /* indices into needed that have to be computed */
    size_t items;
    float *lattice;  // (planes, down * UNIT, across * UNIT)
    double *row_sum; // (lattice rows of the block, columns), of one box at a time
} dense_job;

/* Means over squares of the lattice, one per output: positions first .. first + count - 1 of those
 * inside its patch, on both axes. */
typedef struct dense_box {
    const dense_job *job;
    const float *plane; /* of the lattice */
    int first, count;
    bool calibrate;
    double divisor; /* of the mean, when it is not made a probability, */
    double bias;    /* and what is then added */
    float *out;     // (rows, columns)
} dense_box;

static s2clr_status prepare(s2clr_engine *engine, const s2clr_model *model)
{
    const s2clr_net *net = s2clr_model_net(model);
    const s2clr_grid *grid = &engine->grid;
    const int step = s2clr_net_step(net), field = s2clr_net_field(net);
    if (grid->patch < field || (grid->patch - field) % step != 0)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: patch of %d pixels does not fit a receptive field of %d pixels "
                               "and a step of %d: it must be the field plus a multiple of the step",
                               s2clr_model_path(model), grid->patch, field, step);
    if (grid->stride % step != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "stride %d: must be a multiple of %d",
                               grid->stride, step);
    engine->step = step;
    engine->field = field;
    engine->span = (grid->patch - field) / step + 1;
    engine->ratio = grid->stride / step;
    const int64_t across = (int64_t)(grid->columns - 1) * engine->ratio + engine->span;
    const int64_t down = (int64_t)(grid->rows - 1) * engine->ratio + engine->span;
    return s2clr_unit_cache_new((across + UNIT - 1) / UNIT, (down + UNIT - 1) / UNIT,
                                (size_t)engine->planes * UNIT * UNIT, CACHE_BYTES, &engine->cache);
}

/* Units of one axis that `count` outputs from `first` on need. */
static int64_t first_unit(const s2clr_engine *engine, int first)
{
    return (int64_t)first * engine->ratio / UNIT;
}

static int64_t units_end(const s2clr_engine *engine, int first, int count)
{
    const int64_t last =
        ((int64_t)first + count - 1) * engine->ratio + engine->span - 1; /* local logit */
    return last / UNIT + 1;
}

static int64_t unit_start(const s2clr_engine *engine, int64_t unit)
{
    return s2clr_grid_start(&engine->grid, 0) + unit * UNIT * engine->step;
}

static void reach(const s2clr_engine *engine, int column, int row, int columns, int rows,
                  int64_t box[4])
{
    const int64_t halo = engine->field - engine->step;
    box[0] = unit_start(engine, first_unit(engine, column));
    box[1] = unit_start(engine, first_unit(engine, row));
    box[2] = unit_start(engine, units_end(engine, column, columns)) + halo;
    box[3] = unit_start(engine, units_end(engine, row, rows)) + halo;
}

static int axis_end(const s2clr_engine *engine, int end)
{
    const int64_t used = (int64_t)(end - 1) * engine->ratio + engine->span;
    const int64_t whole = used - used % UNIT;
    return whole < engine->span ? 0 : (int)((whole - engine->span) / engine->ratio) + 1;
}

static int unit_outputs(const s2clr_engine *engine)
{
    return engine->ratio >= UNIT ? 1 : UNIT / engine->ratio;
}

static void shape_job(dense_job *job)
{
    const s2clr_block *block = job->block;
    job->unit_x = first_unit(job->engine, block->column);
    job->unit_y = first_unit(job->engine, block->row);
    job->across = (size_t)(units_end(job->engine, block->column, block->columns) - job->unit_x);
    job->down = (size_t)(units_end(job->engine, block->row, block->rows) - job->unit_y);
}

static size_t lattice_rows(const s2clr_engine *engine, int rows)
{
    return (size_t)(rows - 1) * (size_t)engine->ratio + (size_t)engine->span;
}

static uint64_t units(const s2clr_engine *engine, int columns, int rows)
{
    return (uint64_t)units_end(engine, 0, columns) * (uint64_t)units_end(engine, 0, rows);
}

static size_t scratch(const s2clr_engine *engine, int columns, int rows)
{
    const size_t across = (size_t)units_end(engine, 0, columns) + 1;
    const size_t down = (size_t)units_end(engine, 0, rows) + 1;
    const size_t unit = (size_t)engine->planes * UNIT * UNIT * sizeof(float);
    return across * down * (unit + sizeof(size_t) + 1) +
           lattice_rows(engine, rows) * (size_t)columns * sizeof(double);
}

/* ---- units ---- */

/* A unit is needed when at least one wanted output has a local logit in it. */
static void mark_units(dense_job *job)
{
    const s2clr_engine *engine = job->engine;
    const s2clr_block *block = job->block;
    const uint8_t *pending = job->pending;
    for (int r = block->row; r < block->row + block->rows; r++) {
        const int64_t y0 = first_unit(engine, r) - job->unit_y;
        const int64_t y1 = units_end(engine, r, 1) - job->unit_y;
        for (int c = block->column; c < block->column + block->columns; c++) {
            if (!*pending++) continue;
            const int64_t x0 = first_unit(engine, c) - job->unit_x;
            const int64_t x1 = units_end(engine, c, 1) - job->unit_x;
            for (int64_t y = y0; y < y1; y++)
                for (int64_t x = x0; x < x1; x++) job->needed[y * (int64_t)job->across + x] = 1;
        }
    }
}

/* Copies a unit (planes, UNIT, UNIT) into its place of the lattice, or out of it. */
static void place_unit(const dense_job *job, size_t index, const float *from, float *to)
{
    const size_t width = job->across * UNIT, planes = (size_t)job->engine->planes;
    float *corner = job->lattice + index / job->across * UNIT * width + index % job->across * UNIT;
    for (size_t row = 0; row < planes * UNIT; row++) {
        float *inside = corner + row / UNIT * job->down * UNIT * width + row % UNIT * width;
        if (from)
            memcpy(inside, from + row * UNIT, UNIT * sizeof *inside);
        else
            memcpy(to + row * UNIT, inside, UNIT * sizeof *to);
    }
}

static int64_t unit_column(const dense_job *job, size_t index)
{
    return job->unit_x + (int64_t)(index % job->across);
}

static int64_t unit_row(const dense_job *job, size_t index)
{
    return job->unit_y + (int64_t)(index / job->across);
}

static s2clr_status run_unit(void *context, size_t item, int worker)
{
    const dense_job *job = context;
    const s2clr_engine *engine = job->engine;
    const size_t index = job->item[item];
    const int64_t at[1][2] = {
        {unit_start(engine, unit_column(job, index)), unit_start(engine, unit_row(job, index))}};
    const float *output; // (planes, UNIT, UNIT)
    S2CLR_TRY(s2clr_engine_tick(engine, worker, item, job->items));
    S2CLR_TRY(s2clr_engine_run_unit(engine, job->block, at, worker, &output));
    place_unit(job, index, output, NULL);
    return S2CLR_OK;
}

static s2clr_status fill_lattice(dense_job *job)
{
    s2clr_unit_cache *cache = job->engine->cache;
    mark_units(job);
    for (size_t i = 0; i < job->across * job->down; i++) {
        if (!job->needed[i]) continue;
        const float *known = s2clr_unit_cache_get(cache, unit_column(job, i), unit_row(job, i));
        if (known)
            place_unit(job, i, known, NULL);
        else
            job->item[job->items++] = i;
    }
    S2CLR_TRY(s2clr_engine_run_units(job->engine, job->block, run_unit, job, job->items));
    for (size_t i = 0; i < job->items; i++) {
        const size_t index = job->item[i];
        float *kept = s2clr_unit_cache_put(cache, unit_column(job, index), unit_row(job, index));
        if (kept) place_unit(job, index, NULL, kept);
    }
    return S2CLR_OK;
}

/* ---- box mean ---- */

static s2clr_status sum_row(void *context, size_t item, int worker)
{
    const dense_box *box = context;
    const dense_job *job = box->job;
    const s2clr_engine *engine = job->engine;
    const s2clr_block *block = job->block;
    const int64_t top = (int64_t)block->row * engine->ratio - job->unit_y * UNIT;
    const int64_t left = (int64_t)block->column * engine->ratio - job->unit_x * UNIT + box->first;
    const float *row = box->plane + ((size_t)top + item) * job->across * UNIT + left;
    double *sum = job->row_sum + item * (size_t)block->columns;
    (void)worker;
    for (int c = 0; c < block->columns; c++, row += engine->ratio) {
        double total = 0;
        for (int k = 0; k < box->count; k++) total += row[k];
        sum[c] = total;
    }
    return S2CLR_OK;
}

static s2clr_status mean_row(void *context, size_t item, int worker)
{
    const dense_box *box = context;
    const dense_job *job = box->job;
    const s2clr_engine *engine = job->engine;
    const size_t columns = (size_t)job->block->columns;
    const double *sum =
        job->row_sum + (item * (size_t)engine->ratio + (size_t)box->first) * columns;
    const double area = (double)box->count * box->count;
    (void)worker;
    for (size_t first = 0; first < columns; first += SUM_COLUMNS) {
        const size_t count = columns - first < SUM_COLUMNS ? columns - first : SUM_COLUMNS;
        double total[SUM_COLUMNS] = {0};
        for (size_t k = 0; k < (size_t)box->count; k++)
            for (size_t c = 0; c < count; c++) total[c] += sum[k * columns + first + c];
        for (size_t c = 0; c < count; c++) {
            const size_t at = item * columns + first + c;
            const double mean = total[c] / area;
            if (!job->pending[at]) continue;
            box->out[at] = box->calibrate ? s2clr_engine_calibrate(engine, mean)
                                          : (float)(mean / box->divisor + box->bias);
        }
    }
    return S2CLR_OK;
}

static s2clr_status run_box(const dense_job *job, dense_box box)
{
    s2clr_pool *pool = job->engine->runtime->pool;
    const int rows = job->block->rows;
    box.job = job;
    S2CLR_TRY(s2clr_pool_run(pool, sum_row, &box, lattice_rows(job->engine, rows)));
    return s2clr_pool_run(pool, mean_row, &box, (size_t)rows);
}

/* Logit j of a patch lies f*(j - (span-1)/2) off the centre; inside the output pixel are those
 * from -s/2 up to, but not including, s/2. */
static dense_box evidence_box(const s2clr_engine *engine)
{
    const int reach = engine->span - 1 - engine->ratio;
    const int first = reach > 0 ? (reach + 1) / 2 : 0;
    const int end = (engine->span + engine->ratio) / 2;
    return (dense_box){.first = first,
                       .count = (end < engine->span ? end : engine->span) - first,
                       .divisor = engine->card->temperature,
                       .bias = engine->card->calibration.bias};
}

/* Mean logits to probabilities, in place. p: (K, rows, columns) */
static void classify(const dense_job *job, float *p)
{
    const size_t outputs = (size_t)job->block->columns * (size_t)job->block->rows;
    const size_t classes = (size_t)job->engine->planes;
    float logit[S2CLR_CARD_CLASSES_MAX];
    for (size_t at = 0; at < outputs; at++) {
        if (!job->pending[at]) continue;
        for (size_t k = 0; k < classes; k++) logit[k] = p[k * outputs + at];
        s2clr_engine_classify(job->engine, logit, outputs, p + at);
    }
}

static s2clr_status make_values(const dense_job *job, const s2clr_values *values)
{
    const s2clr_engine *engine = job->engine;
    const size_t plane = job->down * UNIT * job->across * UNIT;
    const size_t outputs = (size_t)job->block->columns * (size_t)job->block->rows;
    dense_box patch = {.plane = job->lattice, .count = engine->span, .divisor = 1};
    if (values->evidence) {
        dense_box inside = evidence_box(engine);
        inside.plane = job->lattice;
        inside.out = values->evidence;
        S2CLR_TRY(run_box(job, inside));
    }
    float *planes = values->embedding ? values->embedding : values->probability;
    patch.calibrate = values->probability && engine->planes == 1;
    for (size_t f = 0; planes && f < (size_t)engine->planes; f++) {
        patch.plane = job->lattice + f * plane;
        patch.out = planes + f * outputs;
        S2CLR_TRY(run_box(job, patch));
    }
    if (values->probability && engine->planes > 1) classify(job, values->probability);
    return S2CLR_OK;
}

static s2clr_status allocate(dense_job *job)
{
    const size_t units = job->across * job->down;
    size_t sums, floats;
    S2CLR_TRY(s2clr_size_mul(lattice_rows(job->engine, job->block->rows),
                             (size_t)job->block->columns, &sums));
    S2CLR_TRY(s2clr_size_mul(units, (size_t)job->engine->planes * UNIT * UNIT, &floats));
    S2CLR_TRY(s2clr_alloc(units, 1, "needed units", (void **)&job->needed));
    S2CLR_TRY(s2clr_alloc(units, sizeof *job->item, "list of units", (void **)&job->item));
    S2CLR_TRY(s2clr_alloc(floats, sizeof(float), "local logits", (void **)&job->lattice));
    return s2clr_alloc(sums, sizeof(double), "sums of local logits", (void **)&job->row_sum);
}

static s2clr_status compute(s2clr_engine *engine, const s2clr_block *block, const uint8_t *pending,
                            const s2clr_values *values)
{
    dense_job job = {.engine = engine, .block = block, .pending = pending};
    shape_job(&job);
    s2clr_status status = allocate(&job);
    if (status == S2CLR_OK) status = fill_lattice(&job);
    if (status == S2CLR_OK) status = make_values(&job, values);
    s2clr_free(job.needed);
    s2clr_free(job.item);
    s2clr_free(job.lattice);
    s2clr_free(job.row_sum);
    return status;
}

const s2clr_engine_kind s2clr_engine_dense = {
    .name = "dense",
    .has_evidence = true,
    .prepare = prepare,
    .reach = reach,
    .column_end = axis_end,
    .row_end = axis_end,
    .unit_columns = unit_outputs,
    .unit_rows = unit_outputs,
    .units = units,
    .scratch = scratch,
    .compute = compute,
};
