#include "report/area_samples.h"

#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/parea_samples.h"

const char *s2clr_area_fate_text(s2clr_area_fate fate)
{
    static const char *const texts[S2CLR_AREA_FATES] = {
        [S2CLR_AREA_USED] = "used",
        [S2CLR_AREA_UNLABELLED] = "without a label",
        [S2CLR_AREA_OFF_MAP] = "off the map",
        [S2CLR_AREA_NODATA] = "on pixels without a value",
        [S2CLR_AREA_NO_STRATUM] = "outside of all strata",
        [S2CLR_AREA_PLACELESS] = "without a place",
    };
    return texts[fate];
}

/* ---- design ---- */

static s2clr_status no_design(const s2clr_points *points, bool has_column)
{
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "%s: does not say how its points were chosen (%s). Areas and their "
        "intervals follow only from a probability sample, in which chance chose and every pixel "
        "could be chosen; points that somebody picked, or took along roads, give wrong ones "
        "without "
        "a sign of it. Draw a sample: s2clr area MAP --draw 300 -o samples.gpkg; or, if chance "
        "chose these, say how: --design stratified, random or systematic",
        points->path, has_column ? "its column 'design' is empty" : "it has no column 'design'");
}

static bool is_design(const char *word)
{
    char **words = CSLTokenizeString2(S2CLR_AREA_DESIGNS, ",", 0);
    const bool found = CSLFindString(words, word) >= 0;
    CSLDestroy(words);
    return found;
}

/* The design that the column gives all rows; *out NULL: it is empty. */
static s2clr_status read_design(const s2clr_points *points, size_t column, const char **out)
{
    const char *first = "";
    size_t said = 0;
    for (size_t i = 0; i < points->count; i++) {
        const char *text = s2clr_points_text(points, i, column);
        if (!*text) continue;
        if (said++ == 0) first = text;
        if (!EQUAL(text, first))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: row %lld says the design '%.40s', rows before it '%.40s'; "
                                   "wanted: one sample, drawn in one way",
                                   points->path, points->row[i], text, first);
    }
    *out = said ? first : NULL;
    for (size_t i = 0; i < points->count && said > 0 && said < points->count; i++)
        if (!*s2clr_points_text(points, i, column))
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "%s: row %lld does not say how it was chosen, others say "
                                   "'%.40s' (column 'design'); a point that somebody added is no "
                                   "part of the sample: take it out, or fill in its design",
                                   points->path, points->row[i], first);
    return S2CLR_OK;
}

static s2clr_status find_design(sampling *s)
{
    const s2clr_points *points = s->points;
    size_t column;
    const char *said = s->ask->design, *own = NULL;
    const bool has = s2clr_points_has_column(points, "design", &column);
    if (has) S2CLR_TRY(read_design(points, column, &own));
    if (!own && !said) return no_design(points, has);
    if (own && said && !EQUAL(own, said))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: its rows say the design '%.40s', and --design '%.40s'; wanted: "
                               "one sample, drawn in one way",
                               points->path, own, said);
    s->samples->design_in_file = own != NULL;
    if (own) said = own;
    snprintf(s->samples->design, sizeof s->samples->design, "%.15s", said);
    if (is_design(said)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: the design '%.40s' is none that areas are estimated from here; "
                           "wanted: " S2CLR_AREA_DESIGNS,
                           points->path, said);
}

/* ---- where the samples lie ---- */

static s2clr_status find_place(sampling *s, size_t i)
{
    const s2clr_map_value *value = &s->value[i];
    sample *to = &s->sample[i];
    to->fate = value->state == S2CLR_POINT_HERE      ? S2CLR_AREA_USED
               : value->state == S2CLR_POINT_NODATA  ? S2CLR_AREA_NODATA
               : value->state == S2CLR_POINT_OFF_MAP ? S2CLR_AREA_OFF_MAP
                                                     : S2CLR_AREA_PLACELESS;
    if (to->fate != S2CLR_AREA_USED) return S2CLR_OK;
    S2CLR_TRY(s2clr_area_codes_of(s->census, value->value, s->stratum ? s->stratum[i].value : NAN,
                                  &to->codes));
    to->stratum = s2clr_area_kind_find(s->census->stratum, s->census->strata, to->codes.stratum);
    if (to->stratum < 0) to->fate = S2CLR_AREA_NO_STRATUM;
    return S2CLR_OK;
}

