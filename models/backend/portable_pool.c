/* Maximum and mean pooling. */
#include "backend/pportable.h"

#include <math.h>
#include <string.h>

/* Index inside the plane of the first maximum of window (p, q), in scan order; a NaN wins. */
static int window_argmax(const s2clr_op_desc *d, const float *plane, int p, int q)
{
    const int top = p * d->stride - d->pad, left = q * d->stride - d->pad;
    int best = -1;
    for (int y = top < 0 ? 0 : top; y < top + d->kernel && y < d->x.h; y++)
        for (int x = left < 0 ? 0 : left; x < left + d->kernel && x < d->x.w; x++) {
            const int i = y * d->x.w + x;
            if (best < 0 || plane[i] > plane[best] || (isnan(plane[i]) && !isnan(plane[best])))
                best = i;
        }
    return best;
}

void portable_maxpool_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    float *y = a->y;                                     // (N, C, P, Q)
    int32_t *winner = d->training ? a->workspace : NULL; // (N, C, P, Q)
    for (int n = 0; n < d->x.n; n++)
        for (int c = 0; c < d->x.c; c++) {
            const float *const plane = (const float *)a->x + portable_row(d->x, n, c, 0);
            for (int p = 0; p < d->y.h; p++)
                for (int q = 0; q < d->y.w; q++) {
                    const int i = window_argmax(d, plane, p, q);
                    *y++ = plane[i];
                    if (winner) *winner++ = i;
                }
        }
}

void portable_maxpool_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    if (!a->dx) return;
    memset(a->dx, 0, portable_count(d->x) * sizeof(float));
    const size_t outputs = (size_t)d->y.h * (size_t)d->y.w;
    for (int n = 0; n < d->x.n; n++)
        for (int c = 0; c < d->x.c; c++) {
            float *const dx = (float *)a->dx + portable_row(d->x, n, c, 0);
            const size_t first = portable_row(d->y, n, c, 0);
            for (size_t i = first; i < first + outputs; i++)
                dx[((const int32_t *)a->workspace)[i]] += ((const float *)a->dy)[i];
        }
}

void portable_meanpool_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    const size_t plane = (size_t)d->x.h * (size_t)d->x.w;
    const float *x = a->x; // (N, C, H, W)
    float *const y = a->y; // (N, C)
    for (size_t i = 0; i < portable_count(d->y); i++, x += plane) {
        double sum = 0;
        for (size_t j = 0; j < plane; j++) sum += (double)x[j];
        y[i] = (float)(sum / (double)plane);
    }
}

void portable_meanpool_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    if (!a->dx) return;
    const size_t plane = (size_t)d->x.h * (size_t)d->x.w;
    const float *const dy = a->dy; // (N, C)
    float *dx = a->dx;             // (N, C, H, W)
    for (size_t i = 0; i < portable_count(d->y); i++, dx += plane)
        for (size_t j = 0; j < plane; j++) dx[j] = (float)((double)dy[i] / (double)plane);
}
