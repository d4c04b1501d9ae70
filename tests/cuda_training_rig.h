/*
 * Small runs of the recipes on the pretended CUDA of this process (cuda_fake.h), on one device or
 * on several.
 *
 *     cuda_words("devices=2");
 *     cuda_job j = {.folder = "run", .contrastive = true, .devices = 2, .epochs = 2};
 *     TEST_OK(cuda_job_run(&j));
 */
#ifndef S2CLR_TESTS_CUDA_TRAINING_RIG_H
#define S2CLR_TESTS_CUDA_TRAINING_RIG_H

#include "backend/backend.h"

/* One run of either recipe. */
typedef struct cuda_job {
    const char *folder;
    bool contrastive, resume, portable;
    bool host_views; /* as if the device could not make views */
    bool small;      /* few samples: a step of 16 per epoch */
    s2clr_precision precision;
    int devices;            /* 0: one */
    int batch;              /* 0: 16 */
    int epochs, stop_epoch; /* stop: cancel as soon as this epoch is reported; 0: never */
    double rate;            /* 0: 0.005 */
    size_t samples;         /* of a contrastive run; 0: those of the rig */
    long reads;             /* of its training patches, that the run has made */
    char warning[1400];     /* what the run warned of */
} cuda_job;

s2clr_status cuda_job_run(cuda_job *j);

/* Runs `whole`, of three epochs, and once more into FOLDER-cut, stopped in its last epoch and gone on
 * with: the same files. */
void cuda_job_goes_on(cuda_job *whole);

/* FAKE_CUDA from now on, with calls counted from 1 again. */
void cuda_words(const char *text);

/* Length of the difference of the models of two runs, relative to that of the second. */
double cuda_job_apart(const char *a, const char *b);

bool cuda_job_has(const char *folder, const char *name);

/* Runs `like` with small data and lets a call of the first epoch, one behind it and the last of
 * every entry point fail that `chosen` says yes to: each ends with one line, leaves nothing behind
 * and no model, and goes on where it had come to a checkpoint; or gets over it, and in the end has
 * the bytes of `like`. words: of FAKE_CUDA as well. */
void cuda_job_fail_each(const cuda_job *like, const char *words, bool (*chosen)(const char *entry));

#endif
