#define _GNU_SOURCE
#include "commands/terminal.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands/interrupt.h"
#include "commands/say.h"
#include "predict/clock.h"

#define SECONDS_BETWEEN 0.1
#define LINE_BYTES 512

/* Asked every time: windows are resized. */
static int columns_of(FILE *to)
{
    struct winsize size;
    const bool known = ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

/* A bar that was drawn in a wider window stands on several lines now. */
static void wipe(const s2clr_terminal *t, int columns)
{
    const int above = t->drawn > 0 ? (t->drawn - 1) / columns : 0;
    if (above) fprintf(t->to, "\033[%dA", above);
    fputs(above ? "\r\033[J" : "\r\033[K", t->to);
}

static void draw_bar(s2clr_terminal *t, double fraction, const char *message, double now)
{
    char line[LINE_BYTES];
    const int columns = columns_of(t->to);
    const int length = s2clr_bar_line(t->label, t->begin, fraction, now - t->since, message,
                                      columns - 1, line, sizeof line); /* the last one may wrap */
    wipe(t, columns);
    if (t->colours) {
        const char *open = strchr(line, '[');
        const int before = open ? (int)(open - line) + 1 : length;
        const int full = (int)strspn(line + before, "#");
        fprintf(t->to, "%.*s\033[32m%.*s\033[0m%s", before, line, full, line + before,
                line + before + full);
    } else {
        fputs(line, t->to);
    }
    fflush(t->to);
    t->drawn = length;
}

static bool on_progress(void *context, double fraction, const char *message)
{
    s2clr_terminal *t = context;
    if (s2clr_interrupt_signal()) return false;
    const double now = s2clr_clock_seconds();
    const bool last = fraction >= 1 && t->last < 1;
    if (t->since < 0) {
        t->begin = fraction;
        t->since = now;
    }
    if (t->mode == S2CLR_TERMINAL_NONE || (!last && now - t->shown < SECONDS_BETWEEN)) return true;
    if (t->mode == S2CLR_TERMINAL_BAR) {
        draw_bar(t, fraction, message, now);
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

static void warn(void *context, const char *text)
{
    s2clr_terminal *t = context;
    s2clr_terminal_end(t);
    s2clr_say_warning(t->label, text);
}

s2clr_progress s2clr_terminal_start(s2clr_terminal *terminal, const char *label, const char *mode)
{
    s2clr_terminal t = {.label = label, .to = stdout, .last = -1, .since = -1};
    if (strcmp(mode, "lines") == 0) {
        t.mode = S2CLR_TERMINAL_LINES;
    } else if (strcmp(mode, "auto") == 0 && (s2clr_is_screen(stderr) || s2clr_is_screen(stdout))) {
        /* A bar belongs to whoever watches, also when the result is piped away. */
        t.mode = S2CLR_TERMINAL_BAR;
        if (s2clr_is_screen(stderr)) t.to = stderr;
        t.colours = s2clr_has_colours(t.to);
    }
    *terminal = t;
    return (s2clr_progress){.call = on_progress, .context = terminal, .warn = warn};
}

void s2clr_terminal_end(s2clr_terminal *terminal)
{
    if (terminal->mode == S2CLR_TERMINAL_BAR && terminal->drawn > 0) {
        wipe(terminal, columns_of(terminal->to));
        fflush(terminal->to);
        terminal->drawn = 0;
    }
}
