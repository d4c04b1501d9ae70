#include "dataset/chips.h"

#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/cuts.h"

enum { WHOLE = 6 /* pixels of 10 m in one of 60 m: what any band's pixels may begin at */ };

typedef struct chips {
    s2clr_import *raster; /* lists the scenes */
    const s2clr_labels *labels;
    s2clr_import_options options;
    size_t points, scene_number, point; /* point: the next one of the open scene */
    bool open;
    s2clr_cut_scene scene;
    OGRCoordinateTransformationH way; /* from WGS 84 to the scene */
    double inverse[6];                /* from the scene's CRS to its pixels */
} chips;

/* A reader of import.h has one handle type; this one is never seen by the raster reader. */
static chips *chips_of(s2clr_import *import)
{
    return (chips *)(void *)import;
}

static void close_scene(chips *self)
{
    if (self->open) s2clr_cut_scene_close(&self->scene);
    OCTDestroyCoordinateTransformation(self->way);
    self->way = NULL;
    self->open = false;
}

static void chips_close(s2clr_import *import)
{
    chips *self = chips_of(import);
    if (!self) return;
    close_scene(self);
    if (self->raster) s2clr_cuts_close(self->raster);
    s2clr_free(self);
}

static s2clr_status count_points(chips *self, const char *path)
{
    double longitude, latitude;
    s2clr_verdict verdict;
    while (s2clr_labels_point(self->labels, self->points, &longitude, &latitude, &verdict))
        self->points++;
    if (self->points) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: chips are cut around points, and the labels have none; cut a grid "
                           "of patches instead",
                           path);
}

s2clr_status s2clr_chips_open(const char *const *inputs, size_t count, const s2clr_labels *labels,
                              const s2clr_import_options *options, s2clr_import **out)
{
    chips *self;
    S2CLR_TRY(s2clr_alloc(1, sizeof *self, "chips", (void **)&self));
    self->labels = labels;
    self->options = *options;
    self->options.stride = WHOLE;
    s2clr_status status = count_points(self, inputs[0]);
    if (status == S2CLR_OK)
        status = s2clr_import_raster.open(inputs, count, &self->options, &self->raster);
    if (status == S2CLR_OK)
        *out = (s2clr_import *)(void *)self;
    else
        chips_close((s2clr_import *)(void *)self);
    return status;
}

/* ---- scenes ---- */

static s2clr_status make_way(chips *self)
{
    const s2clr_stack_info *info = s2clr_stack_describe(self->scene.stack);
    const char *input = self->scene.cut->inputs[0];
    double transform[6]; /* GDAL before 3.12 takes no constant one */
    OGRSpatialReferenceH world = OSRNewSpatialReference(NULL);
    OGRSpatialReferenceH here = OSRNewSpatialReference(info->wkt[0] ? info->wkt : NULL);
    const bool known = info->has_transform && info->wkt[0] &&
                       OSRSetFromUserInput(world, "EPSG:4326") == OGRERR_NONE;
    if (known) {
        OSRSetAxisMappingStrategy(world, OAMS_TRADITIONAL_GIS_ORDER);
        OSRSetAxisMappingStrategy(here, OAMS_TRADITIONAL_GIS_ORDER);
        self->way = OCTNewCoordinateTransformation(world, here);
    }
    OSRDestroySpatialReference(here);
    OSRDestroySpatialReference(world);
    memcpy(transform, info->transform, sizeof transform);
    if (self->way && GDALInvGeoTransform(transform, self->inverse)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: it has no place on the ground, points cannot be found in it; give "
                           "it a coordinate system (gdal_edit.py -a_srs)",
                           input);
}

/* The coarsest step at which pixels of all bands begin. */
static int step_of(const s2clr_cut_scene *scene)
{
    for (int step = 1; step < WHOLE; step++) {
        bool whole = true;
        for (int b = 0; b < scene->bands; b++) whole &= step % scene->band[b].ratio == 0;
        if (whole) return step;
    }
    return WHOLE;
}

static s2clr_status open_scene(chips *self)
{
    const s2clr_cut *cut = &self->raster->cuts[self->scene_number++];
    S2CLR_TRY(s2clr_cut_scene_open(cut, &self->options, &self->scene));
    self->open = true;
    self->point = 0;
    const s2clr_stack_info *info = s2clr_stack_describe(self->scene.stack);
    self->scene.stride = step_of(&self->scene);
    self->scene.columns = (info->width - self->scene.patch) / self->scene.stride + 1;
    self->scene.rows = (info->height - self->scene.patch) / self->scene.stride + 1;
    return make_way(self);
}

/* ---- points ---- */

/* Pixel of the next point, false when the scene does not reach it. */
static bool find_pixel(chips *self, size_t point, double *column, double *row)
{
    const s2clr_stack_info *info = s2clr_stack_describe(self->scene.stack);
    const double *t = self->inverse;
    double x, y;
    s2clr_verdict verdict;
    int found = 0;
    if (!s2clr_labels_point(self->labels, point, &x, &y, &verdict)) return false;
    if (!OCTTransformEx(self->way, 1, &x, &y, NULL, &found) || !found) return false;
    *column = t[0] + x * t[1] + y * t[2];
    *row = t[3] + x * t[4] + y * t[5];
    return *column >= 0 && *row >= 0 && *column < info->width && *row < info->height;
}

static s2clr_status cut_chip(chips *self, size_t point, double column, double row,
                             s2clr_patch_record *record, bool *good)
{
    s2clr_cut_scene *scene = &self->scene;
    const double left = floor((column - scene->patch / 2.0) / scene->stride + 0.5);
    const double top = floor((row - scene->patch / 2.0) / scene->stride + 0.5);
    char reason[120];
    snprintf(scene->name, sizeof scene->name, "%s_p%06zu", scene->cut->stem, point);
    if (left < 0 || top < 0 || left >= scene->columns || top >= scene->rows) {
        s2clr_import_leave_out(&self->options, scene->name, "reaches over the edge of the raster");
        return S2CLR_OK;
    }
    const s2clr_status status =
        s2clr_cut_window_read(scene, &self->options, (int)left, (int)top, record, good, reason);
    if (status != S2CLR_OK) {
        *good = false;
        return s2clr_import_skip_failure(&self->options, scene->name, status);
    }
    if (!*good) s2clr_import_leave_out(&self->options, scene->name, "%s", reason);
    return S2CLR_OK;
}

static s2clr_status chips_next(s2clr_import *import, s2clr_patch_record *record, bool *end)
{
    chips *self = chips_of(import);
    for (*end = false;;) {
        double column, row;
        bool good = false;
        if (self->open && self->point == self->points) close_scene(self);
        if (!self->open && self->scene_number == self->raster->count) break;
        if (!self->open) S2CLR_TRY(open_scene(self));
        const size_t point = self->point++;
        if (!find_pixel(self, point, &column, &row)) continue;
        S2CLR_TRY(cut_chip(self, point, column, row, record, &good));
        if (good) return S2CLR_OK;
    }
    *end = true;
    return S2CLR_OK;
}

static double chips_done(const s2clr_import *import)
{
    const chips *self = (const chips *)(const void *)import;
    const double part = self->open ? (double)self->point / (double)self->points : 1;
    return ((double)self->scene_number - 1 + part) / (double)self->raster->count;
}

const s2clr_import_kind s2clr_chips_kind = {
    .name = "chips",
    .summary = "patches of rasters around label points",
    .next = chips_next,
    .done = chips_done,
    .close = chips_close,
};
