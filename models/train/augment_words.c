#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "train/paugment.h"

enum { WORD_MAX = 64, KNOWN_MAX = 512 };

static const s2clr_augment_preset presets[] = {
    {"multispectral", "for several bands, all of them every time",
     "crop,flip,rot90,jitter,band-gain,band-drop,gaussian"},
    {"simclr-s2", "the nine of the SimCLR-S2 study, two per view, its nine pairs banned",
     "2:roll,zoom,rotate,flip,brightness,contrast,scale,blur5,speckle/"
     "brightness+contrast,rotate+brightness,flip+blur5,zoom+blur5,roll+flip,rotate+blur5,"
     "flip+scale,brightness+scale,blur5+brightness"},
};
enum { PRESETS = sizeof presets / sizeof presets[0] };

size_t s2clr_augment_preset_list(const s2clr_augment_preset **out)
{
    *out = presets;
    return PRESETS;
}

/* ---- words ---- */

/* "flip, rot90 ... or the presets multispectral, simclr-s2". */
static void list_known(char *out, size_t size)
{
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", table[i].name);
    for (size_t i = 0; i < PRESETS && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "; alone: none, ",
                                 presets[i].name);
}

static s2clr_status unknown_word(const char *word, size_t length)
{
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    const char *names[S2CLR_AUGMENT_MAX];
    char text[WORD_MAX], known[KNOWN_MAX];
    for (size_t i = 0; i < count; i++) names[i] = table[i].name;
    snprintf(text, sizeof text, "%.*s", (int)(length < WORD_MAX ? length : WORD_MAX - 1), word);
    const char *near = *text ? s2clr_suggest(text, names, count) : NULL;
    list_known(known, sizeof known);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "augmentation \"%s\" is not known%s%s%s; wanted, separated by commas: "
                           "%s",
                           text, near ? ", did you mean \"" : "", near ? near : "",
                           near ? "\"?" : "", known);
}

/* Line of the table. */
static s2clr_status find_word(const char *word, size_t length, int *out)
{
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    for (size_t i = 0; i < count; i++) {
        if (strlen(table[i].name) != length || strncmp(table[i].name, word, length) != 0) continue;
        *out = (int)i;
        return S2CLR_OK;
    }
    return unknown_word(word, length);
}

/* "flip,rot90", up to `end`. */
static s2clr_status parse_flags(const char *words, const char *end, uint32_t *flags)
{
    uint32_t found = 0;
    for (const char *word = words;; word++) {
        size_t length = strcspn(word, ",");
        int line = 0;
        if (length > (size_t)(end - word)) length = (size_t)(end - word);
        S2CLR_TRY(find_word(word, length, &line));
        found |= (uint32_t)1 << line;
        word += length;
        if (word == end) break;
    }
    *flags = found;
    return S2CLR_OK;
}

static s2clr_status parse_pairs(const char *pairs, uint32_t banned[S2CLR_AUGMENT_MAX])
{
    memset(banned, 0, S2CLR_AUGMENT_MAX * sizeof *banned);
    if (strcmp(pairs, "none") == 0) return S2CLR_OK;
    for (const char *pair = pairs;; pair++) {
        const size_t length = strcspn(pair, ","), first = strcspn(pair, "+,");
        int a = 0, b = 0;
        if (first == length)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "banned pair \"%.*s\" has no \"+\"; wanted: two augmentations, "
                                   "such as flip+blur",
                                   length < WORD_MAX ? (int)length : WORD_MAX, pair);
        S2CLR_TRY(find_word(pair, first, &a));
        S2CLR_TRY(find_word(pair + first + 1, length - first - 1, &b));
        if (a == b)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "banned pair \"%.*s\": an augmentation is never drawn twice for "
                                   "a view; name two different ones",
                                   (int)length, pair);
        banned[a] |= (uint32_t)1 << b;
        banned[b] |= (uint32_t)1 << a;
        pair += length;
        if (!*pair) return S2CLR_OK;
    }
}

/* ---- recipes ---- */

static int count_lines(uint32_t flags)
{
    int count = 0;
    for (; flags; flags &= flags - 1) count++;
    return count;
}

