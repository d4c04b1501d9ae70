#include <cpl_string.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "predict/overviews.h"
#include "predict/provenance.h"
#include "predict/pruntime.h"
#include "predict/pview.h"
#include "predict/zoo.h"

/* Smallest block side: GDAL's own cost per block must not show. */
#define LEAST_BLOCK 16

void s2clr_view_defaults(s2clr_view_settings *settings)
{
    *settings = (s2clr_view_settings){.device = "auto", .min_valid = 0.5};
}

/* ---- settings ---- */

static s2clr_status own(s2clr_view *view, const char **text)
{
    if (!*text) return S2CLR_OK;
    S2CLR_TRY(s2clr_strdup(*text, &view->text[view->texts]));
    *text = view->text[view->texts++];
    return S2CLR_OK;
}

/* The caller's texts need not live as long as the view. */
static s2clr_status own_settings(s2clr_view *view, const s2clr_view_settings *from)
{
    s2clr_view_settings *to = &view->settings;
    const char **const texts[] = {&to->model,       &to->bands,
                                  &to->device,      &to->stack.bands,
                                  &to->stack.level, &to->stack.boa_offset,
                                  &to->stack.scl,   &to->stack.scl_classes};
    const size_t count = sizeof texts / sizeof texts[0];
    S2CLR_TRY(s2clr_alloc(count + from->input_count, sizeof *view->text, "settings",
                          (void **)&view->text));
    *to = *from;
    for (size_t i = 0; i < count; i++) S2CLR_TRY(own(view, texts[i]));
    to->inputs = (const char *const *)&view->text[view->texts];
    for (size_t i = 0; i < from->input_count; i++) {
        const char *input = from->inputs[i] ? from->inputs[i] : "";
        S2CLR_TRY(own(view, &input));
    }
    return S2CLR_OK;
}

