#include <math.h>
#include <string.h>

#include "train/paugment.h"

static void swap(float *a, float *b)
{
    const float kept = *a;
    *a = *b;
    *b = kept;
}

static void flip_columns(int size, float *plane)
{
    for (int row = 0; row < size; row++) {
        float *line = plane + (ptrdiff_t)row * size;
        for (int i = 0, j = size - 1; i < j; i++, j--) swap(&line[i], &line[j]);
    }
}

static void flip_rows(int size, float *plane)
{
    for (int i = 0, j = size - 1; i < j; i++, j--)
        for (int column = 0; column < size; column++)
            swap(&plane[(ptrdiff_t)i * size + column], &plane[(ptrdiff_t)j * size + column]);
}

static void transpose(int size, float *plane)
{
    for (int i = 0; i < size; i++)
        for (int j = 0; j < i; j++)
            swap(&plane[(ptrdiff_t)i * size + j], &plane[(ptrdiff_t)j * size + i]);
}

void s2clr_augment_flip(const augment_draws *draws, const augment_view *view)
{
    const bool across = augment_draw(draws, 0) < 0.5f, down = augment_draw(draws, 1) < 0.5f;
    for (int c = 0; c < view->channels; c++) {
        if (across) flip_columns(view->size, augment_plane(view, c));
        if (down) flip_rows(view->size, augment_plane(view, c));
    }
}

/* Clockwise. */
static void quarter_turn(const augment_view *view)
{
    for (int c = 0; c < view->channels; c++) {
        transpose(view->size, augment_plane(view, c));
        flip_columns(view->size, augment_plane(view, c));
    }
}

/* With flips: all 8 symmetries, equally likely. */
void s2clr_augment_rot90(const augment_draws *draws, const augment_view *view)
{
    if (augment_draw(draws, 0) < 0.5f) quarter_turn(view);
}

/* 0 to 3 quarter turns. */
void s2clr_augment_rotate(const augment_draws *draws, const augment_view *view)
{
    for (int turns = (int)(4 * augment_draw(draws, 0)); turns > 0; turns--) quarter_turn(view);
}

/* Whole pixels in [-reach, reach], all equally likely. */
static int draw_offset(const augment_draws *draws, unsigned which, int reach)
{
    const int offset = (int)(augment_draw(draws, which) * (float)(2 * reach + 1)) - reach;
    return offset > reach ? reach : offset;
}

/* By up to 10 % of the size; the border is reflected. */
void s2clr_augment_shift(const augment_draws *draws, const augment_view *view)
{
    const int size = view->size;
    const int down = draw_offset(draws, 0, size / 10), right = draw_offset(draws, 1, size / 10);
    for (int c = 0; c < view->channels; c++) {
        float *plane = augment_plane(view, c);
        memcpy(view->scratch, plane, augment_pixels(view) * sizeof *plane);
        for (int i = 0; i < size; i++) {
            const float *from = view->scratch + (ptrdiff_t)augment_reflect(i - down, size) * size;
            float *to = plane + (ptrdiff_t)i * size;
            for (int j = 0; j < size; j++) to[j] = from[augment_reflect(j - right, size)];
        }
    }
}

/* The study's shift: down and right by 0 to just below 10 % of the size; what leaves comes back. */
void s2clr_augment_roll(const augment_draws *draws, const augment_view *view)
{
    const int size = view->size, reach = size / 10;
    const int down = (int)(augment_draw(draws, 0) * (float)reach);
    const int right = (int)(augment_draw(draws, 1) * (float)reach);
    for (int c = 0; c < view->channels; c++) {
        float *plane = augment_plane(view, c);
        memcpy(view->scratch, plane, augment_pixels(view) * sizeof *plane);
        for (int i = 0; i < size; i++) {
            const float *from = view->scratch + (ptrdiff_t)((i + size - down) % size) * size;
            float *to = plane + (ptrdiff_t)i * size;
            for (int j = 0; j < size; j++) to[j] = from[(j + size - right) % size];
        }
    }
}

/* ---- resampling ---- */

