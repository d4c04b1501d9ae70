/* A completion script from the tables of commands. */
#ifndef S2CLR_COMMANDS_COMPLETION_H
#define S2CLR_COMMANDS_COMPLETION_H

#include <stdio.h>

void s2clr_completion_bash(FILE *to);

#endif
