/*
 * bf16 devices: native tensors of 16-bit values. Convolutions are oneDNN's own; everything else
 * runs the float loops on widened copies in the stream's scratch, so that there is one set of
 * loops.
 */
#include "backend/onednnp.h"

#include <string.h>

#include "base/bf16.h"

/* ---- values ---- */

CLONES void s2clr_dnnl_widen(size_t count, const uint16_t *from, float *to)
{
    for (size_t i = 0; i < count; i++) to[i] = s2clr_bf16_widen(from[i]);
}

CLONES void s2clr_dnnl_narrow(size_t count, const float *from, uint16_t *to)
{
    for (size_t i = 0; i < count; i++) to[i] = s2clr_bf16_narrow(from[i]);
}

CLONES void s2clr_dnnl_accumulate_bf16(size_t count, const uint16_t *x, uint16_t *sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] = s2clr_bf16_narrow(s2clr_bf16_widen(sum[i]) + s2clr_bf16_widen(x[i]));
}

/* ---- in and out ---- */

void s2clr_dnnl_to_blocked_bf16(const s2clr_dnnl_view *view, const float *nchw, uint16_t *blocked)
{
    const size_t plane = view->plane, lanes = view->lanes;
    for (size_t i = 0; i < view->n; i++, nchw += view->channels * plane)
        for (size_t c = 0; c < view->blocks * lanes; c++) {
            uint16_t *to = blocked + (i * view->blocks + c / lanes) * plane * lanes + c % lanes;
            for (size_t p = 0; p < plane; p++)
                to[p * lanes] = c < view->channels ? s2clr_bf16_narrow(nchw[c * plane + p]) : 0;
        }
}

void s2clr_dnnl_from_blocked_bf16(const s2clr_dnnl_view *view, const uint16_t *blocked, float *nchw)
{
    const size_t plane = view->plane, lanes = view->lanes;
    for (size_t i = 0; i < view->n; i++, nchw += view->channels * plane)
        for (size_t c = 0; c < view->channels; c++) {
            const uint16_t *from =
                blocked + (i * view->blocks + c / lanes) * plane * lanes + c % lanes;
            for (size_t p = 0; p < plane; p++)
                nchw[c * plane + p] = s2clr_bf16_widen(from[p * lanes]);
        }
}

/* ---- ops on widened copies ---- */

enum { X, RESIDUAL, Y, DY, DX, DRESIDUAL, TENSORS };

static size_t count_of(const s2clr_op *op, int tensor)
{
    const s2clr_dnnl_view *view = tensor == X || tensor == DX                 ? &op->x
                                  : tensor == RESIDUAL || tensor == DRESIDUAL ? &op->residual
                                                                              : &op->y;
    return s2clr_dnnl_view_floats(view);
}

/* Where tensor number `tensor` lies in scratch, in floats; TENSORS: their end. */
static size_t place_of(const s2clr_op *op, int tensor)
{
    size_t at = 0;
    for (int i = 0; i < tensor; i++) at += (count_of(op, i) + 15) / 16 * 16;
    return at;
}

size_t s2clr_dnnl_wide_bytes(const s2clr_op *op)
{
    return place_of(op, op->desc.training ? TENSORS : DY) * sizeof(float);
}

static float *room_for(const s2clr_op *op, const s2clr_stream *stream, int tensor,
                       const void *native)
{
    return native == NULL ? NULL : (float *)(void *)stream->scratch + place_of(op, tensor);
}

static float *widened(const s2clr_op *op, const s2clr_stream *stream, int tensor,
                      const void *native)
{
    float *wide = room_for(op, stream, tensor, native);
    if (wide != NULL) s2clr_dnnl_widen(count_of(op, tensor), native, wide);
    return wide;
}

s2clr_op_args s2clr_dnnl_widen_args(const s2clr_op *op, const s2clr_stream *stream,
                                    const s2clr_op_args *args, bool backward)
{
    s2clr_op_args wide = *args;
    wide.x = widened(op, stream, X, args->x);
    if (!backward) {
        wide.residual = widened(op, stream, RESIDUAL, op->desc.residual ? args->residual : NULL);
        wide.y = room_for(op, stream, Y, args->y);
        return wide;
    }
    wide.y = widened(op, stream, Y, op->desc.relu ? args->y : NULL);
    wide.dy = widened(op, stream, DY, args->dy);
    wide.dx = room_for(op, stream, DX, args->dx);
    wide.dresidual = room_for(op, stream, DRESIDUAL, args->dresidual);
    return wide;
}

void s2clr_dnnl_narrow_results(const s2clr_op *op, const s2clr_op_args *wide,
                               const s2clr_op_args *args, bool backward)
{
    if (!backward) {
        s2clr_dnnl_narrow(count_of(op, Y), wide->y, args->y);
        return;
    }
    if (args->dx != NULL) s2clr_dnnl_narrow(count_of(op, DX), wide->dx, args->dx);
    if (args->dresidual != NULL)
        s2clr_dnnl_narrow(count_of(op, DRESIDUAL), wide->dresidual, args->dresidual);
}
