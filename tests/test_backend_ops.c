/*
 * Every op of every backend that loads here, against the portable one: square windows, no groups.
 * tests/test_branch_ops.c has the others.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_compare.h"

enum { BIAS = 1, RESIDUAL = 2, RELU = 4, TRAINING = 8 };

typedef struct row {
    s2clr_shape x;
    int channels, kernel, stride, pad, flags;
} row;

static s2clr_op_desc desc_of(s2clr_op_kind kind, const row *r)
{
    s2clr_op_desc d = {.kind = kind,
                       .x = r->x,
                       .window = s2clr_window_square(r->kernel, r->stride, r->pad),
                       .groups = 1,
                       .bias = r->flags & BIAS,
                       .residual = r->flags & RESIDUAL,
                       .relu = r->flags & RELU,
                       .training = r->flags & TRAINING};
    TEST_OK(op_complete(&d, r->channels));
    return d;
}

/* One row on every backend. */
static void check(s2clr_op_kind kind, const row *r)
{
    const s2clr_op_desc d = desc_of(kind, r);
    op_check_everywhere(&d);
}

static void check_rows(s2clr_op_kind kind, const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) check(kind, &rows[i]);
}
#define CHECK_ROWS(kind, rows) check_rows(kind, rows, sizeof(rows) / sizeof(rows)[0])

/* ---- the ops ---- */

static void conv_forward(void)
{
    static const row rows[] = {
        {{1, 1, 9, 7}, 1, 3, 1, 1, 0},
        {{3, 1, 8, 8}, 17, 5, 1, 2, BIAS},
        {{1, 3, 17, 13}, 48, 3, 1, 0, BIAS | RELU},
        {{4, 3, 16, 16}, 64, 4, 4, 0, BIAS | RELU},
        {{1, 12, 31, 29}, 64, 7, 2, 3, BIAS | RELU},
        {{4, 12, 15, 15}, 64, 7, 2, 3, BIAS},
        {{1, 12, 9, 9}, 12, 5, 2, 3, RELU},
        {{3, 17, 11, 6}, 12, 3, 2, 1, BIAS | RESIDUAL | RELU},
        {{1, 17, 7, 9}, 17, 3, 1, 2, RESIDUAL},
        {{1, 48, 10, 12}, 17, 4, 1, 3, BIAS},
        {{3, 48, 12, 12}, 48, 3, 1, 1, BIAS | RELU},
        {{1, 64, 30, 30}, 64, 3, 1, 1, BIAS | RELU},
        {{4, 64, 15, 15}, 64, 3, 1, 1, BIAS | RESIDUAL | RELU},
        {{4, 64, 4, 4}, 64, 3, 1, 1, BIAS | RESIDUAL},
        {{1, 64, 9, 9}, 48, 3, 1, 0, BIAS | RELU},
        {{3, 40, 13, 10}, 35, 3, 1, 0, BIAS | RELU},
        {{1, 64, 9, 14}, 100, 3, 1, 2, BIAS | RESIDUAL},
        {{4, 64, 33, 17}, 33, 3, 1, 1, RELU},
        {{4, 64, 15, 15}, 64, 1, 1, 0, BIAS | RESIDUAL | RELU},
        {{4, 64, 15, 15}, 128, 1, 2, 0, BIAS},
        {{1, 1, 5, 5}, 3, 1, 1, 0, RELU},
        {{3, 48, 6, 5}, 1, 1, 1, 0, BIAS},
        {{1, 64, 1, 1}, 1, 1, 1, 0, BIAS},
        {{4, 64, 1, 1}, 10, 1, 1, 0, BIAS},
        {{3, 17, 1, 1}, 3, 1, 1, 0, BIAS | RELU},
        {{1, 3, 8, 8}, 3, 7, 1, 3, 0},
        {{3, 3, 3, 3}, 16, 3, 1, 1, BIAS},
    };
    CHECK_ROWS(S2CLR_OP_CONV, rows);
}

