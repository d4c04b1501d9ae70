/* The layout of tensors and packed weights, and the way of weights to the device and back. */
#include "backend/cuda_sums.h"
#include "backend/cudap.h"
#include "base/memory.h"

/* ---- layout ---- */

size_t s2clr_cuda_align(size_t bytes)
{
    return (bytes + CUDA_ALIGN - 1) / CUDA_ALIGN * CUDA_ALIGN;
}

cuda_view s2clr_cuda_view_of(s2clr_shape shape)
{
    return (cuda_view){(size_t)shape.n, (size_t)shape.h, (size_t)shape.w, (size_t)shape.c,
                       cuda_lanes_of((size_t)shape.c)};
}

cuda_window s2clr_cuda_window_of(const s2clr_window *window)
{
    return (cuda_window){window->h, window->w, window->stride, window->top, window->left};
}

s2clr_status s2clr_cuda_tensor_bytes(const s2clr_device *device, s2clr_shape shape, size_t *out)
{
    s2clr_shape checked;
    size_t bytes;
    S2CLR_TRY(s2clr_op_output(S2CLR_OP_ADD, shape, 0, NULL, &checked));
    const cuda_view view = s2clr_cuda_view_of(shape);
    S2CLR_TRY(s2clr_size_mul(view.n * view.h * view.w, view.lanes, &bytes));
    S2CLR_TRY(s2clr_size_mul(bytes, sizeof(double), &bytes)); /* that of no kernel overflows */
    *out = s2clr_cuda_align(cuda_view_count(&view) * device->element_bytes);
    return S2CLR_OK;
}

cuda_packing s2clr_cuda_packing_of(const s2clr_op_desc *desc, size_t element_bytes)
{
    const size_t in = (size_t)(desc->x.c / desc->groups), out = (size_t)desc->y.c;
    cuda_packing p = {.shape = {.out = out,
                                .out_lanes = cuda_lanes_of(out),
                                .in = in,
                                .in_lanes = desc->groups == 1 ? cuda_lanes_of(in) : in,
                                .taps = (size_t)desc->window.h * (size_t)desc->window.w}};
    p.bias_at = s2clr_cuda_align(cuda_weights_packed(&p.shape) * element_bytes);
    p.bytes = p.bias_at + (desc->bias ? s2clr_cuda_align(p.shape.out_lanes * sizeof(float)) : 0);
    return p;
}

const float *s2clr_cuda_packed_bias(const s2clr_op *op, const void *packed)
{
    if (!op->desc.bias) return NULL;
    const cuda_packing p = s2clr_cuda_packing_of(&op->desc, op->device->element_bytes);
    return (const float *)((const char *)packed + p.bias_at);
}

/* ---- packing ---- */

static size_t plain_bytes(const s2clr_op_desc *desc)
{
    return s2clr_cuda_align(s2clr_op_weight_count(desc) * sizeof(float));
}

size_t s2clr_cuda_pack_scratch(const s2clr_op_desc *desc)
{
    return plain_bytes(desc) + s2clr_cuda_align((size_t)desc->y.c * sizeof(float));
}

static s2clr_status bias_pack(const s2clr_op *op, s2clr_stream *stream, size_t at,
                              const cuda_packing *p, const float *bias, void *packed)
{
    void *const plain = s2clr_cuda_scratch(stream, at);
    const cuda_fill_args args = {.count = p->shape.out,
                                 .lanes = p->shape.out_lanes,
                                 .from = plain,
                                 .to = (float *)((char *)packed + p->bias_at)};
    S2CLR_TRY(s2clr_cuda_argument_in(stream, bias, p->shape.out * sizeof(float), plain));
    return s2clr_cuda_check_launch(s2clr_cuda_launch_fill(stream->stream, args), op->device,
                                   "fill");
}

s2clr_status s2clr_cuda_weights_pack(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                     const float *weight, const float *bias, void *packed)
{
    const cuda_packing p = s2clr_cuda_packing_of(&op->desc, op->device->element_bytes);
    void *const plain = s2clr_cuda_scratch(stream, at);
    const cuda_pack_args args = {
        .element = op->device->element, .shape = p.shape, .plain = plain, .packed = packed};
    S2CLR_TRY(s2clr_cuda_argument_in(stream, weight,
                                     s2clr_op_weight_count(&op->desc) * sizeof(float), plain));
    S2CLR_TRY(
        s2clr_cuda_check_launch(s2clr_cuda_launch_pack(stream->stream, args), op->device, "pack"));
    if (!op->desc.bias) return S2CLR_OK;
    return bias_pack(op, stream, at + plain_bytes(&op->desc), &p, bias, packed);
}

/* ---- gradients ---- */

s2clr_status s2clr_cuda_weights_gradient(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                         cuda_element element, const void *krsc, float *dweight)
{
    const cuda_packing p = s2clr_cuda_packing_of(&op->desc, sizeof(float));
    void *const plain = s2clr_cuda_scratch(stream, at);
    const cuda_unpack_args args = {
        .element = element, .shape = p.shape, .packed = krsc, .plain = plain};
    S2CLR_TRY(s2clr_cuda_check_launch(s2clr_cuda_launch_unpack(stream->stream, args), op->device,
                                      "unpack"));
    return s2clr_cuda_argument_out(stream, plain, s2clr_op_weight_count(&op->desc) * sizeof(float),
                                   dweight);
}

static size_t bias_sums_bytes(const s2clr_op *op)
{
    return s2clr_cuda_align(s2clr_cuda_sums_bytes(&op->y, false));
}

size_t s2clr_cuda_bias_scratch(const s2clr_op *op)
{
    return bias_sums_bytes(op) + s2clr_cuda_align(op->y.lanes * sizeof(float));
}

s2clr_status s2clr_cuda_bias_gradient(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                      const void *g, float *dbias)
{
    float *const sums = s2clr_cuda_scratch(stream, at + bias_sums_bytes(op));
    S2CLR_TRY(
        s2clr_cuda_check_launch(s2clr_cuda_bias_launch(stream->stream, op->device->element, &op->y,
                                                       g, s2clr_cuda_scratch(stream, at), sums),
                                op->device, "bias gradient"));
    return s2clr_cuda_argument_out(stream, sums, op->y.c * sizeof(float), dbias);
}
