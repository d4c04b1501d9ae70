#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/cuts.h"
#include "dataset/product_names.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/stack_native.h"
#include "sentinel2/stack_offer.h"

enum { PATCH = 120 };
#define UNEVEN_MAX 0.01 /* of a pixel's size against the finest band's multiple */

static s2clr_status open_stack(const s2clr_cut *cut, const s2clr_import_options *options,
                               s2clr_stack **out)
{
    const s2clr_stack_options how = {.scl = options->scl};
    s2clr_card card;
    const char *const *inputs = (const char *const *)cut->inputs;
    S2CLR_TRY(s2clr_stack_offer(inputs, cut->count, &how, options->bands, &card));
    return s2clr_stack_open(inputs, cut->count, &card, &how, out);
}

static s2clr_status not_whole(const s2clr_cut_scene *scene, const s2clr_cut_band *band,
                              const char *what, int pixels)
{
    return s2clr_error_set(
        S2CLR_ERR_MISMATCH,
        "%s: a %s of %d pixels is %.4g pixels of %s; choose a multiple of %d, or "
        "name the bands to be taken without %s",
        scene->cut->inputs[0], what, pixels, (double)pixels / band->ratio, band->name, band->ratio,
        band->name);
}

static s2clr_status open_band(s2clr_cut_scene *scene, int index)
{
    s2clr_native native;
    s2clr_cut_band *band = &scene->band[index];
    size_t pixels;
    S2CLR_TRY(s2clr_stack_native(scene->stack, index, &native));
    *band = (s2clr_cut_band){.dtype = native.dtype,
                             .pixel_bytes = native.pixel_bytes,
                             .width = native.width,
                             .height = native.height,
                             .scale = native.scale,
                             .shift_x = native.shift_x,
                             .shift_y = native.shift_y};
    snprintf(band->name, sizeof band->name, "%s", native.name);
    const double ratio = 1 / native.scale;
    band->ratio = (int)nearbyint(ratio);
    if (band->ratio < 1 || fabs(ratio / band->ratio - 1) > UNEVEN_MAX)
        return s2clr_error_set(
            S2CLR_ERR_MISMATCH,
            "%s: its pixels are %.4g times those of the finest band, not a whole "
            "number of times; resample it (gdalwarp -tr) or name the bands to "
            "be taken without %s",
            native.source, ratio, native.name);
    if (scene->patch % band->ratio) return not_whole(scene, band, "patch", scene->patch);
    if (scene->stride % band->ratio) return not_whole(scene, band, "stride", scene->stride);
    band->side = scene->patch / band->ratio;
    S2CLR_TRY(s2clr_size_mul((size_t)band->side, (size_t)band->side, &pixels));
    return s2clr_alloc(pixels, band->pixel_bytes, "patch", &band->pixels);
}

static s2clr_status take_offset(s2clr_cut_scene *scene)
{
    const s2clr_stack_info *info = s2clr_stack_describe(scene->stack);
    scene->dn_offset = info->band[0].offset;
    for (int i = 1; i < info->bands; i++)
        if (info->band[i].offset != scene->dn_offset)
            return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                                   "%s: DN offsets differ: %g of %s, %g of %s; a patch has one: "
                                   "import the bands of one offset at a time",
                                   scene->cut->inputs[0], scene->dn_offset, info->band[0].band,
                                   info->band[i].offset, info->band[i].band);
    return S2CLR_OK;
}

/* Product metadata know the day better than nothing. */
static void take_date(s2clr_cut_scene *scene)
{
    static const char *const keys[] = {"PRODUCT_START_TIME", "DATATAKE_1_DATATAKE_SENSING_START",
                                       "SENSING_TIME"};
    memcpy(scene->date, scene->cut->date, sizeof scene->date);
    if (scene->date[0]) return;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset =
        GDALOpen(s2clr_stack_describe(scene->stack)->band[0].source, GA_ReadOnly);
    for (size_t i = 0; dataset && i < sizeof keys / sizeof keys[0] && !scene->date[0]; i++) {
        const char *text = GDALGetMetadataItem(dataset, keys[i], NULL);
        if (text) s2clr_product_date(text, scene->date);
    }
    if (dataset) GDALClose(dataset);
    s2clr_gdal_watch_end(&watch);
}

static s2clr_status lay_out(s2clr_cut_scene *scene)
{
    const s2clr_stack_info *info = s2clr_stack_describe(scene->stack);
    if (info->width < scene->patch || info->height < scene->patch)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: has %d x %d pixels, less than a patch of %d; choose smaller "
                               "patches",
                               scene->cut->inputs[0], info->width, info->height, scene->patch);
    scene->columns = (info->width - scene->patch) / scene->stride + 1;
    scene->rows = (info->height - scene->patch) / scene->stride + 1;
    return S2CLR_OK;
}

static s2clr_status prepare(const s2clr_import_options *options, s2clr_cut_scene *scene)
{
    size_t pixels, values;
    scene->patch = options->patch ? options->patch : PATCH;
    scene->stride = options->stride ? options->stride : scene->patch;
    if (scene->patch < 1 || scene->patch > S2CLR_PATCH_SIDE_MAX || scene->stride < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "patch %d and stride %d; wanted: a patch of 1 to %d pixels and a "
                               "stride of at least 1",
                               scene->patch, scene->stride, S2CLR_PATCH_SIDE_MAX);
    S2CLR_TRY(open_stack(scene->cut, options, &scene->stack));
    const s2clr_stack_info *info = s2clr_stack_describe(scene->stack);
    scene->bands = info->bands + (info->has_scl ? 1 : 0);
    S2CLR_TRY(lay_out(scene));
    for (int i = 0; i < scene->bands; i++) S2CLR_TRY(open_band(scene, i));
    S2CLR_TRY(take_offset(scene));
    take_date(scene);
    scene->metres = sqrt(info->metres_x * info->metres_y);
    scene->level_known = strcmp(info->level_from, "assumed") != 0;
    S2CLR_TRY(s2clr_size_mul((size_t)scene->patch, (size_t)scene->patch, &pixels));
    S2CLR_TRY(s2clr_size_mul(pixels, (size_t)info->bands, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof *scene->values, "patch", (void **)&scene->values));
    return s2clr_alloc(pixels, 1, "mask", (void **)&scene->valid);
}

s2clr_status s2clr_cut_scene_open(const s2clr_cut *cut, const s2clr_import_options *options,
                                  s2clr_cut_scene *out)
{
    s2clr_cut_scene scene = {.cut = cut};
    const s2clr_status status = prepare(options, &scene);
    if (status == S2CLR_OK)
        *out = scene;
    else
        s2clr_cut_scene_close(&scene);
    return status;
}

void s2clr_cut_scene_close(s2clr_cut_scene *scene)
{
    for (int i = 0; i < scene->bands; i++) s2clr_free(scene->band[i].pixels);
    s2clr_stack_close(scene->stack);
    s2clr_free(scene->values);
    s2clr_free(scene->valid);
    *scene = (s2clr_cut_scene){0};
}
