#include "predict/predict.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend/device_select.h"
#include "base/memory.h"
#include "base/pool.h"
#include "file/model.h"
#include "predict/aoi.h"
#include "predict/clock.h"
#include "predict/engine.h"
#include "sentinel2/gdal_watch.h"
#include "predict/output_guard.h"
#include "predict/provenance.h"
#include "predict/reader.h"
#include "predict/tasks.h"
#include "predict/writer.h"

/* Share of the progress that is left for overviews and the final format. */
#define FINISH_FROM 0.97

/* Everything a run holds; released in one place, whatever happened. */
typedef struct run {
    const s2clr_predict_settings *settings;
    const s2clr_progress *progress;
    s2clr_predict_result result;
    s2clr_model *model;
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_pool *pool;
    s2clr_stack *stack;
    s2clr_grid grid;
    int window[4]; /* of the output grid: column, row, columns, rows */
    int work[4];   /* the part of it that the area of interest meets */
    s2clr_aoi *aoi;
    s2clr_engine *engine;
    s2clr_tasks tasks;
    s2clr_writer *writer;
    s2clr_reader *reader;
    double block_from, block_to; /* progress at begin and end of the block being computed */
    float *probability;          /* one block */
    uint8_t *wanted;             /* one block, with an area of interest */
    GIntBig old_cache;
    bool cache_changed;
} run;

void s2clr_predict_defaults(s2clr_predict_settings *settings)
{
    *settings = (s2clr_predict_settings){.device = "auto", .min_valid = 0.5, .format = "GTiff"};
}

/* ---- getting ready ---- */

static s2clr_status guard_output(const s2clr_predict_settings *settings)
{
    const char *const others[] = {settings->model_path, settings->aoi, settings->stack.scl};
    if (!settings->output || !settings->output[0])
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no output file is named");
    S2CLR_TRY(s2clr_output_guard(settings->output, settings->inputs, settings->input_count));
    return s2clr_output_guard(settings->output, others, sizeof others / sizeof others[0]);
}

static s2clr_status open_device(run *r)
{
    const char *wish = r->settings->device && r->settings->device[0] ? r->settings->device : "auto";
    S2CLR_TRY(s2clr_device_select(wish, &r->backend, &r->device));
    snprintf(r->result.device, sizeof r->result.device, "%s: %s", r->backend->name,
             r->backend->device_describe(r->device));
    return S2CLR_OK;
}

static s2clr_status open_inputs(run *r)
{
    const s2clr_predict_settings *settings = r->settings;
    S2CLR_TRY(s2clr_model_open(settings->model_path, &r->model));
    const s2clr_card *card = s2clr_model_card(r->model);
    S2CLR_TRY(s2clr_stack_open(settings->inputs, settings->input_count, card, &settings->stack,
                               &r->stack));
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    r->result.stack = *info;
    r->result.stack.wkt = NULL;
    snprintf(r->result.warning, sizeof r->result.warning, "%s", card->text[S2CLR_CARD_WARNING]);
    return s2clr_grid_new(info->width, info->height, card->patch,
                          settings->stride ? settings->stride : card->stride,
                          s2clr_net_step(s2clr_model_net(r->model)), &r->grid);
}

/* A corner that is meant to lie on a pixel edge may miss it by rounding. */
static double snap(double value)
{
    const double edge = round(value);
    return fabs(value - edge) < 1e-3 ? edge : value;
}

static s2clr_status window_of_projwin(const run *r, int window[4])
{
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    const double *p = r->settings->projwin;
    double transform[6], inverse[6];
    double box[4] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    memcpy(transform, info->transform, sizeof transform);
    if (!info->has_transform || !GDALInvGeoTransform(transform, inverse))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: has no georeference, so a window in coordinates means nothing; "
                               "give it in pixels (srcwin)",
                               r->settings->inputs[0]);
    for (int corner = 0; corner < 4; corner++) {
        double x, y;
        GDALApplyGeoTransform(inverse, p[corner & 1 ? 2 : 0], p[corner & 2 ? 3 : 1], &x, &y);
        box[0] = fmin(box[0], snap(x));
        box[1] = fmin(box[1], snap(y));
        box[2] = fmax(box[2], snap(x));
        box[3] = fmax(box[3], snap(y));
    }
    return s2clr_grid_window(&r->grid, box[0], box[1], box[2] - box[0], box[3] - box[1], window);
}

