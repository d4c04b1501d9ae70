/* s2clr describe: the parameter tables for programs. */
#include "commands/cmd_list.h"
#include "commands/describe.h"
#include "commands/edge.h"
#include "commands/man_options.h"

static const s2clr_param_row rows[] = {
    {"command", NULL, S2CLR_TYPE_TEXT, .positional = true, .repeat = true, .group = "Input",
     .help = "The command to describe, in one word or two (dataset import), or the first word of "
             "several; without it, all."},
    {"man", NULL, S2CLR_TYPE_FLAG, .advanced = true, .group = "Output",
     .help = "Prints the OPTIONS section of the man page in mdoc macros instead; the build makes "
             "the man pages with it."},
};

static void print_text(const s2clr_command *command)
{
    const s2clr_param_row *row;
    for (size_t i = 0; (row = s2clr_command_row(command, i)); i++)
        printf("%s\t%s%s\t%s\t%s\n", command->name, row->positional ? "" : "--", row->name,
               s2clr_type_name(row->type), row->standard ? row->standard : "");
}

/* The words given, joined: "dataset import"; "" when there are none. */
static void name_of(const s2clr_args *args, char *name, size_t size)
{
    const char *const *word;
    const size_t count = s2clr_args_list(args, "command", &word);
    size_t at = 0;
    name[0] = '\0';
    for (size_t i = 0; i < count && at < size; i++)
        at += (size_t)snprintf(name + at, size - at, "%s%s", i ? " " : "", word[i]);
}

static s2clr_status describe(const s2clr_args *args)
{
    char text[120];
    name_of(args, text, sizeof text);
    const char *name = text[0] ? text : NULL;
    const s2clr_command *const *list, *command = name ? s2clr_command_find(name) : NULL;
    const size_t count = s2clr_command_list(&list);
    if (name && !command && !s2clr_command_is_family(name))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "there is no command \"%.80s\"; \"s2clr --help\" lists them", name);
    if (s2clr_args_flag(args, "man") && !command)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "--man wants one command as well");
    if (!s2clr_args_flag(args, "man") && s2clr_args_flag(args, "json"))
        return s2clr_edge_json(s2clr_describe(name));
    for (size_t i = 0; i < count; i++) {
        if (!s2clr_describe_wants(name, list[i])) continue;
        if (s2clr_args_flag(args, "man"))
            s2clr_man_options(stdout, list[i]);
        else
            print_text(list[i]);
    }
    return s2clr_edge_flush();
}

static int run(const s2clr_args *args)
{
    const s2clr_status status = describe(args);
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_describe = {
    .name = "describe",
    .summary = "the tables of commands and options, for programs",
    .description =
        "Prints the table of commands and options: with --json names, types, defaults, ranges and "
        "help texts, from which dialogs and other front ends are made; without it one line per "
        "option with command, name, type and default, separated by tabs.",
    .example = "s2clr describe --json predict",
    .title = "Describe the commands",
    .section = "Model",
    .no_dialog = "its answer is for programs: dialogs are made from it",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "json",
    .run = run,
};
