/* The index of a store: a GeoPackage with one row per patch, written through OGR. */
#define _GNU_SOURCE
#include <cpl_conv.h>
#include <cpl_string.h>
#include <errno.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/pstore.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/gpkg_date.h"

/* In the order of s2clr_column; documented in s2clr-dataset(5). */
static const struct {
    const char *name;
    OGRFieldType type;
} columns[S2CLR_COLUMNS] = {
    {"name", OFTString},   {"label", OFTInteger},    {"cover", OFTReal},
    {"labels", OFTString}, {"split", OFTString},     {"country", OFTString},
    {"tile", OFTString},   {"date", OFTDate},        {"place", OFTString},
    {"source", OFTString}, {"level", OFTString},     {"dn_offset", OFTReal},
    {"metres", OFTReal},   {"width", OFTInteger},    {"height", OFTInteger},
    {"crs", OFTString},    {"transform", OFTString}, {"sha256", OFTString},
};

const char *s2clr_column_name(s2clr_column column)
{
    return columns[column].name;
}

static s2clr_status failed(const char *path, const char *what, const s2clr_gdal_watch *watch)
{
    const bool full = strstr(watch->text, "full") || strstr(watch->text, "disk I/O");
    const bool locked = strstr(watch->text, "locked") || strstr(watch->text, "busy");
    return s2clr_error_set(S2CLR_ERR_IO, "%s: %s: %.300s; %s", path, what, watch->text,
                           full     ? "free some space and run the same command again"
                           : locked ? "another program holds it; close that one and run the same "
                                      "command again"
                                    : "it must be a file that can be written to");
}

/* ---- making ---- */

static bool add_columns(OGRLayerH layer)
{
    bool good = true;
    for (int i = 0; i < S2CLR_COLUMNS && good; i++) {
        OGRFieldDefnH field = OGR_Fld_Create(columns[i].name, columns[i].type);
        if (i == S2CLR_COLUMN_NAME || i == S2CLR_COLUMN_SHA256) OGR_Fld_SetNullable(field, FALSE);
        good = OGR_L_CreateField(layer, field, FALSE) == OGRERR_NONE;
        OGR_Fld_Destroy(field);
    }
    return good;
}

static bool make_layer(GDALDatasetH dataset)
{
    static char *options[] = {(char *)"SPATIAL_INDEX=NO", (char *)"GEOMETRY_NAME=geom",
                              (char *)"FID=fid", NULL};
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    bool good = OSRImportFromEPSG(srs, 4326) == OGRERR_NONE;
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    if (good) {
        OGRLayerH layer =
            GDALDatasetCreateLayer(dataset, S2CLR_STORE_LAYER, srs, wkbMultiPolygon, options);
        good = layer && add_columns(layer) && OGR_L_SyncToDisk(layer) == OGRERR_NONE;
    }
    OSRDestroySpatialReference(srs);
    return good;
}

/* The counts that OGR keeps beside a layer are not kept right by a kill: none. */
static s2clr_status make_file(const char *part, const char *path)
{
    static char *options[] = {(char *)"ADD_GPKG_OGR_CONTENTS=NO", NULL};
    s2clr_gdal_watch watch;
    GDALDriverH driver = GDALGetDriverByName("GPKG");
    if (!driver)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: this GDAL cannot write GeoPackages; install one with SQLite",
                               path);
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset = GDALCreate(driver, part, 0, 0, 0, GDT_Unknown, options);
    const bool good = dataset && make_layer(dataset);
    if (dataset) GDALClose(dataset);
    s2clr_gdal_watch_end(&watch);
    if (!good || watch.failed) return failed(path, "cannot make the index", &watch);
    if (rename(part, path) != 0)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot put the index in place: %s", path,
                               strerror(errno));
    return S2CLR_OK;
}

/* What a kill left under the temporary name is of no use. */
static void remove_part(const char *part)
{
    char journal[4200];
    unlink(part);
    if (snprintf(journal, sizeof journal, "%s-journal", part) < (int)sizeof journal)
        unlink(journal);
}

s2clr_status s2clr_index_create(const char *folder)
{
    char *path, *part;
    S2CLR_TRY(s2clr_store_path(folder, S2CLR_STORE_INDEX, &path));
    s2clr_status status = s2clr_store_path(folder, "part-" S2CLR_STORE_INDEX, &part);
    if (status == S2CLR_OK) {
        remove_part(part);
        s2clr_gpkg_date_begin();
        status = make_file(part, path);
        s2clr_gpkg_date_end();
        if (status != S2CLR_OK) remove_part(part);
        s2clr_free(part);
    }
    s2clr_free(path);
    return status;
}

