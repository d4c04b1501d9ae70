/* s2clr completion: a script for the shell. */
#include "commands/cmd_list.h"
#include "commands/completion.h"
#include "commands/edge.h"

static const s2clr_param_row rows[] = {
    {"shell", NULL, S2CLR_TYPE_CHOICE, .positional = true, .required = true, .choices = "bash",
     .group = "Input", .help = "The shell to complete in."},
};

static int run(const s2clr_args *args)
{
    s2clr_completion_bash(stdout);
    const s2clr_status status = s2clr_edge_flush();
    return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
}

const s2clr_command s2clr_cmd_completion = {
    .name = "completion",
    .summary = "a script that completes commands and options in the shell",
    .description =
        "Prints a completion script. Source it in the shell, or put it where bash-completion looks "
        "(~/.local/share/bash-completion/completions/s2clr).",
    .example = "source <(s2clr completion bash)",
    .title = "Complete words in the shell",
    .section = "Model",
    .no_dialog = "it makes a script for a shell",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .global = "",
    .run = run,
};
