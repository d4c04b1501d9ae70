/*
 * Nearest neighbours by Euclidean distance, found exactly.
 *
 *     S2CLR_TRY(s2clr_neighbours_find(x, n, d, 10, pool, index, NULL));
 *     for (size_t k = 0; k < 10; k++) ... index[i * 10 + k] ... // from the nearest on
 *
 * Every pair is compared: n * n * d steps. Threads cannot matter.
 */
#ifndef S2CLR_TRAIN_NEIGHBOURS_H
#define S2CLR_TRAIN_NEIGHBOURS_H

#include <stddef.h>

#include "base/pool.h"

/* x: (n, d); index, square (may be NULL): (n, k), 1 <= k < n, the others from the nearest on and
 * the squares of their distances; of equally near ones the first in x counts. pool may be NULL. */
s2clr_status s2clr_neighbours_find(const double *x, size_t n, size_t d, size_t k, s2clr_pool *pool,
                                   size_t *index, double *square);

/* The share of x's neighbourhoods that y keeps, T(k) of Venna and Kaski ("Neighborhood preservation
 * in nonlinear projection methods", ICANN 2001): 1 when the k nearest of every point in y are among
 * its k nearest in x; each that is not costs how far down it stands there. y: (n, e); needs
 * 1 <= k < n / 2. */
s2clr_status s2clr_trustworthiness(const double *x, size_t d, const double *y, size_t e, size_t n,
                                   size_t k, s2clr_pool *pool, double *out);

#endif
