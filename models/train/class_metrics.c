#include "train/class_metrics.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "train/metrics.h"
#include "train/pclass_metrics.h"

s2clr_status s2clr_class_metrics_check(const int *label, size_t n, size_t k)
{
    if (n == 0 || k < 2 || k > S2CLR_CARD_CLASSES_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "metrics of %zu samples of %zu classes: must be 1 or more of 2 to "
                               "%d",
                               n, k, S2CLR_CARD_CLASSES_MAX);
    for (size_t i = 0; i < n; i++)
        if (label[i] < 0 || (size_t)label[i] >= k)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "label of sample %zu is %d, must be 0 to %zu", i, label[i],
                                   k - 1);
    return S2CLR_OK;
}

size_t s2clr_class_choice(const double *p, size_t k)
{
    size_t best = 0;
    for (size_t j = 1; j < k; j++)
        if (p[j] > p[best]) best = j;
    return best;
}

static void count_hits(const double *p, const int *label, s2clr_class_metrics *m)
{
    const size_t k = (size_t)m->classes;
    size_t hits = 0;
    for (size_t i = 0; i < m->n; i++, p += k) {
        const size_t best = s2clr_class_choice(p, k);
        const int hit = best == (size_t)label[i];
        m->count[label[i]]++;
        m->called[best]++;
        m->hits[label[i]] += (size_t)hit;
        hits += (size_t)hit;
    }
    m->accuracy = (double)hits / (double)m->n;
    m->macro_f1 = s2clr_class_macro_f1(m);
}

double s2clr_class_macro_f1(const s2clr_class_metrics *m)
{
    double sum = 0;
    int found = 0;
    for (int c = 0; c < m->classes; c++) {
        if (m->count[c] == 0) continue;
        sum += 2 * (double)m->hits[c] / (double)(m->count[c] + m->called[c]);
        found++;
    }
    return found ? sum / found : (double)NAN;
}

/* column, is: (n) scratch */
static s2clr_status areas(const double *p, const int *label, double *column, int *is,
                          s2clr_class_metrics *m)
{
    const size_t k = (size_t)m->classes;
    double sum = 0;
    int found = 0;
    for (size_t c = 0; c < k; c++) {
        for (size_t i = 0; i < m->n; i++) {
            column[i] = p[i * k + c];
            is[i] = label[i] == (int)c;
        }
        S2CLR_TRY(s2clr_metrics_auc(column, is, m->n, &m->class_auc[c]));
        if (isnan(m->class_auc[c])) continue;
        sum += m->class_auc[c];
        found++;
    }
    if (found == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "all %zu samples are of one class: at least two are needed", m->n);
    m->auc = sum / found;
    return S2CLR_OK;
}

s2clr_status s2clr_class_metrics_compute(const double *p, const int *label, size_t n, size_t k,
                                         s2clr_class_metrics *out)
{
    S2CLR_TRY(s2clr_class_metrics_check(label, n, k));
    s2clr_class_metrics m = {.n = n, .classes = (int)k};
    for (int i = 0; i < S2CLR_CLASS_METRICS; i++) m.low[i] = m.high[i] = NAN;
    double *column = NULL;
    int *is = NULL;
    count_hits(p, label, &m);
    s2clr_status status = s2clr_alloc(n, sizeof *column, "a class's scores", (void **)&column);
    if (status == S2CLR_OK) status = s2clr_alloc(n, sizeof *is, "a class's labels", (void **)&is);
    if (status == S2CLR_OK) status = areas(p, label, column, is, &m);
    s2clr_free(column);
    s2clr_free(is);
    if (status == S2CLR_OK) *out = m;
    return status;
}

s2clr_status s2clr_class_confusion(const double *p, const int *label, size_t n, size_t k,
                                   size_t *confusion)
{
    S2CLR_TRY(s2clr_class_metrics_check(label, n, k));
    for (size_t i = 0; i < n * k; i++)
        if (!(p[i] >= 0 && p[i] <= 1))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "probability of class %zu of sample %zu is %g, must be 0 to 1",
                                   i % k, i / k, p[i]);
    memset(confusion, 0, k * k * sizeof *confusion);
    for (size_t i = 0; i < n; i++)
        confusion[(size_t)label[i] * k + s2clr_class_choice(p + i * k, k)]++;
    return S2CLR_OK;
}

/* ---- as JSON ---- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *between(const s2clr_class_metrics *m, s2clr_class_metric which)
{
    return json_pack("[o, o]", number(m->low[which]), number(m->high[which]));
}

static int add_intervals(json_t *root, const s2clr_class_metrics *m)
{
    return json_object_set_new(root, "macro_f1", number(m->macro_f1)) |
           json_object_set_new(root, "resamples", json_integer(m->resamples)) |
           json_object_set_new(root, "intervals",
                               json_pack("{s:o, s:o, s:o}", "accuracy",
                                         between(m, S2CLR_CLASS_ACCURACY), "auc",
                                         between(m, S2CLR_CLASS_AUC), "macro_f1",
                                         between(m, S2CLR_CLASS_MACRO_F1)));
}

s2clr_status s2clr_class_metrics_format(const s2clr_class_metrics *m, const s2clr_card *card,
                                        char **out)
{
    json_t *list = json_array();
    int failed = 0;
    for (int c = 0; c < m->classes; c++) {
        const double recall = m->count[c] ? (double)m->hits[c] / (double)m->count[c] : (double)NAN;
        failed |=
            json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:o}", "name",
                                                  c < card->classes ? card->class_name[c] : "", "n",
                                                  (json_int_t)m->count[c], "recall", number(recall),
                                                  "auc", number(m->class_auc[c])));
    }
    json_t *root = json_pack("{s:I, s:f, s:f, s:o}", "n", (json_int_t)m->n, "accuracy", m->accuracy,
                             "auc", m->auc, "classes", list);
    if (m->resamples > 0) failed |= add_intervals(root, m);
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(root);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "no memory for the metrics as JSON");
    const s2clr_status status = s2clr_strdup(text, out);
    free(text);
    return status;
}
