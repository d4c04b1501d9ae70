/* Ops that touch every element once: affine (batch norm with its numbers given), add (without a
 * residual: the activation alone) and concat. */
#include "backend/pportable.h"

#include <string.h>

static size_t plane_size(const s2clr_op_desc *d)
{
    return (size_t)d->x.h * (size_t)d->x.w;
}

/* The gradient that reaches the inside of the activation at element i. */
static double inner_gradient(const s2clr_op_desc *d, const s2clr_op_args *a, size_t i)
{
    return !d->relu || ((const float *)a->y)[i] > 0 ? (double)((const float *)a->dy)[i] : 0;
}

void portable_affine_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    const float *const x = a->x; // (N, C, H, W)
    float *const y = a->y;       // (N, C, H, W)
    for (int n = 0; n < d->x.n; n++)
        for (int c = 0; c < d->x.c; c++) {
            const double scale = (double)a->scale[c], shift = (double)a->shift[c];
            const size_t first = portable_row(d->x, n, c, 0);
            for (size_t i = first; i < first + plane_size(d); i++)
                y[i] = portable_act(scale * (double)x[i] + shift, d->relu);
        }
}

void portable_affine_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    if (!a->dx) return;
    const float *const x = a->x; // (N, C, H, W)
    float *const dx = a->dx;     // (N, C, H, W)
    for (int n = 0; n < d->x.n; n++)
        for (int c = 0; c < d->x.c; c++) {
            const double of_g = (double)a->affine[0][c];
            const double of_x = (double)a->affine[1][c];
            const double constant = (double)a->affine[2][c];
            const size_t first = portable_row(d->x, n, c, 0);
            for (size_t i = first; i < first + plane_size(d); i++)
                dx[i] = (float)(of_g * inner_gradient(d, a, i) + of_x * (double)x[i] + constant);
        }
}

void portable_affine_sums(const s2clr_op_desc *d, const s2clr_op_args *a, double *sums)
{
    const float *const x = a->x; // (N, C, H, W)
    for (int c = 0; c < d->x.c; c++) {
        double sum = 0, squares = 0;
        for (int n = 0; n < d->x.n; n++) {
            const size_t first = portable_row(d->x, n, c, 0);
            for (size_t i = first; i < first + plane_size(d); i++) {
                sum += (double)x[i];
                squares += (double)x[i] * (double)x[i];
            }
        }
        sums[c] = sum;
        sums[d->x.c + c] = squares;
    }
}

void portable_affine_sums_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *sums)
{
    const float *const x = a->x; // (N, C, H, W)
    for (int c = 0; c < d->x.c; c++) {
        double sum = 0, products = 0;
        for (int n = 0; n < d->x.n; n++) {
            const size_t first = portable_row(d->x, n, c, 0);
            for (size_t i = first; i < first + plane_size(d); i++) {
                const double g = inner_gradient(d, a, i);
                sum += g;
                products += g * (double)x[i];
            }
        }
        sums[c] = sum;
        sums[d->x.c + c] = products;
    }
}

void portable_add_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    const float *const x = a->x;                                    // (N, C, H, W)
    const float *const residual = d->residual ? a->residual : NULL; // (N, C, H, W)
    float *const y = a->y;                                          // (N, C, H, W)
    const size_t count = portable_count(d->x);
    for (size_t i = 0; i < count; i++)
        y[i] = portable_act((double)x[i] + (residual ? (double)residual[i] : 0), d->relu);
}

void portable_add_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    float *const dx = a->dx, *const dresidual = a->dresidual; // (N, C, H, W)
    const size_t count = portable_count(d->x);
    for (size_t i = 0; i < count; i++) {
        const float g = (float)inner_gradient(d, a, i);
        if (dx) dx[i] = g;
        if (dresidual) dresidual[i] = g;
    }
}

/* Floats of one image. */
static size_t image_size(s2clr_shape s)
{
    return portable_count(s) / (size_t)s.n;
}

void portable_concat_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    const size_t first = image_size(d->x), second = image_size(s2clr_op_residual(d));
    const float *x = a->x, *residual = a->residual; // (N, C, H, W), (N, C', H, W)
    float *y = a->y;                                // (N, C + C', H, W)
    for (int n = 0; n < d->x.n; n++, x += first, residual += second, y += first + second) {
        memcpy(y, x, first * sizeof *y);
        memcpy(y + first, residual, second * sizeof *y);
    }
}

void portable_concat_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    const size_t first = image_size(d->x), second = image_size(s2clr_op_residual(d));
    for (size_t n = 0; n < (size_t)d->x.n; n++) {
        const float *const dy = (const float *)a->dy + n * (first + second); // (C + C', H, W)
        if (a->dx) memcpy((float *)a->dx + n * first, dy, first * sizeof *dy);
        if (a->dresidual)
            memcpy((float *)a->dresidual + n * second, dy + first, second * sizeof *dy);
    }
}
