/*
 * Training batches: read, to the card's unit, augment, normalise; shared out over the pool.
 *
 *     s2clr_feed *feed;
 *     S2CLR_TRY(s2clr_feed_new(&train, card, level, &recipe, seed, pool, &feed));
 *     s2clr_feed_pair(feed, partner, 0.5);                           // where there are second
 * dates S2CLR_TRY(s2clr_feed_fill(feed, epoch, 0, slot, order + slot, batch, x));
 *     S2CLR_TRY(s2clr_feed_fill(feed, epoch, 1, slot, order + slot, batch, x + batch * values));
 */
#ifndef S2CLR_TRAIN_BATCH_FEED_H
#define S2CLR_TRAIN_BATCH_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "file/card.h"
#include "train/augment.h"
#include "train/samples.h"

typedef struct s2clr_feed s2clr_feed;

/* The recipe is copied, everything else must outlive the feed. Free with s2clr_feed_free(). */
s2clr_status s2clr_feed_new(const s2clr_samples *samples, const s2clr_card *card,
                            const s2clr_card_level *level, const s2clr_augment_recipe *recipe,
                            uint64_t seed, s2clr_pool *pool, s2clr_feed **out);
void s2clr_feed_free(s2clr_feed *feed);

/* From now on view 1 of a sample is, in a share `natural` (0 to 1) of the cases, made of sample
 * partner[index] instead, the same place on another date; partner: (samples) borrowed, -1 where
 * there is none; NULL: never. Chosen by (seed, epoch, slot). */
void s2clr_feed_pair(s2clr_feed *feed, const int *partner, double natural);

/* view: as for s2clr_augment(); index: (count) samples; slot: place of the first one in the epoch,
 * which tells repeated samples apart. x: (count, C, H, W). One thread at a time. */
s2clr_status s2clr_feed_fill(s2clr_feed *feed, uint64_t epoch, int view, uint64_t slot,
                             const size_t *index, size_t count, float *x);

#endif
