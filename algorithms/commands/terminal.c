#define _GNU_SOURCE
#include "commands/terminal.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "commands/interrupt.h"
#include "predict/clock.h"

#define BAR_CELLS 30
#define SECONDS_BETWEEN 0.1

static void draw_bar(const s2clr_terminal *t, double fraction, const char *message, double elapsed)
{
    char cells[BAR_CELLS + 1], left[32] = "--:--";
    const int full = (int)(fraction * BAR_CELLS);
    for (int i = 0; i < BAR_CELLS; i++) cells[i] = i < full ? '#' : '.';
    cells[BAR_CELLS] = '\0';
    if (fraction > 0.002 && elapsed > 0.5) {
        const long seconds = (long)(elapsed * (1 - fraction) / fraction + 0.5);
        snprintf(left, sizeof left, "%ld:%02ld", seconds / 60, seconds % 60);
    }
    const double rate = elapsed > 0 ? 100 * fraction / elapsed : 0;
    fprintf(t->to, "\r%s [%s] %5.1f %%  %.2f %%/s  %s left  %.40s\033[K", t->label, cells,
            100 * fraction, rate, left, message ? message : "");
    fflush(t->to);
}

static bool on_progress(void *context, double fraction, const char *message)
{
    s2clr_terminal *t = context;
    if (s2clr_interrupt_signal()) return false;
    const double now = s2clr_clock_seconds();
    const bool last = fraction >= 1 && t->last < 1;
    if (t->mode == S2CLR_TERMINAL_NONE || (!last && now - t->shown < SECONDS_BETWEEN)) return true;
    if (t->mode == S2CLR_TERMINAL_BAR) {
        draw_bar(t, fraction, message, now - t->started);
    } else if (last || fabs(fraction - t->last) >= 0.001) {
        fprintf(t->to, "progress %.1f\n", 100 * fraction);
        fflush(t->to);
    } else {
        return true;
    }
    t->shown = now;
    t->last = fraction;
    return true;
}

s2clr_progress s2clr_terminal_start(s2clr_terminal *terminal, const char *label, const char *mode)
{
    s2clr_terminal t = {.label = label, .to = stdout, .started = s2clr_clock_seconds(), .last = -1};
    if (strcmp(mode, "lines") == 0) {
        t.mode = S2CLR_TERMINAL_LINES;
    } else if (strcmp(mode, "auto") == 0 && (isatty(STDERR_FILENO) || isatty(STDOUT_FILENO))) {
        /* A bar belongs to whoever watches, also when the result is piped away. */
        t.mode = S2CLR_TERMINAL_BAR;
        if (isatty(STDERR_FILENO)) t.to = stderr;
    }
    *terminal = t;
    return (s2clr_progress){.call = on_progress, .context = terminal};
}

void s2clr_terminal_end(s2clr_terminal *terminal)
{
    if (terminal->mode == S2CLR_TERMINAL_BAR && terminal->last >= 0) {
        fputs("\r\033[K", terminal->to);
        fflush(terminal->to);
        terminal->last = -1;
    }
}
