#include <math.h>
#include <stdio.h>

#include "sentinel2/pstack.h"

/* Source pixels under the centres of target pixels first .. first + count - 1; false when there are
 * none. The same arithmetic as s2clr_taps_make(), so that both agree at the edges. */
static bool centres(s2clr_axis axis, int64_t first, int64_t count, int *low, int *n)
{
    const double a = floor(axis.scale * ((double)first + 0.5) + axis.shift);
    const double b = floor(axis.scale * ((double)(first + count - 1) + 0.5) + axis.shift);
    if (b < 0 || a >= axis.size) return false;
    const double start = a < 0 ? 0 : a, end = b >= axis.size ? axis.size - 1 : b;
    *low = (int)start;
    *n = (int)(end - start) + 1;
    return true;
}

/* A VRT source that cannot be opened counts as empty for GDAL, which says so once: the next time,
 * and when it is read, there may be no word and no error any more. So the words are kept. */
static bool plane_is_empty(s2clr_stack *stack, const s2clr_plane *plane, int64_t x0, int64_t y0,
                           int64_t w, int64_t h)
{
    int x, y, sw, sh;
    s2clr_gdal_watch watch;
    if (!centres(plane->x, x0, w, &x, &sw) || !centres(plane->y, y0, h, &y, &sh)) return true;
    if (!plane->empty_is_nodata) return false;
    s2clr_gdal_watch_begin(&watch);
    const int status =
        GDALGetDataCoverageStatus(plane->band, x, y, sw, sh, GDAL_DATA_COVERAGE_STATUS_DATA, NULL);
    s2clr_gdal_watch_end(&watch);
    if (watch.failed)
        snprintf(stack->trouble, sizeof stack->trouble, "%.200s: band %d cannot be read: %s",
                 GDALGetDescription(plane->dataset), plane->number, watch.text);
    return status == GDAL_DATA_COVERAGE_STATUS_EMPTY && !watch.failed;
}

bool s2clr_stack_is_empty(s2clr_stack *stack, int64_t x0, int64_t y0, int w, int h)
{
    const s2clr_stack_info *info = &stack->info;
    if (w < 1 || h < 1) return true;
    const int64_t far = (int64_t)1 << 40;
    if (x0 < -far || y0 < -far || x0 >= info->width || y0 >= info->height) return true;
    const int64_t left = x0 < 0 ? 0 : x0, top = y0 < 0 ? 0 : y0;
    const int64_t right = x0 + w < info->width ? x0 + w : info->width;
    const int64_t bottom = y0 + h < info->height ? y0 + h : info->height;
    if (right <= left || bottom <= top) return true;
    for (int i = 0; i < info->bands && !stack->trouble[0]; i++)
        if (plane_is_empty(stack, &stack->plane[i], left, top, right - left, bottom - top))
            return true;
    return false;
}
