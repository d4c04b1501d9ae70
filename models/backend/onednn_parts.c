/* Own loops over the native layout for what networks of several branches need: the mean of each
 * window, and channels put side by side. See onednn_loops.c for how they are compiled. */
#include "backend/onednnp.h"

#include <string.h>

/* Pixels [top, bottom) x [left, right) of a window, inside the map. */
typedef struct part {
    int top, bottom, left, right;
    float divisor;
} part;

static part part_at(const s2clr_dnnl_view *x_view, s2clr_window v, bool count_pad, int i, int j)
{
    part p = {.top = i * v.stride - v.top, .left = j * v.stride - v.left};
    p.bottom = p.top + v.h < x_view->h ? p.top + v.h : x_view->h;
    p.right = p.left + v.w < x_view->w ? p.left + v.w : x_view->w;
    if (p.top < 0) p.top = 0;
    if (p.left < 0) p.left = 0;
    p.divisor = count_pad ? (float)(v.h * v.w) : (float)((p.bottom - p.top) * (p.right - p.left));
    return p;
}

BODY void mean(const size_t lanes, const float *restrict x, size_t width, part p, float *restrict y)
{
    float sum[S2CLR_DNNL_LANES] = {0};
    for (int r = p.top; r < p.bottom; r++)
        for (int c = p.left; c < p.right; c++) {
            const float *value = x + ((size_t)r * width + (size_t)c) * lanes;
            for (size_t l = 0; l < lanes; l++) sum[l] += value[l];
        }
    for (size_t l = 0; l < lanes; l++) y[l] = sum[l] / p.divisor;
}

BODY void spread(const size_t lanes, const float *restrict dy, size_t width, part p,
                 float *restrict dx)
{
    float each[S2CLR_DNNL_LANES];
    for (size_t l = 0; l < lanes; l++) each[l] = dy[l] / p.divisor;
    for (int r = p.top; r < p.bottom; r++)
        for (int c = p.left; c < p.right; c++) {
            float *sum = dx + ((size_t)r * width + (size_t)c) * lanes;
            for (size_t l = 0; l < lanes; l++) sum[l] += each[l];
        }
}

CLONES void s2clr_dnnl_avgpool(const s2clr_dnnl_view *x_view, const s2clr_dnnl_view *y_view,
                               s2clr_window window, bool count_pad, const float *x, float *y)
{
    const size_t width = (size_t)x_view->w, lanes = x_view->lanes;
    for (size_t k = 0; k < x_view->n * x_view->blocks; k++, x += x_view->plane * lanes)
        for (int i = 0; i < y_view->h; i++)
            for (int j = 0; j < y_view->w; j++, y += lanes) {
                const part p = part_at(x_view, window, count_pad, i, j);
                BY_LANES(lanes, mean, x, width, p, y)
            }
}

CLONES void s2clr_dnnl_avgpool_backward(const s2clr_dnnl_view *x_view,
                                        const s2clr_dnnl_view *y_view, s2clr_window window,
                                        bool count_pad, const float *dy, float *dx)
{
    const size_t width = (size_t)x_view->w, lanes = x_view->lanes;
    memset(dx, 0, s2clr_dnnl_view_floats(x_view) * sizeof *dx);
    for (size_t k = 0; k < x_view->n * x_view->blocks; k++, dx += x_view->plane * lanes)
        for (int i = 0; i < y_view->h; i++)
            for (int j = 0; j < y_view->w; j++, dy += lanes) {
                const part p = part_at(x_view, window, count_pad, i, j);
                BY_LANES(lanes, spread, dy, width, p, dx)
            }
}

/* Where channel c of image i begins; its pixels are `lanes` apart. */
static size_t place_of(const s2clr_dnnl_view *view, size_t i, size_t c)
{
    const size_t block = i * view->blocks + c / view->lanes;
    return block * view->plane * view->lanes + c % view->lanes;
}

static void copy_channel(size_t plane, const float *from, size_t from_step, float *to,
                         size_t to_step)
{
    for (size_t p = 0; p < plane; p++) to[p * to_step] = from[p * from_step];
}

static void clear_rest(const s2clr_dnnl_view *view, size_t i, float *to)
{
    static const float zero = 0;
    for (size_t c = view->channels; c < view->blocks * view->lanes; c++)
        copy_channel(view->plane, &zero, 0, to + place_of(view, i, c), view->lanes);
}

void s2clr_dnnl_copy_channels(const s2clr_dnnl_view *from_view, size_t first, const float *from,
                              const s2clr_dnnl_view *to_view, size_t at, float *to, size_t count)
{
    const size_t lanes = to_view->lanes, plane = to_view->plane;
    const bool whole = from_view->lanes == lanes && first % lanes == 0 && at % lanes == 0;
    for (size_t i = 0; i < to_view->n; i++) {
        size_t c = whole ? count / lanes * lanes : 0;
        if (c > 0)
            memcpy(to + place_of(to_view, i, at), from + place_of(from_view, i, first),
                   c * plane * sizeof *to);
        for (; c < count; c++)
            copy_channel(plane, from + place_of(from_view, i, first + c), from_view->lanes,
                         to + place_of(to_view, i, at + c), lanes);
        if (at + count == to_view->channels) clear_rest(to_view, i, to);
    }
}
