#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/pcard.h"

typedef struct place {
    const char *path;    /* of the file, for messages */
    char where[80];      /* "levels[1]." */
    s2clr_card *card;    /* texts, bands */
    unsigned char *base; /* the struct that the table describes */
} place;

static s2clr_status read_fields(place *at, const json_t *object, const s2clr_fields *fields);

static s2clr_status refuse(const place *at, const char *key, const char *wanted)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' must be %s", at->path, at->where,
                           key, wanted);
}

static s2clr_status read_int(const place *at, const char *key, const json_t *value, int *out)
{
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < -1000000000 || number > 1000000000)
        return refuse(at, key, "a whole number");
    *out = (int)number;
    return S2CLR_OK;
}

static s2clr_status read_seed(const place *at, const char *key, const json_t *value, uint64_t *out)
{
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (uint64_t)json_integer_value(value);
        return S2CLR_OK;
    }
    const char *digits = json_is_string(value) ? json_string_value(value) : "";
    const size_t length = strspn(digits, "0123456789");
    errno = 0;
    const unsigned long long seed = strtoull(digits, NULL, 10);
    if (length == 0 || digits[length] || errno)
        return refuse(at, key, "a whole number below 2^64 (beyond 2^63: as a string)");
    *out = seed;
    return S2CLR_OK;
}

static s2clr_status read_number(const place *at, const char *key, const json_t *value, double *out)
{
    if (!json_is_number(value)) return refuse(at, key, "a number");
    *out = json_number_value(value);
    return S2CLR_OK;
}

static s2clr_status read_maybe(const place *at, const s2clr_field *field, const json_t *value)
{
    bool *has = (bool *)(void *)(at->base + field->room);
    *has = !json_is_null(value);
    return *has ? read_number(at, field->key, value, (double *)(void *)(at->base + field->offset))
                : S2CLR_OK;
}

static s2clr_status read_word(const place *at, const char *key, const json_t *value, char *out,
                              size_t room)
{
    if (!json_is_string(value)) return refuse(at, key, "a string");
    const size_t length = json_string_length(value);
    if (length >= room)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' has %zu bytes, at most %zu fit",
                               at->path, at->where, key, length, room - 1);
    memcpy(out, json_string_value(value), length + 1);
    return S2CLR_OK;
}

static s2clr_status replace_text(const char *value, char **out)
{
    char *copy;
    S2CLR_TRY(s2clr_strdup(value, &copy));
    s2clr_free(*out);
    *out = copy;
    return S2CLR_OK;
}

static s2clr_status read_text(const place *at, const char *key, const json_t *value, char **out)
{
    if (!json_is_string(value)) return refuse(at, key, "a string");
    return replace_text(json_string_value(value), out);
}

static s2clr_status read_object(const place *at, const char *key, const json_t *value, char **out)
{
    if (!json_is_object(value)) return refuse(at, key, "a JSON object");
    char *text = s2clr_json_text(value, JSON_COMPACT);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: out of memory for the card", at->path);
    const s2clr_status status = replace_text(text, out);
    free(text);
    return status;
}

static s2clr_status read_names(const place *at, const char *key, const json_t *value, size_t most,
                               char *out, int *out_count)
{
    char wanted[40];
    const size_t count = json_array_size(value);
    snprintf(wanted, sizeof wanted, "an array of 1 to %zu names", most);
    if (!json_is_array(value) || count < 1 || count > most) return refuse(at, key, wanted);
    for (size_t i = 0; i < count; i++)
        S2CLR_TRY(read_word(at, key, json_array_get(value, i), out + i * S2CLR_CARD_WORD,
                            S2CLR_CARD_WORD));
    *out_count = (int)count;
    return S2CLR_OK;
}

static s2clr_status read_ints(const place *at, const s2clr_field *field, const json_t *value)
{
    char wanted[60];
    int *out = (int *)(void *)(at->base + field->offset);
    const size_t count = json_array_size(value);
    snprintf(wanted, sizeof wanted, "an array of at most %d whole numbers", S2CLR_HEAD_MAX);
    if (!json_is_array(value) || count > S2CLR_HEAD_MAX) return refuse(at, field->key, wanted);
    for (size_t i = 0; i < count; i++)
        S2CLR_TRY(read_int(at, field->key, json_array_get(value, i), &out[i]));
    *(int *)(void *)(at->base + field->room) = (int)count;
    return S2CLR_OK;
}

/* One number per band, into doubles or floats. */
static s2clr_status read_numbers(const place *at, const char *key, const json_t *value,
                                 double *doubles, float *floats)
{
    const int bands = at->card->bands;
    if (!json_is_array(value) || json_array_size(value) != (size_t)bands)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: card: '%s%s' must be an array of %d numbers, one per band; it "
                               "has %zu",
                               at->path, at->where, key, bands, json_array_size(value));
    for (int i = 0; i < bands; i++) {
        double number = 0;
        S2CLR_TRY(read_number(at, key, json_array_get(value, (size_t)i), &number));
        if (doubles)
            doubles[i] = number;
        else
            floats[i] = (float)number;
    }
    return S2CLR_OK;
}

static s2clr_status read_levels(const place *at, const char *key, const json_t *value)
{
    const size_t count = json_array_size(value);
    if (!json_is_array(value) || count < 1 || count > S2CLR_CARD_LEVELS_MAX)
        return refuse(at, key, "an array of 1 to 8 processing levels");
    for (size_t i = 0; i < count; i++) {
        place inner = {
            .path = at->path, .card = at->card, .base = (unsigned char *)&at->card->level[i]};
        snprintf(inner.where, sizeof inner.where, "%s[%zu].", key, i);
        S2CLR_TRY(read_fields(&inner, json_array_get(value, i), &s2clr_card_level_fields));
    }
    at->card->levels = (int)count;
    return S2CLR_OK;
}

