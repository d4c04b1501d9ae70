/*
 * Parts that a store's index records.
 *
 *     if (s2clr_store_has_parts(store)) ...
 *     S2CLR_TRY(s2clr_store_balance("store", 1));     // as many of both labels in each part
 */
#ifndef S2CLR_COMMANDS_STORE_PARTS_H
#define S2CLR_COMMANDS_STORE_PARTS_H

#include <stdbool.h>

#include "dataset/store.h"

bool s2clr_store_has_parts(const s2clr_store *store);

/* Takes the surplus of the more frequent label out of each recorded part. */
s2clr_status s2clr_store_balance(const char *path, uint64_t seed);

#endif