static s2clr_status choose_window(run *r)
{
    const int *s = r->settings->srcwin;
    r->window[0] = r->window[1] = 0;
    r->window[2] = r->grid.columns;
    r->window[3] = r->grid.rows;
    if (s && r->settings->projwin)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "both a pixel window and a coordinate window are given: one only");
    if (s) return s2clr_grid_window(&r->grid, s[0], s[1], s[2], s[3], r->window);
    if (r->settings->projwin) return window_of_projwin(r, r->window);
    return S2CLR_OK;
}

static s2clr_status open_aoi(run *r)
{
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    double transform[6];
    memcpy(r->work, r->window, sizeof r->work);
    if (!r->settings->aoi) return S2CLR_OK;
    if (!info->has_transform)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: has no georeference, so polygons mean nothing; map a window in "
                               "pixels (srcwin) instead of an area of interest",
                               r->settings->inputs[0]);
    s2clr_grid_transform(&r->grid, info->transform, transform);
    S2CLR_TRY(s2clr_aoi_open(r->settings->aoi, info->wkt, transform, r->grid.columns, r->grid.rows,
                             &r->aoi));
    return s2clr_aoi_narrow(r->aoi, r->work);
}

static bool engine_progress(void *context, double fraction, const char *message)
{
    const run *r = context;
    (void)message;
    return s2clr_progress_report(r->progress,
                                 r->block_from + (r->block_to - r->block_from) * fraction, NULL);
}

static size_t memory_bytes(const s2clr_predict_settings *settings)
{
    const size_t least = (size_t)512 << 20;
    if (settings->memory_mb) return settings->memory_mb << 20;
    const size_t share = s2clr_memory_available() / 4;
    return share > least ? share : least;
}

static s2clr_status make_engine(run *r)
{
    const s2clr_engine_options options = {.min_valid = r->settings->min_valid,
                                          .progress = {.call = engine_progress, .context = r}};
    S2CLR_TRY(s2clr_pool_new(r->settings->threads, &r->pool));
    r->result.threads = s2clr_pool_threads(r->pool);
    S2CLR_TRY(open_device(r));
    S2CLR_TRY(
        s2clr_engine_new(r->model, r->backend, r->device, r->pool, &r->grid, &options, &r->engine));
    S2CLR_TRY(s2clr_tasks_plan(r->engine, r->work, memory_bytes(r->settings), &r->tasks));
    for (size_t i = 0; r->aoi && i < r->tasks.count; i++) {
        s2clr_task_block *block = &r->tasks.block[i];
        bool any;
        S2CLR_TRY(s2clr_aoi_mask(r->aoi, block->column, block->row, block->columns, block->rows,
                                 NULL, &any));
        block->skip = !any;
    }
    r->old_cache = GDALGetCacheMax64();
    r->cache_changed = true;
    GDALSetCacheMax64((GIntBig)r->tasks.cache_bytes);
    return S2CLR_OK;
}

static s2clr_status make_writer(run *r)
{
    const s2clr_predict_settings *settings = r->settings;
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    char **tags =
        s2clr_provenance_tags(settings, r->model, r->result.device, info, &r->grid, r->window);
    s2clr_writer_options options = {.path = settings->output,
                                    .format = settings->format,
                                    .creation = settings->creation,
                                    .byte_output = settings->byte_output,
                                    .overwrite = settings->overwrite,
                                    .columns = r->window[2],
                                    .rows = r->window[3],
                                    .threads = r->result.threads,
                                    .has_transform = info->has_transform,
                                    .wkt = info->wkt,
                                    .band = s2clr_model_card(r->model)->positive,
                                    .tags = (const char *const *)tags};
    double *t = options.transform, whole[6];
    s2clr_grid_transform(&r->grid, info->transform, whole);
    memcpy(t, whole, sizeof whole);
    t[0] += r->window[0] * whole[1] + r->window[1] * whole[2];
    t[3] += r->window[0] * whole[4] + r->window[1] * whole[5];
    const s2clr_status status = s2clr_writer_open(&options, &r->writer);
    CSLDestroy(tags);
    return status;
}

/* ---- the run ---- */

static s2clr_status compute_block(run *r, s2clr_block *block)
{
    bool any = true;
    if (r->aoi) {
        S2CLR_TRY(s2clr_aoi_mask(r->aoi, block->column, block->row, block->columns, block->rows,
                                 r->wanted, &any));
        block->wanted = r->wanted;
    }
    const double start = s2clr_clock_seconds();
    S2CLR_TRY(s2clr_engine_compute(r->engine, block, r->probability, NULL));
    const double computed = s2clr_clock_seconds();
    S2CLR_TRY(s2clr_writer_write(r->writer, block->column - r->window[0], block->row - r->window[1],
                                 block->columns, block->rows, r->probability));
    r->result.compute_seconds += computed - start;
    r->result.write_seconds += s2clr_clock_seconds() - computed;
    return S2CLR_OK;
}

