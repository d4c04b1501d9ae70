/*
 * s2clr COMMAND ...: finds the command, parses its arguments with its table, runs it. The only file
 * that ends the process (a second signal aside, see interrupt.c).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/cmd_list.h"
#include "commands/edge.h"
#include "commands/help.h"
#include "commands/interrupt.h"
#include "commands/say.h"
#include "base/suggest.h"

enum { NAMES_MAX = 128 };

/* Whole names ("dataset import") and first words ("dataset"). */
static size_t list_names(char family[NAMES_MAX][80], const char *names[2 * NAMES_MAX])
{
    const s2clr_command *const *list;
    const size_t commands = s2clr_command_list(&list);
    size_t count = 0;
    for (size_t i = 0; i < commands && i < NAMES_MAX; i++) {
        names[count++] = list[i]->name;
        snprintf(family[i], sizeof family[i], "%.*s", (int)strcspn(list[i]->name, " "),
                 list[i]->name);
        if (strchr(list[i]->name, ' ')) names[count++] = family[i];
    }
    return count;
}

static int unknown_command(int argc, char **argv)
{
    char family[NAMES_MAX][80], pair[160] = "", text[400];
    const char *names[2 * NAMES_MAX];
    const size_t count = list_names(family, names);
    if (argc > 1) snprintf(pair, sizeof pair, "%.70s %.70s", argv[0], argv[1]);
    /* "datset import" is the nearer to one in two words. */
    const char *near = pair[0] ? s2clr_suggest(pair, names, count) : NULL;
    const bool in_two = near && strchr(near, ' ');
    if (!in_two) near = s2clr_suggest(argv[0], names, count);
    snprintf(text, sizeof text,
             "unknown command \"%.80s\"%s%s; \"s2clr --help\" lists the commands",
             in_two || s2clr_command_is_family(argv[0]) ? pair : argv[0],
             near ? ": did you mean " : "", near ? near : "");
    s2clr_say_error(NULL, text);
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
        s2clr_say_error(command->name, s2clr_error_text());
        return S2CLR_EXIT_USAGE;
    }
    int code = S2CLR_EXIT_DONE;
    if (s2clr_args_flag(args, "help")) {
        s2clr_help_command(stdout, command, s2clr_help_width());
    } else if (s2clr_args_flag(args, "version")) {
        puts("s2clr " S2CLR_VERSION);
    } else {
        s2clr_interrupt_install();
        s2clr_edge_warn_slow(args);
        const s2clr_status free_name = s2clr_edge_check_results(args);
        code = free_name == S2CLR_OK ? command->run(args) : s2clr_edge_fail(args, free_name);
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
    char text[240];
    if (argc > 1 && !asked && argv[1][0] == '-') {
        snprintf(text, sizeof text,
                 "unknown option %.80s before a command; \"s2clr %.60s --help\" lists the commands",
                 argv[1], argv[0]);
        s2clr_say_error(argv[0], text);
        return S2CLR_EXIT_USAGE;
    }
    if (argc > 1 && !asked) return unknown_command(argc, argv);
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
        return unknown_command(argc, argv);
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

/* A file that is opened while one of the three is closed would get its number, and our text. What
 * stands in for a closed standard output cannot be written either. */
static void fill_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR);
}

static int run_words(int argc, char **argv)
{
    int words;
    const s2clr_command *command = s2clr_command_match(argc - 1, argv + 1, &words);
    if (command) return run(command, argc - 1 - words, argv + 1 + words);
    if (s2clr_command_is_family(argv[1])) return run_family(argc - 1, argv + 1);
    return unknown_command(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    fill_streams();
    int code = run_without_command(argc, argv);
    if (code < 0) code = run_words(argc, argv);
    if (code == S2CLR_EXIT_DONE && s2clr_edge_flush() != S2CLR_OK) {
        s2clr_say_error(NULL, s2clr_error_text());
        code = S2CLR_EXIT_FAILED;
    }
    return code;
}
