/*
 * How well probabilities of K >= 2 classes fit the labels.
 *
 *     s2clr_class_metrics m;
 *     S2CLR_TRY(s2clr_class_metrics_compute(p, label, n, k, &m));
 */
#ifndef S2CLR_TRAIN_CLASS_METRICS_H
#define S2CLR_TRAIN_CLASS_METRICS_H

#include <stddef.h>

#include "base/status.h"
#include "file/card.h"

typedef struct s2clr_class_metrics {
    size_t n;
    int classes;
    double accuracy; /* the most probable class (the first of equals) is the label */
    double auc;      /* mean of the classes' areas under ROC, each against all others; classes that
                        no sample or every sample has are left out */
    size_t count[S2CLR_CARD_CLASSES_MAX];     /* samples of each class */
    size_t hits[S2CLR_CARD_CLASSES_MAX];      /* those of them found */
    double class_auc[S2CLR_CARD_CLASSES_MAX]; /* NaN where it is left out */
} s2clr_class_metrics;

/* p: (n, k) in [0, 1]; label: (n) below k, not all the same. */
s2clr_status s2clr_class_metrics_compute(const double *p, const int *label, size_t n, size_t k,
                                         s2clr_class_metrics *out);

/* JSON object {"n", "accuracy", "auc", "classes": [{"name", "n", "recall", "auc"}]}, undefined
 * numbers as null; card: names of the classes. *out is freed with s2clr_free(). */
s2clr_status s2clr_class_metrics_format(const s2clr_class_metrics *metrics, const s2clr_card *card,
                                        char **out);

#endif
