/*
 * Optimisers over the flat parameter array, and learning-rate schedules.
 */
#ifndef S2CLR_TRAIN_OPTIMISER_H
#define S2CLR_TRAIN_OPTIMISER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/update.h"
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
    s2clr_update_rule rule;
    bool adapts; /* the rate of every weight of rank >= 2 follows from its length */
    /* Fills what the rule reads for one parameter; the rest of *out is 0. step counts from 1.
     * decay: whether weight decay applies to it. */
    void (*numbers)(const s2clr_optimiser_settings *settings, double rate, uint64_t step,
                    bool decay, s2clr_update_range *out);
} s2clr_optimiser;

/* "adam" (Kingma and Ba 2015; weight decay added to the gradient, as torch.optim.Adam),
 * "adamw" (Loshchilov and Hutter 2019; decoupled, as torch.optim.AdamW),
 * "sgd" (with momentum, not Nesterov's, as torch.optim.SGD),
 * "lars" (You, Gitman and Ginsburg 2017, with the choices of SimCLR: the rate is part of the
 * momentum, biases, gamma and beta are neither decayed nor adapted). */
size_t s2clr_optimiser_list(const s2clr_optimiser **out);
s2clr_status s2clr_optimiser_find(const char *name, const s2clr_optimiser **out);

/* One step at `rate` as numbers: a range for every trainable parameter that learns. range has room
 * for all parameters of net; update->range is set to it. Arrays of *update are left alone. */
void s2clr_optimiser_plan(const s2clr_optimiser *optimiser,
                          const s2clr_optimiser_settings *settings, const s2clr_net *net,
                          double rate, uint64_t step, s2clr_update_range *range,
                          s2clr_update *update);

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
