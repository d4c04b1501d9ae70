#include <math.h>

#include "train/paugment.h"

/* What is added where nothing is: the zero that keeps the sign of another. */
static const float nothing = -0.0f;

/* factor * x + offset in each band; the caller fills in both. */
static float *scale_bands(const augment_plan *plan)
{
    return s2clr_augment_values(plan, S2CLR_VIEW_AFFINE, 0, 2);
}

/* One factor for all bands, and an offset in deviations of each. */
static void scale_all(const augment_plan *plan, float factor, float offset)
{
    float *factors = scale_bands(plan), *offsets = factors + plan->channels;
    for (int c = 0; c < plan->channels; c++) {
        factors[c] = factor;
        offsets[c] = offset * plan->std[c];
    }
}

/* 1/most to most, even in the logarithm, so that darker is as likely as brighter. */
static float draw_factor(const augment_draws *draws, uint64_t which, double most)
{
    return (float)pow(most, 2.0 * (double)augment_draw(draws, which) - 1.0);
}

/* One factor of 0.8 to 1.25 for all bands. */
void s2clr_augment_gain(const augment_draws *draws, const augment_plan *plan)
{
    const float factor = draw_factor(draws, 0, 1.25);
    float *factors = scale_bands(plan);
    for (int c = 0; c < plan->channels; c++) {
        factors[c] = factor;
        factors[plan->channels + c] = nothing;
    }
}

/* ---- the study's, made for bands of mean 0 and deviation 1 ---- */

/* -0.4 to 0.4 deviations added, the same in all bands. */
void s2clr_augment_brightness(const augment_draws *draws, const augment_plan *plan)
{
    const float delta = augment_between(draws, 0, -0.4f, 0.4f);
    scale_all(plan, 1, delta);
}

/* 0.6 to 1.4 times the distance from the patch's own mean, band by band. */
void s2clr_augment_contrast(const augment_draws *draws, const augment_plan *plan)
{
    s2clr_augment_values(plan, S2CLR_VIEW_CONTRAST, augment_between(draws, 0, 0.6f, 1.4f), 0);
}

/* The study's gain: -0.5 to 0.5 times the distance from the data set's mean. */
void s2clr_augment_scale(const augment_draws *draws, const augment_plan *plan)
{
    const float factor = augment_between(draws, 0, -0.5f, 0.5f);
    float *centre = s2clr_augment_values(plan, S2CLR_VIEW_SPREAD, factor, 1);
    for (int c = 0; c < plan->channels; c++) centre[c] = plan->mean[c];
}

/* A share of up to 2 % of all values, pixel by pixel and band by band, becomes 5 deviations below
 * the mean, and as large a share 5 above. */
void s2clr_augment_speckle(const augment_draws *draws, const augment_plan *plan)
{
    const float share = 0.02f * augment_draw(draws, 0);
    float *low = s2clr_augment_values(plan, S2CLR_VIEW_SPECKLE, share, 2);
    float *high = low + plan->channels;
    s2clr_view_step *const step = &plan->list->step[plan->list->steps - 1];
    step->seed = draws->seed;
    step->stream = draws->stream;
    step->first = draws->first + 1;
    for (int c = 0; c < plan->channels; c++) {
        low[c] = plan->mean[c] - 5 * plan->std[c];
        high[c] = plan->mean[c] + 5 * plan->std[c];
    }
}

/* ---- for multispectral patches ---- */

/* Four times in five (as SimCLR's colours), all bands alike: a factor of 0.8 to 1.25, the size of
 * what the height of the sun does to a slope of a few degrees, and -0.2 to 0.2 deviations, which
 * thin haze adds. */
void s2clr_augment_jitter(const augment_draws *draws, const augment_plan *plan)
{
    if (augment_draw(draws, 0) >= 0.8f) return;
    const float factor = draw_factor(draws, 1, 1.25);
    const float offset = augment_between(draws, 2, -0.2f, 0.2f);
    scale_all(plan, factor, offset);
}

/* Four times in five, each band by itself: a factor of 1/1.1 to 1.1 and -0.1 to 0.1 deviations.
 * What is asked of a surface reflectance is 0.05 r + 0.005 (Vermote and Kotchenova 2008), as one
 * deviation; this is about two. */
void s2clr_augment_band_gain(const augment_draws *draws, const augment_plan *plan)
{
    if (augment_draw(draws, 0) >= 0.8f) return;
    float *factors = scale_bands(plan), *offsets = factors + plan->channels;
    for (int c = 0; c < plan->channels; c++) {
        const uint64_t own = 1 + 2 * (uint64_t)c;
        factors[c] = draw_factor(draws, own, 1.1);
        offsets[c] = augment_between(draws, own + 1, -0.1f, 0.1f) * plan->std[c];
    }
}

/* Each band becomes its mean, one time in ten, unless all would: dropout (Srivastava et al. 2014)
 * of bands, so that no single one is leaned on. Invalid pixels stay invalid. */
void s2clr_augment_band_drop(const augment_draws *draws, const augment_plan *plan)
{
    const float share = 0.1f;
    int kept = 0;
    for (int c = 0; c < plan->channels; c++) kept += augment_draw(draws, (uint64_t)c) >= share;
    if (kept == 0 || kept == plan->channels) return;
    float *factors = scale_bands(plan), *offsets = factors + plan->channels;
    for (int c = 0; c < plan->channels; c++) {
        const bool dropped = augment_draw(draws, (uint64_t)c) < share;
        factors[c] = dropped ? 0 : 1;
        offsets[c] = dropped ? plan->mean[c] : nothing;
    }
}
