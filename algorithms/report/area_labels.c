/* What the samples are on the ground: labels as classes of the map. */
#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "labels/labels_classes.h"
#include "report/parea_samples.h"

static s2clr_status refuse(const sampling *s, size_t i, const char *text)
{
    if (s->census->rule.classes)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: row %lld is labelled '%.60s'; wanted: a class of the map, a "
                               "whole number from 0 to 255, or nothing",
                               s->points->path, s->points->row[i], text);
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: row %lld is labelled '%.60s'; wanted: 1 (%s), 0 (not), or nothing; "
                           "other words need --positive-value",
                           s->points->path, s->points->row[i], text, s->census->positive);
}

static bool whole(const char *text, int *out)
{
    char *end;
    const double value = CPLStrtod(text, &end);
    if (end == text || end[strspn(end, " ")]) return false;
    if (!(value >= 0 && value < S2CLR_AREA_CODES) || value != floor(value)) return false;
    *out = (int)value;
    return true;
}

/* lists: what positive and negative values are called; NULL: 1 and 0, or the map's classes. */
static s2clr_status read_label(sampling *s, const s2clr_classes *lists, size_t i, const char *text)
{
    sample *to = &s->sample[i];
    int code = 0;
    if (!text[strspn(text, " ")]) {
        to->fate = S2CLR_AREA_UNLABELLED;
    } else if (lists) {
        const s2clr_label label = s2clr_classes_of(lists, text);
        to->label = label == S2CLR_LABEL_POSITIVE;
        if (label == S2CLR_LABEL_UNKNOWN) to->fate = S2CLR_AREA_UNLABELLED;
    } else {
        if (!whole(text, &code) || (!s->census->rule.classes && code > 1))
            return refuse(s, i, text);
        to->label = code;
    }
    return S2CLR_OK;
}

static s2clr_status read_labels(sampling *s, const s2clr_classes *lists)
{
    const s2clr_points *p = s->points;
    size_t column;
    S2CLR_TRY(s2clr_points_column(p, s->ask->label_column, &column));
    for (size_t i = 0; i < p->count; i++)
        if (s->sample[i].fate == S2CLR_AREA_USED)
            S2CLR_TRY(read_label(s, lists, i, s2clr_points_text(p, i, column)));
    return S2CLR_OK;
}

/* Classes that only the ground has come in between, with no area on the map. */
static s2clr_status unite_classes(sampling *s)
{
    const s2clr_area_census *c = s->census;
    s2clr_area_samples *to = s->samples;
    bool there[S2CLR_AREA_CODES] = {false};
    for (size_t i = 0; i < s->points->count; i++)
        if (s->sample[i].fate == S2CLR_AREA_USED) there[s->sample[i].label] = true;
    S2CLR_TRY(s2clr_alloc(S2CLR_AREA_CODES, sizeof *to->class_, "classes", (void **)&to->class_));
    for (int code = 0; code < S2CLR_AREA_CODES; code++) {
        const int known = s2clr_area_kind_find(c->class_, c->classes, code);
        s2clr_area_kind *kind = &to->class_[to->classes];
        if (known < 0 && !there[code]) continue;
        to->classes++;
        if (known >= 0) {
            *kind = c->class_[known];
        } else {
            *kind = (s2clr_area_kind){.code = code, .right = NAN};
            snprintf(kind->name, sizeof kind->name, "class %d", code);
        }
    }
    return S2CLR_OK;
}

s2clr_status s2clr_area_labels_read(sampling *s)
{
    s2clr_classes lists = {0};
    const s2clr_area_ask *ask = s->ask;
    const bool listed = ask->positive || ask->negative;
    if (listed && s->census->rule.classes)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--positive-value and --negative-value are for maps of "
                               "probabilities; labels of a map of classes are its numbers");
    if (listed)
        S2CLR_TRY(s2clr_classes_make(s->points->path, ask->positive ? ask->positive : "1",
                                     ask->negative, &lists));
    s2clr_status status = read_labels(s, listed ? &lists : NULL);
    s2clr_classes_clear(&lists);
    if (status == S2CLR_OK) status = unite_classes(s);
    return status;
}
