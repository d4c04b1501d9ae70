#include <math.h>

#include "train/paugment.h"

/* ---- whole pixels ---- */

static s2clr_view_position whole(int at)
{
    return (s2clr_view_position){.low = at, .high = at, .share = 0};
}

/* Rows and columns as they are, or from the other end; then they change places. */
static void turn(const augment_plan *plan, bool down, bool across, bool transposed)
{
    if (!down && !across && !transposed) return;
    const int size = plan->size;
    s2clr_view_position *rows = s2clr_augment_axes(plan), *columns = rows + size;
    for (int i = 0; i < size; i++) {
        rows[i] = whole(down ? size - 1 - i : i);
        columns[i] = whole(across ? size - 1 - i : i);
    }
    s2clr_augment_axes_end(plan, transposed, false);
}

void s2clr_augment_flip(const augment_draws *draws, const augment_plan *plan)
{
    const bool across = augment_draw(draws, 0) < 0.5f, down = augment_draw(draws, 1) < 0.5f;
    turn(plan, down, across, false);
}

/* Clockwise: once, what is a row comes from a column, from the bottom up. */
static void quarter_turns(const augment_plan *plan, int turns)
{
    turn(plan, turns == 2 || turns == 3, turns == 1 || turns == 2, turns % 2 == 1);
}

/* With flips: all 8 symmetries, equally likely. */
void s2clr_augment_rot90(const augment_draws *draws, const augment_plan *plan)
{
    if (augment_draw(draws, 0) < 0.5f) quarter_turns(plan, 1);
}

/* 0 to 3 quarter turns. */
void s2clr_augment_rotate(const augment_draws *draws, const augment_plan *plan)
{
    quarter_turns(plan, (int)(4 * augment_draw(draws, 0)));
}

/* Whole pixels in [-reach, reach], all equally likely. */
static int draw_offset(const augment_draws *draws, unsigned which, int reach)
{
    const int offset = (int)(augment_draw(draws, which) * (float)(2 * reach + 1)) - reach;
    return offset > reach ? reach : offset;
}

/* By up to 10 % of the size; the border is reflected. */
void s2clr_augment_shift(const augment_draws *draws, const augment_plan *plan)
{
    const int size = plan->size;
    const int down = draw_offset(draws, 0, size / 10), right = draw_offset(draws, 1, size / 10);
    s2clr_view_position *rows = s2clr_augment_axes(plan), *columns = rows + size;
    for (int i = 0; i < size; i++) {
        rows[i] = whole(s2clr_view_reflect(i - down, size));
        columns[i] = whole(s2clr_view_reflect(i - right, size));
    }
    s2clr_augment_axes_end(plan, false, false);
}

/* The study's shift: down and right by 0 to just below 10 % of the size; what leaves comes back. */
void s2clr_augment_roll(const augment_draws *draws, const augment_plan *plan)
{
    const int size = plan->size, reach = size / 10;
    const int down = (int)(augment_draw(draws, 0) * (float)reach);
    const int right = (int)(augment_draw(draws, 1) * (float)reach);
    s2clr_view_position *rows = s2clr_augment_axes(plan), *columns = rows + size;
    for (int i = 0; i < size; i++) {
        rows[i] = whole((i + size - down) % size);
        columns[i] = whole((i + size - right) % size);
    }
    s2clr_augment_axes_end(plan, false, false);
}

/* ---- resampling ---- */

/* high = low where the share is 0, so that an invalid pixel cannot enter with no weight. */
static s2clr_view_position position_at(double at, int first, int last)
{
    if (at < first) at = first;
    if (at > last) at = last;
    const int low = (int)floor(at);
    const float share = (float)(at - low);
    return (s2clr_view_position){
        .low = low, .high = share > 0 && low < last ? low + 1 : low, .share = share};
}

/* From corner pixel to corner pixel, as tf.image.crop_and_resize does: begin and end in [0, 1] of
 * the axis, where end may lie before begin. */
static void zoom_axis(float begin, float end, int size, s2clr_view_position *axis)
{
    const double from = (double)begin * (size - 1), to = (double)end * (size - 1);
    for (int i = 0; i < size; i++)
        axis[i] = position_at(size > 1 ? from + i * (to - from) / (size - 1) : 0, 0, size - 1);
}

/* The study's zoom: a box between two random rows and two random columns, mirrored where they come
 * in the other order. */
void s2clr_augment_zoom(const augment_draws *draws, const augment_plan *plan)
{
    s2clr_view_position *rows = s2clr_augment_axes(plan);
    zoom_axis(augment_draw(draws, 0), augment_draw(draws, 2), plan->size, rows);
    zoom_axis(augment_draw(draws, 1), augment_draw(draws, 3), plan->size, rows + plan->size);
    s2clr_augment_axes_end(plan, false, true);
}

/* `count` pixels from `first` on, stretched to the size of the patch: pixel centres at halves, none
 * from outside the crop. */
static void crop_axis(int first, int count, int size, s2clr_view_position *axis)
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
void s2clr_augment_crop(const augment_draws *draws, const augment_plan *plan)
{
    const float reach = logf(4.0f / 3.0f);
    const int size = plan->size;
    for (uint64_t attempt = 0; attempt < 10; attempt++) {
        const float share = augment_between(draws, 4 * attempt, 0.2f, 1.0f);
        const float ratio = expf(augment_between(draws, 4 * attempt + 1, -reach, reach));
        const int width = (int)lroundf((float)size * sqrtf(share * ratio));
        const int height = (int)lroundf((float)size * sqrtf(share / ratio));
        if (width < 1 || height < 1 || width > size || height > size) continue;
        const int top = (int)(augment_draw(draws, 4 * attempt + 2) * (float)(size - height + 1));
        const int left = (int)(augment_draw(draws, 4 * attempt + 3) * (float)(size - width + 1));
        s2clr_view_position *rows = s2clr_augment_axes(plan);
        crop_axis(top, height, size, rows);
        crop_axis(left, width, size, rows + size);
        s2clr_augment_axes_end(plan, false, true);
        return;
    }
}
