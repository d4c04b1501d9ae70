#include <math.h>

#include "base/memory.h"
#include "file/card_probability.h"
#include "train/pcalibration.h"
#include "train/pmetrics.h"
#include "train/prior_shift.h"

static bool is_share(double x)
{
    return x > 0 && x < 1;
}

/* shift: of the log odds, to the share of positives that is scored at. */
static double mean_loss(const s2clr_card *card, const calibration_data *data, double shift)
{
    double loss = 0;
    for (size_t i = 0; i < data->n; i++) {
        const double odds = s2clr_card_log_odds(card, (double)data->logit[i]) + shift;
        const int label = data->label[i];
        loss += data->weight[label] * s2clr_calibration_softplus(label ? -odds : odds);
    }
    return loss / (double)data->n;
}

s2clr_status s2clr_calibration_score(const s2clr_card *card, const float *logit, const int *label,
                                     size_t n, double prevalence, s2clr_calibration_scores *out)
{
    calibration_data data;
    s2clr_metrics m;
    double *p;
    S2CLR_TRY(s2clr_calibration_prepare(logit, label, n, prevalence, &data));
    const double to = prevalence > 0 ? prevalence : (double)data.count[1] / (double)n;
    const double from = is_share(card->prevalence) ? card->prevalence : to;
    const double half = s2clr_probability_shift(0.5, from, to);
    S2CLR_TRY(s2clr_alloc(n, sizeof *p, "probabilities", (void **)&p));
    for (size_t i = 0; i < n; i++)
        p[i] = s2clr_probability_shift(s2clr_card_probability(card, (double)logit[i]), from, to);
    const s2clr_status status =
        prevalence > 0 ? s2clr_metrics_at_prevalence(p, label, n, 0.5, prevalence, 0, 0, NULL, &m)
                       : s2clr_metrics_compute(p, label, n, 0.5, 0, 0, NULL, &m);
    s2clr_free(p);
    S2CLR_TRY(status);
    *out = (s2clr_calibration_scores){.nll = mean_loss(card, &data, log(half / (1 - half))),
                                      .brier = m.value[S2CLR_METRIC_BRIER],
                                      .ece = m.value[S2CLR_METRIC_ECE]};
    return S2CLR_OK;
}

/* -log(softmax), without rounding to 0 on the way. */
static double class_loss(const s2clr_card *card, const float *z, size_t k, int label)
{
    double largest = (double)z[0], sum = 0;
    for (size_t j = 1; j < k; j++) largest = fmax(largest, (double)z[j]);
    for (size_t j = 0; j < k; j++) sum += exp(((double)z[j] - largest) / card->temperature);
    return log(sum) - ((double)z[label] - largest) / card->temperature;
}

s2clr_status s2clr_calibration_score_classes(const s2clr_card *card, const float *logits,
                                             const int *label, size_t n, size_t k,
                                             s2clr_calibration_scores *out)
{
    double p[S2CLR_CARD_CLASSES_MAX], nll = 0, brier = 0, ece = 0;
    double confidence[S2CLR_ECE_BINS] = {0}, hits[S2CLR_ECE_BINS] = {0};
    if (n == 0 || k < 2 || k > S2CLR_CARD_CLASSES_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%zu samples of %zu classes: must be 1 or more of 2 to %d", n, k,
                               S2CLR_CARD_CLASSES_MAX);
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;
        if (label[i] < 0 || (size_t)label[i] >= k)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "label of sample %zu is %d, must be 0 to %zu", i, label[i],
                                   k - 1);
        s2clr_card_probabilities(card, logits + i * k, k, p);
        for (size_t j = 0; j < k; j++) {
            const double miss = p[j] - ((size_t)label[i] == j);
            brier += miss * miss;
            if (p[j] > p[best]) best = j;
        }
        if (!(p[best] <= 1))
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "the logits of sample %zu give no probability", i);
        confidence[s2clr_metrics_bin(p[best])] += p[best];
        hits[s2clr_metrics_bin(p[best])] += best == (size_t)label[i];
        nll += class_loss(card, logits + i * k, k, label[i]);
    }
    for (int b = 0; b < S2CLR_ECE_BINS; b++) ece += fabs(confidence[b] - hits[b]);
    *out = (s2clr_calibration_scores){nll / (double)n, brier / (double)n, ece / (double)n};
    return S2CLR_OK;
}
