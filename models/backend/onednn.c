/* The oneDNN module's table: device, streams, buffers, and the way in and out of native tensors. */
#include <stdio.h>
#include <string.h>

#include "backend/onednnp.h"
#include "base/memory.h"

/* ---- device ---- */

static const char *isa_name(dnnl_cpu_isa_t isa)
{
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } names[] = {
        {dnnl_cpu_isa_sse41, "sse41"},
        {dnnl_cpu_isa_avx, "avx"},
        {dnnl_cpu_isa_avx2, "avx2"},
        {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
        {dnnl_cpu_isa_avx512_core, "avx512_core"},
        {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
        {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].isa == isa) return names[i].name;
    return isa > dnnl_cpu_isa_avx512_core ? "avx512_core_more" : "other";
}

static s2clr_status device_open(const char *spec, s2clr_precision precision, s2clr_device **out)
{
    if (spec[0] != '\0' && strcmp(spec, "cpu") != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "the onednn backend has no device '%s', only 'cpu'", spec);
    const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    const bool avx512 = ((unsigned)isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
    dnnl_engine_t engine;
    s2clr_device *device;
    S2CLR_TRY(s2clr_precision_check_cpu("onednn", precision));
    if (precision == S2CLR_BF16 && !avx512)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "the onednn backend computes in bf16 from avx512_core on, this CPU "
                               "offers %s: use --precision f32",
                               isa_name(isa));
    S2CLR_TRY(s2clr_dnnl_check(dnnl_engine_create(&engine, dnnl_cpu, 0), "opening the CPU"));
    const s2clr_status status = s2clr_alloc(1, sizeof *device, "device", (void **)&device);
    if (status != S2CLR_OK) {
        dnnl_engine_destroy(engine);
        return status;
    }
    const dnnl_version_t *version = dnnl_version();
    device->engine = engine;
    device->block = avx512 ? 16 : 8;
    device->bf16 = precision == S2CLR_BF16;
    device->element = device->bf16 ? sizeof(uint16_t) : sizeof(float);
    snprintf(device->text, sizeof device->text, "oneDNN %d.%d.%d, %s%s", version->major,
             version->minor, version->patch, isa_name(isa), device->bf16 ? ", bf16" : "");
    *out = device;
    return S2CLR_OK;
}

static void device_close(s2clr_device *device)
{
    if (device == NULL) return;
    dnnl_engine_destroy(device->engine);
    s2clr_free(device);
}

static const char *device_describe(const s2clr_device *device)
{
    return device->text;
}

static s2clr_precision device_precision(const s2clr_device *device)
{
    return device->bf16 ? S2CLR_BF16 : S2CLR_F32;
}

/* ---- buffers ---- */

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

s2clr_status s2clr_dnnl_tensor_bytes(const s2clr_device *device, s2clr_shape shape, size_t *out)
{
    s2clr_shape checked;
    size_t bytes;
    S2CLR_TRY(s2clr_op_output(S2CLR_OP_ADD, shape, 0, NULL, &checked));
    const s2clr_dnnl_view view = s2clr_dnnl_view_of(device, shape);
    S2CLR_TRY(s2clr_size_mul(view.n * view.blocks, view.plane, &bytes));
    S2CLR_TRY(s2clr_size_mul(bytes, view.lanes * device->element, out));
    return S2CLR_OK;
}

/* ---- streams ---- */

static void stream_free(s2clr_stream *stream)
{
    if (stream == NULL) return;
    if (stream->stream != NULL) dnnl_stream_destroy(stream->stream);
    s2clr_free(stream->scratch);
    s2clr_free(stream);
}

static s2clr_status stream_new(s2clr_device *device, size_t scratch_bytes, s2clr_stream **out)
{
    s2clr_stream *stream;
    S2CLR_TRY(s2clr_alloc(1, sizeof *stream, "stream", (void **)&stream));
    stream->device = device;
    stream->scratch_bytes = scratch_bytes;
    s2clr_status status =
        s2clr_alloc(scratch_bytes, 1, "stream scratch", (void **)&stream->scratch);
    if (status == S2CLR_OK)
        status = s2clr_dnnl_check(
            dnnl_stream_create(&stream->stream, device->engine, dnnl_stream_default_flags),
            "making a stream");
    if (status != S2CLR_OK) {
        stream_free(stream);
        return status;
    }
    *out = stream;
    return S2CLR_OK;
}

/* CPU streams run in order, in the calling thread: nothing is ever queued. */
static s2clr_status stream_wait(s2clr_stream *stream)
{
    return s2clr_dnnl_check(dnnl_stream_wait(stream->stream), "waiting");
}

/* ---- tensors ---- */

static s2clr_status upload(s2clr_stream *stream, s2clr_shape shape, const float *nchw, void *native)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_of(stream->device, shape);
    if (stream->device->bf16)
        s2clr_dnnl_to_blocked_bf16(&view, nchw, native);
    else
        s2clr_dnnl_to_blocked(&view, nchw, native);
    return S2CLR_OK;
}

static s2clr_status download(s2clr_stream *stream, s2clr_shape shape, const void *native,
                             float *nchw)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_of(stream->device, shape);
    if (stream->device->bf16)
        s2clr_dnnl_from_blocked_bf16(&view, native, nchw);
    else
        s2clr_dnnl_from_blocked(&view, native, nchw);
    return S2CLR_OK;
}

static s2clr_status accumulate(s2clr_stream *stream, s2clr_shape shape, const void *x, void *sum)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_of(stream->device, shape);
    if (stream->device->bf16)
        s2clr_dnnl_accumulate_bf16(s2clr_dnnl_view_floats(&view), x, sum);
    else
        s2clr_dnnl_accumulate(s2clr_dnnl_view_floats(&view), x, sum);
    return S2CLR_OK;
}

/* ---- ops ---- */

static const char *op_kernel(const s2clr_op *op)
{
    return op->kernel;
}

static size_t op_packed_bytes(const s2clr_op *op)
{
    return op->packed_bytes;
}

static size_t op_scratch_bytes(const s2clr_op *op)
{
    return op->scratch_bytes;
}

static size_t op_workspace_bytes(const s2clr_op *op)
{
    return op->workspace_bytes;
}

static const s2clr_backend table = {
    .abi = S2CLR_BACKEND_ABI,
    .name = "onednn",
    .score = 100,
    .device_open = device_open,
    .device_close = device_close,
    .device_describe = device_describe,
    .device_precision = device_precision,
    .buffer_new = buffer_new,
    .buffer_free = buffer_free,
    .tensor_bytes = s2clr_dnnl_tensor_bytes,
    .stream_new = stream_new,
    .stream_free = stream_free,
    .stream_wait = stream_wait,
    .upload = upload,
    .download = download,
    .accumulate = accumulate,
    .op_new = s2clr_dnnl_op_new,
    .op_free = s2clr_dnnl_op_free,
    .op_kernel = op_kernel,
    .op_packed_bytes = op_packed_bytes,
    .op_scratch_bytes = op_scratch_bytes,
    .op_workspace_bytes = op_workspace_bytes,
    .op_pack = s2clr_dnnl_op_pack,
    .op_forward = s2clr_dnnl_op_forward,
    .op_backward = s2clr_dnnl_op_backward,
    .op_reduce = s2clr_dnnl_op_reduce,
    .op_reduce_backward = s2clr_dnnl_op_reduce_backward,
};

__attribute__((visibility("default"))) const s2clr_backend *s2clr_backend_module(void);

const s2clr_backend *s2clr_backend_module(void)
{
    return &table;
}
