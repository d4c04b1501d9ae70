/* Convolution: packing, forward and backward, the ways cuda_conv.c chose. */
#include "backend/cuda_conv.h"

/* cuDNN's pointers are not const, not even those it reads. */
static void *not_const(const void *pointer)
{
    union {
        const void *read;
        void *handle;
    } both = {pointer};
    return both.handle;
}

/* The packed float32 bias once more, in the device's precision; zeros when there is none. */
static s2clr_status pack_fused_bias(const s2clr_op *op, s2clr_stream *stream, void *packed)
{
    void *const to = (char *)packed + op->conv->fused_bias_at;
    const cuda_finish_args a = {
        .element = op->device->element,
        .x_element = CUDA_FLOAT32,
        .view = {.n = 1, .h = 1, .w = 1, .c = op->y.c, .lanes = op->y.lanes},
        .x = s2clr_cuda_packed_bias(op, packed),
        .y = to,
    };
    if (op->desc.bias)
        return s2clr_cuda_check_launch(s2clr_cuda_launch_finish(stream->stream, a), op->device,
                                       "finish");
    return s2clr_cuda_check(
        cudaMemsetAsync(to, 0, op->y.lanes * op->device->element_bytes, stream->stream), op->device,
        "clearing a bias");
}

s2clr_status s2clr_cuda_conv_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                  const float *bias, void *packed)
{
    const struct cuda_conv *const conv = op->conv;
    S2CLR_TRY(s2clr_cuda_weights_pack(op, stream, conv->plain_at, weight, bias, packed));
    return conv->fused_bias_at > 0 ? pack_fused_bias(op, stream, packed) : S2CLR_OK;
}

/* y = act(result + bias + residual) */
static s2clr_status finish(const s2clr_op *op, s2clr_stream *stream, const void *result,
                           const s2clr_op_args *args)
{
    const cuda_finish_args a = {
        .element = op->device->element,
        .x_element = op->device->element,
        .relu = op->desc.relu,
        .view = op->y,
        .bias = s2clr_cuda_packed_bias(op, args->packed),
        .x = result,
        .residual = op->desc.residual ? args->residual : NULL,
        .y = args->y,
    };
    return s2clr_cuda_check_launch(s2clr_cuda_launch_finish(stream->stream, a), op->device,
                                   "finish");
}

s2clr_status s2clr_cuda_conv_forward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    const cuda_step *const step = &op->conv->step[CUDA_FORWARD];
    if (step->planned == NULL) return s2clr_cuda_direct_forward(op, stream, args);
    /* A fused residual may be y itself: each value is read by whoever writes it. */
    const cuda_conv_tensors tensors = {
        .x = not_const(args->x),
        .w = not_const(args->packed),
        .y = step->finish ? s2clr_cuda_scratch(stream, op->conv->result_at) : args->y,
        .bias = (char *)not_const(args->packed) + op->conv->fused_bias_at,
        .residual = not_const(args->residual),
    };
    S2CLR_TRY(
        s2clr_cuda_planned_run(step->planned, stream, &tensors, s2clr_cuda_scratch(stream, 0)));
    return step->finish ? finish(op, stream, tensors.y, args) : S2CLR_OK;
}

static s2clr_status backward_data(const s2clr_op *op, s2clr_stream *stream,
                                  const s2clr_op_args *args)
{
    const cuda_step *const step = &op->conv->step[CUDA_DATA];
    if (step->planned == NULL) return s2clr_cuda_direct_data(op, stream, args);
    const cuda_conv_tensors tensors = {
        .x = args->dx, .w = not_const(args->packed), .y = not_const(args->dy)};
    return s2clr_cuda_planned_run(step->planned, stream, &tensors, s2clr_cuda_scratch(stream, 0));
}

static s2clr_status backward_filter(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    const struct cuda_conv *const conv = op->conv;
    const cuda_step *const step = &conv->step[CUDA_FILTER];
    if (step->planned == NULL) return s2clr_cuda_direct_filter(op, stream, conv->plain_at, args);
    const cuda_conv_tensors tensors = {.x = not_const(args->x),
                                       .w = s2clr_cuda_scratch(stream, conv->result_at),
                                       .y = not_const(args->dy)};
    S2CLR_TRY(
        s2clr_cuda_planned_run(step->planned, stream, &tensors, s2clr_cuda_scratch(stream, 0)));
    return s2clr_cuda_weights_gradient(op, stream, conv->plain_at, op->device->element, tensors.w,
                                       args->dweight);
}

s2clr_status s2clr_cuda_conv_backward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args)
{
    if (args->dx != NULL) S2CLR_TRY(backward_data(op, stream, args));
    if (args->dweight != NULL) S2CLR_TRY(backward_filter(op, stream, args));
    if (args->dbias == NULL) return S2CLR_OK;
    return s2clr_cuda_bias_gradient(op, stream, op->conv->plain_at, args->dy, args->dbias);
}
