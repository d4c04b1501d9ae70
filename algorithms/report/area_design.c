#include "report/area_design.h"

#include <math.h>

#include "base/memory.h"

static double deviation(const s2clr_area_expected *stratum)
{
    return sqrt(fmax(stratum->right * (1 - stratum->right), 0));
}

double s2clr_area_sample_size(const s2clr_area_expected *stratum, size_t count, double error)
{
    double all = 0, sum = 0, squares = 0;
    for (size_t h = 0; h < count; h++) all += stratum[h].pixels;
    for (size_t h = 0; h < count; h++) {
        const double weight = stratum[h].pixels / all, s = deviation(&stratum[h]);
        sum += weight * s;
        squares += weight * s * s;
    }
    return sum * sum / (error * error + squares / all);
}

typedef struct bounds {
    double weight, low, high;
    double given; /* before rounding */
} bounds;

static double clamp(const bounds *b, double factor)
{
    return fmin(fmax(factor * b->weight, b->low), b->high);
}

static double give(bounds *b, size_t count, double factor)
{
    double sum = 0;
    for (size_t h = 0; h < count; h++) sum += b[h].given = clamp(&b[h], factor);
    return sum;
}

/* The factor between weights and samples with which all of n are given away: the sum grows with
 * it, from less than n to more. */
static void share_out(bounds *b, size_t count, double n)
{
    double low = 0, high = 1;
    while (give(b, count, high) < n && high < 1e300) high *= 2;
    for (int i = 0; i < 200; i++) {
        const double middle = (low + high) / 2;
        if (give(b, count, middle) < n)
            low = middle;
        else
            high = middle;
    }
    give(b, count, high);
}

/* Whole numbers of the same sum: the largest remainders are rounded up. */
static void round_off(bounds *b, size_t count, size_t n, size_t *out)
{
    size_t sum = 0;
    for (size_t h = 0; h < count; h++) {
        out[h] = (size_t)floor(b[h].given + 1e-6);
        b[h].given -= (double)out[h];
        sum += out[h];
    }
    while (sum < n) {
        size_t best = count;
        for (size_t h = 0; h < count; h++)
            if ((double)out[h] < b[h].high && (best == count || b[h].given > b[best].given))
                best = h;
        if (best == count) return;
        out[best]++;
        b[best].given -= 1;
        sum++;
    }
}

static s2clr_status check(size_t n, const s2clr_area_expected *stratum, size_t count)
{
    double all = 0;
    for (size_t h = 0; h < count; h++) {
        all += stratum[h].pixels;
        if (stratum[h].pixels < 2)
            return s2clr_error_set(S2CLR_ERR_MISMATCH,
                                   "stratum %zu of %zu has %.0f pixels; wanted: at least two, or "
                                   "nothing is known of its variance; unite it with another "
                                   "(--breaks, --strata)",
                                   h + 1, count, stratum[h].pixels);
    }
    if (n < 2 * count)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--draw: %zu samples for %zu strata; wanted: at least %zu, two for "
                               "each",
                               n, count, 2 * count);
    if ((double)n > all)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "--draw: %zu samples, and the map has %.0f pixels; wanted: at most "
                               "as many",
                               n, all);
    return S2CLR_OK;
}

s2clr_status s2clr_area_allocate(s2clr_area_allocation rule, size_t n, size_t least,
                                 const s2clr_area_expected *stratum, size_t count, size_t *out)
{
    bounds *b;
    double weights = 0;
    S2CLR_TRY(check(n, stratum, count));
    S2CLR_TRY(s2clr_alloc(count, sizeof *b, "strata", (void **)&b));
    const double low = floor(fmax(fmin((double)least, (double)n / (double)count), 2));
    for (size_t h = 0; h < count; h++) {
        b[h].high = stratum[h].pixels;
        b[h].low = fmin(low, b[h].high);
        b[h].weight = rule == S2CLR_AREA_EQUAL ? 1 : stratum[h].pixels;
        if (rule == S2CLR_AREA_NEYMAN) b[h].weight *= deviation(&stratum[h]);
        weights += b[h].weight;
    }
    for (size_t h = 0; h < count && !(weights > 0); h++) b[h].weight = stratum[h].pixels;
    share_out(b, count, (double)n);
    round_off(b, count, n, out);
    s2clr_free(b);
    return S2CLR_OK;
}

double s2clr_area_expected_error(const s2clr_area_expected *stratum, size_t count,
                                 const size_t *taken)
{
    double all = 0, sum = 0;
    for (size_t h = 0; h < count; h++) all += stratum[h].pixels;
    for (size_t h = 0; h < count; h++) {
        const double n = (double)taken[h], part = stratum[h].pixels / all * deviation(&stratum[h]);
        sum += part * part * (1 - n / stratum[h].pixels) / n;
    }
    return sqrt(sum);
}

typedef struct plan {
    s2clr_area_allocation rule;
    size_t least;
    const s2clr_area_expected *stratum;
    size_t count;
    size_t *out; // (count)
} plan;

static s2clr_status error_of(const plan *p, size_t n, double *out)
{
    S2CLR_TRY(s2clr_area_allocate(p->rule, n, p->least, p->stratum, p->count, p->out));
    *out = s2clr_area_expected_error(p->stratum, p->count, p->out);
    return S2CLR_OK;
}

/* Rounding aside, the error falls as n grows; all pixels leave none. Equation 13 is the least that
 * any allocation needs, so it is the place to begin. */
s2clr_status s2clr_area_plan(s2clr_area_allocation rule, double error, size_t least,
                             const s2clr_area_expected *stratum, size_t count, size_t *out)
{
    const plan p = {rule, least, stratum, count, out};
    double all = 0, reached;
    for (size_t h = 0; h < count; h++) all += stratum[h].pixels;
    const double start =
        fmax(ceil(s2clr_area_sample_size(stratum, count, error)), 2.0 * (double)count);
    size_t low = (size_t)start - 1, high = (size_t)start;
    S2CLR_TRY(error_of(&p, high, &reached));
    while (reached > error && (double)high < all) {
        low = high;
        high = (size_t)fmin(2 * (double)high, all);
        S2CLR_TRY(error_of(&p, high, &reached));
    }
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        S2CLR_TRY(error_of(&p, middle, &reached));
        *(reached > error ? &low : &high) = middle;
    }
    return error_of(&p, high, &reached);
}
