/*
 * The state of one supervised run: supervised.c sets it up and concludes, supervised_check.c judges
 * what it was given, epoch.c works on it, targets.c says what a sample should be, rates.c which
 * layers learn how fast.
 */
#ifndef S2CLR_TRAIN_PTRAINER_H
#define S2CLR_TRAIN_PTRAINER_H

#include "net/step.h"
#include "train/batch_feed.h"
#include "train/loss.h"
#include "train/run_loop.h"
#include "train/sampler.h"
#include "train/supervised.h"

typedef struct trainer {
    const s2clr_supervised_settings *settings;
    s2clr_card *card;
    const s2clr_card_level *level;
    const s2clr_samples *train, *val;
    s2clr_machine on;
    const s2clr_progress *progress;

    size_t k;      /* outputs: 1 is a probability of two labels */
    bool labelled; /* every training sample has a label */
    s2clr_run_loop loop;
    s2clr_net *net;
    const s2clr_loss *loss;
    s2clr_sampler *sampler;
    s2clr_feed *feed;
    int *decided;   // (train) the teacher's labels, when they are learned or balanced
    double *factor; // (parameters) of the rate, NULL: 1
    float *x;       // (batch, C, H, W)
    float *target;  // (batch, K)
    float *teacher; // (batch, K)
    float *weight;  // (batch)
    float *logits;  // (batch, K)
    float *dlogits; // (batch, K)
    float *dsoft;   // (batch, K)
    double *p;      // (val, K)
} trainer;

/* The option that says how many samples a step has. */
#define TRAINER_PART "--batch"

/* ---- supervised_check.c ---- */

/* Settings, samples and card against each other, before anything is made; fills k, labelled and
 * level. */
s2clr_status s2clr_trainer_check(trainer *t);

/* ---- supervised_identity.c ---- */

/* Settings, data, network, preprocessing and machine, for run_loop.h. *out is freed with
 * s2clr_free(). */
s2clr_status s2clr_trainer_identity(const trainer *t, char **out);

/* ---- rates.c ---- */

/* Fills t->factor; leaves it NULL when every layer learns at the same rate. */
s2clr_status s2clr_trainer_rates(trainer *t);

/* ---- targets.c ---- */

/* The labels that an epoch is dealt from; NULL: none, all samples alike. Fills decided where the
 * teacher's decisions are learned or dealt from. */
s2clr_status s2clr_trainer_deck(trainer *t, const int **labels, int *classes);

/* Targets, teacher's logits and weights of a batch. */
void s2clr_trainer_targets(trainer *t, const size_t *index, size_t batch);

/* Mean loss of a batch from t->logits, and its gradient in t->dlogits. */
s2clr_status s2clr_trainer_loss(trainer *t, size_t batch, double *loss);

/* Whether the teacher's decisions are learned, not its probabilities. */
bool s2clr_trainer_hard(const trainer *t);

/* Share of positives that one output is taught to expect. */
double s2clr_trainer_prevalence(const trainer *t);

/* ---- epoch.c ---- */

/* One epoch: train, validate, keep the best, log, checkpoint. */
s2clr_status s2clr_trainer_epoch(trainer *t);

/* Probabilities of the validation samples with `params`, into t->p; from and to: share of the whole
 * run's progress; message: shown meanwhile. */
s2clr_status s2clr_trainer_validate(trainer *t, const float *params, double from, double to,
                                    const char *message);
/* Whether the device has room for that. */
s2clr_status s2clr_trainer_try_validation(const trainer *t);

#endif
