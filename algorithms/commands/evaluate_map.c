/* A probability map judged at labelled points. */
#include <cpl_conv.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "commands/edge.h"
#include "commands/evaluate_job.h"
#include "labels/labels_classes.h"
#include "predict/map_raster.h"

enum { TAG_MAX = 200 };

/* What the map says of itself: tags of s2clr-predict(1). */
typedef struct tags {
    char model[TAG_MAX], positive[TAG_MAX], warning[400];
    double threshold, prevalence; /* 0: not said, or no share */
} tags;

static void keep_tag(const s2clr_map *map, const char *name, char *out, size_t size)
{
    const char *value = s2clr_map_tag(map, name);
    s2clr_utf8_show(value ? value : "", out, size);
}

/* Tags may be anybody's: what does not begin with a number above 0 and below 1 says nothing. Behind
 * it prediction says what a prevalence was moved from. */
static double share_of(const s2clr_map *map, const char *name)
{
    const char *text = s2clr_map_tag(map, name);
    char *end = NULL;
    const double share = text ? CPLStrtod(text, &end) : 0;
    return text && end != text && (!*end || *end == ' ') && share > 0 && share < 1 ? share : 0;
}

static s2clr_status read_tags(const char *path, int band, tags *out)
{
    s2clr_map map;
    S2CLR_TRY(s2clr_map_open_anywhere(path, band, &map));
    keep_tag(&map, "MODEL_ID", out->model, sizeof out->model);
    s2clr_utf8_show(s2clr_map_positive(&map), out->positive, sizeof out->positive);
    keep_tag(&map, "MODEL_WARNING", out->warning, sizeof out->warning);
    out->threshold = share_of(&map, "THRESHOLD");
    out->prevalence = share_of(&map, "PREVALENCE");
    s2clr_map_close(&map);
    return S2CLR_OK;
}

/* ---- labels ---- */

/* Points with columns as on croplands.org say 1 for rainfed and 2 for irrigated land in `water`. */
static s2clr_status find_labels(const s2clr_evaluate *j, size_t *column, s2clr_classes *classes)
{
    const char *name = s2clr_args_text(j->args, "label-column");
    const char *positive = s2clr_args_text(j->args, "positive");
    const char *negative = s2clr_args_text(j->args, "negative");
    const char *standing = "1"; /* what is positive when nobody says */
    if (!name && s2clr_points_has_column(j->points, "water", column)) {
        standing = "2";
        if (!positive && !negative) negative = "1";
    } else {
        if (!name) name = "label";
        S2CLR_TRY(s2clr_points_column(j->points, name, column));
    }
    return s2clr_classes_make(j->points->path, positive ? positive : standing, negative, classes);
}

/* ---- points ---- */

typedef struct taking {
    s2clr_evaluate *j;
    s2clr_map_value *value; // (points)
    double *p;              // (points): of those taken
    size_t label_column, group_column;
    bool grouped;
    s2clr_classes classes;
} taking;

/* Takes a point into the report, or says why not. */
static s2clr_status take_point(taking *t, size_t i)
{
    s2clr_evaluate *j = t->j;
    const s2clr_map_value *value = &t->value[i];
    const char *text = s2clr_points_text(j->points, i, t->label_column);
    char row[40];
    snprintf(row, sizeof row, "row %lld", j->points->row[i]);
    const s2clr_label label = *text ? s2clr_classes_of(&t->classes, text) : S2CLR_LABEL_UNKNOWN;
    if (label == S2CLR_LABEL_UNKNOWN) {
        s2clr_evaluation_leave_out(&j->e, *text ? "with another label" : "without a label", row);
        return S2CLR_OK;
    }
    if (value->state != S2CLR_POINT_HERE) {
        s2clr_evaluation_leave_out(&j->e, s2clr_point_state_text(value->state), row);
        return S2CLR_OK;
    }
    double p = value->value;
    if (!s2clr_map_probability(&p))
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: the map says %g at %s of %s; wanted: probabilities from 0 to 1 "
                               "(--band names another band)",
                               s2clr_args_text(j->args, "map"), p, row, j->points->path);
    if (t->grouped)
        S2CLR_TRY(s2clr_evaluation_group(&j->e, j->e.count,
                                         s2clr_points_text(j->points, i, t->group_column)));
    t->p[j->e.count] = p;
    j->label[j->e.count++] = label == S2CLR_LABEL_POSITIVE;
    return S2CLR_OK;
}

/* All that is not positive is negative unless --negative says what is: then a word spelled in
 * another way would turn positives into negatives. */
