/*
 * Private to the CUDA module: its own kernels, for all that neither cuDNN nor cuBLASLt does.
 *
 *     const int error = s2clr_cuda_launch_add(stream, (cuda_add_args){.element = CUDA_BFLOAT16,
 * ...}); if (error != 0) ... // a cudaError_t
 *
 * Every kernel is an index kernel: cuda_<name>_body(i, args) for all i in [0, cuda_<name>_count()),
 * in any order, no two of them writing the same place, nothing shared, nothing atomic: the bits of
 * a result do not depend on the launch. The bodies (cuda_body_*.h) are compiled twice: by nvcc for
 * the device (cuda_kernels.cu), and by the C compiler for tests that run them as loops.
 *
 * Layout: a tensor is NHWC, its channels filled up with zeros to a multiple of CUDA_LANES
 * ("lanes"), which every kernel keeps at zero. One index handles CUDA_LANES neighbouring channels
 * of a pixel.
 *
 * Pointers are device pointers. Those in `void *` hold `element` values and are aligned to 16
 * bytes. Arithmetic is float32, sums are as said below; what is stored is rounded to the nearest,
 * ties to even. Launchers queue and return a cudaError_t, 0 when fine; a count of 0 is fine.
 */
#ifndef S2CLR_BACKEND_CUDA_KERNELS_H
#define S2CLR_BACKEND_CUDA_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend_training.h"
#include "backend/cuda_contrast_args.h"
#include "backend/cuda_view_args.h"

enum { CUDA_LANES = 8 };

typedef enum cuda_element { CUDA_FLOAT32, CUDA_BFLOAT16, CUDA_FLOAT16 } cuda_element;

/* c: real channels; lanes: with the zeros behind them. */
typedef struct cuda_view {
    size_t n, h, w, c, lanes;
} cuda_view;

typedef struct cuda_window {
    int h, w, stride, top, left; /* padding behind follows from the size of y */
} cuda_window;

static inline size_t cuda_element_bytes(cuda_element element)
{
    return element == CUDA_FLOAT32 ? 4 : 2;
}

static inline size_t cuda_lanes_of(size_t channels)
{
    return (channels + CUDA_LANES - 1) / CUDA_LANES * CUDA_LANES;
}

/* Values with the filled-up channels; a multiple of CUDA_LANES. */
static inline size_t cuda_view_count(const cuda_view *view)
{
    return view->n * view->h * view->w * view->lanes;
}

/* ---- in and out ---- */

/* native = nchw */
typedef struct cuda_upload_args {
    cuda_element element;
    cuda_view view;
    const float *nchw; // (n, c, h, w)
    void *native;
} cuda_upload_args;

/* nchw = native */
typedef struct cuda_download_args {
    cuda_element element;
    cuda_view view;
    const void *native;
    float *nchw; // (n, c, h, w)
} cuda_download_args;

/* ---- element by element: count is a multiple of CUDA_LANES, y may be a or b ---- */

/* y = act(a + b); b: NULL for the activation alone */
typedef struct cuda_add_args {
    cuda_element element;
    bool relu;
    size_t count;
    const void *a, *b;
    void *y;
} cuda_add_args;

/* g = dy where y > 0, else 0; y: NULL for a copy */
typedef struct cuda_mask_args {
    cuda_element element;
    size_t count;
    const void *y, *dy;
    void *g;
} cuda_mask_args;

/* y = act(x + bias[c] + residual): what follows a matrix product, or a convolution without a fused
 * engine. x has its own element, so that nothing need be rounded twice. bias: view.lanes floats,
 * zeros behind the channels, or NULL; residual: NULL; y may be residual, and x of its element. */
typedef struct cuda_finish_args {
    cuda_element element, x_element;
    bool relu;
    cuda_view view;
    const float *bias;
    const void *x, *residual;
    void *y;
} cuda_finish_args;

/* y = act(scale[c] * x + shift[c]); scale, shift: view.c floats */
typedef struct cuda_affine_args {
    cuda_element element;
    bool relu;
    cuda_view view;
    const float *scale, *shift;
    const void *x;
    void *y;
} cuda_affine_args;

/* dx = of_g[c] * g + of_x[c] * x + constant[c], g = dy where y > 0 (y: NULL for everywhere), else 0
 */
typedef struct cuda_affine_backward_args {
    cuda_element element;
    cuda_view view;
    const float *of_g, *of_x, *constant; // (c) each
    const void *x, *y, *dy;
    void *dx;
} cuda_affine_backward_args;

/* ---- pools: x and y are views of the input and the output, forward and backward ---- */

