/* The numbers of an evaluation. */
#include "report/pevaluation.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "train/prior_shift.h"

#define CURVE_POINTS 200

/* ---- rows, groups ---- */

static bool is_named(const s2clr_evaluation *e, const char *name)
{
    for (int i = 0; i < e->rows; i++)
        if (strcmp(e->row[i].name, name) == 0) return true;
    return false;
}

s2clr_status s2clr_evaluation_add(s2clr_evaluation *e, const char *name, s2clr_row_kind kind,
                                  s2clr_evaluation_row **out)
{
    if (e->rows == S2CLR_EVALUATION_ROWS)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "more than %d classifiers in one evaluation; take fewer models",
                               S2CLR_EVALUATION_ROWS);
    char plain[141], unique[sizeof e->row[0].name];
    s2clr_utf8_show(name, plain, sizeof plain);
    snprintf(unique, sizeof unique, "%s", plain);
    for (int n = 2; is_named(e, unique); n++) snprintf(unique, sizeof unique, "%s (%d)", plain, n);
    s2clr_evaluation_row *row = &e->row[e->rows++];
    *row = (s2clr_evaluation_row){.kind = kind, .path = "", .sha256 = "", .level = ""};
    memcpy(row->name, unique, sizeof unique);
    row->brief = row->name;
    *out = row;
    return S2CLR_OK;
}

static s2clr_status grow(void **array, size_t size, size_t used, size_t *room)
{
    void *larger;
    if (used < *room) return S2CLR_OK;
    const size_t wanted = *room ? 2 * *room : 16;
    S2CLR_TRY(s2clr_alloc(wanted, size, "groups", &larger));
    if (used) memcpy(larger, *array, used * size);
    s2clr_free(*array);
    *array = larger;
    *room = wanted;
    return S2CLR_OK;
}

