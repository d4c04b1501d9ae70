/*
 * Nearest neighbours by cosine: how well labels can be read off embeddings nobody trained on them.
 *
 *     S2CLR_TRY(s2clr_knn_shares(x, labels, n, NULL, 0, d, 2, 20, pool, share)); // leave one out
 *     S2CLR_TRY(s2clr_knn_score(share, labels, n, 2, &score));
 */
#ifndef S2CLR_TRAIN_KNN_H
#define S2CLR_TRAIN_KNN_H

#include <stddef.h>

#include "base/pool.h"

/* share: (queries, classes): how many of the k nearest of the bank have each label, divided by k.
 * Of equally near ones the first in the bank counts. bank: (count, d); labels: (count) 0 ..
 * classes - 1. query: (queries, d), NULL: every vector of the bank asks all the others, and
 * `queries` is not used. A bank of fewer than k (others) gives all it has. pool may be NULL. */
s2clr_status s2clr_knn_shares(const float *bank, const int *labels, size_t count,
                              const float *query, size_t queries, size_t d, int classes, int k,
                              s2clr_pool *pool, double *share);

typedef struct s2clr_knn_result {
    double accuracy; /* of the class with the largest share; equal shares count in part */
    double auc;      /* of the share; of more than two classes the mean of one against the rest. NaN
                        when no class has both members and others */
} s2clr_knn_result;

/* labels: (count) of the queries. */
s2clr_status s2clr_knn_score(const double *share, const int *labels, size_t count, int classes,
                             s2clr_knn_result *out);

#endif
