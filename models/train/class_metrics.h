/*
 * How well probabilities of K >= 2 classes fit the labels.
 *
 *     s2clr_class_metrics m;
 *     S2CLR_TRY(s2clr_class_metrics_compute(p, label, n, k, &m));
 *     S2CLR_TRY(s2clr_class_metrics_bootstrap(p, label, n, k, 1000, seed, pool, &m));
 */
#ifndef S2CLR_TRAIN_CLASS_METRICS_H
#define S2CLR_TRAIN_CLASS_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"
#include "file/card.h"

/* Those with an interval. */
typedef enum s2clr_class_metric {
    S2CLR_CLASS_ACCURACY,
    S2CLR_CLASS_AUC,
    S2CLR_CLASS_MACRO_F1,
    S2CLR_CLASS_METRICS
} s2clr_class_metric;

typedef struct s2clr_class_metrics {
    size_t n;
    int classes;
    double accuracy; /* the most probable class (the first of equals) is the label */
    double auc;      /* mean of the classes' areas under ROC, each against all others; classes that
                        no sample or every sample has are left out */
    double macro_f1; /* mean of the classes' F1; classes that no sample has are left out */
    size_t count[S2CLR_CARD_CLASSES_MAX];     /* samples of each class */
    size_t called[S2CLR_CARD_CLASSES_MAX];    /* samples it is the most probable class of */
    size_t hits[S2CLR_CARD_CLASSES_MAX];      /* those of its samples found */
    double class_auc[S2CLR_CARD_CLASSES_MAX]; /* NaN where it is left out */
    int resamples;                            /* 0: the intervals are NaN */
    double low[S2CLR_CLASS_METRICS], high[S2CLR_CLASS_METRICS]; /* 95 % */
} s2clr_class_metrics;

/* p: (n, k) in [0, 1]; label: (n) below k, not all the same. */
s2clr_status s2clr_class_metrics_compute(const double *p, const int *label, size_t n, size_t k,
                                         s2clr_class_metrics *out);

/* Percentile bootstrap of the samples with the draws of s2clr_metrics_compute(); fills resamples,
 * low and high of what s2clr_class_metrics_compute() found for the same samples. Resamples of one
 * class are left out of the area's. pool may be NULL. */
s2clr_status s2clr_class_metrics_bootstrap(const double *p, const int *label, size_t n, size_t k,
                                           int resamples, uint64_t seed, s2clr_pool *pool,
                                           s2clr_class_metrics *metrics);

/* Row l, column c: samples of class l whose most probable class (the first of equals) is c.
 * confusion: (k, k). */
s2clr_status s2clr_class_confusion(const double *p, const int *label, size_t n, size_t k,
                                   size_t *confusion);

/* JSON object {"n", "accuracy", "auc", "classes": [{"name", "n", "recall", "auc"}]}, undefined
 * numbers as null; card: names of the classes. With resamples also "macro_f1", "resamples" and
 * "intervals": {"accuracy": [low, high], "auc", "macro_f1"}. *out is freed with s2clr_free(). */
s2clr_status s2clr_class_metrics_format(const s2clr_class_metrics *metrics, const s2clr_card *card,
                                        char **out);

#endif