/* ---- opening ---- */

static s2clr_status find_columns(s2clr_index *index)
{
    OGRFeatureDefnH defn = OGR_L_GetLayerDefn(index->layer);
    for (int i = 0; i < S2CLR_COLUMNS; i++) {
        index->field[i] = OGR_FD_GetFieldIndex(defn, columns[i].name);
        if (index->field[i] < 0)
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: layer '" S2CLR_STORE_LAYER
                                   "' has no column '%s'; wanted: the index of a store as "
                                   "s2clr-dataset(5) has it",
                                   index->path, columns[i].name);
    }
    return S2CLR_OK;
}

static s2clr_status open_dataset(s2clr_index *index, bool write)
{
    static const char *const drivers[] = {"GPKG", NULL};
    const unsigned flags = GDAL_OF_VECTOR | (write ? GDAL_OF_UPDATE : GDAL_OF_READONLY);
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    index->dataset = GDALOpenEx(index->path, flags, drivers, NULL, NULL);
    index->layer =
        index->dataset ? GDALDatasetGetLayerByName(index->dataset, S2CLR_STORE_LAYER) : NULL;
    s2clr_gdal_watch_end(&watch);
    if (!index->dataset)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot open%s: %.300s; wanted: the index of a store, a "
                               "GeoPackage",
                               index->path, write ? " for writing" : "", watch.text);
    if (!index->layer)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: has no layer '" S2CLR_STORE_LAYER
                               "'; wanted: the index of a store as s2clr-dataset(5) has it",
                               index->path);
    return find_columns(index);
}

s2clr_status s2clr_index_open(const char *folder, bool write, s2clr_index *out)
{
    s2clr_index index = {0};
    S2CLR_TRY(s2clr_store_path(folder, S2CLR_STORE_INDEX, &index.path));
    const s2clr_status status = open_dataset(&index, write);
    if (status == S2CLR_OK)
        *out = index;
    else
        s2clr_index_close(&index);
    return status;
}

void s2clr_index_close(s2clr_index *index)
{
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    s2clr_gpkg_date_begin();
    if (index->open) GDALDatasetRollbackTransaction(index->dataset);
    if (index->dataset) GDALClose(index->dataset);
    s2clr_gpkg_date_end();
    s2clr_gdal_watch_end(&watch);
    s2clr_free(index->path);
    *index = (s2clr_index){0};
}

/* ---- rows ---- */

static void set_text(const s2clr_index *index, OGRFeatureH feature, s2clr_column column,
                     const char *text)
{
    if (text && *text)
        OGR_F_SetFieldString(feature, index->field[column], text);
    else
        OGR_F_SetFieldNull(feature, index->field[column]);
}

static void set_number(const s2clr_index *index, OGRFeatureH feature, s2clr_column column,
                       double value, bool known)
{
    if (known)
        OGR_F_SetFieldDouble(feature, index->field[column], value);
    else
        OGR_F_SetFieldNull(feature, index->field[column]);
}

/* Grids in degrees give sizes of any number of digits; people read them. What is smaller is kept as
 * it is, because 0 means that it is not known. */
static double whole_millimetres(double metres)
{
    const double whole = round(1000 * metres) / 1000;
    return whole > 0 ? whole : metres;
}

static s2clr_status set_labels(const s2clr_index *index, OGRFeatureH feature,
                               const s2clr_patch_record *record)
{
    char *joined;
    size_t room = 1;
    for (int i = 0; i < record->label_count; i++) room += strlen(record->labels[i]) + 1;
    S2CLR_TRY(s2clr_alloc(room, 1, "class names", (void **)&joined));
    char *to = joined;
    for (int i = 0; i < record->label_count; i++) {
        if (i) *to++ = '|';
        const size_t length = strlen(record->labels[i]);
        memcpy(to, record->labels[i], length);
        to += length;
    }
    set_text(index, feature, S2CLR_COLUMN_LABELS, joined);
    s2clr_free(joined);
    return S2CLR_OK;
}

