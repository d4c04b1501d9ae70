/*
 * The pretended CUDA itself: what the tests of the CUDA module rely on. It does nothing before
 * somebody waits, and it tells every misuse that they count on being told.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <cudnn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/cuda_kernels.h"
#include "cuda_fake.h"

enum { COUNT = 64, BYTES = COUNT * sizeof(float) };

typedef struct bench {
    cudaStream_t stream;
    float *device;
    float host[COUNT];
} bench;

static bench bench_new(const char *words)
{
    bench b;
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
    CU_ASSERT_EQUAL(cudaSetDevice(0), cudaSuccess);
    CU_ASSERT_EQUAL(cudaStreamCreateWithFlags(&b.stream, cudaStreamNonBlocking), cudaSuccess);
    CU_ASSERT_EQUAL(cudaMalloc((void **)&b.device, BYTES), cudaSuccess);
    for (int i = 0; i < COUNT; i++) b.host[i] = (float)i;
    return b;
}

static void bench_free(bench *b)
{
    cudaFree(b->device);
    cudaStreamDestroy(b->stream);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

static cudaError_t up(bench *b)
{
    return cudaMemcpyAsync(b->device, b->host, BYTES, cudaMemcpyHostToDevice, b->stream);
}

static cudaError_t down(bench *b)
{
    return cudaMemcpyAsync(b->host, b->device, BYTES, cudaMemcpyDeviceToHost, b->stream);
}

/* y = y + y, on the first `count` values */
static int twice(bench *b, size_t count)
{
    return s2clr_cuda_launch_add(
        b->stream, (cuda_add_args){CUDA_FLOAT32, false, count, b->device, b->device, b->device});
}

static void was_told(long before)
{
    CU_ASSERT(fake_misuses() > before);
    fake_forgive(fake_misuses() - before);
}

static void work_waits_for_somebody(void)
{
    bench b = bench_new("");
    cudaEvent_t event;
    CU_ASSERT_EQUAL(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
    up(&b);
    CU_ASSERT_EQUAL(twice(&b, COUNT), 0);
    cudaEventRecord(event, b.stream);
    CU_ASSERT_EQUAL(twice(&b, COUNT), 0);
    down(&b);
    CU_ASSERT_EQUAL(b.host[3], 3);
    CU_ASSERT_EQUAL(cudaEventQuery(event), cudaErrorNotReady);
    b.host[3] = 5; /* the copy has not begun */
    CU_ASSERT_EQUAL(cudaEventSynchronize(event), cudaSuccess);
    CU_ASSERT_EQUAL(b.host[3], 5);
    CU_ASSERT_EQUAL(cudaStreamSynchronize(b.stream), cudaSuccess);
    CU_ASSERT_EQUAL(b.host[3], 20);
    CU_ASSERT_EQUAL(b.host[7], 28);
    cudaEventDestroy(event);
    bench_free(&b);
}

static void fresh_memory_holds_no_numbers(void)
{
    bench b = bench_new("");
    size_t numbers = 0;
    down(&b);
    cudaStreamSynchronize(b.stream);
    for (int i = 0; i < COUNT; i++) numbers += b.host[i] == b.host[i];
    CU_ASSERT_EQUAL(numbers, 0);
    bench_free(&b);
}

static void a_kernel_beyond_its_memory_breaks_the_device(void)
{
    const long before = fake_misuses();
    bench b = bench_new("");
    up(&b);
    CU_ASSERT_EQUAL(twice(&b, COUNT + CUDA_LANES), 0);
    CU_ASSERT_EQUAL(cudaStreamSynchronize(b.stream), cudaErrorIllegalAddress);
    CU_ASSERT_EQUAL(twice(&b, COUNT), cudaErrorIllegalAddress);
    was_told(before);
    bench_free(&b);
}

static void freed_memory_and_host_memory_are_no_places(void)
{
    const long before = fake_misuses();
    bench b = bench_new("");
    float *const freed = b.device;
    CU_ASSERT_EQUAL(cudaMalloc((void **)&b.device, BYTES), cudaSuccess);
    CU_ASSERT_EQUAL(cudaFree(freed), cudaSuccess);
    s2clr_cuda_launch_add(b.stream,
                          (cuda_add_args){CUDA_FLOAT32, false, COUNT, freed, NULL, b.device});
    CU_ASSERT_EQUAL(cudaStreamSynchronize(b.stream), cudaErrorIllegalAddress);
    was_told(before);
    fake_mend();
    _Alignas(16) float here[COUNT] = {0};
    s2clr_cuda_launch_add(b.stream,
                          (cuda_add_args){CUDA_FLOAT32, false, COUNT, here, NULL, b.device});
    CU_ASSERT_EQUAL(cudaStreamSynchronize(b.stream), cudaErrorIllegalAddress);
    was_told(before);
    fake_mend();
    bench_free(&b);
}

static void a_stream_wants_its_own_device(void)
{
    const long before = fake_misuses();
    bench b = bench_new("devices=2");
    CU_ASSERT_EQUAL(cudaSetDevice(2), cudaErrorInvalidDevice);
    CU_ASSERT_EQUAL(cudaSetDevice(1), cudaSuccess);
    CU_ASSERT_EQUAL(twice(&b, COUNT), cudaErrorInvalidResourceHandle);
    was_told(before);
    CU_ASSERT_EQUAL(cudaSetDevice(0), cudaSuccess);
    bench_free(&b);
}

/* While a stream is captured nothing runs, and what a device would not bear is told. */
static void captures_keep_what_is_queued(void)
{
    const long before = fake_misuses();
    bench b = bench_new("");
    cudaGraph_t graph = NULL;
    cudaGraphExec_t exec = NULL;
    up(&b);
    CU_ASSERT_EQUAL(cudaStreamBeginCapture(b.stream, cudaStreamCaptureModeThreadLocal),
                    cudaSuccess);
    CU_ASSERT_EQUAL(twice(&b, COUNT), 0);
    CU_ASSERT_EQUAL(cudaStreamEndCapture(b.stream, &graph), cudaSuccess);
    CU_ASSERT_EQUAL(cudaGraphInstantiateWithFlags(&exec, graph, 0), cudaSuccess);
    for (int i = 0; i < 3; i++) CU_ASSERT_EQUAL(cudaGraphLaunch(exec, b.stream), cudaSuccess);
    down(&b);
    CU_ASSERT_EQUAL(cudaStreamSynchronize(b.stream), cudaSuccess);
    CU_ASSERT_EQUAL(b.host[3], 24);
    CU_ASSERT_EQUAL(cudaGraphExecDestroy(exec), cudaSuccess);
    CU_ASSERT_EQUAL(cudaGraphDestroy(graph), cudaSuccess);
    CU_ASSERT_EQUAL(fake_misuses(), before);
    bench_free(&b);
}

static cudaError_t wait_for(bench *b)
{
    return cudaStreamSynchronize(b->stream);
}

static cudaError_t allocate(bench *b)
{
    void *memory;
    (void)b;
    return cudaMalloc(&memory, 256);
}

static void what_cannot_be_captured_is_told(void)
{
    static cudaError_t (*const acts[])(bench * b) = {wait_for, allocate, up, down};
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        const long before = fake_misuses();
        bench b = bench_new("");
        cudaGraph_t graph;
        CU_ASSERT_EQUAL(cudaStreamBeginCapture(b.stream, cudaStreamCaptureModeThreadLocal),
                        cudaSuccess);
        CU_ASSERT_EQUAL(acts[i](&b), cudaErrorStreamCaptureUnsupported);
        was_told(before);
        CU_ASSERT_EQUAL(cudaStreamEndCapture(b.stream, &graph), cudaErrorStreamCaptureInvalidated);
        CU_ASSERT_PTR_NULL(graph);
        CU_ASSERT_EQUAL(cudaStreamSynchronize(b.stream), cudaSuccess);
        bench_free(&b);
    }
}

