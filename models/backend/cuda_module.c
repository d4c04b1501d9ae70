/* The CUDA module's table. */
#include "backend/cudap.h"

static const char *device_describe(const s2clr_device *device)
{
    return atomic_load(&device->lacks_engines) ? device->text_lacking : device->text;
}

static s2clr_precision device_precision(const s2clr_device *device)
{
    return device->precision;
}

static s2clr_status zero(s2clr_device *device, size_t bytes, void *buffer)
{
    S2CLR_TRY(
        s2clr_cuda_check(cudaMemsetAsync(buffer, 0, bytes, NULL), device, "zeroing a buffer"));
    /* Streams do not wait for the default one, on which this is queued. */
    return s2clr_cuda_check(cudaStreamSynchronize(NULL), device, "zeroing a buffer");
}

static s2clr_status buffer_new(s2clr_device *device, size_t bytes, void **out)
{
    void *buffer;
    CUDA_USE(device);
    S2CLR_TRY(s2clr_cuda_memory_new(device, bytes, "tensor buffer", &buffer));
    const s2clr_status status = zero(device, bytes, buffer);
    if (status != S2CLR_OK) {
        s2clr_cuda_memory_free(device, buffer);
        return status;
    }
    *out = buffer;
    return S2CLR_OK;
}

static void buffer_free(s2clr_device *device, void *buffer)
{
    if (!buffer) return;
    CUDA_USE_QUIETLY(device);
    s2clr_cuda_memory_free(device, buffer);
}

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
    .name = "cuda",
    .score = 200, /* before any CPU, behind a trial: device_trial.h */
    .device_open = s2clr_cuda_device_open,
    .device_close = s2clr_cuda_device_close,
    .device_describe = device_describe,
    .device_precision = device_precision,
    .buffer_new = buffer_new,
    .buffer_free = buffer_free,
    .tensor_bytes = s2clr_cuda_tensor_bytes,
    .stream_new = s2clr_cuda_stream_new,
    .stream_free = s2clr_cuda_stream_free,
    .stream_wait = s2clr_cuda_stream_wait,
    .upload = s2clr_cuda_upload,
    .download = s2clr_cuda_download,
    .accumulate = s2clr_cuda_accumulate,
    .op_new = s2clr_cuda_op_new,
    .op_free = s2clr_cuda_op_free,
    .op_kernel = op_kernel,
    .op_packed_bytes = op_packed_bytes,
    .op_scratch_bytes = op_scratch_bytes,
    .op_workspace_bytes = op_workspace_bytes,
    .op_pack = s2clr_cuda_op_pack,
    .op_forward = s2clr_cuda_op_forward,
    .op_backward = s2clr_cuda_op_backward,
    .op_reduce = s2clr_cuda_op_reduce,
    .op_reduce_backward = s2clr_cuda_op_reduce_backward,
    .training = &s2clr_cuda_training,
    .cutting = &s2clr_cuda_cutting,
    .memory = s2clr_cuda_memory_left,
    .recording = &s2clr_cuda_recording,
};

__attribute__((visibility("default"))) const s2clr_backend *s2clr_backend_module(void);

const s2clr_backend *s2clr_backend_module(void)
{
    return &table;
}
