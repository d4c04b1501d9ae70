/*
 * Principal components: the directions in which vectors differ most.
 *
 *     S2CLR_TRY(s2clr_pca(x, n, d, 50, pool, scores, variance, &total));
 *
 * By orthogonal iteration on the smaller of the two products of the centred matrix with itself,
 * begun at random but always the same directions. Threads cannot matter.
 */
#ifndef S2CLR_TRAIN_PCA_H
#define S2CLR_TRAIN_PCA_H

#include <stddef.h>

#include "base/pool.h"

/* x: (n, d); out: (n, k) the vectors minus their mean in the first k directions, k <= min(n, d);
 * variance: (k) along each, divisor n - 1, falling; total: that of all d numbers. Of the two signs
 * of a direction the one is taken in which the farthest sample has a positive score. What is beyond
 * the rank has variance 0. Needs n >= 2. pool may be NULL. */
s2clr_status s2clr_pca(const double *x, size_t n, size_t d, size_t k, s2clr_pool *pool, double *out,
                       double *variance, double *total);

#endif
