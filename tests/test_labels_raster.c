/* Labels from rasters of classes: shares, no-data, coarse and foreign grids, the antimeridian. */
#include "harness.h"

#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "base/philox.h"
#include "label_rig.h"
#include "store_rig.h"

enum { NODATA = 255, SIDE = 200 };

static const rig_square square = {"EPSG:32630", 500000, 4000640, 10, 64, "2019-06-01"};

typedef struct map {
    const char *name, *crs;
    double transform[6];
    int width, height;
    GByte *pixels; // (height, width)
} map;

static const char *write_map(const map *m)
{
    const char *path = store_rig_path(m->name);
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("GTiff"), path, m->width, m->height, 1, GDT_Byte, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    if (m->crs) {
        OSRSetFromUserInput(crs, m->crs);
        GDALSetSpatialRef(dataset, crs);
    }
    OSRDestroySpatialReference(crs);
    GDALSetGeoTransform(dataset, (double *)(uintptr_t)m->transform);
    GDALRasterBandH band = GDALGetRasterBand(dataset, 1);
    GDALSetRasterNoDataValue(band, NODATA);
    GDALSetMetadataItem(dataset, "TIFFTAG_DATETIME", "2019:07:01 10:00:00", NULL);
    CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Write, 0, 0, m->width, m->height, m->pixels, m->width,
                                 m->height, GDT_Byte, 0, 0),
                    CE_None);
    GDALClose(dataset);
    return path;
}

/* Blobs of classes 0 to 4. */
static void fill(GByte *pixels, int width, int height, uint64_t seed)
{
    for (int r = 0; r < height; r++)
        for (int c = 0; c < width; c++)
            pixels[r * width + c] =
                (GByte)s2clr_random_below(seed, (uint64_t)(r / 7), (uint64_t)(c / 9), 5);
}

static s2clr_labels *open_map(const char *path, const char *positive, const char *negative,
                              double keep, double drop)
{
    const s2clr_labels_options options = {.path = path,
                                          .positive = positive,
                                          .negative = negative,
                                          .keep = keep,
                                          .drop = drop,
                                          .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    CU_ASSERT_STRING_EQUAL(s2clr_labels_kind(labels), "raster");
    return labels;
}

/* On one grid the pixels of a patch are known without any arithmetic. */
static void shares_are_counts_of_pixels(void)
{
    GByte pixels[SIDE * SIDE];
    map m = {"grid.tif", "EPSG:32630", {499500, 10, 0, 4001000, 0, -10}, SIDE, SIDE, pixels};
    fill(pixels, SIDE, SIDE, 1);
    size_t positive = 0;
    for (int r = 36; r < 36 + 64; r++)
        for (int c = 50; c < 50 + 64; c++)
            positive += pixels[r * SIDE + c] == 1 || pixels[r * SIDE + c] == 3;
    const double share = (double)positive / (64 * 64);
    s2clr_labels *labels = open_map(write_map(&m), "1,3", NULL, share, 0);
    s2clr_verdict v = label_rig_judge(labels, &square);
    TEST_NEAR(v.cover, share, 0);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_POSITIVE);
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), 0);
    rig_square far = square;
    far.top -= 1e5;
    v = label_rig_judge(labels, &far);
    CU_ASSERT_EQUAL(v.cover, -1);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    s2clr_labels_close(labels);
    labels = open_map(write_map(&m), "1,3", NULL, 1, share);
    CU_ASSERT_EQUAL(label_rig_judge(labels, &square).label, S2CLR_LABEL_NEGATIVE);
    s2clr_labels_close(labels);
    labels = open_map(write_map(&m), "1,3", NULL, 1, share - 1e-9);
    CU_ASSERT_TRUE(label_rig_judge(labels, &square).ambiguous);
    s2clr_labels_close(labels);
}

