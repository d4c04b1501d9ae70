/*
 * Counts, means and sums of squares that can be joined: Chan, Golub and LeVeque, The American
 * Statistician 37, 1983, equations 2.1. A patch itself is summed twice (mean, then differences),
 * which loses nothing to cancellation.
 */
#include <math.h>

#include "dataset/pstats.h"

void s2clr_stats_moments_add(s2clr_stats_moments *into, const s2clr_stats_moments *more)
{
    if (more->count == 0) return;
    if (into->count == 0) {
        *into = *more;
        return;
    }
    const double a = (double)into->count, b = (double)more->count;
    const double apart = more->mean - into->mean;
    into->count += more->count;
    into->mean += apart * (b / (a + b));
    into->m2 += more->m2 + apart * apart * (a * b / (a + b));
    if (more->minimum < into->minimum) into->minimum = more->minimum;
    if (more->maximum > into->maximum) into->maximum = more->maximum;
}

double s2clr_stats_moments_sd(const s2clr_stats_moments *moments)
{
    return moments->count ? sqrt(moments->m2 / (double)moments->count) : NAN;
}

s2clr_stats_moments s2clr_stats_moments_of(const float *values, size_t count)
{
    s2clr_stats_moments m = {0, 0, 0, INFINITY, -INFINITY};
    double sum = 0, rest = 0;
    for (size_t i = 0; i < count; i++) {
        const double value = (double)values[i];
        if (isnan(value)) continue;
        m.count++;
        sum += value;
        if (value < m.minimum) m.minimum = value;
        if (value > m.maximum) m.maximum = value;
    }
    if (m.count == 0) return (s2clr_stats_moments){0};
    m.mean = sum / (double)m.count;
    for (size_t i = 0; i < count; i++) {
        const double apart = (double)values[i] - m.mean;
        if (isnan(apart)) continue;
        m.m2 += apart * apart;
        rest += apart; /* what rounding left in the mean */
    }
    m.m2 -= rest * rest / (double)m.count;
    return m;
}