static s2clr_status find_places(sampling *s)
{
    const s2clr_points *p = s->points;
    const s2clr_area_rule *rule = &s->census->rule;
    const double(*at)[2] = (const double(*)[2])p->at;
    S2CLR_TRY(s2clr_alloc(p->count, sizeof *s->value, "samples", (void **)&s->value));
    S2CLR_TRY(s2clr_map_points(rule->map, rule->band, p->crs, at, p->count, s->value));
    if (rule->strata) {
        S2CLR_TRY(s2clr_alloc(p->count, sizeof *s->stratum, "samples", (void **)&s->stratum));
        S2CLR_TRY(s2clr_map_points(rule->strata, 1, p->crs, at, p->count, s->stratum));
    }
    for (size_t i = 0; i < p->count; i++) S2CLR_TRY(find_place(s, i));
    return S2CLR_OK;
}

/* A sample must lie in the stratum that it was drawn from: its weight hangs on it. */
static s2clr_status check_strata(const sampling *s)
{
    const s2clr_points *p = s->points;
    size_t column;
    if (!s->samples->design_in_file || strcmp(s->samples->design, "stratified") != 0 ||
        !s2clr_points_has_column(p, "stratum", &column))
        return S2CLR_OK;
    for (size_t i = 0; i < p->count; i++) {
        const char *text = s2clr_points_text(p, i, column);
        const sample *is = &s->sample[i];
        if (is->fate != S2CLR_AREA_USED || !*text || CPLAtof(text) == is->codes.stratum) continue;
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: row %lld was drawn in stratum %.20s and lies in stratum %d "
                               "('%.60s') of this map; wanted: the map, --threshold, --breaks and "
                               "--strata that the samples were drawn with (another threshold for "
                               "the map's classes goes with --breaks, the old one)",
                               p->path, p->row[i], text, is->codes.stratum,
                               s->census->stratum[is->stratum].name);
    }
    return S2CLR_OK;
}

/* ---- what came of them ---- */

/* Rows that were drawn and are gone are unlabelled samples that nobody counts. */
static void count_removed(sampling *s)
{
    const s2clr_points *p = s->points;
    size_t column;
    if (!s->samples->design_in_file || !s2clr_points_has_column(p, "weight", &column)) return;
    for (int h = 0; h < s->census->strata; h++) {
        size_t found = 0;
        double weight = 0;
        for (size_t i = 0; i < p->count; i++) {
            if (s->sample[i].stratum != h) continue;
            weight = CPLAtof(s2clr_points_text(p, i, column));
            found++;
        }
        const double drawn = weight > 0 ? nearbyint(s->census->stratum[h].pixels / weight) : 0;
        if (drawn > (double)found && drawn < 1e9) s->samples->removed[h] = (size_t)drawn - found;
    }
}

typedef struct spot {
    int column, row, stratum;
} spot;

static int by_pixel(const void *a, const void *b)
{
    const spot *p = a, *q = b;
    if (p->row != q->row) return p->row < q->row ? -1 : 1;
    return p->column < q->column ? -1 : p->column > q->column;
}

static s2clr_status count_shared(sampling *s)
{
    s2clr_area_samples *to = s->samples;
    spot *spots;
    size_t used = 0;
    S2CLR_TRY(s2clr_alloc(s->points->count, sizeof *spots, "samples", (void **)&spots));
    for (size_t i = 0; i < s->points->count; i++)
        if (s->sample[i].fate == S2CLR_AREA_USED)
            spots[used++] = (spot){s->value[i].column, s->value[i].row, s->sample[i].stratum};
    qsort(spots, used, sizeof *spots, by_pixel);
    for (size_t i = 1; i < used; i++) {
        if (by_pixel(&spots[i - 1], &spots[i]) != 0) continue;
        to->shared++;
        to->repeated[spots[i].stratum] = true;
    }
    s2clr_free(spots);
    return S2CLR_OK;
}

