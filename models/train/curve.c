#include "train/curve.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "train/pmetrics.h"

#define AREA_TOLERANCE 1e-4

/* ---- thinning ---- */

/* Points that are left, as a list in both directions; the ends are never removed. */
typedef struct thinner {
    s2clr_curve *curve;
    size_t *before, *after;
    double *cost; // (count) how much the area changes without the point
    size_t *heap, *place;
    size_t heaped;
} thinner;

/* Of the triangle with its neighbours: what the area under straight lines loses without i. */
static double triangle(const thinner *t, size_t i)
{
    const double *x = t->curve->x, *y = t->curve->y;
    const size_t a = t->before[i], b = t->after[i];
    return 0.5 * ((x[b] - x[a]) * (y[i] - y[a]) - (x[i] - x[a]) * (y[b] - y[a]));
}

static int cheaper(const thinner *t, size_t a, size_t b)
{
    return t->cost[a] != t->cost[b] ? t->cost[a] < t->cost[b] : a < b;
}

static void put(thinner *t, size_t at, size_t point)
{
    t->heap[at] = point;
    t->place[point] = at;
}

static void sift(thinner *t, size_t at)
{
    const size_t point = t->heap[at];
    for (; at > 0 && cheaper(t, point, t->heap[(at - 1) / 2]); at = (at - 1) / 2)
        put(t, at, t->heap[(at - 1) / 2]);
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < t->heaped && cheaper(t, t->heap[child + 1], t->heap[child])) child++;
        if (child >= t->heaped || !cheaper(t, t->heap[child], point)) break;
        put(t, at, t->heap[child]);
        at = child;
    }
    put(t, at, point);
}

static void recost(thinner *t, size_t i)
{
    if (i == 0 || i + 1 == t->curve->count) return;
    t->cost[i] = fabs(triangle(t, i));
    sift(t, t->place[i]);
}

/* Takes the cheapest point out, with the cost of its neighbours anew (Visvalingam and Whyatt 1993),
 * while there are more than `most` and the area allows it. */
static void thin(thinner *t, size_t most)
{
    s2clr_curve *c = t->curve;
    size_t left = c->count, kept = 0;
    double lost = 0;
    for (size_t i = 0; i < c->count; i++) t->before[i] = i - 1, t->after[i] = i + 1;
    for (size_t i = 1; i + 1 < c->count; i++) {
        t->cost[i] = fabs(triangle(t, i));
        put(t, t->heaped++, i);
        sift(t, t->heaped - 1);
    }
    for (; left > most && t->heaped > 0; left--) {
        const size_t point = t->heap[0], a = t->before[point], b = t->after[point];
        lost += triangle(t, point);
        if (fabs(lost) > AREA_TOLERANCE) break;
        if (--t->heaped > 0) {
            put(t, 0, t->heap[t->heaped]);
            sift(t, 0);
        }
        t->after[a] = b, t->before[b] = a;
        recost(t, a);
        recost(t, b);
    }
    for (size_t i = 0; i < c->count && kept < left; i = t->after[i], kept++)
        c->x[kept] = c->x[i], c->y[kept] = c->y[i], c->threshold[kept] = c->threshold[i];
    c->count = left;
}

static s2clr_status thin_curve(s2clr_curve *curve, size_t most)
{
    thinner t = {.curve = curve};
    const size_t count = curve->count;
    size_t *room;
    if (most == 0 || count <= most) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc(4 * count, sizeof *room, "points of a curve", (void **)&room));
    t.before = room, t.after = room + count, t.heap = room + 2 * count, t.place = room + 3 * count;
    const s2clr_status status =
        s2clr_alloc(count, sizeof *t.cost, "points of a curve", (void **)&t.cost);
    if (status == S2CLR_OK) thin(&t, most);
    s2clr_free(t.cost);
    s2clr_free(room);
    return status;
}

/* ---- points ---- */

typedef struct totals {
    double positives, negatives, prevalence;
} totals;

