/* The blocks of a level, and their way into the cache of results and out of it. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "predict/pview.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}

size_t s2clr_view_block_floats(const s2clr_view *view)
{
    return (size_t)view->info.block_columns * (size_t)view->info.block_rows *
           (size_t)view->bands.count;
}

s2clr_view_window s2clr_view_block_window(const s2clr_view *view, int factor, int block_x,
                                          int block_y)
{
    const int w = view->info.block_columns, h = view->info.block_rows;
    int columns, rows;
    s2clr_view_level_size(view, factor, &columns, &rows);
    return (s2clr_view_window){factor, block_x * w, block_y * h, least(w, columns - block_x * w),
                               least(h, rows - block_y * h)};
}

s2clr_result_key s2clr_view_block_key(const s2clr_view *view, int factor, int block_x, int block_y)
{
    s2clr_result_key key = {.factor = factor, .block_x = block_x, .block_y = block_y};
    memcpy(key.view, view->key, sizeof key.view);
    return key;
}

/* Copies what two arrays of values share, from one to the other; both are (bands, rows, columns)
 * of the same level. */
static void copy_shared(int bands, const s2clr_view_window *from, const float *values,
                        const s2clr_view_window *to, int to_stride, int to_rows, float *out)
{
    const int left = from->column > to->column ? from->column : to->column;
    const int top = from->row > to->row ? from->row : to->row;
    const int right = least(from->column + from->columns, to->column + to->columns);
    const int bottom = least(from->row + from->rows, to->row + to->rows);
    if (right <= left) return;
    for (int band = 0; band < bands; band++)
        for (int row = top; row < bottom; row++) {
            const size_t source = (size_t)band * (size_t)from->rows + (size_t)(row - from->row);
            const size_t target = (size_t)band * (size_t)to_rows + (size_t)(row - to->row);
            memcpy(out + target * (size_t)to_stride + (left - to->column),
                   values + source * (size_t)from->columns + (left - from->column),
                   (size_t)(right - left) * sizeof *out);
        }
}

void s2clr_view_cut(const s2clr_view *view, const s2clr_view_window *from, const float *values,
                    int block_x, int block_y, float *block)
{
    const s2clr_view_window inside = s2clr_view_block_window(view, from->factor, block_x, block_y);
    const int w = view->info.block_columns, h = view->info.block_rows;
    const size_t floats = s2clr_view_block_floats(view);
    for (size_t i = 0; i < floats && (inside.columns < w || inside.rows < h); i++) block[i] = NAN;
    copy_shared(view->bands.count, from, values, &inside, w, h, block);
}

/* ---- the cache ---- */

/* Blocks that meet a window: first and last along each axis. */
typedef struct span {
    int x0, y0, x1, y1;
} span;

static span blocks_of(const s2clr_view *view, const s2clr_view_window *window)
{
    const int w = view->info.block_columns, h = view->info.block_rows;
    return (span){window->column / w, window->row / h, (window->column + window->columns - 1) / w,
                  (window->row + window->rows - 1) / h};
}

/* All of them together find room in the cache. */
static bool fit(const s2clr_view *view, span blocks)
{
    const double count = (double)(blocks.x1 - blocks.x0 + 1) * (blocks.y1 - blocks.y0 + 1);
    const double bytes = (double)s2clr_view_block_floats(view) * sizeof(float);
    return count * bytes <= (double)s2clr_result_cache_room();
}

static bool take_block(const s2clr_view *view, const s2clr_view_window *window, int block_x,
                       int block_y, float *block, float *out)
{
    const s2clr_result_key key = s2clr_view_block_key(view, window->factor, block_x, block_y);
    const int w = view->info.block_columns, h = view->info.block_rows;
    if (!s2clr_result_cache_take(&key, s2clr_view_block_floats(view), false, block)) return false;
    const s2clr_view_window whole = {window->factor, block_x * w, block_y * h, w, h};
    copy_shared(view->bands.count, &whole, block, window, window->columns, window->rows, out);
    return true;
}

bool s2clr_view_from_cache(const s2clr_view *view, const s2clr_view_window *window, float *out)
{
    const span blocks = blocks_of(view, window);
    float *block;
    bool all = fit(view, blocks);
    if (!all || s2clr_alloc(s2clr_view_block_floats(view), sizeof *block, "finished block",
                            (void **)&block) != S2CLR_OK)
        return false;
    for (int y = blocks.y0; y <= blocks.y1 && all; y++)
        for (int x = blocks.x0; x <= blocks.x1 && all; x++)
            all = take_block(view, window, x, y, block, out);
    s2clr_free(block);
    return all;
}

static bool holds(const s2clr_view_window *window, const s2clr_view_window *block)
{
    return block->column >= window->column && block->row >= window->row &&
           block->column + block->columns <= window->column + window->columns &&
           block->row + block->rows <= window->row + window->rows;
}

void s2clr_view_to_cache(const s2clr_view *view, const s2clr_view_window *window,
                         const float *values)
{
    const span blocks = blocks_of(view, window);
    const size_t floats = s2clr_view_block_floats(view);
    float *block;
    if (!fit(view, blocks) || !s2clr_view_is_unchanged(view) ||
        s2clr_alloc(floats, sizeof *block, "finished block", (void **)&block) != S2CLR_OK)
        return;
    for (int y = blocks.y0; y <= blocks.y1; y++)
        for (int x = blocks.x0; x <= blocks.x1; x++) {
            const s2clr_view_window inside = s2clr_view_block_window(view, window->factor, x, y);
            if (!holds(window, &inside)) continue;
            const s2clr_result_key key = s2clr_view_block_key(view, window->factor, x, y);
            s2clr_view_cut(view, window, values, x, y, block);
            s2clr_result_cache_give(&key, floats, block);
        }
    s2clr_free(block);
}
