/* Dates of labels: a day, a month or a year, as spans of days. */
#include <stdio.h>
#include <string.h>

#include "labels/plabels.h"

/* Days from 1970-01-01 in the Gregorian calendar (Fliegel and Van Flandern, CACM 11, 1968: the
 * Julian day number from integers). */
static int64_t day_number(int year, int month, int day)
{
    const int64_t a = (month - 14) / 12, y = year + 4800 + a, m = month - 2 - 12 * a;
    return day - 32075 + 1461 * y / 4 + 367 * m / 12 - 3 * ((y + 100) / 100) / 4 - 2440588;
}

bool s2clr_days_of(int year, int month, int day, s2clr_days *out)
{
    char text[40];
    int ymd[3];
    const int first_month = month ? month : 1, last_month = month ? month : 12;
    if (year < 1 || year > 9999 || (month == 0 && day != 0)) return false;
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, first_month, day ? day : 1);
    if (!s2clr_date_parse(text, ymd)) return false;
    out->known = true;
    out->first = day_number(year, first_month, day ? day : 1);
    if (day)
        out->last = out->first;
    else if (last_month == 12)
        out->last = day_number(year, 12, 31);
    else
        out->last = day_number(year, last_month + 1, 1) - 1;
    return true;
}

/* At most `digits` of them; 0 when there is none. */
static int take_number(const char **text, int digits, int *out)
{
    int taken = 0, value = 0;
    while (taken < digits && **text >= '0' && **text <= '9') {
        value = value * 10 + (**text - '0');
        ++*text;
        taken++;
    }
    *out = value;
    return taken;
}

bool s2clr_days_parse(const char *text, s2clr_days *out)
{
    int part[3] = {0, 0, 0};
    while (*text == ' ') text++;
    if (take_number(&text, 4, &part[0]) != 4) return false;
    for (int i = 1; i < 3 && *text && strchr("-/:", *text); i++) {
        text++;
        if (take_number(&text, 2, &part[i]) == 0 || part[i] == 0) return false;
    }
    if (*text && !(part[2] && (*text == ' ' || *text == 'T')) && strspn(text, " ") != strlen(text))
        return false;
    return s2clr_days_of(part[0], part[1], part[2], out);
}

bool s2clr_days_count(const s2clr_days *label, const s2clr_days *patch, int window)
{
    if (window < 0 || !label->known) return true;
    if (!patch->known) return false;
    return label->first - patch->last <= window && patch->first - label->last <= window;
}
