/* What the exit status of s2clr means: the one table, for the help text; s2clr(1) says the same. */
#ifndef S2CLR_COMMANDS_EXIT_CODES_H
#define S2CLR_COMMANDS_EXIT_CODES_H

#include <stddef.h>

enum { S2CLR_EXIT_DONE = 0, S2CLR_EXIT_FAILED = 1, S2CLR_EXIT_USAGE = 2, S2CLR_EXIT_SIGNAL = 128 };

typedef struct s2clr_exit_code {
    int code;
    const char *what;
} s2clr_exit_code;

size_t s2clr_exit_codes(const s2clr_exit_code **out);

#endif
