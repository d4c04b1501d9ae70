/*
 * Kernel bodies: pools. An index of a forward kernel is a run of y, of a backward kernel one of x,
 * which gathers from the windows that contain it. See cuda_kernels.h.
 */
#ifndef S2CLR_BACKEND_CUDA_BODY_POOL_H
#define S2CLR_BACKEND_CUDA_BODY_POOL_H

#include "backend/cuda_body.h"

/* [begin, end) of one axis. */
typedef struct cuda_span {
    size_t begin, end;
} cuda_span;

/* Pixels of window number `at` that lie inside a map of `size`. */
CUDA_BODY cuda_span cuda_window_span(size_t at, int kernel, int stride, int pad, size_t size)
{
    const long long first = (long long)at * stride - pad, last = first + kernel;
    cuda_span span;
    span.begin = first < 0 ? 0 : (size_t)first;
    span.end = last > (long long)size ? size : (size_t)last;
    return span;
}

/* Windows, of `count`, that contain pixel `at`. */
CUDA_BODY cuda_span cuda_reader_span(size_t at, int kernel, int stride, int pad, size_t count)
{
    const long long behind = (long long)at + pad, before = behind - kernel + 1;
    const long long end = behind / stride + 1;
    cuda_span span;
    span.begin = before <= 0 ? 0 : (size_t)((before + stride - 1) / stride);
    span.end = end > (long long)count ? count : (size_t)end;
    return span;
}

/* ---- maximum ---- */

static inline size_t cuda_maxpool_count(const cuda_maxpool_args *a)
{
    return cuda_view_runs(&a->y_view);
}

CUDA_BODY void cuda_maxpool_body(size_t i, const cuda_maxpool_args *a)
{
    const cuda_view *const x = &a->x_view;
    const cuda_window v = a->window;
    const cuda_place to = cuda_place_of(&a->y_view, i);
    const cuda_span rows = cuda_window_span(to.row, v.h, v.stride, v.top, x->h);
    const cuda_span columns = cuda_window_span(to.column, v.w, v.stride, v.left, x->w);
    cuda_run best = cuda_zeros();
    int32_t winner[CUDA_LANES];
    for (int l = 0; l < CUDA_LANES; l++) winner[l] = -1;
    for (size_t r = rows.begin; r < rows.end; r++)
        for (size_t s = columns.begin; s < columns.end; s++) {
            const cuda_run run = cuda_load(a->element, a->x, cuda_at(x, to.n, r, s, to.channel));
            for (int l = 0; l < CUDA_LANES; l++) {
                /* the first maximum in scan order; a NaN wins */
                const bool wins = winner[l] < 0 || run.v[l] > best.v[l] ||
                                  (run.v[l] != run.v[l] && best.v[l] == best.v[l]);
                if (!wins) continue;
                best.v[l] = run.v[l];
                winner[l] = (int32_t)(r * x->w + s);
            }
        }
    cuda_store(a->element, a->y, i * CUDA_LANES, best);
    if (a->winner)
        for (int l = 0; l < CUDA_LANES; l++) a->winner[i * CUDA_LANES + (size_t)l] = winner[l];
}

static inline size_t cuda_maxpool_backward_count(const cuda_maxpool_backward_args *a)
{
    return cuda_view_runs(&a->x_view);
}

CUDA_BODY void cuda_maxpool_backward_body(size_t i, const cuda_maxpool_backward_args *a)
{
    const cuda_view *const y = &a->y_view;
    const cuda_window v = a->window;
    const cuda_place to = cuda_place_of(&a->x_view, i);
    const cuda_span rows = cuda_reader_span(to.row, v.h, v.stride, v.top, y->h);
    const cuda_span columns = cuda_reader_span(to.column, v.w, v.stride, v.left, y->w);
    const int32_t own = (int32_t)(to.row * a->x_view.w + to.column);
    cuda_run dx = cuda_zeros();
    for (size_t p = rows.begin; p < rows.end; p++)
        for (size_t q = columns.begin; q < columns.end; q++) {
            const size_t at = cuda_at(y, to.n, p, q, to.channel);
            const cuda_run dy = cuda_load(a->element, a->dy, at);
            for (int l = 0; l < CUDA_LANES; l++)
                if (a->winner[at + (size_t)l] == own) dx.v[l] += dy.v[l];
        }
    cuda_store(a->element, a->dx, i * CUDA_LANES, dx);
}

/* ---- mean of windows ---- */

CUDA_BODY float cuda_divisor(cuda_span rows, cuda_span columns, cuda_window window, bool count_pad)
{
    if (count_pad) return (float)window.h * (float)window.w;
    return (float)(rows.end - rows.begin) * (float)(columns.end - columns.begin);
}

