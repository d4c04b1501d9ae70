/* The state of one pretraining run: pretrain_setup.c
 * sets it up, pretrain.c runs it, pretrain_epoch.c trains,
 * pretrain_probe.c asks for neighbours, pretrain_card.c writes down what was done. */
#ifndef S2CLR_TRAIN_PPRETRAIN_H
#define S2CLR_TRAIN_PPRETRAIN_H

#include "train/batch_feed.h"
#include "train/contrast.h"
#include "train/pretrain.h"
#include "train/run_loop.h"

/* The option that says how many patches are computed at once, and the views of each. */
#define PRETRAINER_PART "--chunk"
enum { PRETRAINER_UNIT = 2 };

/* The labelled samples of the probe and what the encoder says of them. */
typedef struct pretrain_probe {
    const s2clr_samples *from; /* NULL: there is none */
    s2clr_samples samples;     /* those of `from` that are asked */
    size_t *index;             // (samples.count) their places in `from`
    int *labels;               // (samples.count)
    const char **names;        // (samples.count)
    int classes;
    double accuracy, auc; /* after the last epoch, NaN before */
} pretrain_probe;

typedef struct pretrainer {
    const s2clr_pretrain_settings *settings;
    s2clr_card *card;
    const s2clr_card_level *level;
    const s2clr_samples *train;
    s2clr_machine on;

    s2clr_net *net;
    s2clr_feed *feed;
    s2clr_contrast *contrast;
    s2clr_run_loop loop;
    pretrain_probe probe;
    size_t *order;    // (train) samples as this epoch takes them
    int *place;       // (train) equal for dates of one place; NULL without partners
    int *batch_place; // (batch)
    uint64_t epoch;   /* that the views are drawn for */
    size_t first;     /* place in the order of the batch being computed */
    size_t fills;     /* of views since that batch began */

    double loss, spread, alignment, uniformity; /* of the last batch */
    bool collapsed;
} pretrainer;

/* Settings, samples and card fit each other; makes the network and what the loop has to know. */
s2clr_status s2clr_pretrainer_check(pretrainer *t);

s2clr_contrast_options s2clr_pretrainer_options(const pretrainer *t);

/* Everything a step needs but weights; t->loop has its learner. */
s2clr_status s2clr_pretrainer_prepare(pretrainer *t);
void s2clr_pretrainer_close(pretrainer *t);

/* The order of an epoch and its views, from seed and number alone. */
void s2clr_pretrainer_shuffle(pretrainer *t, uint64_t epoch);

/* Loss and gradient of batch number `step` of that epoch. */
s2clr_status s2clr_pretrainer_gradient(pretrainer *t, size_t step);
/* Its loss alone, with the learner left as it is. */
s2clr_status s2clr_pretrainer_again(pretrainer *t, size_t step);

/* Monitors of that batch. */
s2clr_status s2clr_pretrainer_look(pretrainer *t);

/* One epoch: train, monitor, probe, log, checkpoint. */
s2clr_status s2clr_pretrainer_epoch(pretrainer *t);

/* Chooses the samples; frees what that took. */
s2clr_status s2clr_probe_open(const s2clr_samples *from, pretrain_probe *probe);
void s2clr_probe_close(pretrain_probe *probe);

/* accuracy and auc of t->probe with the present weights; from and to: share of the run's progress.
 */
s2clr_status s2clr_probe_run(pretrainer *t, double from, double to);

/* Whether the device has room for that. */
s2clr_status s2clr_probe_try(const pretrainer *t);

/* The card's texts and metrics. */
s2clr_status s2clr_pretrainer_describe(pretrainer *t);

/* Settings, data, network, preprocessing and machine, for run_loop.h. *out is freed with
 * s2clr_free(). */
s2clr_status s2clr_pretrainer_identity(const pretrainer *t, const float *initial, char **out);

#endif
