/*
 * A convolution whose residual is the very buffer of its result, on every backend that loads here,
 * against the portable one with a buffer for each.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>

#include "op_compare.h"

typedef struct buffers {
    const op_rig *rig;
    s2clr_stream *stream;
    void *x, *y, *packed;
} buffers;

static s2clr_status make(buffers *b)
{
    const op_rig *const rig = b->rig;
    const s2clr_backend *const be = rig->backend;
    size_t x, y;
    S2CLR_TRY(be->stream_new(rig->device, be->op_scratch_bytes(rig->op), &b->stream));
    S2CLR_TRY(be->tensor_bytes(rig->device, rig->desc.x, &x));
    S2CLR_TRY(be->tensor_bytes(rig->device, rig->desc.y, &y));
    S2CLR_TRY(be->buffer_new(rig->device, x, &b->x));
    S2CLR_TRY(be->buffer_new(rig->device, y, &b->y));
    return be->buffer_new(rig->device, be->op_packed_bytes(rig->op), &b->packed);
}

static void unmake(buffers *b)
{
    const s2clr_backend *const be = b->rig->backend;
    if (b->x) be->buffer_free(b->rig->device, b->x);
    if (b->y) be->buffer_free(b->rig->device, b->y);
    if (b->packed) be->buffer_free(b->rig->device, b->packed);
    if (b->stream) be->stream_free(b->stream);
}

static s2clr_status run(const buffers *b, op_data *data)
{
    const op_rig *const rig = b->rig;
    const s2clr_backend *const be = rig->backend;
    const s2clr_op_args args = {.x = b->x, .residual = b->y, .y = b->y, .packed = b->packed};
    S2CLR_TRY(
        be->op_pack(rig->op, b->stream, data->value[OP_WEIGHT], data->value[OP_BIAS], b->packed));
    S2CLR_TRY(be->upload(b->stream, rig->desc.x, data->value[OP_X], b->x));
    S2CLR_TRY(be->upload(b->stream, rig->desc.y, data->value[OP_RESIDUAL], b->y));
    S2CLR_TRY(be->op_forward(rig->op, b->stream, &args));
    return be->download(b->stream, rig->desc.y, b->y, data->value[OP_Y]);
}

static void compare(const op_rig *rig, const op_data *wanted)
{
    buffers b = {.rig = rig};
    op_data got;
    char text[200];
    double apart = 0, size = 0;
    op_data_new(&rig->desc, 3, &got);
    s2clr_status status = make(&b);
    if (status == S2CLR_OK) status = run(&b, &got);
    if (status != S2CLR_OK) op_fail(rig->backend->name, &rig->desc, s2clr_error_text());
    for (size_t i = 0; i < got.count[OP_Y]; i++) {
        apart += pow((double)got.value[OP_Y][i] - (double)wanted->value[OP_Y][i], 2);
        size += pow((double)wanted->value[OP_Y][i], 2);
    }
    if (!(sqrt(apart) <= 1e-4 * sqrt(size))) {
        snprintf(text, sizeof text, "off by %.3g of its norm (%s)", sqrt(apart / size),
                 rig->backend->op_kernel(rig->op));
        op_fail(rig->backend->name, &rig->desc, text);
    }
    unmake(&b);
    op_data_free(&got);
}

static void check(s2clr_shape x, int channels, s2clr_window window, int groups, bool bias)
{
    op_data wanted;
    s2clr_op_desc d = {.kind = S2CLR_OP_CONV,
                       .x = x,
                       .window = window,
                       .groups = groups,
                       .bias = bias,
                       .residual = true};
    TEST_OK(op_complete(&d, channels));
    for (int relu = 0; relu <= 1; relu++) {
        d.relu = relu;
        op_data_new(&d, 3, &wanted);
        op_run_portable(&d, &wanted);
        op_everywhere(&d, compare, &wanted);
        op_data_free(&wanted);
    }
}

static void one_group(void)
{
    for (int bias = 0; bias <= 1; bias++) {
        check((s2clr_shape){2, 12, 9, 8}, 20, s2clr_window_square(3, 1, 1), 1, bias);
        check((s2clr_shape){4, 64, 15, 15}, 256, s2clr_window_square(1, 1, 0), 1, bias);
        check((s2clr_shape){3, 48, 12, 12}, 48, s2clr_window_square(3, 2, 1), 1, bias);
    }
    /* Few pixels, long sums: where libraries cut a sum into parts. */
    check((s2clr_shape){1, 512, 4, 4}, 512, s2clr_window_square(3, 1, 1), 1, true);
    check((s2clr_shape){1, 2048, 2, 2}, 512, s2clr_window_square(1, 1, 0), 1, true);
}

static void groups(void)
{
    check((s2clr_shape){2, 24, 9, 8}, 24, s2clr_window_square(3, 1, 1), 24, true);
    check((s2clr_shape){2, 20, 9, 8}, 20, s2clr_window_square(5, 1, 2), 20, true);
    check((s2clr_shape){2, 32, 9, 8}, 64, s2clr_window_square(3, 1, 1), 4, true);
}

static const test_case cases[] = {
    {"one_group", one_group},
    {"groups", groups},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("op_in_place", cases, argc, argv);
}
