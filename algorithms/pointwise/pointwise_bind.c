/* Arguments: from "name=value" to what the rows compute with. */
#define _GNU_SOURCE
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/suggest.h"
#include "pointwise/pointwise.h"

enum { COMMON_NODATA, COMMON_FILL, COMMON_COUNT };
enum { ALL_MAX = S2CLR_POINTWISE_ARGS_MAX + COMMON_COUNT };

/* Own arguments first, then the common ones. */
typedef struct binding {
    const s2clr_pointwise *row;
    const s2clr_pointwise_arg *arg[ALL_MAX];
    const char *given[ALL_MAX]; /* NULL: not given */
    s2clr_pointwise_value value[ALL_MAX];
    int own, count;
} binding;

static binding new_binding(const s2clr_pointwise *row)
{
    binding b = {.row = row};
    while (b.own < S2CLR_POINTWISE_ARGS_MAX && row->arg[b.own].name) {
        b.arg[b.own] = &row->arg[b.own];
        b.own++;
    }
    b.count = b.own;
    for (const s2clr_pointwise_arg *arg = s2clr_pointwise_common(); arg->name; arg++)
        b.arg[b.count++] = arg;
    return b;
}

/* ---- names ---- */

static s2clr_status unknown(const binding *b, const char *name, int length)
{
    const char *names[ALL_MAX];
    char word[64], known[300] = "";
    for (int i = 0; i < b->count; i++) {
        const size_t used = strlen(known);
        names[i] = b->arg[i]->name;
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    }
    snprintf(word, sizeof word, "%.*s", length, name);
    const char *near = s2clr_suggest(word, names, (size_t)b->count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "there is no argument \"%s\"%s%s%s; there are %s",
                           word, near ? ", did you mean " : "", near ? near : "", near ? "?" : "",
                           known);
}

/* Finds the argument of "name=value" and notes the value. */
static s2clr_status note(binding *b, const char *argument)
{
    const size_t length = strcspn(argument, "=");
    for (int i = 0; i < b->count; i++) {
        const char *name = b->arg[i]->name;
        if (strlen(name) != length || strncasecmp(name, argument, length) != 0) continue;
        if (argument[length] == '\0' || b->given[i])
            return s2clr_error_set(S2CLR_ERR_ARGUMENT, "argument %s %s", name,
                                   b->given[i] ? "is given twice; give it once"
                                               : "has no value; write it as name=value");
        b->given[i] = argument + length + 1;
        return S2CLR_OK;
    }
    return unknown(b, argument, length > 63 ? 63 : (int)length);
}

/* ---- values ---- */

static s2clr_status refuse(const s2clr_pointwise_arg *arg, const char *text, const char *wanted)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "argument %s is \"%.100s\", wanted %s%s", arg->name,
                           text, wanted,
                           arg->standard && strcmp(arg->standard, "none") == 0 ? ", or none" : "");
}

/* strtod() alone would take blanks, hexadecimal numbers, "inf" and a locale's comma. */
static bool parse_real(const char *text, double *out)
{
    char *end;
    if (!text[0] || text[strspn(text, "+-.0123456789eE")]) return false;
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) return false;
    *out = strtod_l(text, &end, c);
    freelocale(c);
    return *end == '\0' && isfinite(*out);
}

static s2clr_status read_real(const s2clr_pointwise_arg *arg, const char *text,
                              s2clr_pointwise_value *out)
{
    char wanted[100];
    const char *edge = arg->inside ? "above" : "from";
    double value;
    if (arg->low > -HUGE_VAL && arg->high < HUGE_VAL)
        snprintf(wanted, sizeof wanted, "a number %s %g %s %g", edge, arg->low,
                 arg->inside ? "and below" : "to", arg->high);
    else if (arg->low > -HUGE_VAL)
        snprintf(wanted, sizeof wanted, "a number %s %g%s", edge, arg->low,
                 arg->inside ? "" : " on");
    else
        snprintf(wanted, sizeof wanted, "a number, as 0.5 or -1e3");
    if (!parse_real(text, &value)) return refuse(arg, text, wanted);
    if (arg->inside ? !(value > arg->low && value < arg->high)
                    : !(value >= arg->low && value <= arg->high))
        return refuse(arg, text, wanted);
    out->number = value;
    return S2CLR_OK;
}

