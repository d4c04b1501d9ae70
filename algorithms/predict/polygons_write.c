/* Outlined areas as a GeoPackage, with what the map knows of them and a style. */
#define _GNU_SOURCE
#include <cpl_string.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "predict/map_style.h"
#include "predict/pmap_polygons.h"
#include "predict/provenance.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/gpkg_date.h"

enum column { PIXELS, AREA, MEAN, MAXIMUM, COLUMNS };

static const struct {
    const char *name, *title; /* shown by QGIS */
    OGRFieldType type;
} columns[COLUMNS] = {
    [PIXELS] = {"pixels", "pixels", OFTInteger64},
    [AREA] = {"area_m2", "area, m2", OFTReal},
    [MEAN] = {"probability_mean", "mean probability", OFTReal},
    [MAXIMUM] = {"probability_max", "highest probability", OFTReal},
};

/* ---- the layer ---- */

static bool add_columns(OGRLayerH layer)
{
    bool good = true;
    for (int i = 0; i < COLUMNS && good; i++) {
        OGRFieldDefnH field = OGR_Fld_Create(columns[i].name, columns[i].type);
        OGR_Fld_SetAlternativeName(field, columns[i].title);
        good = OGR_L_CreateField(layer, field, FALSE) == OGRERR_NONE;
        OGR_Fld_Destroy(field);
    }
    return good;
}

/* How areas are measured, in plain words. */
static void say_measure(const s2clr_map *map, char *out, size_t size)
{
    const double ratio = s2clr_map_true_area(map);
    if (map->geographic)
        snprintf(out, size, "on the ellipsoid");
    else if (isnan(ratio))
        snprintf(out, size, "in the plane of the map's projection");
    else
        CPLsnprintf(out, size,
                    "in the plane of the map's projection; on the ellipsoid they are %.4f times "
                    "that",
                    ratio);
}

static void say_layer(const s2clr_polygons_writing *w, char *out, size_t size)
{
    const char *positive = s2clr_map_positive(&w->map);
    const char *warning = s2clr_map_tag(&w->map, "MODEL_WARNING");
    char measure[200];
    say_measure(&w->map, measure, sizeof measure);
    if (!*positive) positive = "the positive class";
    CPLsnprintf(out, size,
                "Connected pixels where the probability of %.80s is %.6g (%s) or more. Areas are "
                "measured %s. Pixels counted on a map are no estimate of an area: s2clr area makes "
                "one.%s%.900s",
                positive, w->threshold, w->threshold_from, measure,
                warning && *warning ? " Mind: " : "", warning ? warning : "");
}

static OGRLayerH make_layer(const s2clr_polygons_writing *w, GDALDatasetH dataset)
{
    char text[2000];
    say_layer(w, text, sizeof text);
    char **options = CSLSetNameValue(NULL, "GEOMETRY_NAME", "geom");
    options = CSLSetNameValue(options, "DESCRIPTION", text);
    OGRLayerH layer =
        GDALDatasetCreateLayer(dataset, S2CLR_POLYGONS_LAYER, w->map.crs, wkbPolygon, options);
    CSLDestroy(options);
    return layer && add_columns(layer) ? layer : NULL;
}

/* ---- areas ---- */

static bool put_area(const s2clr_polygons_writing *w, OGRLayerH layer, OGRFeatureH outline)
{
    const int number = OGR_F_GetFieldAsInteger(outline, 0);
    OGRGeometryH shape = OGR_F_StealGeometry(outline);
    if (number < 1 || (uint32_t)number > w->labels.count || !shape) {
        OGR_G_DestroyGeometry(shape);
        return false;
    }
    const s2clr_map_area *label = &w->labels.label[number - 1];
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    OGR_F_SetFieldInteger64(feature, PIXELS, (GIntBig)label->pixels);
    OGR_F_SetFieldDouble(feature, AREA, label->area);
    OGR_F_SetFieldDouble(feature, MEAN, label->sum / (double)label->pixels);
    OGR_F_SetFieldDouble(feature, MAXIMUM, label->maximum);
    bool good = OGR_F_SetGeometryDirectly(feature, shape) == OGRERR_NONE;
    good = good && OGR_L_CreateFeature(layer, feature) == OGRERR_NONE;
    OGR_F_Destroy(feature);
    return good;
}

static bool put_areas(const s2clr_polygons_writing *w, OGRLayerH layer, const char *outlines)
{
    GDALDatasetH from = GDALOpenEx(outlines, GDAL_OF_VECTOR | GDAL_OF_READONLY, NULL, NULL, NULL);
    OGRLayerH source = from ? GDALDatasetGetLayer(from, 0) : NULL;
    bool good = source != NULL;
    OGRFeatureH outline;
    while (good && (outline = OGR_L_GetNextFeature(source))) {
        good = put_area(w, layer, outline);
        OGR_F_Destroy(outline);
    }
    if (from) GDALClose(from);
    return good;
}

