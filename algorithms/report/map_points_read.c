/* Points of a table or layer, with all their attributes as text. */
#include <cpl_conv.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "dataset/store_strings.h"
#include "labels/labels_place.h"
#include "report/map_points.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"

enum { COLUMNS_SHOWN = 64 };

typedef struct reading {
    s2clr_points *points;
    s2clr_strings *strings;
    size_t room;
    OGRLayerH layer;
    s2clr_layer_place place;
} reading;

/* ---- growing ---- */

static s2clr_status widen(void **array, size_t count, size_t wanted, size_t size)
{
    void *larger;
    S2CLR_TRY(s2clr_alloc(wanted, size, "points", &larger));
    if (count) memcpy(larger, *array, count * size);
    s2clr_free(*array);
    *array = larger;
    return S2CLR_OK;
}

static s2clr_status make_room(reading *r)
{
    s2clr_points *p = r->points;
    size_t wanted, cells;
    if (p->count < r->room) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul(r->room ? r->room : 64, 2, &wanted));
    S2CLR_TRY(s2clr_size_mul(wanted, p->columns, &cells));
    S2CLR_TRY(widen((void **)&p->at, p->count, wanted, sizeof *p->at));
    S2CLR_TRY(widen((void **)&p->row, p->count, wanted, sizeof *p->row));
    S2CLR_TRY(widen((void **)&p->text, p->count * p->columns, cells, sizeof *p->text));
    r->room = wanted;
    return S2CLR_OK;
}

/* ---- features ---- */

static s2clr_status add(reading *r, OGRFeatureH feature, double x, double y)
{
    s2clr_points *p = r->points;
    S2CLR_TRY(make_room(r));
    p->at[p->count][0] = x;
    p->at[p->count][1] = y;
    p->row[p->count] = (long long)OGR_F_GetFID(feature);
    for (size_t c = 0; c < p->columns; c++) {
        const bool set = OGR_F_IsFieldSetAndNotNull(feature, (int)c);
        const char *text = set ? OGR_F_GetFieldAsString(feature, (int)c) : "";
        S2CLR_TRY(s2clr_strings_put(r->strings, text, &p->text[p->count * p->columns + c]));
    }
    p->count++;
    return S2CLR_OK;
}

static s2clr_status add_geometry(reading *r, OGRFeatureH feature, OGRGeometryH geometry)
{
    const int parts = OGR_G_GetGeometryCount(geometry);
    if (parts == 0) {
        const double x = OGR_G_GetX(geometry, 0), y = OGR_G_GetY(geometry, 0);
        if (isfinite(x) && isfinite(y)) return add(r, feature, x, y);
        r->points->placeless++;
        return S2CLR_OK;
    }
    for (int i = 0; i < parts; i++) {
        OGRGeometryH part = OGR_G_GetGeometryRef(geometry, i);
        if (!OGR_G_IsEmpty(part)) S2CLR_TRY(add_geometry(r, feature, part));
    }
    return S2CLR_OK;
}

static s2clr_status take(void *context, OGRFeatureH feature)
{
    reading *r = context;
    double at[2];
    if (r->place.x >= 0) {
        if (s2clr_layer_place_at(&r->place, feature, at)) return add(r, feature, at[0], at[1]);
    } else {
        OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
        if (geometry && !OGR_G_IsEmpty(geometry) && OGR_G_GetDimension(geometry) == 0)
            return add_geometry(r, feature, geometry);
    }
    r->points->placeless++;
    return S2CLR_OK;
}

static s2clr_status take_all(reading *r)
{
    S2CLR_TRY(s2clr_ogr_each(r->layer, take, r));
    if (r->points->count > 0) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: layer %s has no point with a place (%zu rows without); wanted: "
                           "points, or columns lon and lat",
                           r->points->path, OGR_L_GetName(r->layer), r->points->placeless);
}

/* ---- opening ---- */

static s2clr_status keep_columns(reading *r)
{
    s2clr_points *p = r->points;
    OGRFeatureDefnH defn = OGR_L_GetLayerDefn(r->layer);
    const size_t count = (size_t)OGR_FD_GetFieldCount(defn);
    S2CLR_TRY(s2clr_alloc(count, sizeof *p->column, "columns", (void **)&p->column));
    for (; p->columns < count; p->columns++)
        S2CLR_TRY(s2clr_strdup(OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(defn, (int)p->columns)),
                               &p->column[p->columns]));
    return S2CLR_OK;
}

