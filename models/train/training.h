/*
 * What every training recipe is told, whatever it learns from.
 *
 *     s2clr_training training = s2clr_training_defaults();
 *     training.run_dir = "run";
 *     S2CLR_TRY(s2clr_training_check(&training));
 */
#ifndef S2CLR_TRAIN_TRAINING_H
#define S2CLR_TRAIN_TRAINING_H

#include <stdint.h>

#include "base/status.h"
#include "train/augment.h"

typedef struct s2clr_training {
    const char *run_dir;
    const char *optimiser;     /* a line of the table in optimiser.c */
    double rate, weight_decay; /* rate: the highest, after the warm-up */
    double warmup;             /* share of all steps, 0..1 */
    int epochs, batch, micro;  /* batch: samples per step, a multiple of micro */
    s2clr_augment_recipe augment;
    const char *level; /* of the samples' DN; a level of the card */
    uint64_t seed;
    int resume; /* continue from the checkpoint in run_dir if there is one */
} s2clr_training;

/* adamw, rate 2e-3, decay 0.01, warm-up 0.1, 20 epochs of batches of 64 in micro-batches of 16,
 * flip,rot90,shift, seed 1; no folder and no level. */
s2clr_training s2clr_training_defaults(void);

/* Ranges, and that the batch is a multiple of the micro-batch; the message names the setting. */
s2clr_status s2clr_training_check(const s2clr_training *training);

/* value in [low, high] and not NaN; for settings that only one recipe has. */
s2clr_status s2clr_training_check_range(const char *name, double value, double low, double high);

#endif
