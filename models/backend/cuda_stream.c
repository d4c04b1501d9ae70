/*
 * Streams, and the way in and out of native tensors.
 *
 * Host memory that callers give is ordinary: a copy from it would block, so it goes through a ring
 * of pinned slots. A slot is filled again when the copy out of it is done.
 */
#include <string.h>

#include "backend/cudap.h"
#include "base/memory.h"

enum { SLOT_BYTES = 2 << 20 };

/* ---- slots ---- */

static s2clr_status slot_new(const s2clr_stream *stream, cuda_slot *slot)
{
    const s2clr_device *const device = stream->device;
    S2CLR_TRY(s2clr_cuda_check(cudaEventCreateWithFlags(&slot->done, cudaEventDisableTiming),
                               device, "making an event"));
    return s2clr_cuda_check(cudaMallocHost(&slot->host, SLOT_BYTES), device,
                            "pinning 2 MB of the machine's memory");
}

static void slot_free(cuda_slot *slot)
{
    if (slot->done) s2clr_cuda_quiet(cudaEventDestroy(slot->done));
    if (slot->host) s2clr_cuda_quiet(cudaFreeHost(slot->host));
}

static s2clr_status slot_wait(const s2clr_stream *stream, cuda_slot *slot)
{
    if (!slot->busy) return S2CLR_OK;
    S2CLR_TRY(
        s2clr_cuda_check(cudaEventSynchronize(slot->done), stream->device, "waiting for a copy"));
    slot->busy = false;
    return S2CLR_OK;
}

static s2clr_status slot_take(s2clr_stream *stream, cuda_slot **out)
{
    cuda_slot *const slot = &stream->slot[stream->next];
    S2CLR_TRY(slot_wait(stream, slot));
    stream->next = (stream->next + 1) % CUDA_SLOTS;
    *out = slot;
    return S2CLR_OK;
}

static s2clr_status slot_copy(s2clr_stream *stream, cuda_slot *slot, void *to, const void *from,
                              size_t bytes, enum cudaMemcpyKind kind)
{
    const char *const what =
        kind == cudaMemcpyHostToDevice ? "copying to the device" : "copying from the device";
    S2CLR_TRY(s2clr_cuda_check(cudaMemcpyAsync(to, from, bytes, kind, stream->stream),
                               stream->device, what));
    S2CLR_TRY(s2clr_cuda_check(cudaEventRecord(slot->done, stream->stream), stream->device, what));
    slot->busy = true;
    return S2CLR_OK;
}

/* ---- copies of any size ---- */

static size_t piece(size_t bytes, size_t at)
{
    return bytes - at < SLOT_BYTES ? bytes - at : SLOT_BYTES;
}