static s2clr_status check_spelling(const taking *t)
{
    const s2clr_points *points = t->j->points;
    const char *other = NULL;
    if (t->classes.negative) return S2CLR_OK;
    for (size_t i = 0; i < points->count; i++) {
        const char *text = s2clr_points_text(points, i, t->label_column);
        if (!*text) continue;
        if (s2clr_classes_of(&t->classes, text) == S2CLR_LABEL_POSITIVE) return S2CLR_OK;
        if (strcmp(text, "0") != 0) other = text;
    }
    if (!other) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "%s: no point is \"%.60s\" in column %.60s, one is \"%.60s\"; --positive "
        "says which values are positive, --negative which are not",
        points->path, t->classes.positive[0], points->column[t->label_column], other);
}

static s2clr_status take_points(taking *t)
{
    s2clr_evaluate *j = t->j;
    const s2clr_points *points = j->points;
    const char *by = s2clr_args_text(j->args, "group");
    S2CLR_TRY(find_labels(j, &t->label_column, &t->classes));
    if (by) {
        S2CLR_TRY(s2clr_points_column(points, by, &t->group_column));
        j->e.group_by = points->column[t->group_column];
        t->grouped = true;
    }
    S2CLR_TRY(s2clr_map_points(s2clr_args_text(j->args, "map"),
                               (int)s2clr_args_int(j->args, "band"), points->crs,
                               (const double(*)[2])points->at, points->count, t->value));
    S2CLR_TRY(s2clr_alloc(points->count, sizeof *j->label, "labels", (void **)&j->label));
    j->e.label = j->label;
    for (size_t i = 0; i < points->count; i++) S2CLR_TRY(take_point(t, i));
    S2CLR_TRY(check_spelling(t));
    for (size_t i = 0; i < points->placeless; i++)
        s2clr_evaluation_leave_out(&j->e, "without coordinates", "");
    return S2CLR_OK;
}

/* ---- the row ---- */

/* Texts of the map live as long as the job. */
static s2clr_status add_row(s2clr_evaluate *j, const tags *said, s2clr_evaluation_row **out)
{
    const char *path = s2clr_args_text(j->args, "map"), *name = strrchr(path, '/');
    s2clr_evaluation_row *row;
    S2CLR_TRY(s2clr_evaluation_add(&j->e, name && name[1] ? name + 1 : path, S2CLR_ROW_MAP, &row));
    row->path = path;
    row->threshold = s2clr_args_given(j->args, "threshold") ? s2clr_args_real(j->args, "threshold")
                     : said->threshold > 0                  ? said->threshold
                                                            : 0.5;
    row->trained = said->prevalence;
    const int used = snprintf(row->how, sizeof row->how, "threshold %s%s%.60s%s",
                              s2clr_args_given(j->args, "threshold") ? "given"
                              : said->threshold > 0                  ? "as the map's tags say"
                                                                     : "0.5, the map says none",
                              said->model[0] ? "; made by " : "", said->model,
                              row->trained > 0 ? ""
                                               : "; the share of positives that it was made "
                                                 "for is not known");
    if (said->warning[0] && used > 0 && (size_t)used < sizeof row->how)
        snprintf(row->how + used, sizeof row->how - (size_t)used, "; mind: %s", said->warning);
    *out = row;
    return S2CLR_OK;
}

static s2clr_status with_points(s2clr_evaluate *j, const tags *said)
{
    taking t = {.j = j};
    s2clr_evaluation_row *row;
    S2CLR_TRY(add_row(j, said, &row));
    s2clr_status status =
        s2clr_alloc(j->points->count, sizeof *t.value, "values of the map", (void **)&t.value);
    if (status == S2CLR_OK)
        status = s2clr_alloc(j->points->count, sizeof *t.p, "probabilities", (void **)&row->p);
    t.p = row->p;
    if (status == S2CLR_OK) status = take_points(&t);
    s2clr_classes_clear(&t.classes);
    s2clr_free(t.value);
    return status;
}

s2clr_status s2clr_evaluate_map(s2clr_evaluate *j)
{
    s2clr_evaluation *e = &j->e;
    const char *positive = s2clr_args_text(j->args, "positive");
    tags said;
    e->dataset = s2clr_args_text(j->args, "dataset");
    e->part = "";
    snprintf(e->no_baseline, sizeof e->no_baseline, "a map has no training part to fit one on");
    S2CLR_TRY(
        read_tags(s2clr_args_text(j->args, "map"), (int)s2clr_args_int(j->args, "band"), &said));
    snprintf(j->said, sizeof j->said, "%s", positive ? positive : said.positive);
    e->positive = j->said[0] ? j->said : "positive";
    S2CLR_TRY(s2clr_points_open(e->dataset, s2clr_args_text(j->args, "layer"), &j->points));
    return with_points(j, &said);
}

void s2clr_evaluate_map_close(s2clr_evaluate *j)
{
    s2clr_points_close(j->points);
    s2clr_free(j->label);
}
