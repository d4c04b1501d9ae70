/*
 * What pretraining takes from the parts of a data set: second dates, and patches for the probe.
 */
#ifndef S2CLR_COMMANDS_PRETRAIN_DATA_H
#define S2CLR_COMMANDS_PRETRAIN_DATA_H

#include "commands/dataset_rows.h"
#include "train/pretrain.h"

/* *partner: (train.count) index in the training part of another date of the same place, -1 none;
 * NULL when no patch has one. *with: how many have. Free with s2clr_free(). */
s2clr_status s2clr_pretrain_partners(const s2clr_parts *parts, int **partner, size_t *with);

/* The validation part, labelled by `positive` (NULL: images by their class, patches of a store by
 * its label column, or by class where that says one thing only). *out borrows from parts and has
 * count 0 when there are not two kinds of labels. */
void s2clr_pretrain_probe(const s2clr_parts *parts, const char *positive, s2clr_samples *out);

/* Chunk and micro-batch for the batch; 0: chosen. */
void s2clr_pretrain_fit(s2clr_pretrain_settings *settings, int chunk, int micro);

#endif
