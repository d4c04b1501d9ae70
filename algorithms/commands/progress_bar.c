/* What a progress bar shows, in as many columns as there are. */
#include <math.h>
#include <string.h>

#include "commands/terminal.h"

#define CELLS_LEAST 5
#define CELLS_MOST 30
#define MESSAGE_LEAST 10
#define MESSAGE_MOST 40
/* Before this much is done nothing can be said of what is left. */
#define SHARE_LEAST 0.002
#define SECONDS_LEAST 0.5

/* "0:25", "12:05", "3:02:05" */
static void clock_text(double seconds, char *out, size_t size)
{
    if (!(seconds < 360000.0)) { /* a hundred hours: no figure to wait for */
        snprintf(out, size, "> 99 h");
        return;
    }
    const unsigned all = (unsigned)(seconds + 0.5);
    const unsigned hours = all / 3600, minutes = all / 60 % 60;
    if (hours)
        snprintf(out, size, "%u:%02u:%02u", hours, minutes, all % 60);
    else
        snprintf(out, size, "%u:%02u", minutes, all % 60);
}

/* Per cent in the unit of time in which that is a number to read. */
static void rate_text(double per_second, char *out, size_t size)
{
    if (per_second >= 0.5)
        snprintf(out, size, "  %.1f %%/s", per_second);
    else if (per_second * 60 >= 0.5)
        snprintf(out, size, "  %.1f %%/min", per_second * 60);
    else
        snprintf(out, size, "  %.1f %%/h", per_second * 3600);
}

/* At most `most` bytes, never a part of a UTF-8 letter; a byte counts as a column. */
static int cut(const char *text, int most)
{
    int length = (int)strlen(text);
    if (length <= most) return length;
    for (length = most; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;) length--;
    return length;
}

static void fill_cells(double fraction, int cells, char *out)
{
    const int full = (int)(fraction * cells);
    for (int i = 0; i < cells; i++) out[i] = i < full ? '#' : '.';
    out[cells] = '\0';
}

int s2clr_bar_line(const char *label, double begin, double fraction, double seconds,
                   const char *message, int columns, char *out, size_t size)
{
    char percent[16], left[32] = "", rate[32] = "", name[48] = "", cells[CELLS_MOST + 1] = "";
    fraction = fraction > 0 ? fmin(fraction, 1) : 0; /* NaN: 0 */
    const double done = fraction - begin;
    snprintf(percent, sizeof percent, "%5.1f %%", 100 * fraction);
    int room = columns - (int)strlen(percent);
    if (room < 0) percent[0] = '\0';
    if (done > SHARE_LEAST && seconds > SECONDS_LEAST) {
        char time[24];
        clock_text(seconds * (1 - fraction) / done, time, sizeof time);
        snprintf(left, sizeof left, "  %s left", time);
        rate_text(100 * done / seconds, rate, sizeof rate);
    }
    if ((int)strlen(left) > room) left[0] = '\0';
    room -= (int)strlen(left);
    snprintf(name, sizeof name, "%.46s ", label);
    if ((int)strlen(name) > room) name[0] = '\0';
    room -= (int)strlen(name);
    if (room < CELLS_LEAST + 3 + (int)strlen(rate)) rate[0] = '\0';
    room -= (int)strlen(rate);
    const int wide = room - 3 > CELLS_MOST ? CELLS_MOST : room - 3;
    if (wide >= CELLS_LEAST) {
        fill_cells(fraction, wide, cells);
        room -= wide + 3;
    }
    int shown = 0;
    if (message && room - 2 >= MESSAGE_LEAST)
        shown = cut(message, room - 2 < MESSAGE_MOST ? room - 2 : MESSAGE_MOST);
    return snprintf(out, size, "%s%s%s%s%s%s%s%s%.*s", name, cells[0] ? "[" : "", cells,
                    cells[0] ? "] " : "", percent, rate, left, shown ? "  " : "", shown,
                    shown ? message : "");
}