static s2clr_status read_arch(const place *at, const char *key, const json_t *value)
{
    place inner = {.path = at->path, .card = at->card, .base = (unsigned char *)&at->card->arch};
    snprintf(inner.where, sizeof inner.where, "%s.", key);
    return read_fields(&inner, value, &s2clr_card_arch_fields);
}

static s2clr_status read_knots(const place *at, const char *key, const json_t *value)
{
    s2clr_calibration *c = &at->card->calibration;
    const size_t count = json_array_size(value);
    if (!json_is_array(value) || count < 2 || count > S2CLR_CARD_KNOTS)
        return refuse(at, key, "an array of 2 to 64 pairs [logit, probability]");
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(value, i);
        if (!json_is_array(pair) || json_array_size(pair) != 2)
            return refuse(at, key, "an array of pairs [logit, probability]");
        S2CLR_TRY(read_number(at, key, json_array_get(pair, 0), &c->knot_logit[i]));
        S2CLR_TRY(read_number(at, key, json_array_get(pair, 1), &c->knot_p[i]));
    }
    c->knots = (int)count;
    return S2CLR_OK;
}

static s2clr_status read_calibration(const place *at, const char *key, const json_t *value)
{
    place inner = {
        .path = at->path, .card = at->card, .base = (unsigned char *)&at->card->calibration};
    snprintf(inner.where, sizeof inner.where, "%s.", key);
    S2CLR_TRY(read_fields(&inner, value, &s2clr_card_calibration_fields));
    /* "" stands for no calibration at all, which is told by leaving the field out. */
    return at->card->calibration.part[0] ? S2CLR_OK : refuse(&inner, "part", "a name, not empty");
}

static s2clr_status read_field(const place *at, const s2clr_field *field, const json_t *value)
{
    void *out = at->base + field->offset;
    switch (field->kind) {
    case S2CLR_FIELD_INT:
        return read_int(at, field->key, value, out);
    case S2CLR_FIELD_SEED:
        return read_seed(at, field->key, value, out);
    case S2CLR_FIELD_NUMBER:
        return read_number(at, field->key, value, out);
    case S2CLR_FIELD_MAYBE:
        return read_maybe(at, field, value);
    case S2CLR_FIELD_WORD:
    case S2CLR_FIELD_LABEL:
        return read_word(at, field->key, value, out, field->room);
    case S2CLR_FIELD_TEXT:
        return read_text(at, field->key, value, out);
    case S2CLR_FIELD_OBJECT:
        return read_object(at, field->key, value, out);
    case S2CLR_FIELD_BANDS:
        return read_names(at, field->key, value, S2CLR_CARD_BANDS_MAX, out, &at->card->bands);
    case S2CLR_FIELD_CLASSES:
        return read_names(at, field->key, value, S2CLR_CARD_CLASSES_MAX, out, &at->card->classes);
    case S2CLR_FIELD_INTS:
        return read_ints(at, field, value);
    case S2CLR_FIELD_FLOATS:
        return read_numbers(at, field->key, value, NULL, out);
    case S2CLR_FIELD_NUMBERS:
        return read_numbers(at, field->key, value, out, NULL);
    case S2CLR_FIELD_ARCH:
        return read_arch(at, field->key, value);
    case S2CLR_FIELD_LEVELS:
        return read_levels(at, field->key, value);
    case S2CLR_FIELD_CURVE:
        return read_calibration(at, field->key, value);
    case S2CLR_FIELD_KNOTS:
        return read_knots(at, field->key, value);
    }
    return refuse(at, field->key, "of a known kind");
}

static s2clr_status read_fields(place *at, const json_t *object, const s2clr_fields *fields)
{
    if (!json_is_object(object)) return refuse(at, "", "a JSON object");
    for (size_t i = 0; i < fields->count; i++) {
        const s2clr_field *field = &fields->row[i];
        const json_t *value = json_object_get(object, field->key);
        if (value) {
            S2CLR_TRY(read_field(at, field, value));
        } else if (field->required) {
            return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: card: '%s%s' is missing", at->path,
                                   at->where, field->key);
        }
    }
    return S2CLR_OK;
}

/* Before anything else: another version may mean other fields. */
static s2clr_status check_version(const json_t *root, const char *path)
{
    if (!json_is_object(root))
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: the card is not a JSON object", path);
    const json_t *version = json_object_get(root, "version");
    if (!json_is_integer(version) || json_integer_value(version) == S2CLR_CARD_VERSION)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: card version %" JSON_INTEGER_FORMAT ", this program reads version "
                           "%d: use the program that made the file, or a newer one",
                           path, json_integer_value(version), S2CLR_CARD_VERSION);
}

static s2clr_status read_root(const json_t *root, const char *path, s2clr_card **out)
{
    S2CLR_TRY(check_version(root, path));
    s2clr_card *card;
    S2CLR_TRY(s2clr_card_new(&card));
    place at = {.path = path, .card = card, .base = (unsigned char *)card};
    s2clr_status status = read_fields(&at, root, &s2clr_card_fields);
    if (status == S2CLR_OK) status = s2clr_card_check(card, path);
    if (status != S2CLR_OK) {
        s2clr_card_free(card);
        return status;
    }
    *out = card;
    return S2CLR_OK;
}

s2clr_status s2clr_card_parse(const char *json, const char *path, s2clr_card **out)
{
    json_error_t error;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: the card is not valid JSON: %s (line %d)",
                               path, error.text, error.line);
    const s2clr_status status = read_root(root, path, out);
    json_decref(root);
    return status;
}
