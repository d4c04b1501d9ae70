/*
 * The backend that is always there and that all others are checked against. Tensors are plain NCHW
 * float32, packed weights are the weights followed by the bias. A bf16 device keeps float32 as
 * well: what it uploads, packs and writes is rounded to values that bfloat16 can hold.
 */
#include "backend/portable.h"

#include <string.h>

#include "backend/pportable.h"
#include "base/bf16.h"
#include "base/memory.h"

struct s2clr_device {
    const char *describe;
    bool rounds; /* to bfloat16 */
};

struct s2clr_stream {
    bool rounds;
    double *scratch;
};

struct s2clr_op {
    s2clr_op_desc desc;
    bool rounds;
    const portable_kernel *kernel;
};

static const portable_kernel kernels[S2CLR_OP_KINDS] = {
    [S2CLR_OP_CONV] = {"loops_conv", portable_conv_forward, portable_conv_backward},
    [S2CLR_OP_AFFINE] = {"loops_affine", portable_affine_forward, portable_affine_backward},
    [S2CLR_OP_ADD] = {"loops_add", portable_add_forward, portable_add_backward},
    [S2CLR_OP_MAXPOOL] = {"loops_maxpool", portable_maxpool_forward, portable_maxpool_backward},
    [S2CLR_OP_MEANPOOL] = {"loops_meanpool", portable_meanpool_forward, portable_meanpool_backward},
    [S2CLR_OP_AVGPOOL] = {"loops_avgpool", portable_avgpool_forward, portable_avgpool_backward},
    [S2CLR_OP_CONCAT] = {"loops_concat", portable_concat_forward, portable_concat_backward},
};

static float to_bf16(float value)
{
    return s2clr_bf16_widen(s2clr_bf16_narrow(value));
}

/* values may be NULL. */
static void round_all(bool rounds, size_t count, void *values)
{
    float *const v = values;
    if (!rounds || !v) return;
    for (size_t i = 0; i < count; i++) v[i] = to_bf16(v[i]);
}

/* ---- device, buffers, streams ---- */

static s2clr_status device_open(const char *spec, s2clr_precision precision, s2clr_device **out)
{
    if (spec[0] && strcmp(spec, "cpu") != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the portable backend has no device '%s', only 'cpu'", spec);
    s2clr_device *device;
    S2CLR_TRY(s2clr_precision_check_cpu("portable", precision));
    S2CLR_TRY(s2clr_alloc(1, sizeof *device, "device", (void **)&device));
    device->rounds = precision == S2CLR_BF16;
    device->describe = device->rounds ? "portable C loops, bf16" : "portable C loops";
    *out = device;
    return S2CLR_OK;
}

static void device_close(s2clr_device *device)
{
    s2clr_free(device);
}

static const char *device_describe(const s2clr_device *device)
{
    return device->describe;
}

static s2clr_precision device_precision(const s2clr_device *device)
{
    return device->rounds ? S2CLR_BF16 : S2CLR_F32;
}

static s2clr_status buffer_new(s2clr_device *device, size_t bytes, void **out)
{
    (void)device;
    return s2clr_alloc(bytes, 1, "tensor buffer", out);
}

static void buffer_free(s2clr_device *device, void *buffer)
{
    (void)device;
    s2clr_free(buffer);
}

static s2clr_status tensor_bytes(const s2clr_device *device, s2clr_shape shape, size_t *out)
{
    (void)device;
    s2clr_shape checked;
    S2CLR_TRY(s2clr_op_output(S2CLR_OP_ADD, shape, 0, NULL, &checked));
    *out = portable_count(checked) * sizeof(float);
    return S2CLR_OK;
}

static void stream_free(s2clr_stream *stream)
{
    if (!stream) return;
    s2clr_free(stream->scratch);
    s2clr_free(stream);
}

static s2clr_status stream_new(s2clr_device *device, size_t scratch_bytes, s2clr_stream **out)
{
    s2clr_stream *stream;
    S2CLR_TRY(s2clr_alloc(1, sizeof *stream, "stream", (void **)&stream));
    stream->rounds = device->rounds;
    const s2clr_status status =
        s2clr_alloc(scratch_bytes, 1, "stream scratch", (void **)&stream->scratch);
    if (status != S2CLR_OK) {
        stream_free(stream);
        return status;
    }
    *out = stream;
    return S2CLR_OK;
}

static s2clr_status stream_wait(s2clr_stream *stream)
{
    (void)stream; /* nothing is ever queued */
    return S2CLR_OK;
}

void portable_store(const s2clr_stream *stream, s2clr_shape shape, float *values)
{
    round_all(stream->rounds, portable_count(shape), values);
}

static s2clr_status upload(s2clr_stream *stream, s2clr_shape shape, const float *nchw, void *native)
{
    memcpy(native, nchw, portable_count(shape) * sizeof(float));
    round_all(stream->rounds, portable_count(shape), native);
    return S2CLR_OK;
}

static s2clr_status download(s2clr_stream *stream, s2clr_shape shape, const void *native,
                             float *nchw)
{
    (void)stream;
    memcpy(nchw, native, portable_count(shape) * sizeof(float));
    return S2CLR_OK;
}

static s2clr_status accumulate(s2clr_stream *stream, s2clr_shape shape, const void *x, void *sum)
{
    const size_t count = portable_count(shape);
    for (size_t i = 0; i < count; i++) ((float *)sum)[i] += ((const float *)x)[i];
    round_all(stream->rounds, count, sum);
    return S2CLR_OK;
}

/* ---- ops ---- */

static s2clr_status op_new(s2clr_device *device, const s2clr_op_desc *desc, s2clr_op **out)
{
    S2CLR_TRY(s2clr_op_check(desc));
    s2clr_op *op;
    S2CLR_TRY(s2clr_alloc(1, sizeof *op, "op", (void **)&op));
    op->desc = *desc;
    op->rounds = device->rounds;
    op->kernel = &kernels[desc->kind];
    *out = op;
    return S2CLR_OK;
}

static void op_free(s2clr_op *op)
{
    s2clr_free(op);
}

static const char *op_kernel(const s2clr_op *op)
{
    return op->kernel->name;
}

static size_t op_packed_bytes(const s2clr_op *op)
{
    const s2clr_op_desc *const d = &op->desc;
    if (d->kind != S2CLR_OP_CONV) return 0;
    return (s2clr_op_weight_count(d) + (d->bias ? (size_t)d->y.c : 0)) * sizeof(float);
}

static size_t op_scratch_bytes(const s2clr_op *op)
{
    const s2clr_op_desc *const d = &op->desc;
    if (d->kind != S2CLR_OP_CONV && d->kind != S2CLR_OP_AVGPOOL) return 0;
    return (size_t)(d->x.w > d->y.w ? d->x.w : d->y.w) * sizeof(double);
}

static size_t op_workspace_bytes(const s2clr_op *op)
{
    const s2clr_op_desc *const d = &op->desc;
    return d->kind == S2CLR_OP_MAXPOOL && d->training ? portable_count(d->y) * sizeof(int32_t) : 0;
}

static s2clr_status op_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                            const float *bias, void *packed)
{
    (void)stream;
    const s2clr_op_desc *const d = &op->desc;
    S2CLR_TRY(s2clr_op_check_pack(&op->desc, weight, bias, packed));
    float *const to = packed;
    const size_t count = s2clr_op_weight_count(d);
    memcpy(to, weight, count * sizeof(float));
    round_all(op->rounds, count, to);
    if (d->bias) memcpy(to + count, bias, (size_t)d->y.c * sizeof(float));
    return S2CLR_OK;
}

