#include "report/topk_windows.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/cuts.h"
#include "report/topk_place.h"
#include "sentinel2/stack_offer.h"

/* ---- opening the bands to show ---- */

/* Network input through such a card is DN + product offset. */
static void leave_dn(s2clr_card *card)
{
    for (int b = 0; b < card->bands; b++) {
        card->mean[b] = 0;
        card->std[b] = 1;
        for (int i = 0; i < card->levels; i++) card->level[i].gain[b] = 1;
        for (int i = 0; i < card->levels; i++) card->level[i].bias[b] = 0;
    }
    for (int i = 0; i < card->levels; i++) {
        card->level[i].low = -INFINITY;
        card->level[i].high = INFINITY;
    }
}

/* The bands of pictures among those the input names; all when there is none of them. */
static s2clr_status offered_card(const s2clr_topk_look *look, s2clr_card *out)
{
    const char *const *wanted = s2clr_topk_picture_bands();
    s2clr_stack_options options = *look->stack;
    s2clr_card all, card;
    options.level = NULL;
    S2CLR_TRY(s2clr_stack_offer(look->inputs, look->count, &options, NULL, &all));
    card = all;
    card.bands = 0;
    for (; *wanted; wanted++)
        for (int b = 0; b < all.bands; b++)
            if (strcmp(all.band[b], *wanted) == 0)
                snprintf(card.band[card.bands++], sizeof card.band[0], "%s", *wanted);
    if (card.bands == 0) card = all;
    leave_dn(&card);
    *out = card;
    return S2CLR_OK;
}

static s2clr_card model_card(const s2clr_card *card)
{
    s2clr_card own = *card; /* texts stay the model's */
    leave_dn(&own);
    return own;
}

/* The level is the one the model's stack was opened as; clouds are shown, so no mask. */
static s2clr_status open_with(const s2clr_topk_look *look, const char *level, s2clr_card *card,
                              s2clr_stack **out)
{
    s2clr_stack_options options = *look->stack;
    options.scl = options.scl_classes = NULL;
    if (level) {
        const s2clr_card_level *own = look->card ? s2clr_card_find_level(look->card, level) : NULL;
        snprintf(card->level[0].name, sizeof card->level[0].name, "%s", level);
        if (own) card->level[0].has_nodata = own->has_nodata, card->level[0].nodata = own->nodata;
        card->levels = 1;
        options.level = level;
    }
    return s2clr_stack_open(look->inputs, look->count, card, &options, out);
}

static bool same_grid(const s2clr_stack *stack, const s2clr_topk_raster *raster)
{
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    return info->width == raster->width && info->height == raster->height;
}

/* Where the bands of pictures cannot be had on the model's own grid, its own are shown. */
static s2clr_status open_to_show(const s2clr_topk_look *look, const s2clr_topk_raster *raster,
                                 s2clr_card *card, s2clr_stack **out)
{
    s2clr_stack *stack = NULL;
    const char *level = look->card ? raster->level : look->stack->level;
    s2clr_status status = S2CLR_ERR_MISMATCH;
    if (!look->card || !look->stack->bands) status = offered_card(look, card);
    if (status == S2CLR_OK) status = open_with(look, level, card, &stack);
    if (status == S2CLR_OK && same_grid(stack, raster)) {
        *out = stack;
        return S2CLR_OK;
    }
    s2clr_stack_close(stack);
    if (!look->card) return status;
    *card = model_card(look->card);
    return open_with(look, level, card, out);
}

s2clr_status s2clr_topk_windows_raster(const s2clr_topk_look *look, int patch,
                                       s2clr_topk_raster *out)
{
    s2clr_card card;
    s2clr_stack *stack;
    S2CLR_TRY(offered_card(look, &card));
    S2CLR_TRY(open_with(look, look->stack->level, &card, &stack));
    const s2clr_status status = s2clr_topk_raster_set(s2clr_stack_describe(stack), patch, out);
    s2clr_stack_close(stack);
    return status;
}

/* ---- names and places ---- */

/* As "s2clr dataset import" calls the patch that begins there. */
static s2clr_status name_patches(const s2clr_topk_look *look, const int64_t (*corner)[2],
                                 size_t count, s2clr_sheet *sheet)
{
    s2clr_cut cut = {.inputs = (char **)look->inputs, .count = look->count};
    char name[S2CLR_CUT_TEXT + 64];
    s2clr_cut_name(&cut);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s_r%05lld_c%05lld", cut.stem, (long long)corner[i][1],
                 (long long)corner[i][0]);
        S2CLR_TRY(s2clr_strdup(name, &sheet->patch[i].name));
    }
    return S2CLR_OK;
}

