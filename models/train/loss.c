#include "train/loss.h"

#include <math.h>
#include <string.h>

static s2clr_status check_target(const char *name, float target, size_t i, size_t j)
{
    if (target >= 0 && target <= 1) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "loss %s: target %zu,%zu is %g, must be 0 to 1",
                           name, i, j, (double)target);
}

static s2clr_status check_shape(const char *name, size_t n, size_t k, size_t least)
{
    if (n > 0 && k >= least) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "loss %s: %zu samples of %zu logits, needs at least 1 of %zu", name, n,
                           k, least);
}

static s2clr_status bce(const float *logits, const float *target, const float *weight, size_t n,
                        size_t k, double *loss, float *dlogits)
{
    S2CLR_TRY(check_shape("bce", n, k, 1));
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double w = (weight ? (double)weight[i] : 1.0) / (double)n;
        for (size_t j = i * k; j < (i + 1) * k; j++) {
            S2CLR_TRY(check_target("bce", target[j], i, j - i * k));
            const double z = (double)logits[j], t = (double)target[j];
            const double e = exp(-fabs(z)); /* in (0, 1]: nothing below can overflow */
            sum += w * (fmax(z, 0) - z * t + log1p(e));
            const double s = z >= 0 ? 1 / (1 + e) : e / (1 + e);
            dlogits[j] = (float)(w * (s - t));
        }
    }
    *loss = sum;
    return S2CLR_OK;
}

static s2clr_status softmax(const float *logits, const float *target, const float *weight, size_t n,
                            size_t k, double *loss, float *dlogits)
{
    S2CLR_TRY(check_shape("softmax", n, k, 2));
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float *z = logits + i * k, *t = target + i * k;
        const double w = (weight ? (double)weight[i] : 1.0) / (double)n;
        double largest = (double)z[0], total = 0, mass = 0, dot = 0;
        for (size_t j = 0; j < k; j++) {
            S2CLR_TRY(check_target("softmax", t[j], i, j));
            largest = fmax(largest, (double)z[j]);
        }
        for (size_t j = 0; j < k; j++) {
            total += exp((double)z[j] - largest);
            mass += (double)t[j];
            dot += (double)t[j] * ((double)z[j] - largest);
        }
        sum += w * (mass * log(total) - dot);
        for (size_t j = 0; j < k; j++)
            dlogits[i * k + j] =
                (float)(w * (mass * exp((double)z[j] - largest) / total - (double)t[j]));
    }
    *loss = sum;
    return S2CLR_OK;
}

static const s2clr_loss table[] = {
    {"bce", "binary cross entropy of each logit, targets may be soft", bce},
    {"softmax", "cross entropy over classes, targets may be distributions", softmax},
};
enum { ENTRIES = sizeof table / sizeof table[0] };

size_t s2clr_loss_list(const s2clr_loss **out)
{
    *out = table;
    return ENTRIES;
}

s2clr_status s2clr_loss_find(const char *name, const s2clr_loss **out)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (strcmp(table[i].name, name) != 0) continue;
        *out = &table[i];
        return S2CLR_OK;
    }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "loss \"%s\" is not known; use bce or softmax",
                           name);
}
