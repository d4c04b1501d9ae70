/*
 * Image-class folders and zips: CLASS/NAME.jpg|png|tif, one folder per class (EuroSAT's layout),
 * as samples. Pixels are kept in memory in their own type.
 *
 *     s2clr_images_options options = {.positive = "PermanentCrop"};
 *     S2CLR_TRY(s2clr_images_open("eurosat_rgb.zip", &options, pool, &progress, &samples));
 *     s2clr_samples train, test; ... s2clr_samples_split() ...
 */
#ifndef S2CLR_DATASET_IMAGES_H
#define S2CLR_DATASET_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/progress.h"
#include "train/samples.h"

typedef struct s2clr_images_options {
    const char *positive; /* comma-separated class names that are label 1; the rest are 0 */
    const char *bands;    /* NULL: all, in file order; else "1,2,3" */
} s2clr_images_options;

/* Opens a folder or zip. Names are CLASS/NAME, sorted bytewise; all images must have one square
 * size and one number of bands. Free with out->free(out->self). */
s2clr_status s2clr_images_open(const char *path, const s2clr_images_options *options,
                               s2clr_pool *pool, const s2clr_progress *progress,
                               s2clr_samples *out);

/* True when `path` looks like such a folder or zip. */
bool s2clr_images_identify(const char *path);

typedef enum s2clr_split_part {
    S2CLR_SPLIT_TRAIN,
    S2CLR_SPLIT_VALIDATION,
    S2CLR_SPLIT_TEST
} s2clr_split_part;

/* The part of a sample: u = first 8 bytes (big-endian) of SHA-256(file name without folder) / 2^64;
 * u < test: TEST; u < test + validation: VALIDATION; else TRAIN. So a file never changes sides
 * when files are added. */
s2clr_split_part s2clr_split_of(const char *name, double test, double validation);

/* A view on the samples of one part (and, when fraction < 1, on the first ceil(fraction * n) per
 * label in hash order; another `choice` than 0 is another order, and larger fractions hold the
 * smaller ones in each). The parent must outlive it. */
s2clr_status s2clr_samples_part(const s2clr_samples *parent, s2clr_split_part part, double test,
                                double validation, double fraction, uint64_t choice,
                                s2clr_samples *out);

#endif
