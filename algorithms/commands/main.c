/*
 * s2clr COMMAND ...: finds the command, parses its arguments with its table, runs it. The only file
 * that ends the process (a second signal aside, see interrupt.c).
 */
#include <stdio.h>
#include <string.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/help.h"
#include "commands/interrupt.h"
#include "base/suggest.h"

static int unknown_command(const char *name)
{
    const s2clr_command *const *list;
    const char *names[64];
    size_t count = s2clr_command_list(&list);
    if (count > 64) count = 64;
    for (size_t i = 0; i < count; i++) names[i] = list[i]->name; /* "datset import" finds its own */
    const char *near = s2clr_suggest(name, names, count);
    fprintf(stderr, "s2clr: unknown command \"%.80s\"%s%s; \"s2clr --help\" lists the commands\n",
            name, near ? ": did you mean " : "", near ? near : "");
    return S2CLR_EXIT_USAGE;
}

static bool is_word(const char *token, const char *word)
{
    while (*token == '-') token++;
    return strcmp(token, word) == 0;
}

static int run(const s2clr_command *command, int argc, char **argv)
{
    s2clr_args *args;
    if (s2clr_args_parse(command, argc, argv, &args) != S2CLR_OK) {
        fprintf(stderr, "s2clr %s: %s\n", command->name, s2clr_error_text());
        return S2CLR_EXIT_USAGE;
    }
    int code = S2CLR_EXIT_DONE;
    if (s2clr_args_flag(args, "help")) {
        s2clr_help_command(stdout, command, s2clr_help_width());
    } else if (s2clr_args_flag(args, "version")) {
        puts("s2clr " S2CLR_VERSION);
    } else {
        s2clr_interrupt_install();
        code = command->run(args);
        s2clr_edge_end();
    }
    if (code == S2CLR_EXIT_DONE && s2clr_edge_flush() != S2CLR_OK)
        code = s2clr_edge_fail(args, S2CLR_ERR_IO);
    s2clr_args_free(args);
    return code;
}

/* "dataset" alone, with --help, or with a second word that is none of its own. */
static int run_family(int argc, char **argv)
{
    const bool asked = argc > 1 && (is_word(argv[1], "help") || strcmp(argv[1], "-h") == 0);
    char name[120];
    if (argc > 1 && !asked && argv[1][0] == '-') {
        fprintf(stderr,
                "s2clr %s: unknown option %.80s before a command; \"s2clr %s --help\" lists the "
                "commands\n",
                argv[0], argv[1], argv[0]);
        return S2CLR_EXIT_USAGE;
    }
    if (argc > 1 && !asked) {
        snprintf(name, sizeof name, "%s %s", argv[0], argv[1]);
        return unknown_command(name);
    }
    s2clr_help_family(stdout, argv[0], s2clr_help_width());
    return asked ? S2CLR_EXIT_DONE : S2CLR_EXIT_USAGE;
}

/* "help", "help COMMAND" and "--help". */
static int run_help(int argc, char **argv)
{
    int words;
    const s2clr_command *command = s2clr_command_match(argc, argv, &words);
    if (command)
        s2clr_help_command(stdout, command, s2clr_help_width());
    else if (argc > 0 && s2clr_command_is_family(argv[0]))
        s2clr_help_family(stdout, argv[0], s2clr_help_width());
    else if (argc > 0)
        return unknown_command(argv[0]);
    else
        s2clr_help_overview(stdout, s2clr_help_width());
    return S2CLR_EXIT_DONE;
}

/* Words before any command: none, --help, help COMMAND, --version. -1: it is something else. */
static int run_without_command(int argc, char **argv)
{
    if (argc < 2) {
        s2clr_help_first_steps(stdout);
        return S2CLR_EXIT_USAGE;
    }
    if (is_word(argv[1], "version")) {
        puts("s2clr " S2CLR_VERSION);
        return S2CLR_EXIT_DONE;
    }
    if (!is_word(argv[1], "help") && strcmp(argv[1], "-h") != 0) return -1;
    return run_help(argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    const int code = run_without_command(argc, argv);
    if (code >= 0) return code;
    int words;
    const s2clr_command *command = s2clr_command_match(argc - 1, argv + 1, &words);
    if (command) return run(command, argc - 1 - words, argv + 1 + words);
    if (s2clr_command_is_family(argv[1])) return run_family(argc - 1, argv + 1);
    return unknown_command(argv[1]);
}
