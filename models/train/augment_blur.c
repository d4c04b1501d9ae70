#include <math.h>

#include "train/paugment.h"

/* strength * (1 2 1)(1 2 1)' / 16 + (1 - strength) * identity. */
static void binomial(float strength, int size, float *plane, float *scratch)
{
    for (int i = 0; i < size; i++) {
        const float *line = plane + (ptrdiff_t)i * size;
        float *to = scratch + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++)
            to[j] =
                0.25f * (line[augment_reflect(j - 1, size)] + line[augment_reflect(j + 1, size)]) +
                0.5f * line[j];
    }
    for (int i = 0; i < size; i++) {
        const float *up = scratch + (ptrdiff_t)augment_reflect(i - 1, size) * size;
        const float *down = scratch + (ptrdiff_t)augment_reflect(i + 1, size) * size;
        const float *here = scratch + (ptrdiff_t)i * size;
        float *to = plane + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++)
            to[j] += strength * (0.25f * (up[j] + down[j]) + 0.5f * here[j] - to[j]);
    }
}

/* 3x3 of random strength, every second time. */
void s2clr_augment_blur(const augment_draws *draws, const augment_view *view)
{
    if (view->size < 2 || augment_draw(draws, 0) >= 0.5f) return;
    const float strength = augment_draw(draws, 1);
    for (int c = 0; c < view->channels; c++)
        binomial(strength, view->size, augment_plane(view, c), view->scratch);
}

/* ---- Gaussian, border reflected ---- */

enum { RADIUS_MAX = 6 };

/* Both halves and the middle, sum 1. */
static void gaussian_weights(float sigma, int radius, float weight[2 * RADIUS_MAX + 1])
{
    double sum = 0, value[2 * RADIUS_MAX + 1];
    for (int i = -radius; i <= radius; i++) {
        value[i + radius] = exp(-0.5 * i * i / ((double)sigma * (double)sigma));
        sum += value[i + radius];
    }
    for (int i = 0; i <= 2 * radius; i++) weight[i] = (float)(value[i] / sum);
}

static float at_border(const float *weight, int radius, int size, const float *line, int j)
{
    float sum = 0;
    for (int k = -radius; k <= radius; k++)
        sum += weight[k + radius] * line[augment_reflect(j + k, size)];
    return sum;
}

/* Along the rows; inside, tap after tap for the whole line, which a compiler can do in vectors. */
static void convolve_across(const float *weight, int radius, int size, const float *from, float *to)
{
    const int first = radius < size ? radius : size;
    const int last = size - radius > first ? size - radius : first;
    for (int i = 0; i < size; i++, from += size, to += size) {
        for (int j = 0; j < size; j++) to[j] = 0;
        for (int k = -radius; k <= radius; k++)
            for (int j = first; j < last; j++) to[j] += weight[k + radius] * from[j + k];
        for (int j = 0; j < first; j++) to[j] = at_border(weight, radius, size, from, j);
        for (int j = last; j < size; j++) to[j] = at_border(weight, radius, size, from, j);
    }
}

static void convolve_down(const float *weight, int radius, int size, const float *from, float *to)
{
    for (int i = 0; i < size; i++) {
        float *line = to + (ptrdiff_t)i * size;
        for (int j = 0; j < size; j++) line[j] = 0;
        for (int k = -radius; k <= radius; k++) {
            const float *other = from + (ptrdiff_t)augment_reflect(i + k, size) * size;
            for (int j = 0; j < size; j++) line[j] += weight[k + radius] * other[j];
        }
    }
}

/* Invalid pixels have no weight, and stay invalid: a hole neither grows nor closes. */
static void smooth(const float *weight, int radius, const augment_view *view, float *plane)
{
    const size_t pixels = augment_pixels(view);
    float *first = view->scratch, *second = first + pixels, *share = second + pixels;
    size_t holes = 0;
    for (size_t i = 0; i < pixels; i++) {
        const bool hole = plane[i] != plane[i];
        first[i] = hole ? 0 : plane[i];
        holes += hole;
    }
    convolve_across(weight, radius, view->size, first, second);
    convolve_down(weight, radius, view->size, second, first);
    if (holes > 0) {
        for (size_t i = 0; i < pixels; i++) second[i] = plane[i] == plane[i];
        convolve_across(weight, radius, view->size, second, share);
        convolve_down(weight, radius, view->size, share, second);
    }
    for (size_t i = 0; i < pixels; i++) {
        if (holes > 0) first[i] /= second[i];
        if (plane[i] == plane[i]) plane[i] = first[i];
    }
}

static void gaussian(float sigma, int radius, const augment_view *view)
{
    float weight[2 * RADIUS_MAX + 1];
    gaussian_weights(sigma, radius, weight);
    for (int c = 0; c < view->channels; c++) smooth(weight, radius, view, augment_plane(view, c));
}

/* The study's blur: 5x5 pixels, whatever the deviation of 0.1 to 2 pixels. */
void s2clr_augment_blur5(const augment_draws *draws, const augment_view *view)
{
    gaussian(augment_between(draws, 0, 0.1f, 2.0f), 2, view);
}

/* Every second time, deviation 0.1 to 2 pixels (SimCLR, Chen et al. 2020, and SSL4EO-S12), three
 * deviations wide. Two dates of one place differ as much: products are placed to some 0.3 pixels,
 * and haze and resampling soften edges. */
void s2clr_augment_gaussian(const augment_draws *draws, const augment_view *view)
{
    if (augment_draw(draws, 0) >= 0.5f) return;
    const float sigma = augment_between(draws, 1, 0.1f, 2.0f);
    gaussian(sigma, (int)ceilf(3 * sigma), view);
}