static s2clr_status op_forward(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args)
{
    const s2clr_op_desc *const d = &op->desc;
    S2CLR_TRY(s2clr_op_check_forward(d, op_workspace_bytes(op), args));
    op->kernel->forward(d, args, stream->scratch);
    round_all(op->rounds, portable_count(d->y), args->y);
    return S2CLR_OK;
}

static s2clr_status op_backward(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args)
{
    const s2clr_op_desc *const d = &op->desc;
    S2CLR_TRY(s2clr_op_check_backward(d, op_workspace_bytes(op), args));
    op->kernel->backward(d, args, stream->scratch);
    round_all(op->rounds, portable_count(d->x), args->dx);
    round_all(op->rounds, portable_count(s2clr_op_residual(d)), args->dresidual);
    return S2CLR_OK;
}

static s2clr_status op_reduce(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args,
                              double *sums)
{
    (void)stream;
    S2CLR_TRY(s2clr_op_check_reduce(&op->desc, false, args));
    portable_affine_sums(&op->desc, args, sums);
    return S2CLR_OK;
}

static s2clr_status op_reduce_backward(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args, double *sums)
{
    (void)stream;
    S2CLR_TRY(s2clr_op_check_reduce(&op->desc, true, args));
    portable_affine_sums_backward(&op->desc, args, sums);
    return S2CLR_OK;
}

const s2clr_backend s2clr_backend_portable = {
    .abi = S2CLR_BACKEND_ABI,
    .name = "portable",
    .score = 1,
    .device_open = device_open,
    .device_close = device_close,
    .device_describe = device_describe,
    .device_precision = device_precision,
    .buffer_new = buffer_new,
    .buffer_free = buffer_free,
    .tensor_bytes = tensor_bytes,
    .stream_new = stream_new,
    .stream_free = stream_free,
    .stream_wait = stream_wait,
    .upload = upload,
    .download = download,
    .accumulate = accumulate,
    .op_new = op_new,
    .op_free = op_free,
    .op_kernel = op_kernel,
    .op_packed_bytes = op_packed_bytes,
    .op_scratch_bytes = op_scratch_bytes,
    .op_workspace_bytes = op_workspace_bytes,
    .op_pack = op_pack,
    .op_forward = op_forward,
    .op_backward = op_backward,
    .op_reduce = op_reduce,
    .op_reduce_backward = op_reduce_backward,
    .training = &s2clr_portable_training,
    .cutting = &s2clr_portable_cutting,
};
