/*
 * Training batches: read, to the card's unit, augment, normalise; shared out over the pool.
 *
 *     s2clr_feed *feed;
 *     S2CLR_TRY(s2clr_feed_new(&train, card, level, augment, seed, pool, &feed));
 *     S2CLR_TRY(s2clr_feed_fill(feed, epoch, slot, order + slot, batch, x));
 */
#ifndef S2CLR_TRAIN_BATCH_FEED_H
#define S2CLR_TRAIN_BATCH_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "file/card.h"
#include "train/samples.h"

typedef struct s2clr_feed s2clr_feed;

/* All arguments must outlive the feed. Free with s2clr_feed_free(). */
s2clr_status s2clr_feed_new(const s2clr_samples *samples, const s2clr_card *card,
                            const s2clr_card_level *level, uint32_t augment, uint64_t seed,
                            s2clr_pool *pool, s2clr_feed **out);
void s2clr_feed_free(s2clr_feed *feed);

/* index: (count) samples; slot: place of the first one in the epoch, which tells repeated samples
 * apart. x: (count, C, H, W). One thread at a time. */
s2clr_status s2clr_feed_fill(s2clr_feed *feed, uint64_t epoch, uint64_t slot, const size_t *index,
                             size_t count, float *x);

#endif
