/*
 * Curves of a binary classifier for charts: ROC, precision-recall, reliability.
 *
 *     s2clr_curve roc;
 *     S2CLR_TRY(s2clr_curve_roc(p, label, n, 200, &roc));
 *     ... roc.x[i], roc.y[i] for i < roc.count ...
 *     s2clr_curve_free(&roc);
 *
 * p: probabilities in [0, 1], no NaN; label: 0 or 1. Equal probabilities make one point.
 */
#ifndef S2CLR_TRAIN_CURVE_H
#define S2CLR_TRAIN_CURVE_H

#include <stddef.h>

#include "base/status.h"
#include "train/proportion.h"

typedef struct s2clr_curve {
    size_t count;
    double *x, *y;     // (count)
    double *threshold; // (count) falling: what is at least this is called positive; infinity at
                       // the first point of a ROC curve, (0, 0)
} s2clr_curve;

/* x false positive rate, y recall. Thinned to at most `most` points, ends kept, unless that would
 * change the area by more than 1e-4: then more stay. most 0: all points. S2CLR_ERR_ARGUMENT when a
 * label is absent: there is no such curve. Release with s2clr_curve_free(). */
s2clr_status s2clr_curve_roc(const double *p, const int *label, size_t n, size_t most,
                             s2clr_curve *out);

/* x recall, y precision; thinned likewise. prevalence: the precision when positives make up this
 * share, 0: that of the samples. S2CLR_ERR_ARGUMENT when there is no positive, or with a prevalence
 * no negative. */
s2clr_status s2clr_curve_precision_recall(const double *p, const int *label, size_t n,
                                          double prevalence, size_t most, s2clr_curve *out);

void s2clr_curve_free(s2clr_curve *curve);

/* ---- reliability ---- */

#define S2CLR_RELIABILITY_BINS 15 /* as the expected calibration error has */

typedef struct s2clr_reliability_bin {
    double low, high; /* edges; p of the last bin may be equal to high */
    size_t n, positives;
    double mean_p;          /* NaN when the bin is empty */
    s2clr_proportion share; /* of positives, with its interval; NaN when the bin is empty */
} s2clr_reliability_bin;

s2clr_status s2clr_reliability(const double *p, const int *label, size_t n,
                               s2clr_reliability_bin out[S2CLR_RELIABILITY_BINS]);

#endif
