/*
 * What tells, during contrastive pretraining, whether embeddings still carry anything.
 *
 * All of them look at directions only: u = z / |z|, a zero or non-finite vector being 0.
 */
#ifndef S2CLR_TRAIN_MONITOR_H
#define S2CLR_TRAIN_MONITOR_H

#include <stddef.h>

#include "base/pool.h"

/* Standard deviation of u over the vectors, mean over the d numbers, times sqrt(d): 1 when the
 * directions are spread evenly, 0 when all are the same (the collapse that Chen and He, "Exploring
 * simple siamese representation learning", CVPR 2021, watch for in this way). */
s2clr_status s2clr_monitor_spread(const float *z, size_t count, size_t d, double *out);

/* Mean of |u_2i - u_2i+1|^2 over n pairs: 0 when both views look the same, 2 when they are
 * unrelated (Wang and Isola: "Understanding contrastive representation learning through alignment
 * and uniformity on the hypersphere", ICML 2020). z: (2n, d). */
s2clr_status s2clr_monitor_alignment(const float *z, size_t n, size_t d, double *out);

/* log of the mean of exp(-2 |u_i - u_j|^2) over all pairs i < j (the same paper): 0 when all are
 * equal, near -4 when they are unrelated. Vector i begins at z[i * stride]; count >= 2. Threads do
 * not matter; pool may be NULL. */
s2clr_status s2clr_monitor_uniformity(const float *z, size_t count, size_t stride, size_t d,
                                      s2clr_pool *pool, double *out);

#endif
