/*
 * A run folder that explains itself: settings.json, run.txt and curves.svg beside what training
 * writes there (train/run_folder.h).
 *
 *     s2clr_run_record record;
 *     S2CLR_TRY(s2clr_run_record_open(args, print_plan, &plan, &record));
 *     const s2clr_progress progress = s2clr_run_record_progress(&record, inner);
 *     status = s2clr_pretrain_run(..., &progress, &result);
 *     status = s2clr_run_record_close(&record, status, print_result, &result);
 *
 * The files appear with the folder, the curves grow with log.jsonl, and the result is added at the
 * end. A resumed run finds the settings and leaves them as they are. Every file is replaced at
 * once.
 */
#ifndef S2CLR_COMMANDS_RUN_RECORD_H
#define S2CLR_COMMANDS_RUN_RECORD_H

#include <stdbool.h>
#include <stdio.h>

#include "base/progress.h"
#include "commands/params.h"

typedef void (*s2clr_run_text)(FILE *to, const void *context);

typedef struct s2clr_run_record {
    const s2clr_args *args;
    const char *folder;
    char *plan; /* what the run is, as text */
    const s2clr_progress *inner;
    bool begun;     /* settings.json and run.txt are there */
    long log_bytes; /* that the curves were drawn from */
} s2clr_run_record;

/* print: the plan, read again by whoever opens the folder; called at once. */
s2clr_status s2clr_run_record_open(const s2clr_args *args, s2clr_run_text print,
                                   const void *context, s2clr_run_record *out);

/* Passes all on to `inner`, and looks after the files in passing; what cannot be written is left
 * for the end. The record must stay where it is. */
s2clr_progress s2clr_run_record_progress(s2clr_run_record *record, const s2clr_progress *inner);

/* status: of the run; it is what is returned, unless it was good and a file cannot be written.
 * print: the result, called when status is S2CLR_OK. Frees what the record holds. */
s2clr_status s2clr_run_record_close(s2clr_run_record *record, s2clr_status status,
                                    s2clr_run_text print, const void *context);

#endif