static s2clr_status place_patches(const s2clr_topk_raster *raster, const int64_t (*corner)[2],
                                  size_t count, s2clr_sheet *sheet)
{
    const double half = raster->patch / 2.0;
    s2clr_topk_place *place;
    if (!raster->has_transform || !raster->wkt[0]) return S2CLR_OK;
    S2CLR_TRY(s2clr_topk_place_new(raster->transform, raster->wkt, NULL, NULL, &place));
    for (size_t i = 0; i < count; i++) {
        double x, y;
        if (!s2clr_topk_place_move(place, (double)corner[i][0] + half, (double)corner[i][1] + half,
                                   &x, &y))
            continue;
        sheet->patch[i].longitude = x;
        sheet->patch[i].latitude = y;
    }
    s2clr_topk_place_free(place);
    return S2CLR_OK;
}

/* Where the patch begins that is centred on an item: s * i + floor(s / 2) - floor(P / 2) under
 * pixel i of a map of stride s. An odd s or P puts the item half a pixel beyond; a quarter is wide
 * of that and of rounding. */
static int64_t start_of(double centre, int patch)
{
    const int half = patch / 2;
    return (int64_t)floor(centre - half + 0.25);
}

/* ---- pixels ---- */

static s2clr_status read_windows(s2clr_stack *stack, const int64_t (*corner)[2], uint8_t *valid,
                                 const s2clr_progress *progress, s2clr_topk_pixels *pixels)
{
    const size_t plane = (size_t)pixels->size * (size_t)pixels->size;
    for (size_t i = 0; i < pixels->count; i++) {
        float *values = s2clr_topk_pixels_of(pixels, i);
        if (!s2clr_progress_report(progress, (double)i / (double)pixels->count, "reading patches"))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "reading patches was cancelled");
        S2CLR_TRY(s2clr_stack_read(stack, corner[i][0], corner[i][1], pixels->size, pixels->size,
                                   values, valid));
        for (size_t k = 0; k < plane * (size_t)pixels->bands; k++)
            if (!valid[k % plane]) values[k] = NAN;
    }
    return S2CLR_OK;
}

static s2clr_status read_pixels(const s2clr_topk_look *look, const s2clr_topk_raster *raster,
                                const int64_t (*corner)[2], size_t count,
                                const s2clr_progress *progress, s2clr_topk_pixels *out)
{
    const size_t plane = (size_t)raster->patch * (size_t)raster->patch;
    s2clr_topk_pixels pixels = {0};
    s2clr_card card;
    s2clr_stack *stack;
    uint8_t *valid = NULL;
    S2CLR_TRY(open_to_show(look, raster, &card, &stack));
    s2clr_status status = s2clr_topk_pixels_new(count, card.bands, raster->patch, &pixels);
    if (status == S2CLR_OK) status = s2clr_alloc(plane, 1, "valid pixels", (void **)&valid);
    if (status == S2CLR_OK) status = read_windows(stack, corner, valid, progress, &pixels);
    memcpy(pixels.band, card.band, sizeof pixels.band);
    s2clr_free(valid);
    s2clr_stack_close(stack);
    if (status == S2CLR_OK)
        *out = pixels;
    else
        s2clr_topk_pixels_free(&pixels);
    return status;
}

s2clr_status s2clr_topk_windows_read(const s2clr_topk_look *look, const s2clr_topk_raster *raster,
                                     const s2clr_topk_item *item, size_t count,
                                     const s2clr_progress *progress, s2clr_sheet *sheet,
                                     s2clr_topk_pixels *pixels)
{
    int64_t(*corner)[2];
    S2CLR_TRY(s2clr_alloc(count, sizeof *corner, "corners of patches", (void **)&corner));
    for (size_t i = 0; i < count; i++) {
        corner[i][0] = start_of(item[i].x, raster->patch);
        corner[i][1] = start_of(item[i].y, raster->patch);
    }
    s2clr_status status = name_patches(look, (const int64_t(*)[2])corner, count, sheet);
    if (status == S2CLR_OK)
        status = place_patches(raster, (const int64_t(*)[2])corner, count, sheet);
    if (status == S2CLR_OK)
        status = read_pixels(look, raster, (const int64_t(*)[2])corner, count, progress, pixels);
    s2clr_free(corner);
    return status;
}
