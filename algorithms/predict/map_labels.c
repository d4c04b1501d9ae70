/* Two passes of connected components with union and find (Rosenfeld and Pfaltz 1966). */
#include "predict/map_labels.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/gdal_watch.h"

#define FIRST_ROOM 4096
#define MOST_LABELS INT32_MAX /* what the raster of numbers holds */

typedef struct labelling {
    s2clr_map *map;
    double threshold;
    const s2clr_progress *progress;
    double from, to;
    double *value;       // (width)
    uint32_t *row;       // (width) provisional numbers of the row above, then of this one
    uint32_t *parent;    // (room) by provisional number, which begins at 1; then the final number
    uint32_t used, room; /* of parent, without its unused entry 0 */
    uint32_t next;       /* provisional number, counted again in the second pass */
    GDALRasterBandH band;
    int32_t *number; // (width) final
    s2clr_labels labels;
} labelling;

static uint32_t root_of(uint32_t *parent, uint32_t at)
{
    while (parent[at] != at) at = parent[at] = parent[parent[at]];
    return at;
}

/* The smaller number is the root: it was met first. */
static void join(uint32_t *parent, uint32_t a, uint32_t b)
{
    a = root_of(parent, a);
    b = root_of(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

static s2clr_status make_room(labelling *l)
{
    uint32_t *more;
    if (l->used + 1 < l->room) return S2CLR_OK;
    if (l->used >= MOST_LABELS - 1)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: has more than %d separate areas at the threshold %g; smooth it "
                               "first (--blend hann)",
                               l->map->path, MOST_LABELS - 1, l->threshold);
    const size_t room = l->room ? 2 * (size_t)l->room : FIRST_ROOM;
    S2CLR_TRY(s2clr_alloc(room, sizeof *more, "areas of a map", (void **)&more));
    if (l->parent) memcpy(more, l->parent, ((size_t)l->used + 1) * sizeof *more);
    s2clr_free(l->parent);
    l->parent = more;
    l->room = (uint32_t)(room < UINT32_MAX ? room : UINT32_MAX);
    return S2CLR_OK;
}

/* The left neighbour's number, else the upper one's, else a new one: the same in both passes,
 * whatever has been joined meanwhile. */
static uint32_t provisional(labelling *l, int column, uint32_t left)
{
    const uint32_t above = l->row[column];
    if (!(l->value[column] >= l->threshold)) return 0;
    if (left) return left;
    return above ? above : ++l->next;
}

static s2clr_status read_row(labelling *l, int row, double done)
{
    if (row % 64 == 0 &&
        !s2clr_progress_report(l->progress, l->from + (l->to - l->from) * done, "areas"))
        return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
    return s2clr_map_read(l->map, 0, row, l->map->width, 1, l->value);
}

static s2clr_status join_rows(labelling *l)
{
    const int width = l->map->width, height = l->map->height;
    for (int row = 0; row < height; row++) {
        S2CLR_TRY(read_row(l, row, 0.5 * row / height));
        for (int i = 0; i < width; i++) {
            const uint32_t left = i ? l->row[i - 1] : 0, above = l->row[i];
            const uint32_t number = provisional(l, i, left);
            if (number > l->used) {
                S2CLR_TRY(make_room(l));
                l->used = number;
                l->parent[number] = number;
            }
            if (number && above) join(l->parent, number, above);
            l->row[i] = number;
        }
    }
    return S2CLR_OK;
}

/* parent becomes the final number; a root comes before all that hang on it. */
static s2clr_status number_areas(labelling *l)
{
    uint32_t count = 0;
    for (uint32_t i = 1; i <= l->used; i++)
        l->parent[i] = l->parent[i] == i ? ++count : l->parent[l->parent[i]];
    S2CLR_TRY(
        s2clr_alloc(count, sizeof *l->labels.label, "areas of a map", (void **)&l->labels.label));
    l->labels.count = count;
    return S2CLR_OK;
}

static void count_pixel(s2clr_map_area *label, double value, double area)
{
    if (label->pixels == 0 || value > label->maximum) label->maximum = value;
    label->pixels++;
    label->sum += value;
    label->area += area;
}

static s2clr_status write_row(const labelling *l, int row, const char *path)
{
    const int width = l->map->width;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const CPLErr error =
        GDALRasterIO(l->band, GF_Write, 0, row, width, 1, l->number, width, 1, GDT_Int32, 0, 0);
    s2clr_gdal_watch_end(&watch);
    if (error == CE_None && !watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %.400s; is there room?", path,
                           watch.text);
}

static s2clr_status write_rows(labelling *l, const char *path)
{
    const int width = l->map->width, height = l->map->height;
    memset(l->row, 0, (size_t)width * sizeof *l->row);
    l->next = 0;
    for (int row = 0; row < height; row++) {
        double area;
        S2CLR_TRY(read_row(l, row, 0.5 + 0.5 * row / height));
        S2CLR_TRY(s2clr_map_row_area(l->map, row, &area));
        for (int i = 0; i < width; i++) {
            l->row[i] = provisional(l, i, i ? l->row[i - 1] : 0);
            l->number[i] = l->row[i] ? (int32_t)l->parent[l->row[i]] : 0;
            if (l->number[i]) count_pixel(&l->labels.label[l->number[i] - 1], l->value[i], area);
        }
        S2CLR_TRY(write_row(l, row, path));
    }
    return S2CLR_OK;
}

/* Strips, in which rows are written and read. */
static GDALDatasetH create(const s2clr_map *map, const char *path)
{
    double transform[6];
    char **list = CSLSetNameValue(NULL, "COMPRESS", "LZW");
    list = CSLSetNameValue(list, "BIGTIFF", "IF_SAFER");
    list = CSLSetNameValue(list, "SPARSE_OK", "TRUE");
    list = CSLSetNameValue(list, "BLOCKYSIZE", "16");
    GDALDatasetH made =
        GDALCreate(GDALGetDriverByName("GTiff"), path, map->width, map->height, 1, GDT_Int32, list);
    CSLDestroy(list);
    memcpy(transform, map->transform, sizeof transform);
    if (made) GDALSetGeoTransform(made, transform);
    return made;
}

static s2clr_status write_raster(labelling *l, const char *path)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH made = create(l->map, path);
    s2clr_gdal_watch_end(&watch);
    if (!made)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be created: %.400s", path, watch.text);
    l->band = GDALGetRasterBand(made, 1);
    s2clr_status status = write_rows(l, path);
    s2clr_gdal_watch_begin(&watch);
    GDALClose(made);
    s2clr_gdal_watch_end(&watch);
    if (status == S2CLR_OK && watch.failed)
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %.400s; is there room?",
                                 path, watch.text);
    if (status != S2CLR_OK) VSIUnlink(path);
    return status;
}

