/* Kernel bodies: values from one layout to another. See cuda_kernels.h. */
#ifndef S2CLR_BACKEND_CUDA_BODY_MOVE_H
#define S2CLR_BACKEND_CUDA_BODY_MOVE_H

#include "backend/cuda_body.h"

/* ---- NCHW float32 <-> native: neighbouring indices are neighbours in a plane of NCHW ---- */

typedef struct cuda_border {
    size_t plane;  /* pixels of an image */
    size_t nchw;   /* of the first channel of the run */
    size_t native; /* of the run */
    size_t used;   /* real channels of the run */
} cuda_border;

CUDA_BODY cuda_border cuda_border_of(const cuda_view *view, size_t i)
{
    const size_t plane = view->h * view->w, blocks = view->lanes / CUDA_LANES;
    const size_t pixel = cuda_split(&i, plane), block = cuda_split(&i, blocks), n = i;
    const size_t channel = block * CUDA_LANES;
    const size_t left = view->c > channel ? view->c - channel : 0;
    const cuda_border border = {plane, (n * view->c + channel) * plane + pixel,
                                (n * plane + pixel) * view->lanes + channel,
                                left < CUDA_LANES ? left : CUDA_LANES};
    return border;
}

static inline size_t cuda_upload_count(const cuda_upload_args *a)
{
    return cuda_view_runs(&a->view);
}

CUDA_BODY void cuda_upload_body(size_t i, const cuda_upload_args *a)
{
    const cuda_border b = cuda_border_of(&a->view, i);
    cuda_run run = cuda_zeros();
    for (size_t l = 0; l < CUDA_LANES; l++)
        if (l < b.used) run.v[l] = a->nchw[b.nchw + l * b.plane];
    cuda_store(a->element, a->native, b.native, run);
}

static inline size_t cuda_download_count(const cuda_download_args *a)
{
    return cuda_view_runs(&a->view);
}

CUDA_BODY void cuda_download_body(size_t i, const cuda_download_args *a)
{
    const cuda_border b = cuda_border_of(&a->view, i);
    const cuda_run run = cuda_load(a->element, a->native, b.native);
    for (size_t l = 0; l < CUDA_LANES; l++)
        if (l < b.used) a->nchw[b.nchw + l * b.plane] = run.v[l];
}

/* ---- channels ---- */

static inline size_t cuda_concat_count(const cuda_concat_args *a)
{
    return cuda_view_runs(&a->y_view);
}

CUDA_BODY void cuda_concat_body(size_t i, const cuda_concat_args *a)
{
    const size_t at = i * CUDA_LANES, first = a->x_view.c, both = a->y_view.c;
    const size_t channel = cuda_split(&i, a->y_view.lanes / CUDA_LANES) * CUDA_LANES;
    const size_t x = i * a->x_view.lanes, residual = i * a->residual_view.lanes;
    cuda_run run = cuda_zeros();
    if (channel + CUDA_LANES <= first)
        run = cuda_load(a->element, a->x, x + channel);
    else
        for (size_t l = 0; l < CUDA_LANES; l++) {
            const size_t c = channel + l;
            if (c < first)
                run.v[l] = cuda_get(a->element, a->x, x + c);
            else if (c < both)
                run.v[l] = cuda_get(a->element, a->residual, residual + c - first);
        }
    cuda_store(a->element, a->y, at, run);
}

static inline size_t cuda_slice_count(const cuda_slice_args *a)
{
    return cuda_view_runs(&a->to_view);
}

CUDA_BODY void cuda_slice_body(size_t i, const cuda_slice_args *a)
{
    const size_t at = i * CUDA_LANES;
    const size_t channel = cuda_split(&i, a->to_view.lanes / CUDA_LANES) * CUDA_LANES;
    const size_t from = i * a->from_view.lanes + a->first + channel;
    cuda_run run = cuda_zeros();
    for (size_t l = 0; l < CUDA_LANES; l++)
        if (channel + l < a->to_view.c) run.v[l] = cuda_get(a->element, a->from, from + l);
    cuda_store(a->element, a->to, at, run);
}

/* ---- weights: an index is a value of the packed form, or of the plain one ---- */

static inline size_t cuda_pack_count(const cuda_pack_args *a)
{
    return cuda_weights_packed(&a->shape);
}

CUDA_BODY void cuda_pack_body(size_t i, const cuda_pack_args *a)
{
    const cuda_weights *const w = &a->shape;
    const size_t at = i;
    const size_t in = cuda_split(&i, w->in_lanes), tap = cuda_split(&i, w->taps), out = i;
    const bool real = out < w->out && in < w->in;
    cuda_set(a->element, a->packed, at, real ? a->plain[(out * w->in + in) * w->taps + tap] : 0.0f);
}

static inline size_t cuda_unpack_count(const cuda_unpack_args *a)
{
    return a->shape.out * a->shape.in * a->shape.taps;
}

CUDA_BODY void cuda_unpack_body(size_t i, const cuda_unpack_args *a)
{
    const cuda_weights *const w = &a->shape;
    const size_t at = i;
    const size_t tap = cuda_split(&i, w->taps), in = cuda_split(&i, w->in), out = i;
    a->plain[at] = cuda_get(a->element, a->packed, (out * w->taps + tap) * w->in_lanes + in);
}

static inline size_t cuda_fill_count(const cuda_fill_args *a)
{
    return a->lanes;
}

CUDA_BODY void cuda_fill_body(size_t i, const cuda_fill_args *a)
{
    a->to[i] = i < a->count ? a->from[i] : 0.0f;
}

static inline size_t cuda_narrow_count(const cuda_narrow_args *a)
{
    return a->count;
}

CUDA_BODY void cuda_narrow_body(size_t i, const cuda_narrow_args *a)
{
    a->to[i] = (float)a->from[i];
}

#endif
