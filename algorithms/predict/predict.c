#include "predict/predict.h"

#include <cpl_string.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "predict/clock.h"
#include "predict/model_share.h"
#include "predict/ppredict.h"
#include "sentinel2/gdal_watch.h"

/* Share of the progress that is left for overviews and the final format. */
#define FINISH_FROM 0.97

void s2clr_predict_defaults(s2clr_predict_settings *settings)
{
    *settings = (s2clr_predict_settings){.device = "auto", .min_valid = 0.5, .format = "GTiff"};
}

static s2clr_status wanted(void *context, int column, int row, int columns, int rows, uint8_t *mask,
                           bool *any)
{
    const s2clr_predict_job *r = context;
    return s2clr_aoi_mask(r->aoi, column, row, columns, rows, mask, any);
}

/* With blending a piece is wanted when any of its patches' pixels is. */
static s2clr_status wanted_by_pixels(void *context, int column, int row, int columns, int rows,
                                     uint8_t *mask, bool *any)
{
    const s2clr_predict_job *r = context;
    const s2clr_grid *grid = &r->grid;
    int64_t box[4] = {s2clr_grid_start(grid, column), s2clr_grid_start(grid, row),
                      s2clr_grid_start(grid, (int64_t)column + columns - 1) + grid->patch,
                      s2clr_grid_start(grid, (int64_t)row + rows - 1) + grid->patch};
    for (int i = 0; i < 2; i++) {
        const int64_t first = r->work[i], end = first + r->work[i + 2];
        if (box[i] < first) box[i] = first;
        if (box[i + 2] > end) box[i + 2] = end;
    }
    if (mask) memset(mask, 1, (size_t)columns * (size_t)rows);
    return s2clr_aoi_mask(r->aoi, (int)box[0], (int)box[1], (int)(box[2] - box[0]),
                          (int)(box[3] - box[1]), NULL, any);
}

void s2clr_predict_choose(s2clr_predict_job *r, s2clr_stream_request *request)
{
    memcpy(request->window, r->patches, sizeof request->window);
    request->context = r;
    if (r->aoi) request->wanted = r->settings->blend ? wanted_by_pixels : wanted;
}

static s2clr_status take(void *context, const s2clr_stream_piece *piece)
{
    return s2clr_predict_take(context, piece);
}

static s2clr_status compute_all(s2clr_predict_job *r)
{
    s2clr_stream_times times = {0};
    const double rows = r->patches[3];
    S2CLR_TRY(s2clr_predict_replay(r));
    s2clr_stream_request request = {.factor = 1,
                                    .memory = r->memory,
                                    .device_memory = r->settings->memory_mb << 20,
                                    .valid = r->bands.valid,
                                    .evidence = r->bands.evidence,
                                    .done = take,
                                    .progress = r->progress,
                                    .from = FINISH_FROM * r->result.resumed_rows / fmax(rows, 1),
                                    .to = FINISH_FROM};
    s2clr_predict_choose(r, &request);
    if (r->patches[3] > 0) S2CLR_TRY(s2clr_stream_run(r->engine, r->stack, &request, &times));
    r->result.read_seconds = times.read_seconds;
    r->result.compute_seconds = times.compute_seconds;
    r->result.write_seconds = times.done_seconds;
    r->result.skipped_pixels = r->result.pixels - (uint64_t)r->work[2] * (uint64_t)r->work[3];
    if (!r->settings->blend) r->result.skipped_pixels += times.skipped;
    return S2CLR_OK;
}

static void summarise(s2clr_predict_job *r, double seconds)
{
    s2clr_predict_result *result = &r->result;
    s2clr_moments moments;
    s2clr_writer_statistics(r->writer, 0, &moments, result->histogram);
    result->valid_pixels = moments.count;
    result->mean = moments.mean;
    result->minimum = moments.minimum;
    result->maximum = moments.maximum;
    result->seconds = seconds;
    const double stride = r->map.stride;
    for (int i = 0; i < 4; i++) result->input_window[i] = r->window[i] * stride;
    const double width = fmin(r->window[2] * stride, r->map.width - r->window[0] * stride);
    const double height = fmin(r->window[3] * stride, r->map.height - r->window[1] * stride);
    result->megapixels_per_second = width * height / 1e6 / fmax(seconds, 1e-9);
}

static s2clr_status run_all(s2clr_predict_job *r)
{
    const double start = s2clr_clock_seconds();
    S2CLR_TRY(s2clr_predict_open(r));
    S2CLR_TRY(s2clr_predict_make_engine(r));
    S2CLR_TRY(s2clr_predict_make_output(r));
    S2CLR_TRY(compute_all(r));
    if (!s2clr_progress_report(r->progress, FINISH_FROM, NULL))
        return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
    const double finishing = s2clr_clock_seconds();
    S2CLR_TRY(s2clr_predict_finish(r, FINISH_FROM));
    const double end = s2clr_clock_seconds();
    r->result.write_seconds += end - finishing;
    summarise(r, end - start);
    s2clr_progress_report(r->progress, 1.0, NULL);
    return S2CLR_OK;
}

void s2clr_predict_release(s2clr_predict_job *r)
{
    s2clr_map_sides_discard(&r->sides);
    s2clr_writer_close(r->writer);
    s2clr_journal_close(r->journal);
    s2clr_blend_free(r->blend);
    s2clr_free(r->writer_band);
    s2clr_free(r->record);
    s2clr_free(r->plane);
    s2clr_free(r->inside);
    CSLDestroy(r->tags);
    CSLDestroy(r->part_tags);
    s2clr_engine_free(r->engine);
    s2clr_aoi_close(r->aoi);
    s2clr_stack_files_free(&r->files);
    s2clr_stack_close(r->stack);
    s2clr_runtime_release(r->runtime);
    s2clr_output_bands_free(&r->bands);
    s2clr_model_release(r->model);
    if (r->cache_changed) GDALSetCacheMax64(r->old_cache);
}

s2clr_status s2clr_predict_run(const s2clr_predict_settings *settings,
                               const s2clr_progress *progress, s2clr_predict_result *result)
{
    s2clr_predict_job r = {.settings = settings, .progress = progress};
    s2clr_gdal_watch watch; /* nothing prints down here */
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = run_all(&r);
    s2clr_predict_release(&r);
    s2clr_gdal_watch_end(&watch);
    *result = r.result;
    return status;
}
