/*
 * Labels per split and group of a store: which country, tile or year lies where.
 *
 *     s2clr_split_group *groups;
 *     size_t count;
 *     S2CLR_TRY(s2clr_split_groups(store, split, "country", &groups, &count));
 *     ... groups[i].name, groups[i].positives[2] ...          // of the test part
 *     s2clr_free(groups);
 */
#ifndef S2CLR_DATASET_SPLIT_GROUPS_H
#define S2CLR_DATASET_SPLIT_GROUPS_H

#include "dataset/store.h"

typedef struct s2clr_split_group {
    char name[64]; /* "" unknown */
    /* train, validation, test, left out */
    size_t patches[4], positives[4], negatives[4];
} s2clr_split_group;

/* by: "country", "tile" or "year". split: (count) or NULL for the store's own column. Groups come
 * sorted by name; free *out with s2clr_free(). */
s2clr_status s2clr_split_groups(const s2clr_store *store, const char *const *split, const char *by,
                                s2clr_split_group **out, size_t *count);

#endif
