/*
 * Private to the feed: batch_feed.c makes batches on the host, feed_device.c on a device.
 */
#ifndef S2CLR_TRAIN_PFEED_H
#define S2CLR_TRAIN_PFEED_H

#include "train/batch_feed.h"

struct feed_device;

/* What one thread of the pool makes a view with. */
typedef struct feed_worker {
    float *patch;          // (C, H, W)
    float *scratch;        // s2clr_view_scratch()
    s2clr_view_list *list; /* of one view */
} feed_worker;

struct s2clr_feed {
    const s2clr_samples *samples;
    const s2clr_card *card;
    const s2clr_card_level *level;
    s2clr_pool *pool;
    s2clr_augment_recipe recipe;
    uint64_t seed;
    const int *partner; // (samples) or NULL
    double natural;
    size_t pixels, values;      /* of a patch */
    feed_worker *worker;        // (threads of the pool)
    struct feed_device *device; /* NULL: batches are made on the host */
    /* the part being filled */
    const s2clr_feed_part *part;
    float *x;
};

/* The sample that a view of an item of the part is made of. */
size_t s2clr_feed_source(const s2clr_feed *feed, const s2clr_feed_part *part, size_t item,
                         int view);
/* A sample in the card's unit. */
s2clr_status s2clr_feed_read(const s2clr_feed *feed, size_t sample, float *patch);
/* Steps of a view, normalisation included, of a patch of the list; room for
 * s2clr_feed_steps() steps. */
size_t s2clr_feed_steps(const s2clr_feed *feed);
s2clr_status s2clr_feed_plan(const s2clr_feed *feed, const s2clr_feed_part *part, size_t item,
                             int view, size_t patch, s2clr_view_list *list);

/* ---- feed_device.c ---- */

void s2clr_feed_device_free(struct feed_device *device);
s2clr_status s2clr_feed_device_fill(s2clr_feed *feed, const s2clr_feed_part *part, float *x);

#endif