static s2clr_status allocate_block(run *r)
{
    size_t most = 1;
    for (size_t i = 0; i < r->tasks.count; i++) {
        const size_t pixels = (size_t)r->tasks.block[i].columns * (size_t)r->tasks.block[i].rows;
        if (pixels > most) most = pixels;
    }
    S2CLR_TRY(s2clr_alloc(most, sizeof(float), "block of output", (void **)&r->probability));
    if (!r->aoi) return S2CLR_OK;
    return s2clr_alloc(most, 1, "block of the area of interest", (void **)&r->wanted);
}

static s2clr_status compute_all(run *r)
{
    const double total = (double)r->work[2] * r->work[3];
    double done = 0;
    S2CLR_TRY(allocate_block(r));
    S2CLR_TRY(s2clr_reader_start(r->stack, r->engine, &r->tasks, r->result.threads, &r->reader));
    r->result.skipped_pixels = r->result.pixels - (uint64_t)total;
    for (size_t i = 0; i < r->tasks.count; i++) {
        s2clr_block block;
        r->block_from = FINISH_FROM * done / total;
        if (!s2clr_progress_report(r->progress, r->block_from, NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
        S2CLR_TRY(s2clr_reader_next(r->reader, r->progress, r->block_from, &block));
        const uint64_t pixels = (uint64_t)block.columns * (uint64_t)block.rows;
        done += (double)pixels;
        r->block_to = FINISH_FROM * done / total;
        s2clr_status status = S2CLR_OK;
        if (block.empty)
            r->result.skipped_pixels += pixels;
        else
            status = compute_block(r, &block);
        s2clr_reader_release(&block);
        S2CLR_TRY(status);
    }
    return S2CLR_OK;
}

static void summarise(run *r, double seconds)
{
    s2clr_predict_result *result = &r->result;
    s2clr_moments moments;
    s2clr_writer_statistics(r->writer, &moments, result->histogram);
    result->valid_pixels = moments.count;
    result->mean = moments.mean;
    result->minimum = moments.minimum;
    result->maximum = moments.maximum;
    result->seconds = seconds;
    const double stride = r->grid.stride;
    const double width = fmin(r->window[2] * stride, r->grid.width - r->window[0] * stride);
    const double height = fmin(r->window[3] * stride, r->grid.height - r->window[1] * stride);
    result->megapixels_per_second = width * height / 1e6 / fmax(seconds, 1e-9);
}

static s2clr_status run_all(run *r)
{
    const double start = s2clr_clock_seconds();
    S2CLR_TRY(guard_output(r->settings));
    S2CLR_TRY(open_inputs(r));
    S2CLR_TRY(choose_window(r));
    S2CLR_TRY(open_aoi(r));
    r->result.columns = r->window[2];
    r->result.rows = r->window[3];
    r->result.pixels = (uint64_t)r->window[2] * (uint64_t)r->window[3];
    S2CLR_TRY(make_engine(r));
    S2CLR_TRY(make_writer(r));
    S2CLR_TRY(compute_all(r));
    s2clr_reader_stop(r->reader, &r->result.read_seconds);
    r->reader = NULL;
    const double finishing = s2clr_clock_seconds();
    S2CLR_TRY(s2clr_writer_finish(r->writer, r->progress, FINISH_FROM));
    const double end = s2clr_clock_seconds();
    r->result.write_seconds += end - finishing;
    summarise(r, end - start);
    s2clr_progress_report(r->progress, 1.0, NULL);
    return S2CLR_OK;
}

static void release(run *r)
{
    s2clr_reader_stop(r->reader, NULL);
    s2clr_writer_close(r->writer);
    s2clr_free(r->probability);
    s2clr_free(r->wanted);
    s2clr_tasks_free(&r->tasks);
    s2clr_engine_free(r->engine);
    s2clr_aoi_close(r->aoi);
    s2clr_stack_close(r->stack);
    if (r->device) r->backend->device_close(r->device);
    s2clr_pool_free(r->pool);
    s2clr_model_close(r->model);
    if (r->cache_changed) GDALSetCacheMax64(r->old_cache);
}

s2clr_status s2clr_predict_run(const s2clr_predict_settings *settings,
                               const s2clr_progress *progress, s2clr_predict_result *result)
{
    run r = {.settings = settings, .progress = progress};
    s2clr_gdal_watch watch; /* nothing prints down here */
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = run_all(&r);
    release(&r);
    s2clr_gdal_watch_end(&watch);
    if (status == S2CLR_OK) *result = r.result;
    return status;
}
