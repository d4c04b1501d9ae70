#include "predict/blend.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

/* Rows held at once where nothing comes for long. */
#define GAP_ROWS 16

/* The horizontal sums of one row of patches. */
typedef struct blend_row {
    double *sum, *weight; // (window columns) of w p and of w
    bool any;             /* false: no valid patch in it */
} blend_row;

struct s2clr_blend {
    s2clr_grid grid;
    int window[4];  /* input pixels */
    int patches[4]; /* of the patch grid */
    s2clr_blend_done done;
    void *context;
    double *hann; // (P)
    float *held;  // (held_rows, patches[2]) rows that may still get pieces
    int held_first, held_rows, held_room;
    blend_row *ring; // (ring_rows) the last ones summed up; row j is at j % ring_rows
    int ring_rows;
    double *sums;  // storage of the ring
    double *total; // (2, window columns)
    float *out;    // (stride, window columns)
    int next;      /* first window row not yet handed out */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static void reach(const s2clr_grid *grid, int from, int count, int patches, int *first, int *number)
{
    const int64_t origin = s2clr_grid_start(grid, 0), s = grid->stride;
    int64_t least = floor_div(from - grid->patch - origin, s) + 1;
    int64_t most = floor_div((int64_t)from + count - 1 - origin, s);
    if (least < 0) least = 0;
    if (most > patches - 1) most = patches - 1;
    *first = (int)least;
    *number = (int)(most - least + 1);
}

void s2clr_blend_patches(const s2clr_grid *grid, const int window[4], int patches[4])
{
    reach(grid, window[0], window[2], grid->columns, &patches[0], &patches[2]);
    reach(grid, window[1], window[3], grid->rows, &patches[1], &patches[3]);
}

static void make_hann(double *hann, int patch)
{
    for (int k = 0; k < patch; k++) {
        const double s = sin(M_PI * (k + 0.5) / patch);
        hann[k] = s * s;
    }
}

static s2clr_status make_room(s2clr_blend *b)
{
    const size_t width = (size_t)b->window[2], patch = (size_t)b->grid.patch;
    const size_t rows = (size_t)b->ring_rows, stride = (size_t)b->grid.stride;
    size_t sums, out;
    S2CLR_TRY(s2clr_size_mul(2 * rows, width, &sums));
    S2CLR_TRY(s2clr_size_mul(stride, width, &out));
    S2CLR_TRY(s2clr_alloc(patch, sizeof *b->hann, "blending weights", (void **)&b->hann));
    S2CLR_TRY(s2clr_alloc(rows, sizeof *b->ring, "blended rows", (void **)&b->ring));
    S2CLR_TRY(s2clr_alloc(sums, sizeof *b->sums, "blended rows", (void **)&b->sums));
    S2CLR_TRY(s2clr_alloc(2 * width, sizeof *b->total, "blended row", (void **)&b->total));
    S2CLR_TRY(s2clr_alloc(out, sizeof *b->out, "blended pixels", (void **)&b->out));
    for (size_t i = 0; i < rows; i++) {
        b->ring[i].sum = b->sums + 2 * i * width;
        b->ring[i].weight = b->ring[i].sum + width;
    }
    make_hann(b->hann, b->grid.patch);
    return S2CLR_OK;
}

s2clr_status s2clr_blend_new(const s2clr_grid *grid, const int window[4], s2clr_blend_done done,
                             void *context, s2clr_blend **out)
{
    s2clr_blend *b;
    if (2 * (int64_t)grid->stride > grid->patch)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "blending: patches of %d pixels every %d pixels overlap too little; "
                               "the stride must be at most %d",
                               grid->patch, grid->stride, grid->patch / 2);
    S2CLR_TRY(s2clr_alloc(1, sizeof *b, "blending", (void **)&b));
    b->grid = *grid;
    memcpy(b->window, window, sizeof b->window);
    s2clr_blend_patches(grid, window, b->patches);
    b->done = done;
    b->context = context;
    b->held_first = b->patches[1];
    b->ring_rows = (grid->patch - 1) / grid->stride + 2;
    const s2clr_status status = make_room(b);
    if (status != S2CLR_OK) {
        s2clr_blend_free(b);
        return status;
    }
    *out = b;
    return S2CLR_OK;
}

void s2clr_blend_free(s2clr_blend *b)
{
    if (!b) return;
    s2clr_free(b->hann);
    s2clr_free(b->held);
    s2clr_free(b->ring);
    s2clr_free(b->sums);
    s2clr_free(b->total);
    s2clr_free(b->out);
    s2clr_free(b);
}

/* ---- sums ---- */

/* Spreads a row of patches along x. */
static void sum_row(const s2clr_blend *b, const float *p, blend_row *row)
{
    const int width = b->window[2], patch = b->grid.patch;
    row->any = false;
    memset(row->sum, 0, 2 * (size_t)width * sizeof *row->sum);
    for (int i = 0; i < b->patches[2]; i++) {
        const double value = p[i];
        if (isnan(value)) continue;
        const int64_t x = s2clr_grid_start(&b->grid, b->patches[0] + i) - b->window[0];
        const int from = x < 0 ? (int)-x : 0;
        const int to = x + patch > width ? (int)(width - x) : patch;
        for (int k = from; k < to; k++) {
            row->sum[x + k] += b->hann[k] * value;
            row->weight[x + k] += b->hann[k];
        }
        row->any = true;
    }
}

