/*
 * The OPTIONS section of a command's man page in mdoc(7) macros, from its parameter table.
 */
#ifndef S2CLR_COMMANDS_MAN_OPTIONS_H
#define S2CLR_COMMANDS_MAN_OPTIONS_H

#include <stdio.h>

#include "commands/params.h"

void s2clr_man_options(FILE *to, const s2clr_command *command);

#endif
