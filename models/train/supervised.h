/*
 * The supervised recipe: labelled patches in, run directory with a model file out.
 *
 *     s2clr_supervised_settings settings;
 *     s2clr_supervised_defaults(&settings);
 *     settings.run_dir = "run";
 *     S2CLR_TRY(s2clr_supervised_run(&settings, card, &train, &val, backend, device, pool,
 *                                    &progress, &result));
 *
 * The run directory holds `checkpoint.safetensors` (weights, moments, best weights, counters;
 * replaced at once after every epoch), `log.jsonl` (one line per epoch) and, at the end,
 * `model.safetensors`. The same settings, data, backend, ISA and library version give the same
 * weights, whatever the threads and however often the run was killed and resumed.
 */
#ifndef S2CLR_TRAIN_SUPERVISED_H
#define S2CLR_TRAIN_SUPERVISED_H

#include "base/pool.h"
#include "base/progress.h"
#include "file/card.h"
#include "train/samples.h"

typedef struct s2clr_supervised_settings {
    const char *run_dir;
    const char *optimiser;     /* "adamw" */
    double rate, weight_decay; /* peak learning rate */
    double warmup;             /* share of all steps, 0..1 */
    int epochs, batch, micro;  /* batch: multiple of micro */
    uint32_t augment;          /* s2clr_augment_flag */
    double balance;            /* 0: as they come; 1: equal shares of both labels; between: mixed */
    double label_smoothing;
    int patience;              /* epochs without a better validation AUC before stopping; 0: never */
    const char *level;         /* level of the samples' DN; a level of the card */
    uint64_t seed;
    int resume;                /* continue from the checkpoint in run_dir if there is one */
} s2clr_supervised_settings;

void s2clr_supervised_defaults(s2clr_supervised_settings *settings);

typedef struct s2clr_supervised_result {
    int epochs_run, best_epoch;
    double best_auc;      /* on val */
    double seconds;       /* of this call */
    char model_path[4096];
} s2clr_supervised_result;

/* card: architecture, bands, levels, patch and texts filled in; mean and std are computed from
 * train (counter-chosen subset, double precision) when std[0] is 0. card->prevalence, threshold
 * (best F1 on val) and metrics are filled in here. S2CLR_ERR_EXISTS when run_dir holds a run and
 * resume is 0; S2CLR_ERR_MISMATCH when resuming with other settings or data, naming which. */
s2clr_status s2clr_supervised_run(const s2clr_supervised_settings *settings, s2clr_card *card,
                                  const s2clr_samples *train, const s2clr_samples *val,
                                  const s2clr_backend *backend, s2clr_device *device,
                                  s2clr_pool *pool, const s2clr_progress *progress,
                                  s2clr_supervised_result *result);

/* Probabilities of all samples with weights of net (used for validation and by `evaluate`):
 * p[i] = sigmoid(logit / card->temperature). */
s2clr_status s2clr_predict_samples(const s2clr_net *net, const float *params,
                                   const s2clr_card *card, const char *level,
                                   const s2clr_samples *samples, const s2clr_backend *backend,
                                   s2clr_device *device, s2clr_pool *pool,
                                   const s2clr_progress *progress, double *p);

#endif
