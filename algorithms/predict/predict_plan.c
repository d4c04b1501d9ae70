#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "predict/predict_plan.h"

#include <cpl_vsi.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "predict/output_file.h"
#include "predict/overviews.h"
#include "predict/predict_measure.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/stack_decode.h"

/* Cells along a side in which the map is looked at. */
#define CELLS 32

typedef struct cell {
    int column, row, columns, rows; /* of patches */
} cell;

/* What is to be computed, as far as that is known before a pixel is read. */
typedef struct survey {
    const s2clr_predict_job *job;
    s2clr_stream_request request; /* which pixels are wanted */
    s2clr_tasks tasks;
    uint8_t *mask;
    cell *kept; // those with something to compute
    size_t count;
    uint64_t patches, area; /* wanted, and of all kept cells */
    double read_share;      /* of the blocks of the run, by area */
} survey;

/* ---- where there is work ---- */

static bool is_empty(const survey *s, int column, int row, int columns, int rows)
{
    s2clr_block block;
    s2clr_engine_window(s->job->engine, column, row, columns, rows, &block);
    return s2clr_stack_is_empty(s->job->stack, block.x0, block.y0, block.w, block.h);
}

static s2clr_status look_at(survey *s, const cell *at)
{
    const size_t outputs = (size_t)at->columns * (size_t)at->rows;
    size_t wanted = outputs;
    bool any = true;
    if (is_empty(s, at->column, at->row, at->columns, at->rows)) return S2CLR_OK;
    if (s->request.wanted) {
        S2CLR_TRY(s->request.wanted(s->request.context, at->column, at->row, at->columns, at->rows,
                                    s->mask, &any));
        wanted = 0;
        for (size_t i = 0; any && i < outputs; i++) wanted += s->mask[i] != 0;
    }
    if (!wanted) return S2CLR_OK;
    s->kept[s->count++] = *at;
    s->patches += wanted;
    s->area += outputs;
    return S2CLR_OK;
}

static int cell_side(int outputs, int unit)
{
    const int least = (outputs - 1) / CELLS + 1;
    return (least - 1) / unit * unit + unit;
}

static s2clr_status look_around(survey *s)
{
    const int *w = s->request.window, right = w[0] + w[2], bottom = w[1] + w[3];
    const int columns = cell_side(w[2], s2clr_engine_unit_columns(s->job->engine));
    const int rows = cell_side(w[3], s2clr_engine_unit_rows(s->job->engine));
    const size_t cells =
        ((size_t)(w[2] - 1) / (size_t)columns + 1) * ((size_t)(w[3] - 1) / (size_t)rows + 1);
    S2CLR_TRY(s2clr_alloc(cells, sizeof *s->kept, "cells of the map", (void **)&s->kept));
    S2CLR_TRY(s2clr_alloc((size_t)columns * (size_t)rows, 1, "cell of the map", (void **)&s->mask));
    for (int row = w[1]; row < bottom; row += rows)
        for (int column = w[0]; column < right; column += columns) {
            const cell at = {column, row, column + columns < right ? columns : right - column,
                             row + rows < bottom ? rows : bottom - row};
            S2CLR_TRY(look_at(s, &at));
        }
    return S2CLR_OK;
}

/* The run reads whole blocks, in which a cell may be the only one with anything to compute. */
static s2clr_status find_read_share(survey *s)
{
    uint64_t read = 0, all = 0;
    for (size_t i = 0; i < s->tasks.count; i++) {
        const s2clr_task_block *b = &s->tasks.block[i];
        const uint64_t area = (uint64_t)b->columns * (uint64_t)b->rows;
        bool any = true;
        if (s->request.wanted)
            S2CLR_TRY(s->request.wanted(s->request.context, b->column, b->row, b->columns, b->rows,
                                        NULL, &any));
        all += area;
        if (any && !is_empty(s, b->column, b->row, b->columns, b->rows)) read += area;
    }
    s->read_share = all ? (double)read / (double)all : 0;
    return S2CLR_OK;
}

/* ---- its cost ---- */

static double seconds_of(const s2clr_plan_sample *sample, double amount)
{
    return sample->amount ? sample->seconds * amount / (double)sample->amount : 0;
}

/* In the middle of what is to be computed: the edges of a product are often empty. */
static s2clr_status measure(const survey *s, s2clr_predict_plan *plan)
{
    const s2clr_predict_job *job = s->job;
    const int *w = s->request.window;
    const double cells = (double)s->area / ((double)w[2] * w[3]);
    s2clr_plan_sample units;
    if (!s->count) return S2CLR_OK;
    const cell *middle = &s->kept[s->count / 2];
    S2CLR_TRY(s2clr_predict_measure_read(job, middle->column, middle->row, &plan->read));
    S2CLR_TRY(s2clr_predict_measure_compute(job, &s->tasks.block[0], &units));
    plan->read_seconds = seconds_of(&plan->read, (double)plan->decode_bytes);
    const double all = (double)s2clr_engine_units_of(job->engine, w[2], w[3]) * cells;
    plan->compute_seconds = seconds_of(&units, all);
    plan->compute.seconds = units.seconds;
    plan->compute.amount = (uint64_t)((double)s->patches * (double)units.amount / all + 0.5);
    return S2CLR_OK;
}

