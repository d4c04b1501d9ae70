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
    bool colours;
    double shown;        /* seconds of the monotonic clock: when last drawn */
    double last;         /* fraction last drawn, -1: none */
    double begin, since; /* first fraction told, not 0 when a run is resumed, and when; -1: none */
    int drawn;           /* columns of the bar that stands there */
} s2clr_terminal;

/* mode: "auto", "lines" or "none". The terminal must outlive the use of the result. */
s2clr_progress s2clr_terminal_start(s2clr_terminal *terminal, const char *label, const char *mode);

/* Wipes the bar; before anything else is printed. */
void s2clr_terminal_end(s2clr_terminal *terminal);

/* The line of a bar, at most `columns` wide: what is least needed goes first where that is narrow.
 * seconds: of work that brought the fraction from `begin` to `fraction`. Returns its columns. */
int s2clr_bar_line(const char *label, double begin, double fraction, double seconds,
                   const char *message, int columns, char *out, size_t size);

#endif
