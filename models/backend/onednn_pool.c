/* Own loops for pooling and thinning over the native layout; see onednn_loops.c for how they are
 * compiled. */
#include "backend/onednnp.h"

#include <math.h>
#include <string.h>

BODY void mean(const size_t lanes, size_t plane, const float *restrict x, float *restrict y)
{
    double sum[S2CLR_DNNL_LANES] = {0};
    for (size_t p = 0; p < plane; p++)
        for (size_t l = 0; l < lanes; l++) sum[l] += (double)x[p * lanes + l];
    for (size_t l = 0; l < lanes; l++) y[l] = (float)(sum[l] / (double)plane);
}

CLONES void s2clr_dnnl_meanpool(const s2clr_dnnl_view *x_view, const float *x, float *y)
{
    const size_t plane = x_view->plane, lanes = x_view->lanes;
    for (size_t i = 0; i < x_view->n * x_view->blocks; i++) switch (lanes) {
        case 16:
            mean(16, plane, x + i * plane * 16, y + i * 16);
            break;
        case 8:
            mean(8, plane, x + i * plane * 8, y + i * 8);
            break;
        default:
            mean(1, plane, x + i * plane, y + i);
            break;
        }
}

CLONES void s2clr_dnnl_meanpool_backward(const s2clr_dnnl_view *x_view, const float *dy, float *dx)
{
    const size_t plane = x_view->plane, lanes = x_view->lanes;
    const float count = (float)plane;
    for (size_t i = 0; i < x_view->n * x_view->blocks; i++)
        for (size_t p = 0; p < plane; p++)
            for (size_t l = 0; l < lanes; l++)
                dx[(i * plane + p) * lanes + l] = dy[i * lanes + l] / count;
}

/* The part of a window that lies inside the map. */
typedef struct span {
    int from, to; /* taps [from, to) */
    int at;       /* input position of tap 0 */
} span;

static inline span clip(int output, int kernel, int stride, int pad, int size)
{
    span s = {.from = 0, .to = kernel, .at = output * stride - pad};
    if (s.at < 0) s.from = -s.at;
    if (s.at + s.to > size) s.to = size - s.at;
    return s;
}

typedef struct maps {
    int xh, xw, yh, yw;
    s2clr_window window;
} maps;

/* A window's largest value of one channel, and its tap; NaN wins and stays. */
BODY void max_one(const float *x, int width, span rows, span cols, int kernel, float *y,
                  int32_t *winner)
{
    float best = -INFINITY;
    int32_t tap = rows.from * kernel + cols.from;
    for (int r = rows.from; r < rows.to; r++)
        for (int c = cols.from; c < cols.to; c++) {
            const float value = x[(rows.at + r) * width + cols.at + c];
            if (!(value > best || isnan(value))) continue;
            best = value;
            tap = r * kernel + c;
        }
    *y = best;
    if (winner != NULL) *winner = tap;
}

/* The same of eight channels at once. */
BODY void max_eight(const size_t lanes, const float *x, int width, span rows, span cols, int kernel,
                    float *y, int32_t *winner)
{
    eight_floats best = (eight_floats){0} - INFINITY;
    eight_ints tap = (eight_ints){0} + (rows.from * kernel + cols.from);
    for (int r = rows.from; r < rows.to; r++)
        for (int c = cols.from; c < cols.to; c++) {
            eight_floats value;
            memcpy(&value, x + (size_t)((rows.at + r) * width + cols.at + c) * lanes, sizeof value);
            const eight_ints wins = (value > best) | (value != value);
            best = (eight_floats)(((eight_ints)value & wins) | ((eight_ints)best & ~wins));
            tap = (((eight_ints){0} + (r * kernel + c)) & wins) | (tap & ~wins);
        }
    memcpy(y, &best, sizeof best);
    if (winner != NULL) memcpy(winner, &tap, sizeof tap);
}

BODY void max_window(const size_t lanes, const float *x, int width, span rows, span cols,
                     int kernel, float *y, int32_t *winner)
{
    if (lanes == 1) max_one(x, width, rows, cols, kernel, y, winner);
    for (size_t l = 0; l + 8 <= lanes; l += 8)
        max_eight(lanes, x + l, width, rows, cols, kernel, y + l,
                  winner == NULL ? NULL : winner + l);
}

BODY void max_map(const size_t lanes, const maps *m, const float *x, float *y, int32_t *winner)
{
    const s2clr_window v = m->window;
    for (int i = 0; i < m->yh; i++) {
        const span rows = clip(i, v.h, v.stride, v.top, m->xh);
        for (int j = 0; j < m->yw; j++) {
            const size_t at = (size_t)(i * m->yw + j) * lanes;
            max_window(lanes, x, m->xw, rows, clip(j, v.w, v.stride, v.left, m->xw), v.w, y + at,
                       winner == NULL ? NULL : winner + at);
        }
    }
}

