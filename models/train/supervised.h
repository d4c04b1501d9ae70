/*
 * The supervised recipe: labelled patches in, run directory with a model file out.
 *
 *     s2clr_supervised_settings settings;
 *     s2clr_supervised_defaults(&settings);
 *     settings.common.run_dir = "run";
 *     S2CLR_TRY(s2clr_supervised_run(&settings, card, &train, &val, &machine, &progress,
 *                                    &result));
 *
 * The run directory holds `checkpoint.safetensors` (weights, moments, best weights, counters;
 * replaced at once after every epoch), `log.jsonl` (one line per epoch) and, at the end,
 * `model.safetensors`. The same settings, data, backend, ISA and library version give the same
 * weights, whatever the threads and however often the run was killed and resumed.
 */
#ifndef S2CLR_TRAIN_SUPERVISED_H
#define S2CLR_TRAIN_SUPERVISED_H

#include <stdbool.h>

#include "base/progress.h"
#include "file/card.h"
#include "train/machine.h"
#include "train/samples.h"
#include "train/training.h"

typedef struct s2clr_supervised_settings {
    s2clr_training common;
    double balance; /* 0: as they come; 1: equal shares of the labels; between: mixed */
    double label_smoothing;
    int patience; /* epochs without a better validation AUC before stopping; 0: never */
    const double *class_weight; // (2, or K) factor of a label's loss, not all 0; NULL: 1

    /* from another model (train/finetune.h fills these in) */
    const float *initial; // (param_count) weights to start from; NULL: fresh ones
    size_t frozen;        /* nodes [0, frozen) of the network are not trained */
    double group_decay;   /* factor of the rate per group of layers, from the last down; 1: none */

    /* distillation (train/teach.h) */
    const float *soft;          // (train->count, K) the teacher's logits; NULL: none
    double distill_temperature; /* both sides' logits are divided by it */
    double distill_share;       /* of the loss that the teacher has; labels have the rest */
    bool distill_hard;          /* the teacher's decision instead of its probability */
    double distill_least;       /* least logit of one output that it calls positive; 0: p >= 1/2 */
    double distill_prevalence;  /* share of positives that its probabilities hold for; 0: unknown */
} s2clr_supervised_settings;

/* One rate for all layers, nothing frozen; temperature 2, share 1, soft. */
void s2clr_supervised_defaults(s2clr_supervised_settings *settings);

typedef struct s2clr_supervised_result {
    int epochs_run, best_epoch;
    bool judged;     /* there was something to validate on */
    double best_auc; /* on val */
    double seconds;  /* of this call */
    char model_path[4096];
} s2clr_supervised_result;

/* card: architecture, bands, levels, patch and texts filled in; mean and std are computed from
 * train (counter-chosen subset, double precision) when std[0] is 0. card->prevalence, threshold
 * (best F1 on val) and metrics are filled in here. The prevalence is the share of positives that
 * the loss sees, class weights included; of a student that learns probabilities alone it is the
 * teacher's. val of no samples: all epochs are run, the last one counts, the threshold is the
 * teacher's (distill_least) or 1/2, and there are no metrics. S2CLR_ERR_EXISTS when run_dir holds a
 * run and resume is 0; S2CLR_ERR_MISMATCH when resuming with other settings or data, naming
 * which. */
s2clr_status s2clr_supervised_run(const s2clr_supervised_settings *settings, s2clr_card *card,
                                  const s2clr_samples *train, const s2clr_samples *val,
                                  const s2clr_machine *on, const s2clr_progress *progress,
                                  s2clr_supervised_result *result);

typedef struct s2clr_supervised_cost {
    size_t weights, learning;  /* trainable values, and those of them that this run changes */
    size_t steps;              /* per epoch */
    size_t bytes;              /* activations, weights, gradients, moments */
    size_t device_bytes;       /* those of them in each device's own memory, and not in bytes */
    double seconds;            /* of one step, measured; 0 when the memory for it is not there */
    double validation_seconds; /* of one epoch, from the forward half of that step */
    char note[400];            /* s2clr_learner_note() of what was measured */
} s2clr_supervised_cost;

/* What a run would cost: checks as the run does, then two steps on made-up patches, nothing
 * written. settings->soft: any array of that size stands for the teacher's logits. */
s2clr_status s2clr_supervised_try(const s2clr_supervised_settings *settings, s2clr_card *card,
                                  const s2clr_samples *train, const s2clr_samples *val,
                                  const s2clr_machine *on, s2clr_supervised_cost *out);

/* Probabilities of all samples with weights of net (used for validation and by `evaluate`):
 * p[i] = s2clr_card_probability(card, logit). */
s2clr_status s2clr_predict_samples(const s2clr_net *net, const float *params,
                                   const s2clr_card *card, const char *level,
                                   const s2clr_samples *samples, const s2clr_backend *backend,
                                   s2clr_device *device, s2clr_pool *pool,
                                   const s2clr_progress *progress, double *p);

/* The same for a network of K outputs: p: (count, K), s2clr_card_probabilities(). */
s2clr_status s2clr_predict_classes(const s2clr_net *net, const float *params,
                                   const s2clr_card *card, const char *level,
                                   const s2clr_samples *samples, const s2clr_backend *backend,
                                   s2clr_device *device, s2clr_pool *pool,
                                   const s2clr_progress *progress, double *p);

/* The logits themselves, as the network gives them: (count, K). */
s2clr_status s2clr_predict_logits(const s2clr_net *net, const float *params, const s2clr_card *card,
                                  const char *level, const s2clr_samples *samples,
                                  const s2clr_backend *backend, s2clr_device *device,
                                  s2clr_pool *pool, const s2clr_progress *progress, float *logits);

#endif
