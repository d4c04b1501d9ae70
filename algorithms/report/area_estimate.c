#include "report/area_estimate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* What a sample counts for in the numerator and the denominator of a ratio. */
typedef enum ratio { OVERALL, USER, PRODUCER, SHARE, CELL } ratio;

typedef struct question {
    ratio kind;
    int a, b; /* classes */
} question;

typedef struct work {
    const s2clr_area_problem *problem;
    const size_t *n;    // (strata) samples
    double *y, *x, *z2; // (strata) means, and sums of squared deviations of y - R x
} work;

static void weigh(const question *q, const s2clr_area_unit *unit, double *y, double *x)
{
    const bool right = unit->map == unit->reference;
    bool in_y = right, in_x = true;
    if (q->kind == USER) in_x = unit->map == q->a, in_y = in_x && right;
    if (q->kind == PRODUCER) in_x = unit->reference == q->a, in_y = in_x && right;
    if (q->kind == SHARE) in_y = unit->reference == q->a;
    if (q->kind == CELL) in_y = unit->map == q->a && unit->reference == q->b;
    *y = in_y ? unit->area : 0;
    *x = in_x ? unit->area : 0;
}

static void clear(const work *w)
{
    const size_t bytes = (size_t)w->problem->strata * sizeof(double);
    memset(w->y, 0, bytes);
    memset(w->x, 0, bytes);
    memset(w->z2, 0, bytes);
}

/* The share of a stratum's pixels that the samples show; more samples than pixels share some. */
static double seen(const work *w, int h)
{
    const s2clr_area_problem *p = w->problem;
    const double pixels = p->stratum[h].pixels, n = (double)w->n[h];
    return (p->repeated && p->repeated[h]) || n > pixels || !(pixels > 0) ? 0 : n / pixels;
}

/* Squared deviations of the residuals from their stratum's mean. */
static double variance(const work *w, const question *q, double r, double below)
{
    const s2clr_area_problem *p = w->problem;
    double sum = 0;
    for (size_t i = 0; i < p->units; i++) {
        const int h = p->unit[i].stratum;
        double y, x;
        weigh(q, &p->unit[i], &y, &x);
        const double away = (y - r * x) - (w->y[h] - r * w->x[h]);
        w->z2[h] += away * away;
    }
    for (int h = 0; h < p->strata; h++) {
        const double pixels = p->stratum[h].pixels, n = (double)w->n[h];
        if (pixels > 0) sum += pixels * pixels * (1 - seen(w, h)) * w->z2[h] / (n - 1) / n;
    }
    return sum > 0 ? sum / (below * below) : 0;
}

/* Samples that agree hide what they are to tell: with nothing counted, all counted, or all samples
 * alike in every stratum, a standard error of 0 would only mean that it is not known. */
static bool is_silent(const work *w, const question *q)
{
    const s2clr_area_problem *p = w->problem;
    signed char kind[S2CLR_AREA_STRATA_MAX];
    bool none = true, all = true, alike = true, census = true;
    memset(kind, -1, sizeof kind);
    for (size_t i = 0; i < p->units; i++) {
        const int h = p->unit[i].stratum;
        double y, x;
        weigh(q, &p->unit[i], &y, &x);
        const signed char is = (signed char)((y > 0) * 2 + (x > 0));
        const bool open = seen(w, h) < 1; /* some pixels were not sampled */
        if (open && kind[h] >= 0 && kind[h] != is) alike = false;
        if (y > 0) none = false;
        if (x > 0 && !(y > 0)) all = false;
        kind[h] = is;
    }
    for (int h = 0; h < p->strata; h++)
        if (p->stratum[h].pixels > 0 && seen(w, h) < 1) census = false;
    return (none || all || alike) && !census;
}

/* most: what the value cannot exceed. */
static s2clr_area_number interval(double value, double error, double most)
{
    const double half = S2CLR_AREA_Z * error;
    if (isnan(error)) return (s2clr_area_number){value, NAN, NAN, NAN};
    return (s2clr_area_number){value, error, fmax(value - half, 0), fmin(value + half, most)};
}

static s2clr_area_number answer(const work *w, question q)
{
    const s2clr_area_problem *p = w->problem;
    double above = 0, below = 0;
    clear(w);
    for (size_t i = 0; i < p->units; i++) {
        const int h = p->unit[i].stratum;
        double y, x;
        weigh(&q, &p->unit[i], &y, &x);
        w->y[h] += y / (double)w->n[h];
        w->x[h] += x / (double)w->n[h];
    }
    for (int h = 0; h < p->strata; h++) {
        above += p->stratum[h].pixels * w->y[h];
        below += p->stratum[h].pixels * w->x[h];
    }
    if (!(below > 0)) return (s2clr_area_number){NAN, NAN, NAN, NAN};
    if (is_silent(w, &q)) return (s2clr_area_number){above / below, NAN, NAN, NAN};
    return interval(above / below, sqrt(variance(w, &q, above / below, below)), 1);
}

/* ---- counts ---- */