/* One row of pixels, from the rows of patches first..last that are in the ring. */
static void sum_pixels(const s2clr_blend *b, int y, int first, int last, float *out)
{
    const int width = b->window[2];
    double *sum = b->total, *weight = b->total + width;
    memset(sum, 0, 2 * (size_t)width * sizeof *sum);
    for (int j = first; j <= last; j++) {
        const blend_row *row = &b->ring[j % b->ring_rows];
        const int64_t k = (int64_t)b->window[1] + y - s2clr_grid_start(&b->grid, j);
        if (!row->any || k < 0 || k >= b->grid.patch) continue;
        const double w = b->hann[k];
        for (int x = 0; x < width; x++) {
            sum[x] += w * row->sum[x];
            weight[x] += w * row->weight[x];
        }
    }
    for (int x = 0; x < width; x++) out[x] = weight[x] > 0 ? (float)(sum[x] / weight[x]) : NAN;
}

/* Hands out the pixel rows before `end` (of the window), for which `last` is the last row. */
static s2clr_status hand_out(s2clr_blend *b, int64_t end, int last)
{
    const int first =
        last - b->ring_rows + 1 > b->patches[1] ? last - b->ring_rows + 1 : b->patches[1];
    if (end > b->window[3]) end = b->window[3];
    while (b->next < end) {
        const int left = (int)(end - b->next);
        const int rows = left < b->grid.stride ? left : b->grid.stride;
        for (int r = 0; r < rows; r++)
            sum_pixels(b, b->next + r, first, last, b->out + (size_t)r * (size_t)b->window[2]);
        S2CLR_TRY(b->done(b->context, b->next, rows, b->out));
        b->next += rows;
    }
    return S2CLR_OK;
}

/* Sums up the held rows before `row`: no piece of them can come any more. */
static s2clr_status settle(s2clr_blend *b, int row)
{
    const size_t columns = (size_t)b->patches[2];
    int settled = 0;
    while (settled < b->held_rows && b->held_first + settled < row) {
        const int j = b->held_first + settled;
        sum_row(b, b->held + (size_t)settled * columns, &b->ring[j % b->ring_rows]);
        S2CLR_TRY(hand_out(b, s2clr_grid_start(&b->grid, j + 1) - b->window[1], j));
        settled++;
    }
    b->held_first += settled;
    b->held_rows -= settled;
    if (b->held_rows > 0)
        memmove(b->held, b->held + (size_t)settled * columns,
                (size_t)b->held_rows * columns * sizeof *b->held);
    return S2CLR_OK;
}

/* Makes the rows up to `end` be held; new ones are nodata. */
static s2clr_status hold(s2clr_blend *b, int end)
{
    const size_t columns = (size_t)b->patches[2];
    const int rows = end - b->held_first;
    if (rows > b->held_room) {
        float *held;
        size_t count;
        S2CLR_TRY(s2clr_size_mul((size_t)rows, columns, &count));
        S2CLR_TRY(s2clr_alloc(count, sizeof *held, "rows of patches", (void **)&held));
        if (b->held_rows) memcpy(held, b->held, (size_t)b->held_rows * columns * sizeof *held);
        s2clr_free(b->held);
        b->held = held;
        b->held_room = rows;
    }
    if (rows <= b->held_rows) return S2CLR_OK;
    for (size_t i = (size_t)b->held_rows * columns; i < (size_t)rows * columns; i++)
        b->held[i] = NAN;
    b->held_rows = rows;
    return S2CLR_OK;
}

/* Goes on to `row`: whatever has not come before it is nodata. */
static s2clr_status advance(s2clr_blend *b, int row)
{
    S2CLR_TRY(settle(b, row));
    while (b->held_first < row) {
        const int64_t end = (int64_t)b->held_first + GAP_ROWS;
        S2CLR_TRY(hold(b, end < row ? (int)end : row));
        S2CLR_TRY(settle(b, row));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_blend_put(s2clr_blend *b, int column, int row, int columns, int rows,
                             const float *probability)
{
    S2CLR_TRY(advance(b, row));
    S2CLR_TRY(hold(b, row + rows));
    for (int r = 0; r < rows; r++) {
        const size_t at = (size_t)(row - b->held_first + r) * (size_t)b->patches[2];
        memcpy(b->held + at + (column - b->patches[0]), probability + (size_t)r * (size_t)columns,
               (size_t)columns * sizeof *probability);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_blend_end(s2clr_blend *b)
{
    const int end = b->patches[1] + b->patches[3];
    S2CLR_TRY(advance(b, end));
    return hand_out(b, b->window[3], end - 1);
}
