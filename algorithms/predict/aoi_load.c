#include <gdal.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <cpl_conv.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"
#include "predict/paoi.h"

/* Pieces that the longer side of a polygon's box is cut into before it is reprojected: a curve of
 * 100 km that bends 200 m is followed to a few millimetres. */
#define PIECES 256

typedef struct polygons {
    s2clr_aoi *aoi;
    const s2clr_aoi_frame *frame;
    GEOSGeometry **list; // (room)
    size_t count, room;
    uint64_t features; /* seen before the spatial filter */
} polygons;

static s2clr_status geos_failed(const s2clr_aoi *aoi, const char *doing)
{
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %s failed: %s", aoi->path, doing, aoi->reason);
}

/* ---- one geometry ---- */

static s2clr_status append(polygons *all, GEOSGeometry *geometry)
{
    if (all->count == all->room) {
        const size_t room = all->room ? 2 * all->room : 64;
        GEOSGeometry **list;
        S2CLR_TRY(s2clr_alloc(room, sizeof *list, "polygons", (void **)&list));
        if (all->count) memcpy(list, all->list, all->count * sizeof *list);
        s2clr_free(all->list);
        all->list = list;
        all->room = room;
    }
    all->list[all->count++] = geometry;
    return S2CLR_OK;
}

static GEOSGeometry *to_geos(const s2clr_aoi *aoi, OGRGeometryH geometry)
{
    const size_t size = (size_t)OGR_G_WkbSize(geometry);
    unsigned char *wkb;
    GEOSGeometry *made = NULL;
    if (s2clr_alloc(size, 1, "polygon", (void **)&wkb) != S2CLR_OK) return NULL;
    if (OGR_G_ExportToIsoWkb(geometry, wkbNDR, wkb) == OGRERR_NONE)
        made = GEOSGeomFromWKB_buf_r(aoi->geos, wkb, size);
    s2clr_free(wkb);
    if (made && GEOSisValid_r(aoi->geos, made) != 1) {
        GEOSGeometry *mended = GEOSMakeValid_r(aoi->geos, made);
        GEOSGeom_destroy_r(aoi->geos, made);
        made = mended;
    }
    return made;
}

static int to_pixels(double *x, double *y, void *context)
{
    const double *inverse = context;
    const double geo_x = *x, geo_y = *y;
    *x = inverse[0] + inverse[1] * geo_x + inverse[2] * geo_y;
    *y = inverse[3] + inverse[4] * geo_x + inverse[5] * geo_y;
    return 1;
}

static s2clr_status reproject(const polygons *all, OGRGeometryH geometry,
                              OGRCoordinateTransformationH to_raster)
{
    OGREnvelope box;
    if (!to_raster) return S2CLR_OK;
    OGR_G_GetEnvelope(geometry, &box);
    const double side = fmax(box.MaxX - box.MinX, box.MaxY - box.MinY);
    if (side > 0) OGR_G_Segmentize(geometry, side / PIECES);
    if (OGR_G_Transform(geometry, to_raster) != OGRERR_NONE)
        return s2clr_error_set(S2CLR_ERR_MISMATCH,
                               "%s: a polygon near the raster cannot be brought to its CRS: %s",
                               all->aoi->path, CPLGetLastErrorMsg());
    return S2CLR_OK;
}

/* Takes the geometry over. */
static s2clr_status add_geometry(polygons *all, OGRGeometryH geometry,
                                 OGRCoordinateTransformationH to_raster)
{
    s2clr_aoi *aoi = all->aoi;
    GEOSGeometry *made = NULL, *moved = NULL;
    OGR_G_FlattenTo2D(geometry);
    s2clr_status status = reproject(all, geometry, to_raster);
    if (status == S2CLR_OK) {
        made = to_geos(aoi, geometry);
        if (made)
            moved = GEOSGeom_transformXY_r(aoi->geos, made, to_pixels,
                                           (void *)(uintptr_t)all->frame->inverse);
        if (!moved) status = geos_failed(aoi, "taking over a polygon");
    }
    if (made) GEOSGeom_destroy_r(aoi->geos, made);
    OGR_G_DestroyGeometry(geometry);
    if (status == S2CLR_OK) status = append(all, moved);
    return status;
}

/* ---- layers ---- */

