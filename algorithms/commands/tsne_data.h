/*
 * The patches that a map shows, and their classes.
 *
 *     s2clr_tsne_data data;
 *     S2CLR_TRY(s2clr_tsne_data_open(args, card, pool, progress, &data));
 *     ... data.chosen, data.class_of[i], data.class[c].name ...
 *     s2clr_tsne_data_close(&data);
 */
#ifndef S2CLR_COMMANDS_TSNE_DATA_H
#define S2CLR_COMMANDS_TSNE_DATA_H

#include "base/pool.h"
#include "base/progress.h"
#include "commands/params.h"
#include "file/card.h"
#include "report/tsne_map.h"
#include "train/samples.h"

/* Classes told apart on a map; the rarer ones beyond become one. */
enum { S2CLR_TSNE_CLASSES = 24 };

/* The views point into it: not to be copied. */
typedef struct s2clr_tsne_data {
    s2clr_samples all, part, chosen; /* each a view on the one before */
    const char *part_name, *by, *level;
    size_t part_count;
    int *class_all;      // (all.count) index into `class`
    const int *class_of; // (chosen.count) likewise
    s2clr_tsne_class class[S2CLR_TSNE_CLASSES];
    int classes;
    char others[48], store_level[S2CLR_CARD_WORD];
} s2clr_tsne_data;

/* Reads --part, --test-share, --validation-share, --image-bands, --by, --positive, --level and
 * --max-samples. */
s2clr_status s2clr_tsne_data_open(const s2clr_args *args, const s2clr_card *card, s2clr_pool *pool,
                                  const s2clr_progress *progress, s2clr_tsne_data *out);
void s2clr_tsne_data_close(s2clr_tsne_data *data);

#endif
