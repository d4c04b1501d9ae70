/*
 * The baseline every network has to beat: mean and standard deviation of each band, and a logistic
 * regression on them.
 *
 *     s2clr_baseline *baseline;
 *     S2CLR_TRY(s2clr_baseline_fit(&train, 1.0, pool, &baseline));
 *     S2CLR_TRY(s2clr_baseline_predict(baseline, &test, pool, p));
 *     s2clr_baseline_free(baseline);
 *
 * Features are standardised with the training samples' numbers; the fit minimises
 * sum log(1 + exp(-y z)) + l2 / 2 |w|^2, intercept free (scikit-learn's LogisticRegression with
 * C = 1 / l2), by Newton's method in double. Sums run in sample order: threads cannot matter.
 */
#ifndef S2CLR_REPORT_BASELINE_H
#define S2CLR_REPORT_BASELINE_H

#include "base/pool.h"
#include "train/samples.h"

#define S2CLR_BASELINE_NAME "per-band mean and standard deviation + logistic regression"

typedef struct s2clr_baseline s2clr_baseline;

/* Both labels must occur. pool: at least one thread. */
s2clr_status s2clr_baseline_fit(const s2clr_samples *train, double l2, s2clr_pool *pool,
                                s2clr_baseline **out);
void s2clr_baseline_free(s2clr_baseline *baseline);

// p: (samples->count)
s2clr_status s2clr_baseline_predict(const s2clr_baseline *baseline, const s2clr_samples *samples,
                                    s2clr_pool *pool, double *p);

/* Weights on the standardised features, mean and deviation of band 0, of band 1 ..., then the
 * intercept: (2 * channels + 1). Borrowed. */
const double *s2clr_baseline_weights(const s2clr_baseline *baseline);

#endif
