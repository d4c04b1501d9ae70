/* Patch folders as BigEarthNet has them: a GeoTIFF per band and a JSON with the labels. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal.h>
#include <jansson.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pexport.h"
#include "dataset/pstore.h"
#include "sentinel2/gdal_watch.h"
#include "sentinel2/ogr_layer.h"

/* The folder's name comes back in those of its files, which may have 255 bytes. */
enum { NAME_MAX_BYTES = 200 };

typedef struct export
{
    s2clr_export_place place;
    s2clr_strings names; /* of folders */
    char *crs, *wkt;     /* of the last patch: as the store has it, and what it means */
    size_t files;
}
export;

/* ---- names ---- */

/* Names are anything; folders must stay below the output, also on other systems. */
static void clean_name(const char *name, char out[NAME_MAX_BYTES + 20])
{
    size_t n = 0;
    for (; name[n] && n < NAME_MAX_BYTES; n++) {
        const unsigned char c = (unsigned char)name[n];
        const bool good = c >= 128 || (c > ' ' && c < 127 && !strchr("/\\:*?\"<>|", c));
        out[n] = good && !(n == 0 && c == '.') ? name[n] : '_';
    }
    while (name[n] && n && ((unsigned char)name[n] & 0xC0) == 0x80)
        n--; /* not within a character */
    out[n] = '\0';
}

static s2clr_status choose_name(export *to, const char *name, char out[NAME_MAX_BYTES + 20])
{
    const char *kept;
    char hex[65];
    clean_name(name, out);
    if (strlen(name) > strlen(out) || s2clr_strings_find(&to->names, out) >= 0) {
        s2clr_store_digest(name, strlen(name), hex);
        snprintf(out + strlen(out), 18, "_%.16s", hex);
    }
    return s2clr_strings_put(&to->names, out, &kept);
}

/* ---- bands ---- */

static GDALDataType type_of(s2clr_dtype dtype)
{
    switch (dtype) {
    case S2CLR_DTYPE_U8:
        return GDT_Byte;
    case S2CLR_DTYPE_I16:
        return GDT_Int16;
    case S2CLR_DTYPE_F32:
        return GDT_Float32;
    default:
        return GDT_UInt16;
    }
}

static void georeference(GDALDatasetH dataset, const char *wkt, const s2clr_store_row *row,
                         const s2clr_patch_band *band)
{
    double t[6];
    memcpy(t, row->transform, sizeof t);
    for (int i = 1; i < 6; i++)
        if (i != 3)
            t[i] *= i == 1 || i == 4 ? (double)row->width / band->width
                                     : (double)row->height / band->height;
    GDALSetGeoTransform(dataset, t);
    GDALSetProjection(dataset, wkt);
}

/* DN stay as they are: what has to be added to them is a tag that readers understand, 0 as well:
 * the baseline in a name might tell them otherwise. */
static void tag(GDALDatasetH dataset, const s2clr_store_row *row)
{
    char offset[40];
    const char *key = strcmp(row->level, "L1C") == 0 ? "RADIO_ADD_OFFSET" : "BOA_ADD_OFFSET";
    snprintf(offset, sizeof offset, "%.17g", row->dn_offset);
    GDALSetMetadataItem(dataset, key, offset, NULL);
    if (*row->level) GDALSetMetadataItem(dataset, "PROCESSING_LEVEL", row->level, NULL);
}

static bool write_pixels(GDALDatasetH dataset, const s2clr_patch_band *band)
{
    const GDALDataType type = type_of(band->dtype);
    void *pixels = (void *)(uintptr_t)band->data; /* read only */
    return GDALRasterIO(GDALGetRasterBand(dataset, 1), GF_Write, 0, 0, band->width, band->height,
                        pixels, band->width, band->height, type, 0, 0) == CE_None;
}

static s2clr_status put_band(const export *to, const char *path, const s2clr_store_row *row,
                             const s2clr_patch_band *band)
{
    s2clr_gdal_watch watch;
    char **options = CSLSetNameValue(NULL, "COMPRESS", "DEFLATE");
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), path, band->width, band->height,
                                      1, type_of(band->dtype), options);
    bool good = dataset != NULL;
    if (good && row->has_footprint) georeference(dataset, to->wkt, row, band);
    if (good) tag(dataset, row);
    if (good) good = write_pixels(dataset, band);
    if (dataset) GDALClose(dataset);
    s2clr_gdal_watch_end(&watch);
    CSLDestroy(options);
    if (good && !watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written: %s", path, watch.text);
}

