/*
 * Separable resampling from one pixel grid to another, by absolute pixel position: what a target
 * pixel becomes depends on its own position and the source only, never on the window that asked.
 * (GDAL's resampling computes weights from the request, so it is not used.)
 *
 * A source coordinate is scale * target coordinate + shift, in pixel corners (pixel 0 is 0..1).
 */
#ifndef S2CLR_SENTINEL2_RESAMPLE_H
#define S2CLR_SENTINEL2_RESAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef enum s2clr_resampling {
    S2CLR_RESAMPLE_NEAREST,
    S2CLR_RESAMPLE_BILINEAR,
    S2CLR_RESAMPLE_CUBIC /* Keys, a = -0.5 */
} s2clr_resampling;

typedef struct s2clr_axis {
    double scale, shift;
    int size; /* source pixels along this axis */
} s2clr_axis;

/* Which source pixels make `count` target pixels along one axis, and how much of each. */
typedef struct s2clr_taps {
    int count, taps;
    int *nearest;   // (count) source pixel under the centre, -1 outside
    int *index;     // (count, taps) clamped into the source
    double *weight; // (count, taps) sums to 1, 0 outside the source
} s2clr_taps;

/* False when no resampling goes by that name. */
bool s2clr_resampling_find(const char *name, s2clr_resampling *out);

/* Taps of the target pixels first .. first + count - 1; free with s2clr_taps_clear(). A coarser
 * target widens the kernel, as GDAL does. */
s2clr_status s2clr_taps_make(s2clr_resampling method, s2clr_axis axis, int64_t first, int count,
                             s2clr_taps *out);
void s2clr_taps_clear(s2clr_taps *taps);

/* The source pixels a set of taps touches: [*low, *high]; false when it lies wholly outside. */
bool s2clr_taps_range(const s2clr_taps *taps, int *low, int *high);

/* A read piece of a source: pixels (x0 .. x0 + width - 1, y0 ..), 0 where not ok. */
typedef struct s2clr_piece {
    int x0, y0, width, height;
    const float *values; // (height, width)
    const uint8_t *ok;   // (height, width)
    bool all_ok;
} s2clr_piece;

/* How a whole band is resampled: `x`, `y` by the method wanted; `safe_x`, `safe_y` with positive
 * weights, for pixels that have an invalid neighbour. */
typedef struct s2clr_resampler {
    s2clr_taps x, y, safe_x, safe_y;
} s2clr_resampler;

s2clr_status s2clr_resampler_make(s2clr_resampling method, s2clr_axis x, s2clr_axis y,
                                  const int64_t first[2], const int count[2], s2clr_resampler *out);
void s2clr_resampler_clear(s2clr_resampler *resampler);

/* Writes (y.count, x.count) values with `stride` floats per row and clears valid where the nearest
 * source pixel is outside or not ok. `row` is scratch of x.count * y.taps doubles. */
void s2clr_resampler_run(const s2clr_resampler *resampler, const s2clr_piece *piece, double *row,
                         float *values, uint8_t *valid, int64_t stride);

#endif
