#include "predict/view.h"

#include <stdio.h>
#include <string.h>

#include "predict/nesting.h"
#include "predict/pview.h"

const s2clr_view_info *s2clr_view_describe(const s2clr_view *view)
{
    return &view->info;
}

void s2clr_view_level_size(const s2clr_view *view, int factor, int *columns, int *rows)
{
    *columns = (view->grid.columns - 1) / factor + 1;
    *rows = (view->grid.rows - 1) / factor + 1;
}

uint64_t s2clr_view_units(const s2clr_view *view)
{
    return view->units + (view->engine ? s2clr_engine_units(view->engine) : 0);
}

/* ---- what is asked for ---- */

static s2clr_status check_factor(const s2clr_view *view, int factor)
{
    bool known = factor == 1;
    for (int i = 0; i < view->info.levels; i++) known = known || view->info.level[i] == factor;
    if (known) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s: no overview level %d; there are %d, from 2 on in powers of two",
                           view->name, factor, view->info.levels);
}

static s2clr_status check_window(const s2clr_view *view, const s2clr_view_window *w)
{
    int columns, rows;
    S2CLR_TRY(check_factor(view, w->factor));
    s2clr_view_level_size(view, w->factor, &columns, &rows);
    if (w->column >= 0 && w->row >= 0 && w->columns >= 1 && w->rows >= 1 &&
        w->columns <= columns - w->column && w->rows <= rows - w->row)
        return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT, "%s: window of %d x %d pixels at (%d, %d) of level %d: it has %d x %d",
        view->name, w->columns, w->rows, w->column, w->row, w->factor, columns, rows);
}

static s2clr_status check_block(const s2clr_view *view, int factor, int block_x, int block_y)
{
    int columns, rows;
    S2CLR_TRY(check_factor(view, factor));
    s2clr_view_level_size(view, factor, &columns, &rows);
    const int across = (columns - 1) / view->info.block_columns + 1;
    const int down = (rows - 1) / view->info.block_rows + 1;
    if (block_x >= 0 && block_y >= 0 && block_x < across && block_y < down) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: block (%d, %d) of level %d: it has %d x %d",
                           view->name, block_x, block_y, factor, across, down);
}

/* ---- reading ---- */

s2clr_status s2clr_view_begin(const char *name, s2clr_gdal_watch *watch)
{
    S2CLR_TRY(s2clr_nesting_enter(name));
    s2clr_gdal_watch_begin(watch); /* nothing prints down here */
    return S2CLR_OK;
}

/* Of rasters that read each other in a circle, each would put its own words around the cause. */
s2clr_status s2clr_view_end(s2clr_gdal_watch *watch, s2clr_status status)
{
    s2clr_gdal_watch_end(watch);
    s2clr_nesting_leave();
    if (status == S2CLR_OK) return status;
    const char *cause = strstr(s2clr_error_text(), S2CLR_NESTING_TEXT);
    const char *end = cause ? strstr(cause, S2CLR_NESTING_END) : NULL;
    if (!end) return status;
    char text[512];
    snprintf(text, sizeof text, "%.*s%s", (int)(end - cause), cause, S2CLR_NESTING_END);
    return s2clr_error_set(status, "%s", text);
}

static s2clr_status read_window(s2clr_view *view, const s2clr_view_window *window, float *out,
                                const s2clr_progress *progress)
{
    S2CLR_TRY(s2clr_view_ready(view));
    if (s2clr_view_from_cache(view, window, out)) return S2CLR_OK;
    S2CLR_TRY(s2clr_view_compute(view, window, out, progress));
    s2clr_view_to_cache(view, window, out);
    return S2CLR_OK;
}

s2clr_status s2clr_view_read(s2clr_view *view, int factor, int column, int row, int columns,
                             int rows, float *out, const s2clr_progress *progress)
{
    const s2clr_view_window window = {factor, column, row, columns, rows};
    s2clr_gdal_watch watch;
    S2CLR_TRY(check_window(view, &window));
    S2CLR_TRY(s2clr_view_begin(view->name, &watch));
    return s2clr_view_end(&watch, read_window(view, &window, out, progress));
}

s2clr_status s2clr_view_block(s2clr_view *view, int factor, int block_x, int block_y, float *out)
{
    s2clr_gdal_watch watch;
    S2CLR_TRY(check_block(view, factor, block_x, block_y));
    S2CLR_TRY(s2clr_view_begin(view->name, &watch));
    s2clr_status status = s2clr_view_ready(view);
    if (status == S2CLR_OK) status = s2clr_view_obtain_block(view, factor, block_x, block_y, out);
    return s2clr_view_end(&watch, status);
}