static s2clr_status put_unit(sampling *s, size_t i)
{
    s2clr_area_samples *to = s->samples;
    const sample *is = &s->sample[i];
    s2clr_area_unit *unit = &to->unit[to->units];
    unit->stratum = is->stratum;
    unit->map = s2clr_area_kind_find(to->class_, to->classes, is->codes.class_);
    unit->reference = s2clr_area_kind_find(to->class_, to->classes, is->label);
    S2CLR_TRY(s2clr_map_row_area(&s->census->map, s->value[i].row, &unit->area));
    to->units++;
    return S2CLR_OK;
}

static s2clr_status settle(sampling *s)
{
    s2clr_area_samples *to = s->samples;
    const size_t count = s->points->count, strata = (size_t)s->census->strata;
    S2CLR_TRY(s2clr_alloc(count, sizeof *to->unit, "samples", (void **)&to->unit));
    S2CLR_TRY(s2clr_alloc(count, sizeof *to->left_out, "samples", (void **)&to->left_out));
    S2CLR_TRY(s2clr_alloc(strata, sizeof *to->unlabelled, "strata", (void **)&to->unlabelled));
    S2CLR_TRY(s2clr_alloc(strata, sizeof *to->removed, "strata", (void **)&to->removed));
    S2CLR_TRY(s2clr_alloc(strata, sizeof *to->repeated, "strata", (void **)&to->repeated));
    to->fate[S2CLR_AREA_PLACELESS] = s->points->placeless;
    for (size_t i = 0; i < count; i++) {
        const sample *is = &s->sample[i];
        to->fate[is->fate]++;
        if (is->fate == S2CLR_AREA_USED) {
            S2CLR_TRY(put_unit(s, i));
            continue;
        }
        to->left_out[to->left].row = s->points->row[i];
        to->left_out[to->left++].fate = is->fate;
        if (is->fate == S2CLR_AREA_UNLABELLED) to->unlabelled[is->stratum]++;
    }
    count_removed(s);
    return count_shared(s);
}

static s2clr_status read_all(sampling *s)
{
    const size_t count = s->points->count;
    S2CLR_TRY(find_design(s));
    S2CLR_TRY(s2clr_alloc(count, sizeof *s->sample, "samples", (void **)&s->sample));
    for (size_t i = 0; i < count; i++) s->sample[i].stratum = -1;
    S2CLR_TRY(find_places(s));
    S2CLR_TRY(check_strata(s));
    S2CLR_TRY(s2clr_area_labels_read(s));
    S2CLR_TRY(settle(s));
    if (s->samples->units > 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: none of its %zu points is labelled and on the map (%zu without a "
                           "label, %zu off the map, %zu on pixels without a value)",
                           s->points->path, count, s->samples->fate[S2CLR_AREA_UNLABELLED],
                           s->samples->fate[S2CLR_AREA_OFF_MAP],
                           s->samples->fate[S2CLR_AREA_NODATA]);
}

s2clr_status s2clr_area_samples_read(const s2clr_area_ask *ask, const s2clr_area_census *census,
                                     s2clr_area_samples **out)
{
    sampling s = {.ask = ask, .census = census};
    S2CLR_TRY(s2clr_alloc(1, sizeof *s.samples, "samples", (void **)&s.samples));
    s2clr_status status = s2clr_points_open(ask->path, ask->layer, &s.points);
    if (status == S2CLR_OK) {
        status = read_all(&s);
        s2clr_points_close(s.points);
    }
    s2clr_free(s.value);
    s2clr_free(s.stratum);
    s2clr_free(s.sample);
    if (status == S2CLR_OK)
        *out = s.samples;
    else
        s2clr_area_samples_free(s.samples);
    return status;
}

void s2clr_area_samples_free(s2clr_area_samples *samples)
{
    if (!samples) return;
    s2clr_free(samples->class_);
    s2clr_free(samples->unit);
    s2clr_free(samples->left_out);
    s2clr_free(samples->unlabelled);
    s2clr_free(samples->removed);
    s2clr_free(samples->repeated);
    s2clr_free(samples);
}