/* winner: pixel of the plane (row * w + column) that won, laid out like y; NULL when not wanted */
typedef struct cuda_maxpool_args {
    cuda_element element;
    cuda_view x_view, y_view;
    cuda_window window;
    const void *x;
    void *y;
    int32_t *winner;
} cuda_maxpool_args;

typedef struct cuda_maxpool_backward_args {
    cuda_element element;
    cuda_view x_view, y_view;
    cuda_window window;
    const int32_t *winner;
    const void *dy;
    void *dx;
} cuda_maxpool_backward_args;

typedef struct cuda_avgpool_args {
    cuda_element element;
    cuda_view x_view, y_view;
    cuda_window window;
    bool count_pad;
    const void *x;
    void *y;
} cuda_avgpool_args;

typedef struct cuda_avgpool_backward_args {
    cuda_element element;
    cuda_view x_view, y_view;
    cuda_window window;
    bool count_pad;
    const void *dy;
    void *dx;
} cuda_avgpool_backward_args;

/* Mean over h x w, (n, h, w, c) -> (n, 1, 1, c); sums in double. */
typedef struct cuda_meanpool_args {
    cuda_element element;
    cuda_view x_view;
    const void *x;
    void *y;
} cuda_meanpool_args;

typedef struct cuda_meanpool_backward_args {
    cuda_element element;
    cuda_view x_view;
    const void *dy;
    void *dx;
} cuda_meanpool_backward_args;

/* ---- channels ---- */

/* y = the channels of x, then those of residual (y_view.c - x_view.c of them) */
typedef struct cuda_concat_args {
    cuda_element element;
    cuda_view x_view, residual_view, y_view;
    const void *x, *residual;
    void *y;
} cuda_concat_args;

/* to = to_view.c channels of from, from channel `first` on: either half of concat backward */
typedef struct cuda_slice_args {
    cuda_element element;
    cuda_view from_view, to_view;
    size_t first;
    const void *from;
    void *to;
} cuda_slice_args;

/* ---- weights ---- */

/* A convolution's weights. Host order: (out, in, taps), out and in real, `in` per group. Packed:
 * (out_lanes, taps, in_lanes), zeros where it is filled up. Depthwise: in = in_lanes = 1. */
typedef struct cuda_weights {
    size_t out, out_lanes, in, in_lanes, taps;
} cuda_weights;

static inline size_t cuda_weights_packed(const cuda_weights *w)
{
    return w->out_lanes * w->taps * w->in_lanes;
}

typedef struct cuda_pack_args {
    cuda_element element; /* of packed */
    cuda_weights shape;
    const float *plain;
    void *packed;
} cuda_pack_args;

/* Back: plain = packed, the real ones only. */
typedef struct cuda_unpack_args {
    cuda_element element; /* of packed */
    cuda_weights shape;
    const void *packed;
    float *plain;
} cuda_unpack_args;

/* to[i] = i < count ? from[i] : 0, for i in [0, lanes): a bias */
typedef struct cuda_fill_args {
    size_t count, lanes;
    const float *from;
    float *to;
} cuda_fill_args;

/* ---- sums, in two or three launches: see cuda_sums.h, which does them all ---- */

/* Partial sums of g, and of g * b, over every slices-th pixel from i on, in double. g = a where
 * y > 0 (y: NULL for everywhere), else 0. b: NULL for the sums alone.
 * partial: (slices, parts, lanes), parts = b ? 2 : 1 */
typedef struct cuda_sums_args {
    cuda_element element;
    cuda_view view;
    size_t slices;
    const void *a, *b, *y;
    double *partial;
} cuda_sums_args;

/* to[j][k] = sum of from[i][k], i in [j * run, (j + 1) * run), in order.
 * from: (rows, width); to: (ceil(rows / run), width) */
typedef struct cuda_fold_args {
    size_t rows, width, run;
    const double *from;
    double *to;
} cuda_fold_args;

/* to[k] = (float)from[k] */
typedef struct cuda_narrow_args {
    size_t count;
    const double *from;
    float *to;
} cuda_narrow_args;

/* ---- direct convolution: any groups, any window; slow ---- */

/* Shapes of a convolution and its packed weights. in_lanes: of a group, as in cuda_weights.
 * launch_work: multiply-adds of a launch, about; 0: any number. */
typedef struct cuda_direct {
    cuda_element element;
    cuda_view x_view, y_view;
    cuda_window window;
    size_t groups, in_lanes, launch_work;
} cuda_direct;

/* Which of the indices a launch runs; count 0: all. */
typedef struct cuda_part {
    size_t first, count;
} cuda_part;

