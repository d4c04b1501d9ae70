/*
 * What the tests of contrastive pretraining share: made-up patches, a small encoder's card, and one
 * run of the recipe with what it left behind.
 *
 *     pretrain_run r = pretrain_rig_run("folder", 2);
 *     r.settings.temperature = 0.2;
 *     TEST_OK(pretrain_rig_start(&r));
 */
#ifndef S2CLR_TESTS_PRETRAIN_RIG_H
#define S2CLR_TESTS_PRETRAIN_RIG_H

#include "recipe_rig.h"
#include "train/pretrain.h"

enum { PRETRAIN_TRAIN = 48, PRETRAIN_PROBE = 24, PRETRAIN_SIZE = 16, PRETRAIN_NAME = 16 };

/* Patches of noise of two classes. */
typedef struct pretrain_textures {
    uint64_t seed;
    char name[PRETRAIN_TRAIN][PRETRAIN_NAME];
    const char *names[PRETRAIN_TRAIN];
    int labels[PRETRAIN_TRAIN];
    size_t reads, fail_after; /* 0: never; one thread only */
} pretrain_textures;

/* set is filled, and has to stay. */
s2clr_samples pretrain_rig_samples(pretrain_textures *set, uint64_t seed, size_t count);

/* A resnet18 of width 4 with a projection head of 24-12; free with s2clr_card_free(). */
s2clr_card *pretrain_rig_card(void);

typedef struct pretrain_run {
    const char *folder;
    int threads, outputs, bands;
    const char *backend; /* NULL: portable */
    s2clr_precision precision;
    size_t count, fail_after;
    bool probe;
    const float *initial;
    s2clr_pretrain_settings settings;
    int stop_epoch; /* cancel as soon as this epoch is reported; 0: never */
    double last;
    char message[200];
    s2clr_pretrain_result result;
} pretrain_run;

/* Four epochs of three batches of 16 in chunks of 8, below test_folder(). */
pretrain_run pretrain_rig_run(const char *folder, int threads);
s2clr_status pretrain_rig_start(pretrain_run *r);

/* A file of the run's folder, NULL: the folder. Borrowed until the next call. */
const char *pretrain_rig_path(const pretrain_run *r, const char *name);
void pretrain_rig_sha(const pretrain_run *r, const char *name, char sha[65]);

/* Models and checkpoints are equal. */
void pretrain_rig_same(const pretrain_run *a, const pretrain_run *b);

/* One entry per epoch of log.jsonl, NaN where it is no number; the number of lines. */
int pretrain_rig_log(const pretrain_run *r, const char *key, double *values);

#endif
