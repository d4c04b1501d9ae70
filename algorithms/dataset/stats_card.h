/*
 * Statistics as the part of a card that a training starts from: bands, mean, std and the level.
 *
 *     S2CLR_TRY(s2clr_stats_card(stats, "store", NULL, "card.json"));   // supervised --card
 */
#ifndef S2CLR_DATASET_STATS_CARD_H
#define S2CLR_DATASET_STATS_CARD_H

#include "dataset/stats.h"

/* bands: "B04,B03,B02", NULL: all of the store but SCL. Numbers are in reflectance where the store
 * has a scale for them, else in DN (8 bits). Replaces the file whole or not at all. */
s2clr_status s2clr_stats_card(const s2clr_stats *stats, const char *store, const char *bands,
                              const char *path);

#endif
