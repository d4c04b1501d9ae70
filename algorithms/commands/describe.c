#include "commands/describe.h"

#include <string.h>

const char *s2clr_type_name(s2clr_type type)
{
    static const char *const names[] = {
        [S2CLR_TYPE_FLAG] = "flag",
        [S2CLR_TYPE_INT] = "integer",
        [S2CLR_TYPE_REAL] = "real",
        [S2CLR_TYPE_TEXT] = "text",
        [S2CLR_TYPE_CHOICE] = "choice",
        [S2CLR_TYPE_INPUT] = "input",
        [S2CLR_TYPE_OUTPUT_RASTER] = "output-raster",
        [S2CLR_TYPE_OUTPUT_FOLDER] = "output-folder",
        [S2CLR_TYPE_OUTPUT_FILE] = "output-file",
        [S2CLR_TYPE_MODEL] = "model",
        [S2CLR_TYPE_VECTOR] = "vector",
        [S2CLR_TYPE_WINDOW_INT] = "window-integer",
        [S2CLR_TYPE_WINDOW_REAL] = "window-real",
        [S2CLR_TYPE_KEY_VALUE] = "key-value",
    };
    return names[type];
}

/* Where a value of this type is picked, and with which endings, when its row does not say. */
static const struct {
    const char *takes, *suffixes;
} usual[] = {
    [S2CLR_TYPE_INPUT] = {"file,folder,layer", "zip,xml,tif,tiff,vrt,jp2,s2clr"},
    [S2CLR_TYPE_MODEL] = {"zoo,file", "safetensors"},
    [S2CLR_TYPE_VECTOR] = {"layer,file", NULL},
    [S2CLR_TYPE_OUTPUT_RASTER] = {NULL, "tif"},
    [S2CLR_TYPE_KEY_VALUE] = {NULL, NULL}, /* the last one: the table has all types */
};

const char *s2clr_row_suffixes(const s2clr_param_row *row)
{
    return row->suffixes ? row->suffixes : usual[row->type].suffixes;
}

static json_t *words_of(const char *list)
{
    json_t *words = json_array();
    for (const char *at = list; at && *at;) {
        const size_t word = strcspn(at, ",");
        json_array_append_new(words, json_stringn(at, word));
        at += word + (at[word] == ',');
    }
    return words;
}

static void set_words(json_t *out, const char *key, const char *list)
{
    if (list) json_object_set_new(out, key, words_of(list));
}

/* "min-valid" as "Min valid". */
static json_t *label_of(const s2clr_param_row *row)
{
    char text[64];
    size_t i = 0;
    if (row->label) return json_string(row->label);
    for (; row->name[i] && i + 1 < sizeof text; i++)
        text[i] = row->name[i] == '-' ? ' ' : row->name[i];
    text[i] = '\0';
    if (text[0] >= 'a' && text[0] <= 'z') text[0] = (char)(text[0] - 'a' + 'A');
    return json_string(text);
}

/* "s*": keys whose value is NULL are left out. */
static json_t *row_json(const s2clr_param_row *row)
{
    json_t *out =
        json_pack("{s:s, s:o, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:s, s:s, s:s*, s:s*, s:s*}",
                  "name", row->name, "label", label_of(row), "type", s2clr_type_name(row->type),
                  "positional", row->positional, "required", row->required, "repeat", row->repeat,
                  "advanced", row->advanced, "alone", row->alone, "caller", row->caller,
                  "dialog_on", row->dialog_on, "group", row->group, "help", row->help, "short",
                  row->short_name, "meta", row->meta, "default", row->standard);
    if (row->minimum < row->maximum) {
        json_object_set_new(out, "minimum", json_real(row->minimum));
        json_object_set_new(out, "maximum", json_real(row->maximum));
    }
    set_words(out, "choices", row->choices);
    set_words(out, "words", row->words);
    set_words(out, "takes", row->takes ? row->takes : usual[row->type].takes);
    set_words(out, "suffixes", s2clr_row_suffixes(row));
    return out;
}

static json_t *results_json(const s2clr_command *command)
{
    json_t *out = json_array();
    for (size_t i = 0; i < command->result_count; i++) {
        const s2clr_result_row *row = &command->results[i];
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s}", "name", row->name, "place",
                                             row->place, "label", row->label, "type",
                                             row->text ? "text" : "real"));
    }
    return out;
}

static json_t *command_json(const s2clr_command *command)
{
    json_t *rows = json_array();
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(command, i)); i++)
        json_array_append_new(rows, row_json(row));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:o, s:o}", "name", command->name,
                     "title", command->title, "section", command->section, "summary",
                     command->summary, "description", command->description, "example",
                     command->example, "no_dialog", command->no_dialog, "parameters", rows,
                     "results", results_json(command));
}

bool s2clr_describe_wants(const char *name, const s2clr_command *command)
{
    return !name || strcmp(name, command->name) == 0 || s2clr_command_in_family(command, name);
}

json_t *s2clr_describe(const char *name)
{
    const s2clr_command *const *list;
    const size_t count = s2clr_command_list(&list);
    json_t *commands = json_array();
    for (size_t i = 0; i < count; i++)
        if (s2clr_describe_wants(name, list[i]))
            json_array_append_new(commands, command_json(list[i]));
    return json_pack("{s:s, s:s, s:i, s:o}", "name", "s2clr", "version", S2CLR_VERSION, "protocol",
                     S2CLR_DESCRIBE_PROTOCOL, "commands", commands);
}
