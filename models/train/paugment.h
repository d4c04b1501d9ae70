/* What the augmentations share: the view they work on, their random numbers, the border. */
#ifndef S2CLR_TRAIN_PAUGMENT_H
#define S2CLR_TRAIN_PAUGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/philox.h"
#include "train/augment.h"

/* Number n of this augmentation of this view is number (first + n) of (seed, stream). */
typedef struct augment_draws {
    uint64_t seed, stream, first;
} augment_draws;

/* Between source pixels low and high of an axis. */
typedef struct augment_position {
    int low, high;
    float share; /* of high */
} augment_position;

typedef struct augment_view {
    int channels, size;
    const float *mean, *std; // (C)
    float *x;                // (C, H, W)
    float *scratch;          // (3, H, W)
    augment_position *axis;  // (2, H): where rows and columns come from
} augment_view;

/* Changes view->x in place. */
typedef void augment_function(const augment_draws *draws, const augment_view *view);

augment_function s2clr_augment_flip, s2clr_augment_rot90, s2clr_augment_shift, s2clr_augment_roll,
    s2clr_augment_zoom, s2clr_augment_rotate, s2clr_augment_crop;
augment_function s2clr_augment_blur, s2clr_augment_blur5, s2clr_augment_gaussian;
augment_function s2clr_augment_gain, s2clr_augment_brightness, s2clr_augment_contrast,
    s2clr_augment_scale, s2clr_augment_speckle, s2clr_augment_jitter, s2clr_augment_band_gain,
    s2clr_augment_band_drop;

/* Lines of one view in the order they are applied, at most S2CLR_AUGMENT_MAX; their number.
 * draws: of the choice. 0 with flags set: every choice is banned. */
int s2clr_augment_choose(const s2clr_augment_recipe *recipe, const augment_draws *draws,
                         int line[S2CLR_AUGMENT_MAX]);
/* Allowed choices of recipe->draw lines; 1 for draw 0. */
uint32_t s2clr_augment_choices(const s2clr_augment_recipe *recipe);

/* In [0, 1). */
static inline float augment_draw(const augment_draws *draws, uint64_t which)
{
    return s2clr_random_uniform(draws->seed, draws->stream, draws->first + which);
}

static inline float augment_between(const augment_draws *draws, uint64_t which, float low,
                                    float high)
{
    return low + (high - low) * augment_draw(draws, which);
}

static inline size_t augment_pixels(const augment_view *view)
{
    return (size_t)view->size * (size_t)view->size;
}

static inline float *augment_plane(const augment_view *view, int channel)
{
    return view->x + (size_t)channel * augment_pixels(view);
}

/* -1 -> 1, size -> size - 2: the border pixel itself is not repeated. */
static inline int augment_reflect(int i, int size)
{
    if (size == 1) return 0;
    while (i < 0 || i >= size) i = i < 0 ? -i : 2 * (size - 1) - i;
    return i;
}

#endif
