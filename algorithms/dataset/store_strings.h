/*
 * Texts kept together: each different one once, in few blocks of memory, numbered in the order they
 * came. A million rows share their countries, tiles and class names.
 *
 *     s2clr_strings names = {0};
 *     S2CLR_TRY(s2clr_strings_put(&names, "Portugal", &kept));
 *     ... kept is good until ...
 *     s2clr_strings_clear(&names);
 */
#ifndef S2CLR_DATASET_STORE_STRINGS_H
#define S2CLR_DATASET_STORE_STRINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_strings {
    char **block;
    size_t blocks, block_room, used, room; /* of the last block: bytes */
    const char **text;                     // (count)
    size_t count, text_room;
    size_t *slot; // (slots) number + 1, 0 free
    size_t slots;
} s2clr_strings;

/* Zero-initialised is empty. */
void s2clr_strings_clear(s2clr_strings *strings);
s2clr_status s2clr_strings_put(s2clr_strings *strings, const char *text, const char **out);
/* Number of a text, or -1. */
int64_t s2clr_strings_find(const s2clr_strings *strings, const char *text);
/* A copy in a block, neither numbered nor found. */
s2clr_status s2clr_strings_keep(s2clr_strings *strings, const char *text, const char **out);

#endif
