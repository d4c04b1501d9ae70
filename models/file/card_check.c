#include <stdio.h>
#include <string.h>

#include "file/pcard.h"

static const char word_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789._-";
static const char *const resamplings[] = {"nearest", "bilinear", "cubic"};

typedef struct subject {
    const char *path;
    char where[80]; /* "levels[1]." */
    const s2clr_card *card;
    const unsigned char *base; /* the struct that the table describes */
} subject;

static s2clr_status check_fields(const subject *on, const s2clr_fields *fields);

static s2clr_status check_range(const subject *on, const s2clr_field *field, double value)
{
    if (value >= field->low && value <= field->high) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' is %.9g, wanted %.9g to %.9g",
                           on->path, on->where, field->key, value, field->low, field->high);
}

/* Borrows a text of the card; says no when it is not UTF-8 (jansson is the judge). */
static s2clr_status check_utf8(const subject *on, const char *key, const char *text)
{
    json_t *string = json_string(text);
    if (!string)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' is not UTF-8 text", on->path,
                               on->where, key);
    json_decref(string);
    return S2CLR_OK;
}

static s2clr_status check_word(const subject *on, const char *key, const char *word)
{
    if (word[0] && word[strspn(word, word_characters)] == '\0') return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: card: '%s%s' is \"%.63s\", wanted a word of letters, digits and . "
                           "_ -",
                           on->path, on->where, key, word);
}

static s2clr_status check_label(const subject *on, const s2clr_field *field, const char *label)
{
    S2CLR_TRY(check_utf8(on, field->key, label));
    bool plain = (double)strlen(label) >= field->low;
    for (const char *c = label; *c; c++)
        plain = plain && (unsigned char)*c >= 32 && (unsigned char)*c != 127;
    if (plain) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: card: '%s%s' must be one line of text%s, without control "
                           "characters",
                           on->path, on->where, field->key, field->low > 0 ? ", not empty" : "");
}

static s2clr_status check_text(const subject *on, const char *key, const char *text)
{
    const size_t length = strlen(text);
    if (length > S2CLR_CARD_TEXT_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' has %zu bytes, at most %u fit",
                               on->path, on->where, key, length, S2CLR_CARD_TEXT_MAX);
    return check_utf8(on, key, text);
}

static s2clr_status check_object(const subject *on, const char *key, const char *text)
{
    S2CLR_TRY(check_text(on, key, text));
    if (text[0] == '\0') return S2CLR_OK;
    json_error_t error;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    const bool valid = json_is_object(object);
    json_decref(object);
    if (valid) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' is not a JSON object%s%.100s",
                           on->path, on->where, key, error.text[0] ? ": " : "", error.text);
}

static s2clr_status check_bands(const subject *on, const char *key)
{
    const s2clr_card *card = on->card;
    if (card->bands < 1 || card->bands > S2CLR_CARD_BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: %d bands, wanted 1 to %d", on->path,
                               card->bands, S2CLR_CARD_BANDS_MAX);
    for (int i = 0; i < card->bands; i++) {
        S2CLR_TRY(check_word(on, key, card->band[i]));
        for (int j = 0; j < i; j++) {
            if (strcmp(card->band[i], card->band[j]) == 0)
                return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: band '%s' is named twice",
                                       on->path, card->band[i]);
        }
    }
    return S2CLR_OK;
}

static s2clr_status check_classes(const subject *on, const s2clr_field *field)
{
    const s2clr_card *card = on->card;
    const int outputs = card->arch.outputs;
    if (card->classes != (outputs > 1 ? outputs : 0))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: '%s' has %d names for %d outputs: a network of 2 outputs "
                               "or more wants one name for each, others none",
                               on->path, field->key, card->classes, outputs);
    for (int i = 0; i < card->classes; i++) {
        const s2clr_field named = {.key = field->key, .low = 1};
        S2CLR_TRY(check_label(on, &named, card->class_name[i]));
        for (int j = 0; j < i; j++) {
            if (strcmp(card->class_name[i], card->class_name[j]) == 0)
                return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: class '%s' is named twice",
                                       on->path, card->class_name[i]);
        }
    }
    return S2CLR_OK;
}

