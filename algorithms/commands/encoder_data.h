/*
 * Patches and card of an encoder that is pretrained, for pretrain and both sweeps.
 *
 *     S2CLR_TRY(s2clr_encoder_data_open(args, "Crop", 1u << S2CLR_SPLIT_TRAIN, pool, progress,
 *                                       &data));
 *     S2CLR_TRY(s2clr_encoder_card(&data, &card));
 *     ... data.parts.train ...
 *     s2clr_encoder_data_close(&data);
 */
#ifndef S2CLR_COMMANDS_ENCODER_DATA_H
#define S2CLR_COMMANDS_ENCODER_DATA_H

#include "commands/dataset_rows.h"
#include "file/model.h"

/* Not to be copied, as its parts are not. */
typedef struct s2clr_encoder_data {
    const s2clr_args *args;
    s2clr_model *parent; /* that --initial names, NULL: none */
    s2clr_store_facts store;
    s2clr_parts parts;
} s2clr_encoder_data;

/* probe: class that the labels of the validation part tell from the others, NULL: see
 * pretrain_data.h. needed: as in s2clr_parts_options. */
s2clr_status s2clr_encoder_data_open(const s2clr_args *args, const char *probe, unsigned needed,
                                     s2clr_pool *pool, const s2clr_progress *progress,
                                     s2clr_encoder_data *out);
void s2clr_encoder_data_close(s2clr_encoder_data *data);

/* The parent's bands, levels, statistics and network where there is one, its projection head too
 * unless --projection was given; else made from options and data. Free with s2clr_card_free(). */
s2clr_status s2clr_encoder_card(const s2clr_encoder_data *data, s2clr_card **out);

#endif
