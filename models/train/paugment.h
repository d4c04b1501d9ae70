/* What the augmentations share: their random numbers, and the steps that they are made of. */
#ifndef S2CLR_TRAIN_PAUGMENT_H
#define S2CLR_TRAIN_PAUGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "backend/view_steps.h"
#include "base/philox.h"
#include "train/augment.h"

/* Number n of this augmentation of this view is number (first + n) of (seed, stream). */
typedef struct augment_draws {
    uint64_t seed, stream, first;
} augment_draws;

/* A view being planned. */
typedef struct augment_plan {
    int channels, size;
    const float *mean, *std; // (C)
    s2clr_view_list *list;   /* steps are added to its last view */
} augment_plan;

/* Adds the steps of one augmentation, none where it leaves the patch alone. */
typedef void augment_function(const augment_draws *draws, const augment_plan *plan);

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

/* ---- augment_steps.c ---- */

/* A GATHER that is not transposed; its rows, behind which are its columns, are to be filled in,
 * and then to be ended. */
s2clr_view_position *s2clr_augment_axes(const augment_plan *plan);
/* transposed, blends: as of the step. Moves that follow each other become one step where the bits
 * stay the same. */
void s2clr_augment_axes_end(const augment_plan *plan, bool transposed, bool blends);

/* A step with this number; rows of C numbers each follow, which the caller fills in. */
float *s2clr_augment_values(const augment_plan *plan, s2clr_view_act act, float number,
                            size_t rows);

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

#endif
