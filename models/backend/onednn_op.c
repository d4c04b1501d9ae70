/* One line per kind of op; checks what the caller gave, then runs oneDNN or the own loops. */
#include <stdio.h>

#include "backend/onednnp.h"
#include "base/memory.h"

typedef struct kind_line {
    const char *kernel;
    s2clr_status (*forward)(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args);
    s2clr_status (*backward)(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args);
} kind_line;

/* ---- own loops ---- */

static s2clr_status affine_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args)
{
    (void)stream;
    s2clr_dnnl_affine(&op->x, op->desc.relu, args->scale, args->shift, args->x, args->y);
    return S2CLR_OK;
}

static s2clr_status affine_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    (void)stream;
    if (args->dx != NULL)
        s2clr_dnnl_affine_backward(&op->x, args->affine, args->x, op->desc.relu ? args->y : NULL,
                                   args->dy, args->dx);
    return S2CLR_OK;
}

static s2clr_status add_forward(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args)
{
    (void)stream;
    s2clr_dnnl_add(s2clr_dnnl_view_floats(&op->x), op->desc.relu, args->x,
                   op->desc.residual ? args->residual : NULL, args->y);
    return S2CLR_OK;
}

static s2clr_status add_backward(const s2clr_op *op, s2clr_stream *stream,
                                 const s2clr_op_args *args)
{
    (void)stream;
    const float *y = op->desc.relu ? args->y : NULL;
    const size_t count = s2clr_dnnl_view_floats(&op->x);
    if (args->dx != NULL) s2clr_dnnl_mask(count, y, args->dy, args->dx);
    if (args->dresidual != NULL) s2clr_dnnl_mask(count, y, args->dy, args->dresidual);
    return S2CLR_OK;
}

static s2clr_status maxpool_forward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    (void)stream;
    s2clr_dnnl_maxpool(&op->x, &op->y, op->desc.window, args->x, args->y,
                       op->desc.training ? args->workspace : NULL);
    return S2CLR_OK;
}

static s2clr_status maxpool_backward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    (void)stream;
    if (args->dx != NULL)
        s2clr_dnnl_maxpool_backward(&op->x, &op->y, op->desc.window, args->workspace, args->dy,
                                    args->dx);
    return S2CLR_OK;
}

static s2clr_status meanpool_forward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    (void)stream;
    s2clr_dnnl_meanpool(&op->x, args->x, args->y);
    return S2CLR_OK;
}

static s2clr_status meanpool_backward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args)
{
    (void)stream;
    if (args->dx != NULL) s2clr_dnnl_meanpool_backward(&op->x, args->dy, args->dx);
    return S2CLR_OK;
}

static s2clr_status avgpool_forward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    (void)stream;
    s2clr_dnnl_avgpool(&op->x, &op->y, op->desc.window, op->desc.count_pad, args->x, args->y);
    return S2CLR_OK;
}

static s2clr_status avgpool_backward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    (void)stream;
    if (args->dx != NULL)
        s2clr_dnnl_avgpool_backward(&op->x, &op->y, op->desc.window, op->desc.count_pad, args->dy,
                                    args->dx);
    return S2CLR_OK;
}

static s2clr_status concat_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args)
{
    (void)stream;
    const size_t first = op->x.channels, second = op->residual.channels;
    s2clr_dnnl_copy_channels(&op->x, 0, args->x, &op->y, 0, args->y, first);
    s2clr_dnnl_copy_channels(&op->residual, 0, args->residual, &op->y, first, args->y, second);
    return S2CLR_OK;
}

static s2clr_status concat_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    (void)stream;
    const size_t first = op->x.channels, second = op->residual.channels;
    if (args->dx != NULL) s2clr_dnnl_copy_channels(&op->y, 0, args->dy, &op->x, 0, args->dx, first);
    if (args->dresidual != NULL)
        s2clr_dnnl_copy_channels(&op->y, first, args->dy, &op->residual, 0, args->dresidual,
                                 second);
    return S2CLR_OK;
}

static const kind_line kinds[S2CLR_OP_KINDS] = {
    [S2CLR_OP_CONV] = {"", s2clr_dnnl_conv_forward, s2clr_dnnl_conv_backward},
    [S2CLR_OP_AFFINE] = {"loops_affine", affine_forward, affine_backward},
    [S2CLR_OP_ADD] = {"loops_add", add_forward, add_backward},
    [S2CLR_OP_MAXPOOL] = {"loops_maxpool", maxpool_forward, maxpool_backward},
    [S2CLR_OP_MEANPOOL] = {"loops_meanpool", meanpool_forward, meanpool_backward},
    [S2CLR_OP_AVGPOOL] = {"loops_avgpool", avgpool_forward, avgpool_backward},
    [S2CLR_OP_CONCAT] = {"loops_concat", concat_forward, concat_backward},
};

/* ---- life ---- */

