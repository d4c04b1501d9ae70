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

static json_t *choices_of(const s2clr_param_row *row)
{
    json_t *list = json_array();
    for (const char *at = row->choices; at && *at;) {
        const size_t word = strcspn(at, ",");
        json_array_append_new(list, json_stringn(at, word));
        at += word + (at[word] == ',');
    }
    return list;
}

/* "s*": keys whose value is NULL are left out. */
static json_t *row_json(const s2clr_param_row *row)
{
    json_t *out = json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:s, s:s, s:s*, s:s*, s:s*}", "name",
                            row->name, "type", s2clr_type_name(row->type), "positional",
                            row->positional, "required", row->required, "repeat", row->repeat,
                            "advanced", row->advanced, "group", row->group, "help", row->help,
                            "short", row->short_name, "meta", row->meta, "default", row->standard);
    if (row->minimum < row->maximum) {
        json_object_set_new(out, "minimum", json_real(row->minimum));
        json_object_set_new(out, "maximum", json_real(row->maximum));
    }
    if (row->choices) json_object_set_new(out, "choices", choices_of(row));
    return out;
}

static json_t *command_json(const s2clr_command *command)
{
    json_t *rows = json_array();
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(command, i)); i++)
        json_array_append_new(rows, row_json(row));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", command->name, "summary",
                     command->summary, "description", command->description, "example",
                     command->example, "parameters", rows);
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
    return json_pack("{s:s, s:s, s:o}", "name", "s2clr", "version", S2CLR_VERSION, "commands",
                     commands);
}
