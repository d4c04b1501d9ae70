#include "patch/grid.h"

#include <math.h>
#include <stdbool.h>

/* The pixels of a patch are counted in 32 bits. */
#define PATCH_MAX 32767

s2clr_status s2clr_grid_new(int width, int height, int patch, int stride, int step, s2clr_grid *out)
{
    if (width < 1 || height < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "raster of %d x %d pixels: both must be >= 1",
                               width, height);
    if (patch < 1 || patch > PATCH_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "patch size %d: must be 1 to %d pixels", patch,
                               PATCH_MAX);
    if (stride < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "stride %d: must be >= 1 pixel", stride);
    if (step > 0 && stride % step != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "stride %d: this model computes every %d pixels; use a multiple "
                               "of %d",
                               stride, step, step);
    *out = (s2clr_grid){.width = width,
                        .height = height,
                        .patch = patch,
                        .stride = stride,
                        .columns = (width - 1) / stride + 1,
                        .rows = (height - 1) / stride + 1};
    return S2CLR_OK;
}

int64_t s2clr_grid_start(const s2clr_grid *grid, int64_t i)
{
    return i * grid->stride + grid->stride / 2 - grid->patch / 2;
}

void s2clr_grid_transform(const s2clr_grid *grid, const double input[6], double output[6])
{
    for (int axis = 0; axis < 6; axis += 3) {
        output[axis] = input[axis];
        output[axis + 1] = input[axis + 1] * grid->stride;
        output[axis + 2] = input[axis + 2] * grid->stride;
    }
}

/* Cells of `stride` that meet [from, from + length), clipped to [0, cells). */
static bool cells_meeting(double from, double length, int stride, int cells, int *first, int *count)
{
    const double low = fmax(floor(from / stride), 0.0);
    const double high = fmin(ceil((from + length) / stride), cells);
    if (!(length > 0) || !(low < high)) return false; /* NaN ends here as well */
    *first = (int)low;
    *count = (int)(high - low);
    return true;
}

s2clr_status s2clr_grid_window(const s2clr_grid *grid, double x, double y, double w, double h,
                               int window[4])
{
    int column, row, columns, rows;
    /* The last cell may stick out of the raster: only what covers input pixels counts. */
    const bool inside = x < grid->width && y < grid->height;
    if (!inside || !cells_meeting(x, w, grid->stride, grid->columns, &column, &columns) ||
        !cells_meeting(y, h, grid->stride, grid->rows, &row, &rows))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "window x %.10g y %.10g, %.10g x %.10g pixels does not meet the "
                               "raster of %d x %d pixels",
                               x, y, w, h, grid->width, grid->height);
    window[0] = column;
    window[1] = row;
    window[2] = columns;
    window[3] = rows;
    return S2CLR_OK;
}