/* ---- the style ---- */

/* The table that QGIS keeps layer styles in, and takes the default one from. */
static const struct {
    const char *name;
    OGRFieldType type;
} style_columns[] = {
    {"f_table_catalog", OFTString},
    {"f_table_schema", OFTString},
    {"f_table_name", OFTString},
    {"f_geometry_column", OFTString},
    {"styleName", OFTString},
    {"styleQML", OFTString},
    {"styleSLD", OFTString},
    {"useAsDefault", OFTInteger},
    {"description", OFTString},
    {"owner", OFTString},
    {"ui", OFTString},
    {"update_time", OFTDateTime},
};

static OGRLayerH make_style_table(GDALDatasetH dataset)
{
    char **options = CSLSetNameValue(NULL, "FID", "id");
    OGRLayerH layer = GDALDatasetCreateLayer(dataset, "layer_styles", NULL, wkbNone, options);
    CSLDestroy(options);
    bool good = layer != NULL;
    for (size_t i = 0; good && i < sizeof style_columns / sizeof style_columns[0]; i++) {
        OGRFieldDefnH field = OGR_Fld_Create(style_columns[i].name, style_columns[i].type);
        if (strcmp(style_columns[i].name, "useAsDefault") == 0)
            OGR_Fld_SetSubType(field, OFSTBoolean);
        good = OGR_L_CreateField(layer, field, FALSE) == OGRERR_NONE;
        OGR_Fld_Destroy(field);
    }
    return good ? layer : NULL;
}

static bool put_style(GDALDatasetH dataset, const char *qml)
{
    OGRLayerH layer = make_style_table(dataset);
    if (!layer) return false;
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
    const struct {
        const char *name, *value;
    } texts[] = {{"f_table_catalog", ""},
                 {"f_table_schema", ""},
                 {"f_table_name", S2CLR_POLYGONS_LAYER},
                 {"f_geometry_column", "geom"},
                 {"styleName", "probability"},
                 {"styleQML", qml},
                 {"styleSLD", ""},
                 {"description", "areas by their mean probability"},
                 {"owner", ""},
                 {"update_time", "1970-01-01T00:00:00.000Z"}}; /* equal runs, equal bytes */
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        OGR_F_SetFieldString(feature, OGR_F_GetFieldIndex(feature, texts[i].name), texts[i].value);
    OGR_F_SetFieldInteger(feature, OGR_F_GetFieldIndex(feature, "useAsDefault"), 1);
    const bool good = OGR_L_CreateFeature(layer, feature) == OGRERR_NONE;
    OGR_F_Destroy(feature);
    return good;
}

/* ---- the file ---- */

static void put_tags(const s2clr_polygons_writing *w, GDALDatasetH dataset)
{
    for (const char *const *name = s2clr_provenance_shown(); *name; name++) {
        const char *value = s2clr_map_tag(&w->map, *name);
        if (value) GDALSetMetadataItem(dataset, CPLSPrintf("S2CLR_%s", *name), value, NULL);
    }
}

static bool put_all(const s2clr_polygons_writing *w, GDALDatasetH dataset, const char *outlines,
                    const char *qml)
{
    OGRLayerH layer = make_layer(w, dataset);
    bool good = layer && GDALDatasetStartTransaction(dataset, FALSE) == OGRERR_NONE;
    good = good && put_areas(w, layer, outlines);
    good = good && GDALDatasetCommitTransaction(dataset) == OGRERR_NONE;
    if (good) put_tags(w, dataset);
    return good && put_style(dataset, qml);
}

s2clr_status s2clr_polygons_write(const s2clr_polygons_writing *w, const char *outlines)
{
    char *qml;
    s2clr_gdal_watch watch;
    GDALDriverH driver = GDALGetDriverByName("GPKG");
    if (!driver)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: this GDAL cannot write GeoPackages; install one with SQLite",
                               w->path);
    s2clr_style_title title[COLUMNS];
    for (int i = 0; i < COLUMNS; i++)
        title[i] = (s2clr_style_title){columns[i].name, columns[i].title};
    S2CLR_TRY(s2clr_style_areas(columns[MEAN].name, w->threshold, title, COLUMNS, &qml));
    s2clr_gdal_watch_begin(&watch);
    s2clr_gpkg_date_begin();
    GDALDatasetH dataset = GDALCreate(driver, w->part, 0, 0, 0, GDT_Unknown, NULL);
    const bool good = dataset && put_all(w, dataset, outlines, qml);
    if (dataset) GDALClose(dataset);
    s2clr_gpkg_date_end();
    s2clr_gdal_watch_end(&watch);
    s2clr_free(qml);
    if (good && !watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %.400s; is there room?", w->path,
                           watch.text);
}
