/*
 * One run of `s2clr COMMAND`: the words of its command line, the run, and what came of it.
 *
 *     s2clr_program_call *call;
 *     S2CLR_TRY(s2clr_program_call_new(table, &call));
 *     s2clr_program_call_add(call, s2clr_program_table_find(table, "stride"), "8");
 *     s2clr_program_result result;
 *     status = s2clr_program_call_run(call, "/usr/bin/s2clr", &progress, &result);
 *     ... result.text, result.warnings ...
 *
 * A run that fails leaves the program's own message as error text.
 */
#ifndef S2CLR_PROGRAM_CALL_H
#define S2CLR_PROGRAM_CALL_H

#include "base/progress.h"
#include "program/program_table.h"

typedef struct s2clr_program_call s2clr_program_call;

/* The table must outlive the call. Progress is asked for where the command has it. */
s2clr_status s2clr_program_call_new(const s2clr_program_table *table, s2clr_program_call **out);
void s2clr_program_call_free(s2clr_program_call *call);

/* Gives `row` a value (NULL for a flag, "1,2,3,4" for a window), in any order; a repeated row takes
 * several. Words are passed as they are: no shell sees them. */
s2clr_status s2clr_program_call_add(s2clr_program_call *call, const s2clr_program_row *row,
                                    const char *value);

/* Adds NAME=VALUE to the program's environment: GDAL takes its configuration options from there,
 * and unlike words of a command line nobody else on this machine can read them. */
s2clr_status s2clr_program_call_set(s2clr_program_call *call, const char *setting);

typedef struct s2clr_program_result {
    char *text;     /* what it printed, "" if nothing */
    char *warnings; /* one per line, without "warning:"; "" if none */
} s2clr_program_result;

/* S2CLR_OK: exit code 0. S2CLR_ERR_ARGUMENT: 2, S2CLR_ERR_CANCELLED: interrupted, else
 * S2CLR_ERR_IO. */
s2clr_status s2clr_program_call_run(const s2clr_program_call *call, const char *program,
                                    const s2clr_progress *progress, s2clr_program_result *out);
void s2clr_program_result_free(s2clr_program_result *result);

#endif
