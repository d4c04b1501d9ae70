#include <math.h>
#include <string.h>

#include "report/area_report.h"
#include "report/json_words.h"

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(size_t value)
{
    return json_integer((json_int_t)value);
}

/* scale: what one unit of the value is in the JSON. */
static json_t *interval(const s2clr_area_number *x, double scale)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "value", number(x->value * scale), "standard_error",
                     number(x->error * scale), "low", number(x->low * scale), "high",
                     number(x->high * scale));
}

static json_t *class_json(const s2clr_area_report *r, int k)
{
    const s2clr_area_class *x = &r->estimate->of[k];
    const s2clr_area_kind *kind = &r->samples->class_[k];
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "class", kind->code,
                     "name", s2clr_json_words(kind->name), "mapped_ha", number(x->mapped / 1e4),
                     "mapped_pixels", number(kind->pixels), "area_ha", interval(&x->area, 1e-4),
                     "share", interval(&x->share, 1), "users_accuracy", interval(&x->user, 1),
                     "producers_accuracy", interval(&x->producer, 1), "samples_mapped",
                     whole(x->mapped_samples), "samples_true", whole(x->true_samples), "right",
                     whole(x->right));
}

static json_t *stratum_json(const s2clr_area_report *r, int h)
{
    const s2clr_area_kind *s = &r->census->stratum[h];
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "stratum", s->code, "name",
                     s2clr_json_words(s->name), "pixels", number(s->pixels), "ha",
                     number(s->area / 1e4), "samples", whole(r->estimate->within[h].samples),
                     "right", whole(r->estimate->within[h].right), "unlabelled",
                     whole(r->samples->unlabelled[h]), "removed", whole(r->samples->removed[h]));
}

static json_t *matrix_json(const s2clr_area_report *r, bool shares)
{
    const int n = r->estimate->classes;
    json_t *out = json_array();
    for (int i = 0; i < n; i++) {
        json_t *row = json_array();
        for (int j = 0; j < n; j++)
            json_array_append_new(row, shares ? number(r->estimate->share[i * n + j])
                                              : whole(r->estimate->count[i * n + j]));
        json_array_append_new(out, row);
    }
    return out;
}

static void put_note(void *array, const char *text)
{
    json_array_append_new(array, s2clr_json_words(text));
}

static json_t *left_out_json(const s2clr_area_samples *samples)
{
    static const char *const keys[S2CLR_AREA_FATES] = {
        [S2CLR_AREA_UNLABELLED] = "unlabelled", [S2CLR_AREA_OFF_MAP] = "off_map",
        [S2CLR_AREA_NODATA] = "nodata",         [S2CLR_AREA_NO_STRATUM] = "no_stratum",
        [S2CLR_AREA_PLACELESS] = "no_place",
    };
    json_t *out = json_object(), *rows = json_array();
    for (int f = S2CLR_AREA_UNLABELLED; f < S2CLR_AREA_FATES; f++)
        json_object_set_new(out, keys[f], whole(samples->fate[f]));
    for (size_t i = 0; i < samples->left; i++)
        json_array_append_new(rows,
                              json_pack("{s:I, s:s}", "row", (json_int_t)samples->left_out[i].row,
                                        "why", keys[samples->left_out[i].fate]));
    json_object_set_new(out, "rows", rows);
    return out;
}

static json_t *map_json(const s2clr_area_census *c)
{
    char where[300];
    s2clr_area_where_text(c, where, sizeof where);
    json_t *out = json_pack(
        "{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "map", s2clr_json_words(c->rule.map), "band",
        c->rule.band, "areas", s2clr_json_words(where), "pixels", number(c->pixels), "ha",
        number(c->area / 1e4), "nodata_pixels", number(c->nodata), "pixels_without_stratum",
        number(c->unstratified), "true_area_factor", number(c->true_area));
    if (!c->rule.classes) {
        json_object_set_new(out, "positive", s2clr_json_words(c->positive));
        json_object_set_new(out, "threshold", number(c->rule.threshold));
        json_object_set_new(out, "threshold_from", json_string(c->threshold_from));
    }
    if (c->rule.strata) json_object_set_new(out, "strata_map", s2clr_json_words(c->rule.strata));
    return out;
}

json_t *s2clr_area_json(const s2clr_area_report *report)
{
    const s2clr_area_samples *s = report->samples;
    json_t *out = map_json(report->census), *notes = json_array();
    json_t *classes = json_array(), *strata = json_array();
    for (int k = 0; k < report->estimate->classes; k++)
        json_array_append_new(classes, class_json(report, k));
    for (int h = 0; h < report->census->strata; h++)
        json_array_append_new(strata, stratum_json(report, h));
    s2clr_area_notes(report, put_note, notes);
    json_object_set_new(out, "samples", s2clr_json_words(report->path));
    json_object_set_new(out, "design", s2clr_json_words(s->design));
    json_object_set_new(out, "design_from", json_string(s->design_in_file ? "samples" : "option"));
    json_object_set_new(out, "samples_used", whole(s->units));
    json_object_set_new(out, "samples_left_out", left_out_json(s));
    json_object_set_new(out, "samples_on_shared_pixels", whole(s->shared));
    json_object_set_new(out, "overall_accuracy", interval(&report->estimate->overall, 1));
    json_object_set_new(out, "classes", classes);
    json_object_set_new(out, "error_matrix", matrix_json(report, false));
    json_object_set_new(out, "error_matrix_shares", matrix_json(report, true));
    json_object_set_new(out, "strata", strata);
    json_object_set_new(out, "notes", notes);
    return out;
}

json_t *s2clr_area_drawn_json(const s2clr_area_census *census, const size_t *taken, double error,
                              const char *path)
{
    json_t *out = map_json(census), *strata = json_array();
    for (int h = 0; h < census->strata; h++) {
        const s2clr_area_kind *s = &census->stratum[h];
        json_array_append_new(strata, json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "stratum",
                                                s->code, "name", s2clr_json_words(s->name),
                                                "pixels", number(s->pixels), "ha",
                                                number(s->area / 1e4), "expected_right",
                                                number(s->right), "samples", whole(taken[h])));
    }
    json_object_set_new(out, "samples", s2clr_json_words(path));
    json_object_set_new(out, "design", json_string("stratified"));
    json_object_set_new(out, "expected_standard_error", number(error));
    json_object_set_new(out, "strata", strata);
    return out;
}
