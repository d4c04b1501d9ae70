/* Labels from points: tables and layers, classes, dates, and what is wrong with them. */
#include "harness.h"

#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "label_rig.h"
#include "store_rig.h"

/* 64 pixels of 10 m whose upper left corner is 500000 E 4000640 N in UTM 30. */
static const rig_square square = {"EPSG:32630", 500000, 4000640, 10, 64, ""};

static const char *utm_points(const char *name, const char *rows)
{
    char prj[80];
    snprintf(prj, sizeof prj, "%s.prj", name);
    label_rig_file(prj, "EPSG:32630");
    char csv[80];
    snprintf(csv, sizeof csv, "%s.csv", name);
    return label_rig_file(csv, "x,y,class,land\n%s", rows);
}

static void a_patch_is_what_its_points_say(void)
{
    const char *path = utm_points("points", "500001,4000001,rice,Spain\n"
                                            "500639,4000639,rice,Spain\n"
                                            "500700,4000300,maize,France\n"
                                            "501300,4000300,rice,Spain\n"
                                            "501400,4000300,maize,France\n"
                                            "509999,4000300,,France\n");
    const s2clr_labels_options options = {.path = path,
                                          .field = "class",
                                          .positive = "rice, vines",
                                          .country_field = "land",
                                          .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    CU_ASSERT_STRING_EQUAL(s2clr_labels_kind(labels), "points");
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), 6);
    const s2clr_verdict first = label_rig_judge(labels, &square);
    CU_ASSERT_EQUAL(first.label, S2CLR_LABEL_POSITIVE);
    CU_ASSERT_EQUAL(first.cover, 1);
    CU_ASSERT_STRING_EQUAL(first.country, "Spain");
    rig_square next = square;
    next.left += 640;
    const s2clr_verdict second = label_rig_judge(labels, &next);
    CU_ASSERT_EQUAL(second.label, S2CLR_LABEL_NEGATIVE);
    CU_ASSERT_EQUAL(second.cover, 0);
    next.left += 640;
    const s2clr_verdict third = label_rig_judge(labels, &next);
    CU_ASSERT_EQUAL(third.label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_TRUE(third.ambiguous);
    CU_ASSERT_EQUAL(third.cover, 0.5);
    next.left += 640;
    const s2clr_verdict empty = label_rig_judge(labels, &next);
    CU_ASSERT_EQUAL(empty.label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_EQUAL(empty.cover, -1);
    CU_ASSERT_FALSE(empty.ambiguous);
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), 1);
    const s2clr_labels_counts counts = s2clr_labels_count(labels);
    CU_ASSERT_EQUAL(counts.features, 6);
    CU_ASSERT_EQUAL(counts.positive, 3);
    CU_ASSERT_EQUAL(counts.negative, 2);
    CU_ASSERT_EQUAL(counts.other, 1);
    s2clr_labels_close(labels);
}

/* Whole UTM coordinates survive the way to degrees and back within micrometres, so the edge itself
 * is tried with points a millimetre to either side. */
static void a_point_lies_in_one_patch_only(void)
{
    const char *path = utm_points("edges", "500000.001,4000100,1,\n500639.999,4000100,1,\n"
                                           "500640.001,4000100,0,\n500100,4000000.001,1,\n"
                                           "500100,3999999.999,0,\n");
    const s2clr_labels_options options = {
        .path = path, .field = "class", .positive = "1", .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    CU_ASSERT_EQUAL(label_rig_judge(labels, &square).cover, 1);
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), 2);
    s2clr_labels_close(labels);
}

