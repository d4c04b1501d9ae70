/*
 * k of n as a share with its 95 % confidence interval: the score interval of Wilson (1927), which
 * keeps inside [0, 1] and is honest for small n.
 *
 *     const s2clr_proportion recall = s2clr_proportion_wilson(tp, tp + fn);
 *
 * Pure arithmetic, no errors.
 */
#ifndef S2CLR_TRAIN_PROPORTION_H
#define S2CLR_TRAIN_PROPORTION_H

#include <stddef.h>

typedef struct s2clr_proportion {
    double value, low, high;
} s2clr_proportion;

/* n 0: all three are NaN, for nothing is known. k <= n. */
s2clr_proportion s2clr_proportion_wilson(size_t k, size_t n);

#endif
