#include "report/quicklook.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/png_data.h"
#include "sentinel2/gdal_watch.h"

enum { COLOURS = 3, PLANES = 4 };
#define DARK 0.02 /* share of pixels that is black, and up to which nothing is white */
#define BRIGHT 0.98

void s2clr_quicklook_free(s2clr_quicklook *picture)
{
    s2clr_free(picture->uri);
    *picture = (s2clr_quicklook){0};
}

/* ---- coarse reading ---- */

typedef struct coarse {
    int width, height;
    float *value; // (height, width) NaN: none
} coarse;

static void choose_size(double width, double height, coarse *out)
{
    const double scale = fmin(1, S2CLR_QUICKLOOK_SIDE / fmax(width, height));
    out->width = (int)fmax(1, floor(width * scale + 0.5));
    out->height = (int)fmax(1, floor(height * scale + 0.5));
}

/* window: in pixels of the band, fractions allowed. */
static s2clr_status read_window(GDALRasterBandH band, const double window[4], const char *path,
                                coarse *out)
{
    GDALRasterIOExtraArg how;
    s2clr_gdal_watch watch;
    INIT_RASTERIO_EXTRA_ARG(how);
    const bool fewer = out->width < window[2] || out->height < window[3];
    how.eResampleAlg = fewer ? GRIORA_Average : GRIORA_NearestNeighbour;
    how.bFloatingPointWindowValidity = TRUE;
    how.dfXOff = window[0];
    how.dfYOff = window[1];
    how.dfXSize = window[2];
    how.dfYSize = window[3];
    const int x = (int)floor(window[0]), y = (int)floor(window[1]);
    const int right = (int)fmin(ceil(window[0] + window[2]), GDALGetRasterBandXSize(band));
    const int bottom = (int)fmin(ceil(window[1] + window[3]), GDALGetRasterBandYSize(band));
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error = GDALRasterIOEx(band, GF_Read, x, y, right - x, bottom - y, out->value,
                                        out->width, out->height, GDT_Float32, 0, 0, &how);
    s2clr_gdal_watch_end(&watch);
    if (error == CE_None && !watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be read for a picture: %.400s", path,
                           watch.text);
}

/* ---- the scene ---- */

/* The stack's pixels in those of one of its bands: they cover the same ground. */
static void place_window(const s2clr_stack_info *stack, GDALDatasetH source, const double in[4],
                         double out[4])
{
    double own[6], inverse[6], stacked[6];
    const double width = GDALGetRasterXSize(source), height = GDALGetRasterYSize(source);
    memcpy(stacked, stack->transform, sizeof stacked);
    if (stack->has_transform && GDALGetGeoTransform(source, own) == CE_None &&
        GDALInvGeoTransform(own, inverse)) {
        for (int i = 0; i < 4; i += 2) {
            double x, y;
            GDALApplyGeoTransform(stacked, in[0] + (i ? in[2] : 0), in[1] + (i ? in[3] : 0), &x,
                                  &y);
            GDALApplyGeoTransform(inverse, x, y, &out[i], &out[i + 1]);
        }
    } else {
        for (int i = 0; i < 4; i += 2) {
            out[i] = (in[0] + (i ? in[2] : 0)) * width / stack->width;
            out[i + 1] = (in[1] + (i ? in[3] : 0)) * height / stack->height;
        }
    }
    out[0] = fmin(fmax(out[0], 0), width - 1);
    out[1] = fmin(fmax(out[1], 0), height - 1);
    out[2] = fmin(fmax(out[2] - out[0], 1), width - out[0]);
    out[3] = fmin(fmax(out[3] - out[1], 1), height - out[1]);
}

static s2clr_status read_band(const s2clr_stack_info *stack, const s2clr_stack_band *band,
                              const double window[4], coarse *out)
{
    double own[4];
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH source = GDALOpen(band->source, GA_ReadOnly);
    s2clr_gdal_watch_end(&watch);
    if (!source || band->number < 1 || band->number > GDALGetRasterCount(source)) {
        if (source) GDALClose(source);
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened for a picture: %.400s",
                               band->source, watch.text);
    }
    place_window(stack, source, window, own);
    const s2clr_status status =
        read_window(GDALGetRasterBand(source, band->number), own, band->source, out);
    GDALClose(source);
    for (int i = 0; status == S2CLR_OK && i < out->width * out->height; i++)
        if (!isfinite(out->value[i]) || (band->has_nodata && out->value[i] == (float)band->nodata))
            out->value[i] = NAN;
    return status;
}

