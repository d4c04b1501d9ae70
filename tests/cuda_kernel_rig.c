#include "cuda_kernel_rig.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda_bodies.h"
#include "op_compare.h"

/* ---- launchers: in reverse order, which must not matter ---- */

#define LOOP(name)                                                                                 \
    int s2clr_cuda_launch_##name(void *stream, cuda_##name##_args args)                            \
    {                                                                                              \
        (void)stream;                                                                              \
        for (size_t i = cuda_##name##_count(&args); i-- > 0;) cuda_##name##_body(i, &args);        \
        return 0;                                                                                  \
    }
CUDA_KERNELS(LOOP)

/* ---- tensors ---- */

const cuda_element elements[] = {CUDA_FLOAT32, CUDA_BFLOAT16, CUDA_FLOAT16};
float rounded(cuda_element element, float value)
{
    return element == CUDA_FLOAT32 ? value : cuda_widen(element, cuda_narrow(element, value));
}

void *fresh(size_t bytes)
{
    void *const memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (!memory) abort();
    memset(memory, 0xff, bytes);
    return memory;
}

cuda_view view_of(s2clr_shape s)
{
    return (cuda_view){(size_t)s.n, (size_t)s.h, (size_t)s.w, (size_t)s.c,
                       cuda_lanes_of((size_t)s.c)};
}

static void *fresh_tensor(cuda_element element, const cuda_view *view)
{
    return fresh(cuda_view_count(view) * cuda_element_bytes(element));
}

void *native_of(cuda_element element, s2clr_shape shape, const float *nchw)
{
    const cuda_view view = view_of(shape);
    void *const native = fresh_tensor(element, &view);
    RUN(upload, element, view, nchw, native);
    return native;
}

void check_tensor(const char *what, cuda_element element, s2clr_shape shape, const void *native,
                  const float *nchw, double tolerance)
{
    const cuda_view view = view_of(shape);
    const size_t plane = view.h * view.w;
    const double step = element == CUDA_FLOAT32 ? 0 : element == CUDA_BFLOAT16 ? 0x1p-8 : 0x1p-11;
    double peak = 0, worst = 0;
    size_t filled = 0;
    for (size_t i = 0; i < view.n * view.c * plane; i++) peak = fmax(peak, fabs((double)nchw[i]));
    for (size_t n = 0; n < view.n; n++)
        for (size_t p = 0; p < plane; p++)
            for (size_t l = 0; l < view.lanes; l++) {
                const double got =
                    (double)cuda_get(element, native, (n * plane + p) * view.lanes + l);
                if (l >= view.c) {
                    filled += got != 0;
                    continue;
                }
                const double wanted = (double)nchw[(n * view.c + l) * plane + p];
                const double apart = fabs(got - wanted) - step * fabs(wanted);
                if (!(apart <= worst)) worst = isnan(apart) ? INFINITY : apart;
            }
    if (filled == 0 && worst <= tolerance * peak) return;
    char text[200];
    snprintf(text, sizeof text, "%s, element %d, %dx%dx%dx%d: off by %g of %g, %zu not zero", what,
             (int)element, shape.n, shape.c, shape.h, shape.w, worst, peak, filled);
    CU_assertImplementation(CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

/* ---- ops against the portable backend ---- */

static const op_field tensors[] = {OP_X, OP_RESIDUAL, OP_Y, OP_DY};
enum { TENSORS = 4 };

static s2clr_shape shape_of(const s2clr_op_desc *d, op_field field)
{
    return field == OP_X || field == OP_DX                 ? d->x
           : field == OP_RESIDUAL || field == OP_DRESIDUAL ? s2clr_op_residual(d)
                                                           : d->y;
}

static bench bench_new(cuda_element element, const s2clr_op_desc *d)
{
    static const op_field rounds[] = {OP_X, OP_RESIDUAL, OP_DY, OP_WEIGHT};
    bench b = {.element = element, .d = *d};
    op_data_new(d, 5, &b.data);
    for (size_t f = 0; f < sizeof rounds / sizeof rounds[0]; f++)
        for (size_t i = 0; i < b.data.count[rounds[f]]; i++)
            b.data.value[rounds[f]][i] = rounded(element, b.data.value[rounds[f]][i]);
    op_run_portable(d, &b.data);
    for (int t = 0; t < TENSORS; t++)
        if (b.data.count[tensors[t]])
            b.in[tensors[t]] =
                native_of(element, shape_of(d, tensors[t]), b.data.value[tensors[t]]);
    return b;
}

static void bench_free(bench *b)
{
    for (int f = 0; f < OP_FIELDS; f++) free(b->in[f]);
    op_data_free(&b->data);
}

void *out_of(const bench *b, op_field field)
{
    const cuda_view view = view_of(shape_of(&b->d, field));
    return fresh_tensor(b->element, &view);
}

void check_out(const bench *b, op_field field, void *native, double tolerance)
{
    char what[200];
    op_describe(&b->d, what);
    snprintf(what + strlen(what), sizeof what - strlen(what), ", %s", op_field_name(field));
    check_tensor(what, b->element, shape_of(&b->d, field), native, b->data.value[field], tolerance);
    free(native);
}

cuda_window window_of(const s2clr_op_desc *d)
{
    return (cuda_window){d->window.h, d->window.w, d->window.stride, d->window.top, d->window.left};
}

void for_elements(const s2clr_op_desc *desc, int channels, void (*check)(bench *b))
{
    s2clr_op_desc d = *desc;
    TEST_OK(op_complete(&d, channels));
    for (int e = 0; e < ELEMENTS; e++) {
        bench b = bench_new(elements[e], &d);
        check(&b);
        bench_free(&b);
    }
}
