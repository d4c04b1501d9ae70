/* Which values of an attribute are positive, which negative. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>

#include "labels/labels_classes.h"

enum { SEEN_MAX = 8 };

static bool is_number(const char *text, double *out)
{
    char *end;
    *out = CPLStrtod(text, &end);
    return end != text && end[strspn(end, " ")] == '\0';
}

static bool same_value(const char *a, const char *b)
{
    double x, y;
    if (strcmp(a, b) == 0) return true;
    return is_number(a, &x) && is_number(b, &y) && x == y;
}

static bool has_value(char **list, const char *value)
{
    for (; list && *list; list++)
        if (same_value(*list, value)) return true;
    return false;
}

static char **split_list(const char *text)
{
    const int how = CSLT_HONOURSTRINGS | CSLT_STRIPLEADSPACES | CSLT_STRIPENDSPACES;
    return text ? CSLTokenizeString2(text, ",", how) : NULL;
}

s2clr_status s2clr_classes_make(const char *path, const char *positive, const char *negative,
                                s2clr_classes *out)
{
    s2clr_classes made = {.positive = split_list(positive), .negative = split_list(negative)};
    const char *twice = NULL;
    for (char **value = made.negative; value && *value && !twice; value++)
        if (has_value(made.positive, *value)) twice = *value;
    s2clr_status status = S2CLR_OK;
    if (positive && CSLCount(made.positive) == 0)
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "%s: the list of positive values is empty; wanted: values "
                                 "separated by commas",
                                 path);
    else if (negative && CSLCount(made.negative) == 0)
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "%s: the list of negative values is empty; wanted: values "
                                 "separated by commas, or no list (all others are negative)",
                                 path);
    else if (twice)
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "%s: the value '%.80s' is listed as positive and as negative; "
                                 "wanted: one of the two",
                                 path, twice);
    if (status != S2CLR_OK)
        s2clr_classes_clear(&made);
    else
        *out = made;
    return status;
}

void s2clr_classes_clear(s2clr_classes *classes)
{
    CSLDestroy(classes->positive);
    CSLDestroy(classes->negative);
    *classes = (s2clr_classes){0};
}

s2clr_label s2clr_classes_of(const s2clr_classes *classes, const char *value)
{
    if (has_value(classes->positive, value)) return S2CLR_LABEL_POSITIVE;
    if (!classes->negative || has_value(classes->negative, value)) return S2CLR_LABEL_NEGATIVE;
    return S2CLR_LABEL_UNKNOWN;
}

/* The list of values in `seen` is "a", "b": a value is looked for with its quotes. */
static void note(s2clr_classes *classes, const char *value)
{
    char quoted[44];
    const size_t used = strlen(classes->seen);
    snprintf(quoted, sizeof quoted, "'%.40s'", value);
    if (classes->seen_count >= SEEN_MAX || strstr(classes->seen, quoted)) return;
    snprintf(classes->seen + used, sizeof classes->seen - used, "%s%s",
             classes->seen_count ? ", " : "", quoted);
    classes->seen_count++;
}

s2clr_label s2clr_classes_meet(s2clr_classes *classes, const char *value)
{
    note(classes, value);
    return s2clr_classes_of(classes, value);
}
