/*
 * Streams of the CUDA module on the pretended CUDA: the way in and out through pinned memory, what
 * is queued while the caller goes on, threads, and linear layers.
 */
#include "harness.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_rig.h"

static float *numbers(size_t count, float factor)
{
    float *const values = malloc(count * sizeof *values);
    CU_ASSERT_FATAL(values != NULL);
    for (size_t i = 0; i < count; i++) values[i] = factor * (float)((i * 7919) % 65537);
    return values;
}

static size_t count_of(s2clr_shape s)
{
    return (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* ---- in and out ---- */

/* Up, with the caller's array spoilt as soon as upload() returns, and down. */
static void there_and_back(s2clr_device *device, s2clr_stream *stream, s2clr_shape shape)
{
    const s2clr_backend *const be = s2clr_backend_module();
    const size_t count = count_of(shape);
    float *const wanted = numbers(count, 0.5f), *const sent = numbers(count, 0.5f);
    size_t bytes;
    void *native;
    TEST_OK(be->tensor_bytes(device, shape, &bytes));
    TEST_OK(be->buffer_new(device, bytes, &native));
    TEST_OK(be->upload(stream, shape, sent, native));
    for (size_t i = 0; i < count; i++) sent[i] = NAN;
    TEST_OK(be->download(stream, shape, native, sent));
    CU_ASSERT_EQUAL(memcmp(sent, wanted, count * sizeof *sent), 0);
    be->buffer_free(device, native);
    free(sent);
    free(wanted);
}

/* Pinned memory is four slots of 2 MB: less than one, exactly one, some more, and the whole ring
 * more than once. */
static void tensors_of_any_size_go_there_and_back(void)
{
    static const s2clr_shape shapes[] = {{1, 1, 1, 1},      {2, 3, 5, 7},      {1, 1, 1024, 512},
                                         {1, 1, 1025, 512}, {3, 9, 400, 300},  {1, 2, 1024, 512},
                                         {1, 13, 3, 3},     {5, 1, 1024, 512}, {1, 1, 1, 2}};
    const s2clr_backend *const be = s2clr_backend_module();
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    s2clr_stream *stream;
    TEST_OK(be->stream_new(device, 0, &stream));
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        there_and_back(device, stream, shapes[i]);
    be->stream_free(stream);
    be->device_close(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static void buffers_come_zeroed(void)
{
    const s2clr_backend *const be = s2clr_backend_module();
    const s2clr_shape shape = {2, 11, 9, 5};
    float *const got = numbers(count_of(shape), 1);
    s2clr_device *const device = cuda_open("", "", S2CLR_BF16);
    s2clr_stream *stream;
    size_t bytes;
    void *native;
    TEST_OK(be->stream_new(device, 0, &stream));
    TEST_OK(be->tensor_bytes(device, shape, &bytes));
    TEST_OK(be->buffer_new(device, bytes, &native));
    TEST_OK(be->download(stream, shape, native, got));
    for (size_t i = 0; i < count_of(shape); i++) CU_ASSERT_EQUAL(got[i], 0);
    be->buffer_free(device, native);
    be->stream_free(stream);
    be->device_close(device);
    free(got);
}

/* Channels are filled up to 8, planes and bytes are those of the precision. */
static void tensors_are_filled_up(void)
{
    static const struct {
        s2clr_shape shape;
        size_t values;
    } rows[] = {
        {{1, 1, 1, 1}, 8},        {{2, 8, 3, 5}, 240},     {{2, 9, 3, 5}, 480},
        {{4, 3, 64, 64}, 131072}, {{1, 24, 16, 16}, 6144},
    };
    for (int p = 0; p < S2CLR_PRECISIONS; p++) {
        s2clr_device *const device = cuda_open("", "", (s2clr_precision)p);
        const size_t element = p == S2CLR_F32 || p == S2CLR_TF32 ? 4 : 2;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            size_t bytes = 0;
            TEST_OK(s2clr_backend_module()->tensor_bytes(device, rows[i].shape, &bytes));
            CU_ASSERT_EQUAL(bytes % 256, 0);
            CU_ASSERT(bytes >= rows[i].values * element);
            CU_ASSERT(bytes < rows[i].values * element + 256);
        }
        s2clr_backend_module()->device_close(device);
    }
}

static void absurd_shapes_are_refused(void)
{
    static const s2clr_shape shapes[] = {
        {0, 3, 4, 4}, {1, -1, 4, 4}, {1, 1, 0, 4}, {2147483647, 2147483647, 46340, 46340}};
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        size_t bytes = 77;
        CU_ASSERT_NOT_EQUAL(s2clr_backend_module()->tensor_bytes(device, shapes[i], &bytes),
                            S2CLR_OK);
        CU_ASSERT_EQUAL(bytes, 77);
    }
    s2clr_backend_module()->device_close(device);
}

/* ---- streams ---- */

static void scratch_that_is_too_small_is_refused(void)
{
    const s2clr_backend *const be = s2clr_backend_module();
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    s2clr_op_desc d = {.kind = S2CLR_OP_AFFINE, .x = {2, 5, 3, 3}};
    static const float ones[5] = {1, 1, 1, 1, 1};
    s2clr_stream *stream;
    s2clr_op *op;
    void *x;
    TEST_OK(op_complete(&d, 0));
    TEST_OK(be->op_new(device, &d, &op));
    TEST_OK(be->buffer_new(device, 4096, &x));
    TEST_OK(be->stream_new(device, be->op_scratch_bytes(op) - 1, &stream));
    const s2clr_op_args args = {.x = x, .y = x, .scale = ones, .shift = ones};
    CU_ASSERT_EQUAL(be->op_forward(op, stream, &args), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("affine op: the stream was made with");
    be->stream_free(stream);
    be->buffer_free(device, x);
    be->op_free(op);
    be->device_close(device);
}

enum { THREADS = 4, ROUNDS = 8 };

typedef struct worker {
    s2clr_device *device;
    pthread_t thread;
    float factor;
    int wrong;
} worker;

/* What adds a tensor to itself, over and over. */
static void *add_up(void *argument)
{
    worker *const w = argument;
    const s2clr_backend *const be = s2clr_backend_module();
    const s2clr_shape shape = {2, 10, 33, 31};
    const size_t count = count_of(shape);
    float *const values = numbers(count, w->factor), *const got = numbers(count, 0);
    s2clr_stream *stream = NULL;
    size_t bytes;
    void *x = NULL, *sum = NULL;
    w->wrong = be->tensor_bytes(w->device, shape, &bytes) != S2CLR_OK ||
               be->buffer_new(w->device, bytes, &x) != S2CLR_OK ||
               be->buffer_new(w->device, bytes, &sum) != S2CLR_OK ||
               be->stream_new(w->device, 0, &stream) != S2CLR_OK ||
               be->upload(stream, shape, values, x) != S2CLR_OK;
    for (int i = 0; i < ROUNDS && !w->wrong; i++)
        w->wrong = be->accumulate(stream, shape, x, sum) != S2CLR_OK;
    if (!w->wrong) w->wrong = be->download(stream, shape, sum, got) != S2CLR_OK;
    for (size_t i = 0; i < count && !w->wrong; i++) w->wrong = got[i] != ROUNDS * values[i];
    be->stream_free(stream);
    be->buffer_free(w->device, sum);
    be->buffer_free(w->device, x);
    free(got);
    free(values);
    return NULL;
}

static void threads_share_a_device(void)
{
    worker workers[THREADS];
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.device = device, .factor = 0.25f * (float)(i + 1)};
        CU_ASSERT_FATAL(pthread_create(&workers[i].thread, NULL, add_up, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CU_ASSERT_EQUAL(workers[i].wrong, 0);
    }
    s2clr_backend_module()->device_close(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

/* A thread begins at device 0, whatever device it is given. */
static void *take_memory(void *argument)
{
    worker *const w = argument;
    void *buffer;
    w->wrong = s2clr_backend_module()->buffer_new(w->device, 1 << 20, &buffer) != S2CLR_OK ||
               fake_memory_free(1) + (1 << 20) > fake_memory_free(0);
    if (!w->wrong) s2clr_backend_module()->buffer_free(w->device, buffer);
    return NULL;
}

static void every_thread_finds_the_device(void)
{
    s2clr_device *const device = cuda_open("devices=2", "cuda:1", S2CLR_F32);
    worker w = {.device = device};
    CU_ASSERT_FATAL(pthread_create(&w.thread, NULL, take_memory, &w) == 0);
    pthread_join(w.thread, NULL);
    CU_ASSERT_EQUAL(w.wrong, 0);
    CU_ASSERT_EQUAL(fake_memory_free(0), fake_memory_free(1));
    s2clr_backend_module()->device_close(device);
}

/* ---- linear layers ---- */

static s2clr_op_desc linear(int n, int in, int out)
{
    s2clr_op_desc d = {.kind = S2CLR_OP_CONV,
                       .x = {n, in, 1, 1},
                       .window = s2clr_window_square(1, 1, 0),
                       .groups = 1,
                       .bias = true};
    TEST_OK(op_complete(&d, out));
    return d;
}

static void linear_layers_go_to_cublaslt(void)
{
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    const s2clr_op_desc d = linear(5, 20, 3);
    s2clr_op_desc training = d, wider = d;
    training.training = true;
    wider.x.h = wider.y.h = 2;
    CU_ASSERT_STRING_EQUAL(cuda_kernel_of(device, &d), "cublaslt_f32");
    CU_ASSERT_PTR_NULL(strstr(cuda_kernel_of(device, &wider), "cublaslt"));
    cuda_check(device, &d);
    cuda_check(device, &training);
    s2clr_backend_module()->device_close(device);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static void what_cublaslt_refuses_is_a_convolution(void)
{
    s2clr_device *const device = cuda_open("noengine=product", "", S2CLR_BF16);
    s2clr_op_desc d = linear(5, 20, 3);
    CU_ASSERT_PTR_NULL(strstr(cuda_kernel_of(device, &d), "cublaslt"));
    cuda_check(device, &d);
    d.training = true;
    cuda_check(device, &d);
    s2clr_backend_module()->device_close(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static const test_case cases[] = {
    {"tensors_of_any_size_go_there_and_back", tensors_of_any_size_go_there_and_back},
    {"buffers_come_zeroed", buffers_come_zeroed},
    {"tensors_are_filled_up", tensors_are_filled_up},
    {"absurd_shapes_are_refused", absurd_shapes_are_refused},
    {"scratch_that_is_too_small_is_refused", scratch_that_is_too_small_is_refused},
    {"threads_share_a_device", threads_share_a_device},
    {"every_thread_finds_the_device", every_thread_finds_the_device},
    {"linear_layers_go_to_cublaslt", linear_layers_go_to_cublaslt},
    {"what_cublaslt_refuses_is_a_convolution", what_cublaslt_refuses_is_a_convolution},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_streams", cases, argc, argv);
}
