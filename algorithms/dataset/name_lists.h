/*
 * Lists of patch names that say what is taken, left out, and which split it belongs to.
 *
 *     s2clr_name_lists *lists;
 *     S2CLR_TRY(s2clr_name_lists_open(options, &lists));
 *     if (s2clr_name_lists_take(lists, name, &split)) ...
 *     S2CLR_TRY(s2clr_name_lists_missing(lists, options));   // names that never came
 *     s2clr_name_lists_free(lists);
 *
 * A file has one name per line; of a CSV the first column counts. Empty lines and a heading
 * ("name", "patch", "patch_name", "patch_id") are passed over. "train=FILE", "validation=FILE"
 * (also "val=") and "test=FILE" give the split as well.
 */
#ifndef S2CLR_DATASET_NAME_LISTS_H
#define S2CLR_DATASET_NAME_LISTS_H

#include "dataset/import.h"

typedef struct s2clr_name_lists s2clr_name_lists;

/* Fails when a file cannot be read, is empty, or when a name is in two splits. */
s2clr_status s2clr_name_lists_open(const s2clr_import_options *options, s2clr_name_lists **out);
void s2clr_name_lists_free(s2clr_name_lists *lists);

/* Whether a patch of that name is wanted; *split is its split, "" when no list gives one. Remembers
 * that the name was there. */
bool s2clr_name_lists_take(s2clr_name_lists *lists, const char *name, const char **split);

/* Each name of the lists (not of those that exclude) that was never asked for is a skip. */
s2clr_status s2clr_name_lists_missing(const s2clr_name_lists *lists,
                                      const s2clr_import_options *options);

#endif
