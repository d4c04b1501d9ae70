/* The calibrations with one number or two, by Newton's method on the negative log likelihood. */
#include <math.h>
#include <stddef.h>

#include "train/pcalibration.h"

/* The limits of a card's temperature. */
#define LEAST 1e-3
#define MOST 1e3

enum { STEPS = 200, HALVINGS = 60 };

s2clr_status s2clr_calibration_refuse(size_t n, int which)
{
    if (which > 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "calibration: the logits tell all %zu samples apart, so that no "
                               "temperature is sure enough for them; take samples that the network "
                               "errs on, or another method",
                               n);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "calibration: the logits of the %zu samples say nothing about their "
                           "labels, or the opposite; is this the right positive class?",
                           n);
}

s2clr_status s2clr_calibration_minimise(calibration_slope slope_at, const void *context, size_t n,
                                        double *a)
{
    double low = LEAST, high = MOST, at = 1, slope, curvature;
    slope_at(context, low, &slope, &curvature);
    if (!(slope < 0)) return s2clr_calibration_refuse(n, -1);
    slope_at(context, high, &slope, &curvature);
    if (!(slope > 0)) return s2clr_calibration_refuse(n, 1);
    for (int i = 0; i < STEPS; i++) {
        slope_at(context, at, &slope, &curvature);
        if (slope < 0)
            low = at;
        else
            high = at;
        double next = at - slope / curvature;
        if (!(next > low && next < high)) next = sqrt(low * high); /* also of no curvature: NaN */
        if (fabs(next - at) <= 1e-13 * at) break;
        at = next;
    }
    *a = at;
    return S2CLR_OK;
}

static void binary_slope(const void *context, double a, double *slope, double *curvature)
{
    const calibration_data *data = context;
    *slope = *curvature = 0;
    for (size_t i = 0; i < data->n; i++) {
        const double z = (double)data->logit[i], w = data->weight[data->label[i]];
        const double p = s2clr_calibration_sigmoid(a * z);
        const double miss = data->label[i] ? -s2clr_calibration_sigmoid(-a * z) : p;
        *slope += w * miss * z;
        *curvature += w * p * (1 - p) * z * z;
    }
}

s2clr_status s2clr_calibration_temperature(const calibration_data *data, s2clr_card *card)
{
    double a;
    S2CLR_TRY(s2clr_calibration_minimise(binary_slope, data, data->n, &a));
    card->temperature = s2clr_calibration_round(1 / a);
    return S2CLR_OK;
}

/* ---- Platt ---- */

/* Log odds a * (z - mean) / deviation + b: standardised, so that the equations are well set. */
typedef struct platt_fit {
    const calibration_data *data;
    double mean, deviation;
    double target[2]; /* softened: nobody is sure after finitely many samples */
    double a, b;
} platt_fit;

static double standard(const platt_fit *f, size_t i)
{
    return ((double)f->data->logit[i] - f->mean) / f->deviation;
}

static double platt_loss(const platt_fit *f, double a, double b)
{
    double loss = 0;
    for (size_t i = 0; i < f->data->n; i++) {
        const int label = f->data->label[i];
        const double z = a * standard(f, i) + b;
        loss += f->data->weight[label] * (s2clr_calibration_softplus(z) - f->target[label] * z);
    }
    return loss;
}

/* One step of Newton's method, shortened until the loss falls; 0 when it has arrived. */
static int platt_step(platt_fit *f)
{
    double ga = 0, gb = 0, aa = 0, ab = 0, bb = 0;
    for (size_t i = 0; i < f->data->n; i++) {
        const int label = f->data->label[i];
        const double x = standard(f, i), w = f->data->weight[label];
        const double p = s2clr_calibration_sigmoid(f->a * x + f->b);
        const double g = w * (p - f->target[label]), h = w * p * (1 - p);
        ga += g * x, gb += g;
        aa += h * x * x, ab += h * x, bb += h;
    }
    const double det = aa * bb - ab * ab;
    if (!(det > 0)) return 0;
    double da = (bb * ga - ab * gb) / det, db = (aa * gb - ab * ga) / det;
    const double before = platt_loss(f, f->a, f->b);
    for (int i = 0; i < HALVINGS; i++, da /= 2, db /= 2) {
        if (!(platt_loss(f, f->a - da, f->b - db) <= before)) continue;
        f->a -= da, f->b -= db;
        return fabs(da) > 1e-12 * (1 + fabs(f->a)) || fabs(db) > 1e-12 * (1 + fabs(f->b));
    }
    return 0;
}

