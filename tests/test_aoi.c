/*
 * The area of interest against GDAL's rasterizer (centre rule) and, across CRSs, against a slow
 * even-odd test of every pixel centre brought to the polygon's CRS.
 */
#include <cpl_conv.h>
#include <gdal.h>
#include <gdal_alg.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict/aoi.h"
#include "predict/predict.h"
#include "predict_rig.h"

#define COLUMNS 157
#define ROWS 113

static const double north_up[6] = {600000, 40, 0, 4400000, 0, -40};
static const double rotated[6] = {600000, 32, 24, 4400000, 24, -32};

static char *wkt_of(const char *crs)
{
    char *wkt = NULL;
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRSetFromUserInput(srs, crs);
    OSRExportToWkt(srs, &wkt);
    OSRDestroySpatialReference(srs);
    return wkt;
}

/* Writes geometries given as WKT, in the order x y whatever the CRS, as GeoPackage. */
static const char *vector_make(const char *name, const char *crs, const char *const *wkts)
{
    const char *path = predict_rig_path(name);
    GDALDriverH driver = GDALGetDriverByName("GPKG");
    GDALDatasetH dataset = GDALCreate(driver, path, 0, 0, 0, GDT_Unknown, NULL);
    OGRSpatialReferenceH srs = crs ? OSRNewSpatialReference(NULL) : NULL;
    if (srs) {
        OSRSetFromUserInput(srs, crs);
        OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    }
    OGRLayerH layer = GDALDatasetCreateLayer(dataset, "area", srs, wkbUnknown, NULL);
    for (; *wkts; wkts++) {
        char text[2000], *cursor = text;
        OGRGeometryH geometry = NULL;
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        snprintf(text, sizeof text, "%s", *wkts);
        CU_ASSERT_EQUAL(OGR_G_CreateFromWkt(&cursor, NULL, &geometry), OGRERR_NONE);
        OGR_F_SetGeometryDirectly(feature, geometry);
        CU_ASSERT_EQUAL(OGR_L_CreateFeature(layer, feature), OGRERR_NONE);
        OGR_F_Destroy(feature);
    }
    GDALClose(dataset);
    if (srs) OSRDestroySpatialReference(srs);
    return path;
}

static void compare(const uint8_t *found, const uint8_t *expected)
{
    size_t wrong = 0, inside = 0;
    for (size_t i = 0; i < (size_t)COLUMNS * ROWS; i++) {
        wrong += found[i] != expected[i];
        inside += expected[i];
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(inside > 100 && inside < (size_t)COLUMNS * ROWS - 100);
}

/* The mask in one piece, checked against the same in odd pieces. */
static uint8_t *mask_of(const char *path, const char *crs, const double transform[6])
{
    char *wkt = wkt_of(crs);
    s2clr_aoi *aoi = NULL;
    uint8_t *mask = calloc(COLUMNS, ROWS), *piece = calloc(COLUMNS, ROWS);
    bool any;
    TEST_OK(s2clr_aoi_open(path, wkt, transform, COLUMNS, ROWS, &aoi));
    if (aoi) {
        TEST_OK(s2clr_aoi_mask(aoi, 0, 0, COLUMNS, ROWS, mask, &any));
        for (int row = 0; row < ROWS; row += 7)
            for (int column = 0; column < COLUMNS; column += 31) {
                const int w = COLUMNS - column < 31 ? COLUMNS - column : 31;
                const int h = ROWS - row < 7 ? ROWS - row : 7;
                bool seen = false, asked;
                TEST_OK(s2clr_aoi_mask(aoi, column, row, w, h, piece, &any));
                TEST_OK(s2clr_aoi_mask(aoi, column, row, w, h, NULL, &asked));
                for (int r = 0; r < h; r++)
                    for (int c = 0; c < w; c++) {
                        CU_ASSERT_EQUAL(piece[r * w + c], mask[(row + r) * COLUMNS + column + c]);
                        seen = seen || piece[r * w + c];
                    }
                CU_ASSERT_EQUAL(seen, any);
                CU_ASSERT_EQUAL(seen, asked);
            }
    }
    s2clr_aoi_close(aoi);
    CPLFree(wkt);
    free(piece);
    return mask;
}

static uint8_t *rasterized(const char *const *wkts, const double transform[6])
{
    uint8_t *mask = calloc(COLUMNS, ROWS);
    GDALDatasetH memory =
        GDALCreate(GDALGetDriverByName("MEM"), "", COLUMNS, ROWS, 1, GDT_Byte, NULL);
    double t[6];
    memcpy(t, transform, sizeof t);
    GDALSetGeoTransform(memory, t);
    for (; *wkts; wkts++) {
        char text[2000], *cursor = text;
        int band = 1;
        double burn = 1;
        OGRGeometryH geometry = NULL;
        snprintf(text, sizeof text, "%s", *wkts);
        OGR_G_CreateFromWkt(&cursor, NULL, &geometry);
        CU_ASSERT_EQUAL(GDALRasterizeGeometries(memory, 1, &band, 1, &geometry, NULL, NULL, &burn,
                                                NULL, NULL, NULL),
                        CE_None);
        OGR_G_DestroyGeometry(geometry);
    }
    CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(memory, 1), GF_Read, 0, 0, COLUMNS, ROWS, mask,
                                 COLUMNS, ROWS, GDT_Byte, 0, 0),
                    CE_None);
    GDALClose(memory);
    return mask;
}

