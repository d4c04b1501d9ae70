/*
 * The CUDA module as a guest in somebody else's process, on the pretended CUDA: libraries that were
 * loaded before it, a process that forks, the thread's device, errors that others left, and how
 * much memory there is.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cuda_fake.h"
#include "cuda_rig.h"

/* ---- libraries ---- */

static void libraries_of_another_version_are_refused(void)
{
    static const struct {
        const char *words, *says; /* says: NULL when it opens */
    } rows[] = {
        {"cudnn=8902", "cuDNN 8.9 is in this process ("},
        {"cudnn=91800", "cuDNN 9.18 is in this process ("},
        {"cudnn=100000", "cuDNN 10.0 is in this process ("},
        {"cudnn=92100", NULL},
        {"dnnrt=12080", "a cuDNN for CUDA 12.8 is in this process ("},
        {"dnnrt=13020", NULL},
        {"blas=120900", "cuBLASLt 12.9 is in this process ("},
        {"cudart=12080", "CUDA 12.8 is in this process ("},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_device *device = NULL;
        setenv("FAKE_CUDA", rows[i].words, 1);
        fake_recount();
        s2clr_error_clear();
        const s2clr_status status = s2clr_backend_module()->device_open("", S2CLR_F32, &device);
        CU_ASSERT_EQUAL(status, rows[i].says ? S2CLR_ERR_UNSUPPORTED : S2CLR_OK);
        if (rows[i].says) {
            TEST_ERROR_SAYS(rows[i].says);
            TEST_ERROR_SAYS("test_cuda_host"); /* the file that it is in */
            CU_ASSERT_PTR_NULL(strchr(s2clr_error_text(), '\n'));
        }
        s2clr_backend_module()->device_close(device);
        CU_ASSERT_EQUAL(fake_object_count(), 0);
    }
}

/* ---- forks ---- */

static long calls_so_far(void)
{
    long sum = 0, calls;
    for (size_t i = 0; fake_entry(i, &calls); i++) sum += calls;
    return sum;
}

/* Everything that a thread of the parent may hold is refused or left alone, without a call of CUDA:
 * that might wait for ever. The exit status names what was not. */
static int in_child(s2clr_device *device, s2clr_stream *stream, s2clr_op *op, void *buffer)
{
    static const float value;
    const s2clr_backend *const be = s2clr_backend_module();
    const long before = calls_so_far();
    s2clr_device *another;
    s2clr_stream *new_stream;
    void *new_buffer;
    size_t left, all;
    const s2clr_shape one = {1, 1, 1, 1};
    const s2clr_op_args args = {.x = buffer, .y = buffer, .scale = &value, .shift = &value};
    const s2clr_status statuses[] = {
        be->device_open("", S2CLR_F32, &another), be->stream_wait(stream),
        be->stream_new(device, 0, &new_stream),   be->buffer_new(device, 16, &new_buffer),
        be->upload(stream, one, &value, buffer),  be->op_forward(op, stream, &args),
        be->memory(device, &left, &all),
    };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i] != S2CLR_ERR_UNSUPPORTED) return 10 + (int)i;
    if (!strstr(s2clr_error_text(), "this process was forked")) return 2;
    be->op_free(op);
    be->buffer_free(device, buffer);
    be->stream_free(stream);
    be->device_close(device);
    return calls_so_far() == before ? 0 : 3;
}

