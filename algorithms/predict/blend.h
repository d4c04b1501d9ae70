/*
 * From one value per patch to one per input pixel: every patch's probability is spread over its own
 * pixels with a separable Hann weight, and a pixel is the weighted mean of the patches that reach
 * it.
 *
 *     s2clr_blend_patches(&grid, window, patches);           // the patches a window needs
 *     S2CLR_TRY(s2clr_blend_new(&grid, window, done, context, &blend));
 *     ... s2clr_blend_put(blend, column, row, columns, rows, probability) ... // row by row
 *     status = s2clr_blend_end(blend);
 *     s2clr_blend_free(blend);
 *
 * w(k) = sin^2(pi (k + 1/2) / P), k = 0 .. P-1: nowhere 0 inside the patch. Patches that are nodata
 * have no weight; a pixel that no valid patch reaches is nodata. Sums are made in double, patches
 * of a row from left to right, rows from top to bottom, so a pixel does not depend on windows and
 * pieces, and a constant stays what it is.
 */
#ifndef S2CLR_PREDICT_BLEND_H
#define S2CLR_PREDICT_BLEND_H

#include "patch/grid.h"

typedef struct s2clr_blend s2clr_blend;

/* Takes finished rows of the window, in order. values: (rows, columns) of window pixels from
 * (0, row) on, columns being the window's; NaN = nodata. They may be changed. */
typedef s2clr_status (*s2clr_blend_done)(void *context, int row, int rows, float *values);

/* The window of the patch grid (column, row, columns, rows) that reaches a window of input pixels
 * inside the raster. */
void s2clr_blend_patches(const s2clr_grid *grid, const int window[4], int patches[4]);

/* S2CLR_ERR_ARGUMENT when the stride is beyond half the patch: pixels between the patches' middles
 * would hang on one patch's rim. */
s2clr_status s2clr_blend_new(const s2clr_grid *grid, const int window[4], s2clr_blend_done done,
                             void *context, s2clr_blend **out);
void s2clr_blend_free(s2clr_blend *blend);

/* A piece of the patch grid; pieces come row by row, those of one row from left to right; what
 * never comes is nodata. probability: (rows, columns). */
s2clr_status s2clr_blend_put(s2clr_blend *blend, int column, int row, int columns, int rows,
                             const float *probability);

/* Hands out what is left of the window. */
s2clr_status s2clr_blend_end(s2clr_blend *blend);

#endif
