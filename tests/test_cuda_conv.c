/*
 * Convolutions of the CUDA module on the pretended CUDA give what the portable backend gives, over
 * shapes, strides, paddings, groups and precisions, with and without engines of cuDNN.
 */
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"
#include "cuda_rig.h"

static unsigned next(uint64_t *state, unsigned below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % below;
}

/* Any convolution: one group, each channel its own, or groups of up to five channels. */
static s2clr_op_desc any_conv(uint64_t *state, bool training)
{
    static const int plain[] = {1, 3, 8, 12, 17}, of_groups[] = {1, 2, 5, 8};
    const unsigned kind = next(state, 4);
    const int groups = kind < 2 ? 1 : (int)next(state, 9) + 1;
    const int in = kind < 2 ? plain[next(state, 5)] : kind == 2 ? 1 : of_groups[next(state, 4)];
    const int out = kind < 2 ? plain[next(state, 5)] : kind == 2 ? 1 : of_groups[next(state, 4)];
    s2clr_window v = {.h = (int)next(state, 4) + 1, .w = (int)next(state, 4) + 1};
    v.stride = (int)next(state, 3) + 1;
    v.top = (int)next(state, (unsigned)v.h);
    v.bottom = (int)next(state, (unsigned)v.h);
    v.left = (int)next(state, (unsigned)v.w);
    v.right = (int)next(state, (unsigned)v.w);
    const s2clr_shape x = {(int)next(state, 3) + 1, in * groups, v.h + (int)next(state, 6),
                           v.w + (int)next(state, 6)};
    s2clr_op_desc d = cuda_conv_desc(x, out * groups, v, groups);
    d.bias = next(state, 2);
    d.training = training;
    d.relu = !training && next(state, 2);
    d.residual = !training && next(state, 2);
    return d;
}

static void check_any(const char *words, int count)
{
    static const s2clr_precision precisions[] = {S2CLR_F32, S2CLR_TF32, S2CLR_BF16, S2CLR_FP16};
    uint64_t state = 1;
    for (size_t p = 0; p < sizeof precisions / sizeof precisions[0]; p++) {
        s2clr_device *const device = cuda_open(words, "", precisions[p]);
        for (int i = 0; i < count; i++) {
            const bool training = i % 2 && precisions[p] != S2CLR_FP16;
            const s2clr_op_desc d = any_conv(&state, training);
            cuda_check(device, &d);
        }
        s2clr_cuda_device_close(device);
    }
}

static void any_convolution_is_the_portable_one(void)
{
    check_any("", 60);
}

static void without_engines_results_are_the_same(void)
{
    static const char *const words[] = {"noengine=fused", "noengine=forward", "noengine=data",
                                        "noengine=filter", "noengine=all"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) check_any(words[i], 12);
}

/* The residual is where the result goes, and the channels that fill up stay zero. */
static void run_in_place(s2clr_device *device, const s2clr_op_desc *d)
{
    const s2clr_backend *const be = s2clr_backend_module();
    const s2clr_shape all = {d->y.n, (int)cuda_lanes_of((size_t)d->y.c), d->y.h, d->y.w};
    const size_t plane = (size_t)(d->y.h * d->y.w);
    const size_t count = (size_t)(all.n * all.c) * plane;
    float *const lanes = calloc(count, sizeof *lanes);
    op_data data, wanted;
    op_rig rig;
    s2clr_stream *stream;
    size_t x_bytes, y_bytes, wrong = 0;
    void *x, *y, *packed;
    cuda_data(device, d, &data);
    cuda_data(device, d, &wanted);
    op_run_portable(d, &wanted);
    TEST_OK(op_rig_open(be, device, d, &rig));
    TEST_OK(be->stream_new(device, be->op_scratch_bytes(rig.op), &stream));
    TEST_OK(be->tensor_bytes(device, d->x, &x_bytes));
    TEST_OK(be->tensor_bytes(device, d->y, &y_bytes));
    TEST_OK(be->buffer_new(device, x_bytes, &x));
    TEST_OK(be->buffer_new(device, y_bytes, &y));
    TEST_OK(be->buffer_new(device, be->op_packed_bytes(rig.op), &packed));
    TEST_OK(be->upload(stream, d->x, data.value[OP_X], x));
    TEST_OK(be->upload(stream, d->y, data.value[OP_RESIDUAL], y));
    TEST_OK(be->op_pack(rig.op, stream, data.value[OP_WEIGHT], data.value[OP_BIAS], packed));
    const s2clr_op_args args = {.x = x, .residual = y, .y = y, .packed = packed};
    TEST_OK(be->op_forward(rig.op, stream, &args));
    TEST_OK(be->download(stream, d->y, y, data.value[OP_Y]));
    TEST_OK(be->download(stream, all, y, lanes));
    cuda_compare(device, d, &data, &wanted);
    for (size_t i = 0; i < count; i++)
        wrong += i / plane % (size_t)all.c >= (size_t)d->y.c && lanes[i] != 0;
    CU_ASSERT_EQUAL(wrong, 0);
    be->buffer_free(device, x);
    be->buffer_free(device, y);
    be->buffer_free(device, packed);
    be->stream_free(stream);
    op_rig_close(&rig);
    op_data_free(&data);
    op_data_free(&wanted);
    free(lanes);
}

static void a_residual_may_be_the_result(void)
{
    static const char *const words[] = {"", "noengine=fused", "noengine=all"};
    const s2clr_op_desc d = cuda_usual();
    for (int i = 0; i < 3; i++)
        for (int p = 0; p < S2CLR_PRECISIONS; p++) {
            s2clr_device *const device = cuda_open(words[i], "", (s2clr_precision)p);
            run_in_place(device, &d);
            s2clr_cuda_device_close(device);
        }
}