static void conv_training(void)
{
    static const row rows[] = {
        {{1, 1, 7, 6}, 1, 3, 1, 1, TRAINING},
        {{3, 1, 9, 9}, 17, 4, 2, 1, TRAINING | BIAS},
        {{4, 3, 13, 12}, 48, 3, 1, 0, TRAINING},
        {{1, 3, 16, 16}, 64, 4, 4, 0, TRAINING | BIAS},
        {{4, 3, 15, 15}, 64, 7, 2, 3, TRAINING},
        {{1, 12, 21, 17}, 64, 7, 2, 3, TRAINING},
        {{4, 12, 9, 11}, 17, 5, 1, 2, TRAINING | BIAS},
        {{3, 17, 8, 7}, 12, 3, 2, 1, TRAINING | BIAS},
        {{1, 48, 9, 6}, 17, 3, 1, 0, TRAINING},
        {{3, 48, 8, 8}, 48, 3, 1, 1, TRAINING},
        {{4, 64, 15, 15}, 64, 3, 1, 1, TRAINING},
        {{3, 40, 11, 14}, 35, 3, 1, 1, TRAINING | BIAS},
        {{4, 33, 12, 9}, 64, 3, 1, 0, TRAINING},
        {{4, 48, 10, 9}, 48, 3, 1, 2, TRAINING | BIAS},
        {{4, 64, 8, 8}, 64, 3, 2, 1, TRAINING},
        {{4, 64, 8, 8}, 128, 1, 2, 0, TRAINING},
        {{4, 64, 8, 8}, 48, 1, 1, 0, TRAINING},
        {{1, 64, 4, 4}, 64, 3, 1, 1, TRAINING},
        {{4, 64, 1, 1}, 1, 1, 1, 0, TRAINING | BIAS},
        {{3, 48, 1, 1}, 10, 1, 1, 0, TRAINING | BIAS},
        {{1, 17, 1, 1}, 3, 1, 1, 0, TRAINING | BIAS},
        {{3, 17, 5, 4}, 1, 1, 1, 0, TRAINING | BIAS},
        {{1, 3, 7, 9}, 3, 5, 2, 3, TRAINING | BIAS},
    };
    CHECK_ROWS(S2CLR_OP_CONV, rows);
}