/* The classes are counted with nothing but the file's own text: water is the tenth column. */
static void croplands_points_are_all_there(void)
{
    const char *path = test_data("labels/croplands_points.csv");
    size_t rows = 0, irrigated = 0, rainfed = 0, wrong = 0;
    char line[1000];
    if (!path) {
        test_skip("shared/data/labels/croplands_points.csv is not here");
        return;
    }
    const s2clr_labels_options options = {.path = path, .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file)) {
        double at[2], lat = NAN, lon = NAN;
        char country[64] = "";
        int water = 0;
        s2clr_verdict verdict;
        CU_ASSERT_EQUAL(
            sscanf(line, "%*d,%*d,%*d,%lf,%lf,%63[^,],%*d,%*d,%*d,%d", &lat, &lon, country, &water),
            4);
        if (country[0] == '"') { /* "Lao People's Democratic Republic" */
            memmove(country, country + 1, strlen(country));
            country[strlen(country) - 1] = '\0';
        }
        irrigated += water == 2;
        rainfed += water == 1;
        CU_ASSERT_TRUE_FATAL(s2clr_labels_point(labels, rows++, &at[0], &at[1], &verdict));
        wrong += fabs(at[0] - lon) > 1e-12 || fabs(at[1] - lat) > 1e-12 ||
                 strcmp(country, verdict.country) != 0 ||
                 verdict.label != (water == 2 ? S2CLR_LABEL_POSITIVE : S2CLR_LABEL_NEGATIVE);
    }
    fclose(file);
    const s2clr_labels_counts counts = s2clr_labels_count(labels);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(rows, 17095);
    CU_ASSERT_EQUAL(counts.features, rows);
    CU_ASSERT_EQUAL(counts.positive, irrigated);
    CU_ASSERT_EQUAL(counts.negative, rainfed);
    CU_ASSERT_EQUAL(irrigated, 14091);
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), rows);
    double x, y;
    s2clr_verdict verdict;
    CU_ASSERT_FALSE(s2clr_labels_point(labels, rows, &x, &y, &verdict));
    s2clr_labels_close(labels);
}

/* ---- dates ---- */

static void judge_on(s2clr_labels *labels, const char *date, double cover)
{
    rig_square at = square;
    at.date = date;
    const s2clr_verdict verdict = label_rig_judge(labels, &at);
    TEST_NEAR(verdict.cover, cover, 0);
}

static void labels_of_another_time_do_not_count(void)
{
    label_rig_file("dates.prj", "EPSG:32630");
    const char *path = label_rig_file("dates.csv", "x,y,class,year,month\n"
                                                   "500100,4000100,1,2019,6\n"
                                                   "500200,4000200,0,2020,0\n");
    s2clr_labels_options options = {
        .path = path, .field = "class", .positive = "1", .window_days = 10};
    s2clr_labels *labels = label_rig_open(&options);
    judge_on(labels, "2019-06-30", 1);
    judge_on(labels, "2019-07-10", 1); /* ten days after 30 June */
    judge_on(labels, "2019-07-11", -1);
    judge_on(labels, "2019-05-22", 1);
    judge_on(labels, "2019-05-21", -1);
    judge_on(labels, "2019-12-22", 0); /* ten days before 2020 */
    judge_on(labels, "2019-12-21", -1);
    judge_on(labels, "2021-01-10", 0);
    judge_on(labels, "2021-01-11", -1);
    judge_on(labels, "", -1);
    s2clr_labels_close(labels);
    options.window_days = -1;
    labels = label_rig_open(&options);
    judge_on(labels, "1999-01-01", 0.5);
    judge_on(labels, "", 0.5);
    s2clr_labels_close(labels);
    options.window_days = 10;
    options.date_field = "class"; /* 1 and 0 are no dates: undated labels always count */
    labels = label_rig_open(&options);
    CU_ASSERT_EQUAL(s2clr_labels_count(labels).undated, 2);
    judge_on(labels, "1999-01-01", 0.5);
    s2clr_labels_close(labels);
}

/* ---- layers ---- */

