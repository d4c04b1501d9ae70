#define _GNU_SOURCE
#include "commands/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t digits(const char **text)
{
    const size_t n = strspn(*text, "0123456789");
    *text += n;
    return n;
}

static void sign(const char **text)
{
    if (**text == '+' || **text == '-') ++*text;
}

bool s2clr_number_int(const char *text, long *out)
{
    const char *at = text;
    sign(&at);
    if (!digits(&at) || *at) return false;
    errno = 0;
    const long value = strtol(text, NULL, 10);
    if (errno) return false;
    *out = value;
    return true;
}

/* strtod() alone would take hexadecimal numbers, "inf", leading blanks and a locale's comma. */
static bool looks_decimal(const char *at)
{
    sign(&at);
    size_t n = digits(&at);
    if (*at == '.') {
        at++;
        n += digits(&at);
    }
    if (!n) return false;
    if (*at == 'e' || *at == 'E') {
        at++;
        sign(&at);
        if (!digits(&at)) return false;
    }
    return *at == '\0';
}

bool s2clr_number_real(const char *text, double *out)
{
    if (!looks_decimal(text)) return false;
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) return false;
    const double value = strtod_l(text, NULL, c);
    freelocale(c);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}