static void count(const s2clr_area_problem *p, s2clr_area_estimate *e)
{
    for (int h = 0; h < p->strata; h++) {
        e->within[h].same = -1;
        e->total += p->stratum[h].area;
    }
    for (size_t i = 0; i < p->units; i++) {
        const s2clr_area_unit *u = &p->unit[i];
        s2clr_area_sampled *within = &e->within[u->stratum];
        const bool right = u->map == u->reference;
        if (within->samples == 0) within->same = u->reference, within->mapped = u->map;
        if (within->same != u->reference || within->mapped != u->map) within->same = -1;
        within->samples++;
        within->right += right;
        e->of[u->map].mapped_samples++;
        e->of[u->reference].true_samples++;
        e->of[u->map].right += right;
        e->count[u->map * e->classes + u->reference]++;
    }
    e->samples = p->units;
}

static s2clr_status check_strata(const s2clr_area_problem *p, const s2clr_area_estimate *e)
{
    char list[600] = "";
    int poor = 0;
    for (int h = 0; h < p->strata; h++) {
        const s2clr_area_stratum *s = &p->stratum[h];
        const size_t used = strlen(list), n = e->within[h].samples;
        if (!(s->pixels > 0) || n > 1 || used + strlen(s->name) + 60 > sizeof list) continue;
        snprintf(list + used, sizeof list - used, "%s'%s' has %s (it is %.3g %% of the map)",
                 poor++ ? ", " : "", s->name, n ? "one" : "none", 100 * s->area / e->total);
    }
    if (!poor) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "every stratum needs at least two labelled samples, or nothing is known "
                           "of its variance: %s; label more of them, or unite strata (--breaks, "
                           "--strata)",
                           list);
}

/* ---- answers ---- */

static void answer_class(const work *w, int k, s2clr_area_estimate *e)
{
    s2clr_area_class *of = &e->of[k];
    of->mapped = w->problem->mapped[k];
    of->user = answer(w, (question){USER, k, 0});
    of->producer = answer(w, (question){PRODUCER, k, 0});
    of->share = answer(w, (question){SHARE, k, 0});
    of->area = interval(of->share.value * e->total, of->share.error * e->total, e->total);
    for (int j = 0; j < e->classes; j++)
        e->share[k * e->classes + j] = answer(w, (question){CELL, k, j}).value;
}

static s2clr_status answer_all(const s2clr_area_problem *p, s2clr_area_estimate *e)
{
    double *sums;
    size_t *n;
    const size_t strata = (size_t)p->strata;
    S2CLR_TRY(s2clr_alloc(3 * strata, sizeof *sums, "sums of strata", (void **)&sums));
    const s2clr_status status = s2clr_alloc(strata, sizeof *n, "sums of strata", (void **)&n);
    if (status == S2CLR_OK) {
        const work w = {p, n, sums, sums + strata, sums + 2 * strata};
        for (size_t h = 0; h < strata; h++) n[h] = e->within[h].samples;
        e->overall = answer(&w, (question){OVERALL, 0, 0});
        for (int k = 0; k < e->classes; k++) answer_class(&w, k, e);
        s2clr_free(n);
    }
    s2clr_free(sums);
    return status;
}

static s2clr_status make_room(s2clr_area_estimate *e)
{
    const size_t classes = (size_t)e->classes, cells = classes * classes;
    S2CLR_TRY(s2clr_alloc(classes, sizeof *e->of, "classes", (void **)&e->of));
    S2CLR_TRY(s2clr_alloc((size_t)e->strata, sizeof *e->within, "strata", (void **)&e->within));
    S2CLR_TRY(s2clr_alloc(cells, sizeof *e->count, "error matrix", (void **)&e->count));
    return s2clr_alloc(cells, sizeof *e->share, "error matrix", (void **)&e->share);
}

static s2clr_status check_problem(const s2clr_area_problem *p)
{
    bool good = p->classes > 0 && p->classes <= S2CLR_AREA_CLASSES_MAX && p->strata > 0 &&
                p->strata <= S2CLR_AREA_STRATA_MAX;
    for (size_t i = 0; good && i < p->units; i++) {
        const s2clr_area_unit *u = &p->unit[i];
        good = u->map >= 0 && u->map < p->classes && u->reference >= 0 &&
               u->reference < p->classes && u->stratum >= 0 && u->stratum < p->strata &&
               u->area > 0 && p->stratum[u->stratum].pixels > 0;
    }
    if (good) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "%d classes and %d strata: wanted: at most %d and %d, and samples within "
        "them",
        p->classes, p->strata, S2CLR_AREA_CLASSES_MAX, S2CLR_AREA_STRATA_MAX);
}

s2clr_status s2clr_area_estimate_make(const s2clr_area_problem *problem, s2clr_area_estimate **out)
{
    s2clr_area_estimate *e;
    S2CLR_TRY(check_problem(problem));
    S2CLR_TRY(s2clr_alloc(1, sizeof *e, "estimate", (void **)&e));
    e->classes = problem->classes;
    e->strata = problem->strata;
    s2clr_status status = make_room(e);
    if (status == S2CLR_OK) {
        count(problem, e);
        status = check_strata(problem, e);
    }
    if (status == S2CLR_OK) status = answer_all(problem, e);
    if (status == S2CLR_OK)
        *out = e;
    else
        s2clr_area_estimate_free(e);
    return status;
}

void s2clr_area_estimate_free(s2clr_area_estimate *estimate)
{
    if (!estimate) return;
    s2clr_free(estimate->of);
    s2clr_free(estimate->within);
    s2clr_free(estimate->count);
    s2clr_free(estimate->share);
    s2clr_free(estimate);
}
