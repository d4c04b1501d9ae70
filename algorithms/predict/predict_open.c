/* What a run reads, and which pixels it makes of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "predict/model_share.h"
#include "predict/output_guard.h"
#include "predict/ppredict.h"
#include "predict/tasks.h"

/* ---- the files ---- */

/* The file to be made: the output or a part of it. */
static s2clr_status name_output(s2clr_predict_job *r)
{
    const s2clr_predict_settings *settings = r->settings;
    const size_t room = sizeof r->result.output;
    if (!settings->output || !settings->output[0])
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no output file is named");
    if (settings->shards)
        return s2clr_shard_name(settings->output, settings->shard, settings->shards,
                                r->result.output, room);
    if ((size_t)snprintf(r->result.output, room, "%s", settings->output) < room) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%.80s...: the name is too long", settings->output);
}

s2clr_status s2clr_predict_guard(const s2clr_predict_job *r, const char *output)
{
    const s2clr_predict_settings *settings = r->settings;
    const char *const others[] = {settings->model_path, settings->aoi, settings->stack.scl};
    S2CLR_TRY(s2clr_output_guard(output, settings->inputs, settings->input_count));
    return s2clr_output_guard(output, others, sizeof others / sizeof others[0]);
}

static s2clr_status open_inputs(s2clr_predict_job *r)
{
    const s2clr_predict_settings *settings = r->settings;
    S2CLR_TRY(s2clr_model_acquire(settings->model_path, &r->model));
    const s2clr_card *card = s2clr_model_card(r->model);
    S2CLR_TRY(s2clr_output_bands_parse(settings->bands, r->model, &r->bands));
    S2CLR_TRY(s2clr_stack_open(settings->inputs, settings->input_count, card, &settings->stack,
                               &r->stack));
    S2CLR_TRY(s2clr_stack_files_list(r->stack, &r->files));
    S2CLR_TRY(s2clr_stack_files_check(&r->files, settings->inputs[0]));
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    r->result.stack = *info;
    r->result.stack.wkt = NULL;
    snprintf(r->result.warning, sizeof r->result.warning, "%s", card->text[S2CLR_CARD_WARNING]);
    return s2clr_grid_new(info->width, info->height, card->patch,
                          settings->stride ? settings->stride : card->stride,
                          s2clr_net_step(s2clr_model_net(r->model)), &r->grid);
}

/* With blending the map has the input's pixels. */
static s2clr_status choose_map(s2clr_predict_job *r)
{
    r->map = r->grid;
    if (!r->settings->blend) return S2CLR_OK;
    if (r->bands.classes &&
        (r->bands.count > 1 || r->bands.band[0].row->quantity != S2CLR_QUANTITY_PROBABILITY))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "blending: of a model of %d classes one class at a time can be "
                               "blended; name it as the only band, such as \"%s\"",
                               r->bands.classes, s2clr_model_card(r->model)->class_name[0]);
    for (int i = 0; i < r->bands.count; i++) {
        const s2clr_quantity_row *row = r->bands.band[i].row;
        if (row->quantity != S2CLR_QUANTITY_PROBABILITY && row->quantity != S2CLR_QUANTITY_ENTROPY)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "blending: \"%s\" belongs to whole patches and has no value "
                                   "between them; blend probability and entropy only",
                                   row->name);
    }
    r->map.stride = 1;
    r->map.columns = r->map.width;
    r->map.rows = r->map.height;
    return S2CLR_OK;
}

/* ---- windows ---- */

/* A corner that is meant to lie on a pixel edge may miss it by rounding. */
static double snap(double value)
{
    const double edge = round(value);
    return fabs(value - edge) < 1e-3 ? edge : value;
}

static s2clr_status window_of_projwin(const s2clr_predict_job *r, int window[4])
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
    return s2clr_grid_window(&r->map, box[0], box[1], box[2] - box[0], box[3] - box[1], window);
}

