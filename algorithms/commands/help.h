/*
 * What a user reads: --help of a command, the list of commands, the first steps.
 *
 *     s2clr_help_command(stdout, s2clr_command_find("predict"), 80);
 */
#ifndef S2CLR_COMMANDS_HELP_H
#define S2CLR_COMMANDS_HELP_H

#include <stdio.h>

#include "commands/params.h"

/* Columns of the terminal (COLUMNS, else the terminal's own), within 80..100. */
int s2clr_help_width(void);

void s2clr_help_command(FILE *to, const s2clr_command *command, int width);
void s2clr_help_overview(FILE *to, int width);
/* "dataset": what its second words do. */
void s2clr_help_family(FILE *to, const char *family, int width);
void s2clr_help_first_steps(FILE *to);

/* "INPUT...", "-m, --model FILE": a row as it is shown in help and man pages. */
void s2clr_row_label(const s2clr_param_row *row, char *out, size_t size);

/* Ends the help of a row: default, range and choices, as "(default 0.5; 0 to 1)" or "". */
void s2clr_row_limits(const s2clr_param_row *row, char *out, size_t size);

/* Heading index of rows: the g-th distinct group of a command in order of first use, NULL past the
 * end; advanced rows come under "Advanced" last. */
const char *s2clr_row_group(const s2clr_param_row *row);
const char *s2clr_command_group(const s2clr_command *command, size_t g);

#endif
