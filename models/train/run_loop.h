/*
 * The bookkeeping of a training run that all recipes share: folder, weights, optimiser, rate,
 * progress, log, checkpoint. What a step computes is the recipe's business.
 *
 *     s2clr_run_loop loop = {.training = &settings->common, .net = net, .progress = progress,
 *                            .steps = steps_per_epoch, .views = 2 * batch, .train_share = 0.9};
 *     S2CLR_TRY(s2clr_run_loop_open(&loop, false));          // folder, arrays
 *     S2CLR_TRY(s2clr_run_loop_learn(&loop, &machine, &step, 1)); // loop.learner
 *     S2CLR_TRY(s2clr_run_loop_start(&loop, identity, NULL)); // checkpoint's or fresh weights
 *     while (loop.state.epoch < (uint64_t)settings->common.epochs) {
 *         s2clr_run_loop_begin_epoch(&loop);
 *         for (size_t i = 0; i < loop.steps; i++) {
 *             ... s2clr_learner_forward(loop.learner, ...) ...
 *             S2CLR_TRY(s2clr_run_loop_check_loss(&loop, loss));
 *             ... s2clr_learner_backward(loop.learner, ...) ...
 *             S2CLR_TRY(s2clr_run_loop_step(&loop, i, loss));
 *         }
 *         S2CLR_TRY(s2clr_learner_fetch(loop.learner));           // loop.state.params are these
 *         ... validation; loop.note, loop.state.best ...
 *         S2CLR_TRY(s2clr_run_loop_end_epoch(&loop, json_pack("{s:f}", "knn", share)));
 *     }
 *     s2clr_run_loop_close(&loop);
 *
 * The state after an epoch depends on settings, data, backend and library version only; a run that
 * was killed goes on after its last finished epoch and ends with the same weights.
 */
#ifndef S2CLR_TRAIN_RUN_LOOP_H
#define S2CLR_TRAIN_RUN_LOOP_H

#include <jansson.h>
#include <stdbool.h>

#include "base/progress.h"
#include "net/net.h"
#include "train/checkpoint.h"
#include "train/learner.h"
#include "train/optimiser.h"
#include "train/run_folder.h"
#include "train/training.h"

typedef struct s2clr_run_loop {
    /* the recipe's, borrowed; steps and views may be set after _open */
    const s2clr_training *training;
    const s2clr_net *net;
    const s2clr_progress *progress;
    size_t steps;            /* per epoch */
    size_t views;            /* per step, for the rate that is shown */
    double train_share;      /* of an epoch's progress; the rest is what comes after its steps */
    double *factor;          // (parameters of net) of the rate, 0: not trained; NULL: 1 for all
    const char *part_option; /* as of learner.h, for messages */
    int part_unit;
    size_t beside; /* likewise */

    /* the loop's own */
    s2clr_run_folder folder;
    const s2clr_optimiser *optimiser;
    char *identity;
    s2clr_checkpoint state; /* params, moments, best when asked for */
    s2clr_learner *learner; /* of state.params and state.moments */
    char note[64];          /* shown with the progress: "auc 0.9870"; the recipe writes it */

    /* of the epoch under way */
    double started, loss_sum;
    double loss, rate, views_per_second; /* mean loss so far, last rate */
} s2clr_run_loop;

/* Seconds of a clock that only runs forward. */
double s2clr_run_loop_now(void);

/* Checks the settings, finds the optimiser, opens the folder, allocates. keep_best: the state has
 * room for the best weights. Close with s2clr_run_loop_close(), also after a failure. */
s2clr_status s2clr_run_loop_open(s2clr_run_loop *loop, bool keep_best);
void s2clr_run_loop_close(s2clr_run_loop *loop);

/* Makes loop->learner: batches of `parts` parts, each of which is a step. Comes before start. */
s2clr_status s2clr_run_loop_learn(s2clr_run_loop *loop, const s2clr_machine *on,
                                  const s2clr_step_options *step, size_t parts);

/* Weights and counters to go on from: the checkpoint's, else `initial` (param_count), else drawn
 * from the seed. identity (s2clr_run_identity_text()) becomes the loop's, also on failure. */
s2clr_status s2clr_run_loop_start(s2clr_run_loop *loop, char *identity, const float *initial);

void s2clr_run_loop_begin_epoch(s2clr_run_loop *loop);

/* S2CLR_ERR_BACKEND when the loss is not finite: the run ends, its last checkpoint stays. */
s2clr_status s2clr_run_loop_check_loss(const s2clr_run_loop *loop, double loss);

/* Updates the learner's weights and reports; index: of the step in the epoch.
 * S2CLR_ERR_CANCELLED when the progress says stop. */
s2clr_status s2clr_run_loop_step(s2clr_run_loop *loop, size_t index, double loss);

/* "epoch 3/20 loss 0.1234 auc 0.9870 1840 views/s" */
void s2clr_run_loop_describe(const s2clr_run_loop *loop, char *text, size_t size);

/* Counts the epoch, logs it and saves the checkpoint. The line of log.jsonl has epoch, step, loss,
 * rate, views_per_second and seconds, then the entries of `extra` (may be NULL; taken, also on
 * failure). Weights that are not finite are an error, and the checkpoint before them stays. */
s2clr_status s2clr_run_loop_end_epoch(s2clr_run_loop *loop, json_t *extra);

#endif
