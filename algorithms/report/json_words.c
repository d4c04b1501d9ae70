#include "report/json_words.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

json_t *s2clr_json_words(const char *text)
{
    const size_t room = 4 * strlen(text) + 1; /* \xHH for each byte */
    char *shown;
    if (s2clr_utf8_valid(text)) return json_string(text);
    if (s2clr_alloc(room, 1, "a name", (void **)&shown) != S2CLR_OK) return NULL;
    s2clr_utf8_show(text, shown, room);
    json_t *out = json_string(shown);
    s2clr_free(shown);
    return out;
}
