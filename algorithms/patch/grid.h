/*
 * The output grid and the anchored work units (man/s2clr-design.7, "Output grid").
 *
 * Stride s, patch P, input W x H: output is ceil(W/s) x ceil(H/s) pixels of s input pixels, same
 * origin. Output pixel i is the patch that starts at s*i + floor(s/2) - P/2 (may be negative).
 * Pure arithmetic, no GDAL; thread-safe.
 */
#ifndef S2CLR_PATCH_GRID_H
#define S2CLR_PATCH_GRID_H

#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_grid {
    int width, height; /* input pixels */
    int patch, stride; /* P, s */
    int columns, rows; /* output pixels */
} s2clr_grid;

/* Checks s >= 1, P >= 1 and even-or-odd rules; step: the model's local step f (0 for patch
 * models), of which s must be a multiple. */
s2clr_status s2clr_grid_new(int width, int height, int patch, int stride, int step,
                            s2clr_grid *out);

/* First input pixel of the patch of output index i, along one axis. */
int64_t s2clr_grid_start(const s2clr_grid *grid, int64_t i);

/* Geotransform of the output from that of the input (any rotation). */
void s2clr_grid_transform(const s2clr_grid *grid, const double input[6], double output[6]);

/* Output window that covers an input window in pixels: every output pixel whose own s x s square
 * meets it; clipped. S2CLR_ERR_ARGUMENT when they do not meet. */
s2clr_status s2clr_grid_window(const s2clr_grid *grid, double x, double y, double w, double h,
                               int window[4]);

#endif
