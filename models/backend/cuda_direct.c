/* Convolution by own kernels, for shapes that cuDNN has no engine for. Slow, always there. */
#include "backend/cuda_conv.h"
#include "backend/cuda_sums.h"

cuda_direct s2clr_cuda_direct_of(const s2clr_op *op)
{
    return (cuda_direct){.element = op->device->element,
                         .x_view = op->x,
                         .y_view = op->y,
                         .window = s2clr_cuda_window_of(&op->desc.window),
                         .groups = (size_t)op->desc.groups,
                         .in_lanes = op->conv->packing.shape.in_lanes,
                         .launch_work = op->device->launch_work};
}

static size_t taps(const s2clr_op *op)
{
    return (size_t)op->desc.window.h * (size_t)op->desc.window.w;
}

s2clr_status s2clr_cuda_direct_forward(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args)
{
    cuda_direct_forward_args a = {
        .shape = s2clr_cuda_direct_of(op),
        .relu = op->desc.relu,
        .x = args->x,
        .packed = args->packed,
        .residual = op->desc.residual ? args->residual : NULL,
        .bias = s2clr_cuda_packed_bias(op, args->packed),
        .y = args->y,
    };
    const size_t work = taps(op) * (op->x.c / (size_t)op->desc.groups);
    while (s2clr_cuda_part_next(cuda_view_count(&op->y), work, a.shape.launch_work, &a.part))
        S2CLR_TRY(s2clr_cuda_check_launch(s2clr_cuda_launch_direct_forward(stream->stream, a),
                                          op->device, "direct convolution"));
    return S2CLR_OK;
}

s2clr_status s2clr_cuda_direct_data(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    cuda_direct_data_args a = {
        .shape = s2clr_cuda_direct_of(op), .dy = args->dy, .packed = args->packed, .dx = args->dx};
    const size_t work = taps(op) * (op->y.c / (size_t)op->desc.groups);
    while (s2clr_cuda_part_next(cuda_view_count(&op->x), work, a.shape.launch_work, &a.part))
        S2CLR_TRY(s2clr_cuda_check_launch(s2clr_cuda_launch_direct_data(stream->stream, a),
                                          op->device, "direct convolution, gradient of the input"));
    return S2CLR_OK;
}

static size_t sums_bytes(const s2clr_op *op)
{
    const cuda_direct shape = s2clr_cuda_direct_of(op);
    return s2clr_cuda_align(s2clr_cuda_filter_bytes(&shape));
}

static size_t plain_bytes(const s2clr_op *op)
{
    return s2clr_op_weight_count(&op->desc) * sizeof(float);
}

size_t s2clr_cuda_direct_filter_scratch(const s2clr_op *op)
{
    return sums_bytes(op) + s2clr_cuda_align(plain_bytes(op));
}

s2clr_status s2clr_cuda_direct_filter(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                      const s2clr_op_args *args)
{
    const cuda_direct shape = s2clr_cuda_direct_of(op);
    float *const plain = s2clr_cuda_scratch(stream, at + sums_bytes(op));
    S2CLR_TRY(
        s2clr_cuda_check_launch(s2clr_cuda_filter_launch(stream->stream, &shape, args->x, args->dy,
                                                         s2clr_cuda_scratch(stream, at), plain),
                                op->device, "direct convolution, gradient of the weights"));
    return s2clr_cuda_argument_out(stream, plain, plain_bytes(op), args->dweight);
}
