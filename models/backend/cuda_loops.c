/* All that is neither convolution nor linear: arguments of an op -> launches of cuda_kernels.h. */
#include <stdio.h>
#include <string.h>

#include "backend/cuda_sums.h"
#include "backend/cudap.h"

#define LAUNCH(op, stream, kernel, args)                                                           \
    s2clr_cuda_check_launch(s2clr_cuda_launch_##kernel((stream)->stream, (args)), (op)->device,    \
                            #kernel)

/* ---- affine ---- */

/* Where the i-th array of channels lies in scratch. */
static float *channel_room(const s2clr_op *op, const s2clr_stream *stream, size_t i)
{
    return s2clr_cuda_scratch(stream, i * s2clr_cuda_align(op->x.c * sizeof(float)));
}

/* Where kernels find them: arrays of the device that are aligned as kernels want it stay where they
 * are. */
static s2clr_status channels_send(const s2clr_op *op, s2clr_stream *stream, size_t count,
                                  const float *const *from, const float **at)
{
    for (size_t i = 0; i < count; i++) {
        at[i] = from[i];
        if (stream->resident && (uintptr_t)from[i] % 16 == 0) continue;
        at[i] = channel_room(op, stream, i);
        S2CLR_TRY(s2clr_cuda_argument_in(stream, from[i], op->x.c * sizeof(float),
                                         channel_room(op, stream, i)));
    }
    return S2CLR_OK;
}

static s2clr_status affine_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args)
{
    const float *const from[] = {args->scale, args->shift};
    const float *at[2];
    S2CLR_TRY(channels_send(op, stream, 2, from, at));
    const cuda_affine_args a = {.element = op->device->element,
                                .relu = op->desc.relu,
                                .view = op->x,
                                .scale = at[0],
                                .shift = at[1],
                                .x = args->x,
                                .y = args->y};
    return LAUNCH(op, stream, affine, a);
}

static s2clr_status affine_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    if (!args->dx) return S2CLR_OK;
    const float *at[3];
    S2CLR_TRY(channels_send(op, stream, 3, args->affine, at));
    const cuda_affine_backward_args a = {.element = op->device->element,
                                         .view = op->x,
                                         .of_g = at[0],
                                         .of_x = at[1],
                                         .constant = at[2],
                                         .x = args->x,
                                         .y = op->desc.relu ? args->y : NULL,
                                         .dy = args->dy,
                                         .dx = args->dx};
    return LAUNCH(op, stream, affine_backward, a);
}

/* Sums in scratch, then what they are folded from. */
static size_t sums_bytes(const s2clr_op *op)
{
    return s2clr_cuda_align(2 * op->x.lanes * sizeof(double));
}

s2clr_status s2clr_cuda_loops_reduce(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args, bool backward, double *sums)
{
    double *const device_sums = s2clr_cuda_scratch(stream, 0);
    void *const partial = s2clr_cuda_scratch(stream, sums_bytes(op));
    const void *const a = backward ? args->dy : args->x;
    const void *const y = backward && op->desc.relu ? args->y : NULL;
    const size_t bytes = op->x.c * sizeof(double);
    S2CLR_TRY(
        s2clr_cuda_check_launch(s2clr_cuda_sums_launch(stream->stream, op->device->element, &op->x,
                                                       a, args->x, y, partial, device_sums),
                                op->device, "sums"));
    S2CLR_TRY(s2clr_cuda_argument_out(stream, device_sums, bytes, sums));
    return s2clr_cuda_argument_out(stream, device_sums + op->x.lanes, bytes, sums + op->x.c);
}

/* ---- add ---- */

static s2clr_status add_forward(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args)
{
    const cuda_add_args a = {.element = op->device->element,
                             .relu = op->desc.relu,
                             .count = cuda_view_count(&op->x),
                             .a = args->x,
                             .b = op->desc.residual ? args->residual : NULL,
                             .y = args->y};
    return LAUNCH(op, stream, add, a);
}

static s2clr_status add_backward(const s2clr_op *op, s2clr_stream *stream,
                                 const s2clr_op_args *args)
{
    void *const to[] = {args->dx, args->dresidual};
    for (int i = 0; i < 2; i++) {
        const cuda_mask_args a = {.element = op->device->element,
                                  .count = cuda_view_count(&op->x),
                                  .y = op->desc.relu ? args->y : NULL,
                                  .dy = args->dy,
                                  .g = to[i]};
        if (to[i]) S2CLR_TRY(LAUNCH(op, stream, mask, a));
    }
    return S2CLR_OK;
}

/* ---- pools ---- */

static s2clr_status maxpool_forward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    const cuda_maxpool_args a = {.element = op->device->element,
                                 .x_view = op->x,
                                 .y_view = op->y,
                                 .window = s2clr_cuda_window_of(&op->desc.window),
                                 .x = args->x,
                                 .y = args->y,
                                 .winner = op->desc.training ? args->workspace : NULL};
    return LAUNCH(op, stream, maxpool, a);
}

