/* Footprints: closed forms, GDAL's gdaltransform, PROJ's cs2cs, and the antimeridian. */
#define _GNU_SOURCE
#include "harness.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/store.h"
#include "label_rig.h"
#include "store_rig.h"

/* A store of one patch of 12 x 12 pixels there. */
static s2clr_status put_at(const char *path, const char *crs, const double transform[6])
{
    const s2clr_store_options options = {.append = true};
    s2clr_store_writer *writer;
    rig_patch patch;
    rig_patch_make(&patch, 1, 12);
    patch.record.crs = crs;
    memcpy(patch.record.transform, transform, sizeof patch.record.transform);
    s2clr_status status = s2clr_store_writer_open(path, &options, &writer);
    if (status == S2CLR_OK) {
        status = s2clr_store_writer_put(writer, &patch.record);
        const s2clr_status closed = s2clr_store_writer_close(writer, status == S2CLR_OK);
        if (status == S2CLR_OK) status = closed;
    }
    rig_patch_clear(&patch);
    return status;
}

static s2clr_store_row row_at(const char *path, const char *crs, const double transform[6],
                              s2clr_store **store)
{
    TEST_OK(put_at(path, crs, transform));
    TEST_OK(s2clr_store_open(path, store));
    CU_ASSERT_EQUAL_FATAL(s2clr_store_count(*store), 1);
    return *s2clr_store_row_at(*store, 0);
}

/* On the central meridian longitude is that of the zone, and northing is 0.9996 of the length of
 * the meridian: 4984944.378 m up to 45 degrees (WGS 84). */
static void the_central_meridian_is_where_it_should_be(void)
{
    const double transform[6] = {500000, 10, 0, 4984944.378 * 0.9996, 0, -10};
    s2clr_store *store;
    const s2clr_store_row row = row_at(store_rig_path("meridian"), "EPSG:32630", transform, &store);
    TEST_NEAR(row.longitude[0], -3, 1e-9);
    TEST_NEAR(row.latitude[0], 45, 1e-8);
    TEST_NEAR(row.longitude[3], -3, 1e-9); /* lower left: 120 m to the south */
    TEST_NEAR(row.latitude[3], 45 - 120 / 0.9996 / 111131.78, 1e-7);
    CU_ASSERT_TRUE(row.longitude[1] > -3 && row.longitude[2] > -3);
    s2clr_store_close(store);
}

static const struct {
    const char *crs;
    double transform[6];
} places[] = {
    {"EPSG:32634", {434400, 10, 0, 5010240, 0, -10}},
    {"EPSG:32733", {699960, 10, 0, 8300020, 0, -10}},
    {"EPSG:3035", {4321000, 10, 2, 3210000, 3, -10}},
    {"EPSG:4326", {-0.5, 1e-4, 0, 39.5, 0, -1e-4}},
    {"+proj=utm +zone=21 +south +datum=WGS84", {500000, 20, 0, 9000000, 0, -20}},
};

static void corners_are_those_of(bool (*program)(const char *, const char *, double *, double *),
                                 const char *what, const char *absent)
{
    double x = 1, y = 1;
    if (!program("EPSG:4326", "EPSG:4326", &x, &y)) {
        test_skip(absent);
        return;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char name[40];
        const double *t = places[i].transform;
        s2clr_store *store;
        snprintf(name, sizeof name, "%s-%zu", what, i);
        const s2clr_store_row row =
            row_at(store_rig_path(name), places[i].crs, places[i].transform, &store);
        for (int c = 0; c < 4; c++) {
            const double px = c == 1 || c == 2 ? 12 : 0, py = c >= 2 ? 12 : 0;
            x = t[0] + px * t[1] + py * t[2], y = t[3] + px * t[4] + py * t[5];
            program(places[i].crs, "EPSG:4326", &x, &y);
            TEST_NEAR(row.longitude[c], x, 1e-9);
            TEST_NEAR(row.latitude[c], y, 1e-9);
        }
        s2clr_store_close(store);
    }
}

static void corners_are_those_of_gdaltransform(void)
{
    corners_are_those_of(label_rig_gdaltransform, "gdaltransform",
                         "gdaltransform is not here (Debian: gdal-bin)");
}

