/*
 * Logistic regression on a table of features, by Newton's method in double.
 *
 *     S2CLR_TRY(s2clr_logistic_new(x, n, f, 1, &model));
 *     s2clr_logistic_standardise(model, x, n);                     // in place
 *     S2CLR_TRY(s2clr_logistic_fit(model, x, label, n, 1.0, S2CLR_LOGISTIC_EXACT, pool));
 *     s2clr_logistic_predict(model, x, n, p);
 *     s2clr_logistic_free(model);
 *
 * Minimised is sum log(1 + exp(-y z)) + l2 / 2 |w|^2, intercept free: scikit-learn's
 * LogisticRegression with C = 1 / l2. Of K classes each has such a regression against the rest, and
 * the K probabilities are divided by their sum. Sums run in a fixed order: threads cannot matter.
 */
#ifndef S2CLR_REPORT_BASELINE_LOGISTIC_H
#define S2CLR_REPORT_BASELINE_LOGISTIC_H

#include <stddef.h>

#include "base/pool.h"

typedef struct s2clr_logistic s2clr_logistic;

/* Takes mean and deviation of each feature from x: (n, f), where NaN means not known. heads: 1, or
 * K >= 2. */
s2clr_status s2clr_logistic_new(const double *x, size_t n, size_t f, int heads,
                                s2clr_logistic **out);
void s2clr_logistic_free(s2clr_logistic *model);

/* (x - mean) / deviation; what is not known becomes average, what never changed becomes 0. */
void s2clr_logistic_standardise(const s2clr_logistic *model, double *x, size_t n);

#define S2CLR_LOGISTIC_EXACT 1e-9 /* tolerance of what is reported */
#define S2CLR_LOGISTIC_ROUGH 1e-2 /* of what is only compared */

/* x: standardised. label: 0 or 1, or below K. Goes on from the weights of the last fit until none
 * of them changes by more than the tolerance times 1 + the largest. A class without samples gets
 * probability 0. */
s2clr_status s2clr_logistic_fit(s2clr_logistic *model, const double *x, const int *label, size_t n,
                                double l2, double tolerance, s2clr_pool *pool);

// x: standardised; p: (n) or (n, K)
void s2clr_logistic_predict(const s2clr_logistic *model, const double *x, size_t n, double *p);

/* (heads, f + 1): weights of the standardised features, then the intercept. Borrowed. */
double *s2clr_logistic_weights(s2clr_logistic *model, size_t *count);

#endif
