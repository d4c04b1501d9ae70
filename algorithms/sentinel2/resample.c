#include "sentinel2/resample.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

bool s2clr_resampling_find(const char *name, s2clr_resampling *out)
{
    static const char *const names[] = {"nearest", "bilinear", "cubic"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *out = (s2clr_resampling)i;
        return true;
    }
    return false;
}

static double kernel(s2clr_resampling method, double distance)
{
    const double t = fabs(distance);
    if (method == S2CLR_RESAMPLE_BILINEAR) return t < 1 ? 1 - t : 0;
    if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
    return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

void s2clr_taps_clear(s2clr_taps *taps)
{
    s2clr_free(taps->nearest);
    s2clr_free(taps->index);
    s2clr_free(taps->weight);
    memset(taps, 0, sizeof *taps);
}

static int clamp_index(double i, int size)
{
    return i < 0 ? 0 : i > size - 1 ? size - 1 : (int)i;
}

/* Taps of one target pixel whose centre lies at source coordinate u. */
static void fill_taps(s2clr_resampling method, s2clr_axis axis, double u, int taps, int *index,
                      double *weight)
{
    const double widen = axis.scale > 1 ? axis.scale : 1;
    const double radius = (method == S2CLR_RESAMPLE_CUBIC ? 2 : 1) * widen;
    const double start = floor(u - 0.5 - radius) + 1;
    double sum = 0;
    for (int k = 0; k < taps; k++) {
        const double i = start + k;
        const bool inside = i >= 0 && i < axis.size;
        index[k] = clamp_index(i, axis.size);
        weight[k] = inside ? kernel(method, (i + 0.5 - u) / widen) : 0;
        sum += weight[k];
    }
    for (int k = 0; k < taps; k++) weight[k] = sum > 0 ? weight[k] / sum : 0;
}

static int tap_count(s2clr_resampling method, s2clr_axis axis)
{
    if (method == S2CLR_RESAMPLE_NEAREST) return 1;
    const double widen = axis.scale > 1 ? axis.scale : 1;
    return (int)ceil((method == S2CLR_RESAMPLE_CUBIC ? 4 : 2) * widen);
}

s2clr_status s2clr_taps_make(s2clr_resampling method, s2clr_axis axis, int64_t first, int count,
                             s2clr_taps *out)
{
    s2clr_taps t = {.count = count, .taps = tap_count(method, axis)};
    size_t cells;
    s2clr_status status = s2clr_size_mul((size_t)count, (size_t)t.taps, &cells);
    if (!status)
        status = s2clr_alloc((size_t)count, sizeof(int), "resampling", (void **)&t.nearest);
    if (!status) status = s2clr_alloc(cells, sizeof(int), "resampling", (void **)&t.index);
    if (!status) status = s2clr_alloc(cells, sizeof(double), "resampling", (void **)&t.weight);
    if (status) {
        s2clr_taps_clear(&t);
        return status;
    }
    for (int i = 0; i < count; i++) {
        const double u = axis.scale * ((double)(first + i) + 0.5) + axis.shift;
        const double under = floor(u);
        const size_t at = (size_t)i * (size_t)t.taps;
        t.nearest[i] = under >= 0 && under < axis.size ? (int)under : -1;
        if (method == S2CLR_RESAMPLE_NEAREST) {
            t.index[at] = clamp_index(under, axis.size);
            t.weight[at] = 1;
        } else {
            fill_taps(method, axis, u, t.taps, t.index + at, t.weight + at);
        }
    }
    *out = t;
    return S2CLR_OK;
}

bool s2clr_taps_range(const s2clr_taps *taps, int *low, int *high)
{
    int a = INT_MAX, b = -1;
    for (int i = 0; i < taps->count; i++) {
        if (taps->nearest[i] < 0) continue;
        const int *index = taps->index + (size_t)i * (size_t)taps->taps;
        for (int k = 0; k < taps->taps; k++) {
            if (index[k] < a) a = index[k];
            if (index[k] > b) b = index[k];
        }
    }
    if (b < 0) return false;
    *low = a;
    *high = b;
    return true;
}

void s2clr_resampler_clear(s2clr_resampler *resampler)
{
    s2clr_taps_clear(&resampler->x);
    s2clr_taps_clear(&resampler->y);
    s2clr_taps_clear(&resampler->safe_x);
    s2clr_taps_clear(&resampler->safe_y);
}

s2clr_status s2clr_resampler_make(s2clr_resampling method, s2clr_axis x, s2clr_axis y,
                                  const int64_t first[2], const int count[2], s2clr_resampler *out)
{
    const s2clr_resampling safe = method == S2CLR_RESAMPLE_CUBIC ? S2CLR_RESAMPLE_BILINEAR : method;
    s2clr_resampler r = {0};
    s2clr_status status = s2clr_taps_make(method, x, first[0], count[0], &r.x);
    if (!status) status = s2clr_taps_make(method, y, first[1], count[1], &r.y);
    if (!status) status = s2clr_taps_make(safe, x, first[0], count[0], &r.safe_x);
    if (!status) status = s2clr_taps_make(safe, y, first[1], count[1], &r.safe_y);
    if (status) {
        s2clr_resampler_clear(&r);
        return status;
    }
    *out = r;
    return S2CLR_OK;
}

static void run_row(const s2clr_taps *x, const float *source, int x0, double *out)
{
    for (int i = 0; i < x->count; i++) {
        const size_t at = (size_t)i * (size_t)x->taps;
        double sum = 0;
        if (x->nearest[i] < 0) { /* its taps may lie outside the piece */
            out[i] = 0;
            continue;
        }
        for (int k = 0; k < x->taps; k++)
            sum += x->weight[at + (size_t)k] * (double)source[x->index[at + (size_t)k] - x0];
        out[i] = sum;
    }
}

/* Weighted mean of the valid neighbours of target pixel (i, j). The nearest pixel is valid and its
 * weight is positive, so the sum of weights is never 0. */
static float safe_value(const s2clr_resampler *r, const s2clr_piece *piece, int i, int j)
{
    const s2clr_taps *x = &r->safe_x, *y = &r->safe_y;
    double sum = 0, weights = 0;
    for (int l = 0; l < y->taps; l++) {
        const size_t ty = (size_t)j * (size_t)y->taps + (size_t)l;
        const size_t line = (size_t)(y->index[ty] - piece->y0) * (size_t)piece->width;
        for (int k = 0; k < x->taps; k++) {
            const size_t tx = (size_t)i * (size_t)x->taps + (size_t)k;
            const size_t at = line + (size_t)(x->index[tx] - piece->x0);
            const double weight = piece->ok[at] ? y->weight[ty] * x->weight[tx] : 0;
            sum += weight * (double)piece->values[at];
            weights += weight;
        }
    }
    return (float)(sum / weights);
}

static bool has_bad_tap(const s2clr_resampler *r, const s2clr_piece *piece, int i, int j)
{
    for (int l = 0; l < r->y.taps; l++) {
        const size_t ty = (size_t)j * (size_t)r->y.taps + (size_t)l;
        const size_t line = (size_t)(r->y.index[ty] - piece->y0) * (size_t)piece->width;
        if (r->y.weight[ty] == 0) continue;
        for (int k = 0; k < r->x.taps; k++) {
            const size_t tx = (size_t)i * (size_t)r->x.taps + (size_t)k;
            if (r->x.weight[tx] != 0 && !piece->ok[line + (size_t)(r->x.index[tx] - piece->x0)])
                return true;
        }
    }
    return false;
}

/* One output row out of the horizontally resampled source rows: each sum in the order of its taps,
 * a block of pixels at a time, so that the inner loop runs along the row. */
static void mix_rows(const s2clr_resampler *r, const double *rows, int j, float *values)
{
    enum { BLOCK = 64 };
    const int n = r->x.count, taps = r->y.taps;
    for (int first = 0; first < n; first += BLOCK) {
        const int count = n - first < BLOCK ? n - first : BLOCK;
        double sum[BLOCK] = {0};
        for (int l = 0; l < taps; l++) {
            const size_t ty = (size_t)j * (size_t)taps + (size_t)l;
            const double weight = r->y.weight[ty];
            const double *row = rows + (size_t)(r->y.index[ty] % taps) * (size_t)n + first;
            for (int i = 0; i < count; i++) sum[i] += weight * row[i];
        }
        for (int i = 0; i < count; i++) values[first + i] = (float)sum[i];
    }
}

static void mask_row(const s2clr_resampler *r, const s2clr_piece *piece, int j, float *values,
                     uint8_t *valid)
{
    const int row = r->y.nearest[j];
    for (int i = 0; i < r->x.count; i++) {
        const int column = r->x.nearest[i];
        if (column < 0 || row < 0)
            valid[i] = 0;
        else if (piece->all_ok)
            continue;
        else if (!piece->ok[(size_t)(row - piece->y0) * (size_t)piece->width +
                            (size_t)(column - piece->x0)])
            valid[i] = 0;
        else if (has_bad_tap(r, piece, i, j))
            values[i] = safe_value(r, piece, i, j);
    }
}

void s2clr_resampler_run(const s2clr_resampler *resampler, const s2clr_piece *piece, double *row,
                         float *values, uint8_t *valid, int64_t stride)
{
    const s2clr_taps *x = &resampler->x, *y = &resampler->y;
    int done = -1; /* source rows up to here have been resampled into their ring slot */
    for (int j = 0; j < y->count; j++) {
        float *out = values + j * stride;
        if (y->nearest[j] < 0) {
            memset(valid + j * stride, 0, (size_t)x->count);
            continue;
        }
        for (int l = 0; l < y->taps; l++) {
            const int source = y->index[(size_t)j * (size_t)y->taps + (size_t)l];
            if (source <= done) continue;
            run_row(x, piece->values + (size_t)(source - piece->y0) * (size_t)piece->width,
                    piece->x0, row + (size_t)(source % y->taps) * (size_t)x->count);
            done = source;
        }
        mix_rows(resampler, row, j, out);
        mask_row(resampler, piece, j, out, valid + j * stride);
    }
}
