/*
 * Devices of the CUDA module on the pretended CUDA: which one opens, in which precision, and every
 * kind of op in all of them against the portable backend; two devices side by side.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_rig.h"

static void refuses(const char *words, const char *spec, s2clr_precision precision,
                    const char *says)
{
    s2clr_device *device = NULL;
    setenv("FAKE_CUDA", words, 1);
    fake_recount();
    s2clr_error_clear();
    CU_ASSERT_NOT_EQUAL(s2clr_backend_module()->device_open(spec, precision, &device), S2CLR_OK);
    TEST_ERROR_SAYS(says);
    CU_ASSERT_PTR_NULL(strchr(s2clr_error_text(), '\n'));
    CU_ASSERT_PTR_NULL(device);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

static void what_cannot_open_says_why(void)
{
    refuses("driver=0", "", S2CLR_F32, "driver");
    refuses("devices=0", "", S2CLR_F32, "no CUDA-capable device");
    refuses("devices=2", "cuda:2", S2CLR_F32, "cuda:2");
    refuses("", "cuda:x", S2CLR_F32, "cuda:x");
    refuses("", "cuda:0,quick", S2CLR_F32, "quick");
    refuses("", "cpu", S2CLR_F32, "cpu");
    refuses("sm=61", "", S2CLR_F32, "6.1");
    refuses("sm=75", "", S2CLR_BF16, "8.0");
    refuses("sm=75", "", S2CLR_TF32, "8.0");
}

static void what_opens_says_what_it_is(void)
{
    static const struct {
        const char *words, *spec;
        s2clr_precision precision;
        const char *says;
    } rows[] = {
        {"", "", S2CLR_F32, "Pretended 0"},
        {"", "cuda", S2CLR_TF32, "tf32"},
        {"devices=2", "cuda:1", S2CLR_BF16, "Pretended 1"},
        {"", "cuda:0", S2CLR_BF16, "bf16"},
        {"sm=75", "", S2CLR_FP16, "fp16"},
        {"", "cuda:0,fast", S2CLR_F32, "fast"},
        {"", "cuda,fast", S2CLR_F32, "fast"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_device *const device = cuda_open(rows[i].words, rows[i].spec, rows[i].precision);
        const char *const text = s2clr_backend_module()->device_describe(device);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, rows[i].says));
        CU_ASSERT_EQUAL(s2clr_backend_module()->device_precision(device), rows[i].precision);
        s2clr_backend_module()->device_close(device);
    }
    CU_ASSERT_EQUAL(fake_object_count(), 0);
}

/* ---- every kind of op ---- */

static void for_kinds(s2clr_device *device, bool training)
{
    const s2clr_window square = s2clr_window_square(3, 2, 1), one = s2clr_window_square(1, 1, 0);
    const struct {
        s2clr_op_desc d;
        int channels;
    } rows[] = {
        {{S2CLR_OP_CONV, {2, 20, 9, 8}, .window = square, .groups = 1, .bias = true}, 33},
        {{S2CLR_OP_CONV, {2, 24, 6, 8}, .window = square, .groups = 24}, 24},
        {{S2CLR_OP_CONV, {3, 40, 1, 1}, .window = one, .groups = 1, .bias = true}, 10},
        {{S2CLR_OP_CONV, {300, 16, 1, 1}, .window = one, .groups = 1}, 3},
        {{S2CLR_OP_AFFINE, {3, 17, 5, 4}, .relu = true}, 0},
        {{S2CLR_OP_ADD, {2, 9, 5, 4}, .residual = true, .relu = true}, 0},
        {{S2CLR_OP_ADD, {2, 9, 5, 4}, .relu = true}, 0},
        {{S2CLR_OP_MAXPOOL, {2, 20, 9, 8}, .window = square}, 0},
        {{S2CLR_OP_AVGPOOL, {2, 20, 9, 8}, .window = square}, 0},
        {{S2CLR_OP_AVGPOOL, {2, 3, 9, 8}, .window = square, .count_pad = true}, 0},
        {{S2CLR_OP_MEANPOOL, {2, 3, 9, 8}, .groups = 0}, 0},
        {{S2CLR_OP_CONCAT, {2, 5, 4, 6}, .residual = true}, 17},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_op_desc d = rows[i].d;
        d.training = training;
        TEST_OK(op_complete(&d, rows[i].channels));
        cuda_check(device, &d);
        if (training || d.kind != S2CLR_OP_CONV) continue;
        d.relu = true;
        cuda_check(device, &d);
        d.residual = true;
        cuda_check(device, &d);
    }
}

static void every_kind_in_every_precision(void)
{
    for (int p = 0; p < S2CLR_PRECISIONS; p++) {
        s2clr_device *const device = cuda_open("", "", (s2clr_precision)p);
        for_kinds(device, false);
        if (p != S2CLR_FP16) for_kinds(device, true);
        s2clr_backend_module()->device_close(device);
    }
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static void fp16_does_not_train(void)
{
    s2clr_device *const device = cuda_open("", "", S2CLR_FP16);
    s2clr_op_desc d = cuda_usual_training();
    s2clr_op *op = NULL;
    CU_ASSERT_EQUAL(s2clr_backend_module()->op_new(device, &d, &op), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("fp16");
    CU_ASSERT_PTR_NULL(op);
    s2clr_backend_module()->device_close(device);
}

/* A stream of one device must not get work while the thread is at the other: the fake tells. */
static void two_devices_side_by_side(void)
{
    s2clr_device *const a = cuda_open("devices=2", "cuda:0", S2CLR_F32);
    s2clr_device *b = NULL;
    const s2clr_op_desc d = cuda_usual(), t = cuda_usual_training();
    TEST_OK(s2clr_backend_module()->device_open("cuda:1", S2CLR_BF16, &b));
    const size_t room[] = {fake_memory_free(0), fake_memory_free(1)};
    void *buffer = NULL;
    TEST_OK(s2clr_backend_module()->buffer_new(b, 4096, &buffer));
    CU_ASSERT_EQUAL(fake_memory_free(0), room[0]);
    CU_ASSERT_EQUAL(fake_memory_free(1), room[1] - 4096);
    s2clr_backend_module()->buffer_free(b, buffer);
    for (int i = 0; i < 2; i++) {
        cuda_check(a, &d);
        cuda_check(b, &d);
        cuda_check(b, &t);
        cuda_check(a, &t);
    }
    s2clr_backend_module()->device_close(a);
    cuda_check(b, &d);
    s2clr_backend_module()->device_close(b);
    CU_ASSERT_EQUAL(fake_object_count(), 0);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static const test_case cases[] = {
    {"what_cannot_open_says_why", what_cannot_open_says_why},
    {"what_opens_says_what_it_is", what_opens_says_what_it_is},
    {"every_kind_in_every_precision", every_kind_in_every_precision},
    {"fp16_does_not_train", fp16_does_not_train},
    {"two_devices_side_by_side", two_devices_side_by_side},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_devices", cases, argc, argv);
}
