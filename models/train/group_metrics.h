/*
 * What a binary classifier does in each group of the samples: country, tile, land cover.
 *
 *     s2clr_group_metrics group[COUNTRIES];
 *     S2CLR_TRY(s2clr_group_metrics_compute(p, label, country, n, COUNTRIES, 0.5, group));
 *     if (group[i].reason[0]) ... says which numbers are NaN, and why ...
 */
#ifndef S2CLR_TRAIN_GROUP_METRICS_H
#define S2CLR_TRAIN_GROUP_METRICS_H

#include <stddef.h>

#include "base/status.h"
#include "train/proportion.h"

typedef struct s2clr_group_metrics {
    size_t n, positives;
    size_t tp, fp, tn, fn;
    s2clr_proportion recall;      /* of the positives; NaN without one */
    s2clr_proportion specificity; /* of the negatives; NaN without one */
    s2clr_proportion precision;   /* of those called positive; NaN without one */
    s2clr_proportion accuracy;    /* NaN in an empty group */
    const char *reason; /* why some are NaN ("no positive sample: no recall"), "" when none is */
} s2clr_group_metrics;

/* p, label, group: (n), p in [0, 1], label 0 or 1, group in [0, groups); out: (groups). Positive
 * when p >= threshold. n may be 0. */
s2clr_status s2clr_group_metrics_compute(const double *p, const int *label, const int *group,
                                         size_t n, int groups, double threshold,
                                         s2clr_group_metrics *out);

#endif
