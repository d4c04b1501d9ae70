/*
 * Count, extremes, mean and deviation of values that arrive block by block.
 *
 * One accumulator per row, fed from left to right, rows merged from top to bottom (Welford 1962;
 * Chan, Golub, LeVeque 1979): so the numbers do not depend on how a raster was cut into blocks,
 * and a constant raster has a deviation of exactly 0.
 */
#ifndef S2CLR_PREDICT_STATISTICS_H
#define S2CLR_PREDICT_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

typedef struct s2clr_moments {
    uint64_t count;
    double mean, squares; /* squares: sum of squared deviations from the mean */
    double minimum, maximum;
} s2clr_moments;

void s2clr_moments_add(s2clr_moments *moments, double value);
void s2clr_moments_merge(s2clr_moments *moments, const s2clr_moments *next);

/* Population standard deviation, 0 for no values. */
double s2clr_moments_deviation(const s2clr_moments *moments);

#endif