/* y = act(conv(x) + bias + residual); bias: y lanes floats or NULL; residual: NULL, may be y */
typedef struct cuda_direct_forward_args {
    cuda_direct shape;
    bool relu;
    const void *x, *packed, *residual;
    const float *bias;
    void *y;
    cuda_part part;
} cuda_direct_forward_args;

typedef struct cuda_direct_data_args {
    cuda_direct shape;
    const void *dy, *packed;
    void *dx;
    cuda_part part;
} cuda_direct_data_args;

/* Partial gradients of the weights over every slices-th row of y from i on, rows added in double.
 * partial: (slices, out, in, taps) in the order of the plain weights; fold them (cuda_sums.h). */
typedef struct cuda_direct_filter_args {
    cuda_direct shape;
    size_t slices;
    const void *x, *dy;
    double *partial;
    cuda_part part;
} cuda_direct_filter_args;

/* ---- training: arrays of backend_training.h, aligned to their elements and to nothing more ---- */

/* sum[i] += x[i] */
typedef struct cuda_accumulate_args {
    size_t count;
    const float *x;
    float *sum;
} cuda_accumulate_args;

/* mean[i] of x: (rows, count), in double, in the order of the rows */
typedef struct cuda_mean_args {
    size_t rows, count;
    const float *x;
    float *mean;
} cuda_mean_args;

typedef s2clr_norm cuda_norm_forward_args, cuda_norm_backward_args, cuda_norm_frozen_args;

/* Sums of squares of w and of g + weight_decay w over every slices-th element of each range that is
 * adapted. partial: (ranges, slices, 2); params, gradient: (count) */
typedef struct cuda_lengths_args {
    size_t ranges, slices, count;
    const s2clr_update_range *range;
    double weight_decay;
    const float *params, *gradient;
    double *partial;
} cuda_lengths_args;

/* Adds them up in order and sets `inside` of these ranges. */
typedef struct cuda_adapt_args {
    size_t ranges, slices;
    double trust;
    const double *partial;
    s2clr_update_range *range;
} cuda_adapt_args;

/* Elements [begin, end), of which those in a range are changed. */
typedef struct cuda_update_args {
    bool adam;
    size_t ranges, begin, end, count;
    const s2clr_update_range *range;
    const float *gradient; // (count)
    float *moments;        // (2 or 1, count)
    float *params;         // (count)
} cuda_update_args;

#include "backend/cuda_cut_args.h"

/* ---- the table: X(name) ---- */

#define CUDA_KERNELS(X)                                                                            \
    X(upload)                                                                                      \
    X(download)                                                                                    \
    X(cut)                                                                                         \
    X(add)                                                                                         \
    X(mask)                                                                                        \
    X(finish)                                                                                      \
    X(affine)                                                                                      \
    X(affine_backward)                                                                             \
    X(maxpool)                                                                                     \
    X(maxpool_backward)                                                                            \
    X(avgpool)                                                                                     \
    X(avgpool_backward)                                                                            \
    X(meanpool)                                                                                    \
    X(meanpool_backward)                                                                           \
    X(concat)                                                                                      \
    X(slice)                                                                                       \
    X(pack)                                                                                        \
    X(unpack)                                                                                      \
    X(fill)                                                                                        \
    X(sums)                                                                                        \
    X(fold)                                                                                        \
    X(narrow)                                                                                      \
    X(direct_forward)                                                                              \
    X(direct_data)                                                                                 \
    X(direct_filter)                                                                               \
    X(accumulate)                                                                                  \
    X(mean)                                                                                        \
    X(norm_forward)                                                                                \
    X(norm_backward)                                                                               \
    X(norm_frozen)                                                                                 \
    X(lengths)                                                                                     \
    X(adapt)                                                                                       \
    X(update)                                                                                      \
    X(contrast_unit)                                                                               \
    X(contrast_slice)                                                                              \
    X(contrast_cost)                                                                               \
    X(contrast_pull)                                                                               \
    X(contrast_turn)                                                                               \
    X(view_measure)                                                                                \
    X(view_across)                                                                                 \
    X(view_step)

#ifdef __cplusplus
extern "C" {
#endif

/* int s2clr_cuda_launch_<name>(void *stream, cuda_<name>_args args); stream: a cudaStream_t */
#define CUDA_LAUNCHER(name) int s2clr_cuda_launch_##name(void *stream, cuda_##name##_args args);
CUDA_KERNELS(CUDA_LAUNCHER)
#undef CUDA_LAUNCHER

#ifdef __cplusplus
}
#endif

#endif
