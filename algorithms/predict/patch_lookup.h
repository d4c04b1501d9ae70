/*
 * Values of a view at given output pixels: how a pixel function, which knows nothing of windows,
 * evaluates a model that looks at patches. Two more sources tell it the indices of its pixels.
 *
 *     s2clr_patch_request request = {.name = "S2CLR::\"scene.tif\"", .band = "probability",
 *                                    .columns = 64, .rows = 64, .x = x, .y = y};
 *     S2CLR_TRY(s2clr_patch_lookup(&request, out));
 *
 * Coordinates are pixel indices of the view, rounded to the nearest: whatever window, step or
 * resampling made them, what comes back are base pixels of the view. Thread-safe.
 */
#ifndef S2CLR_PREDICT_PATCH_LOOKUP_H
#define S2CLR_PREDICT_PATCH_LOOKUP_H

#include "predict/view.h"

typedef struct s2clr_patch_request {
    const char *name;           /* connection string or sidecar */
    const char *const *options; /* open options, NULL-terminated K=V, or NULL */
    const char *band;           /* a word of the table of output bands or the description of a band;
                                   NULL: the first band */
    int columns, rows;          /* of the buffer */
    const double *x, *y;        // (rows, columns) indices; NaN gives NaN
} s2clr_patch_request;

/* out: (rows, columns). An index outside the view is S2CLR_ERR_MISMATCH. */
s2clr_status s2clr_patch_lookup(const s2clr_patch_request *request, float *out);

/* The same with an open view; band from 0. */
s2clr_status s2clr_patch_lookup_view(s2clr_view *view, int band, int columns, int rows,
                                     const double *x, const double *y, float *out);

#endif
