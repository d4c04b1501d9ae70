/* Kernel bodies: element by element. See cuda_kernels.h. */
#ifndef S2CLR_BACKEND_CUDA_BODY_LOOPS_H
#define S2CLR_BACKEND_CUDA_BODY_LOOPS_H

#include "backend/cuda_body.h"

static inline size_t cuda_add_count(const cuda_add_args *a)
{
    return a->count / CUDA_LANES;
}

CUDA_BODY void cuda_add_body(size_t i, const cuda_add_args *a)
{
    const size_t at = i * CUDA_LANES;
    cuda_run y = cuda_load(a->element, a->a, at);
    const cuda_run b = a->b ? cuda_load(a->element, a->b, at) : cuda_zeros();
    for (int l = 0; l < CUDA_LANES; l++)
        y.v[l] = cuda_act(a->b ? y.v[l] + b.v[l] : y.v[l], a->relu);
    cuda_store(a->element, a->y, at, y);
}

static inline size_t cuda_mask_count(const cuda_mask_args *a)
{
    return a->count / CUDA_LANES;
}

CUDA_BODY void cuda_mask_body(size_t i, const cuda_mask_args *a)
{
    const size_t at = i * CUDA_LANES;
    cuda_store(a->element, a->g, at, cuda_masked(a->element, a->y, a->dy, at));
}

static inline size_t cuda_finish_count(const cuda_finish_args *a)
{
    return cuda_view_runs(&a->view);
}

CUDA_BODY void cuda_finish_body(size_t i, const cuda_finish_args *a)
{
    const size_t at = i * CUDA_LANES;
    const size_t channel = cuda_split(&i, a->view.lanes / CUDA_LANES) * CUDA_LANES;
    cuda_run y = cuda_load(a->x_element, a->x, at);
    const cuda_run bias = a->bias ? cuda_floats_at(a->bias, channel) : cuda_zeros();
    const cuda_run more = a->residual ? cuda_load(a->element, a->residual, at) : cuda_zeros();
    for (int l = 0; l < CUDA_LANES; l++) y.v[l] = cuda_act(y.v[l] + bias.v[l] + more.v[l], a->relu);
    cuda_store(a->element, a->y, at, y);
}

/* The run of a vector of `count` floats, zeros behind its end. */
CUDA_BODY cuda_run cuda_channels_at(const float *values, size_t count, size_t channel)
{
    if (channel + CUDA_LANES <= count) return cuda_floats_at(values, channel);
    cuda_run run = cuda_zeros();
    for (size_t l = 0; l < CUDA_LANES; l++)
        if (channel + l < count) run.v[l] = values[channel + l];
    return run;
}

static inline size_t cuda_affine_count(const cuda_affine_args *a)
{
    return cuda_view_runs(&a->view);
}

CUDA_BODY void cuda_affine_body(size_t i, const cuda_affine_args *a)
{
    const size_t at = i * CUDA_LANES;
    const size_t channel = cuda_split(&i, a->view.lanes / CUDA_LANES) * CUDA_LANES;
    const cuda_run scale = cuda_channels_at(a->scale, a->view.c, channel);
    const cuda_run shift = cuda_channels_at(a->shift, a->view.c, channel);
    cuda_run y = cuda_load(a->element, a->x, at);
    for (int l = 0; l < CUDA_LANES; l++)
        y.v[l] = cuda_act(scale.v[l] * y.v[l] + shift.v[l], a->relu);
    cuda_store(a->element, a->y, at, y);
}

static inline size_t cuda_affine_backward_count(const cuda_affine_backward_args *a)
{
    return cuda_view_runs(&a->view);
}

CUDA_BODY void cuda_affine_backward_body(size_t i, const cuda_affine_backward_args *a)
{
    const size_t at = i * CUDA_LANES;
    const size_t channel = cuda_split(&i, a->view.lanes / CUDA_LANES) * CUDA_LANES;
    const cuda_run of_g = cuda_channels_at(a->of_g, a->view.c, channel);
    const cuda_run of_x = cuda_channels_at(a->of_x, a->view.c, channel);
    const cuda_run constant = cuda_channels_at(a->constant, a->view.c, channel);
    const cuda_run x = cuda_load(a->element, a->x, at);
    cuda_run dx = cuda_masked(a->element, a->y, a->dy, at);
    for (int l = 0; l < CUDA_LANES; l++)
        dx.v[l] = of_g.v[l] * dx.v[l] + of_x.v[l] * x.v[l] + constant.v[l];
    cuda_store(a->element, a->dx, at, dx);
}

#endif