/* high = low where the share is 0, so that an invalid pixel cannot enter with no weight. */
static augment_position position_at(double at, int first, int last)
{
    if (at < first) at = first;
    if (at > last) at = last;
    const int low = (int)floor(at);
    const float share = (float)(at - low);
    return (augment_position){
        .low = low, .high = share > 0 && low < last ? low + 1 : low, .share = share};
}

static float mix(float a, float b, float share)
{
    return a + share * (b - a);
}

/* Bilinear, output row i from view->axis[i], column j from view->axis[size + j]. */
static void resample(const augment_view *view)
{
    const int size = view->size;
    const augment_position *columns = view->axis + size;
    for (int c = 0; c < view->channels; c++) {
        float *plane = augment_plane(view, c);
        memcpy(view->scratch, plane, augment_pixels(view) * sizeof *plane);
        for (int i = 0; i < size; i++) {
            const augment_position *row = &view->axis[i];
            const float *low = view->scratch + (ptrdiff_t)row->low * size;
            const float *high = view->scratch + (ptrdiff_t)row->high * size;
            float *to = plane + (ptrdiff_t)i * size;
            for (int j = 0; j < size; j++) {
                const augment_position *at = &columns[j];
                to[j] = mix(mix(low[at->low], low[at->high], at->share),
                            mix(high[at->low], high[at->high], at->share), row->share);
            }
        }
    }
}

/* From corner pixel to corner pixel, as tf.image.crop_and_resize does: begin and end in [0, 1] of
 * the axis, where end may lie before begin. */
static void zoom_axis(float begin, float end, int size, augment_position *axis)
{
    const double from = (double)begin * (size - 1), to = (double)end * (size - 1);
    for (int i = 0; i < size; i++)
        axis[i] = position_at(size > 1 ? from + i * (to - from) / (size - 1) : 0, 0, size - 1);
}

/* The study's zoom: a box between two random rows and two random columns, mirrored where they come
 * in the other order. */
void s2clr_augment_zoom(const augment_draws *draws, const augment_view *view)
{
    zoom_axis(augment_draw(draws, 0), augment_draw(draws, 2), view->size, view->axis);
    zoom_axis(augment_draw(draws, 1), augment_draw(draws, 3), view->size, view->axis + view->size);
    resample(view);
}

/* `count` pixels from `first` on, stretched to the size of the patch: pixel centres at halves, none
 * from outside the crop. */
static void crop_axis(int first, int count, int size, augment_position *axis)
{
    for (int i = 0; i < size; i++) {
        const double at = (i + 0.5) * count / size - 0.5 + first;
        axis[i] = position_at(at, first, first + count - 1);
    }
}

/* The random resized crop of Szegedy et al. (2015), ten attempts at 20 to 100 % of the area and 3:4
 * to 4:3, else the whole patch. SimCLR (Chen et al. 2020) goes down to 8 %; a fifth is what MoCo v2
 * (Chen et al. 2020) and SSL4EO-S12 (Wang et al. 2023) take, and a patch of 64 pixels still keeps a
 * field of some 3 ha in it. */
void s2clr_augment_crop(const augment_draws *draws, const augment_view *view)
{
    const float reach = logf(4.0f / 3.0f);
    const int size = view->size;
    for (uint64_t attempt = 0; attempt < 10; attempt++) {
        const float share = augment_between(draws, 4 * attempt, 0.2f, 1.0f);
        const float ratio = expf(augment_between(draws, 4 * attempt + 1, -reach, reach));
        const int width = (int)lroundf((float)size * sqrtf(share * ratio));
        const int height = (int)lroundf((float)size * sqrtf(share / ratio));
        if (width < 1 || height < 1 || width > size || height > size) continue;
        const int top = (int)(augment_draw(draws, 4 * attempt + 2) * (float)(size - height + 1));
        const int left = (int)(augment_draw(draws, 4 * attempt + 3) * (float)(size - width + 1));
        crop_axis(top, height, size, view->axis);
        crop_axis(left, width, size, view->axis + size);
        resample(view);
        return;
    }
}
