#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/pcard.h"

static json_t *format_fields(const s2clr_card *card, const unsigned char *base,
                             const s2clr_fields *fields);

char *s2clr_json_text(const json_t *value, size_t flags)
{
    char *text = NULL;
    bool exact = false;
    for (size_t digits = 15; digits <= 17 && !exact; digits++) {
        free(text);
        text = json_dumps(value, flags | JSON_REAL_PRECISION(digits));
        if (!text) return NULL;
        json_t *again = json_loads(text, 0, NULL);
        exact = json_equal(value, again);
        json_decref(again);
    }
    return text;
}

/* The decimal number with the fewest digits (6 to 9) that reads back as the same float. */
static double short_decimal(float value)
{
    double decimal = 0;
    for (int digits = 6; digits <= 9; digits++) {
        char text[32];
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        decimal = strtod(text, NULL);
        if ((float)decimal == value) break;
    }
    return decimal;
}

static json_t *format_seed(uint64_t seed)
{
    if (seed <= INT64_MAX) return json_integer((json_int_t)seed);
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)seed);
    return json_string(digits);
}

static json_t *format_names(int count, const char *names)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, json_string(names + (size_t)i * S2CLR_CARD_WORD));
    return array;
}

static json_t *format_ints(int count, const int *values)
{
    json_t *array = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(array, json_integer(values[i]));
    return array;
}

static json_t *format_numbers(const s2clr_card *card, const double *doubles, const float *floats)
{
    json_t *array = json_array();
    for (int i = 0; i < card->bands; i++)
        json_array_append_new(array, json_real(doubles ? doubles[i] : short_decimal(floats[i])));
    return array;
}

static json_t *format_knots(const s2clr_calibration *c)
{
    json_t *array = json_array();
    for (int i = 0; i < c->knots; i++)
        json_array_append_new(array, json_pack("[f, f]", c->knot_logit[i], c->knot_p[i]));
    return array;
}

static json_t *format_levels(const s2clr_card *card)
{
    json_t *array = json_array();
    for (int i = 0; i < card->levels; i++) {
        const unsigned char *base = (const unsigned char *)&card->level[i];
        json_array_append_new(array, format_fields(card, base, &s2clr_card_level_fields));
    }
    return array;
}

/* "" stands for no object at all. */
static json_t *format_object(const char *text)
{
    return text[0] ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : json_object();
}

static json_t *format_field(const s2clr_card *card, const unsigned char *base,
                            const s2clr_field *field)
{
    const void *at = base + field->offset;
    switch (field->kind) {
    case S2CLR_FIELD_INT:
        return json_integer(*(const int *)at);
    case S2CLR_FIELD_SEED:
        return format_seed(*(const uint64_t *)at);
    case S2CLR_FIELD_NUMBER:
        return json_real(*(const double *)at);
    case S2CLR_FIELD_MAYBE:
        return *(const bool *)(const void *)(base + field->room) ? json_real(*(const double *)at)
                                                                 : json_null();
    case S2CLR_FIELD_WORD:
    case S2CLR_FIELD_LABEL:
        return json_string(at);
    case S2CLR_FIELD_TEXT:
        return json_string(*(const char *const *)at);
    case S2CLR_FIELD_OBJECT:
        return format_object(*(const char *const *)at);
    case S2CLR_FIELD_BANDS:
        return format_names(card->bands, at);
    case S2CLR_FIELD_CLASSES:
        return format_names(card->classes, at);
    case S2CLR_FIELD_INTS:
        return format_ints(*(const int *)(const void *)(base + field->room), at);
    case S2CLR_FIELD_FLOATS:
        return format_numbers(card, NULL, at);
    case S2CLR_FIELD_NUMBERS:
        return format_numbers(card, at, NULL);
    case S2CLR_FIELD_ARCH:
        return format_fields(card, at, &s2clr_card_arch_fields);
    case S2CLR_FIELD_LEVELS:
        return format_levels(card);
    case S2CLR_FIELD_CURVE:
        return format_fields(card, at, &s2clr_card_calibration_fields);
    case S2CLR_FIELD_KNOTS:
        return format_knots(&card->calibration);
    }
    return NULL;
}

/* Of the kinds that tables mark as FILLED. */
static bool is_filled(const s2clr_card *card, const unsigned char *base, const s2clr_field *field)
{
    const void *at = base + field->offset;
    if (field->kind == S2CLR_FIELD_CLASSES) return card->classes > 0;
    if (field->kind == S2CLR_FIELD_KNOTS) return card->calibration.knots > 0;
    if (field->kind == S2CLR_FIELD_CURVE) return card->calibration.part[0] != '\0';
    if (field->kind == S2CLR_FIELD_INTS)
        return *(const int *)(const void *)(base + field->room) > 0;
    if (field->kind == S2CLR_FIELD_INT) return *(const int *)at != 0;
    if (field->kind == S2CLR_FIELD_NUMBER) return *(const double *)at != 0;
    return *(const char *)at != '\0';
}

static bool is_written(const s2clr_card *card, const unsigned char *base, const s2clr_field *field)
{
    switch (field->use) {
    case S2CLR_USE_FILLED:
        return is_filled(card, base, field);
    case S2CLR_USE_LOGITS:
        return card->arch.outputs > 0;
    case S2CLR_USE_BINARY:
        return card->arch.outputs == 1;
    case S2CLR_USE_ALWAYS:
        break;
    }
    return true;
}

/* NULL when a text is not UTF-8 or memory ran out. */
static json_t *format_fields(const s2clr_card *card, const unsigned char *base,
                             const s2clr_fields *fields)
{
    json_t *object = json_object();
    for (size_t i = 0; i < fields->count; i++) {
        const s2clr_field *field = &fields->row[i];
        if (!is_written(card, base, field)) continue;
        if (json_object_set_new(object, field->key, format_field(card, base, field)) == 0) continue;
        json_decref(object);
        return NULL;
    }
    return object;
}

s2clr_status s2clr_card_format(const s2clr_card *card, char **out)
{
    S2CLR_TRY(s2clr_card_check(card, card->id));
    json_t *root = format_fields(card, (const unsigned char *)card, &s2clr_card_fields);
    char *text = root ? s2clr_json_text(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: out of memory for the card", card->id);
    const s2clr_status status = s2clr_strdup(text, out);
    free(text);
    return status;
}
