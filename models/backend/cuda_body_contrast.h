/* Kernel bodies: the contrastive loss. See cuda_contrast_args.h; formulas: portable_contrast.c.
 * Sums are in double, each in an order that the shape alone decides. */
#ifndef S2CLR_BACKEND_CUDA_BODY_CONTRAST_H
#define S2CLR_BACKEND_CUDA_BODY_CONTRAST_H

#include <math.h>

#include "backend/cuda_body.h"

/* Does view j stand in the sum of view i? */
CUDA_BODY bool cuda_view_counts(const cuda_views *views, size_t i, size_t j)
{
    if (i / 2 == j / 2) return i != j;
    return !views->place || views->place[i / 2] != views->place[j / 2];
}

static inline size_t cuda_contrast_unit_count(const cuda_contrast_unit_args *a)
{
    return a->views.count;
}

CUDA_BODY void cuda_contrast_unit_body(size_t i, const cuda_contrast_unit_args *a)
{
    const float *const z = a->z + i * a->views.d;
    float *const u = a->u + i * a->views.d;
    double square = 0.0;
    for (size_t k = 0; k < a->views.d; k++) square += (double)z[k] * (double)z[k];
    const double norm = sqrt(square);
    a->norm[i] = norm;
    for (size_t k = 0; k < a->views.d; k++) u[k] = (float)((double)z[k] / norm);
}

static inline size_t cuda_contrast_slice_count(const cuda_contrast_slice_args *a)
{
    return a->rows * a->slices;
}

/* Neighbouring slices take neighbouring views. */
CUDA_BODY void cuda_contrast_slice_body(size_t i, const cuda_contrast_slice_args *a)
{
    double *const to = a->partial + 2 * i;
    const size_t slice = cuda_split(&i, a->slices);
    const float *const cosine = a->cosine + i * a->views.count;
    float most = -2.0f; /* below every cosine */
    double sum = 0.0;
    for (size_t j = slice; j < a->views.count; j += a->slices)
        if (cosine[j] > most && cuda_view_counts(&a->views, a->first + i, j)) most = cosine[j];
    for (size_t j = slice; j < a->views.count; j += a->slices)
        if (cuda_view_counts(&a->views, a->first + i, j))
            sum += exp(((double)cosine[j] - (double)most) / a->views.temperature);
    to[0] = (double)most;
    to[1] = sum;
}

static inline size_t cuda_contrast_cost_count(const cuda_contrast_cost_args *a)
{
    return a->rows;
}

CUDA_BODY void cuda_contrast_cost_body(size_t i, const cuda_contrast_cost_args *a)
{
    const double *const partial = a->partial + 2 * i * a->slices;
    const size_t view = a->first + i;
    const double other = (double)a->cosine[i * a->views.count + (view ^ 1)];
    double most = other, sum = 0.0;
    for (size_t k = 0; k < a->slices; k++)
        if (partial[2 * k + 1] > 0.0 && partial[2 * k] > most) most = partial[2 * k];
    for (size_t k = 0; k < a->slices; k++)
        if (partial[2 * k + 1] > 0.0)
            sum += partial[2 * k + 1] * exp((partial[2 * k] - most) / a->views.temperature);
    /* Both terms are near 0 where the views are told apart, and so is their sum. */
    a->log[view] = most / a->views.temperature + log(sum);
    a->cost[view] = (most - other) / a->views.temperature + log(sum);
}

static inline size_t cuda_contrast_pull_count(const cuda_contrast_pull_args *a)
{
    return a->rows * a->views.count;
}

/* View i pulls and is pulled: its own sum and that of view j both reach u_i. */
CUDA_BODY void cuda_contrast_pull_body(size_t i, const cuda_contrast_pull_args *a)
{
    float *const cosine = a->cosine + i;
    const size_t j = cuda_split(&i, a->views.count), view = a->first + i;
    const double s = (double)*cosine / a->views.temperature;
    double pull = 0.0;
    if (cuda_view_counts(&a->views, view, j))
        pull = exp(s - a->log[view]) + exp(s - a->log[j]) - (j == (view ^ 1) ? 2.0 : 0.0);
    *cosine = (float)pull;
}

static inline size_t cuda_contrast_turn_count(const cuda_contrast_turn_args *a)
{
    return a->views.count;
}

/* The length of z does not matter, so its direction gets no gradient. */
CUDA_BODY void cuda_contrast_turn_body(size_t i, const cuda_contrast_turn_args *a)
{
    const float *const u = a->u + i * a->views.d;
    float *const gradient = a->gradient + i * a->views.d;
    const double scale = 1.0 / (a->views.temperature * (double)a->views.count * a->norm[i]);
    double along = 0.0;
    for (size_t k = 0; k < a->views.d; k++) along += (double)u[k] * (double)gradient[k];
    for (size_t k = 0; k < a->views.d; k++)
        gradient[k] = (float)(scale * ((double)gradient[k] - along * (double)u[k]));
}

#endif
