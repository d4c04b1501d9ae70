/*
 * Private to portable*.c: the specification of every op as obvious loops over plain NCHW float32.
 *
 * Sums run in double and are rounded once, so that a faster backend is never compared with
 * something less exact than itself. Letters: N batch, C input channels, K output channels (y.c),
 * H W input size, P Q output size, R S kernel taps.
 */
#ifndef S2CLR_BACKEND_PPORTABLE_H
#define S2CLR_BACKEND_PPORTABLE_H

#include "backend/backend.h"

/* What an op kind is made of. Arguments have been checked; `row` is the stream's scratch. */
typedef struct portable_kernel {
    const char *name;
    void (*forward)(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
    void (*backward)(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
} portable_kernel;

void portable_conv_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_conv_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_affine_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_affine_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_add_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_add_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_maxpool_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_maxpool_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_meanpool_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_meanpool_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_avgpool_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_avgpool_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_concat_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);
void portable_concat_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row);

void portable_affine_sums(const s2clr_op_desc *d, const s2clr_op_args *a, double *sums);
void portable_affine_sums_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *sums);

/* Values of a native tensor as the stream's device keeps them: rounded, where it computes in bf16. */
void portable_store(const s2clr_stream *stream, s2clr_shape shape, float *values);

static inline size_t portable_count(s2clr_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* Offset of row y in plane (n, c). */
static inline size_t portable_row(s2clr_shape s, int n, int c, int y)
{
    const size_t plane = (size_t)n * (size_t)s.c + (size_t)c;
    return (plane * (size_t)s.h + (size_t)y) * (size_t)s.w;
}

/* A NaN passes, as in PyTorch: hiding one would hide a broken model. */
static inline float portable_act(double v, bool relu)
{
    return relu && v < 0 ? 0.0f : (float)v;
}

/* Outputs [begin, end) whose window has its tap number `tap` inside the input: the others see
 * padding there. */
typedef struct portable_span {
    int begin, end;
} portable_span;

static inline portable_span portable_inside(int tap, int stride, int pad, int in, int out)
{
    const int before = pad - tap;
    const int last = in - 1 + before;
    portable_span span = {before > 0 ? (before + stride - 1) / stride : 0,
                          last < 0 ? 0 : last / stride + 1};
    if (span.end > out) span.end = out;
    return span;
}

#endif