static s2clr_status keep_crs(reading *r)
{
    char *wkt = NULL;
    const bool made = OSRExportToWkt(r->place.crs, &wkt) == OGRERR_NONE && wkt;
    const s2clr_status status =
        made ? s2clr_strdup(wkt, &r->points->crs)
             : s2clr_error_set(S2CLR_ERR_FORMAT, "%s: its CRS cannot be written down: %s",
                               r->points->path, CPLGetLastErrorMsg());
    CPLFree(wkt);
    return status;
}

static s2clr_status read_layer(reading *r)
{
    const int dimension = s2clr_layer_dimension(r->layer);
    const bool columns = dimension < 0 && s2clr_layer_has_coordinates(r->layer);
    if (dimension != 0 && !columns)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: layer %s holds %s; wanted: points, or a table with columns lon "
                               "and lat (or x and y)",
                               r->points->path, OGR_L_GetName(r->layer),
                               dimension < 0    ? "neither geometries nor coordinates"
                               : dimension == 1 ? "lines"
                                                : "polygons");
    S2CLR_TRY(s2clr_layer_place_find(r->points->path, r->layer, columns, &r->place));
    s2clr_status status = keep_columns(r);
    if (status == S2CLR_OK) status = keep_crs(r);
    if (status == S2CLR_OK) status = take_all(r);
    s2clr_layer_place_clear(&r->place);
    return status;
}

static s2clr_status read_file(reading *r, const char *layer)
{
    s2clr_points *p = r->points;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset = GDALOpenEx(p->path, GDAL_OF_VECTOR, NULL, NULL, NULL);
    s2clr_status status = S2CLR_OK;
    if (dataset) {
        status = s2clr_layer_choose(p->path, layer, dataset, &r->layer);
        if (status == S2CLR_OK) status = read_layer(r);
        GDALClose(dataset);
    }
    s2clr_gdal_watch_end(&watch);
    if (!dataset)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot be opened (%.400s); wanted: points that OGR reads, or a "
                               "CSV file",
                               p->path, watch.text);
    /* A source that breaks off half-way must not pass for a short one. */
    if (status == S2CLR_OK && watch.failed)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: is damaged: %.400s", p->path, watch.text);
    return status;
}

s2clr_status s2clr_points_open(const char *path, const char *layer, s2clr_points **out)
{
    reading r = {0};
    S2CLR_TRY(s2clr_alloc(1, sizeof *r.points, "points", (void **)&r.points));
    s2clr_status status = s2clr_alloc(1, sizeof *r.strings, "points", (void **)&r.strings);
    r.points->own = r.strings;
    if (status == S2CLR_OK) status = s2clr_strdup(path, &r.points->path);
    if (status == S2CLR_OK) status = read_file(&r, layer);
    if (status == S2CLR_OK)
        *out = r.points;
    else
        s2clr_points_close(r.points);
    return status;
}

void s2clr_points_close(s2clr_points *points)
{
    if (!points) return;
    if (points->own) s2clr_strings_clear(points->own);
    for (size_t c = 0; points->column && c < points->columns; c++) s2clr_free(points->column[c]);
    s2clr_free(points->own);
    s2clr_free(points->column);
    s2clr_free(points->text);
    s2clr_free(points->row);
    s2clr_free(points->at);
    s2clr_free(points->crs);
    s2clr_free(points->path);
    s2clr_free(points);
}

/* ---- asking ---- */

bool s2clr_points_has_column(const s2clr_points *points, const char *name, size_t *out)
{
    for (size_t c = 0; c < points->columns; c++) {
        if (strcasecmp(points->column[c], name) != 0) continue;
        *out = c;
        return true;
    }
    return false;
}

s2clr_status s2clr_points_column(const s2clr_points *points, const char *name, size_t *out)
{
    const char *names[COLUMNS_SHOWN];
    char all[400] = "";
    size_t count = 0;
    if (s2clr_points_has_column(points, name, out)) return S2CLR_OK;
    for (; count < points->columns && count < COLUMNS_SHOWN; count++) {
        const size_t used = strlen(all);
        names[count] = points->column[count];
        snprintf(all + used, sizeof all - used, "%s%s", count ? ", " : "", names[count]);
    }
    const char *near = s2clr_suggest(name, names, count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: has no column '%.80s'%s%s%s; it has: %s",
                           points->path, name, near ? " (did you mean '" : "", near ? near : "",
                           near ? "'?)" : "", all[0] ? all : "none");
}

const char *s2clr_points_text(const s2clr_points *points, size_t point, size_t column)
{
    return points->text[point * points->columns + column];
}