/* Padding behind that nothing reads becomes that before; what is read stays. */
static void padding_behind_is_what_is_read(void)
{
    static const struct {
        int size, kernel, stride, before, behind, wanted;
    } rows[] = {{9, 3, 1, 1, 1, 1},  {16, 3, 2, 1, 1, 1}, {16, 3, 2, 0, 1, 1}, {16, 3, 2, 1, 0, 1},
                {15, 3, 2, 1, 0, 0}, {9, 3, 1, 2, 0, 0},  {8, 5, 3, 1, 2, 2},  {8, 2, 2, 0, 1, 0}};
    s2clr_device *const device = cuda_open("", "", S2CLR_F32);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const s2clr_window v = {rows[i].kernel, rows[i].kernel, rows[i].stride, rows[i].before,
                                rows[i].before, rows[i].behind, rows[i].behind};
        const s2clr_op_desc d =
            cuda_conv_desc((s2clr_shape){1, 8, rows[i].size, rows[i].size}, 8, v, 1);
        s2clr_op *op = NULL;
        TEST_OK(s2clr_cuda_op_new(device, &d, &op));
        const cuda_conv_shape *const s = &op->conv->step[CUDA_FORWARD].planned->shape;
        CU_ASSERT_EQUAL(s->window.bottom, rows[i].wanted);
        CU_ASSERT_EQUAL(s->window.right, rows[i].wanted);
        s2clr_cuda_op_free(op);
        cuda_check(device, &d);
    }
    s2clr_cuda_device_close(device);
}

/* Our own convolutions are cut into launches of bounded work, wherever the cut falls. */
static void long_convolutions_are_cut(void)
{
    static const char *const launches[] = {"s2clr_cuda_launch_direct_forward",
                                           "s2clr_cuda_launch_direct_data",
                                           "s2clr_cuda_launch_direct_filter"};
    static const size_t work[] = {1, 5000, 20000};
    const s2clr_op_desc d = cuda_usual_training(), whole = cuda_usual();
    for (size_t i = 0; i < sizeof work / sizeof work[0]; i++) {
        s2clr_device *const device = cuda_open("noengine=all", "", S2CLR_F32);
        device->launch_work = work[i];
        if (work[i] > 1) cuda_check(device, &whole);
        cuda_check(device, &d);
        for (int l = 0; l < 3; l++) CU_ASSERT(fake_calls(launches[l]) > 2);
        s2clr_cuda_device_close(device);
    }
}

static void more_values_than_32_bits_count_are_refused(void)
{
    s2clr_device *const device = cuda_open("", "", S2CLR_BF16);
    s2clr_op_desc d =
        cuda_conv_desc((s2clr_shape){20000, 3, 120, 120}, 8, s2clr_window_square(1, 1, 0), 1);
    s2clr_op *op = NULL;
    CU_ASSERT_EQUAL(s2clr_cuda_op_new(device, &d, &op), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("cuda:0: a tensor of a convolution has 20000 x ");
    TEST_ERROR_SAYS("x 120 x 120 values (2.3e+09 on the device)");
    TEST_ERROR_SAYS("compute less at once");
    CU_ASSERT_PTR_NULL(op);
    d = (s2clr_op_desc){.kind = S2CLR_OP_ADD, .x = d.x, .relu = true};
    TEST_OK(op_complete(&d, 0));
    TEST_OK(s2clr_cuda_op_new(device, &d, &op));
    s2clr_cuda_op_free(op);
    s2clr_cuda_device_close(device);
}

/* ---- threads ---- */

typedef struct runner {
    const op_rig *rig;
    op_data data;
    s2clr_status status;
} runner;

static void *run(void *argument)
{
    runner *const r = argument;
    r->status = op_rig_run(r->rig, &r->data);
    return NULL;
}

static void threads_may_share_an_op(void)
{
    enum { THREADS = 4 };
    s2clr_device *const device = cuda_open("slow", "", S2CLR_BF16);
    const s2clr_op_desc d = cuda_usual_training();
    op_rig rig;
    pthread_t thread[THREADS];
    runner runners[THREADS];
    TEST_OK(op_rig_open(s2clr_backend_module(), device, &d, &rig));
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (runner){.rig = &rig};
        op_data_new(&d, 7, &runners[i].data);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread[i], NULL, run, &runners[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        const op_data *const a = &runners[i].data, *const b = &runners[0].data;
        CU_ASSERT_EQUAL(runners[i].status, S2CLR_OK);
        for (int f = 0; f < OP_FIELDS; f++)
            if (a->count[f])
                CU_ASSERT_EQUAL(memcmp(a->value[f], b->value[f], a->count[f] * sizeof(float)), 0);
    }
    for (int i = 0; i < THREADS; i++) op_data_free(&runners[i].data);
    op_rig_close(&rig);
    s2clr_cuda_device_close(device);
    CU_ASSERT_EQUAL(fake_misuses(), 0);
}

static const test_case cases[] = {
    {"any_convolution_is_the_portable_one", any_convolution_is_the_portable_one},
    {"without_engines_results_are_the_same", without_engines_results_are_the_same},
    {"a_residual_may_be_the_result", a_residual_may_be_the_result},
    {"padding_behind_is_what_is_read", padding_behind_is_what_is_read},
    {"long_convolutions_are_cut", long_convolutions_are_cut},
    {"more_values_than_32_bits_count_are_refused", more_values_than_32_bits_count_are_refused},
    {"threads_may_share_an_op", threads_may_share_an_op},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_conv", cases, argc, argv);
}
