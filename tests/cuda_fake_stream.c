/*
 * Streams, events and copies of the pretended CUDA. A stream is a queue: what is in it is done, in
 * order, when somebody waits for it.
 */
#include "cuda_fake_stream.h"

#include <stdlib.h>
#include <string.h>

static const char stream_kind[] = "stream", event_kind[] = "event";
static struct CUstream_st *streams;
/* The stream NULL of each device. No other stream waits for it: all are made so. */
static struct CUstream_st defaults[DEVICES_MAX];

/* ---- the queue ---- */

static void run_until(struct CUstream_st *stream, const struct CUevent_st *event);

static void wait_for(const struct CUevent_st *event)
{
    if (event->stream) run_until(event->stream, event);
}

static void do_task(const task *t)
{
    if (t->wait) wait_for(t->wait);
    if (t->mark) t->mark->stream = NULL;
    if (t->work && !fake_broken()) t->work(t->args);
}

static task *take_first(task_list *list)
{
    task *const t = list->first;
    list->first = t->next;
    if (!list->first) list->last = NULL;
    return t;
}

void fake_drop(task_list *list)
{
    while (list->first) {
        task *const t = take_first(list);
        free(t->args);
        free(t);
    }
}

/* Until the event was passed; NULL: all. An event recorded twice is passed at its last place. */
static void run_until(struct CUstream_st *stream, const struct CUevent_st *event)
{
    while (stream->queue.first && (!event || event->stream == stream)) {
        task *const t = take_first(&stream->queue);
        do_task(t);
        free(t->args);
        free(t);
    }
}

struct CUstream_st *fake_stream_of(cudaStream_t stream)
{
    if (stream) return fake_object_is(stream, stream_kind) ? stream : NULL;
    struct CUstream_st *const own = &defaults[fake_device() % DEVICES_MAX];
    own->device = fake_device();
    return own;
}

void fake_run_all(void)
{
    for (int i = 0; i < DEVICES_MAX; i++) run_until(&defaults[i], NULL);
    for (struct CUstream_st *s = streams; s; s = s->next) run_until(s, NULL);
}

static void append(task_list *list, task *t)
{
    if (list->last)
        list->last->next = t;
    else
        list->first = t;
    list->last = t;
}

void fake_append(task_list *list, fake_work work, const void *args, size_t bytes)
{
    task *const t = fake_calloc(1, sizeof *t);
    *t = (task){.work = work, .args = fake_calloc(1, bytes), .bytes = bytes};
    memcpy(t->args, args, bytes);
    append(list, t);
}

bool fake_capturing(const char *what)
{
    bool found = false;
    for (struct CUstream_st *s = streams; s; s = s->next)
        if (s->capturing && pthread_equal(s->capturer, pthread_self())) found = s->invalid = true;
    if (found) fake_misuse("%s while a stream is captured", what);
    return found;
}

cudaError_t fake_queue(cudaStream_t to, fake_work work, const void *args, size_t bytes)
{
    struct CUstream_st *const stream = fake_stream_of(to);
    if (fake_broken()) return fake_broken();
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->device != fake_device()) {
        fake_misuse("a stream of device %d was given work while device %d is the thread's",
                    stream->device, fake_device());
        return cudaErrorInvalidResourceHandle;
    }
    if (stream->capturing && !pthread_equal(stream->capturer, pthread_self())) {
        fake_misuse("a stream that another thread captures was given work");
        return cudaErrorStreamCaptureWrongThread;
    }
    fake_append(stream->capturing ? &stream->captured : &stream->queue, work, args, bytes);
    return cudaSuccess;
}

/* ---- streams ---- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    if (flags != cudaStreamNonBlocking) fake_misuse("a stream waits for the default stream");
    struct CUstream_st *const s = fake_calloc(1, sizeof *s);
    *s = (struct CUstream_st){.next = streams, .device = fake_device()};
    streams = s;
    fake_object_add(s, stream_kind);
    *out = s;
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    FAKE_RELEASE();
    if (!fake_object_is(stream, stream_kind))
        FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    run_until(stream, NULL);
    if (stream->capturing) fake_misuse("a stream that is captured was destroyed");
    fake_drop(&stream->captured);
    for (struct CUstream_st **at = &streams; *at; at = &(*at)->next)
        if (*at == stream) {
            *at = stream->next;
            break;
        }
    fake_object_remove(stream);
    free(stream);
    FAKE_RETURN(fake_result(fails ? cudaErrorUnknown : fake_broken()));
}

cudaError_t cudaStreamSynchronize(cudaStream_t of)
{
    FAKE_ENTRY(fake_result((fake_break(), cudaErrorIllegalAddress)))
    struct CUstream_st *const stream = fake_stream_of(of);
    if (!stream) FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    if (fake_capturing("waiting")) FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    if (fake_collective_pending(of))
        fake_misuse("a stream is waited for whose collective may never end");
    run_until(stream, NULL);
    FAKE_RETURN(fake_result(fake_broken()));
}

/* Never done by itself, as cudaEventQuery. */
cudaError_t cudaStreamQuery(cudaStream_t of)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    const struct CUstream_st *const stream = fake_stream_of(of);
    if (!stream) FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    const bool waits = stream->queue.first || fake_collective_pending(of);
    FAKE_RETURN(waits ? cudaErrorNotReady : cudaSuccess);
}

