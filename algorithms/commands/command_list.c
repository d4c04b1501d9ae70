/* The table of commands, in the order in which a user meets them. */
#include <stdio.h>
#include <string.h>

#include "commands/cmd_list.h"

static const s2clr_command *const commands[] = {
    &s2clr_cmd_predict,        &s2clr_cmd_embed,
    &s2clr_cmd_merge,          &s2clr_cmd_vrt,
    &s2clr_cmd_info,

    &s2clr_cmd_dataset_create, &s2clr_cmd_dataset_import,
    &s2clr_cmd_dataset_info,   &s2clr_cmd_dataset_stats,
    &s2clr_cmd_dataset_split,  &s2clr_cmd_dataset_export,
    &s2clr_cmd_dataset_verify,

    &s2clr_cmd_pretrain,       &s2clr_cmd_finetune,
    &s2clr_cmd_distill,        &s2clr_cmd_supervised,
    &s2clr_cmd_sweep_augment,  &s2clr_cmd_sweep_settings,
    &s2clr_cmd_evaluate,       &s2clr_cmd_calibrate,
    &s2clr_cmd_tsne,           &s2clr_cmd_topk,
    &s2clr_cmd_area,
    &s2clr_cmd_model,          &s2clr_cmd_bench,
    &s2clr_cmd_describe,       &s2clr_cmd_completion,
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

const s2clr_command *s2clr_command_match(int argc, char **argv, int *words)
{
    char name[80];
    const s2clr_command *command = argc > 0 ? s2clr_command_find(argv[0]) : NULL;
    int used = 1;
    if (!command && argc > 1 &&
        (size_t)snprintf(name, sizeof name, "%s %s", argv[0], argv[1]) < sizeof name) {
        command = s2clr_command_find(name);
        used = 2;
    }
    if (command) *words = used;
    return command;
}

bool s2clr_command_in_family(const s2clr_command *command, const char *family)
{
    const size_t length = strlen(family);
    return strncmp(command->name, family, length) == 0 && command->name[length] == ' ';
}

bool s2clr_command_is_family(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (s2clr_command_in_family(commands[i], name)) return true;
    return false;
}