static s2clr_status run(labelling *l, const char *path)
{
    const size_t width = (size_t)l->map->width;
    S2CLR_TRY(s2clr_alloc(width, sizeof *l->value, "row of a map", (void **)&l->value));
    S2CLR_TRY(s2clr_alloc(width, sizeof *l->row, "row of areas", (void **)&l->row));
    S2CLR_TRY(s2clr_alloc(width, sizeof *l->number, "row of areas", (void **)&l->number));
    S2CLR_TRY(make_room(l));
    S2CLR_TRY(join_rows(l));
    S2CLR_TRY(number_areas(l));
    return write_raster(l, path);
}

s2clr_status s2clr_labels_make(s2clr_map *map, double threshold, const char *path,
                               const s2clr_progress *progress, double from, double to,
                               s2clr_labels *out)
{
    labelling l = {
        .map = map, .threshold = threshold, .progress = progress, .from = from, .to = to};
    const s2clr_status status = run(&l, path);
    s2clr_free(l.value);
    s2clr_free(l.row);
    s2clr_free(l.number);
    s2clr_free(l.parent);
    if (status == S2CLR_OK)
        *out = l.labels;
    else
        s2clr_labels_free(&l.labels);
    return status;
}

void s2clr_labels_free(s2clr_labels *labels)
{
    s2clr_free(labels->label);
    *labels = (s2clr_labels){0};
}
