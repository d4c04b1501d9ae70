#include "op_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *op_field_name(op_field field)
{
    static const char *const names[OP_FIELDS] = {
        [OP_X] = "x",           [OP_DX] = "dx",           [OP_RESIDUAL] = "residual",
        [OP_Y] = "y",           [OP_DY] = "dy",           [OP_DRESIDUAL] = "dresidual",
        [OP_WEIGHT] = "weight", [OP_BIAS] = "bias",       [OP_SCALE] = "scale",
        [OP_SHIFT] = "shift",   [OP_OF_G] = "of_g",       [OP_OF_X] = "of_x",
        [OP_CONSTANT] = "d",    [OP_DWEIGHT] = "dweight", [OP_DBIAS] = "dbias",
    };
    return names[field];
}

void op_describe(const s2clr_op_desc *desc, char text[160])
{
    const s2clr_op_desc *const d = desc;
    const s2clr_window v = d->window;
    snprintf(text, 160, "%s %dx%dx%dx%d -> %d, %dx%d/%d pad %d %d %d %d groups %d%s%s%s%s%s",
             s2clr_op_kind_name(d->kind), d->x.n, d->x.c, d->x.h, d->x.w, d->y.c, v.h, v.w,
             v.stride, v.top, v.left, v.bottom, v.right, d->groups, d->bias ? ", bias" : "",
             d->residual ? ", residual" : "", d->relu ? ", relu" : "",
             d->training ? ", training" : "", d->count_pad ? ", count_pad" : "");
}

s2clr_status op_complete(s2clr_op_desc *desc, int channels)
{
    return s2clr_op_output(desc->kind, desc->x, channels, &desc->window, &desc->y);
}

/* ---- data ---- */

