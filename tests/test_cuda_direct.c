/*
 * The CUDA module's own convolutions and sums by channel, without CUDA: the kernels' bodies run as
 * loops, against the portable backend.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda_sums.h"
#include "cuda_kernel_rig.h"

/* ---- sums: the inputs are multiples of 1 / 64, so that sums in double are exact ---- */

static void check_sums(bench *b)
{
    const cuda_view view = view_of(b->d.x);
    const void *const mask = b->d.relu ? b->in[OP_Y] : NULL;
    const void *const a[] = {b->in[OP_X], b->in[OP_DY]}, *const y[] = {NULL, mask};
    void *const scratch = fresh(s2clr_cuda_sums_bytes(&view, true));
    double *const sums = fresh(2 * view.lanes * sizeof *sums);
    for (int i = 0; i < 2; i++) {
        size_t wrong = 0;
        CU_ASSERT_EQUAL(
            s2clr_cuda_sums_launch(NULL, b->element, &view, a[i], b->in[OP_X], y[i], scratch, sums),
            0);
        for (size_t c = 0; c < view.lanes; c++)
            for (size_t part = 0; part < 2; part++)
                wrong += sums[part * view.lanes + c] !=
                         (c < view.c ? b->data.sums[i][part * view.c + c] : 0);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    free(scratch);
    free(sums);
}

static void sums_by_channel(void)
{
    const s2clr_shape shapes[] = {{1, 1, 1, 1}, {3, 17, 5, 3}, {1, 8, 40, 40}, {2, 12, 70, 300}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int relu = 0; relu < 2; relu++) {
            const s2clr_op_desc d = {S2CLR_OP_AFFINE, shapes[s], .relu = relu, .training = true};
            for_elements(&d, 0, check_sums);
        }
}

/* ---- convolutions ---- */

static cuda_weights weights_of(const s2clr_op_desc *d)
{
    const size_t in = (size_t)(d->x.c / d->groups);
    return (cuda_weights){(size_t)d->y.c, cuda_lanes_of((size_t)d->y.c), in,
                          d->groups == 1 ? cuda_lanes_of(in) : in,
                          (size_t)d->window.h * (size_t)d->window.w};
}

static void check_filter(const bench *b, const cuda_direct *shape)
{
    const size_t count = b->data.count[OP_DWEIGHT];
    const float *const wanted = b->data.value[OP_DWEIGHT];
    float *const got = fresh(count * sizeof *got);
    void *const scratch = fresh(s2clr_cuda_filter_bytes(shape));
    double apart = 0, peak = 0;
    CU_ASSERT_EQUAL(s2clr_cuda_filter_launch(NULL, shape, b->in[OP_X], b->in[OP_DY], scratch, got),
                    0);
    for (size_t i = 0; i < count; i++) {
        apart = fmax(apart, isnan(got[i]) ? INFINITY : fabs((double)got[i] - (double)wanted[i]));
        peak = fmax(peak, fabs((double)wanted[i]));
    }
    CU_ASSERT(apart <= 1e-6 * peak);
    free(scratch);
    free(got);
}

static void check_bias(const bench *b)
{
    const cuda_view view = view_of(b->d.y);
    float *const got = fresh(view.lanes * sizeof *got);
    void *const scratch = fresh(s2clr_cuda_sums_bytes(&view, false));
    CU_ASSERT_EQUAL(s2clr_cuda_bias_launch(NULL, b->element, &view, b->in[OP_DY], scratch, got), 0);
    for (size_t k = 0; k < b->data.count[OP_DBIAS]; k++)
        TEST_NEAR(got[k], b->data.value[OP_DBIAS][k], 1e-5);
    free(scratch);
    free(got);
}

static void check_conv(bench *b)
{
    const cuda_weights w = weights_of(&b->d);
    const cuda_direct shape = {b->element,       view_of(b->d.x),     view_of(b->d.y),
                               window_of(&b->d), (size_t)b->d.groups, w.in_lanes};
    void *const packed = fresh(cuda_weights_packed(&w) * cuda_element_bytes(b->element));
    float *const bias = fresh(w.out_lanes * sizeof *bias), *const back =
                                                               fresh(w.out * w.in * w.taps * 4);
    void *const y = out_of(b, OP_Y), *const dx = out_of(b, OP_DX);
    RUN(pack, b->element, w, b->data.value[OP_WEIGHT], packed);
    RUN(unpack, b->element, w, packed, back);
    CU_ASSERT_EQUAL(memcmp(back, b->data.value[OP_WEIGHT], w.out * w.in * w.taps * 4), 0);
    RUN(fill, b->d.bias ? w.out : 0, w.out_lanes, b->data.value[OP_BIAS], bias);
    RUN(direct_forward, shape, b->d.relu, b->in[OP_X], packed, b->in[OP_RESIDUAL], bias, y);
    check_out(b, OP_Y, y, 1e-6);
    if (b->d.training) {
        RUN(direct_data, shape, b->in[OP_DY], packed, dx);
        check_out(b, OP_DX, dx, 1e-6);
        check_filter(b, &shape);
        if (b->d.bias) check_bias(b);
    } else {
        free(dx);
    }
    free(packed);
    free(bias);
    free(back);
}

static void convolutions(void)
{
    const struct {
        s2clr_shape x;
        int channels;
        s2clr_window window;
        int groups;
    } rows[] = {
        {{2, 3, 9, 8}, 17, {3, 3, 1, 1, 1, 1, 1}, 1},
        {{1, 20, 6, 7}, 8, {7, 7, 2, 3, 3, 3, 3}, 1},
        {{2, 16, 7, 5}, 24, {1, 1, 2, 0, 0, 0, 0}, 1},
        {{2, 5, 6, 8}, 9, {1, 7, 1, 0, 3, 0, 3}, 1},
        {{2, 20, 9, 9}, 20, {3, 3, 2, 0, 0, 1, 1}, 20},
        {{2, 12, 7, 9}, 20, {3, 3, 1, 1, 1, 1, 1}, 2},
        {{2, 10, 5, 6}, 30, {3, 1, 1, 1, 0, 1, 0}, 10},
        {{3, 40, 1, 1}, 10, {1, 1, 1, 0, 0, 0, 0}, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s2clr_op_desc d = {
            S2CLR_OP_CONV, rows[i].x,       .window = rows[i].window, .groups = rows[i].groups,
            .bias = true,  .training = true};
        for_elements(&d, rows[i].channels, check_conv);
        d.training = false;
        d.relu = d.residual = true;
        for_elements(&d, rows[i].channels, check_conv);
    }
}

/* y = act(x + bias + residual), from float32 sums too. */
static void what_follows_a_product(void)
{
    const s2clr_shape shape = {2, 11, 3, 2};
    const cuda_view view = view_of(shape);
    enum { COUNT = 2 * 11 * 3 * 2 };
    float x[COUNT], residual[COUNT], wanted[COUNT], plain[16];
    for (int i = 0; i < 11; i++) plain[i] = (float)(i % 5) - 2;
    for (int i = 0; i < COUNT; i++) {
        x[i] = (float)(i % 17) / 4 - 2;
        residual[i] = (float)(i % 7) / 2 - 1;
        wanted[i] = fmaxf(x[i] + plain[i / 6 % 11] + residual[i], 0);
    }
    float *const bias = fresh(view.lanes * sizeof *bias);
    RUN(fill, 11, view.lanes, plain, bias);
    for (int e = 0; e < ELEMENTS; e++) {
        void *const sums = native_of(CUDA_FLOAT32, shape, x);
        void *const more = native_of(elements[e], shape, residual);
        RUN(finish, elements[e], CUDA_FLOAT32, true, view, bias, sums, more, more);
        check_tensor("finish", elements[e], shape, more, wanted, 0);
        free(sums);
        free(more);
    }
    free(bias);
}

static const test_case cases[] = {
    {"sums_by_channel", sums_by_channel},
    {"convolutions", convolutions},
    {"what_follows_a_product", what_follows_a_product},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_direct", cases, argc, argv);
}