static void corners_are_those_of_cs2cs(void)
{
    corners_are_those_of(label_rig_cs2cs, "cs2cs", "cs2cs is not here (Debian: proj-bin)");
}

/* A grid in degrees has pixels of 9.27662... m: people read the column. */
static void ground_sizes_are_whole_millimetres(void)
{
    static const struct {
        double given, kept;
    } sizes[] = {{9.276624232772, 9.277}, {10, 10}, {0.00031, 0.00031}, {60.0004, 60}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const s2clr_store_options options = {.append = true};
        char name[24];
        s2clr_store_writer *writer;
        s2clr_store *store;
        rig_patch patch;
        snprintf(name, sizeof name, "metres-%zu", i);
        rig_patch_make(&patch, 1, 12);
        patch.record.metres = sizes[i].given;
        TEST_OK(s2clr_store_writer_open(store_rig_path(name), &options, &writer));
        TEST_OK(s2clr_store_writer_put(writer, &patch.record));
        TEST_OK(s2clr_store_writer_close(writer, true));
        rig_patch_clear(&patch);
        TEST_OK(s2clr_store_open(store_rig_path(name), &store));
        CU_ASSERT_EQUAL(s2clr_store_row_at(store, 0)->metres, sizes[i].kept);
        s2clr_store_close(store);
    }
}

/* ---- the antimeridian ---- */

static OGRFeatureH only_feature(const char *path, GDALDatasetH *dataset, const double box[4])
{
    char file[4400];
    snprintf(file, sizeof file, "%s/index.gpkg", path);
    *dataset = GDALOpenEx(file, GDAL_OF_VECTOR, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*dataset);
    OGRLayerH layer = GDALDatasetGetLayerByName(*dataset, "patches");
    CU_ASSERT_TRUE(OGR_L_TestCapability(layer, OLCFastSpatialFilter));
    OGR_L_SetSpatialFilterRect(layer, box[0], box[1], box[2], box[3]);
    return OGR_L_GetNextFeature(layer);
}

static void is_in_two_parts(const char *path, double low, double high)
{
    static const double world[4] = {-180, -90, 180, 90}, fiji[4] = {-179.9999, -90, -170, 90};
    static const double africa[4] = {0, -90, 40, 90};
    GDALDatasetH dataset;
    OGRFeatureH feature = only_feature(path, &dataset, world);
    CU_ASSERT_PTR_NOT_NULL_FATAL(feature);
    OGRGeometryH geometry = OGR_F_GetGeometryRef(feature);
    CU_ASSERT_EQUAL_FATAL(OGR_G_GetGeometryCount(geometry), 2);
    CU_ASSERT_TRUE(OGR_G_IsValid(geometry));
    OGREnvelope west, east;
    OGR_G_GetEnvelope(OGR_G_GetGeometryRef(geometry, 0), &west);
    OGR_G_GetEnvelope(OGR_G_GetGeometryRef(geometry, 1), &east);
    TEST_NEAR(west.MinX, low, 1e-9);
    CU_ASSERT_EQUAL(west.MaxX, 180);
    CU_ASSERT_EQUAL(east.MinX, -180);
    TEST_NEAR(east.MaxX, high, 1e-9);
    OGR_F_Destroy(feature);
    GDALClose(dataset);
    feature = only_feature(path, &dataset, fiji);
    CU_ASSERT_PTR_NOT_NULL(feature);
    OGR_F_Destroy(feature);
    GDALClose(dataset);
    CU_ASSERT_PTR_NULL(only_feature(path, &dataset, africa));
    GDALClose(dataset);
}

static void degrees_beyond_180(void)
{
    const char *path = store_rig_path("beyond-180");
    const double transform[6] = {179.99, 0.002, 0, -17, 0, -0.002};
    s2clr_store *store;
    const s2clr_store_row row = row_at(path, "EPSG:4326", transform, &store);
    TEST_NEAR(row.longitude[0], 179.99, 1e-9);
    TEST_NEAR(row.longitude[1], 180.014, 1e-9);
    s2clr_store_close(store);
    is_in_two_parts(path, 179.99, -179.986);
}

static void degrees_beyond_minus_180(void)
{
    const char *path = store_rig_path("beyond-minus-180");
    const double transform[6] = {-180.01, 0.002, 0, -17, 0, -0.002};
    s2clr_store *store;
    const s2clr_store_row row = row_at(path, "EPSG:4326", transform, &store);
    TEST_NEAR(row.longitude[1] - row.longitude[0], 0.024, 1e-9);
    s2clr_store_close(store);
    is_in_two_parts(path, 179.99, -179.986);
}

