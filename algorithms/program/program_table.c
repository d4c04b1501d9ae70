#include "program/program_table.h"

#include <jansson.h>
#include <string.h>

#include "base/memory.h"

struct s2clr_program_table {
    json_t *root; /* owns the texts */
    const char *name, *summary, *description;
    size_t count;
    s2clr_program_row *rows; // (count)
};

typedef struct type_word {
    const char *word;
    s2clr_program_type type;
} type_word;

/* Words of "s2clr describe --json". */
static const type_word types[] = {
    {"flag", S2CLR_PROGRAM_FLAG},
    {"integer", S2CLR_PROGRAM_INT},
    {"real", S2CLR_PROGRAM_REAL},
    {"text", S2CLR_PROGRAM_TEXT},
    {"choice", S2CLR_PROGRAM_CHOICE},
    {"input", S2CLR_PROGRAM_TEXT},
    {"output-raster", S2CLR_PROGRAM_TEXT},
    {"output-folder", S2CLR_PROGRAM_TEXT},
    {"output-file", S2CLR_PROGRAM_TEXT},
    {"model", S2CLR_PROGRAM_TEXT},
    {"vector", S2CLR_PROGRAM_TEXT},
    {"window-integer", S2CLR_PROGRAM_WINDOW_INT},
    {"window-real", S2CLR_PROGRAM_WINDOW_REAL},
    {"key-value", S2CLR_PROGRAM_TEXT},
};

static const char *const front_end_rows[] = {"help", "version", "quiet", "progress", "config"};

static s2clr_status refuse(const char *command, const char *item, const char *wanted)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "the description of the command \"%.80s\": %.80s: wanted %s; this "
                           "library and the program s2clr are from different builds",
                           command, item, wanted);
}

static const type_word *find_type(const char *word)
{
    for (size_t i = 0; word && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].word, word) == 0) return &types[i];
    return NULL;
}

static bool belongs_to_front_end(const char *name)
{
    for (size_t i = 0; i < sizeof front_end_rows / sizeof front_end_rows[0]; i++)
        if (strcmp(front_end_rows[i], name) == 0) return true;
    return false;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool truth_of(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static s2clr_status read_choices(const char *command, const json_t *list, s2clr_program_row *row)
{
    const char **choices;
    const size_t count = json_array_size(list);
    if (!count) return refuse(command, row->name, "choices");
    S2CLR_TRY(s2clr_alloc(count, sizeof *choices, "choices", (void **)&choices));
    row->choices = choices; /* the table frees it */
    row->choice_count = count;
    for (size_t i = 0; i < count; i++) {
        choices[i] = json_string_value(json_array_get(list, i));
        if (!choices[i]) return refuse(command, row->name, "choices that are text");
    }
    return S2CLR_OK;
}

static s2clr_status read_row(const char *command, const json_t *from, s2clr_program_row *row)
{
    const type_word *type = find_type(text_of(from, "type"));
    row->name = text_of(from, "name");
    if (!row->name || !*row->name) return refuse(command, "parameters", "a name for each");
    if (!type) return refuse(command, row->name, "a known type");
    row->type = type->type;
    row->positional = truth_of(from, "positional");
    row->required = truth_of(from, "required");
    row->repeat = truth_of(from, "repeat");
    row->advanced = truth_of(from, "advanced");
    row->own = !row->positional && belongs_to_front_end(row->name);
    row->short_name = text_of(from, "short");
    row->meta = text_of(from, "meta");
    row->standard = text_of(from, "default");
    row->group = text_of(from, "group");
    row->help = text_of(from, "help");
    if (!row->group || !row->help) return refuse(command, row->name, "a group and a help text");
    const json_t *minimum = json_object_get(from, "minimum");
    const json_t *maximum = json_object_get(from, "maximum");
    row->ranged = json_is_number(minimum) && json_is_number(maximum);
    row->minimum = json_number_value(minimum);
    row->maximum = json_number_value(maximum);
    if (row->type != S2CLR_PROGRAM_CHOICE) return S2CLR_OK;
    return read_choices(command, json_object_get(from, "choices"), row);
}

static s2clr_status read_command(const char *command, const json_t *from,
                                 s2clr_program_table *table)
{
    const json_t *rows = json_object_get(from, "parameters");
    table->name = text_of(from, "name");
    table->summary = text_of(from, "summary");
    table->description = text_of(from, "description");
    if (!table->summary || !table->description || !json_is_array(rows))
        return refuse(command, "the command", "a summary, a description and parameters");
    const size_t count = json_array_size(rows);
    S2CLR_TRY(s2clr_alloc(count, sizeof *table->rows, "parameters", (void **)&table->rows));
    table->count = count;
    for (size_t i = 0; i < count; i++)
        S2CLR_TRY(read_row(command, json_array_get(rows, i), &table->rows[i]));
    return S2CLR_OK;
}

static s2clr_status find_command(const json_t *root, const char *command, const json_t **out)
{
    const json_t *commands = json_object_get(root, "commands");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        const json_t *one = json_array_get(commands, i);
        const char *name = text_of(one, "name");
        if (name && strcmp(name, command) == 0) {
            *out = one;
            return S2CLR_OK;
        }
    }
    return refuse(command, "commands", "one of that name");
}

s2clr_status s2clr_program_table_read(const char *json, size_t bytes, const char *command,
                                      s2clr_program_table **out)
{
    json_error_t error;
    const json_t *found = NULL;
    s2clr_program_table *table;
    S2CLR_TRY(s2clr_alloc(1, sizeof *table, "parameters", (void **)&table));
    table->root = json_loadb(json, bytes, 0, &error);
    s2clr_status status = S2CLR_OK;
    if (!table->root) status = refuse(command, error.text, "JSON");
    if (status == S2CLR_OK) status = find_command(table->root, command, &found);
    if (status == S2CLR_OK) status = read_command(command, found, table);
    if (status == S2CLR_OK)
        *out = table;
    else
        s2clr_program_table_free(table);
    return status;
}

void s2clr_program_table_free(s2clr_program_table *table)
{
    if (!table) return;
    for (size_t i = 0; i < table->count; i++) s2clr_free((void *)table->rows[i].choices);
    s2clr_free(table->rows);
    json_decref(table->root);
    s2clr_free(table);
}

const char *s2clr_program_table_name(const s2clr_program_table *table)
{
    return table->name;
}

const char *s2clr_program_table_summary(const s2clr_program_table *table)
{
    return table->summary;
}

const char *s2clr_program_table_description(const s2clr_program_table *table)
{
    return table->description;
}

size_t s2clr_program_table_count(const s2clr_program_table *table)
{
    return table->count;
}

const s2clr_program_row *s2clr_program_table_row(const s2clr_program_table *table, size_t index)
{
    return index < table->count ? &table->rows[index] : NULL;
}

const s2clr_program_row *s2clr_program_table_find(const s2clr_program_table *table,
                                                  const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].name, name) == 0) return &table->rows[i];
    return NULL;
}
