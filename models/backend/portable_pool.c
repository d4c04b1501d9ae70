/* Maximum pooling, mean of each window, mean of the whole map. */
#include "backend/pportable.h"

#include <math.h>
#include <string.h>

/* Index inside the plane of the first maximum of window (p, q), in scan order; a NaN wins. */
static int window_argmax(const s2clr_op_desc *d, const float *plane, int p, int q)
{
    const s2clr_window *const v = &d->window;
    const int top = p * v->stride - v->top, left = q * v->stride - v->left;
    int best = -1;
    for (int y = top < 0 ? 0 : top; y < top + v->h && y < d->x.h; y++)
        for (int x = left < 0 ? 0 : left; x < left + v->w && x < d->x.w; x++) {
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

/* Pixels [top, bottom) x [left, right) of window (p, q), inside the map. */
typedef struct pool_window {
    int top, bottom, left, right;
    double divisor;
} pool_window;

static pool_window window_at(const s2clr_op_desc *d, int p, int q)
{
    const s2clr_window *const v = &d->window;
    pool_window w = {.top = p * v->stride - v->top, .left = q * v->stride - v->left};
    w.bottom = w.top + v->h < d->x.h ? w.top + v->h : d->x.h;
    w.right = w.left + v->w < d->x.w ? w.left + v->w : d->x.w;
    if (w.top < 0) w.top = 0;
    if (w.left < 0) w.left = 0;
    const int inside = (w.bottom - w.top) * (w.right - w.left);
    w.divisor = d->count_pad ? (double)v->h * v->w : (double)inside;
    return w;
}

static size_t plane_count(const s2clr_op_desc *d)
{
    return (size_t)d->x.n * (size_t)d->x.c;
}

void portable_avgpool_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    (void)row;
    const float *x = a->x; // (N, C, H, W)
    float *y = a->y;       // (N, C, P, Q)
    for (size_t i = 0; i < plane_count(d); i++, x += d->x.h * d->x.w)
        for (int p = 0; p < d->y.h; p++)
            for (int q = 0; q < d->y.w; q++) {
                const pool_window w = window_at(d, p, q);
                double sum = 0;
                for (int r = w.top; r < w.bottom; r++)
                    for (int s = w.left; s < w.right; s++) sum += (double)x[r * d->x.w + s];
                *y++ = (float)(sum / w.divisor);
            }
}

/* The gradient of one row of x gathers in `row`: sums stay in double until they are whole. */
void portable_avgpool_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    if (!a->dx) return;
    const float *dy = a->dy; // (N, C, P, Q)
    float *dx = a->dx;       // (N, C, H, W)
    for (size_t i = 0; i < plane_count(d); i++, dy += d->y.h * d->y.w)
        for (int y = 0; y < d->x.h; y++, dx += d->x.w) {
            for (int s = 0; s < d->x.w; s++) row[s] = 0;
            for (int p = 0; p < d->y.h; p++)
                for (int q = 0; q < d->y.w; q++) {
                    const pool_window w = window_at(d, p, q);
                    if (y < w.top || y >= w.bottom) continue;
                    for (int s = w.left; s < w.right; s++)
                        row[s] += (double)dy[p * d->y.w + q] / w.divisor;
                }
            for (int s = 0; s < d->x.w; s++) dx[s] = (float)row[s];
        }
}