static s2clr_status check_settings(const s2clr_view_settings *settings)
{
    if (settings->input_count == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "no raster is named");
    if (!(settings->min_valid >= 0 && settings->min_valid <= 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "least share of valid pixels %g: must be 0 to 1",
                               settings->min_valid);
    if (settings->prevalence != 0 && !(settings->prevalence > 0 && settings->prevalence < 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "prevalence %g: must lie between 0 and 1, both excluded",
                               settings->prevalence);
    return S2CLR_OK;
}

static s2clr_status open_model(s2clr_view *view)
{
    const char *wish = view->settings.model;
    char path[S2CLR_ZOO_PATH];
    S2CLR_TRY(s2clr_zoo_resolve(wish && wish[0] ? wish : NULL, path));
    S2CLR_TRY(s2clr_model_acquire(path, &view->model));
    S2CLR_TRY(s2clr_output_bands_parse(view->settings.bands, view->model, &view->bands));
    return s2clr_card_format(s2clr_model_card(view->model), &view->card_json);
}

/* ---- inputs ---- */

static bool same_stack(const s2clr_stack_info *a, const s2clr_stack_info *b)
{
    bool same = a->width == b->width && a->height == b->height && a->bands == b->bands &&
                a->has_transform == b->has_transform && a->has_scl == b->has_scl &&
                memcmp(a->transform, b->transform, sizeof a->transform) == 0 &&
                strcmp(a->wkt, b->wkt) == 0 && strcmp(a->level, b->level) == 0;
    for (int i = 0; i < a->bands && same; i++)
        same = a->band[i].offset == b->band[i].offset && a->band[i].number == b->band[i].number &&
               strcmp(a->band[i].source, b->band[i].source) == 0;
    return same;
}

static s2clr_status keep_info(s2clr_view *view, const s2clr_stack_info *info)
{
    const bool first = !view->stack_info.wkt;
    if (!first && !same_stack(info, &view->stack_info))
        return s2clr_error_set(
            S2CLR_ERR_IO, "%s: size, place or bands changed since it was opened; open it again",
            view->name);
    if (!first) return S2CLR_OK;
    char *wkt;
    S2CLR_TRY(s2clr_strdup(info->wkt, &wkt));
    view->stack_info = *info;
    view->stack_info.wkt = wkt;
    return S2CLR_OK;
}

s2clr_status s2clr_view_open_stack(s2clr_view *view)
{
    const s2clr_view_settings *settings = &view->settings;
    const double began = s2clr_view_clock();
    s2clr_stack_files files;
    s2clr_stack *stack;
    S2CLR_TRY(s2clr_stack_open(settings->inputs, settings->input_count,
                               s2clr_model_card(view->model), &settings->stack, &stack));
    s2clr_status status = keep_info(view, s2clr_stack_describe(stack));
    if (status == S2CLR_OK) status = s2clr_stack_files_list(stack, &files);
    if (status != S2CLR_OK) {
        s2clr_stack_close(stack);
        return status;
    }
    s2clr_stack_files_free(&view->files);
    view->files = files;
    view->stack = stack;
    view->has_key = false;
    s2clr_view_note_state(view, began);
    return S2CLR_OK;
}

/* ---- what is told about it ---- */

static void set_blocks(s2clr_view *view)
{
    const int step = s2clr_net_step(s2clr_model_net(view->model));
    int side = LEAST_BLOCK; /* four units of patches wide */
    if (step > 0) {
        const int ratio = view->grid.stride / step;
        const int unit = ratio < S2CLR_UNIT_POSITIONS ? S2CLR_UNIT_POSITIONS / ratio : 1;
        side = (LEAST_BLOCK + unit - 1) / unit * unit;
    }
    view->info.block_columns = view->info.block_rows = side;
}

static void make_tags(s2clr_view *view)
{
    const int window[4] = {0, 0, view->grid.columns, view->grid.rows};
    const s2clr_provenance facts = {.model = view->model,
                                    .stack = &view->stack_info,
                                    .grid = &view->grid,
                                    .window = window,
                                    .inputs = view->settings.inputs,
                                    .input_count = view->settings.input_count,
                                    .min_valid = view->settings.min_valid,
                                    .prevalence = view->settings.prevalence,
                                    .scl = view->settings.stack.scl};
    view->tags = s2clr_provenance_list(&facts);
}

static void fill_info(s2clr_view *view)
{
    s2clr_view_info *info = &view->info;
    const s2clr_stack_info *stack = &view->stack_info;
    info->columns = view->grid.columns;
    info->rows = view->grid.rows;
    info->has_transform = stack->has_transform;
    s2clr_grid_transform(&view->grid, stack->transform, info->transform);
    info->wkt = stack->wkt;
    info->bands = &view->bands;
    info->levels = s2clr_overviews_levels(info->columns, info->rows, info->level);
    make_tags(view);
    info->tags = (const char *const *)view->tags;
    info->card_json = view->card_json;
    view->file_list = CSLDuplicate(view->files.name);
    view->file_list = CSLInsertString(view->file_list, 0, s2clr_model_path(view->model));
    info->files = (const char *const *)view->file_list;
    info->stack = stack;
    info->warning = s2clr_model_card(view->model)->text[S2CLR_CARD_WARNING];
    set_blocks(view);
}

/* ---- open and close ---- */

static s2clr_status open_all(s2clr_view *view)
{
    const s2clr_view_settings *settings = &view->settings;
    S2CLR_TRY(open_model(view));
    S2CLR_TRY(s2clr_view_open_stack(view));
    const s2clr_card *card = s2clr_model_card(view->model);
    S2CLR_TRY(s2clr_grid_new(view->stack_info.width, view->stack_info.height, card->patch,
                             settings->stride ? settings->stride : card->stride,
                             s2clr_net_step(s2clr_model_net(view->model)), &view->grid));
    fill_info(view);
    if (settings->cache_mb) s2clr_result_cache_limit(settings->cache_mb << 20);
    return S2CLR_OK;
}

static s2clr_status open_guarded(s2clr_view *view, const s2clr_view_settings *settings)
{
    s2clr_gdal_watch watch;
    S2CLR_TRY(own_settings(view, settings));
    S2CLR_TRY(check_settings(&view->settings));
    snprintf(view->name, sizeof view->name, "%s", view->settings.inputs[0]);
    S2CLR_TRY(s2clr_view_begin(view->name, &watch));
    return s2clr_view_end(&watch, open_all(view));
}

s2clr_status s2clr_view_open(const s2clr_view_settings *settings, s2clr_view **out)
{
    s2clr_view *view;
    S2CLR_TRY(s2clr_alloc(1, sizeof *view, "view", (void **)&view));
    const s2clr_status status = open_guarded(view, settings);
    if (status == S2CLR_OK)
        *out = view;
    else
        s2clr_view_close(view);
    return status;
}

void s2clr_view_close(s2clr_view *view)
{
    if (!view) return;
    s2clr_engine_free(view->engine);
    s2clr_runtime_release(view->runtime);
    s2clr_stack_close(view->stack);
    s2clr_stack_files_free(&view->files);
    s2clr_output_bands_free(&view->bands);
    s2clr_model_release(view->model);
    CSLDestroy(view->file_list);
    CSLDestroy(view->tags);
    s2clr_free(view->card_json);
    s2clr_free(view->stack_info.wkt);
    for (size_t i = 0; i < view->texts; i++) s2clr_free(view->text[i]);
    s2clr_free(view->text);
    s2clr_free(view);
}
