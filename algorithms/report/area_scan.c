/* Goes over a map and its strata row by row, in strips that stay small. */
#include "base/memory.h"
#include "report/area_census.h"

enum { STRIP_PIXELS = 1 << 20 };

typedef struct strips {
    s2clr_area_census *census;
    double *value, *stratum; // (rows, width); stratum NULL: none
    int rows;                /* of a strip */
} strips;

/* Whole blocks where they fit. */
static int strip_rows(const s2clr_map *map)
{
    int block_w, block_h;
    GDALGetBlockSize(map->band, &block_w, &block_h);
    int rows = STRIP_PIXELS / map->width;
    if (rows > block_h) rows -= rows % block_h;
    if (rows < 1) rows = 1;
    return rows < map->height ? rows : map->height;
}

static s2clr_status scan_strip(const strips *s, int top, s2clr_area_row each, void *context)
{
    s2clr_area_census *c = s->census;
    const int width = c->map.width;
    const int rows = top + s->rows < c->map.height ? s->rows : c->map.height - top;
    S2CLR_TRY(s2clr_map_read(&c->map, 0, top, width, rows, s->value));
    if (s->stratum) S2CLR_TRY(s2clr_map_read(&c->strata_map, 0, top, width, rows, s->stratum));
    for (int row = 0; row < rows; row++) {
        const size_t at = (size_t)row * (size_t)width;
        S2CLR_TRY(each(context, top + row, s->value + at, s->stratum ? s->stratum + at : NULL));
    }
    return S2CLR_OK;
}

static s2clr_status scan(const strips *s, const s2clr_progress *progress, double from, double to,
                         s2clr_area_row each, void *context)
{
    const int height = s->census->map.height;
    for (int top = 0; top < height; top += s->rows) {
        S2CLR_TRY(scan_strip(s, top, each, context));
        const double done = (double)(top + s->rows) / height;
        if (!s2clr_progress_report(progress, from + (to - from) * (done < 1 ? done : 1), NULL))
            return s2clr_error_set(S2CLR_ERR_CANCELLED, "cancelled");
    }
    return S2CLR_OK;
}

s2clr_status s2clr_area_scan(s2clr_area_census *census, const s2clr_progress *progress, double from,
                             double to, s2clr_area_row each, void *context)
{
    strips s = {.census = census, .rows = strip_rows(&census->map)};
    size_t count;
    S2CLR_TRY(s2clr_size_mul((size_t)census->map.width, (size_t)s.rows, &count));
    S2CLR_TRY(s2clr_alloc(count, sizeof *s.value, "rows of a map", (void **)&s.value));
    s2clr_status status = S2CLR_OK;
    if (census->strata_map.dataset)
        status = s2clr_alloc(count, sizeof *s.stratum, "rows of strata", (void **)&s.stratum);
    if (status == S2CLR_OK) status = scan(&s, progress, from, to, each, context);
    s2clr_free(s.stratum);
    s2clr_free(s.value);
    return status;
}
