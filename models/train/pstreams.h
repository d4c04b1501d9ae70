/*
 * Who draws from which Philox stream of the training seed. Network initialisation has the streams
 * below 2^48 (one per parameter); everything else gets a purpose in the upper 16 bits and the epoch
 * below, so that no two uses ever share a number.
 */
#ifndef S2CLR_TRAIN_PSTREAMS_H
#define S2CLR_TRAIN_PSTREAMS_H

#include <stdint.h>

enum {
    STREAM_ORDER_POSITIVE = 1, /* which positives an epoch takes */
    STREAM_ORDER_NEGATIVE = 2,
    STREAM_ORDER_MIX = 3, /* where in the epoch they come */
    STREAM_SUBSET = 4,    /* the samples that mean and std are measured on */
    STREAM_PARTNER = 5,   /* which pairs are made of two dates */
    STREAM_AUGMENT = 16,  /* + line of the augmentation table, below 32 */
    STREAM_AUGMENT_CHOICE = 48, /* which lines a view draws */
    STREAM_ORDER_CLASS = 112,   /* + label - 2, of which there are at most 126 */
    STREAM_VIEW = 256           /* times the view, on top of the two above: others stay below */
};

static inline uint64_t stream_of(unsigned purpose, uint64_t epoch)
{
    return ((uint64_t)purpose << 48) | (epoch & 0xFFFFFFFFFFFFu);
}

#endif