/* Groups are kept sorted by name. */
static s2clr_status find_group(s2clr_evaluation *e, const char *name,
                               s2clr_evaluation_group_of **out)
{
    size_t low = 0, high = e->groups;
    char *copy;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const int order = strcmp(e->group[middle].name, name);
        if (order == 0) {
            *out = &e->group[middle];
            return S2CLR_OK;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    S2CLR_TRY(grow((void **)&e->group, sizeof *e->group, e->groups, &e->group_room));
    S2CLR_TRY(s2clr_strdup(name, &copy));
    *out = &e->group[low];
    memmove(*out + 1, *out, (e->groups++ - low) * sizeof **out);
    **out = (s2clr_evaluation_group_of){.name = copy};
    return S2CLR_OK;
}

s2clr_status s2clr_evaluation_group(s2clr_evaluation *e, size_t index, const char *name)
{
    s2clr_evaluation_group_of *g;
    S2CLR_TRY(find_group(e, *name ? name : "unknown", &g));
    S2CLR_TRY(grow((void **)&g->sample, sizeof *g->sample, g->count, &g->room));
    g->sample[g->count++] = index;
    return S2CLR_OK;
}

void s2clr_evaluation_leave_out(s2clr_evaluation *e, const char *why, const char *sample)
{
    int i = 0;
    while (i < e->left_outs && strncmp(e->left_out[i].why, why, sizeof e->left_out[i].why - 1) != 0)
        i++;
    if (i == S2CLR_EVALUATION_LEFT) return;
    s2clr_evaluation_left_out *left = &e->left_out[i];
    if (i == e->left_outs) {
        snprintf(left->why, sizeof left->why, "%s", why);
        e->left_outs++;
    }
    if (left->count < S2CLR_EVALUATION_EXAMPLES)
        s2clr_utf8_show(sample, left->example[left->count], sizeof left->example[0]);
    left->count++;
}

size_t s2clr_evaluation_named(const s2clr_evaluation_left_out *left)
{
    const size_t most = S2CLR_EVALUATION_EXAMPLES;
    if (!left->example[0][0]) return 0;
    return left->count < most ? left->count : most;
}

/* ---- binary ---- */

typedef struct run {
    const s2clr_evaluation *e;
    int resamples;
    uint64_t seed;
    s2clr_pool *pool;
} run;

static bool is_share(double x)
{
    return x > 0 && x < 1;
}

/* Decisions stay when the threshold moves along; q: (count) scratch. */
static s2clr_status at_share(const run *r, const s2clr_evaluation_row *row, double share, double *q,
                             s2clr_evaluation_at *out)
{
    const s2clr_evaluation *e = r->e;
    s2clr_evaluation_at at = {.share = share, .moved = is_share(row->trained)};
    const double from = at.moved ? row->trained : share;
    for (size_t i = 0; i < e->count; i++) q[i] = s2clr_probability_shift(row->p[i], from, share);
    S2CLR_TRY(s2clr_metrics_at_prevalence(q, e->label, e->count,
                                          s2clr_probability_shift(row->threshold, from, share),
                                          share, r->resamples, r->seed, r->pool, &at.same));
    at.cut = at.same;
    if (at.moved)
        S2CLR_TRY(s2clr_metrics_at_prevalence(q, e->label, e->count, row->threshold, share,
                                              r->resamples, r->seed, r->pool, &at.cut));
    *out = at;
    return S2CLR_OK;
}

/* at[0] is at the samples' own share. */
static s2clr_status at_shares(const run *r, s2clr_evaluation_row *row)
{
    const s2clr_evaluation *e = r->e;
    double *q;
    S2CLR_TRY(s2clr_alloc(e->count, sizeof *q, "moved probabilities", (void **)&q));
    s2clr_status status = at_share(r, row, (double)e->positives / (double)e->count, q, &row->at[0]);
    if (status == S2CLR_OK) status = s2clr_reliability(q, e->label, e->count, row->moved);
    for (int i = 0; status == S2CLR_OK && i < e->shares; i++)
        status = at_share(r, row, e->share[i], q, &row->at[i + 1]);
    s2clr_free(q);
    return status;
}

/* p, label, zero: (count) scratch */
static s2clr_status gather_group(const run *r, s2clr_evaluation_row *row, size_t g, double *p,
                                 int *label, const int *zero)
{
    const s2clr_evaluation_group_of *group = &r->e->group[g];
    for (size_t i = 0; i < group->count; i++) {
        p[i] = row->p[group->sample[i]];
        label[i] = r->e->label[group->sample[i]];
    }
    return s2clr_group_metrics_compute(p, label, zero, group->count, 1, row->threshold,
                                       &row->group[g]);
}

static s2clr_status in_groups(const run *r, s2clr_evaluation_row *row)
{
    const s2clr_evaluation *e = r->e;
    double *p = NULL;
    int *label = NULL;
    size_t most = 0;
    for (size_t g = 0; g < e->groups; g++)
        if (e->group[g].count > most) most = e->group[g].count;
    S2CLR_TRY(s2clr_alloc(e->groups, sizeof *row->group, "groups", (void **)&row->group));
    s2clr_status status = s2clr_alloc(most, sizeof *p, "groups", (void **)&p);
    if (status == S2CLR_OK)
        status = s2clr_alloc(2 * most, sizeof *label, "groups", (void **)&label);
    for (size_t g = 0; status == S2CLR_OK && g < e->groups; g++)
        status = gather_group(r, row, g, p, label, label + most);
    s2clr_free(p);
    s2clr_free(label);
    return status;
}

static s2clr_status binary_row(const run *r, s2clr_evaluation_row *row)
{
    const s2clr_evaluation *e = r->e;
    S2CLR_TRY(s2clr_metrics_compute(row->p, e->label, e->count, row->threshold, r->resamples,
                                    r->seed, r->pool, &row->metrics));
    S2CLR_TRY(s2clr_reliability(row->p, e->label, e->count, row->bin));
    if (e->groups) S2CLR_TRY(in_groups(r, row));
    if (e->one_label[0]) {
        /* It would be 1 of positives alone, whatever the classifier says. */
        s2clr_metrics *m = &row->metrics;
        m->value[S2CLR_METRIC_PR_AUC] = m->low[S2CLR_METRIC_PR_AUC] = m->high[S2CLR_METRIC_PR_AUC] =
            NAN;
        return S2CLR_OK;
    }
    S2CLR_TRY(s2clr_curve_roc(row->p, e->label, e->count, CURVE_POINTS, &row->roc));
    S2CLR_TRY(s2clr_curve_precision_recall(row->p, e->label, e->count, 0, CURVE_POINTS, &row->pr));
    return at_shares(r, row);
}

static void look_at_labels(s2clr_evaluation *e)
{
    e->positives = 0;
    for (size_t i = 0; i < e->count; i++) e->positives += e->label[i] == 1;
    if (e->positives > 0 && e->positives < e->count) return;
    snprintf(e->one_label, sizeof e->one_label,
             "%s%zu sample%s %s: areas, curves and other shares of positives need both labels",
             e->count > 1 ? "all " : "the ", e->count, e->count > 1 ? "s are" : " is",
             e->positives ? "positive" : "negative");
}

/* ---- classes ---- */

static s2clr_status class_row(const run *r, s2clr_evaluation_row *row)
{
    const s2clr_evaluation *e = r->e;
    const size_t k = (size_t)e->classes;
    S2CLR_TRY(s2clr_alloc(1, sizeof *row->classes, "class metrics", (void **)&row->classes));
    S2CLR_TRY(s2clr_alloc(k * k, sizeof *row->confusion, "confusion", (void **)&row->confusion));
    S2CLR_TRY(s2clr_class_metrics_compute(row->p, e->label, e->count, k, row->classes));
    S2CLR_TRY(s2clr_class_metrics_bootstrap(row->p, e->label, e->count, k, r->resamples, r->seed,
                                            r->pool, row->classes));
    return s2clr_class_confusion(row->p, e->label, e->count, k, row->confusion);
}

/* ---- all ---- */

s2clr_status s2clr_evaluation_compute(s2clr_evaluation *e, int resamples, uint64_t seed,
                                      s2clr_pool *pool)
{
    const run r = {.e = e, .resamples = resamples, .seed = seed, .pool = pool};
    if (e->count == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: no sample is left to judge by", e->dataset);
    e->resamples = resamples;
    if (!e->classes) look_at_labels(e);
    for (int i = 0; i < e->rows; i++)
        S2CLR_TRY(e->classes ? class_row(&r, &e->row[i]) : binary_row(&r, &e->row[i]));
    return S2CLR_OK;
}

void s2clr_evaluation_free(s2clr_evaluation *e)
{
    for (int i = 0; i < e->rows; i++) {
        s2clr_evaluation_row *row = &e->row[i];
        s2clr_free(row->p);
        s2clr_curve_free(&row->roc);
        s2clr_curve_free(&row->pr);
        s2clr_free(row->group);
        s2clr_free(row->classes);
        s2clr_free(row->confusion);
    }
    for (size_t g = 0; g < e->groups; g++) {
        s2clr_free(e->group[g].name);
        s2clr_free(e->group[g].sample);
    }
    s2clr_free(e->group);
    e->rows = 0;
    e->groups = 0;
    e->group = NULL;
}
