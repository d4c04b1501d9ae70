/* Shared by the files of calibration only. */
#ifndef S2CLR_TRAIN_PCALIBRATION_H
#define S2CLR_TRAIN_PCALIBRATION_H

#include "train/calibration.h"

typedef struct calibration_data {
    const float *logit; // (n)
    const int *label;   // (n)
    size_t n;
    size_t count[2];  /* samples of each label */
    double weight[2]; /* of a sample of each label; all weights add up to n */
} calibration_data;

/* Counts, weights; both labels there, all logits finite. */
s2clr_status s2clr_calibration_prepare(const float *logit, const int *label, size_t n,
                                       double prevalence, calibration_data *out);

/* Slope and curvature at inverse temperature a of a loss that is convex in it. */
typedef void (*calibration_slope)(const void *context, double a, double *slope, double *curvature);

/* The a in (1e-3, 1e3) where the slope is 0. */
s2clr_status s2clr_calibration_minimise(calibration_slope slope, const void *context, size_t n,
                                        double *a);

/* The fits; each writes temperature, bias and knots as far as it has any. */
s2clr_status s2clr_calibration_temperature(const calibration_data *data, s2clr_card *card);
s2clr_status s2clr_calibration_platt(const calibration_data *data, s2clr_card *card);
s2clr_status s2clr_calibration_isotonic(const calibration_data *data, s2clr_card *card);

/* 1 / (1 + exp(-z)) and log(1 + exp(z)), without overflow. */
double s2clr_calibration_sigmoid(double z);
double s2clr_calibration_softplus(double z);

/* To 7 significant digits, more than any sample tells: cards stay readable. */
double s2clr_calibration_round(double value);

/* Of logits that no finite, positive temperature suits. which: -1 best is beyond the largest, 1
 * below the smallest. */
s2clr_status s2clr_calibration_refuse(size_t n, int which);

#endif
