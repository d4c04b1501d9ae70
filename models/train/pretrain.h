/*
 * The contrastive recipe: patches in, labels ignored, run directory with an encoder out (SimCLR;
 * Chen, Kornblith, Norouzi and Hinton, ICML 2020).
 *
 *     s2clr_pretrain_settings settings;
 *     s2clr_pretrain_defaults(&settings);
 *     settings.common.run_dir = "run";
 *     S2CLR_TRY(s2clr_pretrain_run(&settings, card, &train, NULL, NULL, &machine, &progress,
 *                                  &result));
 *
 * The run directory holds what that of supervised training does (supervised.h). The model is the
 * encoder after the last epoch with its projection head, and without a classifier. The same
 * settings, data, backend, ISA and library version give the same weights, whatever the threads and
 * however often the run was killed and resumed.
 */
#ifndef S2CLR_TRAIN_PRETRAIN_H
#define S2CLR_TRAIN_PRETRAIN_H

#include <stdbool.h>

#include "base/progress.h"
#include "file/card.h"
#include "train/machine.h"
#include "train/samples.h"
#include "train/training.h"

typedef struct s2clr_pretrain_settings {
    s2clr_training common; /* batch: patches per step, two views of each; micro: views at once */
    double temperature;
    int chunk;          /* patches per chunk of the gradient cache (contrast.h); batch norm sees
                           2 * chunk views; divides the batch */
    const int *partner; // (train->count) index of another date of the same place, -1: none; or NULL
    double natural;     /* share of the pairs whose second view is of that date */
    int probe_k;        /* neighbours of the probe */
} s2clr_pretrain_settings;

/* adamw, rate 1e-3, decay 1e-4, 50 epochs, batches of 256 in chunks of 64, temperature 0.1, the
 * augmentation "multispectral", no second dates, 20 neighbours. */
void s2clr_pretrain_defaults(s2clr_pretrain_settings *settings);

typedef struct s2clr_pretrain_result {
    int epochs_run;
    double loss;                          /* mean of the last epoch */
    double spread, alignment, uniformity; /* of its last batch (monitor.h) */
    double knn_accuracy, knn_auc;         /* NaN without a probe */
    bool collapsed;                       /* all embeddings point the same way */
    double seconds;                       /* of this call */
    char model_path[4096];
} s2clr_pretrain_result;

/* card: architecture with a projection head and 0 outputs, bands, levels, patch; mean and std are
 * computed from train when std[0] is 0. trained_on, not_validated (where empty) and metrics are
 * filled in here. probe: labelled samples for nearest neighbours after every epoch, at most
 * S2CLR_PROBE_MOST of them; NULL: none. initial: (param_count) weights to start from, or NULL.
 * Errors as s2clr_supervised_run(); fewer samples than a batch are one. */
s2clr_status s2clr_pretrain_run(const s2clr_pretrain_settings *settings, s2clr_card *card,
                                const s2clr_samples *train, const s2clr_samples *probe,
                                const float *initial, const s2clr_machine *on,
                                const s2clr_progress *progress, s2clr_pretrain_result *result);

#define S2CLR_PROBE_MOST 2048

typedef struct s2clr_pretrain_cost {
    size_t steps;        /* per epoch */
    size_t bytes;        /* activations, weights, gradients, moments */
    size_t device_bytes; /* those of them in each device's own memory, and not in bytes */
    double seconds;      /* of one step, measured; 0 when the memory for it is not there */
    char note[400];      /* s2clr_learner_note() of what was measured */
} s2clr_pretrain_cost;

/* What a run would cost: checks as the run does, then one step, nothing written. */
s2clr_status s2clr_pretrain_try(const s2clr_pretrain_settings *settings, s2clr_card *card,
                                const s2clr_samples *train, const s2clr_machine *on,
                                s2clr_pretrain_cost *out);

#endif
