/* Shared by class_metrics.c and class_bootstrap.c only. */
#ifndef S2CLR_TRAIN_PCLASS_METRICS_H
#define S2CLR_TRAIN_PCLASS_METRICS_H

#include "train/class_metrics.h"

/* n, k and the labels make sense. */
s2clr_status s2clr_class_metrics_check(const int *label, size_t n, size_t k);

/* The most probable of k classes, the first of equals. */
size_t s2clr_class_choice(const double *p, size_t k);

/* From count, called and hits. */
double s2clr_class_macro_f1(const s2clr_class_metrics *metrics);

#endif