static const char *make_layers(void)
{
    static char path[4400];
    snprintf(path, sizeof path, "%s", store_rig_path("layers.gpkg"));
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("GPKG"), path, 0, 0, 0, GDT_Unknown, NULL);
    const struct {
        const char *name, *wkt;
        OGRwkbGeometryType type;
        bool crs;
    } layers[] = {
        {"wells", "MULTIPOINT ((500100 4000100),(500200 4000100),(501000 4000100))", wkbMultiPoint,
         true},
        {"canals", "LINESTRING (0 0,1 1)", wkbLineString, true},
        {"lost", "POINT (1 1)", wkbPoint, false},
        {"nothing", NULL, wkbPoint, true},
    };
    OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
    OSRSetFromUserInput(crs, "EPSG:32630");
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        OGRLayerH layer = GDALDatasetCreateLayer(dataset, layers[i].name,
                                                 layers[i].crs ? crs : NULL, layers[i].type, NULL);
        OGRFieldDefnH field = OGR_Fld_Create("kind", OFTReal);
        OGR_L_CreateField(layer, field, 1);
        OGR_Fld_Destroy(field);
        if (!layers[i].wkt) continue;
        OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(layer));
        OGRGeometryH geometry = NULL;
        char *wkt = (char *)(uintptr_t)layers[i].wkt;
        OGR_G_CreateFromWkt(&wkt, NULL, &geometry);
        OGR_F_SetGeometryDirectly(feature, geometry);
        OGR_F_SetFieldDouble(feature, 0, 2);
        CU_ASSERT_EQUAL(OGR_L_CreateFeature(layer, feature), OGRERR_NONE);
        OGR_F_Destroy(feature);
    }
    OSRDestroySpatialReference(crs);
    GDALClose(dataset);
    return path;
}

static void layers_are_chosen_by_name(void)
{
    s2clr_labels_options options = {
        .path = make_layers(), .field = "kind", .positive = "2", .window_days = -1};
    label_rig_refused(&options, "several layers");
    label_rig_refused(&options, "wells, canals, lost, nothing");
    options.layer = "well";
    label_rig_refused(&options, "did you mean 'wells'");
    options.layer = "canals";
    label_rig_refused(&options, "ST_Buffer");
    options.layer = "lost";
    label_rig_refused(&options, "-a_srs");
    options.layer = "nothing";
    label_rig_refused(&options, "no features");
    options.layer = "wells";
    s2clr_labels *labels = label_rig_open(&options);
    CU_ASSERT_EQUAL(s2clr_labels_count(labels).features, 1);
    CU_ASSERT_EQUAL(s2clr_labels_count(labels).positive, 3);
    CU_ASSERT_EQUAL(label_rig_judge(labels, &square).label, S2CLR_LABEL_POSITIVE);
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), 1);
    s2clr_labels_close(labels);
}

/* ---- bad input ---- */