s2clr_status s2clr_dnnl_op_new(s2clr_device *device, const s2clr_op_desc *desc, s2clr_op **out)
{
    size_t bytes;
    s2clr_op *op;
    S2CLR_TRY(s2clr_op_check(desc));
    S2CLR_TRY(s2clr_dnnl_tensor_bytes(device, desc->x, &bytes));
    S2CLR_TRY(s2clr_dnnl_tensor_bytes(device, desc->y, &bytes));
    S2CLR_TRY(s2clr_alloc(1, sizeof *op, "op", (void **)&op));
    op->desc = *desc;
    op->device = device;
    op->x = s2clr_dnnl_view_of(device, desc->x);
    op->y = s2clr_dnnl_view_of(device, desc->y);
    op->residual = s2clr_dnnl_view_of(device, s2clr_op_residual(desc));
    snprintf(op->kernel, sizeof op->kernel, "%s", kinds[desc->kind].kernel);
    if (desc->kind == S2CLR_OP_MAXPOOL && desc->training)
        op->workspace_bytes = s2clr_dnnl_view_floats(&op->y) * sizeof(int32_t);
    if (device->bf16 && desc->kind != S2CLR_OP_CONV) op->scratch_bytes = s2clr_dnnl_wide_bytes(op);
    if (desc->kind == S2CLR_OP_CONV) {
        const s2clr_status status = s2clr_dnnl_conv_new(op);
        if (status != S2CLR_OK) {
            s2clr_dnnl_op_free(op);
            return status;
        }
    }
    *out = op;
    return S2CLR_OK;
}

void s2clr_dnnl_op_free(s2clr_op *op)
{
    if (op == NULL) return;
    s2clr_dnnl_conv_free(op);
    s2clr_free(op);
}

/* ---- running ---- */

s2clr_status s2clr_dnnl_op_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                const float *bias, void *packed)
{
    S2CLR_TRY(s2clr_op_check_pack(&op->desc, weight, bias, packed));
    S2CLR_TRY(s2clr_op_check_scratch(&op->desc, op->scratch_bytes, stream->scratch_bytes));
    return s2clr_dnnl_conv_pack(op, stream, weight, bias, packed);
}

s2clr_status s2clr_dnnl_op_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args)
{
    const s2clr_op_desc *d = &op->desc;
    S2CLR_TRY(s2clr_op_check_forward(d, op->workspace_bytes, args));
    S2CLR_TRY(s2clr_op_check_scratch(&op->desc, op->scratch_bytes, stream->scratch_bytes));
    if (!op->device->bf16 || d->kind == S2CLR_OP_CONV)
        return kinds[d->kind].forward(op, stream, args);
    const s2clr_op_args wide = s2clr_dnnl_widen_args(op, stream, args, false);
    S2CLR_TRY(kinds[d->kind].forward(op, stream, &wide));
    s2clr_dnnl_narrow_results(op, &wide, args, false);
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_op_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    const s2clr_op_desc *d = &op->desc;
    const bool conv = d->kind == S2CLR_OP_CONV;
    S2CLR_TRY(s2clr_op_check_backward(d, op->workspace_bytes, args));
    S2CLR_TRY(s2clr_op_check_scratch(&op->desc, op->scratch_bytes, stream->scratch_bytes));
    if (!op->device->bf16 || conv) return kinds[d->kind].backward(op, stream, args);
    const s2clr_op_args wide = s2clr_dnnl_widen_args(op, stream, args, true);
    S2CLR_TRY(kinds[d->kind].backward(op, stream, &wide));
    s2clr_dnnl_narrow_results(op, &wide, args, true);
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_op_reduce(const s2clr_op *op, s2clr_stream *stream,
                                  const s2clr_op_args *args, double *sums)
{
    S2CLR_TRY(s2clr_op_check_reduce(&op->desc, false, args));
    S2CLR_TRY(s2clr_op_check_scratch(&op->desc, op->scratch_bytes, stream->scratch_bytes));
    const s2clr_op_args a =
        op->device->bf16 ? s2clr_dnnl_widen_args(op, stream, args, false) : *args;
    s2clr_dnnl_reduce(&op->x, a.x, a.x, NULL, sums);
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_op_reduce_backward(const s2clr_op *op, s2clr_stream *stream,
                                           const s2clr_op_args *args, double *sums)
{
    S2CLR_TRY(s2clr_op_check_reduce(&op->desc, true, args));
    S2CLR_TRY(s2clr_op_check_scratch(&op->desc, op->scratch_bytes, stream->scratch_bytes));
    const s2clr_op_args a =
        op->device->bf16 ? s2clr_dnnl_widen_args(op, stream, args, true) : *args;
    s2clr_dnnl_reduce(&op->x, a.dy, a.x, op->desc.relu ? a.y : NULL, sums);
    return S2CLR_OK;
}
