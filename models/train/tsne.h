/*
 * t-SNE: a map in two dimensions in which what was near stays near (van der Maaten and Hinton,
 * JMLR 2008), with Barnes and Hut's approximation of far forces (van der Maaten, JMLR 2014).
 *
 *     s2clr_tsne_options options;
 *     s2clr_tsne_defaults(&options);
 *     S2CLR_TRY(s2clr_tsne_run(x, n, d, &options, pool, progress, y, &result));
 *
 * Given the same numbers and options it gives the same map, whatever the threads.
 */
#ifndef S2CLR_TRAIN_TSNE_H
#define S2CLR_TRAIN_TSNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/progress.h"

typedef struct s2clr_tsne_options {
    double perplexity;   /* 30: how many neighbours count, about; 3 times as many must exist */
    int iterations;      /* 1000 */
    double theta;        /* 0.5: a cell seen under a smaller ratio of side to distance counts as
                            one point; 0: none does, the sums are exact */
    double exaggeration; /* 12: attraction is that much stronger ... */
    int exaggerated;     /* 250: ... and momentum lower in so many first iterations */
    double rate;         /* 0: n / exaggeration / 4, at least 50 (Belkina et al. 2019) */
    bool random_start;   /* else the first two principal components (Kobak and Berens 2019) */
    uint64_t seed;       /* of a random start, and of what keeps the other from being a line */
} s2clr_tsne_options;

void s2clr_tsne_defaults(s2clr_tsne_options *options);

typedef struct s2clr_tsne_result {
    double divergence; /* Kullback and Leibler's, of the map from the data */
    double rate;       /* that was used */
    size_t neighbours; /* of each vector that were looked at */
} s2clr_tsne_result;

/* Neighbours that a perplexity looks at: floor(3 perplexity + 1). */
size_t s2clr_tsne_neighbours(double perplexity);

/* The largest perplexity that n vectors allow; below 1: too few for any. */
double s2clr_tsne_perplexity_max(size_t n);

/* What run would refuse of n samples, before there are any. */
s2clr_status s2clr_tsne_check(size_t n, const s2clr_tsne_options *options);

/* x: (n, d); y: (n, 2), centred. S2CLR_ERR_ARGUMENT when n is too small for the perplexity,
 * S2CLR_ERR_MISMATCH when all vectors are equal. pool may be NULL. */
s2clr_status s2clr_tsne_run(const double *x, size_t n, size_t d, const s2clr_tsne_options *options,
                            s2clr_pool *pool, const s2clr_progress *progress, double *y,
                            s2clr_tsne_result *out);

#endif
