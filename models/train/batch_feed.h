/*
 * Training batches: read, to the card's unit, augment, normalise; shared out over the pool.
 *
 *     s2clr_feed *feed;
 *     S2CLR_TRY(s2clr_feed_new(&train, card, level, &recipe, seed, pool, &feed));
 *     s2clr_feed_pair(feed, partner, 0.5); // where there are second dates
 *     const s2clr_feed_part part = {.epoch = epoch, .views = 2, .slot = slot,
 *                                   .index = order + slot, .count = batch};
 *     S2CLR_TRY(s2clr_feed_fill(feed, &part, x));
 *
 * Where the learner takes batches that are on its device, a feed that joined it only reads the
 * patches here; they go up once, and the device makes the views (backend/view_steps.h) with the
 * same bits. The next part can be read meanwhile:
 *
 *     const s2clr_feed_joining joining = {.views = 2, .count = batch, .progress = progress};
 *     S2CLR_TRY(s2clr_feed_join(feed, &machine, learner, &joining));
 *     float *x = s2clr_feed_batch(feed); // NULL: the feed makes batches of the host as before
 *     S2CLR_TRY(s2clr_feed_fill(feed, &part, x));
 *     s2clr_feed_expect(feed, &next);
 *     S2CLR_TRY(s2clr_learner_forward(learner, 0, x, out));
 */
#ifndef S2CLR_TRAIN_BATCH_FEED_H
#define S2CLR_TRAIN_BATCH_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/progress.h"
#include "file/card.h"
#include "train/augment.h"
#include "train/learner.h"
#include "train/samples.h"

typedef struct s2clr_feed s2clr_feed;

/* Views of some samples of an epoch. */
typedef struct s2clr_feed_part {
    uint64_t epoch, slot; /* slot: place of the first one in the epoch, which tells repeated samples
                           * apart */
    int view, views;      /* the first, and how many of each sample: as for s2clr_augment() */
    const size_t *index;  // (count) samples
    size_t count;
} s2clr_feed_part;

/* The recipe is copied, everything else must outlive the feed. Free with s2clr_feed_free(), after
 * the learner that it joined. */
s2clr_status s2clr_feed_new(const s2clr_samples *samples, const s2clr_card *card,
                            const s2clr_card_level *level, const s2clr_augment_recipe *recipe,
                            uint64_t seed, s2clr_pool *pool, s2clr_feed **out);
void s2clr_feed_free(s2clr_feed *feed);

/* From now on view 1 of a sample is, in a share `natural` (0 to 1) of the cases, made of sample
 * partner[index] instead, the same place on another date; partner: (samples) borrowed, -1 where
 * there is none; NULL: never. Chosen by (seed, epoch, slot). */
void s2clr_feed_pair(s2clr_feed *feed, const int *partner, double natural);

/* x: (views, count, C, H, W), all first views before all second ones. One thread at a time. */
s2clr_status s2clr_feed_fill(s2clr_feed *feed, const s2clr_feed_part *part, float *x);

typedef struct s2clr_feed_joining {
    int views;                      /* of each sample of a part, at most */
    size_t count;                   /* samples of a part, at most */
    size_t reserve;                 /* bytes of the device's memory that others will want */
    const s2clr_progress *progress; /* told when there is no room; may be NULL */
} s2clr_feed_joining;

/* Such parts are made on the learner's device from now on, if the device can make views, has room
 * for them and the learner takes them; else nothing changes. After s2clr_feed_pair(). */
s2clr_status s2clr_feed_join(s2clr_feed *feed, const s2clr_machine *on, s2clr_learner *learner,
                             const s2clr_feed_joining *joining);
/* What that takes at most, found without allocating anything; nothing where the device makes no
 * views. partner: as for s2clr_feed_pair(). */
s2clr_status s2clr_feed_needs(const s2clr_samples *samples, const s2clr_augment_recipe *recipe,
                              const int *partner, const s2clr_machine *on,
                              const s2clr_feed_joining *joining, s2clr_learner_bytes *out);
/* Where a feed that joined a learner fills, on the device: (views, count, C, H, W). NULL: it does
 * not. */
float *s2clr_feed_batch(const s2clr_feed *feed);
/* The part that will be filled next, which may be read already; `index` must stay as it is until
 * then. Nothing happens where batches are made on the host. */
void s2clr_feed_expect(s2clr_feed *feed, const s2clr_feed_part *part);

#endif