static const s2clr_stack_band *find_band(const s2clr_stack_info *stack, const char *name)
{
    for (int i = 0; i < stack->bands; i++)
        if (strcmp(stack->band[i].band, name) == 0) return &stack->band[i];
    return NULL;
}

/* Red, green and blue; the number of different ones. */
static int choose_bands(const s2clr_stack_info *stack, const s2clr_stack_band *band[COLOURS])
{
    static const char *const names[COLOURS] = {"B04", "B03", "B02"};
    int found = 0;
    for (int c = 0; c < COLOURS; c++) {
        band[c] = find_band(stack, names[c]);
        found += band[c] != NULL;
    }
    if (found == COLOURS) return COLOURS;
    for (int c = 0; c < COLOURS; c++) band[c] = &stack->band[0];
    return 1;
}

static int compare(const void *a, const void *b)
{
    const float left = *(const float *)a, right = *(const float *)b;
    return left < right ? -1 : left > right;
}

/* Nearly the whole range of the values, so that one cloud does not darken the rest. */
static s2clr_status stretch(const coarse *band, double limits[2])
{
    const size_t pixels = (size_t)band->width * (size_t)band->height;
    size_t count = 0;
    float *sorted;
    S2CLR_TRY(s2clr_alloc(pixels, sizeof *sorted, "pixels of a picture", (void **)&sorted));
    for (size_t i = 0; i < pixels; i++)
        if (!isnan(band->value[i])) sorted[count++] = band->value[i];
    qsort(sorted, count, sizeof *sorted, compare);
    limits[0] = count ? (double)sorted[(size_t)(DARK * (double)(count - 1))] : 0;
    limits[1] = count ? (double)sorted[(size_t)(BRIGHT * (double)(count - 1) + 0.5)] : 1;
    if (!(limits[1] > limits[0])) limits[1] = limits[0] + 1;
    s2clr_free(sorted);
    return S2CLR_OK;
}

static void paint_band(const coarse *band, const double limits[2], uint8_t *plane, uint8_t *alpha)
{
    const int pixels = band->width * band->height;
    for (int i = 0; i < pixels; i++) {
        const double part = ((double)band->value[i] - limits[0]) / (limits[1] - limits[0]);
        if (isnan(part))
            alpha[i] = 0;
        else
            plane[i] = (uint8_t)(255 * fmin(fmax(part, 0), 1) + 0.5);
    }
}

