/*
 * What a student is told by a teacher's logits: the divergence of its probabilities from the
 * teacher's, both softened by a temperature (Hinton, Vinyals and Dean 2015).
 */
#ifndef S2CLR_TRAIN_DISTILL_LOSS_H
#define S2CLR_TRAIN_DISTILL_LOSS_H

#include <stddef.h>

#include "base/status.h"

/* logits z, teacher t: (n, k); weight: (n) or NULL for 1. With P = softmax (k >= 2) or sigmoid
 * (k = 1), *loss = T^2 sum_i w_i KL(P(t_i / T) || P(z_i / T)) / n and dlogits (n, k) its gradient:
 * T^2 keeps the gradient's size whatever the temperature. Sums in double, in sample order. */
s2clr_status s2clr_distill_loss(const float *logits, const float *teacher, const float *weight,
                                size_t n, size_t k, double temperature, double *loss,
                                float *dlogits);

#endif
