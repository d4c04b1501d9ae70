/* Convolution: packing weights, forward and backward, with the kernels onednn_conv.c chose. */
#include <string.h>

#include "backend/onednnp.h"

/* oneDNN's handles are not const. */
static void *not_const(const void *pointer)
{
    union {
        const void *read;
        void *handle;
    } both = {pointer};
    return both.handle;
}

/* ---- weights ---- */

/* (K, C, taps) to (k, c, taps) of other channel counts: cuts, or fills up with zeros. */
static void copy_weights(const float *from, size_t from_k, size_t from_c, float *to, size_t to_k,
                         size_t to_c, size_t taps)
{
    const size_t c = from_c < to_c ? from_c : to_c;
    for (size_t k = 0; k < to_k; k++) {
        float *row = to + k * to_c * taps;
        const size_t used = k < from_k ? c * taps : 0;
        if (used > 0) memcpy(row, from + k * from_c * taps, used * sizeof *row);
        memset(row + used, 0, (to_c * taps - used) * sizeof *row);
    }
}

s2clr_status s2clr_dnnl_conv_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                  const float *bias, void *packed)
{
    const s2clr_dnnl_conv_op *conv = op->conv;
    const size_t k = (size_t)op->desc.y.c, c = (size_t)op->desc.x.c;
    const size_t taps = (size_t)op->desc.kernel * (size_t)op->desc.kernel;
    for (int i = 0; i < 2; i++) {
        const s2clr_dnnl_conv *shape = &conv->shape[i];
        if (conv->is_winograd[i])
            conv->lanes->weights(&conv->winograd[i], weight, op->desc.y.c, op->desc.x.c, i == 1,
                                 (float *)(void *)((char *)packed + conv->packed_at[i]));
        if (conv->prim[i].primitive == NULL) continue;
        const float *plain = weight;
        if (s2clr_dnnl_weights_filled_up(op, shape)) {
            float *filled = (float *)(void *)(stream->scratch + conv->plain_at);
            copy_weights(weight, k, c, filled, (size_t)shape->oc, (size_t)shape->ic, taps);
            plain = filled;
        }
        void *const handles[SLOTS] = {[SLOT_X] = not_const(plain),
                                      [SLOT_Y] = (char *)packed + conv->packed_at[i],
                                      [SLOT_SCRATCH] = stream->scratch};
        S2CLR_TRY(s2clr_dnnl_prim_run(&conv->pack[i], stream, handles));
    }
    if (!op->desc.bias) return S2CLR_OK;
    float *to = (float *)(void *)((char *)packed + conv->bias_at);
    memset(to, 0, op->y.blocks * S2CLR_DNNL_LANES * sizeof *to);
    memcpy(to, bias, k * sizeof *to);
    return S2CLR_OK;
}

/* ---- running ---- */

/* A tensor as a primitive wants to read it: the native one, or a copy at `staged`. */
static void *as_read(const s2clr_op *op, s2clr_shape shape, bool plain, const void *native,
                     void *staged)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_blocked(shape, op->device->block);
    const bool native_plain = s2clr_dnnl_view_of(shape, op->device->block).lanes == 1;
    if (plain == native_plain) return not_const(native);
    if (plain)
        s2clr_dnnl_from_blocked(&view, native, staged);
    else
        s2clr_dnnl_to_blocked(&view, native, staged);
    return staged;
}

/* Where a primitive is to write a tensor; put_written() brings it home. */
static void *as_written(const s2clr_op *op, s2clr_shape shape, bool plain, void *native,
                        void *staged)
{
    const bool native_plain = s2clr_dnnl_view_of(shape, op->device->block).lanes == 1;
    return plain == native_plain ? native : staged;
}

static void put_written(const s2clr_op *op, s2clr_shape shape, const void *written, void *native)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_blocked(shape, op->device->block);
    const bool native_plain = s2clr_dnnl_view_of(shape, op->device->block).lanes == 1;
    if (written == native) return;
    if (native_plain)
        s2clr_dnnl_from_blocked(&view, written, native);
    else
        s2clr_dnnl_to_blocked(&view, written, native);
}

/* x as the primitive of `shape` wants to read it. */
static void *x_as_read(const s2clr_op *op, const s2clr_dnnl_conv *shape, const s2clr_stream *stream,
                       const void *x)
{
    void *staged = stream->scratch + op->conv->x_at;
    if (!shape->thinned) return as_read(op, op->desc.x, shape->plain_x, x, staged);
    s2clr_dnnl_thin(&op->x, &op->y, op->desc.stride, x, staged);
    return staged;
}