static void say_rule(const s2clr_stack_band *const band[COLOURS], double limits[COLOURS][2],
                     int colours, s2clr_quicklook *out)
{
    static const char *const names[COLOURS] = {"red", "green", "blue"};
    size_t used = 0;
    if (colours == COLOURS)
        snprintf(out->name, sizeof out->name, "True colour");
    else
        snprintf(out->name, sizeof out->name, "Band %.50s", band[0]->band);
    for (int c = 0; c < colours && used < sizeof out->rule; c++) {
        const int wrote =
            CPLsnprintf(out->rule + used, sizeof out->rule - used,
                        "%s%.20s from %.6g to %.6g as %s", c ? ", " : "", band[c]->band,
                        limits[c][0], limits[c][1], colours == 1 ? "grey" : names[c]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static s2clr_status paint_scene(const s2clr_stack_info *stack, const double window[4], coarse *read,
                                uint8_t *planes, s2clr_quicklook *out)
{
    const s2clr_stack_band *band[COLOURS];
    const size_t pixels = (size_t)read->width * (size_t)read->height;
    double limits[COLOURS][2];
    const int colours = choose_bands(stack, band);
    memset(planes + COLOURS * pixels, 255, pixels);
    for (int c = 0; c < COLOURS; c++) {
        if (c < colours) S2CLR_TRY(read_band(stack, band[c], window, read));
        if (c < colours) S2CLR_TRY(stretch(read, limits[c]));
        paint_band(read, limits[c < colours ? c : 0], planes + (size_t)c * pixels,
                   planes + COLOURS * pixels);
    }
    say_rule(band, limits, colours, out);
    return s2clr_png_data(planes, read->width, read->height, true, &out->uri);
}

/* Room for a picture, and for the band it is painted from. */
static s2clr_status make_room(coarse *read, uint8_t **planes)
{
    const size_t pixels = (size_t)read->width * (size_t)read->height;
    S2CLR_TRY(
        s2clr_alloc(pixels, sizeof *read->value, "pixels of a picture", (void **)&read->value));
    return s2clr_alloc(pixels, PLANES, "a picture", (void **)planes);
}

s2clr_status s2clr_quicklook_scene(const s2clr_stack_info *stack, const double window[4],
                                   s2clr_quicklook *out)
{
    s2clr_quicklook made = {0};
    coarse read = {0};
    uint8_t *planes = NULL;
    const double x = fmax(window[0], 0), y = fmax(window[1], 0);
    const double cut[4] = {x, y, fmin(window[0] + window[2], stack->width) - x,
                           fmin(window[1] + window[3], stack->height) - y};
    choose_size(cut[2], cut[3], &read);
    s2clr_status status = make_room(&read, &planes);
    if (status == S2CLR_OK) status = paint_scene(stack, cut, &read, planes, &made);
    s2clr_free(read.value);
    s2clr_free(planes);
    made.width = read.width;
    made.height = read.height;
    if (status == S2CLR_OK) *out = made;
    return status;
}

/* ---- the map ---- */

static void paint_map(const s2clr_ramp *ramp, double low, double high, const coarse *read,
                      uint8_t *planes)
{
    const size_t pixels = (size_t)read->width * (size_t)read->height;
    for (size_t i = 0; i < pixels; i++) {
        const double value = (double)read->value[i];
        uint8_t rgb[COLOURS] = {0};
        if (!isnan(value)) s2clr_ramp_colour(ramp, (value - low) / (high - low), rgb);
        for (size_t c = 0; c < COLOURS; c++) planes[c * pixels + i] = rgb[c];
        planes[COLOURS * pixels + i] = isnan(value) ? 0 : 255;
    }
}

typedef struct means {
    double *row;    // (map's width)
    double *sum;    // (width of the picture)
    uint32_t *many; // (width of the picture) values in it
} means;

/* One row of the picture: the mean of the map's rows that fall into it. */
static s2clr_status read_means(s2clr_map *map, int y, means *m, coarse *read)
{
    const size_t width = (size_t)read->width;
    const int first = (int)((int64_t)y * map->height / read->height);
    const int end = (int)((int64_t)(y + 1) * map->height / read->height);
    memset(m->sum, 0, width * sizeof *m->sum);
    memset(m->many, 0, width * sizeof *m->many);
    for (int row = first; row < end; row++) {
        S2CLR_TRY(s2clr_map_read(map, 0, row, map->width, 1, m->row));
        for (int x = 0; x < map->width; x++) {
            const size_t at = (size_t)((int64_t)x * read->width / map->width);
            if (isnan(m->row[x])) continue;
            m->sum[at] += m->row[x];
            m->many[at]++;
        }
    }
    for (size_t x = 0; x < width; x++)
        read->value[(size_t)y * width + x] =
            m->many[x] ? (float)(m->sum[x] / m->many[x]) : (float)NAN;
    return S2CLR_OK;
}

/* Not by GDAL: it would take the overviews, whose pixels are single values of the map. */
static s2clr_status read_map(s2clr_map *map, coarse *read)
{
    const size_t width = (size_t)read->width;
    means m = {0};
    s2clr_status status =
        s2clr_alloc((size_t)map->width, sizeof *m.row, "a row of a map", (void **)&m.row);
    if (status == S2CLR_OK) status = s2clr_alloc(width, sizeof *m.sum, "means", (void **)&m.sum);
    if (status == S2CLR_OK) status = s2clr_alloc(width, sizeof *m.many, "means", (void **)&m.many);
    for (int y = 0; status == S2CLR_OK && y < read->height; y++)
        status = read_means(map, y, &m, read);
    s2clr_free(m.row);
    s2clr_free(m.sum);
    s2clr_free(m.many);
    return status;
}

s2clr_status s2clr_quicklook_map(s2clr_map *map, const s2clr_ramp *ramp, double low, double high,
                                 s2clr_quicklook *out)
{
    s2clr_quicklook made = {0};
    coarse read = {0};
    uint8_t *planes = NULL;
    choose_size(map->width, map->height, &read);
    s2clr_status status = make_room(&read, &planes);
    if (status == S2CLR_OK) status = read_map(map, &read);
    if (status == S2CLR_OK) paint_map(ramp, low, high, &read, planes);
    if (status == S2CLR_OK)
        status = s2clr_png_data(planes, read.width, read.height, true, &made.uri);
    s2clr_free(read.value);
    s2clr_free(planes);
    made.width = read.width;
    made.height = read.height;
    if (read.width < map->width)
        snprintf(made.rule, sizeof made.rule, "each pixel of the picture is a mean of the map's");
    if (status == S2CLR_OK) *out = made;
    return status;
}
