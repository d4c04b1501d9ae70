/* One line per kind of op; checks what the caller gave, then runs it. */
#include <stdio.h>

#include "backend/cudap.h"
#include "base/memory.h"

/* ---- life ---- */

static s2clr_status compile(s2clr_op *op)
{
    if (op->desc.kind != S2CLR_OP_CONV) {
        s2clr_cuda_loops_new(op);
        return S2CLR_OK;
    }
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
    S2CLR_TRY(s2clr_cuda_device_use(device));
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
    cudaSetDevice(op->device->index);
    s2clr_cuda_conv_free(op);
    s2clr_cuda_linear_free(op);
    s2clr_free(op);
}

/* ---- what the caller gave ---- */

static s2clr_status need(const s2clr_op *op, bool needed, const void *pointer, const char *what)
{
    if (!needed || pointer) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: %s was not given",
                           s2clr_op_kind_name(op->desc.kind), what);
}

static s2clr_status need_scratch(const s2clr_op *op, const s2clr_stream *stream)
{
    if (stream->scratch_bytes >= op->scratch_bytes) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT, "%s op: the stream was made with %zu bytes of scratch, %zu are needed",
        s2clr_op_kind_name(op->desc.kind), stream->scratch_bytes, op->scratch_bytes);
}

static s2clr_status need_training(const s2clr_op *op)
{
    if (op->desc.training) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: was not made for training",
                           s2clr_op_kind_name(op->desc.kind));
}

static s2clr_status need_sums(const s2clr_op *op)
{
    if (op->desc.kind == S2CLR_OP_AFFINE) return need_training(op);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: only affine has channel sums",
                           s2clr_op_kind_name(op->desc.kind));
}

/* ---- running ---- */

static s2clr_status pack(const s2clr_op *op, s2clr_stream *stream, bool resident,
                         const float *weight, const float *bias, void *packed)
{
    if (op->desc.kind != S2CLR_OP_CONV)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: has no weights to pack",
                               s2clr_op_kind_name(op->desc.kind));
    S2CLR_TRY(need(op, true, weight, "the weight"));
    S2CLR_TRY(need(op, op->desc.bias, bias, "the bias"));
    S2CLR_TRY(need(op, true, packed, "packed"));
    S2CLR_TRY(need_scratch(op, stream));
    S2CLR_TRY(s2clr_cuda_device_use(op->device));
    stream->resident = resident;
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
    const bool affine = d->kind == S2CLR_OP_AFFINE;
    S2CLR_TRY(need(op, true, args->x, "x"));
    S2CLR_TRY(need(op, true, args->y, "y"));
    S2CLR_TRY(need(op, d->kind == S2CLR_OP_CONV, args->packed, "packed"));
    S2CLR_TRY(need(op, d->residual, args->residual, "residual"));
    S2CLR_TRY(need(op, affine, args->scale, "scale"));
    S2CLR_TRY(need(op, affine, args->shift, "shift"));
    S2CLR_TRY(need(op, op->workspace_bytes > 0, args->workspace, "workspace"));
    S2CLR_TRY(need_scratch(op, stream));
    S2CLR_TRY(s2clr_cuda_device_use(op->device));
    stream->resident = args->resident;
    if (d->kind != S2CLR_OP_CONV) return s2clr_cuda_loops_forward(op, stream, args);
    return op->linear ? s2clr_cuda_linear_forward(op, stream, args)
                      : s2clr_cuda_conv_forward(op, stream, args);
}

s2clr_status s2clr_cuda_op_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    const s2clr_op_desc *const d = &op->desc;
    const bool conv = d->kind == S2CLR_OP_CONV, affine = d->kind == S2CLR_OP_AFFINE;
    S2CLR_TRY(need_training(op));
    S2CLR_TRY(need(op, true, args->dy, "dy"));
    S2CLR_TRY(need(op, d->relu, args->y, "y"));
    S2CLR_TRY(need(op, affine || (conv && args->dweight), args->x, "x"));
    S2CLR_TRY(need(op, conv && args->dx, args->packed, "packed"));
    for (int i = 0; i < 3; i++) S2CLR_TRY(need(op, affine, args->affine[i], "affine"));
    S2CLR_TRY(need(op, op->workspace_bytes > 0, args->workspace, "workspace"));
    S2CLR_TRY(need_scratch(op, stream));
    S2CLR_TRY(s2clr_cuda_device_use(op->device));
    stream->resident = args->resident;
    if (!conv) return s2clr_cuda_loops_backward(op, stream, args);
    return op->linear ? s2clr_cuda_linear_backward(op, stream, args)
                      : s2clr_cuda_conv_backward(op, stream, args);
}

s2clr_status s2clr_cuda_op_reduce(const s2clr_op *op, s2clr_stream *stream,
                                  const s2clr_op_args *args, double *sums)
{
    S2CLR_TRY(need_sums(op));
    S2CLR_TRY(need(op, true, args->x, "x"));
    S2CLR_TRY(need_scratch(op, stream));
    S2CLR_TRY(s2clr_cuda_device_use(op->device));
    stream->resident = args->resident;
    return s2clr_cuda_loops_reduce(op, stream, args, false, sums);
}

s2clr_status s2clr_cuda_op_reduce_backward(const s2clr_op *op, s2clr_stream *stream,
                                           const s2clr_op_args *args, double *sums)
{
    S2CLR_TRY(need_sums(op));
    S2CLR_TRY(need(op, true, args->x, "x"));
    S2CLR_TRY(need(op, true, args->dy, "dy"));
    S2CLR_TRY(need(op, op->desc.relu, args->y, "y"));
    S2CLR_TRY(need_scratch(op, stream));
    S2CLR_TRY(s2clr_cuda_device_use(op->device));
    stream->resident = args->resident;
    return s2clr_cuda_loops_reduce(op, stream, args, true, sums);
}
