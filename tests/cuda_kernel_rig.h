/*
 * The CUDA module's own kernels run without CUDA, as loops over their indices in the place of
 * launches: what their tests share. See backend/cuda_kernels.h.
 *
 *     RUN(add, element, relu, count, a, b, y);
 */
#ifndef S2CLR_TESTS_CUDA_KERNEL_RIG_H
#define S2CLR_TESTS_CUDA_KERNEL_RIG_H

#include "backend/cuda_body.h"
#include "harness.h"
#include "op_rig.h"

#define RUN(name, ...)                                                                             \
    CU_ASSERT_EQUAL(s2clr_cuda_launch_##name(NULL, (cuda_##name##_args){__VA_ARGS__}), 0)

/* Full of NaN: who reads what nobody wrote shows it. */
void *fresh(size_t bytes);
cuda_view view_of(s2clr_shape shape);
void *native_of(cuda_element element, s2clr_shape shape, const float *nchw);
float rounded(cuda_element element, float value);

extern const cuda_element elements[];
enum { ELEMENTS = 3 };

/* The values nchw[i] are what the tensor holds, to `tolerance` of the largest of them and to the
 * rounding of the element; what fills up is zero. */
void check_tensor(const char *what, cuda_element element, s2clr_shape shape, const void *native,
                  const float *nchw, double tolerance);

/* An op, its inputs rounded to the element, and what the portable backend makes of them. */
typedef struct bench {
    cuda_element element;
    s2clr_op_desc d;
    op_data data;
    void *in[OP_FIELDS]; /* native: x, residual, y, dy */
} bench;

/* check() with every element; channels: of the output, where they do not follow. */
void for_elements(const s2clr_op_desc *desc, int channels, void (*check)(bench *b));

void *out_of(const bench *b, op_field field); /* room for a result */
/* Compares and frees. */
void check_out(const bench *b, op_field field, void *native, double tolerance);

cuda_window window_of(const s2clr_op_desc *d);

#endif
