/*
 * Kernel bodies: convolution straight from its definition, for what no library engine does. An
 * index is one value of the result. Sums along channels or along a row are float32, sums of these
 * are double. See cuda_kernels.h.
 */
#ifndef S2CLR_BACKEND_CUDA_BODY_DIRECT_H
#define S2CLR_BACKEND_CUDA_BODY_DIRECT_H

#include "backend/cuda_body.h"

/* ---- forward: a value of y ---- */

static inline size_t cuda_direct_forward_count(const cuda_direct_forward_args *a)
{
    return a->part.count ? a->part.count : cuda_view_count(&a->shape.y_view);
}

/* Sum over r, s, c of weight[k][r][s][c] * x[row][column][c], c of the group of k. */
CUDA_BODY double cuda_direct_gather(const cuda_direct_forward_args *a, size_t n, size_t p, size_t q,
                                    size_t k)
{
    const cuda_direct *const d = &a->shape;
    const cuda_view *const x = &d->x_view;
    const cuda_window v = d->window;
    const size_t in = x->c / d->groups, first = k / (d->y_view.c / d->groups) * in;
    double sum = 0.0;
    for (int r = 0; r < v.h; r++)
        for (int s = 0; s < v.w; s++) {
            const long long row = (long long)p * v.stride + r - v.top;
            const long long column = (long long)q * v.stride + s - v.left;
            if (row < 0 || row >= (long long)x->h || column < 0 || column >= (long long)x->w)
                continue;
            const size_t from = cuda_at(x, n, (size_t)row, (size_t)column, first);
            const size_t taps = (size_t)v.h * (size_t)v.w, tap = (size_t)(r * v.w + s);
            const size_t weight = (k * taps + tap) * d->in_lanes;
            float part = 0.0f;
            for (size_t c = 0; c < in; c++)
                part += cuda_get(d->element, a->packed, weight + c) *
                        cuda_get(d->element, a->x, from + c);
            sum += (double)part;
        }
    return sum;
}

CUDA_BODY void cuda_direct_forward_body(size_t i, const cuda_direct_forward_args *a)
{
    const cuda_view *const y = &a->shape.y_view;
    const size_t at = i += a->part.first;
    const size_t k = cuda_split(&i, y->lanes), q = cuda_split(&i, y->w), p = cuda_split(&i, y->h);
    double sum = 0.0;
    if (k < y->c) {
        sum = cuda_direct_gather(a, i, p, q, k);
        if (a->bias) sum += (double)a->bias[k];
        if (a->residual) sum += (double)cuda_get(a->shape.element, a->residual, at);
    }
    cuda_set(a->shape.element, a->y, at, cuda_act((float)sum, a->relu));
}

/* ---- backward, data: a value of dx ---- */

static inline size_t cuda_direct_data_count(const cuda_direct_data_args *a)
{
    return a->part.count ? a->part.count : cuda_view_count(&a->shape.x_view);
}

/* Sum over r, s, k of weight[k][r][s][c] * dy[p][q][k], for the outputs that read pixel (row,
 * column) of channel c. */
CUDA_BODY double cuda_direct_scatter(const cuda_direct_data_args *a, size_t n, size_t row,
                                     size_t column, size_t c)
{
    const cuda_direct *const d = &a->shape;
    const cuda_view *const y = &d->y_view;
    const cuda_window v = d->window;
    const size_t in = d->x_view.c / d->groups, out = y->c / d->groups;
    const size_t first = c / in * out, taps = (size_t)v.h * (size_t)v.w;
    double sum = 0.0;
    for (int r = 0; r < v.h; r++)
        for (int s = 0; s < v.w; s++) {
            const long long top = (long long)row + v.top - r, left = (long long)column + v.left - s;
            if (top < 0 || left < 0 || top % v.stride != 0 || left % v.stride != 0) continue;
            const size_t p = (size_t)(top / v.stride), q = (size_t)(left / v.stride);
            if (p >= y->h || q >= y->w) continue;
            const size_t from = cuda_at(y, n, p, q, first), tap = (size_t)(r * v.w + s);
            float part = 0.0f;
            for (size_t k = 0; k < out; k++)
                part += cuda_get(d->element, a->packed,
                                 ((first + k) * taps + tap) * d->in_lanes + c % in) *
                        cuda_get(d->element, a->dy, from + k);
            sum += (double)part;
        }
    return sum;
}

CUDA_BODY void cuda_direct_data_body(size_t i, const cuda_direct_data_args *a)
{
    const cuda_view *const x = &a->shape.x_view;
    const size_t at = i += a->part.first;
    const size_t c = cuda_split(&i, x->lanes), s = cuda_split(&i, x->w), r = cuda_split(&i, x->h);
    const double sum = c < x->c ? cuda_direct_scatter(a, i, r, s, c) : 0.0;
    cuda_set(a->shape.element, a->dx, at, (float)sum);
}

/* ---- backward, weights: a value of one slice ---- */

static inline size_t cuda_direct_weights(const cuda_direct *d)
{
    return d->y_view.c * (d->x_view.c / d->groups) * (size_t)d->window.h * (size_t)d->window.w;
}

static inline size_t cuda_direct_partials(const cuda_direct_filter_args *a)
{
    return a->slices * cuda_direct_weights(&a->shape);
}

static inline size_t cuda_direct_filter_count(const cuda_direct_filter_args *a)
{
    return a->part.count ? a->part.count : cuda_direct_partials(a);
}

/* Sum along row p of y, of image n: dy[p][q][k] * x[row][q * stride + s - left][c]. */
CUDA_BODY float cuda_direct_row(const cuda_direct_filter_args *a, size_t n, size_t p, size_t row,
                                size_t k, size_t c, int s)
{
    const cuda_direct *const d = &a->shape;
    const cuda_view *const x = &d->x_view, *const y = &d->y_view;
    float sum = 0.0f;
    for (size_t q = 0; q < y->w; q++) {
        const long long column = (long long)q * d->window.stride + s - d->window.left;
        if (column < 0 || column >= (long long)x->w) continue;
        sum += cuda_get(d->element, a->dy, cuda_at(y, n, p, q, k)) *
               cuda_get(d->element, a->x, cuda_at(x, n, row, (size_t)column, c));
    }
    return sum;
}

CUDA_BODY void cuda_direct_filter_body(size_t i, const cuda_direct_filter_args *a)
{
    const cuda_direct *const d = &a->shape;
    const cuda_view *const x = &d->x_view, *const y = &d->y_view;
    const cuda_window v = d->window;
    const size_t to = i += a->part.first, in = x->c / d->groups;
    const int s = (int)cuda_split(&i, (size_t)v.w), r = (int)cuda_split(&i, (size_t)v.h);
    const size_t c = cuda_split(&i, in), k = cuda_split(&i, y->c), slice = i;
    const size_t channel = k / (y->c / d->groups) * in + c;
    double sum = 0.0;
    for (size_t line = slice; line < y->n * y->h; line += a->slices) {
        size_t n = line;
        const size_t p = cuda_split(&n, y->h);
        const long long row = (long long)p * v.stride + r - v.top;
        if (row < 0 || row >= (long long)x->h) continue;
        sum += (double)cuda_direct_row(a, n, p, (size_t)row, k, channel, s);
    }
    a->partial[to] = sum;
}

#endif
