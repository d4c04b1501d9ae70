/*
 * Body of onednn_wino8.c and onednn_wino16.c, which define LANES, TARGET and the vector operations
 * MADD(scalar, vector, sum) and RELU(vector).
 *
 * Layouts, L = LANES:
 *   u  (oc / 2L, 36, ic, 2L)      panels; the last is L wide when oc / L is odd
 *   du  as u, but one panel alone when all tiles are one group
 *   v      (36, group, ic + skew) transformed x
 *   m      (36, group, oc + skew) products, or transformed dy
 */
#include <stdint.h>
#include <string.h>

#include "backend/onednn_winograd.h"

#define INLINE TARGET static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(LANES * sizeof(float))));
typedef float loose __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

INLINE vec load(const float *from)
{
    return *(const loose *)(const void *)from;
}

INLINE void store(float *to, vec value)
{
    *(loose *)(void *)to = value;
}

/* ---- the six-point transforms; s: distance of neighbours ---- */

INLINE void input_transform(const vec *d, size_t s, vec *t, size_t r) // B^T: 6 -> 6
{
    const vec even = d[4 * s] - 4.0f * d[2 * s], odd = d[3 * s] - 4.0f * d[s];
    const vec even2 = d[4 * s] - d[2 * s], odd2 = 2.0f * (d[3 * s] - d[s]);
    t[0] = 4.0f * d[0] - 5.0f * d[2 * s] + d[4 * s];
    t[r] = even + odd;
    t[2 * r] = even - odd;
    t[3 * r] = even2 + odd2;
    t[4 * r] = even2 - odd2;
    t[5 * r] = 4.0f * d[s] - 5.0f * d[3 * s] + d[5 * s];
}

INLINE void output_transform(const vec *m, size_t s, vec *y, size_t r) // A^T: 6 -> 4
{
    const vec sum1 = m[s] + m[2 * s], difference1 = m[s] - m[2 * s];
    const vec sum2 = m[3 * s] + m[4 * s], difference2 = m[3 * s] - m[4 * s];
    y[0] = m[0] + sum1 + sum2;
    y[r] = difference1 + 2.0f * difference2;
    y[2 * r] = sum1 + 4.0f * sum2;
    y[3 * r] = difference1 + 8.0f * difference2 + m[5 * s];
}

INLINE void gradient_transform(const vec *y, size_t s, vec *m, size_t r) // A: 4 -> 6
{
    const vec even = y[0] + y[2 * s], odd = y[s] + y[3 * s];
    const vec even2 = y[0] + 4.0f * y[2 * s], odd2 = 2.0f * y[s] + 8.0f * y[3 * s];
    m[0] = y[0];
    m[r] = even + odd;
    m[2 * r] = even - odd;
    m[3 * r] = even2 + odd2;
    m[4 * r] = even2 - odd2;
    m[5 * r] = y[3 * s];
}

INLINE void weight_transform(const vec *w, size_t s, vec *u, size_t r) // G: 3 -> 6
{
    const vec ends = (w[0] + w[2 * s]) * (1.0f / 6), middle = w[s] * (1.0f / 6);
    const vec ends2 = w[0] * (1.0f / 24) + w[2 * s] * (1.0f / 6), middle2 = w[s] * (1.0f / 12);
    u[0] = w[0] * 0.25f;
    u[r] = -ends - middle;
    u[2 * r] = middle - ends;
    u[3 * r] = ends2 + middle2;
    u[4 * r] = ends2 - middle2;
    u[5 * r] = w[2 * s];
}

INLINE void kernel_transform(const vec *u, size_t s, vec *w, size_t r) // G^T: 6 -> 3
{
    const vec sum1 = (u[s] + u[2 * s]) * (1.0f / 6), sum2 = u[3 * s] + u[4 * s];
    w[0] = u[0] * 0.25f - sum1 + sum2 * (1.0f / 24);
    w[r] = (u[2 * s] - u[s]) * (1.0f / 6) + (u[3 * s] - u[4 * s]) * (1.0f / 12);
    w[2 * r] = sum2 * (1.0f / 6) - sum1 + u[5 * s];
}

/* ---- tiles ---- */

typedef struct tile {
    size_t image;
    int row, col;   /* of its first output */
    int rows, cols; /* outputs inside the map */
} tile;

