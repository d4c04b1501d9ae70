/*
 * What the tests of all recipes share: a machine, cards and models of two bands, and what a run
 * left behind.
 *
 *     s2clr_machine m = recipe_rig_machine("portable", S2CLR_F32, 2);
 *     ... s2clr_supervised_run(..., &m, ...) ...
 *     recipe_rig_release(&m);
 *     recipe_rig_same("whole", "resumed");
 */
#ifndef S2CLR_TESTS_RECIPE_RIG_H
#define S2CLR_TESTS_RECIPE_RIG_H

#include "file/model.h"
#include "train/machine.h"

enum { RECIPE_BANDS = 2 };

/* backend NULL: portable; device NULL when it cannot be opened, which is for the test to judge. */
s2clr_machine recipe_rig_machine(const char *backend, s2clr_precision precision, int threads);
void recipe_rig_release(const s2clr_machine *m);

/* Bands B04 and B03, level NOISE, no outputs. Free with s2clr_card_free(). */
s2clr_card *recipe_rig_card(const char *arch, int width, int size);

/* A model of drawn weights in test_folder()/NAME.safetensors; the card is freed. */
s2clr_model *recipe_rig_model(const char *name, s2clr_card *card, uint64_t seed);

/* test_folder()/FOLDER/NAME (NULL: the folder). Borrowed until the next call. */
const char *recipe_rig_path(const char *folder, const char *name);
void recipe_rig_sha(const char *folder, const char *name, char sha[65]);

/* Model and checkpoint (weights and moments of the last epoch) of two runs are equal. */
void recipe_rig_same(const char *a, const char *b);

#endif