static size_t shape_count(s2clr_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

static void count_fields(const s2clr_op_desc *d, size_t count[OP_FIELDS])
{
    const bool conv = d->kind == S2CLR_OP_CONV;
    const size_t channels = d->kind == S2CLR_OP_AFFINE ? (size_t)d->x.c : 0;
    const size_t weights = conv ? s2clr_op_weight_count(d) : 0;
    const size_t biases = conv && d->bias ? (size_t)d->y.c : 0;
    memset(count, 0, OP_FIELDS * sizeof *count);
    count[OP_X] = shape_count(d->x);
    count[OP_Y] = shape_count(d->y);
    count[OP_RESIDUAL] = d->residual ? shape_count(s2clr_op_residual(d)) : 0;
    count[OP_WEIGHT] = weights;
    count[OP_BIAS] = biases;
    count[OP_SCALE] = count[OP_SHIFT] = channels;
    if (!d->training) return;
    count[OP_DX] = count[OP_X];
    count[OP_DY] = count[OP_Y];
    count[OP_DRESIDUAL] = conv ? 0 : count[OP_RESIDUAL];
    count[OP_OF_G] = count[OP_OF_X] = count[OP_CONSTANT] = channels;
    count[OP_DWEIGHT] = weights;
    count[OP_DBIAS] = biases;
}

/* Uniform in [-1, 1), by the finaliser of splitmix64. */
static double noise(uint64_t seed, uint64_t index)
{
    uint64_t z = (seed + 1) * 0x9e3779b97f4a7c15u + index * 0xd1342543de82ef95u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-52 - 1;
}

static void *must(void *pointer)
{
    if (!pointer) abort();
    return pointer;
}

void op_data_new(const s2clr_op_desc *desc, uint64_t seed, op_data *out)
{
    memset(out, 0, sizeof *out);
    count_fields(desc, out->count);
    for (int f = 0; f < OP_FIELDS; f++) {
        if (!out->count[f]) continue;
        out->value[f] = must(calloc(out->count[f], sizeof(float)));
        for (size_t i = 0; i < out->count[f]; i++) {
            const double v = noise(seed * OP_FIELDS + (uint64_t)f, i);
            out->value[f][i] = (float)(desc->kind == S2CLR_OP_CONV ? v : floor(v * 64) / 64);
        }
    }
    if (desc->kind != S2CLR_OP_AFFINE || !desc->training) return;
    out->sums_count = 2 * (size_t)desc->x.c;
    for (int i = 0; i < 2; i++) out->sums[i] = must(calloc(out->sums_count, sizeof(double)));
}

void op_data_free(op_data *data)
{
    for (int f = 0; f < OP_FIELDS; f++) free(data->value[f]);
    for (int i = 0; i < 2; i++) free(data->sums[i]);
    memset(data, 0, sizeof *data);
}

/* ---- rig ---- */

s2clr_status op_rig_open(const s2clr_backend *backend, s2clr_device *device,
                         const s2clr_op_desc *desc, op_rig *out)
{
    *out = (op_rig){.backend = backend, .device = device, .desc = *desc};
    return backend->op_new(device, desc, &out->op);
}

void op_rig_close(op_rig *rig)
{
    if (rig->op) rig->backend->op_free(rig->op);
    rig->op = NULL;
}

/* What one run holds on the device. */
typedef struct rig_run {
    const op_rig *rig;
    op_data *data;
    s2clr_stream *stream;
    void *native[OP_TENSORS];
    void *packed, *workspace;
} rig_run;

static s2clr_shape shape_of(const op_rig *rig, int field)
{
    if (field == OP_X || field == OP_DX) return rig->desc.x;
    return field == OP_RESIDUAL || field == OP_DRESIDUAL ? s2clr_op_residual(&rig->desc)
                                                         : rig->desc.y;
}

/* A buffer for a tensor, filled with NaN to the end of a full block of channels: whoever relies on
 * memory that nobody wrote shows it. */
static s2clr_status dirty_tensor(rig_run *run, int field)
{
    const s2clr_backend *const be = run->rig->backend;
    const s2clr_shape shape = shape_of(run->rig, field);
    s2clr_shape wide = shape;
    wide.c = (shape.c + 15) / 16 * 16;
    size_t bytes, wide_bytes;
    S2CLR_TRY(be->tensor_bytes(run->rig->device, shape, &bytes));
    S2CLR_TRY(be->tensor_bytes(run->rig->device, wide, &wide_bytes));
    if (wide_bytes < bytes) wide_bytes = bytes;
    S2CLR_TRY(be->buffer_new(run->rig->device, wide_bytes, &run->native[field]));
    const size_t count = shape_count(wide);
    float *const nan = must(malloc(count * sizeof *nan));
    for (size_t i = 0; i < count; i++) nan[i] = NAN;
    const s2clr_status status = be->upload(run->stream, wide, nan, run->native[field]);
    free(nan);
    return status;
}

static s2clr_status place(rig_run *run)
{
    const op_rig *const rig = run->rig;
    const s2clr_backend *const be = rig->backend;
    S2CLR_TRY(be->stream_new(rig->device, be->op_scratch_bytes(rig->op), &run->stream));
    S2CLR_TRY(be->buffer_new(rig->device, be->op_packed_bytes(rig->op), &run->packed));
    S2CLR_TRY(be->buffer_new(rig->device, be->op_workspace_bytes(rig->op), &run->workspace));
    for (int f = 0; f < OP_TENSORS; f++) {
        if (!run->data->count[f]) continue;
        S2CLR_TRY(dirty_tensor(run, f));
        if (f == OP_X || f == OP_RESIDUAL || f == OP_DY)
            S2CLR_TRY(
                be->upload(run->stream, shape_of(rig, f), run->data->value[f], run->native[f]));
    }
    return S2CLR_OK;
}

static s2clr_op_args args_of(const rig_run *run)
{
    float *const *const value = run->data->value;
    return (s2clr_op_args){
        .x = run->native[OP_X],
        .residual = run->native[OP_RESIDUAL],
        .y = run->native[OP_Y],
        .packed = run->packed,
        .workspace = run->workspace,
        .scale = value[OP_SCALE],
        .shift = value[OP_SHIFT],
        .dy = run->native[OP_DY],
        .dx = run->native[OP_DX],
        .dresidual = run->native[OP_DRESIDUAL],
        .dweight = value[OP_DWEIGHT],
        .dbias = value[OP_DBIAS],
        .affine = {value[OP_OF_G], value[OP_OF_X], value[OP_CONSTANT]},
    };
}

static s2clr_status compute(rig_run *run)
{
    const op_rig *const rig = run->rig;
    const s2clr_backend *const be = rig->backend;
    op_data *const data = run->data;
    const s2clr_op_args args = args_of(run);
    if (rig->desc.kind == S2CLR_OP_CONV)
        S2CLR_TRY(be->op_pack(rig->op, run->stream, data->value[OP_WEIGHT], data->value[OP_BIAS],
                              run->packed));
    S2CLR_TRY(be->op_forward(rig->op, run->stream, &args));
    if (data->sums_count) S2CLR_TRY(be->op_reduce(rig->op, run->stream, &args, data->sums[0]));
    if (rig->desc.training) S2CLR_TRY(be->op_backward(rig->op, run->stream, &args));
    if (data->sums_count)
        S2CLR_TRY(be->op_reduce_backward(rig->op, run->stream, &args, data->sums[1]));
    for (int f = 0; f < OP_TENSORS; f++)
        if (run->native[f] && (f == OP_Y || f == OP_DX || f == OP_DRESIDUAL))
            S2CLR_TRY(be->download(run->stream, shape_of(rig, f), run->native[f], data->value[f]));
    return be->stream_wait(run->stream);
}

s2clr_status op_rig_run(const op_rig *rig, op_data *data)
{
    rig_run run = {.rig = rig, .data = data};
    s2clr_status status = place(&run);
    if (status == S2CLR_OK) status = compute(&run);
    for (int f = 0; f < OP_TENSORS; f++)
        if (run.native[f]) rig->backend->buffer_free(rig->device, run.native[f]);
    if (run.packed) rig->backend->buffer_free(rig->device, run.packed);
    if (run.workspace) rig->backend->buffer_free(rig->device, run.workspace);
    if (run.stream) rig->backend->stream_free(run.stream);
    return status;
}
