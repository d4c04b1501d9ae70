#include "predict/patch_lookup.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "predict/view_pool.h"

#define READ_FLOATS ((size_t)16 << 20) /* at most that many at once from the view */
#define NOWHERE INT_MIN

/* A pixel wanted, at the level that serves the request; x is NOWHERE for NaN coordinates. */
typedef struct wanted {
    int x, y;
    size_t at; /* in the buffer */
} wanted;

typedef struct lookup {
    s2clr_view *view;
    const s2clr_view_info *info;
    int band, bands;
    int factor;     /* level of the view that is read */
    int window[4];  /* column, row, columns, rows that hold all pixels wanted */
    wanted *pixels; // (count)
    size_t count, somewhere;
    float *out;
} lookup;

/* ---- indices ---- */

static s2clr_status outside(const s2clr_view_info *info, double x, double y)
{
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "pixel %.9g, %.9g is outside the %d x %d pixels of the map: the "
                           "coordinate sources belong to another raster or stride; write the VRT "
                           "again: s2clr vrt patch",
                           x, y, info->columns, info->rows);
}

static s2clr_status take_indices(const double *x, const double *y, lookup *l)
{
    for (size_t i = 0; i < l->count; i++) {
        wanted *w = &l->pixels[i];
        w->at = i;
        w->x = NOWHERE;
        if (isnan(x[i]) || isnan(y[i])) continue;
        const double column = floor(x[i] + 0.5), row = floor(y[i] + 0.5);
        if (!(column >= 0 && column < l->info->columns && row >= 0 && row < l->info->rows))
            return outside(l->info, x[i], y[i]);
        w->x = (int)column, w->y = (int)row;
        l->somewhere++;
    }
    return S2CLR_OK;
}

/* The factor by which a decimated request steps on both axes; 0 when it is no such lattice. */
static int lattice_step(const wanted *pixels, int columns, int rows)
{
    if (columns < 2 && rows < 2) return 0;
    const wanted first = pixels[0];
    const int step = columns > 1 ? pixels[1].x - first.x : pixels[columns].y - first.y;
    if (step < 1) return 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const wanted *w = &pixels[(size_t)r * (size_t)columns + (size_t)c];
            if (w->x != first.x + (int64_t)c * step || w->y != first.y + (int64_t)r * step)
                return 0;
        }
    return step;
}

/* Pixel i of level f is base pixel f*i + floor(f/2), which is just what nearest-neighbour
 * decimation by f asks for: then only the units of those pixels are computed. */
static void use_level(int columns, int rows, lookup *l)
{
    if (l->somewhere != l->count) return;
    const int step = lattice_step(l->pixels, columns, rows);
    if (step < 2 || (l->pixels[0].x - step / 2) % step || (l->pixels[0].y - step / 2) % step)
        return;
    for (int i = 0; i < l->info->levels; i++)
        if (l->info->level[i] == step) l->factor = step;
    if (l->factor != step) return;
    for (size_t i = 0; i < l->count; i++) {
        l->pixels[i].x = (l->pixels[i].x - step / 2) / step;
        l->pixels[i].y = (l->pixels[i].y - step / 2) / step;
    }
}

static void bound(lookup *l)
{
    int x0 = INT_MAX, y0 = INT_MAX, x1 = -1, y1 = -1;
    for (size_t i = 0; i < l->count; i++) {
        const wanted *w = &l->pixels[i];
        if (w->x == NOWHERE) continue;
        if (w->x < x0) x0 = w->x;
        if (w->x > x1) x1 = w->x;
        if (w->y < y0) y0 = w->y;
        if (w->y > y1) y1 = w->y;
    }
    l->window[0] = x0, l->window[1] = y0;
    l->window[2] = x1 - x0 + 1, l->window[3] = y1 - y0 + 1;
}

/* ---- one window ---- */

static int64_t hull(int first, int count, int block)
{
    return ((int64_t)(first + count - 1) / block - first / block + 1) * block;
}

/* Windows much smaller than the blocks they touch are better served by these, which are kept: a
 * program that asks row by row would compute each of them once per row. */
static bool is_window(const lookup *l)
{
    const int *w = l->window;
    const double area = (double)w[2] * w[3];
    const double blocks = (double)hull(w[0], w[2], l->info->block_columns) *
                          (double)hull(w[1], w[3], l->info->block_rows);
    return 2 * area >= blocks && 2 * (double)l->somewhere >= area;
}

