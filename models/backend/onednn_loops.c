/*
 * Own loops over the native layout: everything but convolution.
 *
 * Each function is compiled three times (AVX-512, AVX2, baseline) and the loader picks one; the
 * `lanes` of the inlined bodies is a constant in each, so that the inner loops become vectors.
 * Reductions add in double, lane by lane, in one fixed order.
 */
#include "backend/onednnp.h"

#include <string.h>

static s2clr_dnnl_view view_make(s2clr_shape shape, int lanes)
{
    const s2clr_dnnl_view view = {
        .n = (size_t)shape.n,
        .blocks = ((size_t)shape.c + (size_t)lanes - 1) / (size_t)lanes,
        .lanes = (size_t)lanes,
        .channels = (size_t)shape.c,
        .plane = (size_t)shape.h * (size_t)shape.w,
        .h = shape.h,
        .w = shape.w,
    };
    return view;
}

s2clr_dnnl_view s2clr_dnnl_view_of(const s2clr_device *device, s2clr_shape shape)
{
    return view_make(shape, shape.c == 3 && !device->bf16 ? 1 : device->block);
}

s2clr_dnnl_view s2clr_dnnl_view_blocked(s2clr_shape shape, int block)
{
    return view_make(shape, block);
}

size_t s2clr_dnnl_view_floats(const s2clr_dnnl_view *view)
{
    return view->n * view->blocks * view->plane * view->lanes;
}

/* Real channels of a block. */
static size_t used_lanes(const s2clr_dnnl_view *view, size_t block)
{
    const size_t left = view->channels - block * view->lanes;
    return left < view->lanes ? left : view->lanes;
}

BODY void to_blocked(const size_t lanes, const float *restrict from, size_t plane, size_t used,
                     float *restrict to)
{
    if (used == lanes) {
        for (size_t p = 0; p < plane; p++)
            for (size_t l = 0; l < lanes; l++) to[p * lanes + l] = from[l * plane + p];
        return;
    }
    for (size_t p = 0; p < plane; p++)
        for (size_t l = 0; l < lanes; l++)
            to[p * lanes + l] = l < used ? from[l * plane + p] : 0.0f;
}

CLONES void s2clr_dnnl_to_blocked(const s2clr_dnnl_view *view, const float *nchw, float *blocked)
{
    for (size_t i = 0; i < view->n; i++)
        for (size_t b = 0; b < view->blocks; b++) {
            const float *from = nchw + (i * view->channels + b * view->lanes) * view->plane;
            float *to = blocked + (i * view->blocks + b) * view->plane * view->lanes;
            BY_LANES(view->lanes, to_blocked, from, view->plane, used_lanes(view, b), to)
        }
}

BODY void from_blocked(const size_t lanes, const float *restrict from, size_t plane, size_t used,
                       float *restrict to)
{
    for (size_t l = 0; l < used; l++)
        for (size_t p = 0; p < plane; p++) to[l * plane + p] = from[p * lanes + l];
}

CLONES void s2clr_dnnl_from_blocked(const s2clr_dnnl_view *view, const float *blocked, float *nchw)
{
    for (size_t i = 0; i < view->n; i++)
        for (size_t b = 0; b < view->blocks; b++) {
            const float *from = blocked + (i * view->blocks + b) * view->plane * view->lanes;
            float *to = nchw + (i * view->channels + b * view->lanes) * view->plane;
            BY_LANES(view->lanes, from_blocked, from, view->plane, used_lanes(view, b), to)
        }
}

CLONES void s2clr_dnnl_accumulate(size_t count, const float *x, float *sum)
{
    for (size_t i = 0; i < count; i++) sum[i] += x[i];
}

