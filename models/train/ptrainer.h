/* The state of one supervised run: supervised.c sets it up and concludes, epoch.c works on it. */
#ifndef S2CLR_TRAIN_PTRAINER_H
#define S2CLR_TRAIN_PTRAINER_H

#include "net/step.h"
#include "train/batch_feed.h"
#include "train/checkpoint.h"
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/run_folder.h"
#include "train/sampler.h"
#include "train/supervised.h"

typedef struct trainer {
    const s2clr_supervised_settings *settings;
    s2clr_card *card;
    const s2clr_card_level *level;
    const s2clr_samples *train, *val;
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_pool *pool;
    const s2clr_progress *progress;

    s2clr_run_folder folder;
    char *identity;
    s2clr_net *net;
    const s2clr_optimiser *optimiser;
    const s2clr_loss *loss;
    s2clr_sampler *sampler;
    s2clr_feed *feed;
    s2clr_step *step;
    s2clr_checkpoint state;
    float *gradient; // (trainable)
    float *x;        // (batch, C, H, W)
    float *target;   // (batch)
    float *logits;   // (batch)
    float *dlogits;  // (batch)
    double *p;       // (val)
} trainer;

/* Seconds of a clock that only runs forward. */
double s2clr_trainer_now(void);

/* One epoch: train, validate, keep the best, log, checkpoint. */
s2clr_status s2clr_trainer_epoch(trainer *t);

/* Probabilities of the validation samples with `params`, into t->p; from and to: share of the whole
 * run's progress; message: shown meanwhile. */
s2clr_status s2clr_trainer_validate(trainer *t, const float *params, double from, double to,
                                    const char *message);

#endif