static void bad_rows_are_counted(void)
{
    const char *path = label_rig_file("rows.csv", "Lon,Lat,water,date\n"
                                                  "1,91,2,2019\n"
                                                  "x,5,2,2019\n"
                                                  ",,2,2019\n"
                                                  "nan,5,2,2019\n"
                                                  "1 , 5,2,2019-02-30\n"
                                                  "181,5,1,2019\n");
    const s2clr_labels_options options = {.path = path, .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    const s2clr_labels_counts counts = s2clr_labels_count(labels);
    CU_ASSERT_EQUAL(counts.features, 6);
    CU_ASSERT_EQUAL(counts.placeless, 4);
    CU_ASSERT_EQUAL(counts.positive, 1);
    CU_ASSERT_EQUAL(counts.undated, 1);
    double x, y;
    s2clr_verdict verdict;
    CU_ASSERT_TRUE(s2clr_labels_point(labels, 1, &x, &y, &verdict));
    TEST_NEAR(x, -179, 1e-12);
    s2clr_labels_close(labels);
}

static void what_cannot_be_read_says_so(void)
{
    const char *good = label_rig_file("good.csv", "lon,lat,class\n1,5,rice\n2,5,maize\n");
    s2clr_labels_options options = {.path = good, .field = "clas", .positive = "rice"};
    label_rig_refused(&options, "did you mean 'class'");
    options.field = NULL;
    label_rig_refused(&options, "lon, lat, class");
    options.field = "class";
    options.positive = NULL;
    label_rig_refused(&options, "which of its values are positive");
    options.positive = "wheat";
    label_rig_refused(&options, "'rice', 'maize'");
    options.positive = " , ";
    label_rig_refused(&options, "list of positive values is empty");
    options.positive = "rice";
    options.negative = "wheat";
    label_rig_refused(&options, "no label is negative");
    options.negative = "maize,rice";
    label_rig_refused(&options, "as positive and as negative");
    options.negative = NULL;
    options.country_field = "country";
    label_rig_refused(&options, "no field 'country'");
    options.country_field = NULL;
    options.date_field = "when";
    label_rig_refused(&options, "no field 'when'");
    options.date_field = NULL;
    options.keep = 0.1, options.drop = 0.2;
    label_rig_refused(&options, "drop not above keep");
    options = (s2clr_labels_options){.field = "class", .positive = "1"};
    options.path = label_rig_file("xy.csv", "x,y,class\n1,5,1\n");
    label_rig_refused(&options, "xy.prj");
    options.path = label_rig_file("none.csv", "class,size\n1,5\n");
    label_rig_refused(&options, "neither geometries nor columns");
    options.path = label_rig_file("empty.csv", "lon,lat,class\n");
    label_rig_refused(&options, "no features");
    options.path = label_rig_file("far.csv", "lon,lat,class\n1,500,1\n");
    label_rig_refused(&options, "none of the 1 features");
    options.path = label_rig_file("broken.geojson", "{\"type\": \"FeatureCollection\", \"feat");
    label_rig_refused(&options, "cannot be opened");
    options.path = "/nowhere/labels.csv";
    label_rig_refused(&options, "/nowhere/labels.csv");
}

static void patches_without_a_place_are_refused(void)
{
    const char *path = label_rig_file("place.csv", "lon,lat,water\n1,5,2\n");
    const double good[6] = {1, 0.1, 0, 5, 0, -0.1}, flat[6] = {1, 0, 0, 5, 0, -0.1};
    const double beyond[6] = {1, 0.1, 0, 500, 0, -0.1};
    const s2clr_labels_options options = {.path = path, .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    s2clr_verdict v;
    TEST_OK(s2clr_labels_judge(labels, "EPSG:4326", good, 4, 4, "", &v));
    CU_ASSERT_EQUAL(s2clr_labels_judge(labels, "", good, 4, 4, "", &v), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("gdal_edit.py");
    CU_ASSERT_EQUAL(s2clr_labels_judge(labels, "EPSG:0", good, 4, 4, "", &v), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_labels_judge(labels, "http://127.0.0.1:1/crs", good, 4, 4, "", &v),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("not understood");
    CU_ASSERT_EQUAL(s2clr_labels_judge(labels, "EPSG:4326", flat, 4, 4, "", &v),
                    S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_labels_judge(labels, "EPSG:4326", beyond, 4, 4, "", &v),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no place");
    CU_ASSERT_EQUAL(s2clr_labels_judge(labels, "EPSG:4326", good, 4, 4, "June", &v),
                    S2CLR_ERR_ARGUMENT);
    s2clr_labels_close(labels);
}

static const test_case cases[] = {
    {"a_patch_is_what_its_points_say", a_patch_is_what_its_points_say},
    {"a_point_lies_in_one_patch_only", a_point_lies_in_one_patch_only},
    {"croplands_points_are_all_there", croplands_points_are_all_there},
    {"labels_of_another_time_do_not_count", labels_of_another_time_do_not_count},
    {"layers_are_chosen_by_name", layers_are_chosen_by_name},
    {"bad_rows_are_counted", bad_rows_are_counted},
    {"what_cannot_be_read_says_so", what_cannot_be_read_says_so},
    {"patches_without_a_place_are_refused", patches_without_a_place_are_refused},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("labels_points", cases, argc, argv);
}