/* The point after tp positives and fp negatives are called positive. */
typedef void (*point_fn)(const totals *of, double tp, double fp, double *x, double *y);

static void roc_point(const totals *of, double tp, double fp, double *x, double *y)
{
    *x = fp / of->negatives;
    *y = tp / of->positives;
}

static void precision_point(const totals *of, double tp, double fp, double *x, double *y)
{
    const double p = of->prevalence;
    *x = tp / of->positives;
    if (p > 0) tp *= p / of->positives, fp *= (1 - p) / of->negatives;
    *y = tp / (tp + fp);
}

static size_t walk(const ranked_sample *ranked, size_t n, const totals *of, point_fn point,
                   s2clr_curve *out)
{
    double count[2] = {0, 0};
    size_t at = out->count;
    for (size_t i = 0; i < n; at++) {
        const double p = ranked[i].p;
        for (; i < n && ranked[i].p == p; i++) count[ranked[i].label]++;
        out->threshold[at] = p;
        point(of, count[1], count[0], &out->x[at], &out->y[at]);
    }
    return at;
}

static s2clr_status make(const ranked_sample *ranked, size_t n, const totals *of, point_fn point,
                         size_t most, s2clr_curve *out)
{
    double *room;
    size_t values;
    S2CLR_TRY(s2clr_size_mul(n + 1, 3, &values));
    S2CLR_TRY(s2clr_alloc(values, sizeof *room, "points of a curve", (void **)&room));
    s2clr_curve curve = {.x = room, .y = room + n + 1, .threshold = room + 2 * (n + 1)};
    if (point == roc_point) curve.threshold[curve.count++] = INFINITY; /* from (0, 0) */
    curve.count = walk(ranked, n, of, point, &curve);
    const s2clr_status status = thin_curve(&curve, most);
    if (status == S2CLR_OK)
        *out = curve;
    else
        s2clr_curve_free(&curve);
    return status;
}

static totals count_labels(const ranked_sample *ranked, size_t n, double prevalence)
{
    totals of = {.prevalence = prevalence};
    for (size_t i = 0; i < n; i++) of.positives += ranked[i].label;
    of.negatives = (double)n - of.positives;
    return of;
}

static s2clr_status refuse(size_t n, const char *curve, const char *absent)
{
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "none of the %zu samples is %s: there is no %s curve", n, absent, curve);
}

s2clr_status s2clr_curve_roc(const double *p, const int *label, size_t n, size_t most,
                             s2clr_curve *out)
{
    ranked_sample *ranked;
    S2CLR_TRY(s2clr_metrics_rank(p, label, n, &ranked));
    const totals of = count_labels(ranked, n, 0);
    const s2clr_status status = of.positives == 0   ? refuse(n, "ROC", "positive")
                                : of.negatives == 0 ? refuse(n, "ROC", "negative")
                                                    : make(ranked, n, &of, roc_point, most, out);
    s2clr_free(ranked);
    return status;
}

s2clr_status s2clr_curve_precision_recall(const double *p, const int *label, size_t n,
                                          double prevalence, size_t most, s2clr_curve *out)
{
    static const char curve[] = "precision-recall";
    ranked_sample *ranked;
    if (!(prevalence >= 0 && prevalence < 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "prevalence %g: must lie between 0 and 1, or be 0 for that of the "
                               "samples",
                               prevalence);
    S2CLR_TRY(s2clr_metrics_rank(p, label, n, &ranked));
    const totals of = count_labels(ranked, n, prevalence);
    const s2clr_status status = of.positives == 0 ? refuse(n, curve, "positive")
                                : prevalence > 0 && of.negatives == 0
                                    ? refuse(n, curve, "negative")
                                    : make(ranked, n, &of, precision_point, most, out);
    s2clr_free(ranked);
    return status;
}

void s2clr_curve_free(s2clr_curve *curve)
{
    s2clr_free(curve->x);
    *curve = (s2clr_curve){0};
}
