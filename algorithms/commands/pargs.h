/* Private to params.c and args.c: the parsed values. */
#ifndef S2CLR_COMMANDS_PARGS_H
#define S2CLR_COMMANDS_PARGS_H

#include "commands/params.h"

typedef struct s2clr_arg {
    size_t count;     /* how often given */
    char **text;      // (count), owned
    double window[4]; /* of the WINDOW types */
} s2clr_arg;

struct s2clr_args {
    const s2clr_command *command;
    size_t rows;
    s2clr_arg *value; // (rows), in the order of s2clr_command_row()
    char *line;
};

/* Appends a copy of `text` to the values of an argument. */
s2clr_status s2clr_arg_append(s2clr_arg *arg, const char *text);

/* Fills args->line: "s2clr NAME --OPTION VALUE... ARGUMENT...", quoted for a shell, without what
 * cannot change a result (threads, memory ...). */
s2clr_status s2clr_line_make(s2clr_args *args);

#endif