static s2clr_status read_integers(const s2clr_pointwise_arg *arg, const char *text,
                                  s2clr_pointwise_value *out)
{
    memset(out, 0, sizeof *out);
    for (const char *item = text;;) {
        char *end;
        const long value = strtol(item, &end, 10);
        if (item[0] < '0' || item[0] > '9' || value > 255 || (*end && *end != ','))
            return refuse(arg, text, "numbers from 0 to 255 with commas, as 4,5");
        out->member[value / 8] = (unsigned char)(out->member[value / 8] | 1U << value % 8);
        if (!*end) return S2CLR_OK;
        item = end + 1;
    }
}

static s2clr_status read_choice(const s2clr_pointwise_arg *arg, const char *text,
                                s2clr_pointwise_value *out)
{
    char wanted[100];
    const size_t length = strlen(text);
    int index = 0;
    for (const char *at = arg->choices; *at; index++) {
        const size_t word = strcspn(at, ",");
        if (word == length && strncasecmp(at, text, word) == 0) {
            out->choice = index;
            return S2CLR_OK;
        }
        at += word + (at[word] == ',');
    }
    snprintf(wanted, sizeof wanted, "one of %s", arg->choices);
    return refuse(arg, text, wanted);
}

static s2clr_status read_value(binding *b, int i)
{
    const s2clr_pointwise_arg *arg = b->arg[i];
    const char *text = b->given[i] ? b->given[i] : arg->standard;
    s2clr_pointwise_value *out = &b->value[i];
    if (!text)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "argument %s must be given: %s", arg->name,
                               arg->help);
    const bool absent = arg->standard && strcmp(arg->standard, "none") == 0 &&
                        (strcasecmp(text, "none") == 0 || strcasecmp(text, "nan") == 0);
    switch (arg->type) {
    case S2CLR_POINTWISE_REAL:
        out->number = NAN;
        return absent ? S2CLR_OK : read_real(arg, text, out);
    case S2CLR_POINTWISE_INTEGERS:
        return read_integers(arg, text, out);
    case S2CLR_POINTWISE_CHOICE:
        return read_choice(arg, text, out);
    case S2CLR_POINTWISE_TEXT:
        break;
    }
    out->text = absent ? NULL : text;
    return absent || text[0] ? S2CLR_OK : refuse(arg, text, "a text");
}

/* ---- sources ---- */

static s2clr_status check_sources(const s2clr_pointwise *row, int sources)
{
    const int most = row->most ? row->most : S2CLR_POINTWISE_SOURCES_MAX;
    char wanted[40];
    if (sources >= row->least && sources <= most) return S2CLR_OK;
    if (row->least == most)
        snprintf(wanted, sizeof wanted, "%d", most);
    else
        snprintf(wanted, sizeof wanted, "%d to %d", row->least, most);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "the number of sources is %d, wanted %s, in this order: %s", sources,
                           wanted, row->sources);
}

s2clr_status s2clr_pointwise_bind(const s2clr_pointwise *row, const char *const *arguments,
                                  int sources, s2clr_pointwise_call *out)
{
    binding b = new_binding(row);
    s2clr_pointwise_call call = {.row = row, .sources = sources};
    S2CLR_TRY(check_sources(row, sources));
    for (; arguments && *arguments; arguments++) S2CLR_TRY(note(&b, *arguments));
    for (int i = 0; i < b.count; i++) S2CLR_TRY(read_value(&b, i));
    memcpy(call.value, b.value, (size_t)b.own * sizeof *b.value);
    call.nodata = b.value[b.own + COMMON_NODATA].number;
    call.fill = b.value[b.own + COMMON_FILL].number;
    if (row->check) S2CLR_TRY(row->check(&call));
    *out = call;
    return S2CLR_OK;
}
