#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jansson.h"

struct json_t {
    char *key, *text; /* of a member of an object; of a string */
    double number;
    json_t *first, *next; /* of an object or array; behind it */
    size_t count;
};

typedef struct reader {
    const char *at;
    int wrong;
} reader;

static void *need(void *memory)
{
    if (!memory) abort();
    return memory;
}

static char after_blanks(reader *r)
{
    while (isspace((unsigned char)*r->at)) r->at++;
    return *r->at;
}

static void expect(reader *r, char wanted)
{
    if (after_blanks(r) == wanted)
        r->at++;
    else
        r->wrong = 1;
}

static char *read_text(reader *r)
{
    char *const text = need(malloc(strlen(r->at) + 1)), *to = text;
    expect(r, '"');
    while (!r->wrong && *r->at && *r->at != '"') {
        if (*r->at == '\\') r->at++;
        *to++ = *r->at++;
    }
    *to = '\0';
    expect(r, '"');
    return need(realloc(text, strlen(text) + 1));
}

static json_t *read_value(reader *r);

/* Members up to `end`, with keys or without. */
static void read_members(reader *r, json_t *parent, char end)
{
    json_t **to = &parent->first;
    r->at++;
    while (!r->wrong && after_blanks(r) != end) {
        char *key = NULL;
        if (end == '}') {
            key = read_text(r);
            expect(r, ':');
        }
        *to = read_value(r);
        (*to)->key = key;
        to = &(*to)->next;
        parent->count++;
        if (after_blanks(r) != end) expect(r, ',');
    }
    expect(r, end);
}

static void read_number(reader *r, json_t *value)
{
    char *end;
    value->number = strtod(r->at, &end);
    if (end == r->at) r->wrong = 1;
    r->at = end;
}

static json_t *read_value(reader *r)
{
    json_t *const value = need(calloc(1, sizeof *value));
    const char first = after_blanks(r);
    if (first == '{')
        read_members(r, value, '}');
    else if (first == '[')
        read_members(r, value, ']');
    else if (first == '"')
        value->text = read_text(r);
    else
        read_number(r, value);
    return value;
}

static char *text_of(const char *path)
{
    FILE *const file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    char *const text = size < 0 ? NULL : need(calloc(1, (size_t)size + 1));
    if (text && fread(text, 1, (size_t)size, file) != (size_t)size) text[0] = '\0';
    fclose(file);
    return text;
}

json_t *json_load_file(const char *path, size_t flags, json_error_t *error)
{
    char *const text = text_of(path);
    reader r = {.at = text};
    (void)flags;
    json_t *const root = text ? read_value(&r) : NULL;
    if (root && !r.wrong) return root;
    snprintf(error->text, sizeof error->text, "%s cannot be read", path);
    return NULL;
}

json_t *json_object_get(const json_t *object, const char *key)
{
    for (json_t *member = object ? object->first : NULL; member; member = member->next)
        if (member->key && strcmp(member->key, key) == 0) return member;
    return NULL;
}

json_t *json_array_get(const json_t *array, size_t index)
{
    json_t *member = array ? array->first : NULL;
    while (member && index-- > 0) member = member->next;
    return member;
}

size_t json_array_size(const json_t *array)
{
    return array ? array->count : 0;
}

const char *json_string_value(const json_t *string)
{
    return string && string->text ? string->text : "";
}

double json_number_value(const json_t *number)
{
    return number ? number->number : 0;
}

long long json_integer_value(const json_t *number)
{
    return (long long)json_number_value(number);
}