/* Rows at once: whole blocks, as many as the buffer may hold. */
static int rows_at_once(const lookup *l)
{
    const size_t row = (size_t)l->bands * (size_t)l->window[2];
    const size_t fit = READ_FLOATS / row, block = (size_t)l->info->block_rows;
    const size_t rows = fit < block ? (fit ? fit : 1) : fit / block * block;
    return rows > (size_t)l->window[3] ? l->window[3] : (int)rows;
}

static s2clr_status read_rows(lookup *l, int row, int rows, float *buffer)
{
    const int *w = l->window;
    S2CLR_TRY(s2clr_view_read(l->view, l->factor, w[0], row, w[2], rows, buffer, NULL));
    const float *plane = buffer + (size_t)l->band * (size_t)rows * (size_t)w[2];
    for (size_t i = 0; i < l->count; i++) {
        const wanted *p = &l->pixels[i];
        if (p->x == NOWHERE || p->y < row || p->y >= row + rows) continue;
        l->out[p->at] = plane[(size_t)(p->y - row) * (size_t)w[2] + (size_t)(p->x - w[0])];
    }
    return S2CLR_OK;
}

static s2clr_status by_window(lookup *l)
{
    const int end = l->window[1] + l->window[3], most = rows_at_once(l);
    float *buffer;
    size_t floats;
    S2CLR_TRY(s2clr_size_mul((size_t)l->bands * (size_t)l->window[2], (size_t)most, &floats));
    S2CLR_TRY(s2clr_alloc(floats, sizeof *buffer, "pixels of a map", (void **)&buffer));
    s2clr_status status = S2CLR_OK;
    for (int row = l->window[1]; status == S2CLR_OK && row < end;) {
        /* The first piece ends at a block's border, so that the others are whole blocks. */
        int rows = most - (most >= l->info->block_rows ? row % l->info->block_rows : 0);
        if (rows > end - row) rows = end - row;
        status = read_rows(l, row, rows, buffer);
        row += rows;
    }
    s2clr_free(buffer);
    return status;
}

/* ---- block by block ---- */

/* Sorted by block, which qsort cannot be told of otherwise: x and y become block indices, `at` of
 * the pixel inside its block is kept beside. */
typedef struct placed {
    int block_y, block_x;
    size_t inside, at;
} placed;

static int by_block(const void *a, const void *b)
{
    const placed *p = a, *q = b;
    if (p->block_y != q->block_y) return p->block_y < q->block_y ? -1 : 1;
    if (p->block_x != q->block_x) return p->block_x < q->block_x ? -1 : 1;
    return 0;
}

static size_t place(const lookup *l, placed *out)
{
    const int w = l->info->block_columns, h = l->info->block_rows;
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        const wanted *p = &l->pixels[i];
        if (p->x == NOWHERE) continue;
        out[count++] = (placed){.block_y = p->y / h,
                                .block_x = p->x / w,
                                .inside = (size_t)(p->y % h) * (size_t)w + (size_t)(p->x % w),
                                .at = p->at};
    }
    qsort(out, count, sizeof *out, by_block);
    return count;
}

static s2clr_status read_blocks(lookup *l, const placed *list, size_t count, float *block)
{
    const size_t plane = (size_t)l->info->block_columns * (size_t)l->info->block_rows;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || by_block(&list[i - 1], &list[i]) != 0)
            S2CLR_TRY(
                s2clr_view_block(l->view, l->factor, list[i].block_x, list[i].block_y, block));
        l->out[list[i].at] = block[(size_t)l->band * plane + list[i].inside];
    }
    return S2CLR_OK;
}

static s2clr_status by_blocks(lookup *l)
{
    const size_t plane = (size_t)l->info->block_columns * (size_t)l->info->block_rows;
    placed *list;
    float *block;
    S2CLR_TRY(s2clr_alloc(l->count, sizeof *list, "pixels wanted", (void **)&list));
    s2clr_status status =
        s2clr_alloc((size_t)l->bands * plane, sizeof *block, "block", (void **)&block);
    if (status == S2CLR_OK) {
        status = read_blocks(l, list, place(l, list), block);
        s2clr_free(block);
    }
    s2clr_free(list);
    return status;
}

