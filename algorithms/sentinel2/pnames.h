/* What file and folder names tell: words, processing level, processing baseline. Private. */
#ifndef S2CLR_SENTINEL2_PNAMES_H
#define S2CLR_SENTINEL2_PNAMES_H

#include <stdbool.h>
#include <stddef.h>

/* True when `text` begins with `prefix` / ends with `suffix`, in any case. */
bool s2clr_name_starts(const char *text, const char *prefix);
bool s2clr_name_ends(const char *text, const char *suffix);

/* The part behind the last slash, trailing slashes ignored, cut at `size`. */
void s2clr_name_last(const char *path, char *out, size_t size);

/* True when `word` stands in `text` between characters that are neither letters nor digits. */
bool s2clr_name_has_word(const char *text, const char *word);

/* The level ("L1C", "L2A") of the innermost path component that names exactly one, which is copied
 * to `component`; NULL when none does. */
const char *s2clr_name_level(const char *path, char *component, size_t size);

/* "04.00" out of a component like "S2A_MSIL2A_20221005T115411_N0400_R023_...": true when found. */
bool s2clr_name_baseline(const char *path, char out[16]);

/* 10 for "..._B02_10m.jp2" and for subdatasets "SENTINEL2_L2A:...:10m:EPSG_32629", else 0. */
int s2clr_name_metres(const char *path);

#endif
