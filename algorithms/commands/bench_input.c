/* Rates of an input: reading alone, computing alone, and the whole of a prediction. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/pool.h"
#include "commands/bench_runs.h"
#include "commands/edge.h"
#include "commands/interrupt.h"
#include "commands/stack_rows.h"
#include "predict/clock.h"
#include "predict/model_share.h"
#include "predict/predict.h"
#include "predict/reader.h"
#include "predict/zoo.h"

/* Everything a prediction has before its first block; opened afresh for every pass, so that no
 * block cache of an earlier pass helps. */
typedef struct bed {
    const s2clr_args *args;
    char path[S2CLR_ZOO_PATH];
    const char *const *inputs;
    size_t input_count;
    const s2clr_model *model;
    s2clr_runtime *runtime;
    s2clr_stack *stack;
    s2clr_grid grid;
    s2clr_engine *engine;
    s2clr_tasks tasks;
    double megapixels;
} bed;

static bool on_progress(void *context, double fraction, const char *message)
{
    (void)context, (void)fraction, (void)message;
    return s2clr_interrupt_signal() == 0;
}

static const s2clr_progress watch = {.call = on_progress};

static void bed_close_stack(bed *b)
{
    s2clr_tasks_free(&b->tasks);
    s2clr_engine_free(b->engine);
    s2clr_stack_close(b->stack);
    b->engine = NULL;
    b->stack = NULL;
}

static s2clr_status bed_open_stack(bed *b)
{
    const s2clr_stack_options stack_options = s2clr_stack_options_of(b->args);
    const s2clr_engine_options options = {.min_valid = 0.5, .progress = watch};
    const s2clr_card *card = s2clr_model_card(b->model);
    const long stride = s2clr_args_int(b->args, "stride"), mb = s2clr_args_int(b->args, "memory");
    const size_t memory = mb ? (size_t)mb << 20 : s2clr_memory_available() / 4;
    bed_close_stack(b);
    S2CLR_TRY(s2clr_stack_open(b->inputs, b->input_count, card, &stack_options, &b->stack));
    const s2clr_stack_info *info = s2clr_stack_describe(b->stack);
    b->megapixels = 1e-6 * info->width * info->height;
    S2CLR_TRY(s2clr_grid_new(info->width, info->height, card->patch,
                             stride ? (int)stride : card->stride,
                             s2clr_net_step(s2clr_model_net(b->model)), &b->grid));
    S2CLR_TRY(s2clr_engine_new(b->runtime, &b->grid, &options, &b->engine));
    const int window[4] = {0, 0, b->grid.columns, b->grid.rows};
    return s2clr_tasks_plan(b->engine, window, memory, (size_t)mb << 20, &b->tasks);
}

static s2clr_status bed_open(const s2clr_args *args, bed *b)
{
    *b = (bed){.args = args};
    b->input_count = s2clr_args_list(args, "input", &b->inputs);
    S2CLR_TRY(s2clr_zoo_resolve(s2clr_args_text(args, "model"), b->path));
    S2CLR_TRY(s2clr_model_acquire(b->path, &b->model));
    s2clr_precision precision;
    S2CLR_TRY(s2clr_precision_parse(s2clr_args_text(args, "precision"), &precision));
    return s2clr_runtime_acquire(b->model, s2clr_args_text(args, "device"), precision,
                                 (int)s2clr_args_int(args, "threads"), S2CLR_AIM_PROBABILITY,
                                 &b->runtime);
}

static void bed_close(bed *b, s2clr_bench *bench)
{
    bed_close_stack(b);
    if (b->runtime) {
        bench->threads = s2clr_runtime_threads(b->runtime);
        snprintf(bench->device, sizeof bench->device, "%s", s2clr_runtime_device(b->runtime));
    }
    s2clr_runtime_release(b->runtime);
    s2clr_runtime_drop_idle();
    s2clr_model_release(b->model);
}

/* Seconds of reading all blocks as a prediction does, and nothing else. */
static s2clr_status pass_read(bed *b, double *seconds)
{
    s2clr_reader *reader;
    S2CLR_TRY(bed_open_stack(b));
    const double start = s2clr_clock_seconds();
    S2CLR_TRY(s2clr_reader_start(b->stack, b->engine, &b->tasks, s2clr_runtime_threads(b->runtime),
                                 &reader));
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; status == S2CLR_OK && i < b->tasks.count; i++) {
        s2clr_block block;
        status = s2clr_reader_next(reader, &watch, 0, &block);
        if (status == S2CLR_OK) s2clr_reader_release(&block);
    }
    s2clr_reader_stop(reader, NULL);
    *seconds = s2clr_clock_seconds() - start;
    return status;
}

