/*
 * What the names of products and folders tell of place and time.
 *
 *     char date[11], tile[8];
 *     s2clr_product_date("S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_...SAFE", date); //
 * 2022-10-05 s2clr_product_tile(..., tile);                                                   //
 * T29UNU
 */
#ifndef S2CLR_DATASET_PRODUCT_NAMES_H
#define S2CLR_DATASET_PRODUCT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* The first day in `text`, as 20221005 or 2022-10-05, that no other digits touch. */
bool s2clr_product_date(const char *text, char date[11]);

/* The first tile of the Sentinel-2 grid that stands as a word of its own. */
bool s2clr_product_tile(const char *text, char tile[8]);

/* Component `back` of a path from its end (0: the last one), without slashes; false when there are
 * not so many or it does not fit. Names of subdatasets and /vsi prefixes are understood. */
bool s2clr_path_component(const char *path, int back, char *out, size_t size);

#endif