static void add_reading(const survey *s, s2clr_predict_plan *plan)
{
    const int *w = s->request.window;
    s2clr_block all;
    s2clr_engine_window(s->job->engine, w[0], w[1], w[2], w[3], &all);
    const uint64_t bytes = s2clr_stack_decode_bytes(s->job->stack, all.x0, all.y0, all.w, all.h);
    plan->decode_bytes = (uint64_t)((double)bytes * s->read_share + 0.5);
}

static s2clr_status survey_run(survey *s, s2clr_predict_plan *plan)
{
    S2CLR_TRY(s2clr_tasks_plan(s->job->engine, s->request.window, s->job->memory,
                               s->job->settings->memory_mb << 20, &s->tasks));
    S2CLR_TRY(look_around(s));
    S2CLR_TRY(find_read_share(s));
    add_reading(s, plan);
    plan->patches = s->patches;
    plan->blocks = s->tasks.count;
    plan->memory = s->tasks.bytes + s2clr_tasks_cache_bytes(s->job->memory);
    plan->device_memory = s->tasks.device_bytes;
    plan->device_limit = s->tasks.device_limit;
    return measure(s, plan);
}

static s2clr_status add_work(s2clr_predict_job *job, s2clr_predict_plan *plan)
{
    survey s = {.job = job};
    plan->memory_limit = job->memory;
    if (job->patches[3] <= 0) return S2CLR_OK; /* a part that the area of interest does not meet */
    s2clr_predict_choose(job, &s.request);
    const s2clr_status status = survey_run(&s, plan);
    s2clr_tasks_free(&s.tasks);
    s2clr_free(s.mask);
    s2clr_free(s.kept);
    return status;
}

/* ---- files ---- */

static bool is_there(const char *path)
{
    VSIStatBufL found;
    return VSIStatL(path, &found) == 0;
}

static void add_files(const s2clr_predict_job *job, s2clr_predict_plan *plan)
{
    struct stat found;
    while (job->files.local && job->files.local[plan->files])
        if (stat(job->files.local[plan->files++], &found) == 0)
            plan->file_bytes += (uint64_t)found.st_size;
    if (!job->files.complete) plan->file_bytes = 0;
}

static uint64_t output_bytes(const s2clr_predict_job *job)
{
    const int columns = job->window[2], rows = job->window[3];
    int level[32];
    const int levels = s2clr_overviews_levels(columns, rows, level);
    uint64_t pixels = (uint64_t)columns * (uint64_t)rows;
    for (int i = 0; i < levels; i++)
        pixels += ((uint64_t)(columns - 1) / (uint64_t)level[i] + 1) *
                  ((uint64_t)(rows - 1) / (uint64_t)level[i] + 1);
    return pixels * (uint64_t)job->bands.count * (job->settings->byte_output ? 1 : sizeof(float));
}

static s2clr_status add_output(s2clr_predict_job *job, s2clr_predict_plan *plan)
{
    const s2clr_predict_settings *settings = job->settings;
    char target[S2CLR_OUTPUT_PATH_MAX], journal[S2CLR_OUTPUT_PATH_MAX + 16];
    S2CLR_TRY(s2clr_predict_try_output(job));
    S2CLR_TRY(s2clr_output_resolve(job->result.output, target));
    snprintf(journal, sizeof journal, "%s.part.journal", target);
    memcpy(plan->output, job->result.output, sizeof plan->output);
    if (settings->shards)
        S2CLR_TRY(
            s2clr_shard_vrt_name(settings->output, settings->shards, plan->vrt, sizeof plan->vrt));
    plan->output_exists = is_there(plan->output);
    plan->journal_exists = settings->resume && is_there(journal);
    plan->columns = job->window[2];
    plan->rows = job->window[3];
    plan->pixels = job->result.pixels;
    plan->bands = job->bands.count;
    snprintf(plan->band, sizeof plan->band, "%s", job->result.band);
    plan->output_bytes = output_bytes(job);
    return S2CLR_OK;
}

/* ---- the plan ---- */

static s2clr_status make(s2clr_predict_job *job, s2clr_predict_plan *plan)
{
    S2CLR_TRY(s2clr_predict_open(job));
    S2CLR_TRY(s2clr_predict_make_engine(job));
    S2CLR_TRY(add_output(job, plan));
    add_files(job, plan);
    S2CLR_TRY(add_work(job, plan));
    plan->stack = job->result.stack;
    plan->threads = job->result.threads;
    memcpy(plan->device, job->result.device, sizeof plan->device);
    memcpy(plan->warning, job->result.warning, sizeof plan->warning);
    return S2CLR_OK;
}

s2clr_status s2clr_predict_plan_make(const s2clr_predict_settings *settings,
                                     const s2clr_progress *progress, s2clr_predict_plan *out)
{
    s2clr_predict_job job = {.settings = settings, .progress = progress};
    s2clr_predict_plan *plan; /* large for a stack */
    s2clr_gdal_watch watch;   /* nothing prints down here */
    S2CLR_TRY(s2clr_alloc(1, sizeof *plan, "plan", (void **)&plan));
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = make(&job, plan);
    s2clr_predict_release(&job);
    s2clr_gdal_watch_end(&watch);
    if (status == S2CLR_OK) *out = *plan;
    s2clr_free(plan);
    return status;
}
