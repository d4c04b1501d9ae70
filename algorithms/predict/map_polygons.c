#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include "predict/map_polygons.h"

#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal_alg.h>
#include <math.h>
#include <ogr_api.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "predict/map_labels.h"
#include "predict/output_file.h"
#include "predict/pmap_polygons.h"
#include "sentinel2/gdal_watch.h"

typedef enum part_file { PART_RESULT, PART_LABELS, PART_OUTLINES } part_file;

/* Shares of the work. */
#define LABELLED 0.5
#define OUTLINED 0.8

typedef struct job {
    s2clr_polygons_writing writing;
    const s2clr_progress *progress;
    double from, to;
    char labels[S2CLR_OUTPUT_PATH_MAX], outlines[S2CLR_OUTPUT_PATH_MAX];
} job;

/* ---- names ---- */

static s2clr_status name_part(const char *path, part_file which, char out[S2CLR_OUTPUT_PATH_MAX])
{
    static const char *const ends[] = {[PART_RESULT] = ".part.gpkg",
                                       [PART_LABELS] = ".part.labels.tif",
                                       [PART_OUTLINES] = ".part.outlines.gpkg"};
    char target[S2CLR_OUTPUT_PATH_MAX];
    S2CLR_TRY(s2clr_output_resolve(path, target));
    snprintf(out, S2CLR_OUTPUT_PATH_MAX, "%.*s%s", S2CLR_OUTPUT_PATH_MAX - S2CLR_OUTPUT_SUFFIX_MAX,
             target, ends[which]);
    return S2CLR_OK;
}

/* What SQLite keeps beside a file that was not closed, after the file itself. */
static const char *const ends[] = {"", "-journal", "-wal", "-shm", ".aux.xml"};

static void remove_from(size_t first, const char *path)
{
    char name[S2CLR_OUTPUT_PATH_MAX + 16];
    VSIStatBufL found;
    for (size_t i = first; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        if (VSIStatL(name, &found) == 0) VSIUnlink(name);
    }
}

static void remove_part(const char *path)
{
    remove_from(0, path);
}

/* Somebody's edits that SQLite has not yet put into the file. */
static s2clr_status check_edits(const char *path)
{
    char target[S2CLR_OUTPUT_PATH_MAX], name[S2CLR_OUTPUT_PATH_MAX + 16];
    VSIStatBufL found;
    S2CLR_TRY(s2clr_output_resolve(path, target));
    snprintf(name, sizeof name, "%s-wal", target);
    if (VSIStatL(name, &found) != 0 || found.st_size == 0) return S2CLR_OK;
    return s2clr_error_set(
        S2CLR_ERR_EXISTS,
        "%s: %s-wal holds edits that are not in it yet, of a program that has it "
        "open (%lld bytes); save and close it there, or take another name",
        path, path, (long long)found.st_size);
}

s2clr_status s2clr_polygons_check(const char *path, bool overwrite)
{
    const size_t length = strlen(path);
    if (length < 6 || strcasecmp(path + length - 5, ".gpkg") != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: areas are written as a GeoPackage; wanted: a name that ends "
                               "with .gpkg",
                               path);
    S2CLR_TRY(s2clr_output_check(path, overwrite));
    return check_edits(path);
}

/* ---- outlines ---- */

typedef struct passing {
    job *j;
    bool cancelled;
} passing;

static int CPL_STDCALL pass_on(double done, const char *message, void *context)
{
    passing *p = context;
    const double at = LABELLED + (OUTLINED - LABELLED) * done;
    (void)message;
    if (!s2clr_progress_report(p->j->progress, p->j->from + (p->j->to - p->j->from) * at, "areas"))
        p->cancelled = true;
    return !p->cancelled;
}

static OGRLayerH make_layer(GDALDatasetH dataset, OGRSpatialReferenceH crs)
{
    char **options = CSLSetNameValue(NULL, "SPATIAL_INDEX", "NO");
    OGRLayerH layer = GDALDatasetCreateLayer(dataset, "outlines", crs, wkbPolygon, options);
    CSLDestroy(options);
    OGRFieldDefnH field = OGR_Fld_Create("area", OFTInteger);
    const bool good = layer && OGR_L_CreateField(layer, field, FALSE) == OGRERR_NONE;
    OGR_Fld_Destroy(field);
    return good ? layer : NULL;
}

