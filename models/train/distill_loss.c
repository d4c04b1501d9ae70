#include "train/distill_loss.h"

#include <math.h>

/* log of sigmoid(z) */
static double log_sigmoid(double z)
{
    return fmin(z, 0) - log1p(exp(-fabs(z)));
}

/* KL(sigmoid(t) || sigmoid(z)); *d its derivative by z. */
static double binary(double z, double t, double *d)
{
    const double p = exp(log_sigmoid(t)), q = exp(log_sigmoid(-t)); /* q: 1 - p, but exact */
    *d = z < 0 ? exp(log_sigmoid(z)) - p : q - exp(log_sigmoid(-z));
    return p * (log_sigmoid(t) - log_sigmoid(z)) + q * (log_sigmoid(-t) - log_sigmoid(-z));
}

/* log of the sum of exp(z[j] / temperature) */
static double log_sum(const float *z, size_t k, double temperature)
{
    double largest = (double)z[0], sum = 0;
    for (size_t j = 1; j < k; j++) largest = fmax(largest, (double)z[j]);
    for (size_t j = 0; j < k; j++) sum += exp(((double)z[j] - largest) / temperature);
    return largest / temperature + log(sum);
}

/* KL of one row; dlogits: scaled by `scale`. */
static double classes(const float *z, const float *t, size_t k, double temperature, double scale,
                      float *dlogits)
{
    const double of_z = log_sum(z, k, temperature), of_t = log_sum(t, k, temperature);
    double sum = 0;
    for (size_t j = 0; j < k; j++) {
        const double log_q = (double)z[j] / temperature - of_z;
        const double log_p = (double)t[j] / temperature - of_t;
        sum += exp(log_p) * (log_p - log_q);
        dlogits[j] = (float)(scale * (exp(log_q) - exp(log_p)));
    }
    return sum;
}

s2clr_status s2clr_distill_loss(const float *logits, const float *teacher, const float *weight,
                                size_t n, size_t k, double temperature, double *loss,
                                float *dlogits)
{
    if (n == 0 || k == 0 || !(temperature > 0) || !isfinite(temperature))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "distillation of %zu samples of %zu logits at temperature %g: must "
                               "all be positive",
                               n, k, temperature);
    const double T = temperature;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = (weight ? (double)weight[i] : 1.0) / (double)n;
        const float *z = logits + i * k, *t = teacher + i * k;
        if (k == 1) {
            double d;
            sum += w * T * T * binary((double)z[0] / T, (double)t[0] / T, &d);
            dlogits[i] = (float)(w * T * d);
        } else {
            sum += w * T * T * classes(z, t, k, T, w * T, dlogits + i * k);
        }
    }
    *loss = sum;
    return S2CLR_OK;
}