/* A rotated grid in degrees; each centre is brought to UTM by itself. */
static void foreign_grids_are_looked_at_by_centres(void)
{
    static GByte pixels[SIDE * SIDE];
    const double left = -3.006, top = 36.150;
    map m = {"degrees.tif", "EPSG:4326", {left, 1e-4, 1e-5, top, 2e-5, -1e-4}, SIDE, SIDE, pixels};
    fill(pixels, SIDE, SIDE, 2);
    OGRSpatialReferenceH utm = OSRNewSpatialReference(NULL), degrees = OSRNewSpatialReference(NULL);
    OSRSetFromUserInput(utm, "EPSG:32630");
    OSRSetFromUserInput(degrees, "EPSG:4326");
    OSRSetAxisMappingStrategy(degrees, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(degrees, utm);
    size_t inside = 0, positive = 0;
    double west = 0, north = 0;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            const double *t = m.transform;
            double x = t[0] + (c + 0.5) * t[1] + (r + 0.5) * t[2];
            double y = t[3] + (c + 0.5) * t[4] + (r + 0.5) * t[5];
            OCTTransform(way, 1, &x, &y, NULL);
            if (r == 0 && c == 0) west = floor(x / 10) * 10 + 300, north = floor(y / 10) * 10 - 400;
            if (!(x >= west && x < west + 640 && y <= north && y > north - 640)) continue;
            inside++;
            positive += pixels[r * SIDE + c] != 0;
        }
    OCTDestroyCoordinateTransformation(way);
    OSRDestroySpatialReference(utm);
    OSRDestroySpatialReference(degrees);
    CU_ASSERT_TRUE(inside > 3000);
    s2clr_labels *labels = open_map(write_map(&m), NULL, NULL, 1, 0);
    const rig_square at = {"EPSG:32630", west, north, 10, 64, ""};
    TEST_NEAR(label_rig_judge(labels, &at).cover, (double)positive / (double)inside, 1e-12);
    s2clr_labels_close(labels);
}

static void unknown_pixels_do_not_count(void)
{
    GByte pixels[SIDE * SIDE];
    map m = {"holes.tif", "EPSG:32630", {500000, 10, 0, 4000640, 0, -10}, SIDE, SIDE, pixels};
    memset(pixels, NODATA, sizeof pixels);
    for (int r = 0; r < 32; r++) memset(pixels + r * SIDE, r < 16 ? 1 : 0, 64);
    s2clr_labels *labels = open_map(write_map(&m), "1", NULL, 0.5, 0);
    s2clr_verdict v = label_rig_judge(labels, &square);
    TEST_NEAR(v.cover, 0.5, 0);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_POSITIVE);
    rig_square at = square;
    at.left -= 10; /* now 63 of 64 columns of half of the rows: less than half is known */
    v = label_rig_judge(labels, &at);
    TEST_NEAR(v.cover, 0.5, 0);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_TRUE(v.ambiguous);
    at.left += 650; /* holes alone */
    v = label_rig_judge(labels, &at);
    CU_ASSERT_EQUAL(v.cover, -1);
    CU_ASSERT_FALSE(v.ambiguous);
    s2clr_labels_close(labels);
    labels = open_map(write_map(&m), "7", "0", 0.6, 0);
    v = label_rig_judge(labels, &square); /* half of what is known is class 1: neither */
    CU_ASSERT_EQUAL(v.cover, 0);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    s2clr_labels_close(labels);
    labels = open_map(write_map(&m), "7", "0", 0.5, 0);
    CU_ASSERT_EQUAL(label_rig_judge(labels, &square).label, S2CLR_LABEL_NEGATIVE);
    s2clr_labels_close(labels);
}

static void coarse_pixels_speak_for_a_patch(void)
{
    GByte pixels[4] = {1, 0, NODATA, 1};
    map m = {"coarse.tif", "EPSG:32630", {499000, 5000, 0, 4002000, 0, -5000}, 2, 2, pixels};
    s2clr_labels *labels = open_map(write_map(&m), NULL, NULL, 0.5, 0);
    rig_square at = square;
    CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, 1);
    at.left += 4000;
    CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, 0);
    at.left -= 4000, at.top -= 4000;
    CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, -1);
    s2clr_labels_close(labels);
}

