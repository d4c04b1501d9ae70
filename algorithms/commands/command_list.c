/* The table of commands, in the order in which a user meets them. */
#include <string.h>

#include "commands/cmd_list.h"

static const s2clr_command *const commands[] = {
    &s2clr_cmd_predict, &s2clr_cmd_embed,      &s2clr_cmd_merge,      &s2clr_cmd_vrt,
    &s2clr_cmd_info,    &s2clr_cmd_supervised, &s2clr_cmd_evaluate,   &s2clr_cmd_model,
    &s2clr_cmd_bench,   &s2clr_cmd_describe,   &s2clr_cmd_completion,
};

size_t s2clr_command_list(const s2clr_command *const **out)
{
    *out = commands;
    return sizeof commands / sizeof commands[0];
}

const s2clr_command *s2clr_command_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    return NULL;
}
