/*
 * Cosines between many vectors, the arithmetic that the contrastive loss, its monitors and the
 * nearest neighbours share.
 *
 *     s2clr_cosine *all;
 *     S2CLR_TRY(s2clr_cosine_new(x, count, d, d, &all));
 *     s2clr_cosine_compare(all, all, first, s); // rows first .. first + 3 with every row
 *
 * Double precision; every sum runs in the order of the d numbers.
 */
#ifndef S2CLR_TRAIN_COSINE_H
#define S2CLR_TRAIN_COSINE_H

#include <stddef.h>

#include "base/pool.h"

enum { S2CLR_COSINE_ROWS = 4 }; /* compared at once */

typedef struct s2clr_cosine {
    size_t count, d;
    size_t width; /* count rounded up: length of a row of s */
    double *u;    // (count, d) vectors of length 1; 0 for one that is zero or not finite
    double *norm; // (count) lengths: 0, infinite or NaN tell those
    double *panel;
} s2clr_cosine;

/* x: vector i begins at x[i * stride]. Free with s2clr_cosine_free(). */
s2clr_status s2clr_cosine_new(const float *x, size_t count, size_t stride, size_t d,
                              s2clr_cosine **out);
void s2clr_cosine_free(s2clr_cosine *cosine);

/* s: (S2CLR_COSINE_ROWS, all->width): cosines of rows `first` on of `of` with every row of `all`;
 * rows beyond the last repeat it, columns beyond all->count are 0. Thread-safe. */
void s2clr_cosine_compare(const s2clr_cosine *all, const s2clr_cosine *of, size_t first, double *s);

/* Runs a task for each group of S2CLR_COSINE_ROWS rows; pool may be NULL. */
s2clr_status s2clr_cosine_run(s2clr_pool *pool, s2clr_task task, void *context, size_t rows);

/* Threads of a pool that may be NULL. */
size_t s2clr_cosine_threads(const s2clr_pool *pool);

#endif