/* A world map whose first and last columns differ, and patches on both sides of 180 degrees. */
static void the_antimeridian_joins_both_edges(void)
{
    static GByte pixels[3600 * 10];
    map m = {"world.tif", "EPSG:4326", {-180, 0.1, 0, -16, 0, -0.1}, 3600, 10, pixels};
    for (int r = 0; r < 10; r++) pixels[r * 3600] = 1;
    const char *path = write_map(&m);
    s2clr_labels *labels = open_map(path, NULL, NULL, 0.5, 0);
    /* 2 x 2 degrees around the antimeridian: one column of ten of each side is 1. */
    const rig_square both = {"EPSG:4326", 179, -16.2, 0.02, 100, ""};
    double inside = 0;
    for (int r = 0; r < 10; r++) inside += -16 - 0.1 * (r + 0.5) < -16.2;
    s2clr_verdict v = label_rig_judge(labels, &both);
    /* The map ends at 17 south: eight of twenty rows are known. */
    TEST_NEAR(v.cover, 1 / 20.0, 1e-12);
    CU_ASSERT_EQUAL(inside, 8);
    CU_ASSERT_TRUE(v.ambiguous);
    const rig_square utm60 = {"EPSG:32760", 820500, 8170000, 100, 40, ""};
    v = label_rig_judge(labels, &utm60);
    CU_ASSERT_TRUE(v.cover >= 0);
    const rig_square east = {"EPSG:4326", 180, -16.2, 0.002, 50, ""};
    CU_ASSERT_EQUAL(label_rig_judge(labels, &east).cover, 1);
    const rig_square west = {"EPSG:4326", 179.9, -16.2, 0.002, 50, ""};
    CU_ASSERT_EQUAL(label_rig_judge(labels, &west).cover, 0);
    const rig_square round = {"EPSG:4326", -540, -16.2, 0.002, 50, ""};
    CU_ASSERT_EQUAL(label_rig_judge(labels, &round).cover, 1);
    s2clr_labels_close(labels);
}

static void rasters_have_a_date(void)
{
    GByte pixels[64 * 64];
    memset(pixels, 1, sizeof pixels);
    map m = {"date.tif", "EPSG:32630", {500000, 10, 0, 4000640, 0, -10}, 64, 64, pixels};
    s2clr_labels_options options = {
        .path = write_map(&m), .keep = 0.5, .date_field = "TIFFTAG_DATETIME", .window_days = 30};
    s2clr_labels *labels = label_rig_open(&options);
    rig_square at = square;
    CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, 1);
    at.date = "2019-05-31";
    CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, -1);
    s2clr_labels_close(labels);
    options.date_field = "DAY";
    label_rig_refused(&options, "metadata item 'DAY' is 'absent'");
    options.date_field = NULL;
    options.field = "class";
    label_rig_refused(&options, "a raster has no field 'class'");
    options.field = NULL;
    options.positive = "rice";
    label_rig_refused(&options, "'rice' is not a number");
    options.positive = NULL;
    options.layer = "2";
    label_rig_refused(&options, "no band '2'");
    options.layer = NULL;
    m.crs = NULL;
    options.path = write_map(&m);
    label_rig_refused(&options, "has no CRS");
}

static const test_case cases[] = {
    {"shares_are_counts_of_pixels", shares_are_counts_of_pixels},
    {"foreign_grids_are_looked_at_by_centres", foreign_grids_are_looked_at_by_centres},
    {"unknown_pixels_do_not_count", unknown_pixels_do_not_count},
    {"coarse_pixels_speak_for_a_patch", coarse_pixels_speak_for_a_patch},
    {"the_antimeridian_joins_both_edges", the_antimeridian_joins_both_edges},
    {"rasters_have_a_date", rasters_have_a_date},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("labels_raster", cases, argc, argv);
}
