#include "file/card_probability.h"

#include <math.h>

#include "file/probability.h"

static double odds(double p)
{
    return log(p / (1 - p));
}

/* The last i with at[i] <= value; at[0] <= value < at[count - 1]. */
static int segment(const double *at, int count, double value)
{
    int low = 0, high = count - 1;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (at[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static double between(const double *from, const double *to, int count, double value)
{
    const int i = segment(from, count, value);
    return to[i] + (to[i + 1] - to[i]) * ((value - from[i]) / (from[i + 1] - from[i]));
}

/* The end knot whose slope holds at `logit`, -1: it lies between two. */
static int beyond(const s2clr_calibration *c, double logit)
{
    if (logit <= c->knot_logit[0]) return 0;
    return logit >= c->knot_logit[c->knots - 1] ? c->knots - 1 : -1;
}

double s2clr_card_log_odds(const s2clr_card *card, double logit)
{
    const s2clr_calibration *c = &card->calibration;
    const double scaled = logit / card->temperature;
    if (isnan(logit)) return logit;
    if (c->knots == 0) return c->bias != 0 ? scaled + c->bias : scaled;
    const int end = beyond(c, logit);
    if (end >= 0) return odds(c->knot_p[end]) + (logit - c->knot_logit[end]) / card->temperature;
    return odds(between(c->knot_logit, c->knot_p, c->knots, logit));
}

double s2clr_card_probability(const s2clr_card *card, double logit)
{
    const s2clr_calibration *c = &card->calibration;
    if (isnan(logit)) return logit;
    if (c->knots > 0 && beyond(c, logit) < 0)
        return between(c->knot_logit, c->knot_p, c->knots, logit);
    return s2clr_probability_of_logit(s2clr_card_log_odds(card, logit), 1);
}

double s2clr_card_logit(const s2clr_card *card, double p)
{
    const s2clr_calibration *c = &card->calibration;
    const int last = c->knots - 1;
    if (isnan(p)) return p;
    if (p <= 0 || p >= 1) return p <= 0 ? -(double)INFINITY : (double)INFINITY;
    if (c->knots == 0) return card->temperature * (odds(p) - c->bias);
    if (p <= c->knot_p[0])
        return c->knot_logit[0] + card->temperature * (odds(p) - odds(c->knot_p[0]));
    if (p > c->knot_p[last])
        return c->knot_logit[last] + card->temperature * (odds(p) - odds(c->knot_p[last]));
    int i = 1; /* of a flat stretch the lower end */
    while (c->knot_p[i] < p) i++;
    const double share = (p - c->knot_p[i - 1]) / (c->knot_p[i] - c->knot_p[i - 1]);
    return c->knot_logit[i - 1] + (c->knot_logit[i] - c->knot_logit[i - 1]) * share;
}

void s2clr_card_probabilities(const s2clr_card *card, const float *logits, size_t k, double *p)
{
    double largest = (double)logits[0], sum = 0;
    if (k == 1) {
        p[0] = s2clr_card_probability(card, (double)logits[0]);
        return;
    }
    for (size_t j = 1; j < k; j++) largest = fmax(largest, (double)logits[j]);
    for (size_t j = 0; j < k; j++)
        sum += p[j] = exp(((double)logits[j] - largest) / card->temperature);
    for (size_t j = 0; j < k; j++) p[j] /= sum;
}