static s2clr_status choose_window(s2clr_predict_job *r)
{
    const int *s = r->settings->srcwin;
    r->whole[0] = r->whole[1] = 0;
    r->whole[2] = r->map.columns;
    r->whole[3] = r->map.rows;
    if (s && r->settings->projwin)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "both a pixel window and a coordinate window are given: one only");
    if (s) return s2clr_grid_window(&r->map, s[0], s[1], s[2], s[3], r->whole);
    if (r->settings->projwin) return window_of_projwin(r, r->whole);
    return S2CLR_OK;
}

/* Narrows job->work, the whole map so far. */
static s2clr_status open_aoi(s2clr_predict_job *r)
{
    const s2clr_stack_info *info = s2clr_stack_describe(r->stack);
    double transform[6];
    memcpy(r->work, r->whole, sizeof r->work);
    if (!r->settings->aoi) return S2CLR_OK;
    if (!info->has_transform)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: has no georeference, so polygons mean nothing; map a window in "
                               "pixels (srcwin) instead of an area of interest",
                               r->settings->inputs[0]);
    s2clr_grid_transform(&r->map, info->transform, transform);
    S2CLR_TRY(s2clr_aoi_open(r->settings->aoi, info->wkt, transform, r->map.columns, r->map.rows,
                             &r->aoi));
    return s2clr_aoi_narrow(r->aoi, r->work);
}

s2clr_status s2clr_predict_open(s2clr_predict_job *r)
{
    S2CLR_TRY(name_output(r));
    S2CLR_TRY(s2clr_predict_guard(r, r->result.output));
    S2CLR_TRY(open_inputs(r));
    S2CLR_TRY(choose_map(r));
    S2CLR_TRY(choose_window(r));
    return open_aoi(r);
}

/* ---- the engine ---- */

static s2clr_status start_engine(s2clr_predict_job *r)
{
    const s2clr_engine_options options = {.min_valid = r->settings->min_valid,
                                          .prevalence = r->settings->prevalence};
    S2CLR_TRY(s2clr_runtime_acquire(r->model, r->settings->device, r->settings->precision,
                                    r->settings->threads, r->bands.aim, &r->runtime));
    r->result.threads = s2clr_runtime_threads(r->runtime);
    snprintf(r->result.device, sizeof r->result.device, "%s", s2clr_runtime_device(r->runtime));
    S2CLR_TRY(s2clr_engine_new(r->runtime, &r->grid, &options, &r->engine));
    r->memory = s2clr_tasks_memory(r->settings->memory_mb);
    r->old_cache = GDALGetCacheMax64();
    r->cache_changed = true;
    GDALSetCacheMax64((GIntBig)s2clr_tasks_cache_bytes(r->memory));
    return S2CLR_OK;
}

/* The rows of this file, and what of them is to be computed. */
static s2clr_status choose_part(s2clr_predict_job *r)
{
    const s2clr_predict_settings *settings = r->settings;
    const int unit = s2clr_engine_unit_rows(r->engine) * (settings->blend ? r->grid.stride : 1);
    memcpy(r->window, r->whole, sizeof r->window);
    if (settings->shards) {
        S2CLR_TRY(s2clr_shard_rows(r->whole[1], r->whole[3], unit, settings->shard,
                                   settings->shards, &r->shard));
        r->window[1] += r->shard.row;
        r->window[3] = r->shard.rows;
    }
    const int64_t bottom = (int64_t)r->window[1] + r->window[3];
    const int64_t end = r->work[1] + r->work[3] < bottom ? r->work[1] + r->work[3] : bottom;
    if (r->work[1] < r->window[1]) r->work[1] = r->window[1];
    r->work[3] = end > r->work[1] ? (int)(end - r->work[1]) : 0;
    memcpy(r->patches, r->work, sizeof r->patches);
    if (settings->blend && r->work[3] > 0) s2clr_blend_patches(&r->grid, r->work, r->patches);
    return S2CLR_OK;
}

s2clr_status s2clr_predict_make_engine(s2clr_predict_job *r)
{
    S2CLR_TRY(start_engine(r));
    S2CLR_TRY(choose_part(r));
    r->result.columns = r->window[2];
    r->result.rows = r->window[3];
    r->result.pixels = (uint64_t)r->window[2] * (uint64_t)r->window[3];
    return S2CLR_OK;
}
