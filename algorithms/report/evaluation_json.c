/* An evaluation as JSON: everything the page and the text say. */
#include <math.h>

#include "base/memory.h"
#include "report/json_words.h"
#include "report/pevaluation.h"

/* json_real() refuses what JSON cannot say. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(size_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *interval(double value, double low, double high)
{
    return json_pack("{s:o, s:o, s:o}", "value", number(value), "low", number(low), "high",
                     number(high));
}

static json_t *proportion(const s2clr_proportion *p)
{
    return interval(p->value, p->low, p->high);
}

static json_t *metrics_json(const s2clr_metrics *metrics)
{
    char *text;
    if (s2clr_metrics_format(metrics, &text) != S2CLR_OK) return json_null();
    json_t *out = json_loads(text, 0, NULL);
    s2clr_free(text);
    return out;
}

/* ---- binary ---- */

static json_t *at_json(const s2clr_evaluation *e, const s2clr_evaluation_row *row)
{
    json_t *out = json_array();
    for (int i = 0; !e->one_label[0] && i <= e->shares; i++) {
        const s2clr_evaluation_at *at = &row->at[i];
        json_t *one =
            json_pack("{s:f, s:b, s:b, s:o}", "prevalence", at->share, "of_the_samples", i == 0,
                      "probabilities_moved", at->moved, "same_decisions", metrics_json(&at->same));
        if (at->moved) json_object_set_new(one, "same_threshold", metrics_json(&at->cut));
        json_array_append_new(out, one);
    }
    return out;
}

static json_t *curve_json(const s2clr_curve *curve, const char *x, const char *y)
{
    json_t *xs = json_array(), *ys = json_array(), *at = json_array();
    for (size_t i = 0; i < curve->count; i++) {
        json_array_append_new(xs, number(curve->x[i]));
        json_array_append_new(ys, number(curve->y[i]));
        json_array_append_new(at, number(curve->threshold[i]));
    }
    return json_pack("{s:o, s:o, s:o}", x, xs, y, ys, "threshold", at);
}

static json_t *bins_json(const s2clr_reliability_bin *bins)
{
    json_t *out = json_array();
    for (int i = 0; i < S2CLR_RELIABILITY_BINS; i++) {
        const s2clr_reliability_bin *bin = &bins[i];
        json_array_append_new(
            out, json_pack("{s:f, s:f, s:o, s:o, s:o, s:o}", "from", bin->low, "to", bin->high, "n",
                           count(bin->n), "positives", count(bin->positives), "mean_probability",
                           number(bin->mean_p), "share_positive", proportion(&bin->share)));
    }
    return out;
}

static json_t *group_json(const s2clr_group_metrics *g)
{
    const s2clr_proportion called = s2clr_proportion_wilson(g->tp + g->fp, g->n);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "tp", count(g->tp), "fp",
                     count(g->fp), "tn", count(g->tn), "fn", count(g->fn), "recall",
                     proportion(&g->recall), "specificity", proportion(&g->specificity),
                     "precision", proportion(&g->precision), "accuracy", proportion(&g->accuracy),
                     "called_positive", proportion(&called), "missing", g->reason ? g->reason : "");
}

static json_t *groups_json(const s2clr_evaluation *e)
{
    json_t *list = json_array();
    for (size_t g = 0; g < e->groups; g++) {
        json_t *rows = json_array();
        for (int i = 0; i < e->rows && e->row[i].group; i++) {
            json_t *one = group_json(&e->row[i].group[g]);
            json_object_set_new(one, "name", s2clr_json_words(e->row[i].name));
            json_array_append_new(rows, one);
        }
        const size_t positives = e->rows && e->row[0].group ? e->row[0].group[g].positives : 0;
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "name",
                                              s2clr_json_words(e->group[g].name), "samples",
                                              count(e->group[g].count), "positives",
                                              count(positives), "rows", rows));
    }
    return json_pack("{s:o, s:o}", "by", s2clr_json_words(e->group_by ? e->group_by : ""), "list",
                     list);
}

/* Each class of images with how many of it the first row calls positive. */
static json_t *called_json(const s2clr_evaluation *e)
{
    json_t *out = json_array();
    for (size_t g = 0; g < e->groups; g++) {
        const s2clr_group_metrics *m = e->row[0].group ? &e->row[0].group[g] : NULL;
        if (m && e->by_class)
            json_array_append_new(
                out, json_pack("{s:o, s:o, s:o}", "class", s2clr_json_words(e->group[g].name),
                               "samples", count(m->n), "called_positive", count(m->tp + m->fp)));
    }
    return out;
}

/* ---- classes ---- */

static json_t *class_json(const s2clr_evaluation *e, const s2clr_evaluation_row *row, size_t c)
{
    const s2clr_class_metrics *m = row->classes;
    const s2clr_proportion recall = s2clr_proportion_wilson(m->hits[c], m->count[c]);
    const s2clr_proportion precision = s2clr_proportion_wilson(m->hits[c], m->called[c]);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     s2clr_json_words(e->class_name[c]), "n", count(m->count[c]), "called",
                     count(m->called[c]), "hits", count(m->hits[c]), "recall", proportion(&recall),
                     "precision", proportion(&precision), "auc", number(m->class_auc[c]));
}

static json_t *confusion_json(const s2clr_evaluation *e, const s2clr_evaluation_row *row)
{
    json_t *out = json_array();
    for (int l = 0; l < e->classes; l++) {
        json_t *line = json_array();
        for (int c = 0; c < e->classes; c++)
            json_array_append_new(line, count(row->confusion[l * e->classes + c]));
        json_array_append_new(out, line);
    }
    return out;
}

