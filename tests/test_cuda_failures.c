/*
 * Whatever call of a library fails, the CUDA module says so in one line, or does without and is
 * right; it leaves nothing behind and does not crash. Runs on the pretended CUDA (cuda_fake.h).
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/device_trial.h"
#include "cuda_fake.h"
#include "cuda_rig.h"

enum { OPS = 7, ENTRIES_MAX = 128, ENTRY_MAX = 64 };

/* One of each kind, with all that it can have. */
static void fill_ops(s2clr_op_desc d[OPS])
{
    const s2clr_shape x = {2, 11, 6, 5};
    const s2clr_window all = s2clr_window_square(1, 1, 0);
    d[0] = cuda_usual();
    d[1] = cuda_usual_training();
    d[2] = cuda_conv_desc((s2clr_shape){3, 20, 1, 1}, 10, all, 1);
    d[2].bias = d[2].training = true;
    d[3] = (s2clr_op_desc){S2CLR_OP_AFFINE, x, x, .relu = true, .training = true};
    d[4] = (s2clr_op_desc){S2CLR_OP_MAXPOOL, x, .window = s2clr_window_square(3, 2, 1),
                           .training = true};
    d[5] = (s2clr_op_desc){S2CLR_OP_CONCAT, x, .residual = true, .training = true};
    d[6] = cuda_conv_desc((s2clr_shape){2, 12, 6, 5}, 20, s2clr_window_square(3, 1, 1), 2);
    d[6].training = true;
    TEST_OK(op_complete(&d[4], 0));
    TEST_OK(op_complete(&d[5], 20));
}

/* The ops on a device of its own. What was computed is right, whatever fails. */
static s2clr_status compute(s2clr_precision precision, const s2clr_op_desc *d, size_t count)
{
    s2clr_device *device;
    S2CLR_TRY(s2clr_backend_module()->device_open("", precision, &device));
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; i < count && status == S2CLR_OK; i++) {
        op_rig rig;
        op_data got, wanted;
        cuda_data(device, &d[i], &got);
        cuda_data(device, &d[i], &wanted);
        status = op_rig_open(s2clr_backend_module(), device, &d[i], &rig);
        if (status == S2CLR_OK) status = op_rig_run(&rig, &got);
        if (status == S2CLR_OK) {
            op_run_portable(&d[i], &wanted);
            cuda_compare(device, &d[i], &got, &wanted);
        }
        op_rig_close(&rig);
        op_data_free(&got);
        op_data_free(&wanted);
    }
    s2clr_backend_module()->device_close(device);
    return status;
}

static void fail_test(const char *words, const char *what)
{
    char text[1400];
    snprintf(text, sizeof text, "%s: %s: '%s'", words, what, s2clr_error_text());
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static void check_failure(const char *words, s2clr_precision precision, const s2clr_op_desc *d,
                          size_t count)
{
    const long before = fake_misuses();
    int device = -1;
    setenv("FAKE_CUDA", "devices=2", 1);
    fake_recount();
    CU_ASSERT_EQUAL(cudaSetDevice(1), cudaSuccess);
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
    s2clr_error_clear();
    const s2clr_status status = compute(precision, d, count);
    const char *const text = s2clr_error_text();
    if (status != S2CLR_OK && strncmp(text, "cuda", 4) != 0 && !strstr(text, "driver"))
        fail_test(words, "names neither device nor driver");
    if (status != S2CLR_OK && strlen(text) < 20) fail_test(words, "says too little");
    if (strchr(text, '\n')) fail_test(words, "is more than a line");
    if (fake_misuses() != before) fail_test(words, "was misused");
    if (fake_object_count() != 0) fail_test(words, "something was left behind");
    const bool broken = fake_broken() != cudaSuccess;
    if (!broken && cudaPeekAtLastError() != cudaSuccess)
        fail_test(words, "left an error to the next who asks CUDA");
    fake_mend();
    if (!broken && !strstr(words, "cudaSetDevice") &&
        (cudaGetDevice(&device) != cudaSuccess || device != 1))
        fail_test(words, "did not give the thread its device back");
}

/* A few of the calls of each entry point: the first ones, one in the middle, the last. */
static void check_entries(s2clr_precision precision, const s2clr_op_desc *d, size_t count)
{
    static char names[ENTRIES_MAX][ENTRY_MAX];
    long calls[ENTRIES_MAX];
    size_t entries = 0;
    setenv("FAKE_CUDA", "devices=2", 1);
    fake_recount();
    CU_ASSERT_EQUAL(cudaSetDevice(1), cudaSuccess);
    TEST_OK(compute(precision, d, count));
    for (const char *name; (name = fake_entry(entries, &calls[entries])); entries++)
        snprintf(names[entries], ENTRY_MAX, "%s", name);
    CU_ASSERT(entries > 20);
    for (size_t e = 0; e < entries; e++) {
        const long which[] = {1, 2, 3, calls[e] / 2, calls[e]};
        long last = 0;
        for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
            char words[128];
            if (which[i] <= last || which[i] > calls[e]) continue;
            last = which[i];
            snprintf(words, sizeof words, "devices=2,fail=%s:%ld", names[e], last);
            check_failure(words, precision, d, count);
        }
    }
}