static s2clr_status maxpool_backward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    if (!args->dx) return S2CLR_OK;
    const cuda_maxpool_backward_args a = {.element = op->device->element,
                                          .x_view = op->x,
                                          .y_view = op->y,
                                          .window = s2clr_cuda_window_of(&op->desc.window),
                                          .winner = args->workspace,
                                          .dy = args->dy,
                                          .dx = args->dx};
    return LAUNCH(op, stream, maxpool_backward, a);
}

static s2clr_status meanpool_forward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    const cuda_meanpool_args a = {
        .element = op->device->element, .x_view = op->x, .x = args->x, .y = args->y};
    return LAUNCH(op, stream, meanpool, a);
}

static s2clr_status meanpool_backward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args)
{
    if (!args->dx) return S2CLR_OK;
    const cuda_meanpool_backward_args a = {
        .element = op->device->element, .x_view = op->x, .dy = args->dy, .dx = args->dx};
    return LAUNCH(op, stream, meanpool_backward, a);
}

static s2clr_status avgpool_forward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    const cuda_avgpool_args a = {.element = op->device->element,
                                 .x_view = op->x,
                                 .y_view = op->y,
                                 .window = s2clr_cuda_window_of(&op->desc.window),
                                 .count_pad = op->desc.count_pad,
                                 .x = args->x,
                                 .y = args->y};
    return LAUNCH(op, stream, avgpool, a);
}

static s2clr_status avgpool_backward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    if (!args->dx) return S2CLR_OK;
    const cuda_avgpool_backward_args a = {.element = op->device->element,
                                          .x_view = op->x,
                                          .y_view = op->y,
                                          .window = s2clr_cuda_window_of(&op->desc.window),
                                          .count_pad = op->desc.count_pad,
                                          .dy = args->dy,
                                          .dx = args->dx};
    return LAUNCH(op, stream, avgpool_backward, a);
}

/* ---- concat ---- */

static s2clr_status concat_forward(const s2clr_op *op, s2clr_stream *stream,
                                   const s2clr_op_args *args)
{
    const cuda_concat_args a = {.element = op->device->element,
                                .x_view = op->x,
                                .residual_view = op->residual,
                                .y_view = op->y,
                                .x = args->x,
                                .residual = args->residual,
                                .y = args->y};
    return LAUNCH(op, stream, concat, a);
}

static s2clr_status concat_backward(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args)
{
    const cuda_slice_args first = {.element = op->device->element,
                                   .from_view = op->y,
                                   .to_view = op->x,
                                   .first = 0,
                                   .from = args->dy,
                                   .to = args->dx};
    const cuda_slice_args second = {.element = op->device->element,
                                    .from_view = op->y,
                                    .to_view = op->residual,
                                    .first = op->x.c,
                                    .from = args->dy,
                                    .to = args->dresidual};
    if (first.to) S2CLR_TRY(LAUNCH(op, stream, slice, first));
    return second.to ? LAUNCH(op, stream, slice, second) : S2CLR_OK;
}

/* ---- the table ---- */

typedef struct kind_line {
    const char *kernel;
    s2clr_status (*forward)(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args);
    s2clr_status (*backward)(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args);
} kind_line;

static const kind_line kinds[S2CLR_OP_KINDS] = {
    [S2CLR_OP_AFFINE] = {"own_affine", affine_forward, affine_backward},
    [S2CLR_OP_ADD] = {"own_add", add_forward, add_backward},
    [S2CLR_OP_MAXPOOL] = {"own_maxpool", maxpool_forward, maxpool_backward},
    [S2CLR_OP_MEANPOOL] = {"own_meanpool", meanpool_forward, meanpool_backward},
    [S2CLR_OP_AVGPOOL] = {"own_avgpool", avgpool_forward, avgpool_backward},
    [S2CLR_OP_CONCAT] = {"own_concat", concat_forward, concat_backward},
};

void s2clr_cuda_loops_new(s2clr_op *op)
{
    const s2clr_op_desc *const d = &op->desc;
    snprintf(op->kernel, sizeof op->kernel, "%s", kinds[d->kind].kernel);
    if (d->kind == S2CLR_OP_MAXPOOL && d->training)
        op->workspace_bytes = cuda_view_count(&op->y) * sizeof(int32_t);
    if (d->kind != S2CLR_OP_AFFINE) return;
    const size_t arrays = 3 * s2clr_cuda_align(op->x.c * sizeof(float));
    const size_t sums = sums_bytes(op) + s2clr_cuda_sums_bytes(&op->x, true);
    op->scratch_bytes = d->training && sums > arrays ? sums : arrays;
}

s2clr_status s2clr_cuda_loops_forward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args)
{
    return kinds[op->desc.kind].forward(op, stream, args);
}

s2clr_status s2clr_cuda_loops_backward(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args)
{
    return kinds[op->desc.kind].backward(op, stream, args);
}