static void standardise(platt_fit *f)
{
    const calibration_data *data = f->data;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < data->n; i++) sum += (double)data->logit[i];
    f->mean = sum / (double)data->n;
    for (size_t i = 0; i < data->n; i++) {
        const double d = (double)data->logit[i] - f->mean;
        squares += d * d;
    }
    f->deviation = sqrt(squares / (double)data->n);
}

s2clr_status s2clr_calibration_platt(const calibration_data *data, s2clr_card *card)
{
    const double ones = (double)data->count[1], zeros = (double)data->count[0];
    platt_fit f = {.data = data, .target = {1 / (zeros + 2), (ones + 1) / (ones + 2)}};
    standardise(&f);
    if (!(f.deviation > 0)) return s2clr_calibration_refuse(data->n, -1);
    f.b = log(ones * data->weight[1] / (zeros * data->weight[0]));
    for (int i = 0; i < STEPS && platt_step(&f); i++) continue;
    const double a = f.a / f.deviation;
    if (!(a > LEAST)) return s2clr_calibration_refuse(data->n, -1);
    if (!(a < MOST)) return s2clr_calibration_refuse(data->n, 1);
    card->temperature = s2clr_calibration_round(1 / a);
    card->calibration.bias = s2clr_calibration_round(f.b - a * f.mean);
    return S2CLR_OK;
}

/* ---- K classes ---- */

typedef struct class_data {
    const float *logits; // (n, k)
    const int *label;
    size_t n, k;
} class_data;

static void class_slope(const void *context, double a, double *slope, double *curvature)
{
    const class_data *data = context;
    *slope = *curvature = 0;
    for (size_t i = 0; i < data->n; i++) {
        const float *z = data->logits + i * data->k;
        double largest = (double)z[0], sum = 0, first = 0, second = 0;
        for (size_t j = 1; j < data->k; j++) largest = fmax(largest, (double)z[j]);
        for (size_t j = 0; j < data->k; j++) {
            const double d = (double)z[j] - largest, e = exp(a * d);
            sum += e, first += e * d, second += e * d * d;
        }
        const double mean = first / sum;
        *slope += mean - ((double)z[data->label[i]] - largest);
        *curvature += second / sum - mean * mean;
    }
}

s2clr_status s2clr_calibration_fit_classes(const float *logits, const int *label, size_t n,
                                           size_t k, s2clr_card *card)
{
    const class_data data = {.logits = logits, .label = label, .n = n, .k = k};
    double a;
    int several = 0;
    for (size_t i = 0; i < n; i++) {
        if (label[i] < 0 || (size_t)label[i] >= k)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "label of sample %zu is %d, must be 0 to %zu", i, label[i],
                                   k - 1);
        for (size_t j = 0; j < k; j++)
            if (!isfinite(logits[i * k + j]))
                return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                       "logit %zu of sample %zu is %g, must be a finite number", j,
                                       i, (double)logits[i * k + j]);
        several |= label[i] != label[0];
    }
    if (!several)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "calibration: all %zu samples are of one class: at least two are "
                               "needed",
                               n);
    S2CLR_TRY(s2clr_calibration_minimise(class_slope, &data, n, &a));
    s2clr_card_uncalibrate(card);
    card->temperature = s2clr_calibration_round(1 / a);
    return S2CLR_OK;
}
