/*
 * The order in which an epoch takes its samples, from (seed, epoch) alone.
 *
 *     s2clr_sampler *sampler;
 *     S2CLR_TRY(s2clr_sampler_new(labels, 2, count, 64, 1.0, seed, &sampler));
 *     const size_t *order = s2clr_sampler_order(sampler, epoch); // (steps, batch) sample indices
 *
 * Every batch is full: an epoch has floor(count / batch) batches and drops what is left over (other
 * samples each epoch); when there are fewer samples than one batch, the batch repeats some.
 *
 * balance 0 takes each of K labels in its natural share q, 1 in equal shares, between:
 * (1 - balance) q + balance / K. Within an epoch a label's samples are all used k times before any
 * is used k + 1 times.
 */
#ifndef S2CLR_TRAIN_SAMPLER_H
#define S2CLR_TRAIN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_sampler s2clr_sampler;

#define S2CLR_SAMPLER_LABELS_MAX 128

/* labels: (count) below `classes`, every one of them present; or classes 1 and labels NULL: samples
 * without labels, whose balance does nothing. Free with s2clr_sampler_free(). */
s2clr_status s2clr_sampler_new(const int *labels, int classes, size_t count, size_t batch,
                               double balance, uint64_t seed, s2clr_sampler **out);
void s2clr_sampler_free(s2clr_sampler *sampler);

size_t s2clr_sampler_steps(const s2clr_sampler *sampler); /* batches per epoch */
/* Share of the slots of an epoch that a label has. */
double s2clr_sampler_share(const s2clr_sampler *sampler, int label);

/* Borrowed until the next call. One thread at a time. */
const size_t *s2clr_sampler_order(s2clr_sampler *sampler, uint64_t epoch); // (steps * batch)

/* Fisher-Yates on items with the numbers first, first + 1, ... of (seed, stream). */
void s2clr_sampler_shuffle(uint64_t seed, uint64_t stream, uint64_t first, size_t count,
                           size_t *items);

#endif