CLONES void s2clr_dnnl_maxpool(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view,
                               s2clr_window window, const float *x, float *y, int32_t *winner)
{
    const maps m = {x_view->h, x_view->w, y_view->h, y_view->w, window};
    const size_t x_size = x_view->plane * x_view->lanes, y_size = y_view->plane * y_view->lanes;
    for (size_t i = 0; i < x_view->n * x_view->blocks; i++) {
        int32_t *won = winner == NULL ? NULL : winner + i * y_size;
        switch (x_view->lanes) {
        case 16:
            max_map(16, &m, x + i * x_size, y + i * y_size, won);
            break;
        case 8:
            max_map(8, &m, x + i * x_size, y + i * y_size, won);
            break;
        default:
            max_map(1, &m, x + i * x_size, y + i * y_size, won);
            break;
        }
    }
}

BODY void max_map_backward(const size_t lanes, const maps *m, const int32_t *restrict winner,
                           const float *restrict dy, float *restrict dx)
{
    const s2clr_window v = m->window;
    for (int i = 0; i < m->yh; i++) {
        const span rows = clip(i, v.h, v.stride, v.top, m->xh);
        for (int j = 0; j < m->yw; j++) {
            const span cols = clip(j, v.w, v.stride, v.left, m->xw);
            const size_t at = (size_t)(i * m->yw + j) * lanes;
            for (int r = rows.from; r < rows.to; r++)
                for (int c = cols.from; c < cols.to; c++) {
                    const int32_t tap = r * v.w + c;
                    float *sum = dx + (size_t)((rows.at + r) * m->xw + cols.at + c) * lanes;
                    float share[S2CLR_DNNL_LANES];
                    memcpy(share, dy + at, lanes * sizeof *share);
                    for (size_t l = 0; l < lanes; l++)
                        share[l] = winner[at + l] == tap ? share[l] : 0.0f;
                    for (size_t l = 0; l < lanes; l++) sum[l] += share[l];
                }
        }
    }
}

CLONES void s2clr_dnnl_maxpool_backward(const s2clr_dnnl_view *x_view,
                                        const s2clr_dnnl_view *y_view, s2clr_window window,
                                        const int32_t *winner, const float *dy, float *dx)
{
    const maps m = {x_view->h, x_view->w, y_view->h, y_view->w, window};
    const size_t x_size = x_view->plane * x_view->lanes, y_size = y_view->plane * y_view->lanes;
    memset(dx, 0, s2clr_dnnl_view_floats(x_view) * sizeof *dx);
    for (size_t i = 0; i < x_view->n * x_view->blocks; i++) {
        const int32_t *won = winner + i * y_size;
        switch (x_view->lanes) {
        case 16:
            max_map_backward(16, &m, won, dy + i * y_size, dx + i * x_size);
            break;
        case 8:
            max_map_backward(8, &m, won, dy + i * y_size, dx + i * x_size);
            break;
        default:
            max_map_backward(1, &m, won, dy + i * y_size, dx + i * x_size);
            break;
        }
    }
}

/* y_view gives the size of a thinned map; the channels are x's. */
void s2clr_dnnl_thin(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view, int stride,
                     size_t element, const void *x, void *thin)
{
    const size_t pixel = x_view->lanes * element, step = (size_t)stride * pixel;
    const size_t width = (size_t)x_view->w;
    const char *from = x;
    char *to = thin;
    for (size_t i = 0; i < x_view->n * x_view->blocks; i++, from += x_view->plane * pixel)
        for (size_t r = 0; r < (size_t)y_view->h; r++)
            for (size_t c = 0; c < (size_t)y_view->w; c++, to += pixel)
                memcpy(to, from + (r * width + c) * step, pixel);
}

void s2clr_dnnl_unthin(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view, int stride,
                       size_t element, const void *thin, void *dx)
{
    const size_t pixel = x_view->lanes * element, step = (size_t)stride * pixel;
    const size_t width = (size_t)x_view->w;
    const char *from = thin;
    char *to = dx;
    memset(dx, 0, s2clr_dnnl_view_floats(x_view) * element);
    for (size_t i = 0; i < x_view->n * x_view->blocks; i++, to += x_view->plane * pixel)
        for (size_t r = 0; r < (size_t)y_view->h; r++)
            for (size_t c = 0; c < (size_t)y_view->w; c++, from += pixel)
                memcpy(to + (r * width + c) * step, from, pixel);
}
