/* Drawn samples as a GeoPackage. */
#include <math.h>
#include <ogr_api.h>
#include <cpl_string.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "predict/output_file.h"
#include "report/area_draw.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/gpkg_date.h"
#include "sentinel2/ogr_layer.h"

enum column { ID, STRATUM, MAP_CLASS, P, DESIGN, WEIGHT, LABEL, LONGITUDE, LATITUDE, COLUMNS };

static const struct {
    const char *name;
    OGRFieldType type;
} columns[COLUMNS] = {
    [ID] = {"id", OFTInteger},
    [STRATUM] = {"stratum", OFTInteger},
    [MAP_CLASS] = {"map_class", OFTInteger},
    [P] = {"p", OFTReal},
    [DESIGN] = {"design", OFTString},
    [WEIGHT] = {"weight", OFTReal},
    [LABEL] = {"label", OFTInteger},
    [LONGITUDE] = {"longitude", OFTReal},
    [LATITUDE] = {"latitude", OFTReal},
};

typedef struct writing {
    const s2clr_area_drawn *drawn;
    const s2clr_area_census *census;
    OGRLayerH layer;
    OGRCoordinateTransformationH to_world;
} writing;

static bool add_columns(OGRLayerH layer)
{
    bool good = true;
    for (int i = 0; i < COLUMNS && good; i++) {
        OGRFieldDefnH field = OGR_Fld_Create(columns[i].name, columns[i].type);
        good = OGR_L_CreateField(layer, field, FALSE) == OGRERR_NONE;
        OGR_Fld_Destroy(field);
    }
    return good;
}

/* label stays empty. */
static void set_fields(const writing *w, OGRFeatureH feature, size_t index, double x, double y)
{
    const s2clr_area_pick *pick = &w->drawn->pick[index];
    const s2clr_area_kind *stratum = &w->census->stratum[pick->stratum];
    OGR_F_SetFieldInteger(feature, ID, (int)index + 1);
    OGR_F_SetFieldInteger(feature, STRATUM, stratum->code);
    OGR_F_SetFieldInteger(feature, MAP_CLASS, pick->code);
    if (!w->census->rule.classes) OGR_F_SetFieldDouble(feature, P, pick->value);
    OGR_F_SetFieldString(feature, DESIGN, "stratified");
    OGR_F_SetFieldDouble(feature, WEIGHT, stratum->pixels / (double)w->drawn->taken[pick->stratum]);
    if (!w->to_world || !OCTTransform(w->to_world, 1, &x, &y, NULL)) return;
    OGR_F_SetFieldDouble(feature, LONGITUDE, x);
    OGR_F_SetFieldDouble(feature, LATITUDE, y);
}

static bool put_point(const writing *w, size_t index)
{
    const s2clr_area_pick *pick = &w->drawn->pick[index];
    const double *t = w->census->map.transform, c = pick->column + 0.5, r = pick->row + 0.5;
    const double x = t[0] + c * t[1] + r * t[2], y = t[3] + c * t[4] + r * t[5];
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(w->layer));
    OGRGeometryH point = OGR_G_CreateGeometry(wkbPoint);
    OGR_G_SetPoint_2D(point, 0, x, y);
    set_fields(w, feature, index, x, y);
    bool good = OGR_F_SetGeometryDirectly(feature, point) == OGRERR_NONE;
    good = good && OGR_L_CreateFeature(w->layer, feature) == OGRERR_NONE;
    OGR_F_Destroy(feature);
    return good;
}

static bool put_all(writing *w, GDALDatasetH dataset, const char *description)
{
    char **options = CSLSetNameValue(NULL, "GEOMETRY_NAME", "geom");
    options = CSLSetNameValue(options, "DESCRIPTION", description);
    w->layer =
        GDALDatasetCreateLayer(dataset, S2CLR_AREA_LAYER, w->census->map.crs, wkbPoint, options);
    CSLDestroy(options);
    bool good = w->layer && add_columns(w->layer) &&
                GDALDatasetStartTransaction(dataset, FALSE) == OGRERR_NONE;
    for (size_t i = 0; i < w->drawn->count && good; i++) good = put_point(w, i);
    return good && GDALDatasetCommitTransaction(dataset) == OGRERR_NONE;
}

static s2clr_status write_file(writing *w, const char *part, const char *path,
                               const char *description)
{
    s2clr_gdal_watch watch;
    GDALDriverH driver = GDALGetDriverByName("GPKG");
    if (!driver)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: this GDAL cannot write GeoPackages; install one with SQLite",
                               path);
    s2clr_gdal_watch_begin(&watch);
    s2clr_gpkg_date_begin();
    OGRSpatialReferenceH world = s2clr_srs_of("EPSG:4326");
    if (world) w->to_world = OCTNewCoordinateTransformation(w->census->map.crs, world);
    GDALDatasetH dataset = GDALCreate(driver, part, 0, 0, 0, GDT_Unknown, NULL);
    const bool good = dataset && put_all(w, dataset, description);
    if (dataset) GDALClose(dataset);
    if (w->to_world) OCTDestroyCoordinateTransformation(w->to_world);
    if (world) OSRDestroySpatialReference(world);
    s2clr_gpkg_date_end();
    s2clr_gdal_watch_end(&watch);
    if (good && !watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %.400s; is there room?", path,
                           watch.text);
}

s2clr_status s2clr_area_drawn_write(const s2clr_area_drawn *drawn, const s2clr_area_census *census,
                                    const char *path, bool overwrite, const char *description)
{
    char target[S2CLR_OUTPUT_PATH_MAX], part[S2CLR_OUTPUT_PATH_MAX];
    writing w = {.drawn = drawn, .census = census};
    const size_t length = strlen(path);
    if (length < 6 || strcasecmp(path + length - 5, ".gpkg") != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: samples are written as a GeoPackage; wanted: a name that ends "
                               "with .gpkg",
                               path);
    S2CLR_TRY(s2clr_output_check(path, overwrite));
    S2CLR_TRY(s2clr_output_resolve(path, target));
    snprintf(part, sizeof part, "%.*s.part.gpkg", S2CLR_OUTPUT_PATH_MAX - S2CLR_OUTPUT_SUFFIX_MAX,
             target);
    VSIUnlink(part);
    s2clr_status status = write_file(&w, part, path, description);
    if (status == S2CLR_OK) status = s2clr_output_publish(part, target, path);
    if (status != S2CLR_OK) VSIUnlink(part);
    return status;
}