CLONES void s2clr_dnnl_add(size_t count, bool relu, const float *a, const float *b, float *y)
{
    if (b == NULL) {
        for (size_t i = 0; i < count; i++) y[i] = relu && a[i] < 0.0f ? 0.0f : a[i];
        return;
    }
    if (relu) {
        for (size_t i = 0; i < count; i++) {
            const float sum = a[i] + b[i];
            y[i] = sum < 0.0f ? 0.0f : sum;
        }
        return;
    }
    for (size_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

CLONES void s2clr_dnnl_mask(size_t count, const float *y, const float *dy, float *g)
{
    if (y == NULL) {
        memcpy(g, dy, count * sizeof *g);
        return;
    }
    for (size_t i = 0; i < count; i++) g[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

/* The lanes of block b of a per-channel vector, zero beyond the last channel. */
static void load_lanes(const s2clr_dnnl_view *view, size_t b, const float *values,
                       float out[S2CLR_DNNL_LANES])
{
    memset(out, 0, S2CLR_DNNL_LANES * sizeof *out);
    memcpy(out, values + b * view->lanes, used_lanes(view, b) * sizeof *out);
}

/* y may be x: the values of a pixel lie between reading and writing, else they would not be
 * computed as one vector. */
BODY void affine(const size_t lanes, size_t plane, const bool relu, const float *restrict scale,
                 const float *restrict shift, const float *x, float *y)
{
    for (size_t p = 0; p < plane; p++) {
        float value[S2CLR_DNNL_LANES];
        for (size_t l = 0; l < lanes; l++) value[l] = scale[l] * x[p * lanes + l] + shift[l];
        if (relu)
            for (size_t l = 0; l < lanes; l++) value[l] = value[l] < 0.0f ? 0.0f : value[l];
        for (size_t l = 0; l < lanes; l++) y[p * lanes + l] = value[l];
    }
}

CLONES void s2clr_dnnl_affine(const s2clr_dnnl_view *view, bool relu, const float *scale,
                              const float *shift, const float *x, float *y)
{
    const size_t size = view->plane * view->lanes;
    for (size_t b = 0; b < view->blocks; b++) {
        float a[S2CLR_DNNL_LANES], d[S2CLR_DNNL_LANES];
        load_lanes(view, b, scale, a);
        load_lanes(view, b, shift, d);
        for (size_t i = 0; i < view->n; i++) {
            const size_t at = (i * view->blocks + b) * size;
            if (relu) {
                BY_LANES(view->lanes, affine, view->plane, true, a, d, x + at, y + at)
            } else {
                BY_LANES(view->lanes, affine, view->plane, false, a, d, x + at, y + at)
            }
        }
    }
}

BODY void affine_backward(const size_t lanes, size_t plane, const float *restrict a,
                          const float *restrict b, const float *restrict d, const float *x,
                          const float *y, const float *dy, float *dx)
{
    for (size_t p = 0; p < plane; p++)
        for (size_t l = 0; l < lanes; l++) {
            const size_t i = p * lanes + l;
            const float g = y == NULL || y[i] > 0.0f ? dy[i] : 0.0f;
            dx[i] = a[l] * g + b[l] * x[i] + d[l];
        }
}

CLONES void s2clr_dnnl_affine_backward(const s2clr_dnnl_view *view, const float *const factors[3],
                                       const float *x, const float *y, const float *dy, float *dx)
{
    const size_t size = view->plane * view->lanes;
    for (size_t block = 0; block < view->blocks; block++) {
        float a[S2CLR_DNNL_LANES], b[S2CLR_DNNL_LANES], d[S2CLR_DNNL_LANES];
        load_lanes(view, block, factors[0], a);
        load_lanes(view, block, factors[1], b);
        load_lanes(view, block, factors[2], d);
        for (size_t i = 0; i < view->n; i++) {
            const size_t at = (i * view->blocks + block) * size;
            const float *activation = y == NULL ? NULL : y + at;
            BY_LANES(view->lanes, affine_backward, view->plane, a, b, d, x + at, activation,
                     dy + at, dx + at)
        }
    }
}

/* Even and odd pixels have sums of their own: one chain of additions would wait for itself. */
typedef struct {
    double sum[2][S2CLR_DNNL_LANES], product[2][S2CLR_DNNL_LANES];
} chains;

BODY void add_eight(const float *a, const float *b, eight_doubles *sum, eight_doubles *product)
{
    eight_floats x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    const eight_doubles value = __builtin_convertvector(x, eight_doubles);
    *sum += value;
    *product += value * __builtin_convertvector(y, eight_doubles);
}

BODY void reduce_eight(const size_t lanes, size_t pixels, const float *a, const float *b,
                       size_t lane, chains *c)
{
    eight_doubles s0, s1, t0, t1;
    memcpy(&s0, &c->sum[0][lane], sizeof s0);
    memcpy(&s1, &c->sum[1][lane], sizeof s1);
    memcpy(&t0, &c->product[0][lane], sizeof t0);
    memcpy(&t1, &c->product[1][lane], sizeof t1);
    size_t p = 0;
    for (; p + 2 <= pixels; p += 2) {
        add_eight(a + p * lanes + lane, b + p * lanes + lane, &s0, &t0);
        add_eight(a + (p + 1) * lanes + lane, b + (p + 1) * lanes + lane, &s1, &t1);
    }
    if (p < pixels) add_eight(a + p * lanes + lane, b + p * lanes + lane, &s0, &t0);
    memcpy(&c->sum[0][lane], &s0, sizeof s0);
    memcpy(&c->sum[1][lane], &s1, sizeof s1);
    memcpy(&c->product[0][lane], &t0, sizeof t0);
    memcpy(&c->product[1][lane], &t1, sizeof t1);
}

BODY void reduce_pixels(const size_t lanes, size_t pixels, const float *a, const float *b,
                        chains *c)
{
    for (size_t l = 0; l + 8 <= lanes; l += 8) reduce_eight(lanes, pixels, a, b, l, c);
    for (size_t p = 0; lanes == 1 && p < pixels; p++) {
        c->sum[p % 2][0] += (double)a[p];
        c->product[p % 2][0] += (double)a[p] * (double)b[p];
    }
}

/* Floats whose activation is looked at before they are added: apart, both loops are vectors. Whole
 * pairs of pixels, whatever the lanes. */
enum { REDUCE_RUN = 1024 };

BODY void reduce(const size_t lanes, size_t plane, const float *restrict a, const float *restrict b,
                 const float *restrict y, double *restrict sum, double *restrict product)
{
    chains c = {{{0}}, {{0}}};
    const size_t run = REDUCE_RUN / lanes;
    for (size_t p = 0; p < plane; p += run) {
        const size_t pixels = plane - p < run ? plane - p : run;
        const float *value = a + p * lanes;
        float kept[REDUCE_RUN];
        if (y != NULL) {
            for (size_t i = 0; i < pixels * lanes; i++)
                kept[i] = y[p * lanes + i] > 0.0f ? value[i] : 0.0f;
            value = kept;
        }
        reduce_pixels(lanes, pixels, value, b + p * lanes, &c);
    }
    for (size_t l = 0; l < lanes; l++) {
        sum[l] += c.sum[0][l] + c.sum[1][l];
        product[l] += c.product[0][l] + c.product[1][l];
    }
}

CLONES void s2clr_dnnl_reduce(const s2clr_dnnl_view *view, const float *a, const float *b,
                              const float *y, double *sums)
{
    const size_t size = view->plane * view->lanes;
    for (size_t block = 0; block < view->blocks; block++) {
        double sum[S2CLR_DNNL_LANES] = {0}, product[S2CLR_DNNL_LANES] = {0};
        for (size_t i = 0; i < view->n; i++) {
            const size_t at = (i * view->blocks + block) * size;
            const float *activation = y == NULL ? NULL : y + at;
            BY_LANES(view->lanes, reduce, view->plane, a + at, b + at, activation, sum, product)
        }
        const size_t used = used_lanes(view, block), first = block * view->lanes;
        memcpy(sums + first, sum, used * sizeof *sum);
        memcpy(sums + view->channels + first, product, used * sizeof *product);
    }
}

BODY void channel_sums(const size_t lanes, size_t plane, const float *restrict x,
                       double *restrict sum)
{
    double s[S2CLR_DNNL_LANES];
    memcpy(s, sum, lanes * sizeof *s);
    for (size_t p = 0; p < plane; p++)
        for (size_t l = 0; l < lanes; l++) s[l] += (double)x[p * lanes + l];
    memcpy(sum, s, lanes * sizeof *s);
}

CLONES void s2clr_dnnl_channel_sums(const s2clr_dnnl_view *view, const float *x, float *sums)
{
    const size_t size = view->plane * view->lanes;
    for (size_t block = 0; block < view->blocks; block++) {
        double sum[S2CLR_DNNL_LANES] = {0};
        for (size_t i = 0; i < view->n; i++) {
            const float *from = x + (i * view->blocks + block) * size;
            BY_LANES(view->lanes, channel_sums, view->plane, from, sum)
        }
        for (size_t l = 0; l < used_lanes(view, block); l++)
            sums[block * view->lanes + l] = (float)sum[l];
    }
}
