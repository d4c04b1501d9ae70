/* A template's text with its placeholders replaced. What they become is not looked at again. */
#include <ctype.h>
#include <string.h>

#include "vrt/pvrt.h"

#define WORD_MAX 80

/* The next placeholder at or behind `at`: its first at sign, and the word inside. */
static const char *next(const char *at, char word[WORD_MAX])
{
    for (at = strchr(at, '@'); at; at = strchr(at + 1, '@')) {
        size_t length = 1;
        while (isalnum((unsigned char)at[length]) || at[length] == '_' || at[length] == ':')
            length++;
        if (length < 2 || at[length] != '@' || !isupper((unsigned char)at[1])) continue;
        snprintf(word, WORD_MAX, "%.*s", (int)(length - 1 < WORD_MAX ? length - 1 : WORD_MAX - 1),
                 at + 1);
        return at;
    }
    return NULL;
}

static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++) line += *text == '\n';
    return line;
}

s2clr_status s2clr_vrt_needs_of(const char *text, const char *recipe, s2clr_vrt_needs *out)
{
    s2clr_vrt_needs needs = {0};
    char word[WORD_MAX];
    for (const char *at = text; (at = next(at, word)); at += strlen(word) + 2) {
        if (s2clr_vrt_placeholder_needs(word, &needs) == S2CLR_OK) continue;
        char why[700];
        snprintf(why, sizeof why, "%s", s2clr_error_text());
        return s2clr_error_set(S2CLR_ERR_FORMAT, "template %.200s, line %d: %s", recipe,
                               line_of(text, at), why);
    }
    *out = needs;
    return S2CLR_OK;
}

s2clr_status s2clr_vrt_fill(const char *text, s2clr_vrt_scene *scene, FILE *to)
{
    char word[WORD_MAX];
    for (const char *at; (at = next(text, word)); text = at + strlen(word) + 2) {
        fwrite(text, 1, (size_t)(at - text), to);
        S2CLR_TRY(s2clr_vrt_placeholder_put(word, scene, to));
    }
    fputs(text, to);
    return S2CLR_OK;
}
