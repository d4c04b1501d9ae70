/* Kernel bodies: sums by channel, in a fixed order. See cuda_kernels.h and cuda_sums.h. */
#ifndef S2CLR_BACKEND_CUDA_BODY_SUMS_H
#define S2CLR_BACKEND_CUDA_BODY_SUMS_H

#include "backend/cuda_body.h"

static inline size_t cuda_sums_count(const cuda_sums_args *a)
{
    return a->slices * (a->view.lanes / CUDA_LANES);
}

/* Neighbouring slices take neighbouring pixels: together they read without gaps. */
CUDA_BODY void cuda_sums_body(size_t i, const cuda_sums_args *a)
{
    const size_t lanes = a->view.lanes, pixels = a->view.n * a->view.h * a->view.w;
    const size_t channel = cuda_split(&i, lanes / CUDA_LANES) * CUDA_LANES;
    double sum[CUDA_LANES], product[CUDA_LANES];
    for (int l = 0; l < CUDA_LANES; l++) sum[l] = product[l] = 0.0;
    for (size_t p = i; p < pixels; p += a->slices) {
        const size_t at = p * lanes + channel;
        const cuda_run g = cuda_masked(a->element, a->y, a->a, at);
        const cuda_run b = a->b ? cuda_load(a->element, a->b, at) : cuda_zeros();
        for (int l = 0; l < CUDA_LANES; l++) {
            sum[l] += (double)g.v[l];
            product[l] += (double)g.v[l] * (double)b.v[l];
        }
    }
    double *const to = a->partial + i * (a->b ? 2 : 1) * lanes + channel;
    for (int l = 0; l < CUDA_LANES; l++) {
        to[l] = sum[l];
        if (a->b) to[lanes + (size_t)l] = product[l];
    }
}

static inline size_t cuda_fold_count(const cuda_fold_args *a)
{
    return (a->rows + a->run - 1) / a->run * a->width;
}

CUDA_BODY void cuda_fold_body(size_t i, const cuda_fold_args *a)
{
    const size_t to = i, k = cuda_split(&i, a->width), first = i * a->run;
    const size_t end = first + a->run < a->rows ? first + a->run : a->rows;
    double sum = 0.0;
    for (size_t row = first; row < end; row++) sum += a->from[row * a->width + k];
    a->to[to] = sum;
}

#endif
