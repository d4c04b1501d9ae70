#include "train/calibration.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "file/card_probability.h"
#include "train/pcalibration.h"

const char *s2clr_calibration_method_name(s2clr_calibration_method method)
{
    static const char *const names[] = {"temperature", "platt", "isotonic"};
    return (unsigned)method < sizeof names / sizeof names[0] ? names[method] : "unknown";
}

double s2clr_calibration_sigmoid(double z)
{
    return 1 / (1 + exp(-z)); /* exp may become infinite, the result does not */
}

double s2clr_calibration_softplus(double z)
{
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

double s2clr_calibration_round(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.7g", value);
    return strtod(text, NULL);
}

static s2clr_status check_sample(const float *logit, const int *label, size_t i)
{
    if (!isfinite(logit[i]))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "logit of sample %zu is %g, must be a finite number", i,
                               (double)logit[i]);
    if (label[i] == 0 || label[i] == 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "label of sample %zu is %d, must be 0 or 1", i,
                           label[i]);
}

s2clr_status s2clr_calibration_prepare(const float *logit, const int *label, size_t n,
                                       double prevalence, calibration_data *out)
{
    calibration_data data = {.logit = logit, .label = label, .n = n, .weight = {1, 1}};
    if (!(prevalence >= 0 && prevalence < 1))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "prevalence %g: must lie between 0 and 1, or be 0 for that of the "
                               "samples",
                               prevalence);
    for (size_t i = 0; i < n; i++) {
        S2CLR_TRY(check_sample(logit, label, i));
        data.count[label[i]]++;
    }
    if (data.count[0] == 0 || data.count[1] == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "calibration: %zu of the %zu samples are positive, and both labels "
                               "are needed",
                               data.count[1], n);
    if (prevalence > 0) {
        data.weight[0] = (1 - prevalence) * (double)n / (double)data.count[0];
        data.weight[1] = prevalence * (double)n / (double)data.count[1];
    }
    *out = data;
    return S2CLR_OK;
}

/* The threshold where the old one was; rounding must not cost the lowest positive its place. */
static double move_threshold(const s2clr_card *card, const s2clr_card *fitted,
                             const calibration_data *data)
{
    double moved = s2clr_card_probability(fitted, s2clr_card_logit(card, card->threshold));
    for (size_t i = 0; i < data->n; i++) {
        const double z = (double)data->logit[i], p = s2clr_card_probability(fitted, z);
        if (p < moved && s2clr_card_probability(card, z) >= card->threshold) moved = p;
    }
    return moved;
}

static bool has_curve(const s2clr_card *card)
{
    return card->calibration.bias != 0 || card->calibration.knots > 0;
}

/* The share of positives that the network's own logits hold for, 0: unknown. */
static double network_prevalence(const s2clr_card *card)
{
    return has_curve(card) ? card->calibration.network_prevalence : card->prevalence;
}

static s2clr_status fit_temperature(const float *logit, const int *label, size_t n,
                                    double prevalence, s2clr_card *card, calibration_data *data)
{
    const double own = network_prevalence(card);
    if (prevalence != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "prevalence %g: a temperature cannot change the share of positives "
                               "that probabilities hold for; leave it away, or fit platt or "
                               "isotonic",
                               prevalence);
    if (has_curve(card) && own == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "calibration: the card does not tell for which share of positives "
                               "its network was trained, only %g, for which it was calibrated "
                               "before; take the model from before that, or fit platt or isotonic",
                               card->prevalence);
    S2CLR_TRY(s2clr_calibration_prepare(logit, label, n, own > 0 && own < 1 ? own : 0, data));
    card->prevalence = own;
    card->calibration = (s2clr_calibration){0};
    return s2clr_calibration_temperature(data, card);
}

static s2clr_status fit_curve(s2clr_calibration_method method, const float *logit, const int *label,
                              size_t n, double prevalence, s2clr_card *card, calibration_data *data)
{
    const s2clr_calibration none = {.network_prevalence = network_prevalence(card)};
    S2CLR_TRY(s2clr_calibration_prepare(logit, label, n, prevalence, data));
    card->prevalence = prevalence > 0 ? prevalence : (double)data->count[1] / (double)n;
    card->calibration = none;
    return method == S2CLR_CALIBRATION_PLATT ? s2clr_calibration_platt(data, card)
                                             : s2clr_calibration_isotonic(data, card);
}

s2clr_status s2clr_calibration_fit(s2clr_calibration_method method, const float *logit,
                                   const int *label, size_t n, double prevalence, s2clr_card *card)
{
    calibration_data data;
    s2clr_card fitted = *card; /* texts are borrowed, and not looked at */
    S2CLR_TRY(method == S2CLR_CALIBRATION_TEMPERATURE
                  ? fit_temperature(logit, label, n, prevalence, &fitted, &data)
                  : fit_curve(method, logit, label, n, prevalence, &fitted, &data));
    fitted.threshold = move_threshold(card, &fitted, &data);
    *card = fitted;
    return S2CLR_OK;
}
