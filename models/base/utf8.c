#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* Table 3-7 of the Unicode Standard: what the second byte may be depends on the first. */
static const struct {
    unsigned char first, last, low, high;
    size_t bytes;
} rows[] = {
    {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

size_t s2clr_utf8_step(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        if (at[0] < rows[r].first || at[0] > rows[r].last) continue;
        if (rows[r].bytes == 1) return 1;
        if (at[1] < rows[r].low || at[1] > rows[r].high) return 0;
        for (size_t i = 2; i < rows[r].bytes; i++) /* the byte before was not the end */
            if ((at[i] & 0xc0) != 0x80) return 0;
        return rows[r].bytes;
    }
    return 0;
}

bool s2clr_utf8_valid(const char *text)
{
    while (*text) {
        const size_t step = s2clr_utf8_step(text);
        if (step == 0) return false;
        text += step;
    }
    return true;
}

void s2clr_utf8_show(const char *text, char *out, size_t size)
{
    while (*text) {
        const size_t step = s2clr_utf8_step(text), room = step ? step : 4;
        if (size <= room) break;
        if (step)
            memcpy(out, text, step);
        else
            snprintf(out, size, "\\x%02x", (unsigned char)*text);
        out += room;
        size -= room;
        text += step ? step : 1;
    }
    if (size) *out = '\0';
}