static void a_forked_child_is_told(void)
{
    const s2clr_backend *const be = s2clr_backend_module();
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    s2clr_op_desc d = {.kind = S2CLR_OP_AFFINE, .x = {1, 1, 1, 1}};
    s2clr_stream *stream;
    s2clr_op *op;
    void *buffer;
    int status = -1;
    TEST_OK(op_complete(&d, 0));
    TEST_OK(be->op_new(device, &d, &op));
    TEST_OK(be->stream_new(device, be->op_scratch_bytes(op), &stream));
    TEST_OK(be->buffer_new(device, 256, &buffer));
    /* As another thread may have it at that moment. */
    pthread_mutex_lock(&device->planner_lock);
    const pid_t child = test_fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        alarm(20);
        _exit(in_child(device, stream, op, buffer));
    }
    pthread_mutex_unlock(&device->planner_lock);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
    TEST_OK(be->stream_wait(stream));
    be->op_free(op);
    be->buffer_free(device, buffer);
    be->stream_free(stream);
    be->device_close(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* Asking for a device that is not there has used CUDA, too. */
static void a_child_of_one_that_asked_is_told(void)
{
    const s2clr_backend *const be = s2clr_backend_module();
    s2clr_device *device;
    int status = -1;
    setenv("FAKE_CUDA", "", 1);
    CU_ASSERT_EQUAL(be->device_open("cuda:9", S2CLR_F32, &device), S2CLR_ERR_ARGUMENT);
    const pid_t child = test_fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        alarm(20);
        if (be->device_open("", S2CLR_F32, &device) != S2CLR_ERR_UNSUPPORTED) _exit(1);
        _exit(strstr(s2clr_error_text(), "this process was forked") ? 0 : 2);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

/* ---- the thread ---- */

/* A failure of the host's own, which it has not asked for yet, is still there behind calls of ours
 * that go well, and does not make them fail. */
static void an_error_of_the_host_stays_its_own(void)
{
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    const s2clr_op_desc d = cuda_usual_training();
    CU_ASSERT_EQUAL(cudaSetDevice(7), cudaErrorInvalidDevice);
    cuda_check(device, &d);
    CU_ASSERT_EQUAL(cudaGetLastError(), cudaErrorInvalidDevice);
    CU_ASSERT_EQUAL(cudaGetLastError(), cudaSuccess);
    s2clr_backend_module()->device_close(device);
}

static void the_thread_keeps_its_device(void)
{
    static const char *const specs[] = {"cuda:0", "cuda:1", "cuda:2"};
    const s2clr_op_desc d = cuda_usual_training();
    int now = -1;
    for (int i = 0; i < 3; i++) {
        s2clr_device *const device = cuda_open("devices=3", specs[i], S2CLR_BF16);
        CU_ASSERT_EQUAL(cudaSetDevice(1), cudaSuccess);
        cuda_check(device, &d);
        CU_ASSERT_EQUAL(cudaGetDevice(&now), cudaSuccess);
        CU_ASSERT_EQUAL(now, 1);
        s2clr_backend_module()->device_close(device);
        CU_ASSERT_EQUAL(cudaGetDevice(&now), cudaSuccess);
        CU_ASSERT_EQUAL(now, 1);
    }
    CU_ASSERT_EQUAL(cudaSetDevice(0), cudaSuccess);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

/* A fresh thread says that it has device 0. Going back there would start it. */
static void a_device_of_nobody_is_not_started(void)
{
    const s2clr_op_desc d = cuda_usual_training();
    const long before = fake_misuses();
    CU_ASSERT_EQUAL(cudaSetDevice(0), cudaSuccess);
    s2clr_device *const device = cuda_open("devices=3,only=2", "cuda:2", S2CLR_F32);
    cuda_check(device, &d);
    s2clr_backend_module()->device_close(device);
    CU_ASSERT_EQUAL(fake_misuses(), before);
    setenv("FAKE_CUDA", "devices=3", 1);
    CU_ASSERT_EQUAL(cudaSetDevice(0), cudaSuccess);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* ---- faults ---- */

/* cuDNN may be the first to notice: what it was is told from then on, whoever asks. */
static void a_fault_that_a_library_finds_is_kept(void)
{
    static const char *const words[] = {"breaks,fail=cudnnBackendExecute:1",
                                        "breaks,fail=cublasLtMatmul:1"};
    const s2clr_backend *const be = s2clr_backend_module();
    for (int i = 0; i < 2; i++) {
        s2clr_device *const device = cuda_open(words[i], "", S2CLR_F32);
        s2clr_op_desc d = cuda_usual();
        op_rig rig;
        op_data data;
        void *buffer = NULL;
        if (i == 1) {
            d = cuda_conv_desc((s2clr_shape){3, 20, 1, 1}, 10, s2clr_window_square(1, 1, 0), 1);
            d.bias = true;
        }
        cuda_data(device, &d, &data);
        TEST_OK(op_rig_open(be, device, &d, &rig));
        CU_ASSERT_EQUAL(op_rig_run(&rig, &data), S2CLR_ERR_BACKEND);
        TEST_ERROR_SAYS(i ? "multiplying matrices failed" : "starting a convolution failed");
        TEST_ERROR_SAYS("an illegal memory access");
        s2clr_error_clear();
        CU_ASSERT_EQUAL(be->buffer_new(device, 256, &buffer), S2CLR_ERR_BACKEND);
        TEST_ERROR_SAYS(i ? "multiplying matrices failed" : "starting a convolution failed");
        op_rig_close(&rig);
        op_data_free(&data);
        fake_mend();
        be->device_close(device);
        CU_ASSERT_EQUAL(fake_object_count(), 0);
    }
}

/* ---- memory ---- */

static void memory_left_leaves_room_for_the_libraries(void)
{
    const s2clr_backend *const be = s2clr_backend_module();
    s2clr_device *const device = cuda_open("memory=640", "", S2CLR_F32);
    const size_t mib = (size_t)1 << 20;
    size_t left = 0, all = 0;
    void *buffer;
    TEST_OK(be->memory(device, &left, &all));
    CU_ASSERT_EQUAL(all, 640 * mib);
    CU_ASSERT_EQUAL(left, 620 * mib);
    TEST_OK(be->buffer_new(device, 600 * mib, &buffer));
    TEST_OK(be->memory(device, &left, &all));
    CU_ASSERT_EQUAL(left, 20 * mib);
    be->buffer_free(device, buffer);
    TEST_OK(be->buffer_new(device, 630 * mib, &buffer));
    TEST_OK(be->memory(device, &left, &all));
    CU_ASSERT_EQUAL(left, 0);
    be->buffer_free(device, buffer);
    be->device_close(device);
}

static const test_case cases[] = {
    /* first: nothing else has used CUDA */
    {"a_child_of_one_that_asked_is_told", a_child_of_one_that_asked_is_told},
    {"libraries_of_another_version_are_refused", libraries_of_another_version_are_refused},
    {"a_forked_child_is_told", a_forked_child_is_told},
    {"an_error_of_the_host_stays_its_own", an_error_of_the_host_stays_its_own},
    {"the_thread_keeps_its_device", the_thread_keeps_its_device},
    {"a_device_of_nobody_is_not_started", a_device_of_nobody_is_not_started},
    {"a_fault_that_a_library_finds_is_kept", a_fault_that_a_library_finds_is_kept},
    {"memory_left_leaves_room_for_the_libraries", memory_left_leaves_room_for_the_libraries},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_host", cases, argc, argv);
}
