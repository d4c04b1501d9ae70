#include "dataset/cuts.h"

#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

s2clr_status s2clr_cuts_new(const s2clr_import_options *options, s2clr_import **out)
{
    s2clr_import *self;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *self, "reader", (void **)&self));
    self->options = *options;
    const s2clr_status status = s2clr_name_lists_open(options, &self->lists);
    if (status == S2CLR_OK)
        *out = self;
    else
        s2clr_cuts_close(self);
    return status;
}

static void cut_clear(s2clr_cut *cut)
{
    for (size_t i = 0; i < cut->count; i++) s2clr_free(cut->inputs[i]);
    s2clr_free(cut->inputs);
    *cut = (s2clr_cut){0};
}

void s2clr_cuts_close(s2clr_import *self)
{
    if (!self) return;
    if (self->open) s2clr_cut_scene_close(&self->scene);
    for (size_t i = 0; i < self->count; i++) cut_clear(&self->cuts[i]);
    s2clr_free(self->cuts);
    s2clr_name_lists_free(self->lists);
    s2clr_free(self);
}

static s2clr_status copy_inputs(const char *const *inputs, size_t count, s2clr_cut *cut)
{
    S2CLR_TRY(s2clr_alloc(count, sizeof *cut->inputs, "inputs", (void **)&cut->inputs));
    for (size_t i = 0; i < count; i++) {
        S2CLR_TRY(s2clr_strdup(inputs[i], &cut->inputs[i]));
        cut->count++;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_cuts_add(s2clr_import *self, const char *const *inputs, size_t count,
                            s2clr_cut **out)
{
    s2clr_cut *bigger;
    S2CLR_TRY(s2clr_alloc(self->count + 1, sizeof *bigger, "scenes", (void **)&bigger));
    if (self->count) memcpy(bigger, self->cuts, self->count * sizeof *bigger);
    s2clr_free(self->cuts);
    self->cuts = bigger;
    s2clr_cut *cut = &self->cuts[self->count++];
    S2CLR_TRY(copy_inputs(inputs, count, cut));
    s2clr_cut_name(cut);
    *out = cut;
    return S2CLR_OK;
}

static int by_stem(const void *a, const void *b)
{
    return strcmp(((const s2clr_cut *)a)->stem, ((const s2clr_cut *)b)->stem);
}

s2clr_status s2clr_cuts_ready(s2clr_import *self)
{
    if (self->count) qsort(self->cuts, self->count, sizeof *self->cuts, by_stem);
    for (size_t i = 1; i < self->count; i++)
        if (strcmp(self->cuts[i].stem, self->cuts[i - 1].stem) == 0)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s and %s: patches of both would be called %s_...; rename one, "
                                   "or its folder",
                                   self->cuts[i - 1].inputs[0], self->cuts[i].inputs[0],
                                   self->cuts[i].stem);
    return S2CLR_OK;
}

/* Dates of one place are cut alike only when their grids are the same: others are left out. */
static s2clr_status check_grid(s2clr_import *self, bool *good)
{
    const s2clr_cut *cut = self->scene.cut;
    const s2clr_stack_info *info = s2clr_stack_describe(self->scene.stack);
    if (!cut->place[0]) return S2CLR_OK;
    if (strcmp(self->grid_place, cut->place) != 0) {
        snprintf(self->grid_place, sizeof self->grid_place, "%s", cut->place);
        self->grid_width = info->width;
        self->grid_height = info->height;
        memcpy(self->grid_transform, info->transform, sizeof self->grid_transform);
        return S2CLR_OK;
    }
    const double tolerance = 0.1 * (info->transform[1] > 0 ? info->transform[1] : 1);
    bool same = info->width == self->grid_width && info->height == self->grid_height;
    for (int i = 0; i < 6; i++) {
        const double step = info->transform[i] - self->grid_transform[i];
        const int pixels = i % 3 == 0 ? 1 : info->width;
        same = same && step * pixels <= tolerance && step * pixels >= -tolerance;
    }
    if (same) return S2CLR_OK;
    *good = false;
    return s2clr_import_skip(&self->options, cut->inputs[0],
                             "%d x %d pixels on another grid than the first date of %s (%d x %d); "
                             "bring it there: gdalwarp -te -ts",
                             info->width, info->height, cut->place, self->grid_width,
                             self->grid_height);
}

static s2clr_status open_scene(s2clr_import *self)
{
    bool good = true;
    S2CLR_TRY(s2clr_cut_scene_open(&self->cuts[self->next], &self->options, &self->scene));
    self->open = true;
    self->window = 0;
    self->next++;
    S2CLR_TRY(check_grid(self, &good));
    if (good) return S2CLR_OK;
    s2clr_cut_scene_close(&self->scene);
    self->open = false;
    return S2CLR_OK;
}

static int64_t windows(const s2clr_import *self)
{
    return (int64_t)self->scene.columns * self->scene.rows;
}

/* One window; *good stays false when it is left out. */
static s2clr_status read_window(s2clr_import *self, s2clr_patch_record *record, bool *good)
{
    s2clr_cut_scene *scene = &self->scene;
    const int column = (int)(self->window % scene->columns);
    const int row = (int)(self->window / scene->columns);
    char reason[120];
    const char *split;
    self->window++;
    snprintf(scene->name, sizeof scene->name, "%s_r%05d_c%05d", scene->cut->stem,
             row * scene->stride, column * scene->stride);
    if (!s2clr_name_lists_take(self->lists, scene->name, &split)) return S2CLR_OK;
    s2clr_status status =
        s2clr_cut_window_read(scene, &self->options, column, row, record, good, reason);
    if (status == S2CLR_OK && !*good)
        s2clr_import_leave_out(&self->options, scene->name, "%s", reason);
    if (status == S2CLR_OK && *good) {
        record->split = split;
        status = s2clr_patch_record_check(record);
    }
    if (status == S2CLR_OK) return S2CLR_OK;
    *good = false;
    return s2clr_import_skip_failure(&self->options, scene->name, status);
}

s2clr_status s2clr_cuts_next(s2clr_import *self, s2clr_patch_record *record, bool *end)
{
    *end = false;
    for (;;) {
        bool good = false;
        if (self->open && self->window == windows(self)) {
            s2clr_cut_scene_close(&self->scene);
            self->open = false;
        }
        if (!self->open && self->next == self->count) break;
        if (!self->open) {
            S2CLR_TRY(open_scene(self));
            continue;
        }
        S2CLR_TRY(read_window(self, record, &good));
        if (good) return S2CLR_OK;
    }
    *end = true;
    return s2clr_name_lists_missing(self->lists, &self->options);
}

double s2clr_cuts_done(const s2clr_import *self)
{
    if (!self->count) return 1;
    const double part = self->open ? (double)self->window / (double)windows(self) : 1;
    return ((double)self->next - 1 + part) / (double)self->count;
}
