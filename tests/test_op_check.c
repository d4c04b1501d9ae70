/*
 * Output shapes of the ops, and descriptions that every backend must refuse with the name of the op
 * and the value at fault.
 */
#include "harness.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"

static void output_shapes(void)
{
    static const struct {
        s2clr_op_kind kind;
        s2clr_shape x;
        int channels, kernel, stride, pad;
        s2clr_shape y;
    } rows[] = {
        {S2CLR_OP_CONV, {4, 12, 120, 120}, 64, 7, 2, 3, {4, 64, 60, 60}},
        {S2CLR_OP_MAXPOOL, {4, 64, 60, 60}, 0, 3, 2, 1, {4, 64, 30, 30}},
        {S2CLR_OP_CONV, {4, 64, 15, 15}, 128, 1, 2, 0, {4, 128, 8, 8}},
        {S2CLR_OP_CONV, {1, 3, 64, 50}, 48, 4, 4, 0, {1, 48, 16, 12}},
        {S2CLR_OP_CONV, {1, 8, 3, 9}, 2, 3, 1, 0, {1, 2, 1, 7}},
        {S2CLR_OP_CONV, {7, 8, 1, 1}, 2, 1, 1, 0, {7, 2, 1, 1}},
        {S2CLR_OP_MAXPOOL, {1, 5, 7, 6}, 0, 2, 2, 0, {1, 5, 3, 3}},
        {S2CLR_OP_MEANPOOL, {2, 5, 7, 6}, 0, 0, 0, 0, {2, 5, 1, 1}},
        {S2CLR_OP_AVGPOOL, {2, 5, 7, 6}, 0, 1, 1, 1, {2, 5, 9, 8}}, /* a frame of zeros */
        {S2CLR_OP_AFFINE, {2, 5, 7, 6}, 0, 0, 0, 0, {2, 5, 7, 6}},
        {S2CLR_OP_ADD, {2, 5, 7, 6}, 0, 0, 0, 0, {2, 5, 7, 6}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_shape y = {0};
        const s2clr_window window =
            s2clr_window_square(rows[i].kernel, rows[i].stride, rows[i].pad);
        TEST_OK(s2clr_op_output(rows[i].kind, rows[i].x, rows[i].channels, &window, &y));
        CU_ASSERT_EQUAL(y.n, rows[i].y.n);
        CU_ASSERT_EQUAL(y.c, rows[i].y.c);
        CU_ASSERT_EQUAL(y.h, rows[i].y.h);
        CU_ASSERT_EQUAL(y.w, rows[i].y.w);
    }
}

/* A conv that is fine: (2, 3, 8, 8) -> (2, 4, 8, 8), 3x3, pad 1. */
static s2clr_op_desc good_conv(void)
{
    return (s2clr_op_desc){.kind = S2CLR_OP_CONV,
                           .x = {2, 3, 8, 8},
                           .y = {2, 4, 8, 8},
                           .window = s2clr_window_square(3, 1, 1),
                           .groups = 1};
}

/* Every backend refuses with a text that says `op` and `value`. */
static void refused(s2clr_op_desc d, s2clr_status status, const char *op, const char *value)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    s2clr_error_clear();
    CU_ASSERT_EQUAL(s2clr_op_check(&d), status);
    TEST_ERROR_SAYS(op);
    TEST_ERROR_SAYS(value);
    for (size_t i = 0; i < count; i++) {
        const s2clr_backend *const be = entries[i].backend;
        s2clr_device *device;
        s2clr_op *made = NULL;
        if (!be || be->device_open("", S2CLR_F32, &device) != S2CLR_OK) continue;
        s2clr_error_clear();
        CU_ASSERT_EQUAL(be->op_new(device, &d, &made), status);
        CU_ASSERT_PTR_NULL(made);
        TEST_ERROR_SAYS(op);
        TEST_ERROR_SAYS(value);
        be->device_close(device);
    }
}

static void geometry_is_checked(void)
{
    const s2clr_op_desc good = good_conv();
    TEST_OK(s2clr_op_check(&good));
    s2clr_op_desc d = good;
    d.x.c = 0;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "(2, 0, 8, 8)");
    d = good, d.y.c = -4;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "-4");
    d = good, d.y.h = 7;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "(2, 4, 7, 8)");
    d = good, d.y.n = 3;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "(3, 4, 8, 8)");
    d = good, d.window.w = 11;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "kernel 11");
    d = good, d.window.bottom = 3;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "pad 3");
    d = good, d.window.left = -1;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "pad -1");
    d = good, d.window.stride = 0;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "stride 0");
    d = good, d.window = s2clr_window_square(INT_MAX, 1, INT_MAX - 1);
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "2147483647");
    d = good, d.window = s2clr_window_square(32767, 1, 32766), d.window.bottom = INT_MAX;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "pad 2147483647");
    d = good, d.kind = S2CLR_OP_MAXPOOL, d.y.c = 3, d.window.top = 2;
    refused(d, S2CLR_ERR_ARGUMENT, "maxpool op", "pad 2");
    d = good, d.kind = S2CLR_OP_AVGPOOL, d.y = (s2clr_shape){2, 3, 10, 10};
    d.window = s2clr_window_square(1, 1, 1), d.count_pad = true;
    TEST_OK(s2clr_op_check(&d));
    d.count_pad = false;
    refused(d, S2CLR_ERR_ARGUMENT, "avgpool op", "unless the padding counts");
    d.window = s2clr_window_square(1, 1, 2), d.count_pad = true;
    refused(d, S2CLR_ERR_ARGUMENT, "avgpool op", "pad 2");
    d = good, d.kind = (s2clr_op_kind)99;
    refused(d, S2CLR_ERR_ARGUMENT, "op kind", "99");
}

