#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "predict/pview.h"

/* Blocks computed together at most, and the share of the cache that they may fill. */
#define AHEAD_MAX 32
#define CACHE_SHARE 4

/* ---- how many to compute ---- */

static int blocks_across(const s2clr_view *view, int factor)
{
    int columns, rows;
    s2clr_view_level_size(view, factor, &columns, &rows);
    return (columns - 1) / view->info.block_columns + 1;
}

/* Notes the block asked for; the number of blocks to compute from there on, if it must be. */
static int follow(s2clr_view *view, int factor, int block_x, int block_y)
{
    const bool in_sequence =
        factor == view->next_factor && block_x == view->next_x && block_y == view->next_y;
    const int across = blocks_across(view, factor);
    const size_t bytes = s2clr_view_block_floats(view) * sizeof(float);
    const size_t room = s2clr_result_cache_room() / CACHE_SHARE / bytes;
    if (!in_sequence) view->ahead = 1;
    view->next_factor = factor;
    view->next_x = block_x + 1 < across ? block_x + 1 : 0;
    view->next_y = block_x + 1 < across ? block_y : block_y + 1;
    int count = view->ahead < across - block_x ? view->ahead : across - block_x;
    if ((size_t)count > room) count = room ? (int)room : 1;
    return count;
}

/* ---- computing them ---- */

/* Reserves the blocks behind the first as far as nobody has or computes them. */
static int reserve(const s2clr_view *view, int factor, int block_x, int block_y, int wanted)
{
    int count = 1;
    while (count < wanted) {
        const s2clr_result_key key = s2clr_view_block_key(view, factor, block_x + count, block_y);
        if (!s2clr_result_cache_reserve(&key)) break;
        count++;
    }
    return count;
}

/* out: (bands, rows, columns) of the blocks together. */
static s2clr_status compute_row(s2clr_view *view, int factor, int block_x, int block_y, int count,
                                s2clr_view_window *window, float **out)
{
    const s2clr_view_window last =
        s2clr_view_block_window(view, factor, block_x + count - 1, block_y);
    size_t floats;
    *window = s2clr_view_block_window(view, factor, block_x, block_y);
    window->columns = last.column + last.columns - window->column;
    S2CLR_TRY(s2clr_size_mul((size_t)window->columns * (size_t)window->rows,
                             (size_t)view->bands.count, &floats));
    S2CLR_TRY(s2clr_alloc(floats, sizeof **out, "blocks", (void **)out));
    return s2clr_view_compute(view, window, *out, NULL);
}

static s2clr_status compute_blocks(s2clr_view *view, int factor, int block_x, int block_y,
                                   int wanted, float *out)
{
    const int count = reserve(view, factor, block_x, block_y, wanted);
    const size_t floats = s2clr_view_block_floats(view);
    s2clr_view_window window;
    float *values = NULL, *block = NULL;
    s2clr_status status = s2clr_alloc(floats, sizeof *block, "block", (void **)&block);
    if (status == S2CLR_OK)
        status = compute_row(view, factor, block_x, block_y, count, &window, &values);
    const bool keep = status == S2CLR_OK && s2clr_view_is_unchanged(view);
    for (int i = 0; i < count; i++) {
        const s2clr_result_key key = s2clr_view_block_key(view, factor, block_x + i, block_y);
        float *target = i == 0 ? out : block;
        if (status == S2CLR_OK) s2clr_view_cut(view, &window, values, block_x + i, block_y, target);
        if (keep)
            s2clr_result_cache_give(&key, floats, target);
        else
            s2clr_result_cache_fail(&key);
    }
    s2clr_free(values);
    s2clr_free(block);
    return status;
}

s2clr_status s2clr_view_obtain_block(s2clr_view *view, int factor, int block_x, int block_y,
                                     float *out)
{
    const int wanted = follow(view, factor, block_x, block_y);
    const s2clr_result_key key = s2clr_view_block_key(view, factor, block_x, block_y);
    if (s2clr_result_cache_take(&key, s2clr_view_block_floats(view), true, out)) return S2CLR_OK;
    const s2clr_status status = compute_blocks(view, factor, block_x, block_y, wanted, out);
    if (view->ahead < AHEAD_MAX) view->ahead *= 2;
    return status;
}
