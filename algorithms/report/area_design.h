/*
 * How many samples, and how many of them in each stratum.
 *
 *     S2CLR_TRY(s2clr_area_allocate(S2CLR_AREA_EQUAL, 300, 50, strata, count, share));
 *     S2CLR_TRY(s2clr_area_plan(S2CLR_AREA_NEYMAN, 0.01, 50, strata, count, share));
 *     double error = s2clr_area_expected_error(strata, count, share);    // at most 0.01
 *
 * Sample size: Olofsson et al. (2014), equation 13, after Cochran, "Sampling techniques" (1977),
 * equation 5.25, which holds for Neyman's allocation and fractions of samples; the error of any
 * other is Cochran's equation 5.6.
 */
#ifndef S2CLR_REPORT_AREA_DESIGN_H
#define S2CLR_REPORT_AREA_DESIGN_H

#include <stddef.h>

#include "base/status.h"

typedef enum s2clr_area_allocation {
    S2CLR_AREA_PROPORTIONAL, /* to the stratum's pixels */
    S2CLR_AREA_EQUAL,
    S2CLR_AREA_NEYMAN /* to pixels times standard deviation */
} s2clr_area_allocation;

typedef struct s2clr_area_expected {
    double pixels;
    double right; /* share of the stratum that is expected to be mapped right */
} s2clr_area_expected;

/* Samples for this standard error of the overall accuracy when they are allocated after Neyman;
 * not rounded. 0 when nothing is expected to vary. */
double s2clr_area_sample_size(const s2clr_area_expected *stratum, size_t count, double error);

/* `n` samples to strata: as the rule says, but at least `least` (or n / count, if that is less) and
 * at most what the stratum has. Errors: fewer than two per stratum, more than there are pixels, a
 * stratum of one pixel. */
s2clr_status s2clr_area_allocate(s2clr_area_allocation rule, size_t n, size_t least,
                                 const s2clr_area_expected *stratum, size_t count, size_t *out);

/* The standard error of the overall accuracy to be expected of such a sample. */
double s2clr_area_expected_error(const s2clr_area_expected *stratum, size_t count,
                                 const size_t *taken);

/* As many samples as this standard error needs when they are allocated after this rule, in whole
 * samples. Errors as above. */
s2clr_status s2clr_area_plan(s2clr_area_allocation rule, double error, size_t least,
                             const s2clr_area_expected *stratum, size_t count, size_t *out);

#endif