static s2clr_status check_ints(const subject *on, const s2clr_field *field)
{
    const int *at = (const int *)(const void *)(on->base + field->offset);
    const int count = *(const int *)(const void *)(on->base + field->room);
    if (count < 0 || count > S2CLR_HEAD_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' has %d numbers, wanted 0 to %d",
                               on->path, on->where, field->key, count, S2CLR_HEAD_MAX);
    for (int i = 0; i < count; i++) S2CLR_TRY(check_range(on, field, at[i]));
    return S2CLR_OK;
}

static s2clr_status check_level(const subject *on, int index)
{
    const s2clr_card_level *level = &on->card->level[index];
    subject inner = {.path = on->path, .card = on->card, .base = (const unsigned char *)level};
    snprintf(inner.where, sizeof inner.where, "levels[%d].", index);
    S2CLR_TRY(check_fields(&inner, &s2clr_card_level_fields));
    if (!(level->low < level->high))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: level '%s': low %.9g must be below high %.9g", on->path,
                               level->name, level->low, level->high);
    for (int b = 0; b < on->card->bands; b++) {
        if (level->gain[b] == 0)
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: card: level '%s': the gain of band '%s' is 0, which would "
                                   "make the band constant",
                                   on->path, level->name, on->card->band[b]);
    }
    if (s2clr_card_find_level(on->card, level->name) != level)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: level '%s' is given twice", on->path,
                               level->name);
    return S2CLR_OK;
}

static s2clr_status check_levels(const subject *on)
{
    const int levels = on->card->levels;
    if (levels < 1 || levels > S2CLR_CARD_LEVELS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: %d levels, wanted 1 to %d", on->path,
                               levels, S2CLR_CARD_LEVELS_MAX);
    for (int i = 0; i < levels; i++) S2CLR_TRY(check_level(on, i));
    return S2CLR_OK;
}

static s2clr_status check_arch(const subject *on)
{
    const s2clr_arch *arch = &on->card->arch;
    const subject inner = {.path = on->path,
                           .where = "architecture.",
                           .card = on->card,
                           .base = (const unsigned char *)arch};
    S2CLR_TRY(check_fields(&inner, &s2clr_card_arch_fields));
    if (arch->tap <= arch->projections) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: card: 'architecture.tap' is %d, but the projection head has %d "
                           "layers",
                           on->path, arch->tap, arch->projections);
}

/* A card that was never calibrated has none. */
static s2clr_status check_calibration(const subject *on)
{
    const s2clr_calibration *c = &on->card->calibration;
    const subject inner = {.path = on->path,
                           .where = "calibration.",
                           .card = on->card,
                           .base = (const unsigned char *)c};
    if (c->part[0] || c->knots || c->bias != 0)
        S2CLR_TRY(check_fields(&inner, &s2clr_card_calibration_fields));
    return s2clr_card_check_calibration(on->card, on->path);
}

static s2clr_status check_each(const subject *on, const s2clr_field *field)
{
    const void *at = on->base + field->offset;
    const float *floats = field->kind == S2CLR_FIELD_FLOATS ? at : NULL;
    const double *doubles = field->kind == S2CLR_FIELD_NUMBERS ? at : NULL;
    for (int i = 0; i < on->card->bands; i++)
        S2CLR_TRY(check_range(on, field, floats ? (double)floats[i] : doubles[i]));
    return S2CLR_OK;
}

