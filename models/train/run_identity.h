/*
 * What makes two training runs the same run: settings, data, network and preprocessing, as a flat
 * JSON object whose keys appear in messages ("rate", "training samples"). Recipes put their own
 * beside what all of them have:
 *
 *     json_t *root;
 *     S2CLR_TRY(s2clr_run_identity_new(&settings->common, card, level, net, &root));
 *     int failed = json_object_set_new(root, "temperature", json_real(settings->temperature));
 *     failed |= s2clr_run_identity_add_samples(root, "training samples", train);
 *     ... json_decref(root) when failed, else ...
 *     S2CLR_TRY(s2clr_run_identity_text(root, &identity));
 */
#ifndef S2CLR_TRAIN_RUN_IDENTITY_H
#define S2CLR_TRAIN_RUN_IDENTITY_H

#include <jansson.h>

#include "net/net.h"
#include "train/supervised.h"

/* Optimiser, rate, epochs, batch, augmentations, seed; network, level, bands and their statistics
 * (card: mean and std are set). *out is for json_decref() or s2clr_run_identity_text(). */
s2clr_status s2clr_run_identity_new(const s2clr_training *training, const s2clr_card *card,
                                    const s2clr_card_level *level, const s2clr_net *net,
                                    json_t **out);

/* Samples are identified by their names and labels, not by their pixels; numbers by a hash (values
 * NULL: "none"). 0, or -1 when memory ran out or a name is not UTF-8, like jansson's functions. */
int s2clr_run_identity_add_samples(json_t *root, const char *key, const s2clr_samples *samples);
int s2clr_run_identity_add_floats(json_t *root, const char *key, const float *values, size_t count);

/* root is taken, also on failure; *out is freed with s2clr_free(). */
s2clr_status s2clr_run_identity_text(json_t *root, char **out);

/* Of a supervised run. */
s2clr_status s2clr_run_identity(const s2clr_supervised_settings *settings, const s2clr_card *card,
                                const s2clr_card_level *level, const s2clr_net *net,
                                const s2clr_samples *train, const s2clr_samples *val, char **out);

#endif
