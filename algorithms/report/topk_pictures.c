#include "report/topk_pictures.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/png_data.h"

/* As many pixels of a band give its percentiles; of more, every n-th is taken. */
enum { LOOKED_AT = 1 << 20, COLOURS = 3 };
#define DARK 0.02
#define BRIGHT 0.98

/* The first row of a kind whose bands are there is shown. */
static const struct view_row {
    const char *name, *band[COLOURS];
    int place; /* picture of the sheet */
} views[] = {
    {"true colour", {"B04", "B03", "B02"}, 0},
    {"false colour", {"B08", "B04", "B03"}, 1},
    {"false colour", {"B8A", "B04", "B03"}, 1},
};

typedef struct view {
    char name[64];
    int band[COLOURS]; /* of the pixels */
} view;

typedef struct stretch {
    double low, high; /* black and full */
} stretch;

const char *const *s2clr_topk_picture_bands(void)
{
    static const char *const bands[] = {"B04", "B03", "B02", "B08", "B8A", NULL};
    return bands;
}

/* ---- pixels ---- */

static size_t patch_values(const s2clr_topk_pixels *pixels)
{
    return (size_t)pixels->bands * (size_t)pixels->size * (size_t)pixels->size;
}

s2clr_status s2clr_topk_pixels_new(size_t count, int bands, int size, s2clr_topk_pixels *out)
{
    s2clr_topk_pixels pixels = {.count = count, .bands = bands, .size = size};
    size_t plane, patch, total;
    if (bands < 1 || bands > S2CLR_CARD_BANDS_MAX || size < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "patches of %d bands and %d pixels cannot be shown; wanted: 1 to %d "
                               "bands",
                               bands, size, S2CLR_CARD_BANDS_MAX);
    S2CLR_TRY(s2clr_size_mul((size_t)size, (size_t)size, &plane));
    S2CLR_TRY(s2clr_size_mul(plane, (size_t)bands, &patch));
    S2CLR_TRY(s2clr_size_mul(patch, count, &total));
    S2CLR_TRY(s2clr_alloc(total, sizeof *pixels.value, "pixels to show", (void **)&pixels.value));
    for (size_t i = 0; i < total; i++) pixels.value[i] = NAN;
    *out = pixels;
    return S2CLR_OK;
}

void s2clr_topk_pixels_free(s2clr_topk_pixels *pixels)
{
    s2clr_free(pixels->value);
    *pixels = (s2clr_topk_pixels){0};
}

float *s2clr_topk_pixels_of(const s2clr_topk_pixels *pixels, size_t patch)
{
    return pixels->value + patch * patch_values(pixels);
}

/* ---- which bands ---- */

static int find_band(const s2clr_topk_pixels *pixels, const char *name)
{
    for (int b = 0; b < pixels->bands; b++)
        if (strcmp(pixels->band[b], name) == 0) return b;
    return -1;
}

static bool find_view(const s2clr_topk_pixels *pixels, const struct view_row *row, view *out)
{
    snprintf(out->name, sizeof out->name, "%s", row->name);
    for (int c = 0; c < COLOURS; c++) {
        out->band[c] = find_band(pixels, row->band[c]);
        if (out->band[c] < 0) return false;
    }
    return true;
}

/* Without the bands of either: three bands as they come, else one in shades of grey. */
static view first_bands(const s2clr_topk_pixels *pixels)
{
    view out = {.name = "first bands"};
    const bool colour = pixels->bands >= COLOURS;
    if (!colour) snprintf(out.name, sizeof out.name, "first band");
    for (int c = 0; colour && c < COLOURS; c++) out.band[c] = c;
    return out;
}

static int choose_views(const s2clr_topk_pixels *pixels, view out[S2CLR_SHEET_PICTURES])
{
    int count = 0, next = 0;
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        if (views[i].place < next || !find_view(pixels, &views[i], &out[count])) continue;
        next = views[i].place + 1;
        count++;
    }
    if (count == 0) out[count++] = first_bands(pixels);
    return count;
}

/* ---- how bright ---- */

static bool all_bytes(const s2clr_topk_pixels *pixels)
{
    const size_t total = pixels->count * patch_values(pixels);
    for (size_t i = 0; i < total; i++) {
        const float v = pixels->value[i];
        if (!isnan(v) && !(v >= 0 && v <= 255 && v == truncf(v))) return false;
    }
    return true;
}

static int compare_floats(const void *a, const void *b)
{
    const float left = *(const float *)a, right = *(const float *)b;
    return left < right ? -1 : left > right;
}