static inline size_t cuda_avgpool_count(const cuda_avgpool_args *a)
{
    return cuda_view_runs(&a->y_view);
}

CUDA_BODY void cuda_avgpool_body(size_t i, const cuda_avgpool_args *a)
{
    const cuda_view *const x = &a->x_view;
    const cuda_window v = a->window;
    const cuda_place to = cuda_place_of(&a->y_view, i);
    const cuda_span rows = cuda_window_span(to.row, v.h, v.stride, v.top, x->h);
    const cuda_span columns = cuda_window_span(to.column, v.w, v.stride, v.left, x->w);
    const float divisor = cuda_divisor(rows, columns, v, a->count_pad);
    cuda_run y = cuda_zeros();
    for (size_t r = rows.begin; r < rows.end; r++)
        for (size_t s = columns.begin; s < columns.end; s++) {
            const cuda_run run = cuda_load(a->element, a->x, cuda_at(x, to.n, r, s, to.channel));
            for (int l = 0; l < CUDA_LANES; l++) y.v[l] += run.v[l];
        }
    for (int l = 0; l < CUDA_LANES; l++) y.v[l] /= divisor;
    cuda_store(a->element, a->y, i * CUDA_LANES, y);
}

static inline size_t cuda_avgpool_backward_count(const cuda_avgpool_backward_args *a)
{
    return cuda_view_runs(&a->x_view);
}

CUDA_BODY void cuda_avgpool_backward_body(size_t i, const cuda_avgpool_backward_args *a)
{
    const cuda_view *const x = &a->x_view, *const y = &a->y_view;
    const cuda_window v = a->window;
    const cuda_place to = cuda_place_of(x, i);
    const cuda_span p = cuda_reader_span(to.row, v.h, v.stride, v.top, y->h);
    const cuda_span q = cuda_reader_span(to.column, v.w, v.stride, v.left, y->w);
    cuda_run dx = cuda_zeros();
    for (size_t r = p.begin; r < p.end; r++)
        for (size_t s = q.begin; s < q.end; s++) {
            const cuda_span rows = cuda_window_span(r, v.h, v.stride, v.top, x->h);
            const cuda_span columns = cuda_window_span(s, v.w, v.stride, v.left, x->w);
            const float divisor = cuda_divisor(rows, columns, v, a->count_pad);
            const cuda_run dy = cuda_load(a->element, a->dy, cuda_at(y, to.n, r, s, to.channel));
            for (int l = 0; l < CUDA_LANES; l++) dx.v[l] += dy.v[l] / divisor;
        }
    cuda_store(a->element, a->dx, i * CUDA_LANES, dx);
}

/* ---- mean of the whole map ---- */

static inline size_t cuda_meanpool_count(const cuda_meanpool_args *a)
{
    return a->x_view.n * a->x_view.lanes / CUDA_LANES;
}

CUDA_BODY void cuda_meanpool_body(size_t i, const cuda_meanpool_args *a)
{
    const size_t lanes = a->x_view.lanes, plane = a->x_view.h * a->x_view.w, to = i * CUDA_LANES;
    const size_t channel = cuda_split(&i, lanes / CUDA_LANES) * CUDA_LANES;
    double sum[CUDA_LANES];
    cuda_run y;
    for (int l = 0; l < CUDA_LANES; l++) sum[l] = 0.0;
    for (size_t p = 0; p < plane; p++) {
        const cuda_run x = cuda_load(a->element, a->x, (i * plane + p) * lanes + channel);
        for (int l = 0; l < CUDA_LANES; l++) sum[l] += (double)x.v[l];
    }
    for (int l = 0; l < CUDA_LANES; l++) y.v[l] = (float)(sum[l] / (double)plane);
    cuda_store(a->element, a->y, to, y);
}

static inline size_t cuda_meanpool_backward_count(const cuda_meanpool_backward_args *a)
{
    return cuda_view_runs(&a->x_view);
}

CUDA_BODY void cuda_meanpool_backward_body(size_t i, const cuda_meanpool_backward_args *a)
{
    const size_t lanes = a->x_view.lanes, plane = a->x_view.h * a->x_view.w, to = i * CUDA_LANES;
    const size_t channel = cuda_split(&i, lanes / CUDA_LANES) * CUDA_LANES;
    (void)cuda_split(&i, plane);
    cuda_run dx = cuda_load(a->element, a->dy, i * lanes + channel);
    for (int l = 0; l < CUDA_LANES; l++) dx.v[l] /= (float)plane;
    cuda_store(a->element, a->dx, to, dx);
}

#endif
