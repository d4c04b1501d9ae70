#include "report/map_summary.h"

#include <math.h>

#include "base/memory.h"

static void count_value(s2clr_map_summary *s, double value)
{
    const double at = (value - s->low) / (s->high - s->low) * S2CLR_MAP_STEPS;
    const int step = at > 0 ? (int)fmin(at, S2CLR_MAP_STEPS - 1) : 0;
    s->step[step]++;
}

static void add(s2clr_map_count *count, double pixels, double area)
{
    count->pixels += pixels;
    count->area += pixels * area;
}

static s2clr_status count_row(s2clr_map *map, int row, double *value, s2clr_map_summary *s)
{
    double area = NAN, valid = 0, above = 0;
    S2CLR_TRY(s2clr_map_read(map, 0, row, map->width, 1, value));
    if (map->crs && s2clr_map_row_area(map, row, &area) != S2CLR_OK) s2clr_error_clear();
    for (int i = 0; i < map->width; i++) {
        if (isnan(value[i])) continue;
        count_value(s, value[i]);
        valid++;
        above += value[i] >= s->threshold;
    }
    add(&s->all, map->width, area);
    add(&s->valid, valid, area);
    add(&s->above, above, area);
    return S2CLR_OK;
}

s2clr_status s2clr_map_summary_make(s2clr_map *map, double low, double high, s2clr_map_summary *out)
{
    s2clr_map_summary made = {.low = low, .high = high, .true_area = NAN};
    double *value;
    made.threshold = s2clr_map_threshold(map, &made.threshold_from);
    if (map->crs) made.true_area = s2clr_map_true_area(map);
    S2CLR_TRY(s2clr_alloc((size_t)map->width, sizeof *value, "row of a map", (void **)&value));
    s2clr_status status = S2CLR_OK;
    for (int row = 0; status == S2CLR_OK && row < map->height; row++)
        status = count_row(map, row, value, &made);
    s2clr_free(value);
    if (status == S2CLR_OK) *out = made;
    return status;
}