/* ---- events ---- */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    (void)flags;
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    *out = fake_calloc(1, sizeof **out);
    fake_object_add(*out, event_kind);
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    FAKE_RELEASE();
    if (!fake_object_is(event, event_kind))
        FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    wait_for(event);
    fake_object_remove(event);
    free(event);
    FAKE_RETURN(fake_result(fails ? cudaErrorUnknown : fake_broken()));
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    if (!fake_object_is(event, event_kind) || !fake_object_is(stream, stream_kind))
        FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    if (fake_capturing("an event")) FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    wait_for(event); /* its old place would count as the new one */
    task *const t = fake_calloc(1, sizeof *t);
    t->mark = event;
    event->stream = stream;
    append(&stream->queue, t);
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    FAKE_ENTRY(fake_result((fake_break(), cudaErrorIllegalAddress)))
    if (!fake_object_is(event, event_kind))
        FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    if (fake_capturing("waiting")) FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    wait_for(event);
    FAKE_RETURN(fake_result(fake_broken()));
}

/* Never ready by itself: nothing moves unless somebody waits. */
cudaError_t cudaEventQuery(cudaEvent_t event)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    if (!fake_object_is(event, event_kind))
        FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    FAKE_RETURN(event->stream ? cudaErrorNotReady : cudaSuccess);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    (void)flags;
    if (!fake_object_is(event, event_kind) || !fake_object_is(stream, stream_kind))
        FAKE_RETURN(fake_result(cudaErrorInvalidResourceHandle));
    if (fake_capturing("an event")) FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    if (event->stream) {
        task *const t = fake_calloc(1, sizeof *t);
        t->wait = event;
        append(&stream->queue, t);
    }
    FAKE_RETURN(fake_result(fake_broken()));
}

/* ---- copies ---- */

typedef struct copy {
    void *to;
    const void *from;
    size_t bytes;
    int value; /* of a fill: from is NULL */
} copy;

static void do_copy(void *args)
{
    const copy *const c = args;
    void *const to = fake_on_device(c->to) ? fake_at(c->to, c->bytes, "copy, to") : c->to;
    const void *from = c->from;
    if (fake_on_device(from)) from = fake_at(from, c->bytes, "copy, from");
    if (!to || (c->from && !from)) {
        fake_break();
        return;
    }
    if (c->from)
        memcpy(to, from, c->bytes);
    else
        memset(to, c->value, c->bytes);
}

static void check_sides(const copy *c, enum cudaMemcpyKind kind)
{
    const bool to = fake_on_device(c->to), from = fake_on_device(c->from);
    if (kind == cudaMemcpyDefault) return;
    const enum cudaMemcpyKind right = to ? from ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice
                                      : from ? cudaMemcpyDeviceToHost
                                             : cudaMemcpyHostToHost;
    if (kind != right) fake_misuse("a copy says it is of kind %d, it is %d", (int)kind, (int)right);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    const copy c = {to, from, bytes, 0};
    if (!to || !from) FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    check_sides(&c, kind);
    if ((!fake_on_device(to) || !fake_on_device(from)) && fake_capturing("memory of the host"))
        FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    FAKE_RETURN(fake_result(fake_queue(stream, do_copy, &c, sizeof c)));
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    const copy c = {to, NULL, bytes, value};
    if (!fake_at(to, bytes, "cudaMemsetAsync")) FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    FAKE_RETURN(fake_result(fake_queue(stream, do_copy, &c, sizeof c)));
}

/* Those that wait: behind all that was queued before, though streams of their own would not be
 * waited for. */
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    copy c = {to, from, bytes, 0};
    check_sides(&c, kind);
    fake_capturing("cudaMemcpy");
    if (!fake_broken()) do_copy(&c);
    FAKE_RETURN(fake_result(fake_broken()));
}

cudaError_t cudaMemset(void *to, int value, size_t bytes)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    copy c = {to, NULL, bytes, value};
    if (!fake_at(to, bytes, "cudaMemset")) FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    if (!fake_broken()) do_copy(&c);
    FAKE_RETURN(fake_result(fake_broken()));
}
