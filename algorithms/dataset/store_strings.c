/* Texts of an index in memory: a million rows share their countries, tiles and class names. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/store_strings.h"

enum { BLOCK_BYTES = 1 << 16, FIRST_SLOTS = 64 };

void s2clr_strings_clear(s2clr_strings *strings)
{
    for (size_t i = 0; i < strings->blocks; i++) s2clr_free(strings->block[i]);
    s2clr_free(strings->block);
    s2clr_free(strings->text);
    s2clr_free(strings->slot);
    *strings = (s2clr_strings){0};
}

/* Room for one element more. */
static s2clr_status grow(void **array, size_t count, size_t *room, size_t size)
{
    void *larger;
    size_t wanted;
    if (count < *room) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul(*room ? *room : 8, 2, &wanted));
    S2CLR_TRY(s2clr_alloc(wanted, size, "texts of a store", &larger));
    if (count) memcpy(larger, *array, count * size);
    s2clr_free(*array);
    *array = larger;
    *room = wanted;
    return S2CLR_OK;
}

s2clr_status s2clr_strings_keep(s2clr_strings *strings, const char *text, const char **out)
{
    const size_t bytes = strlen(text) + 1;
    if (!strings->blocks || bytes > strings->room - strings->used) {
        const size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        char *block;
        S2CLR_TRY(grow((void **)&strings->block, strings->blocks, &strings->block_room,
                       sizeof *strings->block));
        S2CLR_TRY(s2clr_alloc(room, 1, "texts of a store", (void **)&block));
        strings->block[strings->blocks++] = block;
        strings->used = 0;
        strings->room = room;
    }
    char *copy = strings->block[strings->blocks - 1] + strings->used;
    memcpy(copy, text, bytes);
    strings->used += bytes;
    *out = copy;
    return S2CLR_OK;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static size_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

/* The slot that holds the text, or the free one where it belongs. */
static size_t slot_of(const s2clr_strings *strings, const char *text)
{
    const size_t mask = strings->slots - 1;
    size_t i = hash(text) & mask;
    while (strings->slot[i] && strcmp(strings->text[strings->slot[i] - 1], text) != 0)
        i = (i + 1) & mask;
    return i;
}

/* At most half of the slots are taken, so that a search ends soon. */
static s2clr_status widen(s2clr_strings *strings)
{
    size_t slots;
    if (strings->count < strings->slots / 2) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul(strings->slots ? strings->slots : FIRST_SLOTS / 2, 2, &slots));
    size_t *slot;
    S2CLR_TRY(s2clr_alloc(slots, sizeof *slot, "texts of a store", (void **)&slot));
    s2clr_free(strings->slot);
    strings->slot = slot;
    strings->slots = slots;
    for (size_t i = 0; i < strings->count; i++) slot[slot_of(strings, strings->text[i])] = i + 1;
    return S2CLR_OK;
}

s2clr_status s2clr_strings_put(s2clr_strings *strings, const char *text, const char **out)
{
    const char *copy;
    S2CLR_TRY(widen(strings));
    const size_t slot = slot_of(strings, text);
    if (strings->slot[slot]) {
        *out = strings->text[strings->slot[slot] - 1];
        return S2CLR_OK;
    }
    S2CLR_TRY(
        grow((void **)&strings->text, strings->count, &strings->text_room, sizeof *strings->text));
    S2CLR_TRY(s2clr_strings_keep(strings, text, &copy));
    strings->text[strings->count++] = copy;
    strings->slot[slot] = strings->count;
    *out = copy;
    return S2CLR_OK;
}

int64_t s2clr_strings_find(const s2clr_strings *strings, const char *text)
{
    if (!strings->slots) return -1;
    return (int64_t)strings->slot[slot_of(strings, text)] - 1;
}