static void descriptors_are_looked_at(void)
{
    const long before = fake_misuses();
    const int64_t number = 1;
    const float wrong = 1;
    cudnnBackendDescriptor_t tensor;
    CU_ASSERT_EQUAL(cudnnBackendCreateDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR, &tensor),
                    CUDNN_STATUS_SUCCESS);
    CU_ASSERT_NOT_EQUAL(
        cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_FLOAT, 1, &wrong),
        CUDNN_STATUS_SUCCESS);
    was_told(before);
    CU_ASSERT_NOT_EQUAL(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS,
                                                 CUDNN_TYPE_INT64, 1, &number),
                        CUDNN_STATUS_SUCCESS);
    was_told(before);
    CU_ASSERT_EQUAL(
        cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &number),
        CUDNN_STATUS_SUCCESS);
    CU_ASSERT_NOT_EQUAL(cudnnBackendFinalize(tensor), CUDNN_STATUS_SUCCESS);
    was_told(before);
    CU_ASSERT_EQUAL(cudnnBackendDestroyDescriptor(tensor), CUDNN_STATUS_SUCCESS);
    CU_ASSERT_NOT_EQUAL(cudnnBackendDestroyDescriptor(tensor), CUDNN_STATUS_SUCCESS);
    was_told(before);
}

/* ---- what a process ends with ---- */

static void follow_an_address(void)
{
    bench b = bench_new("");
    volatile const float *const at = b.device;
    exit(*at > 0);
}

static void leave_something(void)
{
    (void)bench_new("");
    exit(0);
}

static int end_of(void (*act)(void))
{
    int status = 0;
    const pid_t child = test_fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(2);
        act();
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    return status;
}

static void the_host_cannot_read_the_device(void)
{
    const int status = end_of(follow_an_address);
    /* A signal, or the exit of a sanitizer that caught it. */
    CU_ASSERT(WIFSIGNALED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 66));
}

static void what_is_left_behind_is_told(void)
{
    const int status = end_of(leave_something);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 66);
}

static const test_case cases[] = {
    {"work_waits_for_somebody", work_waits_for_somebody},
    {"fresh_memory_holds_no_numbers", fresh_memory_holds_no_numbers},
    {"a_kernel_beyond_its_memory_breaks_the_device", a_kernel_beyond_its_memory_breaks_the_device},
    {"freed_memory_and_host_memory_are_no_places", freed_memory_and_host_memory_are_no_places},
    {"a_stream_wants_its_own_device", a_stream_wants_its_own_device},
    {"captures_keep_what_is_queued", captures_keep_what_is_queued},
    {"what_cannot_be_captured_is_told", what_cannot_be_captured_is_told},
    {"descriptors_are_looked_at", descriptors_are_looked_at},
    {"the_host_cannot_read_the_device", the_host_cannot_read_the_device},
    {"what_is_left_behind_is_told", what_is_left_behind_is_told},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_pretended", cases, argc, argv);
}
