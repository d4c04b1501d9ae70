/*
 * Areas and accuracies of a map from a probability sample, with standard errors.
 *
 *     S2CLR_TRY(s2clr_area_estimate_make(&problem, &estimate));
 *     printf("%g ha\n", estimate->of[1].area.value / 1e4);
 *     s2clr_area_estimate_free(estimate);
 *
 * One estimator for everything: the ratio R = sum_h N_h y_h / sum_h N_h x_h of two stratified
 * totals, y_h and x_h the means over the samples of stratum h, with the variance
 * sum_h N_h^2 (1 - n_h / N_h) s_h^2 / n_h / (sum_h N_h x_h)^2, s_h^2 that of y - R x within the
 * stratum: Stehman, "Estimating area and map accuracy for stratified random sampling when the
 * strata are different from the map classes", International Journal of Remote Sensing 35 (2014). A
 * sample's y and x are its pixel's area where it has what is counted, else 0. Where samples share a
 * pixel they were not drawn without replacement, and 1 stands for 1 - n_h / N_h. With the map's
 * classes as strata and pixels of one size this is what Olofsson et al., "Good practices for
 * estimating area and assessing accuracy of land change", Remote Sensing of Environment 148 (2014),
 * have as equations 1 to 11, but for the finite population.
 */
#ifndef S2CLR_REPORT_AREA_ESTIMATE_H
#define S2CLR_REPORT_AREA_ESTIMATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define S2CLR_AREA_CLASSES_MAX 256
#define S2CLR_AREA_STRATA_MAX 256

/* The normal deviate of a two-sided interval of 95 %. */
#define S2CLR_AREA_Z 1.959963984540054

typedef struct s2clr_area_stratum {
    const char *name;
    double pixels, area; /* of the whole stratum; m2 */
} s2clr_area_stratum;

/* One labelled sample: what its pixel is in the map and on the ground, as class numbers from 0. */
typedef struct s2clr_area_unit {
    int stratum, map, reference;
    double area; /* of its pixel, m2 */
} s2clr_area_unit;

typedef struct s2clr_area_problem {
    int classes, strata;
    const double *mapped;              // (classes) m2 of the map
    const s2clr_area_stratum *stratum; // (strata)
    const s2clr_area_unit *unit;       // (units)
    size_t units;
    const bool *repeated; // (strata) some samples of it lie on one pixel; NULL: none do
} s2clr_area_problem;

/* 95 %, cut to what is possible. All NaN: there is nothing to divide by. All but the value NaN: the
 * samples agree so well that nothing is known of the error. */
typedef struct s2clr_area_number {
    double value, error, low, high; /* error: standard error */
} s2clr_area_number;

typedef struct s2clr_area_class {
    s2clr_area_number user, producer; /* NaN: no sample of the map's class, of the true class */
    s2clr_area_number share, area;    /* of all that is mapped; m2 */
    double mapped;                    /* m2 */
    size_t mapped_samples, true_samples, right;
} s2clr_area_class;

typedef struct s2clr_area_sampled {
    size_t samples, right;
    int same;   /* the true class of all samples when they agree on map and truth, else -1: then
                   nothing is known of the variance there */
    int mapped; /* their class in the map, then */
} s2clr_area_sampled;

typedef struct s2clr_area_estimate {
    int classes, strata;
    size_t samples;
    double total; /* m2 */
    s2clr_area_number overall;
    s2clr_area_class *of;       // (classes)
    s2clr_area_sampled *within; // (strata)
    size_t *count;              // (classes, classes) samples: rows the map, columns the truth
    double *share;              // (classes, classes) estimated shares of the area
} s2clr_area_estimate;

/* Every stratum with pixels needs two samples: S2CLR_ERR_MISMATCH names those that have fewer. */
s2clr_status s2clr_area_estimate_make(const s2clr_area_problem *problem, s2clr_area_estimate **out);
void s2clr_area_estimate_free(s2clr_area_estimate *estimate);

#endif
