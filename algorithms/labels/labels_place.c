/* Which layer is meant, and where its rows lie: its geometries, or columns of coordinates, and in
 * which CRS. */
#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "labels/labels_place.h"
#include "sentinel2/ogr_layer.h"

enum { PRJ_MAX = 65536, LAYERS_SHOWN = 64 };

s2clr_status s2clr_layer_choose(const char *path, const char *wanted, GDALDatasetH dataset,
                                OGRLayerH *out)
{
    const char *names[LAYERS_SHOWN], *near = NULL;
    char all[400] = "";
    const int layers = GDALDatasetGetLayerCount(dataset);
    size_t count = 0;
    if (!wanted && layers == 1) {
        *out = GDALDatasetGetLayer(dataset, 0);
        return S2CLR_OK;
    }
    for (int i = 0; i < layers; i++) {
        OGRLayerH layer = GDALDatasetGetLayer(dataset, i);
        const char *name = OGR_L_GetName(layer);
        if (wanted && strcmp(name, wanted) == 0) {
            *out = layer;
            return S2CLR_OK;
        }
        const size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", name);
        if (count < LAYERS_SHOWN) names[count++] = name;
    }
    if (wanted) near = s2clr_suggest(wanted, names, count);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: %s%.80s%s%s%s%s; it has: %s", path,
                           wanted ? "has no layer '" : "has several layers; wanted: ",
                           wanted ? wanted : "the name of one", wanted ? "'" : "",
                           near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "",
                           all);
}

OGRSpatialReferenceH s2clr_world_new(void)
{
    return s2clr_srs_of("EPSG:4326");
}

int s2clr_layer_dimension(OGRLayerH layer)
{
    const OGRwkbGeometryType type = OGR_L_GetGeomType(layer);
    const OGRwkbGeometryType flat = OGR_GT_Flatten(type);
    OGRFeatureH feature;
    int dimension = -1;
    if (flat == wkbNone) return -1;
    if (flat == wkbPoint || flat == wkbMultiPoint) return 0;
    if (OGR_GT_IsSurface(flat) || flat == wkbMultiPolygon || flat == wkbMultiSurface) return 2;
    OGR_L_ResetReading(layer);
    while (dimension < 0 && (feature = OGR_L_GetNextFeature(layer)) != NULL) {
        OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
        if (geometry && !OGR_G_IsEmpty(geometry)) dimension = OGR_G_GetDimension(geometry);
        OGR_F_Destroy(feature);
    }
    return dimension;
}

/* Columns that say where a row lies, longitude first. */
static const struct {
    const char *x, *y;
    bool degrees; /* their names say WGS 84 */
} coordinate_columns[] = {
    {"lon", "lat", true},  {"longitude", "latitude", true},
    {"long", "lat", true}, {"lng", "lat", true},
    {"x", "y", false},     {"easting", "northing", false},
};
enum { COORDINATE_COLUMNS = sizeof coordinate_columns / sizeof coordinate_columns[0] };

static int coordinates_of(OGRFeatureDefnH columns)
{
    for (int i = 0; i < COORDINATE_COLUMNS; i++)
        if (OGR_FD_GetFieldIndex(columns, coordinate_columns[i].x) >= 0 &&
            OGR_FD_GetFieldIndex(columns, coordinate_columns[i].y) >= 0)
            return i;
    return -1;
}

bool s2clr_layer_has_coordinates(OGRLayerH layer)
{
    return coordinates_of(OGR_L_GetLayerDefn(layer)) >= 0;
}

/* The CRS in FILE.prj beside a table, or NULL. */
static OGRSpatialReferenceH crs_beside(const char *path)
{
    GByte *text = NULL;
    vsi_l_offset size = 0;
    char name[4200];
    snprintf(name, sizeof name, "%s", CPLResetExtension(path, "prj"));
    if (!VSIIngestFile(NULL, name, &text, &size, PRJ_MAX)) return NULL;
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    if (crs && (strstr((char *)text, "://") || OSRSetFromUserInput(crs, (char *)text))) {
        OSRDestroySpatialReference(crs);
        crs = NULL;
    }
    VSIFree(text);
    if (crs) OSRSetAxisMappingStrategy(crs, OAMS_TRADITIONAL_GIS_ORDER);
    return crs;
}

static s2clr_status no_crs(const char *path, OGRLayerH layer, const s2clr_layer_place *place)
{
    OGRFeatureDefnH columns = OGR_L_GetLayerDefn(layer);
    if (place->x >= 0)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: its columns %s and %s are coordinates of an unknown CRS; name "
                               "them lon and lat if they are degrees (WGS 84), or write the CRS "
                               "beside it: gdalsrsinfo -o wkt1 EPSG:NUMBER > %s",
                               path, OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(columns, place->x)),
                               OGR_Fld_GetNameRef(OGR_FD_GetFieldDefn(columns, place->y)),
                               CPLResetExtension(path, "prj"));
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: layer %s does not say its CRS; give it one: ogr2ogr -a_srs "
                           "EPSG:NUMBER labels.gpkg %s",
                           path, OGR_L_GetName(layer), path);
}

s2clr_status s2clr_layer_place_find(const char *path, OGRLayerH layer, bool columns,
                                    s2clr_layer_place *out)
{
    s2clr_layer_place place = {.x = -1, .y = -1};
    OGRSpatialReferenceH own = OGR_L_GetSpatialRef(layer);
    if (columns) {
        OGRFeatureDefnH defn = OGR_L_GetLayerDefn(layer);
        const int pair = coordinates_of(defn);
        place.x = OGR_FD_GetFieldIndex(defn, coordinate_columns[pair].x);
        place.y = OGR_FD_GetFieldIndex(defn, coordinate_columns[pair].y);
        place.crs = coordinate_columns[pair].degrees ? s2clr_world_new() : crs_beside(path);
    } else if (s2clr_ogr_has_crs(own)) {
        place.crs = OSRClone(own);
    }
    if (s2clr_ogr_has_crs(place.crs)) {
        *out = place;
        return S2CLR_OK;
    }
    const s2clr_status status = no_crs(path, layer, &place);
    s2clr_layer_place_clear(&place);
    return status;
}

void s2clr_layer_place_clear(s2clr_layer_place *place)
{
    if (place->crs) OSRDestroySpatialReference(place->crs);
    *place = (s2clr_layer_place){.x = -1, .y = -1};
}

bool s2clr_layer_place_at(const s2clr_layer_place *place, OGRFeatureH feature, double at[2])
{
    const int column[2] = {place->x, place->y};
    for (int i = 0; i < 2; i++) {
        const bool set = OGR_F_IsFieldSetAndNotNull(feature, column[i]);
        const char *text = set ? OGR_F_GetFieldAsString(feature, column[i]) : "";
        char *end;
        at[i] = CPLStrtod(text, &end);
        if (end == text || end[strspn(end, " ")] || !isfinite(at[i])) return false;
    }
    return true;
}
