/*
 * A program run as a child process: no shell, progress lines ("progress 12.5") turned into
 * progress, SIGTERM when the progress function says stop, everything else it prints collected.
 *
 *     const char *words[] = {"/usr/bin/s2clr", "info", "--progress=lines", NULL};
 *     s2clr_child_end end;
 *     S2CLR_TRY(s2clr_child_run(words, NULL, &progress, S2CLR_CHILD_GRACE, &end));
 *     ... end.code, end.text ...
 *     s2clr_child_end_free(&end);
 */
#ifndef S2CLR_PROGRAM_CHILD_H
#define S2CLR_PROGRAM_CHILD_H

#include <stdbool.h>

#include "base/progress.h"
#include "base/status.h"

/* Seconds that a child gets to tidy up after SIGTERM, before it is killed. */
#define S2CLR_CHILD_GRACE 30.0

typedef struct s2clr_child_end {
    int code;       /* its exit code, or 128 + the number of the signal that killed it */
    bool cancelled; /* the progress function said stop */
    char *text;     /* standard output without the progress lines; "" if none */
    char *errors;   /* standard error: the last 64 KiB; "" if none */
} s2clr_child_end;

/* Runs words[0] (a path) with the NULL-terminated words, standard input empty, no other file
 * descriptor inherited, no signal blocked, SIGINT and SIGTERM heard. settings: NULL, or a
 * NULL-terminated list of NAME=VALUE that replace or join this process's environment. Returns when
 * the program has ended, whatever its exit code; fails when it cannot be started or prints more
 * than 64 MiB. */
s2clr_status s2clr_child_run(const char *const *words, const char *const *settings,
                             const s2clr_progress *progress, double grace_seconds,
                             s2clr_child_end *out);

void s2clr_child_end_free(s2clr_child_end *end);

#endif
