/*
 * The options that say which patches of a data set are used, shared by supervised, evaluate and
 * topk, and the parts opened from them.
 *
 *     s2clr_parts parts;
 *     S2CLR_TRY(s2clr_parts_open(args, &options, pool, &progress, &parts));
 *     ... parts.train, parts.validation, parts.test ...
 *     s2clr_parts_close(&parts);
 */
#ifndef S2CLR_COMMANDS_DATASET_ROWS_H
#define S2CLR_COMMANDS_DATASET_ROWS_H

#include "base/pool.h"
#include "base/progress.h"
#include "commands/params.h"
#include "dataset/images.h"
#include "file/card.h"

#define S2CLR_ROWS_PARTS                                                                           \
    {"image-bands",                                                                                \
     NULL,                                                                                         \
     S2CLR_TYPE_TEXT,                                                                              \
     .meta = "LIST",                                                                               \
     .advanced = true,                                                                             \
     .group = "Data",                                                                              \
     .help = "Bands to use: of images by number (\"3,2,1\"), without it all in file order; of a "  \
             "store by name (\"B04,B03,B02\"), without it those of the card, else all but SCL."},  \
        {"test-share",                                                                             \
         NULL,                                                                                     \
         S2CLR_TYPE_REAL,                                                                          \
         .meta = "SHARE",                                                                          \
         .standard = "0.2",                                                                        \
         .minimum = 0,                                                                             \
         .maximum = 1,                                                                             \
         .group = "Data",                                                                          \
         .help =                                                                                   \
             "Share held out for the test, chosen by a hash of each name: the same patches every " \
             "time, also when others are added. A store with parts of its own keeps those."},      \
    {                                                                                              \
        "validation-share", NULL, S2CLR_TYPE_REAL,                                                 \
            .meta = "SHARE", .standard = "0.1", .minimum = 0, .maximum = 1, .group = "Data",       \
            .help = "Share for validation, chosen likewise: training with labels takes epoch and " \
                    "threshold from it, pretraining looks at its neighbours. 0: none; then the "   \
                    "last epoch and a threshold of 1/2, or a teacher's, are taken."                \
    }

#define S2CLR_ROWS_DATASET                                                                         \
    {"dataset",                                                                                    \
     NULL,                                                                                         \
     S2CLR_TYPE_INPUT,                                                                             \
     .positional = true,                                                                           \
     .required = true,                                                                             \
     .label = "Data set (store, folder or zip of images)",                                         \
     .takes = "folder,file",                                                                       \
     .suffixes = "zip",                                                                            \
     .group = "Data",                                                                              \
     .help = "A store that \"s2clr dataset\" made, or a folder or zip of images, one folder per "  \
             "class (CLASS/NAME.jpg, png or tif)."},                                               \
        S2CLR_ROWS_PARTS

/* The parts point into it: not to be copied. */
typedef struct s2clr_parts {
    s2clr_samples all, train, validation, test;
    s2clr_samples recorded; /* training part of a store's index, before the fraction is taken; for
                               pretraining, all that is labelled */
    bool store;             /* `all` comes from one */
    bool as_recorded;       /* the parts are those of its index */
    char level[S2CLR_CARD_WORD]; /* of a store's patches, "" unknown */
} s2clr_parts;

typedef struct s2clr_parts_options {
    const char *positive; /* classes that are label 1; NULL: the label column of a store */
    unsigned needed;      /* bits 1 << S2CLR_SPLIT_...: an empty part is an error for those, count 0
                             for others */
    double fraction;      /* of the training part (see images.h) */
    uint64_t choice;      /* which samples that fraction takes (likewise) */
    bool pretraining;     /* of a store, the training part is all that is in no other part,
                             labelled or not; the fraction is not used */
    bool teaching;        /* likewise, and patches of unknown label (-1) are in the validation part
                             too when it has no others */
    bool classes;         /* labels of images are their classes, by index */
    const s2clr_card *card; /* says bands and patch size of a store; images need none */
} s2clr_parts_options;

s2clr_status s2clr_parts_open(const s2clr_args *args, const s2clr_parts_options *options,
                              s2clr_pool *pool, const s2clr_progress *progress, s2clr_parts *out);
void s2clr_parts_close(s2clr_parts *parts);

/* What a store says of itself to who makes a card for it. */
typedef struct s2clr_store_facts {
    bool store;      /* false: the data set is none, and the rest is not set */
    char bands[256]; /* --image-bands, else those of `wanted`, else all but SCL: "B04,B03,B02" */
    int channels, patch;
    double metres; /* 0 unknown */
    char level[S2CLR_CARD_WORD];
} s2clr_store_facts;

/* wanted: bands of a partial card, NULL: it names none. */
s2clr_status s2clr_store_facts_get(const s2clr_args *args, const char *wanted,
                                   s2clr_store_facts *out);

/* The level that samples are in: `asked` if any, a store's own if the card has it (or the card has
 * one level only and the store does not know), else `standard`. */
s2clr_status s2clr_parts_level(const s2clr_parts *parts, const s2clr_card *card, const char *asked,
                               const char *standard, const char **out);

/* Says on standard error, unless --quiet, when a store has no parts of its own. */
void s2clr_parts_note(const s2clr_args *args, const s2clr_parts *parts);

size_t s2clr_samples_positives(const s2clr_samples *samples);

#endif
