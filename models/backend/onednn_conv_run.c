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

/* How the caller's weights (K, C / groups, taps) lie in those of a filled-up shape, which may know
 * no groups: then what joins channels of different groups is zero. */
typedef struct weight_rows {
    size_t rows, row, filled_rows, filled_row; /* floats of a row */
    size_t rows_of_group, apart;               /* column of row k: (k / rows_of_group) * apart */
} weight_rows;

static weight_rows rows_of(const s2clr_op *op, const s2clr_dnnl_conv *shape)
{
    const s2clr_op_desc *d = &op->desc;
    const size_t taps = (size_t)d->window.h * (size_t)d->window.w;
    const size_t seen = (size_t)(d->x.c / d->groups) * taps;
    const weight_rows rows = {.rows = (size_t)d->y.c,
                              .row = seen,
                              .filled_rows = (size_t)shape->oc,
                              .filled_row = (size_t)(shape->ic / shape->groups) * taps,
                              .rows_of_group = (size_t)(d->y.c / d->groups),
                              .apart = shape->groups == 1 ? seen : 0};
    return rows;
}

static size_t row_at(const weight_rows *r, size_t k)
{
    return k * r->filled_row + k / r->rows_of_group * r->apart;
}

static void fill_weights(weight_rows r, const float *weight, float *filled)
{
    memset(filled, 0, r.filled_rows * r.filled_row * sizeof *filled);
    for (size_t k = 0; k < r.rows; k++)
        memcpy(filled + row_at(&r, k), weight + k * r.row, r.row * sizeof *filled);
}

static void cut_weights(weight_rows r, const float *filled, float *weight)
{
    for (size_t k = 0; k < r.rows; k++)
        memcpy(weight + k * r.row, filled + row_at(&r, k), r.row * sizeof *weight);
}

s2clr_status s2clr_dnnl_conv_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                  const float *bias, void *packed)
{
    const s2clr_dnnl_conv_op *conv = op->conv;
    for (int i = 0; i < 2; i++) {
        const s2clr_dnnl_conv *shape = &conv->shape[i];
        if (conv->is_winograd[i])
            conv->lanes->weights(&conv->winograd[i], weight, op->desc.y.c, op->desc.x.c, i == 1,
                                 (float *)(void *)((char *)packed + conv->packed_at[i]));
        if (conv->prim[i].primitive == NULL) continue;
        const float *plain = weight;
        if (s2clr_dnnl_weights_filled_up(op, shape)) {
            float *filled = (float *)(void *)(stream->scratch + conv->plain_at);
            fill_weights(rows_of(op, shape), weight, filled);
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
    memcpy(to, bias, (size_t)op->desc.y.c * sizeof *to);
    return S2CLR_OK;
}

/* ---- running ---- */

/* A tensor as a primitive wants to read it: the native one, or a copy at `staged`. */
static void *as_read(const s2clr_op *op, s2clr_shape shape, bool plain, const void *native,
                     void *staged)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_blocked(shape, op->device->block);
    const bool native_plain = s2clr_dnnl_view_of(op->device, shape).lanes == 1;
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
    const bool native_plain = s2clr_dnnl_view_of(op->device, shape).lanes == 1;
    return plain == native_plain ? native : staged;
}

static void put_written(const s2clr_op *op, s2clr_shape shape, const void *written, void *native)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_blocked(shape, op->device->block);
    const bool native_plain = s2clr_dnnl_view_of(op->device, shape).lanes == 1;
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
    s2clr_dnnl_thin(&op->x, &op->y, op->desc.window.stride, op->device->element, x, staged);
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
        if (residual != y)
            memcpy(y, residual, s2clr_dnnl_view_floats(&op->y) * op->device->element);
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
        s2clr_dnnl_unthin(&op->x, &op->y, op->desc.window.stride, op->device->element, dx,
                          args->dx);
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
    if (filled) cut_weights(rows_of(op, shape), plain, args->dweight);
    return S2CLR_OK;
}

s2clr_status s2clr_dnnl_conv_backward(const s2clr_op *op, s2clr_stream *stream,
                                      const s2clr_op_args *args)
{
    if (args->dx != NULL) S2CLR_TRY(backward_data(op, stream, args));
    if (args->dweight != NULL) S2CLR_TRY(backward_weights(op, stream, args));
    if (args->dbias == NULL) return S2CLR_OK;
    const float *dy = args->dy;
    if (op->device->bf16) {
        float *wide = (float *)(void *)(stream->scratch + op->conv->wide_at);
        s2clr_dnnl_widen(s2clr_dnnl_view_floats(&op->y), args->dy, wide);
        dy = wide;
    }
    s2clr_dnnl_channel_sums(&op->y, dy, args->dbias);
    return S2CLR_OK;
}
