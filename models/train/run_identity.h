/*
 * What makes two training runs the same run: settings, data, network, preprocessing and machine, as
 * a flat JSON object whose keys appear in messages ("rate", "training samples"). Recipes put their
 * own beside what all of them have:
 *
 *     int failed;
 *     json_t *root = s2clr_run_identity_new(&settings->common, card, level, net, &failed);
 *     failed |= s2clr_run_identity_add_machine(root, machine);
 *     failed |= json_object_set_new(root, "temperature", json_real(settings->temperature));
 *     failed |= s2clr_run_identity_add_samples(root, "training samples", train);
 *     return s2clr_run_identity_text(root, failed, &identity);
 *
 * Functions that add return 0, or -1 when memory ran out, a number is not finite or a name is not
 * UTF-8, like jansson's.
 */
#ifndef S2CLR_TRAIN_RUN_IDENTITY_H
#define S2CLR_TRAIN_RUN_IDENTITY_H

#include <jansson.h>

#include "file/card.h"
#include "net/net.h"
#include "train/learner.h"
#include "train/samples.h"
#include "train/training.h"

/* Optimiser, rate, epochs, batch, augmentations, seed; network, level, bands and their statistics
 * (card: mean and std are set). */
json_t *s2clr_run_identity_new(const s2clr_training *training, const s2clr_card *card,
                               const s2clr_card_level *level, const s2clr_net *net, int *failed);

/* Backend, precision and number of devices: another one gives other bits. Which machine,
 * instruction set and version of the library it is, is not part of it: a run may move, or outlive
 * an update. */
int s2clr_run_identity_add_machine(json_t *root, const s2clr_machine *on);

/* That the weights are kept on the host because the device had no room for them, which gives other
 * bits as well; nothing for any other learner. */
int s2clr_run_identity_add_learner(json_t *root, const s2clr_learner *learner);

/* Samples are identified by their names and labels, not by their pixels; numbers by a hash (values
 * NULL: "none"). */
int s2clr_run_identity_add_samples(json_t *root, const char *key, const s2clr_samples *samples);
int s2clr_run_identity_add_floats(json_t *root, const char *key, const float *values, size_t count);

/* root is taken, also on failure, and when `failed` says that something could not be added; *out
 * is freed with s2clr_free(). */
s2clr_status s2clr_run_identity_text(json_t *root, int failed, char **out);

#endif