static s2clr_status check_field(const subject *on, const s2clr_field *field)
{
    const void *at = on->base + field->offset;
    switch (field->kind) {
    case S2CLR_FIELD_INT:
        return check_range(on, field, *(const int *)at);
    case S2CLR_FIELD_SEED:
        return S2CLR_OK;
    case S2CLR_FIELD_NUMBER:
        return check_range(on, field, *(const double *)at);
    case S2CLR_FIELD_MAYBE:
        return *(const bool *)(const void *)(on->base + field->room)
                   ? check_range(on, field, *(const double *)at)
                   : S2CLR_OK;
    case S2CLR_FIELD_WORD:
        return check_word(on, field->key, at);
    case S2CLR_FIELD_LABEL:
        return check_label(on, field, at);
    case S2CLR_FIELD_TEXT:
        return check_text(on, field->key, *(const char *const *)at);
    case S2CLR_FIELD_OBJECT:
        return check_object(on, field->key, *(const char *const *)at);
    case S2CLR_FIELD_BANDS:
        return check_bands(on, field->key);
    case S2CLR_FIELD_CLASSES:
        return check_classes(on, field);
    case S2CLR_FIELD_INTS:
        return check_ints(on, field);
    case S2CLR_FIELD_FLOATS:
    case S2CLR_FIELD_NUMBERS:
        return check_each(on, field);
    case S2CLR_FIELD_ARCH:
        return check_arch(on);
    case S2CLR_FIELD_LEVELS:
        return check_levels(on);
    case S2CLR_FIELD_CURVE:
        return check_calibration(on);
    case S2CLR_FIELD_KNOTS:
        return S2CLR_OK; /* with the calibration as a whole */
    }
    return S2CLR_OK;
}

static s2clr_status check_fields(const subject *on, const s2clr_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) S2CLR_TRY(check_field(on, &fields->row[i]));
    return S2CLR_OK;
}

static s2clr_status check_resampling(const s2clr_card *card, const char *path)
{
    for (size_t i = 0; i < sizeof resamplings / sizeof *resamplings; i++)
        if (strcmp(card->resampling, resamplings[i]) == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: card: 'resampling' is \"%s\", wanted nearest, bilinear or cubic",
                           path, card->resampling);
}

static s2clr_status check_positive(const s2clr_card *card, const char *path)
{
    if (card->arch.outputs == 1 && !card->positive[0])
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: 'positive' is missing or empty: a network of one output "
                               "wants the name of label 1",
                               path);
    if (card->classes == 0 || !card->positive[0]) return S2CLR_OK;
    for (int i = 0; i < card->classes; i++)
        if (strcmp(card->class_name[i], card->positive) == 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: card: 'positive' is \"%s\", wanted one of its 'classes'", path,
                           card->positive);
}

static s2clr_status check_parent(const s2clr_card *card, const char *path)
{
    const char *parent = card->text[S2CLR_CARD_PARENT];
    const size_t digits = strspn(parent, "0123456789abcdef");
    if (parent[digits] == '\0' && (digits == 0 || digits == 64)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: card: 'parent' is \"%.80s\", wanted a SHA-256 (64 hexadecimal "
                           "digits) or nothing",
                           path, parent);
}

s2clr_status s2clr_card_check(const s2clr_card *card, const char *path)
{
    const subject on = {.path = path, .card = card, .base = (const unsigned char *)card};
    S2CLR_TRY(check_fields(&on, &s2clr_card_fields));
    if (card->version != S2CLR_CARD_VERSION)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "%s: card version %d, wanted %d", path,
                               card->version, S2CLR_CARD_VERSION);
    if (card->arch.channels != card->bands)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: the architecture takes %d channels, but %d bands are "
                               "listed",
                               path, card->arch.channels, card->bands);
    S2CLR_TRY(check_resampling(card, path));
    S2CLR_TRY(check_positive(card, path));
    if (card->trained_level[0] && !s2clr_card_find_level(card, card->trained_level))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: 'trained_level' is \"%s\", wanted the name of one of its "
                               "levels",
                               path, card->trained_level);
    return check_parent(card, path);
}
