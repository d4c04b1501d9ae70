/*
 * How progress is shown: a bar with rate and time left on a terminal, "progress 12.5" lines, or
 * nothing; and how a signal reaches the work: the callback says stop.
 *
 *     s2clr_terminal terminal;
 *     const s2clr_progress progress = s2clr_terminal_start(&terminal, "predict", "auto");
 *     ... work(&progress) ...
 *     s2clr_terminal_end(&terminal);
 */
#ifndef S2CLR_COMMANDS_TERMINAL_H
#define S2CLR_COMMANDS_TERMINAL_H

#include <stdio.h>

#include "base/progress.h"

typedef enum s2clr_terminal_mode {
    S2CLR_TERMINAL_NONE,
    S2CLR_TERMINAL_BAR,
    S2CLR_TERMINAL_LINES
} s2clr_terminal_mode;

typedef struct s2clr_terminal {
    s2clr_terminal_mode mode;
    const char *label;
    FILE *to;
    double started, shown; /* seconds of the monotonic clock; when last drawn */
    double last;           /* fraction last drawn, -1: none */
} s2clr_terminal;

/* mode: "auto", "lines" or "none". The terminal must outlive the use of the result. */
s2clr_progress s2clr_terminal_start(s2clr_terminal *terminal, const char *label, const char *mode);

/* Wipes the bar; before anything else is printed. */
void s2clr_terminal_end(s2clr_terminal *terminal);

#endif
