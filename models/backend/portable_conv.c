/*
 * Convolution, forward and backward. Every inner loop runs along a row of the map, and padding is
 * skipped instead of multiplied: 0 * inf would be NaN.
 */
#include "backend/pportable.h"

#include <string.h>

/* Channels [begin, end). */
typedef struct channel_run {
    int begin, end;
} channel_run;

/* The input channels that output channel k sees. */
static channel_run seen_by(const s2clr_op_desc *d, int k)
{
    const int group = k / (d->y.c / d->groups), each = d->x.c / d->groups;
    return (channel_run){group * each, (group + 1) * each};
}

/* The output channels that see input channel c. */
static channel_run seeing(const s2clr_op_desc *d, int c)
{
    const int group = c / (d->x.c / d->groups), each = d->y.c / d->groups;
    return (channel_run){group * each, (group + 1) * each};
}

/* The (R, S) taps that join input channel c to output channel k, which sees it. */
static const float *weight_taps(const s2clr_op_desc *d, const void *packed, int k, int c)
{
    const size_t taps = (size_t)d->window.h * (size_t)d->window.w;
    const size_t row = (size_t)k * (size_t)(d->x.c / d->groups);
    return (const float *)packed + (row + (size_t)(c - seen_by(d, k).begin)) * taps;
}

/* row[q] += sum over c, r, s of weight[k][c][r][s] * x[n][c][p * stride + r - top][...] */
static void gather_row(const s2clr_op_desc *d, const s2clr_op_args *a, int n, int k, int p,
                       double *row)
{
    const s2clr_window v = d->window;
    const channel_run run = seen_by(d, k);
    for (int c = run.begin; c < run.end; c++) {
        const float *const weight = weight_taps(d, a->packed, k, c); // (R, S)
        for (int r = 0; r < v.h; r++) {
            const int y = p * v.stride + r - v.top;
            if (y < 0 || y >= d->x.h) continue;
            const float *const x = (const float *)a->x + portable_row(d->x, n, c, y);
            for (int s = 0; s < v.w; s++) {
                const portable_span in = portable_inside(s, v.stride, v.left, d->x.w, d->y.w);
                const double w = (double)weight[r * v.w + s];
                for (int q = in.begin; q < in.end; q++)
                    row[q] += w * (double)x[q * v.stride + s - v.left];
            }
        }
    }
}

void portable_conv_forward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    const float *const bias = (const float *)a->packed + s2clr_op_weight_count(d); // (K)
    for (int n = 0; n < d->y.n; n++)
        for (int k = 0; k < d->y.c; k++)
            for (int p = 0; p < d->y.h; p++) {
                const size_t at = portable_row(d->y, n, k, p);
                float *const y = (float *)a->y + at;
                for (int q = 0; q < d->y.w; q++) row[q] = d->bias ? (double)bias[k] : 0;
                gather_row(d, a, n, k, p, row);
                if (d->residual)
                    for (int q = 0; q < d->y.w; q++)
                        row[q] += (double)((const float *)a->residual)[at + (size_t)q];
                for (int q = 0; q < d->y.w; q++) y[q] = portable_act(row[q], d->relu);
            }
}

/* row[x] += sum over k, r, s of weight[k][c][r][s] * dy[n][k][p][q], for the outputs that read
 * pixel (y, x) of channel c. */
static void scatter_row(const s2clr_op_desc *d, const s2clr_op_args *a, int n, int c, int y,
                        double *row)
{
    const s2clr_window v = d->window;
    const channel_run run = seeing(d, c);
    for (int k = run.begin; k < run.end; k++) {
        const float *const weight = weight_taps(d, a->packed, k, c); // (R, S)
        for (int r = 0; r < v.h; r++) {
            const int top = y + v.top - r;
            if (top < 0 || top % v.stride != 0 || top / v.stride >= d->y.h) continue;
            const float *const dy = (const float *)a->dy + portable_row(d->y, n, k, top / v.stride);
            for (int s = 0; s < v.w; s++) {
                const portable_span in = portable_inside(s, v.stride, v.left, d->x.w, d->y.w);
                const double w = (double)weight[r * v.w + s];
                for (int q = in.begin; q < in.end; q++)
                    row[q * v.stride + s - v.left] += w * (double)dy[q];
            }
        }
    }
}

static void backward_data(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    for (int n = 0; n < d->x.n; n++)
        for (int c = 0; c < d->x.c; c++)
            for (int y = 0; y < d->x.h; y++) {
                float *const dx = (float *)a->dx + portable_row(d->x, n, c, y);
                memset(row, 0, (size_t)d->x.w * sizeof *row);
                scatter_row(d, a, n, c, y, row);
                for (int x = 0; x < d->x.w; x++) dx[x] = (float)row[x];
            }
}

/* Sum over n, p, q of dy[n][k][p][q] * x[n][c][p * stride + r - top][q * stride + s - left]. */
static double correlate(const s2clr_op_desc *d, const s2clr_op_args *a, int k, int c, int r, int s)
{
    const s2clr_window v = d->window;
    const portable_span rows = portable_inside(r, v.stride, v.top, d->x.h, d->y.h);
    const portable_span columns = portable_inside(s, v.stride, v.left, d->x.w, d->y.w);
    double sum = 0;
    for (int n = 0; n < d->y.n; n++)
        for (int p = rows.begin; p < rows.end; p++) {
            const float *const dy = (const float *)a->dy + portable_row(d->y, n, k, p);
            const float *const x =
                (const float *)a->x + portable_row(d->x, n, c, p * v.stride + r - v.top);
            for (int q = columns.begin; q < columns.end; q++)
                sum += (double)dy[q] * (double)x[q * v.stride + s - v.left];
        }
    return sum;
}

static void backward_weight(const s2clr_op_desc *d, const s2clr_op_args *a)
{
    float *dweight = a->dweight; // (K, C / groups, R, S)
    for (int k = 0; k < d->y.c; k++)
        for (int c = seen_by(d, k).begin; c < seen_by(d, k).end; c++)
            for (int r = 0; r < d->window.h; r++)
                for (int s = 0; s < d->window.w; s++)
                    *dweight++ = (float)correlate(d, a, k, c, r, s);
}

static void backward_bias(const s2clr_op_desc *d, const s2clr_op_args *a)
{
    const size_t plane = (size_t)d->y.h * (size_t)d->y.w;
    for (int k = 0; k < d->y.c; k++) {
        double sum = 0;
        for (int n = 0; n < d->y.n; n++) {
            const float *const dy = (const float *)a->dy + portable_row(d->y, n, k, 0);
            for (size_t i = 0; i < plane; i++) sum += (double)dy[i];
        }
        a->dbias[k] = (float)sum;
    }
}

void portable_conv_backward(const s2clr_op_desc *d, const s2clr_op_args *a, double *row)
{
    if (a->dx) backward_data(d, a, row);
    if (a->dweight) backward_weight(d, a);
    if (a->dbias) backward_bias(d, a);
}
