/*
 * CUDA graphs, pretended: a captured stream's work is kept instead of queued, and queued again by
 * every launch. Captures are those of one thread (cudaStreamCaptureModeThreadLocal).
 */
#include <stdlib.h>

#include "cuda_fake_stream.h"

struct CUgraph_st {
    task_list work;
};

struct CUgraphExec_st {
    task_list work;
    int device;
};

static const char graph_kind[] = "graph", exec_kind[] = "graph that runs";

static void copy_list(const task_list *from, task_list *to)
{
    for (const task *t = from->first; t; t = t->next) fake_append(to, t->work, t->args, t->bytes);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t of, enum cudaStreamCaptureMode mode)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    struct CUstream_st *const stream = fake_stream_of(of);
    if (!stream || !of) FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    if (mode != cudaStreamCaptureModeThreadLocal)
        fake_misuse("a capture that other threads disturb, or that lets everything pass");
    if (fake_capturing("another capture"))
        FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    stream->capturing = true;
    stream->invalid = false;
    stream->capturer = pthread_self();
    FAKE_RETURN(fake_result(cudaSuccess));
}

/* Also when it fails there is no capture any more. */
cudaError_t cudaStreamEndCapture(cudaStream_t of, cudaGraph_t *out)
{
    FAKE_RELEASE();
    struct CUstream_st *const stream = fake_stream_of(of);
    *out = NULL;
    if (!stream || !stream->capturing) {
        fake_misuse("a capture ends that never began");
        FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnmatched));
    }
    stream->capturing = false;
    if (fails || stream->invalid || fake_broken()) {
        fake_drop(&stream->captured);
        FAKE_RETURN(fake_result(fake_broken() ? fake_broken() : cudaErrorStreamCaptureInvalidated));
    }
    *out = fake_calloc(1, sizeof **out);
    (*out)->work = stream->captured;
    stream->captured = (task_list){NULL, NULL};
    fake_object_add(*out, graph_kind);
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *out, cudaGraph_t graph,
                                          unsigned long long flags)
{
    FAKE_ENTRY(fake_result(cudaErrorMemoryAllocation))
    if (!fake_object_is(graph, graph_kind) || flags != 0)
        FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    *out = fake_calloc(1, sizeof **out);
    (*out)->device = fake_device();
    copy_list(&graph->work, &(*out)->work);
    fake_object_add(*out, exec_kind);
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    FAKE_RELEASE();
    if (!fake_object_is(graph, graph_kind)) FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    fake_object_remove(graph);
    fake_drop(&graph->work);
    free(graph);
    FAKE_RETURN(fake_result(fails ? cudaErrorUnknown : fake_broken()));
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t of)
{
    FAKE_ENTRY(fake_result(cudaErrorMemoryAllocation))
    struct CUstream_st *const stream = fake_stream_of(of);
    if (!fake_object_is(exec, exec_kind) || !stream || !of)
        FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    if (stream->device != exec->device || fake_device() != exec->device || stream->capturing)
        fake_misuse("a graph is launched on another device, or while a stream is captured");
    copy_list(&exec->work, &stream->queue);
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    FAKE_RELEASE();
    if (!fake_object_is(exec, exec_kind)) FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    fake_object_remove(exec);
    fake_drop(&exec->work);
    free(exec);
    FAKE_RETURN(fake_result(fails ? cudaErrorUnknown : fake_broken()));
}
