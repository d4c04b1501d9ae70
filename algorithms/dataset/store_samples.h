/*
 * Patches of a store as samples: the bands of a card, brought to its patch size.
 *
 *     s2clr_store_samples_options options = {.split = "train"};
 *     S2CLR_TRY(s2clr_store_samples_open("store", card, &options, &samples));
 *     ... samples.read(samples.self, i, dn) ...      // any thread
 *     samples.free(samples.self);
 *
 * Delivered are DN + dn_offset of the patch as floats, NaN where the DN is the nodata value of the
 * card's level or not finite. Coarser bands are resampled to the patch size as the card says,
 * with the resampler of predictions (sentinel2/resample.h). Pixels stay in the mapped file until
 * they are asked for; a reading thread has one cursor and buffers for one band.
 */
#ifndef S2CLR_DATASET_STORE_SAMPLES_H
#define S2CLR_DATASET_STORE_SAMPLES_H

#include <stdbool.h>

#include "file/card.h"
#include "train/samples.h"

typedef struct s2clr_store_samples_options {
    const char *split;    /* "train", "validation", "test"; NULL: all patches, "": the undecided */
    const char *positive; /* comma-separated class names that are label 1, patches with other names
                             only are 0, without any name unknown; NULL: the label column */
    const char *level;    /* only patches of this level; NULL: all, who must then have the same */
    const char *group;    /* "labels", "country", "tile": groups for reports; NULL: none */
    bool unlabelled;      /* patches of unknown label too, as label -1 */
    bool undecided;       /* with `split`: patches that belong to no part as well */
} s2clr_store_samples_options;

/* In the order of the index. Free with out->free(out->self). */
s2clr_status s2clr_store_samples_open(const char *path, const s2clr_card *card,
                                      const s2clr_store_samples_options *options,
                                      s2clr_samples *out);

/* What the index says of a sample. Borrowed. */
const struct s2clr_store_row *s2clr_store_samples_row(const s2clr_samples *samples, size_t index);

/* The level of these patches as the store has it, "" unknown. Borrowed. */
const char *s2clr_store_samples_level(const s2clr_samples *samples);

#endif
