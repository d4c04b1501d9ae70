/*
 * Class-balanced under-sampling, as the published sets had it: as many positive as negative patches
 * in each part of a split.
 *
 *     S2CLR_TRY(s2clr_split_assign(store, &plan, split));
 *     S2CLR_TRY(s2clr_split_balance(store, seed, split));
 */
#ifndef S2CLR_DATASET_BALANCE_H
#define S2CLR_DATASET_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataset/store.h"

/* split: (count) parts before; afterwards "" for patches of unknown label and for those of the more
 * frequent label that come last by the SHA-256 of their names and the seed. A part that has patches
 * and lacks one of the labels is an error; nothing is changed then. */
s2clr_status s2clr_split_balance(const s2clr_store *store, uint64_t seed, const char **split);

/* The same for any list: keep[i] says whether item i stays. labels: 1, 0, or -1 for unknown, which
 * never stays. `what` names the list in the message. */
s2clr_status s2clr_names_balance(const char *const *names, const int *labels, size_t count,
                                 uint64_t seed, const char *what, bool *keep);

#endif
