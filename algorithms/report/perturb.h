/*
 * Samples seen through a disturbance, to find out what a model hangs on: does it survive a shift,
 * a little blur, another brightness?
 *
 *     const s2clr_perturb what = {.shift = 8, .gain = 1.2};
 *     S2CLR_TRY(s2clr_perturb_new(&test, &what, &disturbed));
 *     ... disturbed.read(disturbed.self, i, dn) ...
 *     disturbed.free(disturbed.self);
 */
#ifndef S2CLR_REPORT_PERTURB_H
#define S2CLR_REPORT_PERTURB_H

#include <stdbool.h>

#include "train/samples.h"

typedef struct s2clr_perturb {
    int shift;   /* pixels down and to the right; the border is reflected */
    bool blur;   /* 3x3 binomial filter, border reflected */
    double gain; /* factor on the DN; 0 counts as 1 */
} s2clr_perturb;

/* Order: shift, blur, gain. The parent must outlive *out, whose labels and names are the parent's.
 * Reading is thread-safe when the parent's is. */
s2clr_status s2clr_perturb_new(const s2clr_samples *parent, const s2clr_perturb *what,
                               s2clr_samples *out);

#endif