s2clr_status s2clr_cuda_to_device(s2clr_stream *stream, const void *host, size_t bytes,
                                  void *device)
{
    S2CLR_TRY(s2clr_cuda_record_check(stream, "a copy from the host"));
    for (size_t at = 0; at < bytes; at += SLOT_BYTES) {
        cuda_slot *slot;
        const size_t part = piece(bytes, at);
        S2CLR_TRY(slot_take(stream, &slot));
        memcpy(slot->host, (const char *)host + at, part);
        S2CLR_TRY(
            slot_copy(stream, slot, (char *)device + at, slot->host, part, cudaMemcpyHostToDevice));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_cuda_to_host(s2clr_stream *stream, const void *device, size_t bytes, void *host)
{
    cuda_slot *slot = NULL, *before = NULL; /* one is emptied while the next is filled */
    size_t at = 0;
    S2CLR_TRY(s2clr_cuda_record_check(stream, "a copy to the host"));
    while (at < bytes || slot) {
        before = slot;
        slot = NULL;
        if (at < bytes) {
            S2CLR_TRY(slot_take(stream, &slot));
            S2CLR_TRY(slot_copy(stream, slot, slot->host, (const char *)device + at,
                                piece(bytes, at), cudaMemcpyDeviceToHost));
        }
        if (before) {
            S2CLR_TRY(slot_wait(stream, before));
            memcpy((char *)host + (at - SLOT_BYTES), before->host, piece(bytes, at - SLOT_BYTES));
        }
        at += SLOT_BYTES;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_cuda_copy(s2clr_stream *stream, const void *from, size_t bytes, void *to)
{
    return s2clr_cuda_check(
        cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream->stream), stream->device,
        "copying on the device");
}

s2clr_status s2clr_cuda_argument_in(s2clr_stream *stream, const void *array, size_t bytes,
                                    void *device)
{
    return stream->resident ? s2clr_cuda_copy(stream, array, bytes, device)
                            : s2clr_cuda_to_device(stream, array, bytes, device);
}

s2clr_status s2clr_cuda_argument_out(s2clr_stream *stream, const void *device, size_t bytes,
                                     void *array)
{
    return stream->resident ? s2clr_cuda_copy(stream, device, bytes, array)
                            : s2clr_cuda_to_host(stream, device, bytes, array);
}

/* ---- life ---- */

static s2clr_status furnish(s2clr_stream *stream)
{
    s2clr_device *const device = stream->device;
    S2CLR_TRY(
        s2clr_cuda_memory_new(device, stream->scratch_bytes, "stream scratch", &stream->scratch));
    S2CLR_TRY(s2clr_cuda_check(cudaStreamCreateWithFlags(&stream->stream, cudaStreamNonBlocking),
                               device, "making a stream"));
    for (int i = 0; i < CUDA_SLOTS; i++) S2CLR_TRY(slot_new(stream, &stream->slot[i]));
    S2CLR_TRY(s2clr_cuda_check_dnn(cudnnCreate(&stream->cudnn), device, "starting cuDNN"));
    return s2clr_cuda_check_dnn(cudnnSetStream(stream->cudnn, stream->stream), device,
                                "giving cuDNN its stream");
}

s2clr_status s2clr_cuda_stream_new(s2clr_device *device, size_t scratch_bytes, s2clr_stream **out)
{
    s2clr_stream *stream;
    CUDA_USE(device);
    S2CLR_TRY(s2clr_alloc(1, sizeof *stream, "stream", (void **)&stream));
    stream->device = device;
    stream->scratch_bytes = scratch_bytes;
    const s2clr_status status = furnish(stream);
    if (status != S2CLR_OK) {
        s2clr_cuda_stream_free(stream);
        return status;
    }
    *out = stream;
    return S2CLR_OK;
}

void s2clr_cuda_stream_free(s2clr_stream *stream)
{
    if (!stream) return;
    CUDA_USE_QUIETLY(stream->device);
    /* What is queued reads the memory that goes now. */
    if (stream->stream) s2clr_cuda_quiet(cudaStreamSynchronize(stream->stream));
    if (stream->cudnn) cudnnDestroy(stream->cudnn);
    for (int i = 0; i < CUDA_SLOTS; i++) slot_free(&stream->slot[i]);
    if (stream->staged) s2clr_cuda_memory_free(stream->device, stream->staged);
    if (stream->scratch) s2clr_cuda_memory_free(stream->device, stream->scratch);
    if (stream->stream) s2clr_cuda_quiet(cudaStreamDestroy(stream->stream));
    s2clr_free(stream);
}

static s2clr_status wait_all(const s2clr_stream *stream)
{
    S2CLR_TRY(s2clr_cuda_record_check(stream, "waiting"));
    return s2clr_cuda_check(cudaStreamSynchronize(stream->stream), stream->device,
                            "waiting for the device");
}

s2clr_status s2clr_cuda_stream_wait(s2clr_stream *stream)
{
    CUDA_USE(stream->device);
    return wait_all(stream);
}

void *s2clr_cuda_scratch(const s2clr_stream *stream, size_t at)
{
    return (char *)stream->scratch + at;
}

/* ---- tensors ---- */

/* Room for a plain tensor on the device. It grows, and what is queued may still read the old. */
static s2clr_status stage(s2clr_stream *stream, s2clr_shape shape, size_t *bytes)
{
    s2clr_shape checked;
    S2CLR_TRY(s2clr_op_output(S2CLR_OP_ADD, shape, 0, NULL, &checked));
    const cuda_view view = s2clr_cuda_view_of(shape);
    *bytes = view.n * view.c * view.h * view.w * sizeof(float);
    if (*bytes <= stream->staged_bytes) return S2CLR_OK;
    if (stream->staged) {
        S2CLR_TRY(wait_all(stream));
        s2clr_cuda_memory_free(stream->device, stream->staged);
        stream->staged = NULL;
        stream->staged_bytes = 0;
    }
    S2CLR_TRY(s2clr_cuda_memory_new(stream->device, *bytes, "tensor on its way", &stream->staged));
    stream->staged_bytes = *bytes;
    return S2CLR_OK;
}

s2clr_status s2clr_cuda_upload(s2clr_stream *stream, s2clr_shape shape, const float *nchw,
                               void *native)
{
    size_t bytes;
    CUDA_USE(stream->device);
    S2CLR_TRY(stage(stream, shape, &bytes));
    S2CLR_TRY(s2clr_cuda_to_device(stream, nchw, bytes, stream->staged));
    const cuda_upload_args args = {.element = stream->device->element,
                                   .view = s2clr_cuda_view_of(shape),
                                   .nchw = stream->staged,
                                   .native = native};
    return s2clr_cuda_check_launch(s2clr_cuda_launch_upload(stream->stream, args), stream->device,
                                   "upload");
}

s2clr_status s2clr_cuda_download(s2clr_stream *stream, s2clr_shape shape, const void *native,
                                 float *nchw)
{
    size_t bytes;
    CUDA_USE(stream->device);
    S2CLR_TRY(stage(stream, shape, &bytes));
    const cuda_download_args args = {.element = stream->device->element,
                                     .view = s2clr_cuda_view_of(shape),
                                     .native = native,
                                     .nchw = stream->staged};
    S2CLR_TRY(s2clr_cuda_check_launch(s2clr_cuda_launch_download(stream->stream, args),
                                      stream->device, "download"));
    return s2clr_cuda_to_host(stream, stream->staged, bytes, nchw);
}

s2clr_status s2clr_cuda_accumulate(s2clr_stream *stream, s2clr_shape shape, const void *x,
                                   void *sum)
{
    const cuda_view view = s2clr_cuda_view_of(shape);
    const cuda_add_args args = {.element = stream->device->element,
                                .count = cuda_view_count(&view),
                                .a = x,
                                .b = sum,
                                .y = sum};
    CUDA_USE(stream->device);
    return s2clr_cuda_check_launch(s2clr_cuda_launch_add(stream->stream, args), stream->device,
                                   "accumulate");
}