static tile tile_at(const s2clr_winograd *shape, size_t index)
{
    const size_t cols = (size_t)shape->tile_cols, each = cols * (size_t)shape->tile_rows;
    tile t = {.image = index / each};
    t.row = 4 * (int)(index % each / cols);
    t.col = 4 * (int)(index % cols);
    t.rows = shape->oh - t.row < 4 ? shape->oh - t.row : 4;
    t.cols = shape->ow - t.col < 4 ? shape->ow - t.col : 4;
    return t;
}

/* A patch of rows x cols of a (h, w, L) plane from (row, col); zero outside the plane. */
INLINE void read_patch(const float *plane, int h, int w, int row, int col, int rows, int cols,
                       vec *out)
{
    const bool inside = row >= 0 && col >= 0 && row + rows <= h && col + cols <= w;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            const int y = row + i, x = col + j;
            if (inside || (y >= 0 && y < h && x >= 0 && x < w))
                out[i * cols + j] = load(plane + (y * w + x) * LANES);
            else
                out[i * cols + j] = (vec){0};
        }
}

/* V of one group of tiles: (36, group, stride). */
TARGET static void transform_x(const s2clr_winograd *shape, const float *x, size_t first,
                               size_t count, float *v)
{
    const size_t blocks = (size_t)shape->ic / LANES, stride = (size_t)shape->ic + WINOGRAD_SKEW;
    const size_t plane = (size_t)shape->ih * (size_t)shape->iw * LANES;
    for (size_t i = 0; i < count; i++) {
        const tile t = tile_at(shape, first + i);
        for (size_t b = 0; b < blocks; b++) {
            vec d[36], half[36], whole[36];
            read_patch(x + (t.image * blocks + b) * plane, shape->ih, shape->iw, t.row - shape->pad,
                       t.col - shape->pad, 6, 6, d);
            for (int k = 0; k < 6; k++) input_transform(d + k, 6, half + k, 6);
            for (int k = 0; k < 6; k++) input_transform(half + 6 * k, 1, whole + 6 * k, 1);
            for (size_t p = 0; p < 36; p++)
                store(v + (p * shape->group + i) * stride + b * LANES, whole[p]);
        }
    }
}

/* A dy A^T of one group of tiles. */
TARGET static void transform_dy(const s2clr_winograd *shape, const float *dy, size_t first,
                                size_t count, float *m)
{
    const size_t blocks = (size_t)shape->oc / LANES, stride = (size_t)shape->oc + WINOGRAD_SKEW;
    const size_t plane = (size_t)shape->oh * (size_t)shape->ow * LANES;
    for (size_t i = 0; i < count; i++) {
        const tile t = tile_at(shape, first + i);
        for (size_t b = 0; b < blocks; b++) {
            vec d[16], half[24], whole[36];
            read_patch(dy + (t.image * blocks + b) * plane, shape->oh, shape->ow, t.row, t.col, 4,
                       4, d);
            for (int k = 0; k < 4; k++) gradient_transform(d + k, 4, half + k, 4);
            for (int k = 0; k < 6; k++) gradient_transform(half + 4 * k, 1, whole + 6 * k, 1);
            for (size_t p = 0; p < 36; p++)
                store(m + (p * shape->group + i) * stride + b * LANES, whole[p]);
        }
    }
}

INLINE void write_tile(const s2clr_winograd *shape, tile t, const vec y[16], size_t block,
                       s2clr_winograd_finish finish, float *out)
{
    const vec bias = finish.bias == NULL ? (vec){0} : load(finish.bias + block * LANES);
    const size_t blocks = (size_t)shape->oc / LANES;
    float *plane = out + (t.image * blocks + block) * (size_t)shape->oh * (size_t)shape->ow * LANES;
    for (int i = 0; i < t.rows; i++)
        for (int j = 0; j < t.cols; j++) {
            float *to = plane + ((t.row + i) * shape->ow + t.col + j) * LANES;
            vec value = y[4 * i + j] + bias;
            if (finish.sum) value += load(to);
            store(to, finish.relu ? RELU(value) : value);
        }
}

TARGET static void transform_m(const s2clr_winograd *shape, const float *m, size_t first,
                               size_t count, s2clr_winograd_finish finish, float *y)
{
    const size_t blocks = (size_t)shape->oc / LANES, stride = (size_t)shape->oc + WINOGRAD_SKEW;
    for (size_t i = 0; i < count; i++) {
        const tile t = tile_at(shape, first + i);
        for (size_t b = 0; b < blocks; b++) {
            vec product[36], half[24], out[16];
            for (size_t p = 0; p < 36; p++)
                product[p] = load(m + (p * shape->group + i) * stride + b * LANES);
            for (int k = 0; k < 6; k++) output_transform(product + k, 6, half + k, 6);
            for (int k = 0; k < 4; k++) output_transform(half + 6 * k, 1, out + 4 * k, 1);
            write_tile(shape, t, out, b, finish, y);
        }
    }
}

