/*
 * What makes two training runs the same run: settings, data, network and preprocessing, as a flat
 * JSON object whose keys appear in messages ("rate", "training samples").
 */
#ifndef S2CLR_TRAIN_RUN_IDENTITY_H
#define S2CLR_TRAIN_RUN_IDENTITY_H

#include "net/net.h"
#include "train/supervised.h"

/* Samples are identified by their names and labels, not by their pixels. card: mean and std are
 * set. *out is freed with s2clr_free(). */
s2clr_status s2clr_run_identity(const s2clr_supervised_settings *settings, const s2clr_card *card,
                                const s2clr_card_level *level, const s2clr_arch *arch,
                                const s2clr_samples *train, const s2clr_samples *val, char **out);

#endif
