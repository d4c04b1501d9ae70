#include "base/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 63

/* A wrong case is no mistake of two letters. */
static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t s2clr_edit_distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    size_t row[3][WORD_MAX + 1]; // row[i % 3][j]: distance of the first i and j letters
    if (n > WORD_MAX || m > WORD_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++) row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3];
        const size_t *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = last[j - 1] + !same(a[i - 1], b[j - 1]);
            now[j] = smaller(now[j], smaller(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

const char *s2clr_suggest(const char *word, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    const size_t length = strlen(word);
    size_t least = length / 3 > 1 ? length / 3 : 1;
    for (size_t i = 0; i < count; i++) {
        const size_t distance = s2clr_edit_distance(word, candidates[i]);
        if (distance <= least && (!best || distance < least)) {
            best = candidates[i];
            least = distance;
        }
    }
    for (size_t i = 0; !best && length > 1 && i < count; i++)
        if (strncasecmp(word, candidates[i], length) == 0) best = candidates[i];
    return best;
}
