/*
 * Progress and cancellation of long work, and nothing else: how it is shown is the edge's business.
 */
#ifndef S2CLR_BASE_PROGRESS_H
#define S2CLR_BASE_PROGRESS_H

#include <stdbool.h>

/* fraction in [0, 1]; message may be NULL or a borrowed one-line text. Called from the thread that
 * started the work, often enough for a live display. false = stop: the work returns
 * S2CLR_ERR_CANCELLED soon, with nothing half-written under a final name. */
typedef bool (*s2clr_progress_fn)(void *context, double fraction, const char *message);

typedef struct s2clr_progress {
    s2clr_progress_fn call; /* NULL: silent, never cancelled */
    void *context;
    /* A line that the user should not overlook; borrowed. NULL: nobody is told. */
    void (*warn)(void *context, const char *text);
} s2clr_progress;

static inline void s2clr_progress_warn(const s2clr_progress *progress, const char *text)
{
    if (progress && progress->warn) progress->warn(progress->context, text);
}

static inline bool s2clr_progress_report(const s2clr_progress *progress, double fraction,
                                         const char *message)
{
    return !progress || !progress->call || progress->call(progress->context, fraction, message);
}

#endif
