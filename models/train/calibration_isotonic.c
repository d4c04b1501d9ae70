/*
 * Isotonic calibration: the rising step curve that fits best (pool adjacent violators: Ayer and
 * others 1955), as a curve without steps: a knot in the middle of every pool, straight lines
 * between (centred isotonic regression: Oron and Flournoy 2017). Steps would give many pixels of a
 * map the same probability.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "train/pcalibration.h"

typedef struct pool_sample {
    double logit;
    int label;
} pool_sample;

typedef struct pool {
    double weight, logit, p; /* of all samples, mean of their logits, share of positives */
} pool;

static int rising(const void *a, const void *b)
{
    const pool_sample *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? -1 : 1;
    return x->label - y->label;
}

static pool join(pool a, pool b)
{
    const double weight = a.weight + b.weight;
    return (pool){weight, (a.weight * a.logit + b.weight * b.logit) / weight,
                  (a.weight * a.p + b.weight * b.p) / weight};
}

/* sorted: (data->n); pools: room for as many. Equal logits are one pool from the start. */
static size_t make_pools(const calibration_data *data, const pool_sample *sorted, pool *pools)
{
    size_t count = 0;
    for (size_t i = 0; i < data->n;) {
        pool one = {0, sorted[i].logit, 0};
        double positive = 0;
        for (const double logit = sorted[i].logit; i < data->n && sorted[i].logit == logit; i++) {
            one.weight += data->weight[sorted[i].label];
            positive += sorted[i].label ? data->weight[1] : 0;
        }
        one.p = positive / one.weight;
        for (; count > 0 && pools[count - 1].p >= one.p; count--) one = join(pools[count - 1], one);
        pools[count++] = one;
    }
    return count;
}

/* Squared error that joining a pool with the next one adds. */
static double cost(const pool *p)
{
    const double step = p[1].p - p[0].p;
    return p[0].weight * p[1].weight / (p[0].weight + p[1].weight) * step * step;
}

static size_t thin(pool *pools, size_t count)
{
    for (; count > S2CLR_CARD_KNOTS; count--) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < count; i++)
            if (cost(&pools[i]) < cost(&pools[best])) best = i;
        pools[best] = join(pools[best], pools[best + 1]);
        for (size_t i = best + 1; i + 1 < count; i++) pools[i] = pools[i + 1];
    }
    return count;
}

/* A share of 0 or 1 becomes what half a sample more would make of all: none of them is not
 * never. */
static void put_knots(const calibration_data *data, const pool *pools, size_t count,
                      s2clr_calibration *out)
{
    const double least = 0.5 * data->weight[1] / (double)data->n;
    const double most = 1 - 0.5 * data->weight[0] / (double)data->n;
    out->knots = 0;
    for (size_t i = 0; i < count; i++) {
        const double p = pools[i].p < least ? least : pools[i].p > most ? most : pools[i].p;
        const double logit = s2clr_calibration_round(pools[i].logit);
        const int at = out->knots;
        if (at > 0 && !(logit > out->knot_logit[at - 1])) continue; /* equal once rounded */
        out->knot_logit[at] = logit;
        const double rounded = s2clr_calibration_round(p);
        out->knot_p[at] = rounded < 1 ? rounded : p;
        out->knots++;
    }
}

/* Beyond the knots nothing was measured: the log odds go on as steeply as a line through those of
 * the same samples. */
static double slope_of(const calibration_data *data, const s2clr_card *card)
{
    s2clr_card line = *card;
    if (s2clr_calibration_platt(data, &line) == S2CLR_OK) return line.temperature;
    s2clr_error_clear();
    return 1;
}

s2clr_status s2clr_calibration_isotonic(const calibration_data *data, s2clr_card *card)
{
    pool_sample *sorted;
    pool *pools;
    card->temperature = slope_of(data, card);
    S2CLR_TRY(s2clr_alloc(data->n, sizeof *sorted, "sorted logits", (void **)&sorted));
    const s2clr_status status =
        s2clr_alloc(data->n, sizeof *pools, "pools of logits", (void **)&pools);
    if (status != S2CLR_OK) {
        s2clr_free(sorted);
        return status;
    }
    for (size_t i = 0; i < data->n; i++)
        sorted[i] = (pool_sample){(double)data->logit[i], data->label[i]};
    qsort(sorted, data->n, sizeof *sorted, rising);
    put_knots(data, pools, thin(pools, make_pools(data, sorted, pools)), &card->calibration);
    s2clr_free(sorted);
    s2clr_free(pools);
    return card->calibration.knots < 2 ? s2clr_calibration_refuse(data->n, -1) : S2CLR_OK;
}
