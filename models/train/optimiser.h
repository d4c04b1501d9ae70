/*
 * Optimisers over the flat parameter array, and learning-rate schedules.
 */
#ifndef S2CLR_TRAIN_OPTIMISER_H
#define S2CLR_TRAIN_OPTIMISER_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "net/net.h"

typedef struct s2clr_optimiser_settings {
    double beta1, beta2, epsilon; /* 0.9, 0.999, 1e-8 */
    double weight_decay;
} s2clr_optimiser_settings;

typedef struct s2clr_optimiser {
    const char *name;
    const char *summary;
    int moments; /* arrays of `count` floats it keeps */
    /* One update of elements [begin, end). step counts from 1. moments: (moments, count). decay:
     * whether weight decay applies to these elements. */
    void (*update)(const s2clr_optimiser_settings *settings, double rate, uint64_t step, int decay,
                   size_t begin, size_t end, size_t count, const float *gradient, float *moments,
                   float *params);
} s2clr_optimiser;

/* "adam" (Kingma and Ba 2015; weight decay added to the gradient, as torch.optim.Adam),
 * "adamw" (Loshchilov and Hutter 2019; decoupled, as torch.optim.AdamW). */
size_t s2clr_optimiser_list(const s2clr_optimiser **out);
s2clr_status s2clr_optimiser_find(const char *name, const s2clr_optimiser **out);

/* Updates all trainable parameters of net, shared out over the pool (elementwise: threads cannot
 * matter). Weight decay applies to weights of rank >= 2 only, not to biases, gamma and beta. */
s2clr_status s2clr_optimiser_step(const s2clr_optimiser *optimiser,
                                  const s2clr_optimiser_settings *settings, const s2clr_net *net,
                                  s2clr_pool *pool, double rate, uint64_t step,
                                  const float *gradient, float *moments, float *params);

/* Linear warm-up from 0 over `warmup` steps to `peak`, then half a cosine down to 0 at `total`.
 * step counts from 1; the rate at step == warmup is peak, at step == total it is 0. */
double s2clr_schedule_cosine(double peak, uint64_t warmup, uint64_t total, uint64_t step);

#endif
