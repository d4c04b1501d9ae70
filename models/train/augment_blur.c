#include <math.h>

#include "train/paugment.h"

/* 3x3 of random strength, every second time. */
void s2clr_augment_blur(const augment_draws *draws, const augment_plan *plan)
{
    if (plan->size < 2 || augment_draw(draws, 0) >= 0.5f) return;
    s2clr_augment_values(plan, S2CLR_VIEW_BINOMIAL, augment_draw(draws, 1), 0);
}

/* Both halves and the middle, sum 1. */
static void gaussian_weights(float sigma, int radius, float *weight)
{
    double sum = 0, value[2 * S2CLR_VIEW_RADIUS_MAX + 1];
    for (int i = -radius; i <= radius; i++) {
        value[i + radius] = exp(-0.5 * i * i / ((double)sigma * (double)sigma));
        sum += value[i + radius];
    }
    for (int i = 0; i <= 2 * radius; i++) weight[i] = (float)(value[i] / sum);
}

static void gaussian(float sigma, int radius, const augment_plan *plan)
{
    s2clr_view_list_add(plan->list, S2CLR_VIEW_GAUSSIAN)->radius = radius;
    gaussian_weights(sigma, radius, s2clr_view_list_numbers(plan->list, 2 * (size_t)radius + 1));
}

/* The study's blur: 5x5 pixels, whatever the deviation of 0.1 to 2 pixels. */
void s2clr_augment_blur5(const augment_draws *draws, const augment_plan *plan)
{
    gaussian(augment_between(draws, 0, 0.1f, 2.0f), 2, plan);
}

/* Every second time, deviation 0.1 to 2 pixels (SimCLR, Chen et al. 2020, and SSL4EO-S12), three
 * deviations wide. Two dates of one place differ as much: products are placed to some 0.3 pixels,
 * and haze and resampling soften edges. */
void s2clr_augment_gaussian(const augment_draws *draws, const augment_plan *plan)
{
    if (augment_draw(draws, 0) >= 0.5f) return;
    const float sigma = augment_between(draws, 1, 0.1f, 2.0f);
    gaussian(sigma, (int)ceilf(3 * sigma), plan);
}
