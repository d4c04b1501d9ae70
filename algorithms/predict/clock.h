/*
 * Seconds of a clock that nobody sets, for rates and timings.
 */
#ifndef S2CLR_PREDICT_CLOCK_H
#define S2CLR_PREDICT_CLOCK_H

#include <time.h>

static inline double s2clr_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