static json_t *classes_json(const s2clr_evaluation *e, const s2clr_evaluation_row *row)
{
    const s2clr_class_metrics *m = row->classes;
    json_t *list = json_array();
    for (int c = 0; c < e->classes; c++) json_array_append_new(list, class_json(e, row, (size_t)c));
    return json_pack(
        "{s:o, s:i, s:o, s:o, s:o, s:o, s:o}", "n", count(m->n), "resamples", m->resamples,
        "accuracy",
        interval(m->accuracy, m->low[S2CLR_CLASS_ACCURACY], m->high[S2CLR_CLASS_ACCURACY]),
        "macro_f1",
        interval(m->macro_f1, m->low[S2CLR_CLASS_MACRO_F1], m->high[S2CLR_CLASS_MACRO_F1]), "auc",
        interval(m->auc, m->low[S2CLR_CLASS_AUC], m->high[S2CLR_CLASS_AUC]), "classes", list,
        "confusion", confusion_json(e, row));
}

/* ---- all ---- */

static json_t *card_json(const s2clr_card *card)
{
    const s2clr_calibration *c = &card->calibration;
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f}", "id", card->id, "title",
                  card->text[S2CLR_CARD_TITLE], "architecture", card->arch.name, "warning",
                  card->text[S2CLR_CARD_WARNING], "trained_on", card->text[S2CLR_CARD_TRAINED_ON],
                  "not_validated", card->text[S2CLR_CARD_NOT_VALIDATED], "licence",
                  card->text[S2CLR_CARD_LICENCE], "command", card->text[S2CLR_CARD_COMMAND],
                  "temperature", card->temperature);
    if (c->part[0])
        json_object_set_new(out, "calibration",
                            json_pack("{s:s, s:i, s:f, s:i, s:o, s:o}", "part", c->part, "samples",
                                      c->samples, "bias", c->bias, "knots", c->knots, "ece_before",
                                      number(c->ece_before), "ece_after", number(c->ece_after)));
    return out;
}

static json_t *row_json(const s2clr_evaluation *e, const s2clr_evaluation_row *row)
{
    static const char *const kinds[] = {"model", "baseline", "map"};
    json_t *out = json_pack(
        "{s:o, s:s, s:o, s:s, s:o, s:o, s:o}", "name", s2clr_json_words(row->name), "kind",
        kinds[row->kind], "path", s2clr_json_words(row->path), "sha256", row->sha256, "level",
        s2clr_json_words(row->level), "how", s2clr_json_words(row->how), "metrics",
        e->classes ? classes_json(e, row) : metrics_json(&row->metrics));
    if (row->card) json_object_set_new(out, "card", card_json(row->card));
    if (e->classes) return out;
    json_object_set_new(out, "training_prevalence",
                        row->trained > 0 ? json_real(row->trained) : json_null());
    json_object_set_new(out, "at_prevalence", at_json(e, row));
    json_object_set_new(out, "roc", curve_json(&row->roc, "false_positive_rate", "recall"));
    json_object_set_new(out, "precision_recall", curve_json(&row->pr, "recall", "precision"));
    json_object_set_new(out, "reliability", bins_json(row->bin));
    if (!e->one_label[0] && row->at[0].moved)
        json_object_set_new(out, "reliability_moved", bins_json(row->moved));
    return out;
}

static json_t *left_out_json(const s2clr_evaluation *e)
{
    json_t *out = json_array();
    for (int i = 0; i < e->left_outs; i++) {
        const s2clr_evaluation_left_out *left = &e->left_out[i];
        json_t *examples = json_array();
        for (size_t k = 0; k < s2clr_evaluation_named(left); k++)
            json_array_append_new(examples, s2clr_json_words(left->example[k]));
        json_array_append_new(out, json_pack("{s:s, s:o, s:o}", "why", left->why, "count",
                                             count(left->count), "examples", examples));
    }
    return out;
}

json_t *s2clr_evaluation_json(const s2clr_evaluation *e)
{
    const s2clr_evaluation_row *first = &e->row[0];
    json_t *rows = json_array();
    for (int i = 0; i < e->rows; i++) json_array_append_new(rows, row_json(e, &e->row[i]));
    json_t *out = json_pack(
        "{s:o, s:o, s:s, s:s, s:o, s:o, s:s, s:o, s:{s:i, s:b, s:f}, s:o, s:s, s:s, s:o, s:i}",
        "dataset", s2clr_json_words(e->dataset), "model", s2clr_json_words(first->path), "id",
        first->card ? first->card->id : "", "sha256", first->sha256, "positive",
        s2clr_json_words(e->positive), "level", s2clr_json_words(first->level), "part", e->part,
        "samples", count(e->count), "disturbance", "shift", e->perturb.shift, "blur",
        e->perturb.blur, "gain", e->perturb.gain, "rows", rows, "no_baseline", e->no_baseline,
        "missing", e->one_label, "left_out", left_out_json(e), "resamples", e->resamples);
    json_t *classes = json_array();
    for (int c = 0; c < e->classes; c++)
        json_array_append_new(classes, s2clr_json_words(e->class_name[c]));
    if (e->classes) {
        json_object_set_new(out, "class_names", classes);
        return out;
    }
    json_decref(classes);
    json_object_set_new(out, "positives", count(e->positives));
    json_object_set_new(out, "classes", called_json(e));
    json_object_set_new(out, "groups", groups_json(e));
    return out;
}
