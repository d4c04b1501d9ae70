#include <math.h>

#include "train/paugment.h"

/* x = factor * x + offset in one band. */
static void scale_band(const augment_view *view, int channel, float factor, float offset)
{
    const size_t pixels = augment_pixels(view);
    float *plane = augment_plane(view, channel);
    for (size_t i = 0; i < pixels; i++) plane[i] = factor * plane[i] + offset;
}

/* 1/most to most, even in the logarithm, so that darker is as likely as brighter. */
static float draw_factor(const augment_draws *draws, uint64_t which, double most)
{
    return (float)pow(most, 2.0 * (double)augment_draw(draws, which) - 1.0);
}

/* One factor of 0.8 to 1.25 for all bands. */
void s2clr_augment_gain(const augment_draws *draws, const augment_view *view)
{
    const float factor = draw_factor(draws, 0, 1.25);
    const size_t values = (size_t)view->channels * augment_pixels(view);
    for (size_t i = 0; i < values; i++) view->x[i] *= factor;
}

/* ---- the study's, made for bands of mean 0 and deviation 1 ---- */

/* -0.4 to 0.4 deviations added, the same in all bands. */
void s2clr_augment_brightness(const augment_draws *draws, const augment_view *view)
{
    const float delta = augment_between(draws, 0, -0.4f, 0.4f);
    for (int c = 0; c < view->channels; c++) scale_band(view, c, 1, delta * view->std[c]);
}

/* Mean of what is valid, 0 for nothing. */
static float plane_mean(const float *plane, size_t pixels)
{
    double sum = 0;
    size_t valid = 0;
    for (size_t i = 0; i < pixels; i++) {
        if (plane[i] != plane[i]) continue;
        sum += (double)plane[i];
        valid++;
    }
    return valid > 0 ? (float)(sum / (double)valid) : 0;
}

/* 0.6 to 1.4 times the distance from the patch's own mean, band by band. */
void s2clr_augment_contrast(const augment_draws *draws, const augment_view *view)
{
    const float factor = augment_between(draws, 0, 0.6f, 1.4f);
    const size_t pixels = augment_pixels(view);
    for (int c = 0; c < view->channels; c++) {
        float *plane = augment_plane(view, c);
        const float mean = plane_mean(plane, pixels);
        for (size_t i = 0; i < pixels; i++) plane[i] = mean + factor * (plane[i] - mean);
    }
}

/* The study's gain: -0.5 to 0.5 times the distance from the data set's mean. */
void s2clr_augment_scale(const augment_draws *draws, const augment_view *view)
{
    const float factor = augment_between(draws, 0, -0.5f, 0.5f);
    const size_t pixels = augment_pixels(view);
    for (int c = 0; c < view->channels; c++) {
        const float mean = view->mean[c];
        float *plane = augment_plane(view, c);
        for (size_t i = 0; i < pixels; i++) plane[i] = mean + factor * (plane[i] - mean);
    }
}

/* A share of up to 2 % of all values, pixel by pixel and band by band, becomes 5 deviations below
 * the mean, and as large a share 5 above. */
void s2clr_augment_speckle(const augment_draws *draws, const augment_view *view)
{
    const float share = 0.02f * augment_draw(draws, 0);
    const size_t pixels = augment_pixels(view);
    for (int c = 0; c < view->channels; c++) {
        float *plane = augment_plane(view, c);
        const float low = view->mean[c] - 5 * view->std[c];
        const float high = view->mean[c] + 5 * view->std[c];
        for (size_t i = 0; i < pixels; i++) {
            const float u = augment_draw(draws, 1 + (uint64_t)c * pixels + i);
            if (plane[i] != plane[i]) continue;
            plane[i] = u < share ? low : u >= 1 - share ? high : plane[i];
        }
    }
}

/* ---- for multispectral patches ---- */

/* Four times in five (as SimCLR's colours), all bands alike: a factor of 0.8 to 1.25, the size of
 * what the height of the sun does to a slope of a few degrees, and -0.2 to 0.2 deviations, which
 * thin haze adds. */
void s2clr_augment_jitter(const augment_draws *draws, const augment_view *view)
{
    if (augment_draw(draws, 0) >= 0.8f) return;
    const float factor = draw_factor(draws, 1, 1.25);
    const float offset = augment_between(draws, 2, -0.2f, 0.2f);
    for (int c = 0; c < view->channels; c++) scale_band(view, c, factor, offset * view->std[c]);
}

/* Four times in five, each band by itself: a factor of 1/1.1 to 1.1 and -0.1 to 0.1 deviations.
 * What is asked of a surface reflectance is 0.05 r + 0.005 (Vermote and Kotchenova 2008), as one
 * deviation; this is about two. */
void s2clr_augment_band_gain(const augment_draws *draws, const augment_view *view)
{
    if (augment_draw(draws, 0) >= 0.8f) return;
    for (int c = 0; c < view->channels; c++) {
        const uint64_t own = 1 + 2 * (uint64_t)c;
        const float factor = draw_factor(draws, own, 1.1);
        const float offset = augment_between(draws, own + 1, -0.1f, 0.1f);
        scale_band(view, c, factor, offset * view->std[c]);
    }
}

/* Each band becomes its mean, one time in ten, unless all would: dropout (Srivastava et al. 2014)
 * of bands, so that no single one is leaned on. Invalid pixels stay invalid. */
void s2clr_augment_band_drop(const augment_draws *draws, const augment_view *view)
{
    const float share = 0.1f;
    int kept = 0;
    for (int c = 0; c < view->channels; c++) kept += augment_draw(draws, (uint64_t)c) >= share;
    if (kept == 0) return;
    for (int c = 0; c < view->channels; c++)
        if (augment_draw(draws, (uint64_t)c) < share) scale_band(view, c, 0, view->mean[c]);
}