/* Only what may meet the raster is looked at: the rest of the world need not fit its CRS. */
static void filter(const polygons *all, OGRLayerH layer, OGRCoordinateTransformationH to_raster)
{
    const s2clr_aoi_frame *frame = all->frame;
    const double *t = frame->transform;
    double box[4] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (int corner = 0; corner < 4; corner++) {
        const double column = corner & 1 ? frame->columns : 0, row = corner & 2 ? frame->rows : 0;
        const double x = t[0] + t[1] * column + t[2] * row, y = t[3] + t[4] * column + t[5] * row;
        box[0] = fmin(box[0], x);
        box[1] = fmin(box[1], y);
        box[2] = fmax(box[2], x);
        box[3] = fmax(box[3], y);
    }
    if (to_raster) {
        OGRCoordinateTransformationH back = OCTGetInverse(to_raster);
        double out[4];
        const int good = back && OCTTransformBounds(back, box[0], box[1], box[2], box[3], &out[0],
                                                    &out[1], &out[2], &out[3], 21);
        if (back) OCTDestroyCoordinateTransformation(back);
        if (!good || out[0] > out[2]) return; /* across the date line: look at everything */
        memcpy(box, out, sizeof box);
    }
    const double margin = 0.01 * fmax(box[2] - box[0], box[3] - box[1]);
    OGR_L_SetSpatialFilterRect(layer, box[0] - margin, box[1] - margin, box[2] + margin,
                               box[3] + margin);
}

typedef struct layer_way {
    polygons *all;
    OGRCoordinateTransformationH to_raster; /* NULL: none is needed */
} layer_way;

static s2clr_status add_feature(void *context, OGRFeatureH feature)
{
    const layer_way *way = context;
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    if (!geometry || OGR_G_GetDimension(geometry) != 2 || OGR_G_IsEmpty(geometry)) return S2CLR_OK;
    return add_geometry(way->all, OGR_G_GetLinearGeometry(geometry, 0, NULL), way->to_raster);
}

static s2clr_status add_layer(polygons *all, OGRLayerH layer)
{
    const char *wkt = all->frame->wkt;
    OGRSpatialReferenceH from = OGR_L_GetSpatialRef(layer), to = NULL;
    OGRCoordinateTransformationH to_raster = NULL;
    s2clr_status status = S2CLR_OK;
    all->features += (uint64_t)(OGR_L_GetFeatureCount(layer, 1) > 0);
    if (s2clr_ogr_has_crs(from) && wkt && wkt[0]) {
        to = OSRNewSpatialReference(wkt);
        /* The geotransform gives x = east, whatever the authority's order; the layer's own
         * mapping says how its driver delivers coordinates and stays as it is. */
        if (to) OSRSetAxisMappingStrategy(to, OAMS_TRADITIONAL_GIS_ORDER);
        to_raster = to ? OCTNewCoordinateTransformation(from, to) : NULL;
        if (!to_raster)
            status = s2clr_error_set(S2CLR_ERR_MISMATCH,
                                     "%s: layer %s cannot be brought to the raster's CRS: %s",
                                     all->aoi->path, OGR_L_GetName(layer), CPLGetLastErrorMsg());
        else if (OSRIsSame(from, to)) {
            OCTDestroyCoordinateTransformation(to_raster);
            to_raster = NULL;
        }
    }
    if (status == S2CLR_OK) {
        filter(all, layer, to_raster);
        layer_way way = {all, to_raster};
        status = s2clr_ogr_each(layer, add_feature, &way);
    }
    if (to_raster) OCTDestroyCoordinateTransformation(to_raster);
    if (to) OSRDestroySpatialReference(to);
    return status;
}

/* ---- all of it ---- */

static s2clr_status unite(polygons *all, GEOSGeometry **out)
{
    GEOSContextHandle_t geos = all->aoi->geos;
    if (all->count == 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               all->features ? "%s: has no polygon that meets the raster; check "
                                               "the CRS of both"
                                             : "%s: has no features",
                               all->aoi->path);
    GEOSGeometry *together =
        GEOSGeom_createCollection_r(geos, GEOS_GEOMETRYCOLLECTION, all->list, (unsigned)all->count);
    if (!together) return geos_failed(all->aoi, "collecting the polygons");
    all->count = 0; /* the collection owns them now */
    GEOSGeometry *united = GEOSUnaryUnion_r(geos, together);
    GEOSGeom_destroy_r(geos, together);
    if (!united) return geos_failed(all->aoi, "uniting the polygons");
    *out = united;
    return S2CLR_OK;
}

static s2clr_status load(polygons *all, const char *path, GEOSGeometry **out)
{
    GDALDatasetH dataset =
        GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_VERBOSE_ERROR, NULL, NULL, NULL);
    if (!dataset)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be opened as vector data: %s", path,
                               CPLGetLastErrorMsg());
    s2clr_status status = S2CLR_OK;
    for (int i = 0; status == S2CLR_OK && i < GDALDatasetGetLayerCount(dataset); i++)
        status = add_layer(all, GDALDatasetGetLayer(dataset, i));
    if (status == S2CLR_OK) status = unite(all, out);
    for (size_t i = 0; i < all->count; i++) GEOSGeom_destroy_r(all->aoi->geos, all->list[i]);
    s2clr_free(all->list);
    GDALClose(dataset);
    return status;
}

s2clr_status s2clr_aoi_load(s2clr_aoi *aoi, const char *path, const s2clr_aoi_frame *frame,
                            GEOSGeometry **out)
{
    polygons all = {.aoi = aoi, .frame = frame};
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    const s2clr_status status = load(&all, path, out);
    s2clr_gdal_watch_end(&watch);
    return status;
}