static void elementwise(void)
{
    static const s2clr_shape shapes[] = {{1, 1, 1, 1},   {3, 1, 5, 4},   {4, 3, 7, 9},
                                         {1, 12, 8, 8},  {3, 17, 5, 3},  {4, 48, 4, 4},
                                         {1, 64, 11, 7}, {4, 100, 1, 1}, {3, 17, 1, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int flags = 0; flags < 4; flags++) {
            const int bits = (flags & 1 ? RELU : 0) | (flags & 2 ? TRAINING : 0);
            check(S2CLR_OP_AFFINE, &(row){.x = shapes[i], .flags = bits});
            check(S2CLR_OP_ADD, &(row){.x = shapes[i], .flags = bits});
            check(S2CLR_OP_ADD, &(row){.x = shapes[i], .flags = bits | RESIDUAL});
        }
}

static void maxpool(void)
{
    static const s2clr_shape shapes[] = {{1, 1, 7, 6},  {3, 3, 9, 9},   {4, 12, 8, 5},
                                         {1, 17, 6, 7}, {3, 48, 10, 9}, {4, 64, 30, 30}};
    static const int windows[][3] = {{3, 2, 1}, {2, 2, 0}, {3, 1, 1}, {5, 2, 2},
                                     {4, 3, 0}, {1, 1, 0}, {1, 2, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (size_t j = 0; j < sizeof windows / sizeof windows[0]; j++)
            for (int flags = 0; flags <= TRAINING; flags += TRAINING)
                check(S2CLR_OP_MAXPOOL,
                      &(row){shapes[i], 0, windows[j][0], windows[j][1], windows[j][2], flags});
}

static void meanpool(void)
{
    static const row rows[] = {
        {{1, 1, 1, 1}, 0, 0, 0, 0, TRAINING},   {{3, 3, 7, 5}, 0, 0, 0, 0, TRAINING},
        {{4, 12, 3, 3}, 0, 0, 0, 0, 0},         {{1, 17, 15, 15}, 0, 0, 0, 0, TRAINING},
        {{3, 48, 4, 4}, 0, 0, 0, 0, TRAINING},  {{4, 64, 4, 4}, 0, 0, 0, 0, 0},
        {{4, 100, 8, 7}, 0, 0, 0, 0, TRAINING},
    };
    CHECK_ROWS(S2CLR_OP_MEANPOOL, rows);
}

/* ---- tensors ---- */

/* Up, added to itself, down again. */
static s2clr_status travel(const s2clr_backend *be, s2clr_device *device, s2clr_stream *stream,
                           s2clr_shape shape, const float *from, float *back, float *doubled)
{
    size_t bytes;
    void *a, *b;
    S2CLR_TRY(be->tensor_bytes(device, shape, &bytes));
    S2CLR_TRY(be->buffer_new(device, bytes, &a));
    S2CLR_TRY(be->buffer_new(device, bytes, &b));
    S2CLR_TRY(be->upload(stream, shape, from, a));
    S2CLR_TRY(be->upload(stream, shape, from, b));
    S2CLR_TRY(be->download(stream, shape, a, back));
    S2CLR_TRY(be->accumulate(stream, shape, a, b));
    S2CLR_TRY(be->download(stream, shape, b, doubled));
    be->buffer_free(device, a);
    be->buffer_free(device, b);
    return S2CLR_OK;
}

static void check_travel(const s2clr_backend *be, s2clr_shape shape)
{
    const s2clr_op_desc d = {.kind = S2CLR_OP_ADD, .x = shape, .y = shape, .residual = true};
    s2clr_device *device = NULL;
    s2clr_stream *stream = NULL;
    op_data data;
    op_data_new(&d, 1, &data);
    TEST_OK(be->device_open("", S2CLR_F32, &device));
    TEST_OK(be->stream_new(device, 0, &stream));
    const size_t count = data.count[OP_X];
    float *const from = data.value[OP_X], *const back = data.value[OP_Y];
    float *const doubled = data.value[OP_RESIDUAL];
    from[0] = INFINITY;
    from[count - 1] = -0x1p-140f; /* a denormal number */
    TEST_OK(travel(be, device, stream, shape, from, back, doubled));
    if (memcmp(from, back, count * sizeof *from) != 0) op_fail(be->name, &d, "came back changed");
    for (size_t i = 0; i < count; i++)
        if (doubled[i] != 2 * from[i]) {
            op_fail(be->name, &d, "accumulate is not the sum");
            break;
        }
    be->stream_free(stream);
    be->device_close(device);
    op_data_free(&data);
}

static void tensors_travel_unchanged(void)
{
    static const s2clr_shape shapes[] = {{1, 1, 1, 1},  {1, 3, 5, 7},  {4, 3, 8, 8}, {3, 12, 9, 4},
                                         {3, 17, 3, 5}, {4, 48, 1, 1}, {1, 64, 6, 6}};
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; entries[i].backend && j < sizeof shapes / sizeof shapes[0]; j++)
            check_travel(entries[i].backend, shapes[j]);
}

/* ---- values that are not numbers ---- */

/* A NaN in the first image and an infinity in the second, off the edges. */
static void poison(const s2clr_op_desc *d, op_data *data)
{
    const size_t image = data->count[OP_X] / (size_t)d->x.n;
    const size_t place = (size_t)(d->x.h / 2) * (size_t)d->x.w + (size_t)(d->x.w / 2);
    data->value[OP_X][place] = NAN;
    data->value[OP_X][image + place] = INFINITY;
}

/* Where the portable result is finite the backend's is the same, else it is no number either; relu
 * may swallow it. Winograd kernels spread it inside the image: there only the clean third image
 * must agree. */
static void compare_poisoned(const op_rig *rig, const op_data *got, const op_data *wanted)
{
    const size_t count = got->count[OP_Y], image = count / (size_t)rig->desc.y.n;
    const bool spreads = strstr(rig->backend->op_kernel(rig->op), "wino") != NULL;
    size_t wrong = 0;
    for (size_t i = spreads ? 2 * image : 0; i < count; i++) {
        const float a = got->value[OP_Y][i], b = wanted->value[OP_Y][i];
        if (isfinite(b))
            wrong += !(fabsf(a - b) <= (spreads ? 1e-3f : 1e-4f) * fmaxf(1, fabsf(b)));
        else
            wrong += !rig->desc.relu && isfinite(a);
    }
    if (wrong) op_fail(rig->backend->name, &rig->desc, "a NaN or infinity spread or vanished");
}

static void run_poisoned(const op_rig *rig, const op_data *wanted)
{
    op_data got;
    op_data_new(&rig->desc, 4, &got);
    poison(&rig->desc, &got);
    TEST_OK(op_rig_run(rig, &got));
    compare_poisoned(rig, &got, wanted);
    op_data_free(&got);
}

static void check_poisoned(s2clr_op_kind kind, const row *r)
{
    const s2clr_op_desc d = desc_of(kind, r);
    op_data wanted;
    op_data_new(&d, 4, &wanted);
    poison(&d, &wanted);
    op_run_portable(&d, &wanted);
    op_everywhere(&d, run_poisoned, &wanted);
    op_data_free(&wanted);
}

static void no_numbers_stay_where_they_are(void)
{
    for (int relu = 0; relu <= RELU; relu += RELU) {
        check_poisoned(S2CLR_OP_CONV, &(row){{3, 12, 9, 11}, 17, 3, 1, 1, BIAS | relu});
        check_poisoned(S2CLR_OP_CONV, &(row){{3, 3, 11, 9}, 48, 5, 2, 2, relu});
        check_poisoned(S2CLR_OP_CONV, &(row){{3, 64, 16, 16}, 64, 3, 1, 1, BIAS | relu});
        check_poisoned(S2CLR_OP_CONV, &(row){{3, 48, 5, 5}, 16, 1, 1, 0, relu});
        check_poisoned(S2CLR_OP_AFFINE, &(row){.x = {3, 17, 5, 5}, .flags = relu});
        check_poisoned(S2CLR_OP_ADD, &(row){.x = {3, 17, 5, 5}, .flags = relu});
        check_poisoned(S2CLR_OP_ADD, &(row){.x = {3, 17, 5, 5}, .flags = relu | RESIDUAL});
    }
    check_poisoned(S2CLR_OP_MAXPOOL, &(row){{3, 17, 9, 9}, 0, 3, 2, 1, 0});
    check_poisoned(S2CLR_OP_MAXPOOL, &(row){{3, 48, 9, 9}, 0, 3, 2, 1, TRAINING});
    check_poisoned(S2CLR_OP_MEANPOOL, &(row){.x = {3, 17, 4, 4}});
}

/* ---- what was tested ---- */

static void every_backend_is_here(void)
{
    const s2clr_backend_entry *entries;
    const size_t count = s2clr_backend_list(&entries);
    for (size_t i = 0; i < count; i++) {
        s2clr_device *device;
        if (!entries[i].backend) {
            test_skip(entries[i].why);
            continue;
        }
        CU_ASSERT_EQUAL(entries[i].backend->device_open("", S2CLR_F32, &device), S2CLR_OK);
        CU_ASSERT(strlen(entries[i].backend->device_describe(device)) > 0);
        entries[i].backend->device_close(device);
    }
}

static const test_case cases[] = {
    {"every_backend_is_here", every_backend_is_here},
    {"no_numbers_stay_where_they_are", no_numbers_stay_where_they_are},
    {"conv_forward", conv_forward},
    {"conv_training", conv_training},
    {"elementwise", elementwise},
    {"maxpool", maxpool},
    {"meanpool", meanpool},
    {"tensors_travel_unchanged", tensors_travel_unchanged},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("backend_ops", cases, argc, argv);
}