/* ---- products: rows (1 to 6) x width (1 or 2) vectors of sums held in registers ---- */

/* to[r][...] = sum over k of a[r * a_row + k * a_step] * b[k * b_step ...], on top of what `to`
 * holds when `more`. */
typedef struct product {
    const float *a, *b;
    float *to;
    size_t depth, a_row, a_step, b_step, to_row;
    bool more;
} product;

INLINE void multiply(const int rows, const int width, const product p)
{
    vec sum[6][2];
    for (int r = 0; r < rows; r++)
        for (int w = 0; w < width; w++)
            sum[r][w] = p.more ? load(p.to + (size_t)r * p.to_row + (size_t)w * LANES) : (vec){0};
    const float *a = p.a, *b = p.b;
    for (size_t k = 0; k < p.depth; k++, a += p.a_step, b += p.b_step) {
        const vec first = load(b), second = width == 2 ? load(b + LANES) : first;
        for (int r = 0; r < rows; r++) {
            const float factor = a[(size_t)r * p.a_row];
            sum[r][0] = MADD(factor, first, sum[r][0]);
            if (width == 2) sum[r][1] = MADD(factor, second, sum[r][1]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int w = 0; w < width; w++)
            store(p.to + (size_t)r * p.to_row + (size_t)w * LANES, sum[r][w]);
}

TARGET static void multiply_rows(size_t rows, size_t width, const product p)
{
#define ROWS(r)                                                                                    \
    case r:                                                                                        \
        if (width == 2)                                                                            \
            multiply(r, 2, p);                                                                     \
        else                                                                                       \
            multiply(r, 1, p);                                                                     \
        break
    switch (rows) {
        ROWS(1);
        ROWS(2);
        ROWS(3);
        ROWS(4);
        ROWS(5);
    default:
        if (width == 2)
            multiply(6, 2, p);
        else
            multiply(6, 1, p);
    }
#undef ROWS
}

/* One or two blocks of output channels, whose weights lie together: (36, ic, width * L) in u. */
typedef struct panel {
    size_t block, width;
    size_t at, place; /* offset in u; floats from one place to the next */
} panel;

static panel panel_at(const s2clr_winograd *shape, size_t block)
{
    const size_t left = (size_t)shape->oc / LANES - block, ic = (size_t)shape->ic;
    panel p = {.block = block, .width = left < 2 ? 1 : 2};
    p.at = block / 2 * WINOGRAD_PLACES * (2 * LANES * ic + WINOGRAD_SKEW);
    p.place = p.width * LANES * ic + WINOGRAD_SKEW;
    return p;
}

/* m = v u for each place */
TARGET static void products_forward(const s2clr_winograd *shape, size_t count, const float *v,
                                    const float *u, float *m)
{
    const size_t ic = (size_t)shape->ic, blocks = (size_t)shape->oc / LANES;
    const size_t v_row = ic + WINOGRAD_SKEW, m_row = (size_t)shape->oc + WINOGRAD_SKEW;
    for (size_t place = 0; place < WINOGRAD_PLACES; place++)
        for (size_t block = 0; block < blocks; block += 2) {
            const panel q = panel_at(shape, block);
            product p = {.b = u + q.at + place * q.place,
                         .depth = ic,
                         .a_row = v_row,
                         .a_step = 1,
                         .b_step = q.width * LANES,
                         .to_row = m_row};
            for (size_t i = 0; i < count; i += 6) {
                p.a = v + (place * shape->group + i) * v_row;
                p.to = m + (place * shape->group + i) * m_row + block * LANES;
                multiply_rows(count - i < 6 ? count - i : 6, q.width, p);
            }
        }
}

/* One panel of du (+)= v^T m for each place. */
TARGET static void products_gradient(const s2clr_winograd *shape, size_t count, const float *v,
                                     const float *m, panel q, bool more, float *du)
{
    const size_t ic = (size_t)shape->ic;
    const size_t v_row = ic + WINOGRAD_SKEW, m_row = (size_t)shape->oc + WINOGRAD_SKEW;
    for (size_t place = 0; place < WINOGRAD_PLACES; place++) {
        product p = {.b = m + place * shape->group * m_row + q.block * LANES,
                     .depth = count,
                     .a_row = 1,
                     .a_step = v_row,
                     .b_step = m_row,
                     .to_row = q.width * LANES,
                     .more = more};
        for (size_t c = 0; c < ic; c += 6) {
            p.a = v + place * shape->group * v_row + c;
            p.to = du + place * q.place + c * q.width * LANES;
            multiply_rows(ic - c < 6 ? ic - c : 6, q.width, p);
        }
    }
}

/* ---- the three operations ---- */

/* Taps of output lanes o..o+L and input channel i; zero beyond the real channels. */
INLINE void read_taps(const float *weight, size_t k, size_t c, size_t o, size_t i, bool turned,
                      vec w[9])
{
    for (size_t l = 0; l < LANES; l++) {
        const size_t from = turned ? i : o + l, to = turned ? o + l : i;
        const bool real = from < k && to < c;
        const float *taps = weight + (from * c + to) * 9;
        for (int t = 0; t < 9; t++) w[t][l] = real ? taps[turned ? 8 - t : t] : 0.0f;
    }
}

TARGET static void weights(const s2clr_winograd *shape, const float *weight, int k, int c,
                           bool turned, float *u)
{
    for (size_t block = 0; block < (size_t)shape->oc / LANES; block += 2) {
        const panel q = panel_at(shape, block);
        for (size_t i = 0; i < q.width * (size_t)shape->ic; i++) {
            vec w[9], half[18], whole[36];
            read_taps(weight, (size_t)k, (size_t)c, (block + i % q.width) * LANES, i / q.width,
                      turned, w);
            for (int t = 0; t < 3; t++) weight_transform(w + t, 3, half + t, 3);
            for (int t = 0; t < 6; t++) weight_transform(half + 3 * t, 1, whole + 6 * t, 1);
            for (size_t p = 0; p < WINOGRAD_PLACES; p++)
                store(u + q.at + p * q.place + i * LANES, whole[p]);
        }
    }
}

static void forward(const s2clr_winograd *shape, const float *x, const float *u,
                    s2clr_winograd_finish finish, float *y, float *scratch)
{
    float *m = scratch + WINOGRAD_PLACES * shape->group * ((size_t)shape->ic + WINOGRAD_SKEW);
    for (size_t first = 0; first < shape->tiles; first += shape->group) {
        const size_t left = shape->tiles - first;
        const size_t count = left < shape->group ? left : shape->group;
        transform_x(shape, x, first, count, scratch);
        products_forward(shape, count, scratch, u, m);
        transform_m(shape, m, first, count, finish, y);
    }
}

/* One panel of du -> its part of (k, c, 3, 3). */
TARGET static void write_gradient(panel q, const float *du, size_t k, size_t c, float *dweight)
{
    for (size_t i = 0; i < q.width * c; i++) {
        vec whole[36], half[18], w[9];
        const size_t first = (q.block + i % q.width) * LANES;
        for (size_t p = 0; p < WINOGRAD_PLACES; p++) whole[p] = load(du + p * q.place + i * LANES);
        for (int t = 0; t < 6; t++) kernel_transform(whole + t, 6, half + t, 6);
        for (int t = 0; t < 3; t++) kernel_transform(half + 6 * t, 1, w + 3 * t, 1);
        for (size_t l = 0; l < LANES && first + l < k; l++) {
            float *taps = dweight + ((first + l) * c + i / q.width) * 9;
            for (int t = 0; t < 9; t++) taps[t] = w[t][l];
        }
    }
}

static void gradient(const s2clr_winograd *shape, const float *x, const float *dy, int k, int c,
                     float *dweight, float *scratch)
{
    const bool alone = shape->group == shape->tiles;
    float *m = scratch + WINOGRAD_PLACES * shape->group * ((size_t)shape->ic + WINOGRAD_SKEW);
    float *du = m + WINOGRAD_PLACES * shape->group * ((size_t)shape->oc + WINOGRAD_SKEW);
    for (size_t first = 0; first < shape->tiles; first += shape->group) {
        const size_t left = shape->tiles - first;
        const size_t count = left < shape->group ? left : shape->group;
        transform_x(shape, x, first, count, scratch);
        transform_dy(shape, dy, first, count, m);
        for (size_t block = 0; block < (size_t)shape->oc / LANES; block += 2) {
            const panel q = panel_at(shape, block);
            float *part = du + (alone ? 0 : q.at);
            products_gradient(shape, count, scratch, m, q, first > 0, part);
            if (first + count == shape->tiles)
                write_gradient(q, part, (size_t)k, (size_t)c, dweight);
        }
    }
}