/* Zone 60 ends at 180 degrees; on the equator that is 333978.557 m east of its central meridian. */
static void utm_across_180(void)
{
    const char *path = store_rig_path("utm-180");
    const double transform[6] = {500000 + 333978.557 - 60, 10, 0, 60, 0, -10};
    s2clr_store *store;
    const s2clr_store_row row = row_at(path, "EPSG:32660", transform, &store);
    TEST_NEAR(row.longitude[0] + row.longitude[1], 360, 1e-7);
    TEST_NEAR(row.longitude[1] - row.longitude[0], 120 / 111319.49, 1e-5);
    CU_ASSERT_TRUE(row.longitude[0] < 180 && row.longitude[1] > 180);
    s2clr_store_close(store);
    is_in_two_parts(path, row.longitude[3] < row.longitude[0] ? row.longitude[3] : row.longitude[0],
                    (row.longitude[1] > row.longitude[2] ? row.longitude[1] : row.longitude[2]) -
                        360);
}

/* ---- what has no place ---- */

static void no_place_is_an_error(void)
{
    static const struct {
        const char *crs, *text;
        double transform[6];
    } nowhere[] = {
        {"EPSG:99999", "is not one that leads to WGS 84", {0, 1, 0, 0, 0, -1}},
        {"nonsense", "is not one that leads to WGS 84", {0, 1, 0, 0, 0, -1}},
        {"http://127.0.0.1:9/crs", "is not one that leads to WGS 84", {0, 1, 0, 0, 0, -1}},
        {"EPSG:4326", "no place on the globe", {0, 0.1, 0, 90.1, 0, -0.1}},
        {"EPSG:32630", "no place on the globe", {1e15, 10, 0, 1e15, 0, -10}},
        {"EPSG:32630", "geotransform", {500000, 10, 0, 0, 0, 0}},
        {"EPSG:32630", "geotransform", {NAN, 10, 0, 0, 0, -10}},
    };
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        char name[24];
        snprintf(name, sizeof name, "nowhere-%zu", i);
        CU_ASSERT_NOT_EQUAL(put_at(store_rig_path(name), nowhere[i].crs, nowhere[i].transform),
                            S2CLR_OK);
        TEST_ERROR_SAYS(nowhere[i].text);
        TEST_ERROR_SAYS("patch 7/00001");
    }
}

/* WKT that says its EPSG code is stored as that code. */
static void wkt_is_shortened(void)
{
    const double transform[6] = {500000, 10, 0, 5000000, 0, -10};
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    char *wkt = NULL;
    CU_ASSERT_EQUAL(OSRImportFromEPSG(srs, 32629), OGRERR_NONE);
    CU_ASSERT_EQUAL(OSRExportToWkt(srs, &wkt), OGRERR_NONE);
    s2clr_store *store;
    const s2clr_store_row row = row_at(store_rig_path("wkt"), wkt, transform, &store);
    CU_ASSERT_STRING_EQUAL(row.crs, "EPSG:32629");
    TEST_NEAR(row.longitude[0], -9, 1e-9);
    s2clr_store_close(store);
    CPLFree(wkt);
    OSRDestroySpatialReference(srs);
}

static const test_case cases[] = {
    {"the_central_meridian_is_where_it_should_be", the_central_meridian_is_where_it_should_be},
    {"corners_are_those_of_gdaltransform", corners_are_those_of_gdaltransform},
    {"corners_are_those_of_cs2cs", corners_are_those_of_cs2cs},
    {"ground_sizes_are_whole_millimetres", ground_sizes_are_whole_millimetres},
    {"degrees_beyond_180", degrees_beyond_180},
    {"degrees_beyond_minus_180", degrees_beyond_minus_180},
    {"utm_across_180", utm_across_180},
    {"no_place_is_an_error", no_place_is_an_error},
    {"wkt_is_shortened", wkt_is_shortened},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    CPLSetConfigOption("OGR_SQLITE_SYNCHRONOUS", "OFF"); /* many small stores */
    return TEST_MAIN("store footprint", cases, argc, argv);
}