s2clr_status s2clr_patch_lookup_view(s2clr_view *view, int band, int columns, int rows,
                                     const double *x, const double *y, float *out)
{
    const s2clr_view_info *info = s2clr_view_describe(view);
    lookup l = {.view = view,
                .info = info,
                .band = band,
                .bands = info->bands->count,
                .factor = 1,
                .out = out};
    if (columns < 1 || rows < 1) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul((size_t)columns, (size_t)rows, &l.count));
    S2CLR_TRY(s2clr_alloc(l.count, sizeof *l.pixels, "pixels wanted", (void **)&l.pixels));
    s2clr_status status = take_indices(x, y, &l);
    if (status == S2CLR_OK) {
        for (size_t i = 0; i < l.count; i++)
            if (l.pixels[i].x == NOWHERE) out[i] = NAN;
        use_level(columns, rows, &l);
        bound(&l);
        if (l.somewhere) status = is_window(&l) ? by_window(&l) : by_blocks(&l);
    }
    s2clr_free(l.pixels);
    return status;
}

/* ---- by name ---- */

/* "probability" of several classes is not the first one's. */
static bool is_ambiguous(const s2clr_output_bands *bands, const char *band)
{
    int count = 0;
    for (int i = 0; i < bands->count; i++) {
        const s2clr_output_band *b = &bands->band[i];
        if (band && strcmp(band, b->name) == 0) return false;
        count += b->row->quantity == S2CLR_QUANTITY_PROBABILITY &&
                 (!band || strcmp(band, b->row->name) == 0);
    }
    return bands->classes > 0 && count > 1;
}

static s2clr_status find_band(const s2clr_output_bands *bands, const char *band, int *out)
{
    const char *names[64];
    size_t count = 0;
    if (is_ambiguous(bands, band))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "band: the model tells %d classes apart, and a band shows one; name "
                               "it, such as \"%s\"",
                               bands->classes, bands->band[0].name);
    for (int i = 0; i < bands->count; i++) {
        const s2clr_output_band *b = &bands->band[i];
        if (!band || strcmp(band, b->row->name) == 0 || strcmp(band, b->name) == 0) {
            *out = i;
            return S2CLR_OK;
        }
        if (count + 2 > sizeof names / sizeof names[0]) continue;
        names[count++] = b->row->name;
        names[count++] = b->name;
    }
    const char *near = s2clr_suggest(band, names, count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "band \"%.100s\": the map has none of that name; its first of %d is "
                           "\"%.100s\" (%s)%s%.100s",
                           band, bands->count, bands->band[0].name, bands->band[0].row->name,
                           near ? ": did you mean " : "", near ? near : "");
}

static bool is_quantity(const char *band)
{
    const s2clr_quantity_row *row;
    const size_t count = s2clr_quantity_list(&row);
    for (size_t i = 0; i < count; i++)
        if (strcmp(row[i].name, band) == 0) return true;
    return false;
}

/* Without BANDS among the options the view holds the band asked for and nothing else. */
static s2clr_status add_bands(const s2clr_patch_request *request, const char ***out, char *text,
                              size_t size)
{
    size_t count = 0;
    bool add = request->band && is_quantity(request->band);
    for (; request->options && request->options[count]; count++)
        add = add && strncasecmp(request->options[count], "BANDS=", 6) != 0;
    const char **list;
    S2CLR_TRY(s2clr_alloc(count + 2, sizeof *list, "open options", (void **)&list));
    for (size_t i = 0; i < count; i++) list[i] = request->options[i];
    if (add) {
        snprintf(text, size, "BANDS=%s", request->band);
        list[count] = text;
    }
    *out = list;
    return S2CLR_OK;
}

s2clr_status s2clr_patch_lookup(const s2clr_patch_request *request, float *out)
{
    s2clr_pooled_view *pooled = NULL;
    const char **options;
    char text[64];
    S2CLR_TRY(add_bands(request, &options, text, sizeof text));
    s2clr_status status = s2clr_view_pool_take(request->name, options, &pooled);
    s2clr_free(options);
    S2CLR_TRY(status);
    s2clr_view *view = s2clr_pooled_view_get(pooled);
    int band;
    status = find_band(s2clr_view_describe(view)->bands, request->band, &band);
    if (status == S2CLR_OK)
        status = s2clr_patch_lookup_view(view, band, request->columns, request->rows, request->x,
                                         request->y, out);
    s2clr_view_pool_give(pooled);
    return status;
}
