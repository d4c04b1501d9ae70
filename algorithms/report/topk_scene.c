#include "report/topk_scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "predict/stream.h"
#include "predict/tasks.h"
#include "sentinel2/stack_files.h"

typedef struct search {
    const s2clr_topk_scene_options *options;
    const s2clr_progress *progress;
    s2clr_topk_list *list;
    s2clr_stack *stack;
    s2clr_runtime *runtime;
    s2clr_engine *engine;
    s2clr_grid grid;
} search;

s2clr_status s2clr_topk_raster_set(const s2clr_stack_info *info, int patch, s2clr_topk_raster *out)
{
    s2clr_topk_raster raster = {.width = info->width,
                                .height = info->height,
                                .patch = patch,
                                .has_transform = info->has_transform,
                                .warnings = info->warnings};
    S2CLR_TRY(s2clr_strdup(info->wkt ? info->wkt : "", &raster.wkt));
    memcpy(raster.transform, info->transform, sizeof raster.transform);
    memcpy(raster.warning, info->warning, sizeof raster.warning);
    snprintf(raster.level, sizeof raster.level, "%s", info->level);
    snprintf(raster.opened_as, sizeof raster.opened_as, "%s", info->opened_as);
    *out = raster;
    return S2CLR_OK;
}

void s2clr_topk_raster_clear(s2clr_topk_raster *raster)
{
    s2clr_free(raster->wkt);
    *raster = (s2clr_topk_raster){0};
}

static s2clr_status open_stack(search *s)
{
    const s2clr_topk_scene_options *options = s->options;
    s2clr_stack_files files;
    S2CLR_TRY(s2clr_stack_open(options->inputs, options->count, s2clr_model_card(options->model),
                               &options->stack, &s->stack));
    S2CLR_TRY(s2clr_stack_files_list(s->stack, &files));
    const s2clr_status status = s2clr_stack_files_check(&files, options->inputs[0]);
    s2clr_stack_files_free(&files);
    return status;
}

/* Side by side unless told otherwise: the next multiple of the model's step, if a patch is none. */
static s2clr_status lay_grid(search *s)
{
    const s2clr_stack_info *info = s2clr_stack_describe(s->stack);
    const int patch = s2clr_model_card(s->options->model)->patch;
    const int step = s2clr_net_step(s2clr_model_net(s->options->model));
    int stride = s->options->stride;
    if (!stride) stride = step > 1 ? (patch + step - 1) / step * step : patch;
    return s2clr_grid_new(info->width, info->height, patch, stride, step, &s->grid);
}

static s2clr_status make_engine(search *s)
{
    const s2clr_topk_scene_options *options = s->options;
    const s2clr_engine_options wish = {.min_valid = options->min_valid};
    S2CLR_TRY(s2clr_runtime_acquire(options->model, options->device, S2CLR_F32, options->threads,
                                    S2CLR_AIM_PROBABILITY, &s->runtime));
    return s2clr_engine_new(s->runtime, &s->grid, &wish, &s->engine);
}

static s2clr_status take(void *context, const s2clr_stream_piece *piece)
{
    search *s = context;
    const double half = s->grid.patch / 2.0;
    const float *p = piece->values.probability;
    for (int r = 0; r < piece->rows; r++)
        for (int c = 0; c < piece->columns; c++) {
            const int64_t column = piece->column + c, row = piece->row + r;
            const size_t at = (size_t)r * (size_t)piece->columns + (size_t)c;
            const uint64_t order = (uint64_t)row * (uint64_t)s->grid.columns + (uint64_t)column;
            const s2clr_topk_item item = {.p = piece->empty ? (double)NAN : (double)p[at],
                                          .x = (double)s2clr_grid_start(&s->grid, column) + half,
                                          .y = (double)s2clr_grid_start(&s->grid, row) + half,
                                          .order = order,
                                          .index = (size_t)order};
            S2CLR_TRY(s2clr_topk_list_add(s->list, &item));
        }
    return S2CLR_OK;
}

static s2clr_status run(search *s, s2clr_topk_raster *raster)
{
    S2CLR_TRY(open_stack(s));
    S2CLR_TRY(lay_grid(s));
    S2CLR_TRY(make_engine(s));
    const s2clr_stream_request request = {.window = {0, 0, s->grid.columns, s->grid.rows},
                                          .factor = 1,
                                          .memory = s2clr_tasks_memory(s->options->memory_mb),
                                          .device_memory = s->options->memory_mb << 20,
                                          .done = take,
                                          .context = s,
                                          .progress = s->progress,
                                          .to = 1};
    S2CLR_TRY(s2clr_stream_run(s->engine, s->stack, &request, NULL));
    return s2clr_topk_raster_set(s2clr_stack_describe(s->stack), s->grid.patch, raster);
}

s2clr_status s2clr_topk_scene_find(const s2clr_topk_scene_options *options,
                                   const s2clr_progress *progress, s2clr_topk_list *list,
                                   s2clr_topk_raster *raster)
{
    search s = {.options = options, .progress = progress, .list = list};
    const s2clr_status status = run(&s, raster);
    s2clr_engine_free(s.engine);
    s2clr_runtime_release(s.runtime);
    s2clr_stack_close(s.stack);
    return status;
}
