/* Kernel bodies: batch norm of a whole batch, and updates of an optimiser. Formulas and their
 * order: portable_training.c and update.c. See cuda_kernels.h. */
#ifndef S2CLR_BACKEND_CUDA_BODY_TRAINING_H
#define S2CLR_BACKEND_CUDA_BODY_TRAINING_H

#include <math.h>

#include "backend/cuda_body.h"

/* ---- arrays ---- */

static inline size_t cuda_accumulate_count(const cuda_accumulate_args *a)
{
    return a->count;
}

CUDA_BODY void cuda_accumulate_body(size_t i, const cuda_accumulate_args *a)
{
    a->sum[i] += a->x[i];
}

static inline size_t cuda_mean_count(const cuda_mean_args *a)
{
    return a->count;
}

CUDA_BODY void cuda_mean_body(size_t i, const cuda_mean_args *a)
{
    double sum = 0.0;
    for (size_t row = 0; row < a->rows; row++) sum += (double)a->x[row * a->count + i];
    a->mean[i] = (float)(sum / (double)a->rows);
}

/* ---- batch norm: one index per channel; coefficients: scale, shift, a, b, d ---- */

static inline size_t cuda_norm_forward_count(const cuda_norm_forward_args *n)
{
    return n->channels;
}

CUDA_BODY void cuda_norm_forward_body(size_t c, const cuda_norm_forward_args *n)
{
    const double mean = n->sums[c] / n->count;
    const double square = n->sums[n->channels + c] / n->count - mean * mean;
    const double variance = fmax(0.0, square);
    const double inverse = 1.0 / sqrt(variance + (double)n->epsilon);
    const double unbiased = n->count > 1.0 ? variance * n->count / (n->count - 1.0) : variance;
    n->moment[c] = mean;
    n->moment[n->channels + c] = inverse;
    n->coefficient[c] = (float)((double)n->gamma[c] * inverse);
    n->coefficient[n->channels + c] =
        (float)((double)n->beta[c] - mean * (double)n->gamma[c] * inverse);
    if (!n->moved_mean) return;
    n->moved_mean[c] = (float)(0.9 * (double)n->moved_mean[c] + 0.1 * mean);
    n->moved_variance[c] = (float)(0.9 * (double)n->moved_variance[c] + 0.1 * unbiased);
}

static inline size_t cuda_norm_backward_count(const cuda_norm_backward_args *n)
{
    return n->channels;
}

CUDA_BODY void cuda_norm_backward_body(size_t c, const cuda_norm_backward_args *n)
{
    const double mean = n->moment[c], inverse = n->moment[n->channels + c];
    const double dbeta = n->sums[c];
    const double dgamma = inverse * (n->sums[n->channels + c] - mean * dbeta);
    const double of_g = (double)n->gamma[c] * inverse;
    const double of_x = -of_g * inverse * dgamma / n->count;
    n->dbeta[c] = (float)dbeta;
    n->dgamma[c] = (float)dgamma;
    n->coefficient[2 * n->channels + c] = (float)of_g;
    n->coefficient[3 * n->channels + c] = (float)of_x;
    n->coefficient[4 * n->channels + c] = (float)(-of_g * dbeta / n->count - of_x * mean);
}

static inline size_t cuda_norm_frozen_count(const cuda_norm_frozen_args *n)
{
    return n->channels;
}

CUDA_BODY void cuda_norm_frozen_body(size_t c, const cuda_norm_frozen_args *n)
{
    const double scale =
        (double)n->gamma[c] / sqrt((double)n->running_variance[c] + (double)n->epsilon);
    n->coefficient[c] = (float)scale;
    n->coefficient[n->channels + c] =
        (float)((double)n->beta[c] - (double)n->running_mean[c] * scale);
}

/* ---- updates ---- */

static inline size_t cuda_lengths_count(const cuda_lengths_args *a)
{
    return a->ranges * a->slices;
}

/* Neighbouring slices take neighbouring elements. */
CUDA_BODY void cuda_lengths_body(size_t i, const cuda_lengths_args *a)
{
    const size_t to = 2 * i, slice = cuda_split(&i, a->slices);
    const s2clr_update_range *const range = &a->range[i];
    double weight = 0.0, gradient = 0.0;
    if (!range->adapted) return;
    for (size_t j = range->begin + slice; j < range->end; j += a->slices) {
        const double w = (double)a->params[j];
        const double g = (double)a->gradient[j] + a->weight_decay * w;
        weight += w * w;
        gradient += g * g;
    }
    a->partial[to] = weight;
    a->partial[to + 1] = gradient;
}

static inline size_t cuda_adapt_count(const cuda_adapt_args *a)
{
    return a->ranges;
}

CUDA_BODY void cuda_adapt_body(size_t i, const cuda_adapt_args *a)
{
    s2clr_update_range *const range = &a->range[i];
    const double *const partial = a->partial + 2 * i * a->slices;
    double weight = 0.0, gradient = 0.0;
    if (!range->adapted) return;
    for (size_t slice = 0; slice < a->slices; slice++) {
        weight += partial[2 * slice];
        gradient += partial[2 * slice + 1];
    }
    weight = sqrt(weight);
    gradient = sqrt(gradient);
    const double factor = weight > 0.0 && gradient > 0.0 ? a->trust * weight / gradient : 1.0;
    range->inside = (float)(range->rate * factor);
}

static inline size_t cuda_update_count(const cuda_update_args *a)
{
    return a->end - a->begin;
}

/* The range that an element is in, or the last one before it. */
CUDA_BODY const s2clr_update_range *cuda_range_of(const cuda_update_args *a, size_t element)
{
    size_t low = 0, high = a->ranges; /* begin of low <= element < begin of high */
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (a->range[middle].begin <= element)
            low = middle;
        else
            high = middle;
    }
    return &a->range[low];
}

CUDA_BODY void cuda_update_body(size_t i, const cuda_update_args *a)
{
    const size_t at = a->begin + i;
    const s2clr_update_range *const k = cuda_range_of(a, at);
    if (at >= k->end) return;
    float *const first = a->moments + at, *const second = first + a->count;
    const float before = a->params[at];
    if (!a->adam) {
        const float moved = k->beta1 * *first + k->inside * (a->gradient[at] + k->decay * before);
        *first = moved;
        a->params[at] = before - k->outside * moved;
        return;
    }
    const float weight = before * k->shrink;
    const float g = a->gradient[at] + k->decay * weight;
    const float m = k->beta1 * *first + k->rest1 * g;
    const float v = k->beta2 * *second + k->rest2 * g * g;
    *first = m;
    *second = v;
    a->params[at] = weight - k->size * m / (sqrtf(v) / k->root + k->epsilon);
}

#endif
