/*
 * What every recipe asks of a card and samples before it begins.
 *
 *     S2CLR_TRY(s2clr_recipe_check_shape(card, train, "training"));
 *     S2CLR_TRY(s2clr_recipe_find_level(card, settings->level, &level));
 *     S2CLR_TRY(s2clr_recipe_net_new(card, &net));
 */
#ifndef S2CLR_TRAIN_RECIPE_CHECK_H
#define S2CLR_TRAIN_RECIPE_CHECK_H

#include "file/card.h"
#include "net/net.h"
#include "train/samples.h"

/* Bands and patch size; what: of the samples, in the message. */
s2clr_status s2clr_recipe_check_shape(const s2clr_card *card, const s2clr_samples *samples,
                                      const char *what);

/* The card's network, if it can be run on its patches. Free with s2clr_net_free(). */
s2clr_status s2clr_recipe_net_new(const s2clr_card *card, s2clr_net **out);

/* level: of the samples' DN, NULL: nobody said, which is an error. */
s2clr_status s2clr_recipe_find_level(const s2clr_card *card, const char *level,
                                     const s2clr_card_level **out);

#endif