static s2clr_status check_recipe(const s2clr_augment_recipe *recipe)
{
    const int lines = count_lines(recipe->flags);
    bool bans = false;
    for (int i = 0; i < S2CLR_AUGMENT_MAX; i++) bans |= recipe->banned[i] != 0;
    if (recipe->draw == 0 && bans)
        return s2clr_error_set(
            S2CLR_ERR_ARGUMENT,
            "banned pairs need a number of augmentations to draw, and this "
            "recipe applies all of its %d; write \"2:\" before the words to draw "
            "two",
            lines);
    if (recipe->draw > lines)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%d of %d augmentations cannot be drawn",
                               recipe->draw, lines);
    if (s2clr_augment_choices(recipe) > 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "no %d of the %d augmentations go together: the banned pairs leave "
                           "nothing; ban fewer, or draw fewer",
                           recipe->draw, lines);
}

/* "2:" in front of the words; 0 without. */
static s2clr_status parse_draw(const char **words, int *draw)
{
    const size_t digits = strspn(*words, "0123456789");
    if (digits == 0 || (*words)[digits] != ':') {
        *draw = 0;
        return S2CLR_OK;
    }
    const int value = digits == 1 ? (*words)[0] - '0' : S2CLR_AUGMENT_DRAW_MAX + 1;
    if (value < 1 || value > S2CLR_AUGMENT_DRAW_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "\"%.20s\": 1 to %d augmentations can be drawn per view", *words,
                               S2CLR_AUGMENT_DRAW_MAX);
    *words += digits + 1;
    *draw = value;
    return S2CLR_OK;
}

s2clr_status s2clr_augment_parse(const char *words, s2clr_augment_recipe *out)
{
    s2clr_augment_recipe recipe = {0};
    for (size_t i = 0; i < PRESETS; i++)
        if (strcmp(words, presets[i].name) == 0) words = presets[i].words;
    if (strcmp(words, "none") != 0) {
        S2CLR_TRY(parse_draw(&words, &recipe.draw));
        const char *end = words + strcspn(words, "/");
        S2CLR_TRY(parse_flags(words, end, &recipe.flags));
        if (*end) S2CLR_TRY(parse_pairs(end + 1, recipe.banned));
        S2CLR_TRY(check_recipe(&recipe));
    }
    *out = recipe;
    return S2CLR_OK;
}

s2clr_status s2clr_augment_ban(const char *pairs, s2clr_augment_recipe *recipe)
{
    s2clr_augment_recipe changed = *recipe;
    S2CLR_TRY(parse_pairs(pairs, changed.banned));
    S2CLR_TRY(check_recipe(&changed));
    *recipe = changed;
    return S2CLR_OK;
}

/* Writes at most `room` bytes; returns how many the whole text has. */
static size_t format(const s2clr_augment_recipe *recipe, char *text, size_t room)
{
    const s2clr_augment_entry *table;
    const size_t count = s2clr_augment_list(&table);
    const char *separator = "";
    size_t used = 0;
#define PUT(...)                                                                                   \
    used += (size_t)snprintf(room > used ? text + used : NULL, room > used ? room - used : 0,      \
                             __VA_ARGS__)
    if (recipe->draw > 0) PUT("%d:", recipe->draw);
    for (size_t i = 0; i < count; i++) {
        if (!(recipe->flags & table[i].flag)) continue;
        PUT("%s%s", separator, table[i].name);
        separator = ",";
    }
    separator = "/";
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            if (!(recipe->banned[i] & table[j].flag)) continue;
            PUT("%s%s+%s", separator, table[i].name, table[j].name);
            separator = ",";
        }
    }
#undef PUT
    return used;
}

s2clr_status s2clr_augment_format(const s2clr_augment_recipe *recipe, char **out)
{
    if (recipe->flags == 0) return s2clr_strdup("none", out);
    const size_t length = format(recipe, NULL, 0);
    char *text;
    S2CLR_TRY(s2clr_alloc(length + 1, 1, "augmentations as text", (void **)&text));
    format(recipe, text, length + 1);
    *out = text;
    return S2CLR_OK;
}
