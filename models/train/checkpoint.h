/*
 * The state of a training run between two epochs, as one safetensors file.
 *
 *     s2clr_checkpoint state = {.params = w, .best = best, .moments = m, ...sizes...};
 *     S2CLR_TRY(s2clr_checkpoint_save("run/checkpoint.safetensors", identity, &state));
 *     S2CLR_TRY(s2clr_checkpoint_load("run/checkpoint.safetensors", identity, &state));
 *
 * `identity` is a JSON object that says what the run is (settings, data, architecture). It is
 * stored, and a checkpoint is only loaded by a run with the same one.
 */
#ifndef S2CLR_TRAIN_CHECKPOINT_H
#define S2CLR_TRAIN_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_checkpoint {
    uint64_t epoch; /* finished epochs */
    uint64_t step;  /* optimiser steps taken */
    int best_epoch; /* 1 = the first; 0 = none yet */
    double best_auc;
    size_t param_count, moment_count;
    float *params;  // (param_count) borrowed
    float *best;    // (param_count) params after best_epoch, borrowed; NULL: not kept
    float *moments; // (moment_count) borrowed
} s2clr_checkpoint;

/* Write, fsync, rename: the old checkpoint stays whole until the new one is. */
s2clr_status s2clr_checkpoint_save(const char *path, const char *identity,
                                   const s2clr_checkpoint *state);

/* Counts and arrays of `state` are given and must fit the file; counters and array contents are
 * read. S2CLR_ERR_MISMATCH names every entry of the identity that differs. On failure the arrays
 * may be partly written. */
s2clr_status s2clr_checkpoint_load(const char *path, const char *identity, s2clr_checkpoint *state);

#endif