static void set_place(const s2clr_index *index, OGRFeatureH feature,
                      const s2clr_patch_record *record, const char *crs)
{
    const double *t = record->transform;
    char text[200];
    int height, width, ymd[3];
    s2clr_patch_record_size(record, &height, &width);
    OGR_F_SetFieldInteger(feature, index->field[S2CLR_COLUMN_WIDTH], width);
    OGR_F_SetFieldInteger(feature, index->field[S2CLR_COLUMN_HEIGHT], height);
    if (record->date && s2clr_date_parse(record->date, ymd))
        OGR_F_SetFieldDateTime(feature, index->field[S2CLR_COLUMN_DATE], ymd[0], ymd[1], ymd[2], 0,
                               0, 0, 0);
    if (!record->has_footprint) return;
    CPLsnprintf(text, sizeof text, "%.17g %.17g %.17g %.17g %.17g %.17g", t[0], t[1], t[2], t[3],
                t[4], t[5]);
    set_text(index, feature, S2CLR_COLUMN_CRS, crs);
    set_text(index, feature, S2CLR_COLUMN_TRANSFORM, text);
}

static s2clr_status set_fields(const s2clr_index *index, OGRFeatureH feature,
                               const s2clr_patch_record *r, const char *crs, const char *sha256)
{
    set_text(index, feature, S2CLR_COLUMN_NAME, r->name);
    set_number(index, feature, S2CLR_COLUMN_LABEL, r->label, r->label != S2CLR_LABEL_UNKNOWN);
    set_number(index, feature, S2CLR_COLUMN_COVER, r->cover, r->cover >= 0);
    S2CLR_TRY(set_labels(index, feature, r));
    set_text(index, feature, S2CLR_COLUMN_SPLIT, r->split);
    set_text(index, feature, S2CLR_COLUMN_COUNTRY, r->country);
    set_text(index, feature, S2CLR_COLUMN_TILE, r->tile);
    set_text(index, feature, S2CLR_COLUMN_PLACE, r->place);
    set_text(index, feature, S2CLR_COLUMN_SOURCE, r->source);
    set_text(index, feature, S2CLR_COLUMN_LEVEL, r->level);
    set_number(index, feature, S2CLR_COLUMN_DN_OFFSET, r->dn_offset, true);
    set_number(index, feature, S2CLR_COLUMN_METRES, whole_millimetres(r->metres),
               r->metres > 0);
    set_place(index, feature, r, crs);
    set_text(index, feature, S2CLR_COLUMN_SHA256, sha256);
    return S2CLR_OK;
}

s2clr_status s2clr_index_begin(s2clr_index *index)
{
    s2clr_gdal_watch watch;
    if (index->open) return S2CLR_OK;
    s2clr_gdal_watch_begin(&watch);
    index->open = GDALDatasetStartTransaction(index->dataset, FALSE) == OGRERR_NONE;
    s2clr_gdal_watch_end(&watch);
    return index->open ? S2CLR_OK : failed(index->path, "cannot begin to write", &watch);
}

s2clr_status s2clr_index_put(s2clr_index *index, int64_t fid, const s2clr_patch_record *record,
                             const char *crs, OGRGeometryH footprint, const char *sha256)
{
    s2clr_gdal_watch watch;
    bool good = true;
    S2CLR_TRY(s2clr_index_begin(index));
    s2clr_gdal_watch_begin(&watch);
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(index->layer));
    s2clr_status status = set_fields(index, feature, record, crs, sha256);
    if (footprint) good = OGR_F_SetGeometry(feature, footprint) == OGRERR_NONE && good;
    OGR_F_SetFID(feature, fid);
    if (good && status == S2CLR_OK)
        good = OGR_L_CreateFeature(index->layer, feature) == OGRERR_NONE;
    OGR_F_Destroy(feature);
    s2clr_gdal_watch_end(&watch);
    if (status != S2CLR_OK) return status;
    return good ? S2CLR_OK : failed(index->path, "cannot write a row", &watch);
}

s2clr_status s2clr_index_commit(s2clr_index *index)
{
    s2clr_gdal_watch watch;
    if (!index->open) return S2CLR_OK;
    s2clr_gdal_watch_begin(&watch);
    s2clr_gpkg_date_begin();
    const bool good = GDALDatasetCommitTransaction(index->dataset) == OGRERR_NONE;
    index->open = !good;
    s2clr_gpkg_date_end();
    s2clr_gdal_watch_end(&watch);
    return good && !watch.failed ? S2CLR_OK : failed(index->path, "cannot commit rows", &watch);
}