/* ---- labels ---- */

static json_t *labels_of(const s2clr_store_row *row)
{
    json_t *list = json_array();
    for (const char *at = row->labels; *at;) {
        const size_t length = strcspn(at, "|");
        json_array_append_new(list, json_stringn(at, length));
        at += length + (at[length] == '|');
    }
    return list;
}

static json_t *coordinates_of(const s2clr_store_row *row)
{
    const double *t = row->transform, w = row->width, h = row->height;
    return json_pack("{s:f, s:f, s:f, s:f}", "ulx", t[0], "uly", t[3], "lrx",
                     t[0] + w * t[1] + h * t[2], "lry", t[3] + w * t[4] + h * t[5]);
}

static s2clr_status put_labels(const export *to, const char *path, const s2clr_store_row *row)
{
    json_t *root = json_object();
    json_object_set_new(root, "labels", labels_of(row));
    if (row->has_footprint) {
        json_object_set_new(root, "coordinates", coordinates_of(row));
        json_object_set_new(root, "projection", json_string(to->wkt));
    }
    if (*row->source) json_object_set_new(root, "tile_source", json_string(row->source));
    if (*row->date) json_object_set_new(root, "acquisition_date", json_string(row->date));
    const bool good = root && json_dump_file(root, path, 0) == 0;
    json_decref(root);
    if (good) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot be written", path);
}

/* ---- patches ---- */

static s2clr_status find_wkt(export *to, const s2clr_store_row *row)
{
    if (!row->has_footprint || (to->crs && strcmp(to->crs, row->crs) == 0)) return S2CLR_OK;
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    OGRSpatialReferenceH crs = s2clr_srs_of(row->crs);
    char *wkt = NULL;
    const bool good = crs && OSRExportToWkt(crs, &wkt) == OGRERR_NONE;
    if (crs) OSRDestroySpatialReference(crs);
    s2clr_gdal_watch_end(&watch);
    if (!good) {
        CPLFree(wkt);
        return s2clr_error_set(S2CLR_ERR_FORMAT, "patch '%.100s': its CRS '%.100s' is none: %.300s",
                               row->name, row->crs, watch.text);
    }
    s2clr_free(to->crs);
    to->crs = NULL;
    CPLFree(to->wkt);
    to->wkt = wkt;
    return s2clr_strdup(row->crs, &to->crs);
}

static s2clr_status put(void *self, const s2clr_store_row *row, const s2clr_store_patch *patch)
{
    export *to = self;
    char folder[NAME_MAX_BYTES + 20], name[2 * sizeof folder + 40], path[S2CLR_EXPORT_PATH_MAX];
    S2CLR_TRY(find_wkt(to, row));
    S2CLR_TRY(choose_name(to, row->name, folder));
    S2CLR_TRY(s2clr_export_place_folder(&to->place, folder));
    for (int b = 0; b < patch->bands; b++) {
        snprintf(name, sizeof name, "%s/%s_%s.tif", folder, folder, patch->band[b].name);
        S2CLR_TRY(s2clr_export_place_join(&to->place, name, path));
        S2CLR_TRY(put_band(to, path, row, &patch->band[b]));
    }
    snprintf(name, sizeof name, "%s/%s_labels_metadata.json", folder, folder);
    S2CLR_TRY(s2clr_export_place_join(&to->place, name, path));
    S2CLR_TRY(put_labels(to, path, row));
    to->files += (size_t)patch->bands + 1;
    return S2CLR_OK;
}

static s2clr_status run(const s2clr_store *store, const char *path,
                        const s2clr_export_options *options, s2clr_export_report *out)
{
    s2clr_export_report report = {.patches = 0};
    export *to;
    S2CLR_TRY(s2clr_alloc(1, sizeof *to, path, (void **)&to));
    s2clr_status status = s2clr_export_place_begin(path, true, &to->place);
    if (status == S2CLR_OK) {
        status = s2clr_export_each(store, options, true, put, to, &report);
        status = s2clr_export_place_end(&to->place, status);
    }
    report.files = to->files;
    s2clr_strings_clear(&to->names);
    s2clr_free(to->crs);
    CPLFree(to->wkt);
    s2clr_free(to);
    if (status == S2CLR_OK) *out = report;
    return status;
}

const s2clr_export_kind s2clr_export_geotiff = {
    "geotiff", "a folder per patch as in BigEarthNet: one GeoTIFF per band, labels as JSON", true,
    run};
