/* One line per kind of op; checks what the caller gave, then runs it. */
#include <stdio.h>

#include "backend/cudap.h"
#include "base/memory.h"

/* ---- life ---- */

/* Kernels of cuDNN and cuBLASLt count values in 32 bits, and not all of them say so when it is too
 * few. Our own count in 64. */
static s2clr_status check_size(const s2clr_op *op)
{
    const size_t x = cuda_view_count(&op->x), y = cuda_view_count(&op->y);
    if (x <= INT32_MAX && y <= INT32_MAX) return S2CLR_OK;
    const s2clr_shape s = x > y ? op->desc.x : op->desc.y;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: a tensor of a convolution has %d x %d x %d x %d values (%.3g on "
                           "the device), it may have 2^31 - 1: compute less at once, or on the CPU",
                           op->device->name, s.n, s.c, s.h, s.w, (double)(x > y ? x : y));
}

static s2clr_status compile(s2clr_op *op)
{
    if (op->desc.kind != S2CLR_OP_CONV) {
        s2clr_cuda_loops_new(op);
        return S2CLR_OK;
    }
    S2CLR_TRY(check_size(op));
    if (s2clr_cuda_is_linear(&op->desc)) {
        const s2clr_status status = s2clr_cuda_linear_new(op);
        if (status != S2CLR_ERR_UNSUPPORTED) return status;
        s2clr_cuda_linear_free(op);
    }
    return s2clr_cuda_conv_new(op);
}

s2clr_status s2clr_cuda_op_new(s2clr_device *device, const s2clr_op_desc *desc, s2clr_op **out)
{
    size_t bytes;
    s2clr_op *op;
    S2CLR_TRY(s2clr_op_check(desc));
    S2CLR_TRY(s2clr_cuda_tensor_bytes(device, desc->x, &bytes));
    S2CLR_TRY(s2clr_cuda_tensor_bytes(device, desc->y, &bytes));
    if (desc->training && device->precision == S2CLR_FP16)
        return s2clr_error_set(
            S2CLR_ERR_UNSUPPORTED,
            "%s: there is no training in fp16: use --precision bf16, tf32 or f32", device->name);
    CUDA_USE(device);
    S2CLR_TRY(s2clr_alloc(1, sizeof *op, "op", (void **)&op));
    op->desc = *desc;
    op->device = device;
    op->x = s2clr_cuda_view_of(desc->x);
    op->y = s2clr_cuda_view_of(desc->y);
    op->residual = s2clr_cuda_view_of(s2clr_op_residual(desc));
    const s2clr_status status = compile(op);
    if (status != S2CLR_OK) {
        s2clr_cuda_op_free(op);
        return status;
    }
    *out = op;
    return S2CLR_OK;
}

void s2clr_cuda_op_free(s2clr_op *op)
{
    if (!op) return;
    CUDA_USE_QUIETLY(op->device);
    s2clr_cuda_conv_free(op);
    s2clr_cuda_linear_free(op);
    s2clr_free(op);
}

/* ---- running ---- */

/* resident: the float arrays of the call are in the device's memory. */
static s2clr_status begin(const s2clr_op *op, s2clr_stream *stream, bool resident)
{
    S2CLR_TRY(s2clr_op_check_scratch(&op->desc, op->scratch_bytes, stream->scratch_bytes));
    stream->resident = resident;
    return S2CLR_OK;
}

static s2clr_status pack(const s2clr_op *op, s2clr_stream *stream, bool resident,
                         const float *weight, const float *bias, void *packed)
{
    S2CLR_TRY(s2clr_op_check_pack(&op->desc, weight, bias, packed));
    CUDA_USE(op->device);
    S2CLR_TRY(begin(op, stream, resident));
    return op->linear ? s2clr_cuda_linear_pack(op, stream, weight, bias, packed)
                      : s2clr_cuda_conv_pack(op, stream, weight, bias, packed);
}

s2clr_status s2clr_cuda_op_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                const float *bias, void *packed)
{
    return pack(op, stream, false, weight, bias, packed);
}

s2clr_status s2clr_cuda_op_pack_resident(const s2clr_op *op, s2clr_stream *stream,
                                         const float *weight, const float *bias, void *packed)
{
    return pack(op, stream, true, weight, bias, packed);
}

s2clr_status s2clr_cuda_op_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args)
{
    const s2clr_op_desc *const d = &op->desc;
    S2CLR_TRY(s2clr_op_check_forward(d, op->workspace_bytes, args));
    CUDA_USE(op->device);
    S2CLR_TRY(begin(op, stream, args->resident));
    if (d->kind != S2CLR_OP_CONV) return s2clr_cuda_loops_forward(op, stream, args);
    return op->linear ? s2clr_cuda_linear_forward(op, stream, args)
                      : s2clr_cuda_conv_forward(op, stream, args);
}

s2clr_status s2clr_cuda_op_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    const s2clr_op_desc *const d = &op->desc;
    const bool conv = d->kind == S2CLR_OP_CONV;
    S2CLR_TRY(s2clr_op_check_backward(d, op->workspace_bytes, args));
    CUDA_USE(op->device);
    S2CLR_TRY(begin(op, stream, args->resident));
    if (!conv) return s2clr_cuda_loops_backward(op, stream, args);
    return op->linear ? s2clr_cuda_linear_backward(op, stream, args)
                      : s2clr_cuda_conv_backward(op, stream, args);
}

s2clr_status s2clr_cuda_op_reduce(const s2clr_op *op, s2clr_stream *stream,
                                  const s2clr_op_args *args, double *sums)
{
    S2CLR_TRY(s2clr_op_check_reduce(&op->desc, false, args));
    CUDA_USE(op->device);
    S2CLR_TRY(begin(op, stream, args->resident));
    return s2clr_cuda_loops_reduce(op, stream, args, false, sums);
}

s2clr_status s2clr_cuda_op_reduce_backward(const s2clr_op *op, s2clr_stream *stream,
                                           const s2clr_op_args *args, double *sums)
{
    S2CLR_TRY(s2clr_op_check_reduce(&op->desc, true, args));
    CUDA_USE(op->device);
    S2CLR_TRY(begin(op, stream, args->resident));
    return s2clr_cuda_loops_reduce(op, stream, args, true, sums);
}
