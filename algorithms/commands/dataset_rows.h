/*
 * The options that say which patches of a data set are used, shared by supervised and evaluate, and
 * the parts opened from them.
 *
 *     s2clr_parts parts;
 *     S2CLR_TRY(s2clr_parts_open(args, "PermanentCrop", 1u << S2CLR_SPLIT_TEST, 1, pool,
 *                                &progress, &parts));
 *     ... parts.train, parts.validation, parts.test ...
 *     s2clr_parts_close(&parts);
 */
#ifndef S2CLR_COMMANDS_DATASET_ROWS_H
#define S2CLR_COMMANDS_DATASET_ROWS_H

#include "base/pool.h"
#include "base/progress.h"
#include "commands/params.h"
#include "dataset/images.h"

#define S2CLR_ROWS_DATASET                                                                         \
    {"dataset",                                                                                    \
     NULL,                                                                                         \
     S2CLR_TYPE_INPUT,                                                                             \
     .positional = true,                                                                           \
     .required = true,                                                                             \
     .group = "Data",                                                                              \
     .help = "Folder or zip of images, one folder per class (CLASS/NAME.jpg, png or tif)."},       \
        {"image-bands",                                                                            \
         NULL,                                                                                     \
         S2CLR_TYPE_TEXT,                                                                          \
         .meta = "LIST",                                                                           \
         .advanced = true,                                                                         \
         .group = "Data",                                                                          \
         .help =                                                                                   \
             "Bands of the images to use, by number (\"3,2,1\"); without it, all in file order."}, \
        {"test-share",                                                                             \
         NULL,                                                                                     \
         S2CLR_TYPE_REAL,                                                                          \
         .meta = "SHARE",                                                                          \
         .standard = "0.2",                                                                        \
         .minimum = 0,                                                                             \
         .maximum = 1,                                                                             \
         .group = "Data",                                                                          \
         .help =                                                                                   \
             "Share held out for the test, chosen by a hash of each file's name: the same files "  \
             "every time, also when others are added."},                                           \
    {                                                                                              \
        "validation-share", NULL, S2CLR_TYPE_REAL,                                                 \
            .meta = "SHARE", .standard = "0.1", .minimum = 0, .maximum = 1, .group = "Data",       \
            .help = "Share for choosing the epoch and the threshold, chosen likewise."             \
    }

/* The parts point into it: not to be copied. */
typedef struct s2clr_parts {
    s2clr_samples all, train, validation, test;
} s2clr_parts;

/* needed: bits 1 << S2CLR_SPLIT_...: an empty part is an error for those, count 0 for others.
 * fraction: of the training part (see images.h). */
s2clr_status s2clr_parts_open(const s2clr_args *args, const char *positive, unsigned needed,
                              double fraction, s2clr_pool *pool, const s2clr_progress *progress,
                              s2clr_parts *out);
void s2clr_parts_close(s2clr_parts *parts);

size_t s2clr_samples_positives(const s2clr_samples *samples);

#endif