/* Valid pixels of one band in all patches, evenly taken; how many. */
static size_t gather(const s2clr_topk_pixels *pixels, int band, float *to)
{
    const size_t plane = (size_t)pixels->size * (size_t)pixels->size;
    const size_t all = plane * pixels->count, step = (all + LOOKED_AT - 1) / LOOKED_AT;
    size_t found = 0;
    for (size_t i = 0; i < all; i += step) {
        const float *patch = s2clr_topk_pixels_of(pixels, i / plane);
        const float v = patch[(size_t)band * plane + i % plane];
        if (!isnan(v)) to[found++] = v;
    }
    return found;
}

static double quantile(const float *sorted, size_t count, double share)
{
    return count ? (double)sorted[(size_t)(share * (double)(count - 1) + 0.5)] : 0;
}

static s2clr_status measure(const s2clr_topk_pixels *pixels, bool bytes, stretch *out)
{
    float *sorted;
    for (int b = 0; b < pixels->bands; b++) out[b] = (stretch){0, 255};
    if (bytes) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(LOOKED_AT, sizeof *sorted, "pixels of a band", (void **)&sorted));
    for (int b = 0; b < pixels->bands; b++) {
        const size_t count = gather(pixels, b, sorted);
        qsort(sorted, count, sizeof *sorted, compare_floats);
        out[b] = (stretch){quantile(sorted, count, DARK), quantile(sorted, count, BRIGHT)};
        if (!(out[b].high > out[b].low)) out[b].high = out[b].low + 1;
    }
    s2clr_free(sorted);
    return S2CLR_OK;
}

static void say_rule(const s2clr_topk_pixels *pixels, const view *shown, bool bytes,
                     const stretch *s, s2clr_sheet_picture *out)
{
    static const char *const colours[] = {"red", "green", "blue"};
    const bool grey = shown->band[0] == shown->band[1];
    size_t used = 0;
    snprintf(out->name, sizeof out->name, "%.63s", shown->name);
    out->rule[0] = '\0';
    for (int c = 0; c < (grey ? 1 : COLOURS) && used < sizeof out->rule; c++) {
        const int b = shown->band[c];
        const int wrote = bytes
                              ? snprintf(out->rule + used, sizeof out->rule - used, "%s%s as %s",
                                         c ? ", " : "", pixels->band[b], grey ? "grey" : colours[c])
                              : snprintf(out->rule + used, sizeof out->rule - used,
                                         "%s%s %.6g to %.6g as %s", c ? ", " : "", pixels->band[b],
                                         s[b].low, s[b].high, grey ? "grey" : colours[c]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    if (bytes && used < sizeof out->rule)
        snprintf(out->rule + used, sizeof out->rule - used, ", bytes as they are");
}

/* ---- pictures ---- */

/* planes: (4, size, size); true when a pixel is not opaque. */
static bool paint(const s2clr_topk_pixels *pixels, size_t patch, const view *shown,
                  const stretch *s, uint8_t *planes)
{
    const size_t plane = (size_t)pixels->size * (size_t)pixels->size;
    const float *value = s2clr_topk_pixels_of(pixels, patch);
    bool holes = false;
    for (size_t i = 0; i < plane; i++) {
        bool valid = true;
        for (int c = 0; c < COLOURS; c++) {
            const stretch *one = &s[shown->band[c]];
            const float v = value[(size_t)shown->band[c] * plane + i];
            const double part = ((double)v - one->low) / (one->high - one->low);
            valid = valid && !isnan(v);
            planes[(size_t)c * plane + i] = (uint8_t)(255 * fmin(fmax(part, 0), 1) + 0.5);
        }
        planes[COLOURS * plane + i] = valid ? 255 : 0;
        holes = holes || !valid;
    }
    return holes;
}

s2clr_status s2clr_topk_pictures_make(const s2clr_topk_pixels *pixels, s2clr_sheet *sheet)
{
    view shown[S2CLR_SHEET_PICTURES];
    stretch s[S2CLR_CARD_BANDS_MAX];
    uint8_t *planes;
    const int count = choose_views(pixels, shown);
    const bool bytes = pixels->image && all_bytes(pixels);
    S2CLR_TRY(measure(pixels, bytes, s));
    S2CLR_TRY(
        s2clr_alloc((size_t)pixels->size * (size_t)pixels->size, 4, "a picture", (void **)&planes));
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; status == S2CLR_OK && i < pixels->count * (size_t)count; i++) {
        const size_t patch = i / (size_t)count, which = i % (size_t)count;
        const bool holes = paint(pixels, patch, &shown[which], s, planes);
        char *uri = NULL;
        status = s2clr_png_data(planes, pixels->size, pixels->size, holes, &uri);
        if (status == S2CLR_OK) sheet->patch[patch].picture[which] = uri;
    }
    s2clr_free(planes);
    for (int i = 0; status == S2CLR_OK && i < count; i++)
        say_rule(pixels, &shown[i], bytes, s, &sheet->picture[i]);
    if (status == S2CLR_OK) sheet->pictures = count;
    return status;
}