/* No vertex or edge meets a pixel centre, where the two may differ. */
static const char *const shapes[] = {
    "POLYGON((600313.7 4399803.1,604411.9 4399911.3,603877.3 4396011.7,600501.1 4396733.9,"
    "600313.7 4399803.1),(601011.3 4399311.7,602911.1 4399203.3,602007.7 4397011.9,"
    "601011.3 4399311.7))",
    "MULTIPOLYGON(((604507.3 4399507.7,605901.7 4399101.1,605001.9 4398007.3,604507.3 4399507.7)),"
    "((605203.1 4397001.7,606207.9 4397707.3,606107.1 4396203.9,605203.1 4397001.7)))",
    "POLYGON((603501.7 4399007.9,605107.3 4399303.1,604903.9 4396507.7,603501.7 4399007.9))", NULL};

static void against_rasterizer(void)
{
    const double *const transforms[] = {north_up, rotated};
    for (int i = 0; i < 2; i++) {
        const char *path = vector_make(i ? "rotated.gpkg" : "plain.gpkg", "EPSG:32633", shapes);
        uint8_t *found = mask_of(path, "EPSG:32633", transforms[i]);
        uint8_t *expected = rasterized(shapes, transforms[i]);
        compare(found, expected);
        free(found);
        free(expected);
    }
}

/* ---- another CRS ---- */

/* lon, lat: about 6 km x 4.5 km around the grid's middle, straight edges in degrees. */
static const double ring[][2] = {{16.17, 39.738},    {16.221, 39.7411},  {16.2293, 39.7093},
                                 {16.2001, 39.7207}, {16.1807, 39.7001}, {16.17, 39.738}};

static bool even_odd(double x, double y)
{
    bool inside = false;
    for (size_t i = 0; i + 1 < sizeof ring / sizeof ring[0]; i++) {
        const double *a = ring[i], *b = ring[i + 1];
        if ((a[1] > y) == (b[1] > y)) continue;
        if (x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])) inside = !inside;
    }
    return inside;
}

