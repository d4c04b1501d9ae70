/*
 * The CUDA module's own kernels, without CUDA: each body run as a loop over its indices, against
 * the portable backend and against definitions. The same bodies are what the device runs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_kernel_rig.h"

/* ---- numbers ---- */

static void halves_are_rounded_as_the_compiler_does(void)
{
#ifdef __FLT16_MANT_DIG__
    size_t wrong = 0;
    for (uint32_t h = 0; h < 65536; h++) {
        const uint16_t bits = (uint16_t)h;
        _Float16 half;
        memcpy(&half, &bits, sizeof half);
        const float value = s2clr_fp16_widen(bits);
        const bool same = memcmp(&value, &(float){(float)half}, sizeof value) == 0;
        wrong += isnan((float)half) ? isnan(value) == 0 : !same;
        /* itself, its neighbours, and the middle between it and the next with its neighbours */
        const float middle = (value + s2clr_fp16_widen((uint16_t)(h + 1))) / 2;
        const float near[] = {value,  nextafterf(value, INFINITY),  nextafterf(value, -INFINITY),
                              middle, nextafterf(middle, INFINITY), nextafterf(middle, -INFINITY)};
        for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
            const _Float16 wanted = (_Float16)near[i];
            const uint16_t got = s2clr_fp16_narrow(near[i]);
            const bool near_same = memcmp(&got, &wanted, sizeof got) == 0;
            wrong += isnan(near[i]) ? isnan(s2clr_fp16_widen(got)) == 0 : !near_same;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(s2clr_fp16_narrow(65520.0f), 0x7c00);
    CU_ASSERT_EQUAL(s2clr_fp16_narrow(1e30f), 0x7c00);
    CU_ASSERT_EQUAL(s2clr_fp16_narrow(-0x1p-149f), 0x8000);
#else
    test_skip("the compiler has no _Float16");
#endif
}

static void indices_split_beyond_32_bits(void)
{
    static const size_t numbers[] = {0, 1, 7, 0xffffffffu, 0x100000000u, 0x123456789abcu};
    static const size_t factors[] = {1, 3, 0x10000u, 0xffffffffu, 0x100000001u};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (size_t j = 0; j < sizeof factors / sizeof factors[0]; j++) {
            size_t left = numbers[i];
            CU_ASSERT_EQUAL(cuda_split(&left, factors[j]), numbers[i] % factors[j]);
            CU_ASSERT_EQUAL(left, numbers[i] / factors[j]);
        }
}

/* ---- ops against the portable backend ---- */

static void tensors_travel(void)
{
    const s2clr_shape shapes[] = {
        {1, 1, 1, 1}, {2, 3, 5, 7}, {3, 8, 4, 2}, {1, 17, 3, 3}, {2, 32, 2, 5}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int e = 0; e < ELEMENTS; e++) {
            const cuda_view view = view_of(shapes[s]);
            const size_t count = view.n * view.c * view.h * view.w;
            float *const from = fresh(count * sizeof *from), *const to = fresh(count * sizeof *to);
            for (size_t i = 0; i < count; i++) from[i] = rounded(elements[e], (float)i * 0.3f - 7);
            void *const native = native_of(elements[e], shapes[s], from);
            check_tensor("upload", elements[e], shapes[s], native, from, 0);
            RUN(download, elements[e], view, native, to);
            CU_ASSERT_EQUAL(memcmp(from, to, count * sizeof *from), 0);
            free(native);
            free(from);
            free(to);
        }
}

static void check_affine(bench *b)
{
    const cuda_view view = view_of(b->d.x);
    float *const *const v = b->data.value;
    void *const y = out_of(b, OP_Y), *const dx = out_of(b, OP_DX);
    const void *const mask = b->d.relu ? b->in[OP_Y] : NULL;
    RUN(affine, b->element, b->d.relu, view, v[OP_SCALE], v[OP_SHIFT], b->in[OP_X], y);
    check_out(b, OP_Y, y, 1e-6);
    RUN(affine_backward, b->element, view, v[OP_OF_G], v[OP_OF_X], v[OP_CONSTANT], b->in[OP_X],
        mask, b->in[OP_DY], dx);
    check_out(b, OP_DX, dx, 1e-6);
}

static void check_add(bench *b)
{
    const cuda_view view = view_of(b->d.x);
    void *const y = out_of(b, OP_Y), *const dx = out_of(b, OP_DX);
    const void *const mask = b->d.relu ? b->in[OP_Y] : NULL;
    RUN(add, b->element, b->d.relu, cuda_view_count(&view), b->in[OP_X], b->in[OP_RESIDUAL], y);
    check_out(b, OP_Y, y, 0);
    RUN(mask, b->element, cuda_view_count(&view), mask, b->in[OP_DY], dx);
    check_out(b, OP_DX, dx, 0);
}

static void elementwise(void)
{
    const s2clr_shape shapes[] = {{1, 1, 1, 1}, {3, 17, 5, 3}, {2, 20, 9, 8}, {1, 8, 4, 4}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
        for (int relu = 0; relu < 2; relu++) {
            s2clr_op_desc d = {S2CLR_OP_AFFINE, shapes[s], .relu = relu, .training = true};
            for_elements(&d, 0, check_affine);
            d.kind = S2CLR_OP_ADD;
            for_elements(&d, 0, check_add);
            d.residual = true;
            for_elements(&d, 0, check_add);
        }
}

static void check_maxpool(bench *b)
{
    const cuda_view x = view_of(b->d.x), yv = view_of(b->d.y);
    void *const y = out_of(b, OP_Y), *const dx = out_of(b, OP_DX);
    int32_t *const winner = fresh(cuda_view_count(&yv) * sizeof *winner);
    RUN(maxpool, b->element, x, yv, window_of(&b->d), b->in[OP_X], y, winner);
    check_out(b, OP_Y, y, 0);
    RUN(maxpool_backward, b->element, x, yv, window_of(&b->d), winner, b->in[OP_DY], dx);
    check_out(b, OP_DX, dx, 1e-6);
    free(winner);
}

static void check_avgpool(bench *b)
{
    const cuda_view x = view_of(b->d.x), yv = view_of(b->d.y);
    void *const y = out_of(b, OP_Y), *const dx = out_of(b, OP_DX);
    RUN(avgpool, b->element, x, yv, window_of(&b->d), b->d.count_pad, b->in[OP_X], y);
    check_out(b, OP_Y, y, 1e-6);
    RUN(avgpool_backward, b->element, x, yv, window_of(&b->d), b->d.count_pad, b->in[OP_DY], dx);
    check_out(b, OP_DX, dx, 1e-6);
}

static void check_meanpool(bench *b)
{
    const cuda_view x = view_of(b->d.x);
    void *const y = out_of(b, OP_Y), *const dx = out_of(b, OP_DX);
    RUN(meanpool, b->element, x, b->in[OP_X], y);
    check_out(b, OP_Y, y, 1e-6);
    RUN(meanpool_backward, b->element, x, b->in[OP_DY], dx);
    check_out(b, OP_DX, dx, 1e-6);
}

static void pools(void)
{
    const s2clr_shape shapes[] = {{1, 1, 7, 6}, {3, 3, 9, 9}, {2, 20, 8, 5}};
    const s2clr_window windows[] = {{3, 3, 2, 1, 1, 1, 1}, {3, 3, 1, 1, 1, 1, 1},
                                    {3, 3, 2, 0, 0, 1, 1}, {2, 2, 2, 0, 0, 0, 0},
                                    {5, 2, 3, 2, 0, 1, 1}, {1, 1, 2, 0, 0, 0, 0}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        s2clr_op_desc d = {S2CLR_OP_MEANPOOL, shapes[s], .training = true};
        for_elements(&d, 0, check_meanpool);
        for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
            d = (s2clr_op_desc){S2CLR_OP_MAXPOOL, shapes[s], .window = windows[w],
                                .training = true};
            for_elements(&d, 0, check_maxpool);
            d.kind = S2CLR_OP_AVGPOOL;
            for_elements(&d, 0, check_avgpool);
            d.count_pad = true;
            for_elements(&d, 0, check_avgpool);
        }
    }
}

static void check_concat(bench *b)
{
    const cuda_view x = view_of(b->d.x), r = view_of(s2clr_op_residual(&b->d));
    const cuda_view both = view_of(b->d.y);
    void *const y = out_of(b, OP_Y), *const dx = out_of(b, OP_DX), *dr = out_of(b, OP_DRESIDUAL);
    RUN(concat, b->element, x, r, both, b->in[OP_X], b->in[OP_RESIDUAL], y);
    check_out(b, OP_Y, y, 0);
    RUN(slice, b->element, both, x, 0, b->in[OP_DY], dx);
    check_out(b, OP_DX, dx, 0);
    RUN(slice, b->element, both, r, x.c, b->in[OP_DY], dr);
    check_out(b, OP_DRESIDUAL, dr, 0);
}

static void concatenation(void)
{
    static const int parts[][2] = {{1, 1}, {3, 13}, {8, 16}, {17, 5}, {5, 24}, {48, 9}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const s2clr_op_desc d = {
            S2CLR_OP_CONCAT, {2, parts[i][0], 5, 4}, .residual = true, .training = true};
        for_elements(&d, parts[i][0] + parts[i][1], check_concat);
    }
}

static const test_case cases[] = {
    {"halves_are_rounded_as_the_compiler_does", halves_are_rounded_as_the_compiler_does},
    {"indices_split_beyond_32_bits", indices_split_beyond_32_bits},
    {"tensors_travel", tensors_travel},
    {"elementwise", elementwise},
    {"pools", pools},
    {"concatenation", concatenation},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("cuda_kernels", cases, argc, argv);
}
