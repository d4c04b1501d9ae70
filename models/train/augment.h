/*
 * Augmentations of one patch, drawn from counters: the same (seed, epoch, sample) always gives the
 * same view, whoever computes it.
 *
 *     s2clr_augment(S2CLR_AUGMENT_FLIP | S2CLR_AUGMENT_ROT90, seed, epoch, index, shape, x, y);
 *
 * The table of augmentations is in augment.c: one function and one line each.
 */
#ifndef S2CLR_TRAIN_AUGMENT_H
#define S2CLR_TRAIN_AUGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum s2clr_augment_flag {
    S2CLR_AUGMENT_FLIP = 1u << 0,  /* horizontal and vertical, each with probability 1/2 */
    S2CLR_AUGMENT_ROT90 = 1u << 1, /* a quarter turn with probability 1/2 (with flips: all 8) */
    S2CLR_AUGMENT_SHIFT = 1u << 2, /* by up to 10 % of the size; the border is reflected */
    S2CLR_AUGMENT_BLUR = 1u << 3,  /* 3x3 binomial of random strength, probability 1/2 */
    S2CLR_AUGMENT_GAIN = 1u << 4   /* one factor in [0.8, 1.25] for all bands, before normalising */
} s2clr_augment_flag;

/* The random numbers of one augmentation of one view. */
typedef struct s2clr_augment_draws {
    uint64_t seed, stream, sample;
} s2clr_augment_draws;

typedef struct s2clr_augment_entry {
    const char *name; /* word on the command line: "flip" */
    uint32_t flag;
    const char *summary;
    /* Changes one band, (size, size), in place; every band of a view gets the same draws. scratch:
     * (size, size). NaN marks invalid pixels and travels with them. */
    void (*run)(const s2clr_augment_draws *draws, int size, float *plane, float *scratch);
} s2clr_augment_entry;

size_t s2clr_augment_list(const s2clr_augment_entry **out);

/* "flip,rot90,shift" or "none" to flags; S2CLR_ERR_ARGUMENT names the unknown word. */
s2clr_status s2clr_augment_parse(const char *words, uint32_t *flags);

/* Applies the entries of `flags` in the order of the table. sample: what tells views of one epoch
 * apart (training passes the place in the epoch, so a patch that is drawn twice is seen in two
 * ways). x, y: (channels, size, size) in the card's unit (before mean/std); x is not changed, x !=
 * y. */
s2clr_status s2clr_augment(uint32_t flags, uint64_t seed, uint64_t epoch, uint64_t sample,
                           int channels, int size, const float *x, float *y);

#endif
