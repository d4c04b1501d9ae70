/*
 * Samples: where training and evaluation get their patches from. models/ knows numbers only;
 * readers of files implement this.
 *
 * A patch is delivered in DN as stored; the card's level says what they mean. Thread-safe: many
 * workers read at once.
 */
#ifndef S2CLR_TRAIN_SAMPLES_H
#define S2CLR_TRAIN_SAMPLES_H

#include <stddef.h>

#include "base/status.h"

typedef struct s2clr_samples {
    void *self;
    size_t count;
    int channels, size; /* every patch is (channels, size, size) */
    const char *const *names; // (count) stable identification ("PermanentCrop/PermanentCrop_7.jpg")
    const int *labels;        // (count) 0 or 1 (1 = positive), or a class below K; -1: unknown;
                              // NULL: nothing is labelled
    const int *groups;        // (count) class index for per-group reports, NULL if none
    const char *const *group_names;
    int group_count;
    /* Writes channels*size*size floats. */
    s2clr_status (*read)(void *self, size_t index, float *dn);
    void (*free)(void *self);
} s2clr_samples;

#endif