static void every_call_may_fail(void)
{
    s2clr_op_desc d[OPS];
    fill_ops(d);
    check_entries(S2CLR_F32, d, OPS);
    check_entries(S2CLR_BF16, d, 3);
}

/* From the first error of the device on, every call says the same. */
static void a_broken_device_says_why_again_and_again(void)
{
    const s2clr_backend *const be = s2clr_backend_module();
    s2clr_device *const device = cuda_open("fail=cudaStreamSynchronize:2", "", S2CLR_F32);
    s2clr_stream *stream = NULL;
    void *buffer = NULL;
    char first[600];
    TEST_OK(be->stream_new(device, 0, &stream));
    TEST_OK(be->buffer_new(device, 4096, &buffer)); /* waits once */
    CU_ASSERT_EQUAL(be->stream_wait(stream), S2CLR_ERR_BACKEND);
    TEST_ERROR_SAYS("cuda:0");
    TEST_ERROR_SAYS("illegal memory access");
    snprintf(first, sizeof first, "%s", s2clr_error_text());
    for (int i = 0; i < 3; i++) {
        s2clr_error_clear();
        CU_ASSERT_EQUAL(be->stream_wait(stream), S2CLR_ERR_BACKEND);
        CU_ASSERT_STRING_EQUAL(s2clr_error_text(), first);
    }
    be->buffer_free(device, buffer);
    be->stream_free(stream);
    be->device_close(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

static void no_room_is_told_with_numbers(void)
{
    const s2clr_backend *const be = s2clr_backend_module();
    s2clr_device *const device = cuda_open("memory=64", "", S2CLR_F32);
    void *small = NULL, *large = NULL;
    TEST_OK(be->buffer_new(device, 40u << 20, &small));
    s2clr_error_clear();
    CU_ASSERT_EQUAL(be->buffer_new(device, 30u << 20, &large), S2CLR_ERR_MEMORY);
    TEST_ERROR_SAYS("cuda:0: no room for 0.0315 GB");
    TEST_ERROR_SAYS("0.0252 of 0.0671 GB are free");
    TEST_ERROR_SAYS("compute less at once, or compute on the CPU");
    CU_ASSERT_PTR_NULL(strstr(s2clr_error_text(), "--")); /* options are of a command */
    CU_ASSERT_PTR_NULL(large);
    be->buffer_free(device, small);
    TEST_OK(be->buffer_new(device, 60u << 20, &large));
    be->buffer_free(device, large);
    be->device_close(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* Passed or not, the trial of device_trial.h frees all that it took. */
static void a_trial_leaves_nothing(void)
{
    static const struct {
        const char *words, *says;
        int precisions; /* in so many of them */
    } rows[] = {
        {"", "", S2CLR_PRECISIONS},
        {"noengine=all", "", S2CLR_PRECISIONS},
        {"noready,nonvrtc", "", S2CLR_PRECISIONS},
        {"wrong", "computes wrongly: conv op, (2, 11, 9, 13) to (2, 21, 9, 13)", S2CLR_PRECISIONS},
        {"fail=cudaMalloc:9", "cuda:0", 1},
        {"fail=cudaMemcpyAsync:7", "cuda:0", 1},
        {"fail=cudaStreamSynchronize:3", "cuda:0", 1},
        {"fail=s2clr_cuda_launch_affine", "cuda:0", 1},
    };
    const s2clr_backend *const be = s2clr_backend_module();
    const long before = fake_misuses();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int p = 0; p < rows[i].precisions; p++) {
            s2clr_device *const device = cuda_open(rows[i].words, "", (s2clr_precision)p);
            s2clr_error_clear();
            const s2clr_status status = s2clr_device_trial(be, device);
            if ((status == S2CLR_OK) != !rows[i].says[0] ||
                !strstr(s2clr_error_text(), rows[i].says))
                fail_test(rows[i].words, "the trial came to something else");
            be->device_close(device);
            if (fake_object_count() != 0) fail_test(rows[i].words, "the trial left something");
        }
    CU_ASSERT_EQUAL(fake_misuses(), before);
}

static const test_case cases[] = {
    {"a_trial_leaves_nothing", a_trial_leaves_nothing},
    {"every_call_may_fail", every_call_may_fail},
    {"a_broken_device_says_why_again_and_again", a_broken_device_says_why_again_and_again},
    {"no_room_is_told_with_numbers", no_room_is_told_with_numbers},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_failures", cases, argc, argv);
}
