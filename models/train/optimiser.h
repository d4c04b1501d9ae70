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
    double beta1, beta2, epsilon; /* 0.9, 0.999, 1e-8; beta1 is the momentum of sgd and lars */
    double weight_decay;
    double trust;         /* 0.001: lars, the length of a step as a share of the weight's */
    const double *factor; // (parameters of the net) of the rate, 0: left alone; NULL: 1 for all
} s2clr_optimiser_settings;

/* The numbers above, weight_decay 0, factor NULL. */
s2clr_optimiser_settings s2clr_optimiser_defaults(void);

typedef struct s2clr_optimiser {
    const char *name;
    const char *summary;
    int moments; /* arrays of `count` floats it keeps */
    /* Factor of the rate of one weight of rank >= 2, from the Euclidean lengths of the weight and
     * of gradient + weight_decay * weight; NULL: 1, and nothing is measured. */
    double (*scale)(const s2clr_optimiser_settings *settings, double weight, double gradient);
    /* One update of elements [begin, end). step counts from 1. moments: (moments, count). decay:
     * whether weight decay applies to these elements. */
    void (*update)(const s2clr_optimiser_settings *settings, double rate, uint64_t step, int decay,
                   size_t begin, size_t end, size_t count, const float *gradient, float *moments,
                   float *params);
} s2clr_optimiser;

/* "adam" (Kingma and Ba 2015; weight decay added to the gradient, as torch.optim.Adam),
 * "adamw" (Loshchilov and Hutter 2019; decoupled, as torch.optim.AdamW),
 * "sgd" (with momentum, not Nesterov's, as torch.optim.SGD),
 * "lars" (You, Gitman and Ginsburg 2017, with the choices of SimCLR: the rate is part of the
 * momentum, biases, gamma and beta are neither decayed nor adapted). */
size_t s2clr_optimiser_list(const s2clr_optimiser **out);
s2clr_status s2clr_optimiser_find(const char *name, const s2clr_optimiser **out);

/* Updates all trainable parameters of net, shared out over the pool. Elementwise but for the
 * lengths that lars wants, which are added up in double, in one order: threads cannot matter.
 * Weight decay applies to weights of rank >= 2 only, not to biases, gamma and beta. */
s2clr_status s2clr_optimiser_step(const s2clr_optimiser *optimiser,
                                  const s2clr_optimiser_settings *settings, const s2clr_net *net,
                                  s2clr_pool *pool, double rate, uint64_t step,
                                  const float *gradient, float *moments, float *params);

/* Linear warm-up from 0 over `warmup` steps to `peak`, then half a cosine down to 0 at `total`.
 * step counts from 1; the rate at step == warmup is peak, at step == total it is 0. */
double s2clr_schedule_cosine(double peak, uint64_t warmup, uint64_t total, uint64_t step);

#endif
