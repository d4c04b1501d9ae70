#include "predict/predict_measure.h"

#include <string.h>

#include "base/memory.h"
#include "base/philox.h"
#include "predict/clock.h"
#include "predict/reader.h"
#include "sentinel2/stack_decode.h"

#define READ_PIXELS 320 /* side of the piece read; files are decoded in whole tiles anyway */
#define LONG_ENOUGH 0.5 /* seconds of computing that can be trusted */
#define SAMPLES_MOST 24
#define GROWTH 4          /* from one sample to the next one */
#define NOISE_PERIOD 4099 /* values before they repeat */

/* ---- reading ---- */

s2clr_status s2clr_predict_measure_read(const s2clr_predict_job *job, int column, int row,
                                        s2clr_plan_sample *out)
{
    const s2clr_grid *grid = &job->grid;
    const int side = READ_PIXELS / grid->stride > 1 ? READ_PIXELS / grid->stride : 1;
    s2clr_task_block piece = {.column = column, .row = row, .columns = side, .rows = side};
    if (column + side > grid->columns) piece.columns = grid->columns - column;
    if (row + side > grid->rows) piece.rows = grid->rows - row;
    const s2clr_tasks tasks = {.block = &piece, .count = 1};
    s2clr_block block;
    s2clr_reader *reader;
    double seconds;
    S2CLR_TRY(s2clr_reader_start(job->stack, job->engine, &tasks, job->result.threads, &reader));
    const s2clr_status status = s2clr_reader_next(reader, job->progress, 0, &block);
    s2clr_reader_stop(reader, &seconds);
    S2CLR_TRY(status);
    const uint64_t bytes =
        s2clr_stack_decode_bytes(job->stack, block.x0, block.y0, block.w, block.h);
    s2clr_reader_release(&block);
    *out = (s2clr_plan_sample){.amount = bytes, .seconds = seconds};
    return S2CLR_OK;
}

/* ---- computing ---- */

/* The largest part of a block that needs no more than so many units. */
static void shrink(const s2clr_engine *engine, uint64_t units, s2clr_task_block *part)
{
    const int across = s2clr_engine_unit_columns(engine), down = s2clr_engine_unit_rows(engine);
    while (s2clr_engine_units_of(engine, part->columns, part->rows) > units) {
        if (part->rows > down)
            part->rows = part->rows / 2 > down ? part->rows / 2 : down;
        else if (part->columns > across)
            part->columns = part->columns / 2 > across ? part->columns / 2 : across;
        else
            break;
    }
}

/* Noise, for zeros may be multiplied faster; every pixel is valid. */
static s2clr_status make_block(const s2clr_predict_job *job, const s2clr_task_block *part,
                               s2clr_block *out)
{
    s2clr_block block;
    size_t pixels, values;
    s2clr_engine_window(job->engine, part->column, part->row, part->columns, part->rows, &block);
    S2CLR_TRY(s2clr_size_mul((size_t)block.w, (size_t)block.h, &pixels));
    S2CLR_TRY(s2clr_size_mul(pixels, (size_t)s2clr_stack_describe(job->stack)->bands, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof *block.values, "sample", (void **)&block.values));
    const s2clr_status status = s2clr_alloc(pixels, 1, "sample", (void **)&block.valid);
    if (status != S2CLR_OK) {
        s2clr_free(block.values);
        return status;
    }
    memset(block.valid, 1, pixels);
    for (size_t i = 0; i < values; i++)
        block.values[i] = i < NOISE_PERIOD ? 2 * s2clr_random_uniform(1, 0, i) - 1
                                           : block.values[i - NOISE_PERIOD];
    *out = block;
    return S2CLR_OK;
}

/* A fresh engine, whose cache knows no unit yet. */
static s2clr_status compute_part(const s2clr_predict_job *job, const s2clr_task_block *part,
                                 s2clr_plan_sample *out)
{
    const size_t outputs = (size_t)part->columns * (size_t)part->rows;
    const size_t planes = (size_t)s2clr_runtime_planes(job->runtime);
    const s2clr_progress silent = {0};
    const s2clr_engine_options options = {.min_valid = 0,
                                          .progress = job->progress ? *job->progress : silent};
    const bool embedding = job->bands.aim == S2CLR_AIM_EMBEDDING;
    s2clr_engine *engine = NULL;
    s2clr_block block = {0};
    s2clr_values values = {0};
    float **plane = embedding ? &values.embedding : &values.probability;
    s2clr_status status = make_block(job, part, &block);
    if (status == S2CLR_OK)
        status = s2clr_alloc(outputs * planes, sizeof **plane, "sample", (void **)plane);
    if (status == S2CLR_OK) status = s2clr_engine_new(job->runtime, &job->grid, &options, &engine);
    const double start = s2clr_clock_seconds();
    if (status == S2CLR_OK) status = s2clr_engine_compute(engine, &block, &values);
    if (status == S2CLR_OK)
        *out = (s2clr_plan_sample){.amount = s2clr_engine_units(engine),
                                   .seconds = s2clr_clock_seconds() - start};
    s2clr_engine_free(engine);
    s2clr_free(*plane);
    s2clr_reader_release(&block);
    return status;
}

s2clr_status s2clr_predict_measure_compute(const s2clr_predict_job *job,
                                           const s2clr_task_block *block, s2clr_plan_sample *out)
{
    const uint64_t threads = (uint64_t)job->result.threads;
    s2clr_plan_sample sample, all = {0};
    uint64_t units = threads, last = 0;
    for (int i = 0; i < SAMPLES_MOST && all.seconds < LONG_ENOUGH; i++, units *= GROWTH) {
        s2clr_task_block part = *block;
        shrink(job->engine, units, &part);
        S2CLR_TRY(compute_part(job, &part, &sample));
        /* Each larger one takes the place of those before, the first of which warmed up; the
         * largest are added up. */
        if (sample.amount > last) all = (s2clr_plan_sample){0};
        all.amount += sample.amount;
        all.seconds += sample.seconds;
        last = sample.amount;
    }
    *out = all;
    return S2CLR_OK;
}