static s2clr_status winograd_forward(const s2clr_op *op, const s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    const s2clr_dnnl_conv_op *conv = op->conv;
    const char *packed = args->packed;
    const s2clr_winograd_finish finish = {
        .bias = op->desc.bias ? (const float *)(const void *)(packed + conv->bias_at) : NULL,
        .sum = op->desc.residual,
        .relu = op->desc.relu,
    };
    if (op->desc.residual && args->residual != args->y)
        memcpy(args->y, args->residual, s2clr_dnnl_view_floats(&op->y) * sizeof(float));
    conv->lanes->forward(&conv->winograd[S2CLR_DNNL_FORWARD], args->x,
                         (const float *)(const void *)(packed + conv->packed_at[0]), finish,
                         args->y, (float *)(void *)stream->scratch);
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_conv_forward(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    const s2clr_dnnl_conv_op *conv = op->conv;
    const s2clr_dnnl_conv *shape = &conv->shape[S2CLR_DNNL_FORWARD];
    if (conv->is_winograd[S2CLR_DNNL_FORWARD]) return winograd_forward(op, stream, args);
    void *staged = stream->scratch + conv->y_at;
    void *y = as_written(op, op->desc.y, shape->plain_y, args->y, staged);
    /* oneDNN adds to what is in y. */
    if (op->desc.residual) {
        const void *residual = as_read(op, op->desc.y, shape->plain_y, args->residual, staged);
        if (residual != y) memcpy(y, residual, s2clr_dnnl_view_floats(&op->y) * sizeof(float));
    }
    char *packed = not_const(args->packed);
    void *const handles[SLOTS] = {x_as_read(op, shape, stream, args->x),
                                  packed + conv->packed_at[0], packed + conv->bias_at, y,
                                  stream->scratch};
    S2CLR_TRY(s2clr_dnnl_prim_run(&conv->prim[S2CLR_DNNL_FORWARD], stream, handles));
    put_written(op, op->desc.y, y, args->y);
    return S2CLR_OK;
}

static s2clr_status backward_data(const s2clr_op *op, s2clr_stream *stream,
                                  const s2clr_op_args *args)
{
    const s2clr_dnnl_conv_op *conv = op->conv;
    const s2clr_dnnl_conv *shape = &conv->shape[S2CLR_DNNL_BACKWARD_DATA];
    if (conv->is_winograd[S2CLR_DNNL_BACKWARD_DATA]) {
        const s2clr_winograd_finish finish = {.bias = NULL};
        const char *packed = args->packed;
        conv->lanes->forward(&conv->winograd[S2CLR_DNNL_BACKWARD_DATA], args->dy,
                             (const float *)(const void *)(packed + conv->packed_at[1]), finish,
                             args->dx, (float *)(void *)stream->scratch);
        return S2CLR_OK;
    }
    void *staged = stream->scratch + conv->x_at;
    void *dx =
        shape->thinned ? staged : as_written(op, op->desc.x, shape->plain_x, args->dx, staged);
    void *const handles[SLOTS] = {
        dx, (char *)not_const(args->packed) + conv->packed_at[1], NULL,
        as_read(op, op->desc.y, shape->plain_y, args->dy, stream->scratch + conv->y_at),
        stream->scratch};
    S2CLR_TRY(s2clr_dnnl_prim_run(&conv->prim[S2CLR_DNNL_BACKWARD_DATA], stream, handles));
    if (shape->thinned)
        s2clr_dnnl_unthin(&op->x, &op->y, op->desc.stride, dx, args->dx);
    else
        put_written(op, op->desc.x, dx, args->dx);
    return S2CLR_OK;
}

static s2clr_status backward_weights(const s2clr_op *op, s2clr_stream *stream,
                                     const s2clr_op_args *args)
{
    const s2clr_dnnl_conv_op *conv = op->conv;
    const s2clr_dnnl_conv *shape = &conv->shape[S2CLR_DNNL_BACKWARD_WEIGHTS];
    if (conv->is_winograd[S2CLR_DNNL_BACKWARD_WEIGHTS]) {
        conv->lanes->gradient(&conv->winograd[S2CLR_DNNL_BACKWARD_WEIGHTS], args->x, args->dy,
                              op->desc.y.c, op->desc.x.c, args->dweight,
                              (float *)(void *)stream->scratch);
        return S2CLR_OK;
    }
    void *own = stream->scratch + conv->weights_at;
    void *const handles[SLOTS] = {
        x_as_read(op, shape, stream, args->x), own, NULL,
        as_read(op, op->desc.y, shape->plain_y, args->dy, stream->scratch + conv->y_at),
        stream->scratch};
    S2CLR_TRY(s2clr_dnnl_prim_run(&conv->prim[S2CLR_DNNL_BACKWARD_WEIGHTS], stream, handles));
    const bool filled = s2clr_dnnl_weights_filled_up(op, shape);
    float *plain = filled ? (float *)(void *)(stream->scratch + conv->plain_at) : args->dweight;
    void *const unpack[SLOTS] = {
        [SLOT_X] = own, [SLOT_Y] = plain, [SLOT_SCRATCH] = stream->scratch};
    S2CLR_TRY(s2clr_dnnl_prim_run(&conv->unpack, stream, unpack));
    if (filled)
        copy_weights(plain, (size_t)shape->oc, (size_t)shape->ic, args->dweight,
                     (size_t)op->desc.y.c, (size_t)op->desc.x.c,
                     (size_t)shape->kernel * (size_t)shape->kernel);
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_conv_backward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args)
{
    if (args->dx != NULL) S2CLR_TRY(backward_data(op, stream, args));
    if (args->dweight != NULL) S2CLR_TRY(backward_weights(op, stream, args));
    if (args->dbias != NULL) s2clr_dnnl_channel_sums(&op->y, args->dy, args->dbias);
    return S2CLR_OK;
}
