/*
 * Small supervised runs on patches of noise, for the tests of the recipes.
 *
 *     train_run r = train_run_new("reference", 2);  // 2 threads
 *     r.settings.common.epochs = 2;
 *     TEST_OK(train_run_start(&r));
 *     CU_ASSERT_TRUE(r.result.best_auc > 0.9);
 *
 * Fine noise is positive, coarse noise is negative. Both have the same mean and variance, but in
 * small patches, where a padded network sees little texture, a colour helps it.
 */
#ifndef S2CLR_TESTS_TRAIN_RIG_H
#define S2CLR_TESTS_TRAIN_RIG_H

#include <stdbool.h>

#include "recipe_rig.h"
#include "train/supervised.h"

enum { RIG_TRAIN = 64, RIG_VAL = 32, RIG_MANY = 1100, RIG_NAME = 40 };

typedef struct textures {
    uint64_t seed;
    int size;
    float contrast; /* of the colours */
    char name[RIG_MANY][RIG_NAME];
    const char *names[RIG_MANY];
    int labels[RIG_MANY];
} textures;

/* classes 2: every third sample is positive; more: they take turns. set must outlive the samples.
 */
s2clr_samples textures_make(textures *set, uint64_t seed, size_t count, int size, int classes);

/* Bands B04 and B03, level NOISE; classes 2 is one output. Free with s2clr_card_free(). */
s2clr_card *textures_card(const char *arch, int width, int size, int classes);

typedef struct train_run {
    const char *folder, *arch;
    int width, size, classes, threads;
    const char *backend; /* NULL: portable */
    s2clr_precision precision;
    s2clr_supervised_settings settings;
    uint64_t val_seed;
    size_t train_count;
    /* changes to what the run is given, after it was made; may be NULL */
    void (*change)(s2clr_card *card, s2clr_samples *train, s2clr_samples *val);
    int stop_epoch;  /* cancel as soon as this epoch is reported; 0: never */
    int stop_report; /* cancel at this report; 0: never */
    int reports;
    double last;
    char message[200];
    s2clr_supervised_result result;
} train_run;

/* resnet18 of width 8 on 16 x 16 pixels, 4 epochs of batches of 16, into test_folder()/folder. */
train_run train_run_new(const char *folder, int threads);

s2clr_status train_run_start(train_run *r);

/* Path of a file in the run's folder (NULL: the folder). Borrowed until the next call. */
const char *train_run_path(const train_run *r, const char *name);
bool train_run_has(const train_run *r, const char *name);
void train_run_sha(const train_run *r, const char *name, char sha[65]);

/* The model and the checkpoint (weights and moments of the last epoch) are equal. */
void train_run_same(const train_run *a, const train_run *b);

/* Lines of log.jsonl; each must be a JSON object with the next epoch, a loss and an AUC. */
int train_run_lines(const train_run *r);

/* The first floats of a tensor in the run's checkpoint; NULL tensor: fails the test. */
void train_run_floats(const train_run *r, const char *name, size_t count, float *out);

#endif
