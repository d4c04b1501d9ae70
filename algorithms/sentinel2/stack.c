#include <cpl_string.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/pstack.h"

void s2clr_info_warn(s2clr_stack_info *info, const char *format, ...)
{
    const int room = (int)(sizeof info->warning / sizeof info->warning[0]);
    va_list arguments;
    if (info->warnings >= room) return;
    va_start(arguments, format);
    vsnprintf(info->warning[info->warnings++], sizeof info->warning[0], format, arguments);
    va_end(arguments);
}

void s2clr_stack_close(s2clr_stack *stack)
{
    if (!stack) return;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    for (int i = 0; i < stack->opened; i++) GDALClose(stack->open[i].handle);
    s2clr_gdal_watch_end(&watch);
    for (int i = 0; i < S2CLR_SCRATCH_SLOTS; i++) s2clr_free(stack->scratch[i]);
    s2clr_free(stack->open);
    s2clr_free(stack->info.wkt);
    s2clr_free(stack);
}

const s2clr_stack_info *s2clr_stack_describe(const s2clr_stack *stack)
{
    return &stack->info;
}

const char *s2clr_stack_scl(const s2clr_stack *stack, int *number)
{
    if (!stack->info.has_scl) return NULL;
    *number = stack->scl_number;
    return stack->scl_source;
}

static s2clr_status parse_classes(const char *given, bool invalid[256])
{
    const char *text = given ? given : "0,1,3,8,9,10";
    for (const char *item = text;;) {
        char *end;
        const long value = strtol(item, &end, 10);
        if (item[0] < '0' || item[0] > '9' || value > 255 || (*end && *end != ','))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "SCL classes \"%.100s\": expected numbers from 0 to 255 with "
                                   "commas, as 0,1,3,8,9,10",
                                   text);
        invalid[value] = true;
        if (!*end) return S2CLR_OK;
        item = end + 1;
    }
}

static s2clr_status open_planes(s2clr_found *found, const s2clr_card_level *level,
                                s2clr_stack *stack)
{
    GDALDatasetH dataset;
    for (int i = 0; i < stack->info.bands; i++) {
        s2clr_stack_band *band = &stack->info.band[i];
        S2CLR_TRY(s2clr_found_open(found, band->source, &dataset));
        S2CLR_TRY(s2clr_plane_open(dataset, band->source, band->number, level, &stack->plane[i]));
        band->has_nodata = stack->plane[i].has_nodata;
        band->nodata = stack->plane[i].nodata;
    }
    if (!stack->info.has_scl) return S2CLR_OK;
    S2CLR_TRY(s2clr_found_open(found, stack->scl_source, &dataset));
    return s2clr_plane_open(dataset, stack->scl_source, stack->scl_number, NULL, &stack->scl);
}

static s2clr_status build(s2clr_found *found, const s2clr_card *card,
                          const s2clr_stack_options *options, s2clr_stack *stack)
{
    const s2clr_card_level *level;
    if (!s2clr_resampling_find(card->resampling, &stack->resampling))
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "card %s: resampling is %s, expected nearest, bilinear or cubic",
                               card->id, card->resampling);
    S2CLR_TRY(parse_classes(options->scl_classes, stack->scl_invalid));
    snprintf(stack->info.opened_as, sizeof stack->info.opened_as, "%s", found->opened_as);
    S2CLR_TRY(s2clr_stack_bind(found, card, options, stack));
    S2CLR_TRY(s2clr_stack_level(found, card, options, stack, &level));
    S2CLR_TRY(open_planes(found, level, stack));
    S2CLR_TRY(s2clr_stack_offsets(found, options, stack));
    for (int i = 0; i < card->bands; i++)
        stack->plane[i].fold = s2clr_card_fold_band(card, level, stack->info.band[i].offset, i);
    S2CLR_TRY(s2clr_stack_align(found, card, stack));
    return s2clr_stack_ground(found->input, card->metres, &stack->info);
}

s2clr_status s2clr_stack_open(const char *const *inputs, size_t count, const s2clr_card *card,
                              const s2clr_stack_options *options, s2clr_stack **out)
{
    static const s2clr_stack_options defaults = {0};
    s2clr_found found = {0};
    s2clr_stack *stack;
    for (size_t i = 0; i < count; i++)
        if (!inputs[i] || !inputs[i][0])
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "input %zu of %zu is empty; name a file",
                                   i + 1, count);
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *stack, "stack", (void **)&stack));
    if (!options) options = &defaults;
    s2clr_status status = s2clr_openers_run(inputs, count, card, options, &found);
    if (status == S2CLR_OK) status = build(&found, card, options, stack);
    if (status == S2CLR_OK) {
        stack->open = found.open;
        stack->opened = found.opened;
        found.open = NULL;
        found.opened = 0;
        *out = stack;
    } else {
        s2clr_stack_close(stack);
    }
    s2clr_found_clear(&found);
    return status;
}

/* Opens every dataset of `from` again. */
static s2clr_status reopen(const s2clr_stack *from, s2clr_stack *to)
{
    S2CLR_TRY(
        s2clr_alloc((size_t)from->opened, sizeof *to->open, "open datasets", (void **)&to->open));
    for (int i = 0; i < from->opened; i++) {
        const s2clr_open_dataset *old = &from->open[i];
        S2CLR_TRY(s2clr_dataset_open(old->path, &to->open[i].handle));
        memcpy(to->open[i].path, old->path, sizeof old->path);
        to->opened++;
        if (GDALGetRasterXSize(to->open[i].handle) != GDALGetRasterXSize(old->handle) ||
            GDALGetRasterYSize(to->open[i].handle) != GDALGetRasterYSize(old->handle) ||
            GDALGetRasterCount(to->open[i].handle) != GDALGetRasterCount(old->handle))
            return s2clr_error_set(S2CLR_ERR_IO, "%s: changed while it was being read", old->path);
    }
    return S2CLR_OK;
}

static void rebind(const s2clr_stack *from, s2clr_stack *to, s2clr_plane *plane)
{
    for (int i = 0; i < from->opened; i++) {
        if (plane->dataset != from->open[i].handle) continue;
        plane->dataset = to->open[i].handle;
        plane->band = GDALGetRasterBand(plane->dataset, plane->number);
        return;
    }
}

s2clr_status s2clr_stack_clone(const s2clr_stack *stack, s2clr_stack **out)
{
    s2clr_stack *copy;
    S2CLR_TRY(s2clr_alloc(1, sizeof *copy, "stack", (void **)&copy));
    *copy = *stack;
    copy->open = NULL;
    copy->opened = 0;
    copy->info.wkt = NULL;
    memset(copy->scratch, 0, sizeof copy->scratch);
    memset(copy->scratch_bytes, 0, sizeof copy->scratch_bytes);
    s2clr_status status = s2clr_strdup(stack->info.wkt, &copy->info.wkt);
    if (status == S2CLR_OK) status = reopen(stack, copy);
    if (status != S2CLR_OK) {
        s2clr_stack_close(copy);
        return status;
    }
    for (int i = 0; i < copy->info.bands; i++) rebind(stack, copy, &copy->plane[i]);
    if (copy->info.has_scl) rebind(stack, copy, &copy->scl);
    *out = copy;
    return S2CLR_OK;
}