/* GDAL's own outlines of equal pixels, joined by edges as the areas are; straight into a file. */
static bool outline(job *j, GDALDatasetH labels, passing *p)
{
    GDALRasterBandH band = GDALGetRasterBand(labels, 1);
    GDALDatasetH made =
        GDALCreate(GDALGetDriverByName("GPKG"), j->outlines, 0, 0, 0, GDT_Unknown, NULL);
    OGRLayerH layer = made ? make_layer(made, j->writing.map.crs) : NULL;
    bool good = layer && GDALDatasetStartTransaction(made, FALSE) == OGRERR_NONE;
    good = good && GDALPolygonize(band, band, layer, 0, NULL, pass_on, p) == CE_None;
    good = good && GDALDatasetCommitTransaction(made) == OGRERR_NONE;
    if (made) GDALClose(made);
    return good;
}

static s2clr_status make_outlines(job *j)
{
    passing p = {.j = j};
    s2clr_gdal_watch watch;
    s2clr_gdal_watch_begin(&watch);
    GDALDatasetH labels = GDALOpen(j->labels, GA_ReadOnly);
    const bool good = labels && outline(j, labels, &p);
    if (labels) GDALClose(labels);
    s2clr_gdal_watch_end(&watch);
    if (p.cancelled) return s2clr_error_set(S2CLR_ERR_CANCELLED, "prediction was cancelled");
    if (good && !watch.failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO, "%s: areas cannot be outlined: %.400s; is there room?",
                           j->writing.path, watch.text);
}

/* ---- all of it ---- */

static s2clr_status make(job *j, int band, s2clr_polygons_told *told)
{
    s2clr_polygons_writing *w = &j->writing;
    S2CLR_TRY(s2clr_map_open(w->map_path, band, &w->map));
    w->threshold = s2clr_map_threshold(&w->map, &w->threshold_from);
    S2CLR_TRY(s2clr_labels_make(&w->map, w->threshold, j->labels, j->progress, j->from,
                                j->from + (j->to - j->from) * LABELLED, &w->labels));
    S2CLR_TRY(make_outlines(j));
    S2CLR_TRY(s2clr_polygons_write(w, j->outlines));
    s2clr_polygons_told sum = {.areas = w->labels.count, .threshold = w->threshold};
    for (uint32_t i = 0; i < w->labels.count; i++) {
        sum.pixels += w->labels.label[i].pixels;
        sum.area += w->labels.label[i].area;
    }
    *told = sum;
    return S2CLR_OK;
}

s2clr_status s2clr_polygons_make(const char *map, int band, const char *path,
                                 const s2clr_progress *progress, double from, double to,
                                 s2clr_polygons_told *told)
{
    job j = {
        .writing = {.path = path, .map_path = map}, .progress = progress, .from = from, .to = to};
    S2CLR_TRY(name_part(path, PART_RESULT, j.writing.part));
    S2CLR_TRY(name_part(path, PART_LABELS, j.labels));
    S2CLR_TRY(name_part(path, PART_OUTLINES, j.outlines));
    remove_part(j.writing.part);
    remove_part(j.outlines);
    const s2clr_status status = make(&j, band, told);
    s2clr_labels_free(&j.writing.labels);
    s2clr_map_close(&j.writing.map);
    remove_part(j.labels);
    remove_part(j.outlines);
    if (status != S2CLR_OK) remove_part(j.writing.part);
    return status;
}

s2clr_status s2clr_polygons_publish(const char *path)
{
    char part[S2CLR_OUTPUT_PATH_MAX], target[S2CLR_OUTPUT_PATH_MAX];
    S2CLR_TRY(name_part(path, PART_RESULT, part));
    S2CLR_TRY(s2clr_output_resolve(path, target));
    S2CLR_TRY(check_edits(path));
    S2CLR_TRY(s2clr_output_publish(part, target, path));
    remove_from(1, target); /* of the file that was there before */
    return S2CLR_OK;
}

void s2clr_polygons_discard(const char *path)
{
    char part[S2CLR_OUTPUT_PATH_MAX];
    if (name_part(path, PART_RESULT, part) == S2CLR_OK) remove_part(part);
}