/* Adds the seconds of computing one block; reading it does not count. */
static s2clr_status compute_block(bed *b, const s2clr_task_block *task, double *seconds)
{
    s2clr_block block;
    float *probability = NULL;
    size_t pixels, values;
    s2clr_engine_window(b->engine, task->column, task->row, task->columns, task->rows, &block);
    S2CLR_TRY(s2clr_size_mul((size_t)block.w, (size_t)block.h, &pixels));
    S2CLR_TRY(s2clr_size_mul(pixels, (size_t)s2clr_stack_describe(b->stack)->bands, &values));
    block.values = NULL;
    block.valid = NULL;
    block.wanted = NULL;
    block.empty = false;
    s2clr_status status = s2clr_alloc(values, sizeof(float), "block", (void **)&block.values);
    if (status == S2CLR_OK) status = s2clr_alloc(pixels, 1, "block", (void **)&block.valid);
    if (status == S2CLR_OK)
        status = s2clr_alloc((size_t)task->columns * (size_t)task->rows, sizeof(float), "block",
                             (void **)&probability);
    if (status == S2CLR_OK)
        status = s2clr_stack_read(b->stack, block.x0, block.y0, block.w, block.h, block.values,
                                  block.valid);
    if (status == S2CLR_OK) {
        const s2clr_values out = {.probability = probability};
        const double start = s2clr_clock_seconds();
        status = s2clr_engine_compute(b->engine, &block, &out);
        *seconds += s2clr_clock_seconds() - start;
    }
    s2clr_free(block.values);
    s2clr_free(block.valid);
    s2clr_free(probability);
    return status;
}

static s2clr_status pass_compute(bed *b, double *seconds)
{
    *seconds = 0;
    S2CLR_TRY(bed_open_stack(b));
    for (size_t i = 0; i < b->tasks.count; i++)
        S2CLR_TRY(compute_block(b, &b->tasks.block[i], seconds));
    return S2CLR_OK;
}

/* A whole prediction into a folder that is removed again. */
static s2clr_status pass_whole(bed *b, double *seconds)
{
    char folder[512], output[600];
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/s2clr-bench-XXXXXX", base && base[0] ? base : "/tmp");
    bed_close_stack(b);
    if (!mkdtemp(folder))
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: a folder for the output cannot be made there; "
                               "set TMPDIR",
                               folder);
    snprintf(output, sizeof output, "%s/map.tif", folder);
    s2clr_predict_settings settings;
    s2clr_predict_result result;
    s2clr_predict_defaults(&settings);
    settings.model_path = b->path;
    settings.inputs = b->inputs;
    settings.input_count = b->input_count;
    settings.output = output;
    settings.stack = s2clr_stack_options_of(b->args);
    settings.device = s2clr_args_text(b->args, "device");
    S2CLR_TRY(s2clr_precision_parse(s2clr_args_text(b->args, "precision"), &settings.precision));
    settings.threads = (int)s2clr_args_int(b->args, "threads");
    settings.memory_mb = (size_t)s2clr_args_int(b->args, "memory");
    settings.stride = (int)s2clr_args_int(b->args, "stride");
    settings.command_line = s2clr_args_line(b->args);
    const double start = s2clr_clock_seconds();
    const s2clr_status status = s2clr_predict_run(&settings, &watch, &result);
    *seconds = s2clr_clock_seconds() - start;
    unlink(output);
    rmdir(folder);
    return status;
}

/* One pass to warm up, then as many as --windows says. */
static s2clr_status repeat(bed *b, const char *name, s2clr_status (*pass)(bed *, double *),
                           s2clr_bench *bench)
{
    double rates[S2CLR_BENCH_WINDOWS], seconds;
    const int windows = (int)s2clr_args_int(b->args, "windows");
    for (int w = -1; w < windows; w++) {
        S2CLR_TRY(pass(b, &seconds));
        S2CLR_TRY(s2clr_interrupt_check());
        if (w >= 0) rates[w] = b->megapixels / (seconds > 1e-9 ? seconds : 1e-9);
    }
    s2clr_bench_add(bench, name, "Mpix/s", rates, windows);
    return S2CLR_OK;
}

s2clr_status s2clr_bench_read(const s2clr_args *args, s2clr_bench *bench)
{
    bed b;
    s2clr_status status = bed_open(args, &b);
    if (status == S2CLR_OK) status = repeat(&b, "read", pass_read, bench);
    bed_close(&b, bench);
    return status;
}

s2clr_status s2clr_bench_scene(const s2clr_args *args, s2clr_bench *bench)
{
    bed b;
    s2clr_status status = bed_open(args, &b);
    if (status == S2CLR_OK) status = repeat(&b, "read", pass_read, bench);
    if (status == S2CLR_OK) status = repeat(&b, "compute", pass_compute, bench);
    if (status == S2CLR_OK) status = repeat(&b, "whole", pass_whole, bench);
    if (status == S2CLR_OK) {
        const double read = 1 / bench->rate[0].median, compute = 1 / bench->rate[1].median;
        const double whole = 1 / bench->rate[2].median;
        snprintf(bench->note, sizeof bench->note,
                 "the whole takes %.3f x reading + computing, %.3f x computing alone\n",
                 whole / (read + compute), whole / compute);
    }
    bed_close(&b, bench);
    return status;
}
