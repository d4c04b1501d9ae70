/*
 * Blocks of land: rows of equal height along the meridian, each cut into a whole number of columns
 * of nearly equal width, so that blocks are squares of equal area everywhere and a row closes
 * across the antimeridian. This is the integerized sinusoidal grid of MODIS (Rossow and Garder,
 * J. Climate Appl. Meteor. 23, 1984), on its sphere of 6371007.181 m. A cylindrical equal-area
 * grid such as EPSG:6933 has blocks that are three times as high as wide at 60 degrees.
 *
 * Which part a block belongs to is decided without looking at the patches: a patch that is added
 * later changes nothing for the others, and neither does the margin.
 */
#include <math.h>
#include <stdio.h>

#include "dataset/psplit.h"

#define RADIUS 6371007.181
#define PI 3.14159265358979323846
#define BLOCK_MIN 100.0
#define BLOCK_MAX 5e6

/* Smallest radii of curvature of WGS 84, a(1-e^2) along the meridian and a across it: degrees per
 * metre are never underestimated. */
#define ALONG_MIN 6335439.327
#define ACROSS_MIN 6378137.0

static int64_t rows_of(double block)
{
    return (int64_t)fmax(1, nearbyint(PI * RADIUS / block));
}

static int64_t row_of(double block, double latitude)
{
    const int64_t rows = rows_of(block);
    const double at = floor((fmin(fmax(latitude, -90), 90) + 90) / 180 * (double)rows);
    return (int64_t)fmin(at, (double)(rows - 1));
}

static int64_t columns_of(double block, int64_t row)
{
    const double middle = ((double)row + 0.5) / (double)rows_of(block) * PI - PI / 2;
    return (int64_t)fmax(1, nearbyint(2 * PI * RADIUS * cos(middle) / block));
}

/* Not yet wrapped around the Earth. */
static int64_t column_of(int64_t columns, double longitude)
{
    return (int64_t)floor((longitude + 180) / 360 * (double)columns);
}

static int64_t wrap(int64_t column, int64_t columns)
{
    return (column % columns + columns) % columns;
}

s2clr_block s2clr_block_of(double block_metres, double longitude, double latitude)
{
    const int64_t row = row_of(block_metres, latitude), columns = columns_of(block_metres, row);
    return (s2clr_block){row, wrap(column_of(columns, longitude), columns)};
}

void s2clr_row_centre(const s2clr_store_row *row, double *longitude, double *latitude)
{
    *longitude = *latitude = 0;
    for (int i = 0; i < 4; i++) {
        *longitude += row->longitude[i] / 4;
        *latitude += row->latitude[i] / 4;
    }
}

static s2clr_part part_of_block(const s2clr_split_plan *plan, int64_t row, int64_t column)
{
    char text[80];
    snprintf(text, sizeof text, "block %.17g %lld %lld", plan->block_metres, (long long)row,
             (long long)column);
    return s2clr_part_of_text(plan, text);
}

/* Two parts are a margin apart when each keeps half of it from the other's blocks: a shortest way
 * between them has its middle in one block only. */
static bool keeps_away(const s2clr_split_plan *plan, const s2clr_store_row *row, s2clr_part own)
{
    const double half = plan->margin_metres / 2, up = half / ALONG_MIN * 180 / PI;
    double west = INFINITY, east = -INFINITY, south = INFINITY, north = -INFINITY;
    for (int i = 0; i < 4; i++) {
        west = fmin(west, row->longitude[i]);
        east = fmax(east, row->longitude[i]);
        south = fmin(south, row->latitude[i]);
        north = fmax(north, row->latitude[i]);
    }
    south -= up, north += up;
    const double across = cos(fmin(fmax(fabs(south), fabs(north)), 89.9999) * PI / 180);
    const double out = half / (ACROSS_MIN * across) * 180 / PI;
    const int64_t first_row = row_of(plan->block_metres, south);
    const int64_t last_row = row_of(plan->block_metres, north);
    for (int64_t r = first_row; r <= last_row; r++) {
        const int64_t columns = columns_of(plan->block_metres, r);
        const int64_t first = column_of(columns, west - out), last = column_of(columns, east + out);
        for (int64_t c = first; c <= last && c < first + columns; c++)
            if (part_of_block(plan, r, wrap(c, columns)) != own) return false;
    }
    return true;
}

s2clr_status s2clr_blocks_check(const s2clr_split_plan *plan)
{
    if (!(plan->block_metres >= BLOCK_MIN && plan->block_metres <= BLOCK_MAX))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "split: blocks of %g m; wanted: a side from %g to %g m, several "
                               "times that of a patch",
                               plan->block_metres, BLOCK_MIN, BLOCK_MAX);
    if (!(plan->margin_metres >= 0 && plan->margin_metres < plan->block_metres))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "split: a margin of %g m; wanted: from 0 to less than the side of a "
                               "block (%g m), or nothing is left of it",
                               plan->margin_metres, plan->block_metres);
    return S2CLR_OK;
}

s2clr_part s2clr_blocks_part(const s2clr_split_plan *plan, const s2clr_store_row *row)
{
    double longitude, latitude;
    s2clr_row_centre(row, &longitude, &latitude);
    const s2clr_block block = s2clr_block_of(plan->block_metres, longitude, latitude);
    const s2clr_part own = part_of_block(plan, block.row, block.column);
    if (plan->margin_metres > 0 && !keeps_away(plan, row, own)) return S2CLR_PART_OUT;
    return own;
}