static void sizes_do_not_overflow(void)
{
    s2clr_op_desc d = good_conv();
    d.kind = S2CLR_OP_ADD;
    d.x = d.y = (s2clr_shape){INT_MAX, INT_MAX, 46340, 46340};
    CU_ASSERT_EQUAL(s2clr_op_check(&d), S2CLR_ERR_MEMORY);
    d.x = d.y = (s2clr_shape){1, 1, 50000, 50000};
    refused(d, S2CLR_ERR_ARGUMENT, "add op", "50000 x 50000");
    d = good_conv();
    d.window = s2clr_window_square(32767, 1, 16383);
    d.x = (s2clr_shape){1, INT_MAX, 1, 1};
    d.y = (s2clr_shape){1, INT_MAX, 1, 1};
    CU_ASSERT_EQUAL(s2clr_op_check(&d), S2CLR_ERR_MEMORY);
}

static void flags_that_make_no_sense_are_refused(void)
{
    s2clr_op_desc d = good_conv();
    d.training = true;
    TEST_OK(s2clr_op_check(&d));
    d.relu = true;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "no backward with relu");
    d.relu = false, d.residual = true;
    refused(d, S2CLR_ERR_ARGUMENT, "conv op", "no backward with residual");
    static const struct {
        s2clr_op_kind kind;
        bool bias, residual, relu;
        const char *op;
    } rows[] = {
        {S2CLR_OP_AFFINE, true, false, false, "affine op"},
        {S2CLR_OP_ADD, true, false, false, "add op"},
        {S2CLR_OP_AFFINE, false, true, false, "affine op"},
        {S2CLR_OP_MAXPOOL, false, true, false, "maxpool op"},
        {S2CLR_OP_MAXPOOL, false, false, true, "maxpool op"},
        {S2CLR_OP_MEANPOOL, false, false, true, "meanpool op"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        d = good_conv();
        d.kind = rows[i].kind;
        d.bias = rows[i].bias, d.residual = rows[i].residual, d.relu = rows[i].relu;
        TEST_OK(s2clr_op_output(d.kind, d.x, d.kind == S2CLR_OP_CONCAT ? 9 : 0, &d.window, &d.y));
        refused(d, S2CLR_ERR_ARGUMENT, rows[i].op,
                d.bias       ? "bias"
                : d.residual ? "residual"
                             : "activation");
    }
}

static void kinds_have_names(void)
{
    for (int i = 0; i < S2CLR_OP_KINDS; i++)
        CU_ASSERT_STRING_NOT_EQUAL(s2clr_op_kind_name((s2clr_op_kind)i), "unknown");
    CU_ASSERT_STRING_EQUAL(s2clr_op_kind_name(S2CLR_OP_MEANPOOL), "meanpool");
    CU_ASSERT_STRING_EQUAL(s2clr_op_kind_name((s2clr_op_kind)-1), "unknown");
}

/* The portable backend names what the caller forgot instead of reading NULL. */
static void missing_arguments_are_named(void)
{
    const s2clr_backend *be = NULL;
    s2clr_device *device = NULL;
    s2clr_stream *stream = NULL;
    s2clr_op *op = NULL;
    float x[2 * 4 * 8 * 8] = {0};
    double sums[8];
    const s2clr_op_desc d = good_conv();
    TEST_OK(s2clr_backend_find("portable", &be));
    TEST_OK(be->device_open("cpu", S2CLR_F32, &device));
    TEST_OK(be->op_new(device, &d, &op));
    TEST_OK(be->stream_new(device, be->op_scratch_bytes(op), &stream));
    CU_ASSERT_EQUAL(be->op_forward(op, stream, &(s2clr_op_args){.x = x, .y = x}),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("conv op: packed was not given");
    CU_ASSERT_EQUAL(be->op_backward(op, stream, &(s2clr_op_args){.dy = x, .dx = x}),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("conv op: was not made for training");
    CU_ASSERT_EQUAL(be->op_reduce(op, stream, &(s2clr_op_args){.x = x}, sums), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("only affine");
    be->stream_free(stream);
    be->op_free(op);
    be->device_close(device);
    CU_ASSERT_EQUAL(be->device_open("cuda:0", S2CLR_F32, &device), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("'cuda:0'");
}

static const test_case cases[] = {
    {"output_shapes", output_shapes},
    {"geometry_is_checked", geometry_is_checked},
    {"sizes_do_not_overflow", sizes_do_not_overflow},
    {"flags_that_make_no_sense_are_refused", flags_that_make_no_sense_are_refused},
    {"kinds_have_names", kinds_have_names},
    {"missing_arguments_are_named", missing_arguments_are_named},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("op_check", cases, argc, argv);
}