static void other_crs(void)
{
    char shape[400] = "POLYGON((";
    for (size_t i = 0; i < sizeof ring / sizeof ring[0]; i++) {
        char corner[64];
        snprintf(corner, sizeof corner, "%s%.10g %.10g", i ? "," : "", ring[i][0], ring[i][1]);
        strcat(shape, corner);
    }
    strcat(shape, "))");
    const char *const both[] = {shape, NULL};
    OGRSpatialReferenceH utm = OSRNewSpatialReference(NULL), wgs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(utm, 32633);
    OSRImportFromEPSG(wgs, 4326);
    OSRSetAxisMappingStrategy(wgs, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(utm, wgs);
    uint8_t *expected = calloc(COLUMNS, ROWS);
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++) {
            double x = 600000 + 40 * (column + 0.5), y = 4400000 - 40 * (row + 0.5);
            OCTTransform(way, 1, &x, &y, NULL);
            expected[row * COLUMNS + column] = even_odd(x, y);
        }
    uint8_t *found =
        mask_of(vector_make("degrees.gpkg", "EPSG:4326", both), "EPSG:32633", north_up);
    compare(found, expected);
    free(found);
    free(expected);
    OCTDestroyCoordinateTransformation(way);
    OSRDestroySpatialReference(wgs);
    OSRDestroySpatialReference(utm);
}

/* An edge of 90 km along a parallel bows 150 m away from the straight line in UTM. */
static void long_edges(void)
{
    static const char *const world[] = {
        "POLYGON((15.5 39.72,16.6 39.72,16.6 45,15.5 45,15.5 39.72))", NULL};
    OGRSpatialReferenceH utm = OSRNewSpatialReference(NULL), wgs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(utm, 32633);
    OSRImportFromEPSG(wgs, 4326);
    OSRSetAxisMappingStrategy(wgs, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(utm, wgs);
    uint8_t *found = mask_of(vector_make("long.gpkg", "EPSG:4326", world), "EPSG:32633", north_up);
    int wrong = 0, near_edge = 0;
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++) {
            double x = 600000 + 40 * (column + 0.5), y = 4400000 - 40 * (row + 0.5);
            OCTTransform(way, 1, &x, &y, NULL);
            const bool close = fabs(y - 39.72) < 1e-6; /* 0.1 m */
            near_edge += fabs(y - 39.72) < 1e-3;
            wrong += !close && found[row * COLUMNS + column] != (y > 39.72);
        }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(near_edge > 100);
    free(found);
    OCTDestroyCoordinateTransformation(way);
    OSRDestroySpatialReference(wgs);
    OSRDestroySpatialReference(utm);
}

/* ---- odd input ---- */

static s2clr_status open_only(const char *path, s2clr_aoi **aoi)
{
    char *wkt = wkt_of("EPSG:32633");
    const s2clr_status status = s2clr_aoi_open(path, wkt, north_up, COLUMNS, ROWS, aoi);
    CPLFree(wkt);
    return status;
}

