/*
 * The CUDA module's s2clr_backend.recording: a stream's work as a CUDA graph.
 *
 * While a stream is captured nothing is done, and this thread may neither wait nor allocate, nor
 * copy from or to the host: what is read there would be read again at every replay. cuda_stream.c
 * refuses such calls, CUDA those that cuDNN might make. Other threads go on as they like.
 */
#include "backend/cudap.h"
#include "base/memory.h"

struct s2clr_recorded {
    const s2clr_device *device;
    cudaGraphExec_t work;
};

s2clr_status s2clr_cuda_record_check(const s2clr_stream *stream, const char *what)
{
    if (!stream->recording) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "%s: %s cannot be recorded", stream->device->name,
                           what);
}

/* Ends in any case what BeginCapture began. */
static s2clr_status capture(s2clr_stream *stream, s2clr_status (*body)(void *context),
                            void *context, cudaGraph_t *out)
{
    const s2clr_device *const device = stream->device;
    cudaGraph_t graph = NULL;
    S2CLR_TRY(
        s2clr_cuda_check(cudaStreamBeginCapture(stream->stream, cudaStreamCaptureModeThreadLocal),
                         device, "beginning to record"));
    stream->recording = true;
    s2clr_status status = body(context);
    stream->recording = false;
    const cudaError_t code = cudaStreamEndCapture(stream->stream, &graph);
    if (status == S2CLR_OK)
        status = s2clr_cuda_check(code, device, "recording");
    else
        s2clr_cuda_quiet(code);
    if (status != S2CLR_OK) {
        if (graph) s2clr_cuda_quiet(cudaGraphDestroy(graph));
        return status;
    }
    *out = graph;
    return S2CLR_OK;
}

static s2clr_status make(s2clr_stream *stream, s2clr_status (*body)(void *context), void *context,
                         cudaGraphExec_t *out)
{
    cudaGraph_t graph;
    S2CLR_TRY(capture(stream, body, context, &graph));
    const cudaError_t code = cudaGraphInstantiateWithFlags(out, graph, 0);
    s2clr_cuda_quiet(cudaGraphDestroy(graph));
    return s2clr_cuda_check(code, stream->device, "preparing what was recorded");
}

static s2clr_status record(s2clr_stream *stream, s2clr_status (*body)(void *context), void *context,
                           s2clr_recorded **out)
{
    s2clr_recorded *recorded;
    CUDA_USE(stream->device);
    S2CLR_TRY(s2clr_cuda_record_check(stream, "a recording"));
    S2CLR_TRY(s2clr_alloc(1, sizeof *recorded, "recording", (void **)&recorded));
    recorded->device = stream->device;
    const s2clr_status status = make(stream, body, context, &recorded->work);
    if (status != S2CLR_OK) {
        s2clr_free(recorded);
        return status;
    }
    *out = recorded;
    return S2CLR_OK;
}

static s2clr_status replay(s2clr_stream *stream, const s2clr_recorded *recorded)
{
    CUDA_USE(stream->device);
    return s2clr_cuda_check(cudaGraphLaunch(recorded->work, stream->stream), stream->device,
                            "starting what was recorded");
}

static void free_recorded(s2clr_recorded *recorded)
{
    if (!recorded) return;
    CUDA_USE_QUIETLY(recorded->device);
    s2clr_cuda_quiet(cudaGraphExecDestroy(recorded->work));
    s2clr_free(recorded);
}

const s2clr_backend_recording s2clr_cuda_recording = {
    .record = record,
    .replay = replay,
    .free = free_recorded,
};
