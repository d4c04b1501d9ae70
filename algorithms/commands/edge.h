/*
 * What every command does at its edge: GDAL, devices, errors and warnings, exit codes.
 *
 *     s2clr_edge_gdal(args);
 *     const s2clr_status status = work(args);
 *     return status == S2CLR_OK ? S2CLR_EXIT_DONE : s2clr_edge_fail(args, status);
 */
#ifndef S2CLR_COMMANDS_EDGE_H
#define S2CLR_COMMANDS_EDGE_H

#include <jansson.h>

#include "commands/exit_codes.h"
#include "commands/params.h"
#include "commands/terminal.h"
#include "train/machine.h"

/* Registers GDAL's drivers, applies --config and --memory, and takes GDAL's own messages over:
 * failures are told by whoever met them, warnings go to standard error unless --quiet. */
void s2clr_edge_gdal(const s2clr_args *args);

/* Gives GDAL's messages back; before `args` are freed. */
void s2clr_edge_end(void);

/* Prints the thread's error text; the exit code that belongs to the status. */
int s2clr_edge_fail(const s2clr_args *args, s2clr_status status);

/* "s2clr predict: warning: ..." on standard error, unless --quiet. */
void s2clr_edge_warn(const s2clr_args *args, const char *text);

/* Warns when --device leaves the choice to us and what we should take cannot be used, or the best
 * that is left is the slow one, although this build has a faster one that is missing or broken. For
 * commands without --device: nothing. */
void s2clr_edge_warn_slow(const s2clr_args *args);

/* The pool that --threads asks for. */
s2clr_status s2clr_edge_pool(const s2clr_args *args, s2clr_pool **out);

/* What --device and --precision ask for, into all of *out but its pool; s2clr_machine_close(). */
s2clr_status s2clr_edge_device(const s2clr_args *args, s2clr_machine *out);

/* After work that could not be interrupted: S2CLR_ERR_CANCELLED when a signal came meanwhile. */
s2clr_status s2clr_edge_go_on(void);

s2clr_progress s2clr_edge_progress(const s2clr_args *args, s2clr_terminal *terminal);

/* Is the result wanted as JSON, on standard output (--json) or in a file (--results)? */
bool s2clr_edge_wants_json(const s2clr_args *args);

/* Puts it where it is wanted, and releases it. */
s2clr_status s2clr_edge_result(const s2clr_args *args, json_t *json);

/* Before the work: S2CLR_ERR_EXISTS when the file of --results is there already. */
s2clr_status s2clr_edge_check_results(const s2clr_args *args);

/* Prints and releases; S2CLR_ERR_IO when standard output cannot be written. */
s2clr_status s2clr_edge_json(json_t *json);

/* Flushes standard output; a full disk behind a pipe is an error, not a shorter text. */
s2clr_status s2clr_edge_flush(void);

/* The command a set of arguments belongs to. */
const char *s2clr_edge_name(const s2clr_args *args);

#endif