static void odd_input(void)
{
    static const char *const points[] = {"POINT(601000 4399000)",
                                         "LINESTRING(601000 4399000,602000 "
                                         "4398000)",
                                         NULL};
    static const char *const far[] = {"POLYGON((0 0,10 0,10 10,0 0))", NULL};
    static const char *const bow_tie[] = {
        "POLYGON((600501 4399501,603501 4396501,603501 4399501,600501 4396501,600501 4399501))",
        "POINT(601000 4399000)", NULL};
    static const char *const none[] = {NULL};
    s2clr_aoi *aoi = NULL;
    CU_ASSERT_EQUAL(open_only(vector_make("points.gpkg", "EPSG:32633", points), &aoi),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no polygon");
    CU_ASSERT_EQUAL(open_only(vector_make("far.gpkg", "EPSG:32633", far), &aoi),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("far.gpkg");
    CU_ASSERT_EQUAL(open_only(vector_make("none.gpkg", "EPSG:32633", none), &aoi),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no features");
    CU_ASSERT_EQUAL(open_only("/nowhere/at.all", &aoi), S2CLR_ERR_IO);
    CU_ASSERT_PTR_NULL(aoi);
    TEST_OK(open_only(vector_make("tie.gpkg", "EPSG:32633", bow_tie), &aoi));
    if (!aoi) return;
    uint8_t cell[4];
    bool any;
    /* Both triangles of the tie are inside, what lies above and below the knot is not. */
    TEST_OK(s2clr_aoi_mask(aoi, 20, 50, 1, 1, cell, &any));
    CU_ASSERT(any && cell[0]);
    TEST_OK(s2clr_aoi_mask(aoi, 80, 50, 1, 1, cell, &any));
    CU_ASSERT(any && cell[0]);
    TEST_OK(s2clr_aoi_mask(aoi, 50, 15, 2, 2, cell, &any));
    CU_ASSERT(!any);
    s2clr_aoi_close(aoi);
}

/* A layer without CRS is taken as it is. */
static void no_crs(void)
{
    s2clr_aoi *aoi = NULL;
    int window[4] = {0, 0, COLUMNS, ROWS}, off[4] = {150, 100, 7, 13};
    static const char *const box[] = {
        "POLYGON((600401 4399599,600799 4399599,600799 4399201,600401 4399201,600401 4399599))",
        NULL};
    TEST_OK(open_only(vector_make("bare.gpkg", NULL, box), &aoi));
    if (!aoi) return;
    TEST_OK(s2clr_aoi_narrow(aoi, window));
    CU_ASSERT(window[0] == 10 && window[1] == 10 && window[2] == 10 && window[3] == 10);
    CU_ASSERT_EQUAL(s2clr_aoi_narrow(aoi, off), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(off[0], 150);
    s2clr_aoi_close(aoi);
}

/* ---- a run ---- */

static void run_of(const rig_model *model, const char *aoi)
{
    const rig_scene scene = {.width = 628, .height = 452};
    const char *input = rig_scene_make("scene.tif", &scene);
    s2clr_predict_settings settings;
    s2clr_predict_result result;
    int columns, rows;
    s2clr_predict_defaults(&settings);
    settings.model_path = rig_model_make("run.safetensors", model);
    settings.inputs = &input;
    settings.input_count = 1;
    settings.stack.level = "L2A";
    settings.output = predict_rig_path("all.tif");
    settings.overwrite = true;
    TEST_OK(s2clr_predict_run(&settings, NULL, &result));
    float *all = rig_raster_read(settings.output, &columns, &rows);
    settings.output = predict_rig_path("inside.tif");
    settings.aoi = aoi;
    TEST_OK(s2clr_predict_run(&settings, NULL, &result));
    float *some = rig_raster_read(settings.output, &columns, &rows);
    double transform[6] = {600000, 10.0 * model->stride, 0, 4400000, 0, -10.0 * model->stride};
    char *wkt = wkt_of("EPSG:32633");
    s2clr_aoi *area = NULL;
    uint8_t *mask = calloc((size_t)columns, (size_t)rows);
    bool any;
    TEST_OK(s2clr_aoi_open(aoi, wkt, transform, columns, rows, &area));
    TEST_OK(s2clr_aoi_mask(area, 0, 0, columns, rows, mask, &any));
    uint64_t valid = 0;
    for (int i = 0; i < columns * rows; i++) {
        if (mask[i])
            CU_ASSERT_EQUAL(memcmp(&all[i], &some[i], sizeof all[i]), 0)
        else
            CU_ASSERT(isnan(some[i]));
        if (!isnan(some[i])) valid++;
    }
    CU_ASSERT_EQUAL(result.valid_pixels, valid);
    CU_ASSERT(result.skipped_pixels > 0);
    s2clr_aoi_close(area);
    CPLFree(wkt);
    free(mask);
    free(some);
    free(all);
}

static void runs(void)
{
    const rig_model dense = {.arch = "dense", .width = 4, .depth = 1, .patch = 28, .stride = 4};
    const rig_model resnet = {.arch = "resnet18", .width = 4, .patch = 32, .stride = 16};
    char aoi[600];
    snprintf(aoi, sizeof aoi, "%s", vector_make("run.gpkg", "EPSG:32633", shapes));
    run_of(&dense, aoi);
    run_of(&resnet, aoi);
}

static const test_case cases[] = {
    {"against_rasterizer", against_rasterizer},
    {"other_crs", other_crs},
    {"long_edges", long_edges},
    {"odd_input", odd_input},
    {"no_crs", no_crs},
    {"runs", runs},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("aoi", cases, argc, argv);
}
