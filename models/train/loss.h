/*
 * Losses: logits in, mean loss and its gradient out. One table line each in loss.c; all of them go
 * through the same numeric-gradient test.
 */
#ifndef S2CLR_TRAIN_LOSS_H
#define S2CLR_TRAIN_LOSS_H

#include <stddef.h>

#include "base/status.h"

typedef struct s2clr_loss {
    const char *name;
    const char *summary;
    /* logits: (n, k); target: (n, k); weight: (n) or NULL for 1. *loss = sum_i w_i l_i / n and
     * dlogits (n, k) its gradient. Sums in double, in sample order. */
    s2clr_status (*run)(const float *logits, const float *target, const float *weight, size_t n,
                        size_t k, double *loss, float *dlogits);
} s2clr_loss;

/* "bce": -(t log s(z) + (1 - t) log(1 - s(z))), summed over k; targets in [0, 1].
 * "softmax": cross entropy with target distributions over k >= 2 classes. */
size_t s2clr_loss_list(const s2clr_loss **out);
s2clr_status s2clr_loss_find(const char *name, const s2clr_loss **out);

#endif
