#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dataset/cuts.h"
#include "sentinel2/stack_native.h"

enum { SCL_WATER = 6 }; /* Sentinel-2 Products Specification Document, scene classification */

/* First pixel of a band's window along one axis; false when the window leaves the band. */
static bool first_pixel(const s2clr_cut_band *band, double shift, int at, int length, int *first)
{
    const double exact = band->scale * at + shift;
    double whole = nearbyint(exact);
    if (whole < 0) whole = 0;
    if (whole + band->side > length) whole = length - band->side;
    if (whole < 0 || fabs(whole - exact) > 1) return false;
    *first = (int)whole;
    return true;
}

static s2clr_status read_bands(s2clr_cut_scene *scene, int x, int y, bool *inside)
{
    for (int i = 0; i < scene->bands; i++) {
        const s2clr_cut_band *band = &scene->band[i];
        int bx, by;
        *inside = first_pixel(band, band->shift_x, x, band->width, &bx) &&
                  first_pixel(band, band->shift_y, y, band->height, &by);
        if (!*inside) return S2CLR_OK;
        S2CLR_TRY(
            s2clr_stack_native_read(scene->stack, i, bx, by, band->side, band->side, band->pixels));
    }
    return S2CLR_OK;
}

static double share_valid(const s2clr_cut_scene *scene, size_t pixels)
{
    size_t valid = 0;
    for (size_t i = 0; i < pixels; i++) valid += scene->valid[i];
    return (double)valid / (double)pixels;
}

static bool any_negative(const s2clr_cut_scene *scene, size_t pixels, int bands)
{
    for (int b = 0; b < bands; b++)
        for (size_t i = 0; i < pixels; i++)
            if (scene->valid[i] && scene->values[(size_t)b * pixels + i] < 0) return true;
    return false;
}

static double share_water(const s2clr_cut_scene *scene)
{
    const s2clr_cut_band *scl = &scene->band[scene->bands - 1];
    const size_t pixels = (size_t)scl->side * (size_t)scl->side;
    size_t water = 0;
    for (size_t i = 0; i < pixels; i++) {
        const size_t at = i * scl->pixel_bytes;
        const uint8_t *class = (const uint8_t *)scl->pixels + at;
        bool high = false; /* other types: little-endian, all further bytes are 0 */
        for (size_t k = 1; k < scl->pixel_bytes; k++) high |= class[k] != 0;
        water += !high && *class == SCL_WATER;
    }
    return (double)water / (double)pixels;
}

/* The rules of the user, the cheapest first. */
static s2clr_status judge(s2clr_cut_scene *scene, const s2clr_import_options *options, int x, int y,
                          bool *good, char reason[120])
{
    const int patch = scene->patch;
    const s2clr_stack_info *info = s2clr_stack_describe(scene->stack);
    const size_t pixels = (size_t)patch * (size_t)patch;
    double valid = 0;
    bool inside = true;
    *good = false;
    if (!s2clr_stack_is_empty(scene->stack, x, y, patch, patch)) {
        S2CLR_TRY(s2clr_stack_read(scene->stack, x, y, patch, patch, scene->values, scene->valid));
        valid = share_valid(scene, pixels);
    }
    if (valid == 0 || valid < options->min_valid) {
        snprintf(reason, 120, "%.0f of its %zu pixels are valid, wanted: at least %.6g %%",
                 valid * (double)pixels, pixels, 100 * options->min_valid);
        return S2CLR_OK;
    }
    if (options->drop_negative && any_negative(scene, pixels, info->bands)) {
        snprintf(reason, 120, "has negative reflectance");
        return S2CLR_OK;
    }
    S2CLR_TRY(read_bands(scene, x, y, &inside));
    if (!inside) {
        snprintf(reason, 120, "not all bands reach so far");
        return S2CLR_OK;
    }
    const double water = info->has_scl ? share_water(scene) : 0;
    *good = water <= options->max_water;
    if (!*good)
        snprintf(reason, 120, "%.3g %% water, wanted: at most %.3g %%", 100 * water,
                 100 * options->max_water);
    return S2CLR_OK;
}

/* Where two dates show the same ground they have the same place. */
static void name_place(s2clr_cut_scene *scene, int x, int y, const s2clr_patch_record *record)
{
    const s2clr_cut *cut = scene->cut;
    scene->place[0] = '\0';
    if (cut->place[0])
        snprintf(scene->place, sizeof scene->place, "%s_r%05d_c%05d", cut->place, y, x);
    else if (cut->tile[0] && record->has_footprint)
        snprintf(scene->place, sizeof scene->place, "%s_%.10g_%.10g", cut->tile,
                 record->transform[0], record->transform[3]);
}

static void fill_record(s2clr_cut_scene *scene, int x, int y, s2clr_patch_record *record)
{
    const s2clr_stack_info *info = s2clr_stack_describe(scene->stack);
    const double *t = info->transform;
    *record = (s2clr_patch_record){.name = scene->name,
                                   .bands = scene->bands,
                                   .label = S2CLR_LABEL_UNKNOWN,
                                   .cover = -1,
                                   .level = scene->level_known ? info->level : "",
                                   .dn_offset = scene->dn_offset,
                                   .metres = scene->metres,
                                   .date = scene->date,
                                   .tile = scene->cut->tile,
                                   .place = scene->place,
                                   .source = scene->cut->inputs[0],
                                   .width = scene->patch,
                                   .height = scene->patch};
    for (int i = 0; i < scene->bands; i++) {
        const s2clr_cut_band *from = &scene->band[i];
        s2clr_patch_band *to = &record->band[i];
        memcpy(to->name, from->name, sizeof to->name);
        to->dtype = from->dtype;
        to->height = to->width = from->side;
        to->data = from->pixels;
    }
    record->has_footprint = info->has_transform && info->wkt[0];
    record->crs = record->has_footprint ? info->wkt : "";
    memcpy(record->transform, t, sizeof record->transform);
    record->transform[0] = t[0] + x * t[1] + y * t[2];
    record->transform[3] = t[3] + x * t[4] + y * t[5];
    name_place(scene, x, y, record);
}

s2clr_status s2clr_cut_window_read(s2clr_cut_scene *scene, const s2clr_import_options *options,
                                   int column, int row, s2clr_patch_record *record, bool *good,
                                   char reason[120])
{
    const int x = column * scene->stride, y = row * scene->stride;
    S2CLR_TRY(judge(scene, options, x, y, good, reason));
    if (*good) fill_record(scene, x, y, record);
    return S2CLR_OK;
}
