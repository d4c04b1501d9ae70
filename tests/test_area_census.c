/* Areas of pixels against PROJ's geodesics, counts of maps, and samples that are drawn from them.
 */
#include "harness.h"

#include <geodesic.h>
#include <math.h>

#include "report/area_census.h"
#include "stack_rig.h"

static s2clr_area_census *take_census(const s2clr_area_rule *rule)
{
    s2clr_area_census *census = NULL;
    TEST_OK(s2clr_area_census_make(rule, NULL, &census));
    CU_ASSERT_PTR_NOT_NULL_FATAL(census);
    return census;
}

static void no_census(const s2clr_area_rule *rule, const char *says)
{
    s2clr_area_census *census = NULL;
    CU_ASSERT_NOT_EQUAL(s2clr_area_census_make(rule, NULL, &census), S2CLR_OK);
    CU_ASSERT_PTR_NULL(census);
    TEST_ERROR_SAYS(says);
}

/* ---- areas ---- */

static double area_of_row(const double transform[6], int epsg, int row)
{
    const rig_raster spec = {.name = "rows.tif",
                             .width = 3,
                             .height = 20,
                             .bands = 1,
                             .transform = transform,
                             .epsg = epsg};
    s2clr_map map;
    double area = NAN;
    TEST_OK(s2clr_map_open(rig_write(&spec), 1, &map));
    TEST_OK(s2clr_map_row_area(&map, row, &area));
    s2clr_map_close(&map);
    return area;
}

/* A cell of the graticule as a polygon of PROJ's, with many points along the parallels, which are
 * no geodesics. */
static double geodesic_area(double west, double south, double step)
{
    enum { PIECES = 2000 };
    struct geod_geodesic wgs84;
    struct geod_polygon polygon;
    double area, length;
    geod_init(&wgs84, 6378137, 1 / 298.257223563);
    geod_polygon_init(&polygon, 0);
    for (int i = 0; i <= PIECES; i++)
        geod_polygon_addpoint(&wgs84, &polygon, south, west + step * i / PIECES);
    for (int i = 0; i < PIECES; i++)
        geod_polygon_addpoint(&wgs84, &polygon, south + step, west + step - step * i / PIECES);
    geod_polygon_addpoint(&wgs84, &polygon, south + step, west);
    geod_polygon_compute(&wgs84, &polygon, 0, 1, &area, &length);
    return area;
}

static void pixels_in_degrees_have_their_area_on_the_ellipsoid(void)
{
    for (int row = 0; row < 20; row += 3) {
        const double transform[6] = {-4, 1, 0, 60, 0, -1};
        const double wanted = geodesic_area(-4, 60 - row - 1, 1);
        TEST_NEAR(area_of_row(transform, 4326, row) / wanted, 1, 1e-8);
    }
    /* one of 10 m near Valencia: 38.13 N */
    const double fine[6] = {-0.78, 0.0001, 0, 38.13, 0, -0.0001};
    const double coarse = geodesic_area(-0.78, 38.1, 0.1) / 1e6;
    TEST_NEAR(area_of_row(fine, 4326, 10) / coarse, 1, 1e-3);
    /* the whole Earth, in 180 rows of one degree */
    double sum = 0;
    for (int top = 90; top > -90; top -= 20) {
        const double transform[6] = {0, 360, 0, top, 0, -1};
        for (int row = 0; row < 20; row++) sum += area_of_row(transform, 4326, row);
    }
    TEST_NEAR(sum / 510065621724088.5, 1, 1e-12); /* geodesic.h of GeographicLib, WGS 84 */
}

static double true_area_of(const double transform[6], int epsg)
{
    const rig_raster spec = {.name = "true.tif",
                             .width = 100,
                             .height = 100,
                             .bands = 1,
                             .transform = transform,
                             .epsg = epsg};
    s2clr_map map;
    TEST_OK(s2clr_map_open(rig_write(&spec), 1, &map));
    const double ratio = s2clr_map_true_area(&map);
    s2clr_map_close(&map);
    return ratio;
}

/* On the middle meridian of UTM lengths are 0.9996 of the true ones; Mercator's are 1 / cos. */
static void planes_are_told_from_the_earth(void)
{
    const double utm[6] = {499500, 10, 0, 4200500, 0, -10};
    CU_ASSERT_EQUAL(area_of_row(utm, 32630, 0), 100);
    TEST_NEAR(true_area_of(utm, 32630), 1 / (0.9996 * 0.9996), 1e-6);
    const double mercator[6] = {-500, 10, 0, 8399738 + 500, 0, -10}; /* 60 N */
    TEST_NEAR(true_area_of(mercator, 3857), 0.25, 0.01);
    const double equal[6] = {-500, 10, 0, 5000500, 0, -10};
    TEST_NEAR(true_area_of(equal, 6933), 1, 1e-6);
    const double feet[6] = {6000000, 30, 0, 2000000, 0, -30}; /* US survey feet, California */
    TEST_NEAR(area_of_row(feet, 2229, 0), 900 * 0.3048006096 * 0.3048006096, 1e-6);
}

/* ---- counts ---- */

enum { SIDE = 60 };

static const double hole = -1;

/* Probabilities rise to the right from 0 to 0.98; the first five rows have no value. */
static double rising(int band, int x, int y)
{
    return band == 2 ? x / 20 : y < 5 ? hole : x / 60.0;
}

static const char *rising_map(int epsg)
{
    static const double degrees[6] = {10, 0.001, 0, 50, 0, -0.001};
    const rig_raster spec = {.name = epsg ? "degrees.tif" : "rising.tif",
                             .width = SIDE,
                             .height = SIDE,
                             .bands = 2,
                             .type = GDT_Float32,
                             .metres = 10,
                             .transform = epsg ? degrees : NULL,
                             .epsg = epsg,
                             .nodata = &hole,
                             .names = "rice,third",
                             .fill = rising};
    return rig_write(&spec);
}

static void counts_classes_and_strata(void)
{
    const double breaks[] = {0.25, 0.5, 0.75};
    s2clr_area_rule rule = {.map = rising_map(0), .band = 1, .threshold = NAN};
    s2clr_area_census *c = take_census(&rule);
    CU_ASSERT_STRING_EQUAL(c->threshold_from, "one half");
    CU_ASSERT_STRING_EQUAL(c->class_[1].name, "rice");
    CU_ASSERT_STRING_EQUAL(c->class_[0].name, "not rice");
    CU_ASSERT_TRUE(c->classes == 2 && c->strata == 2);
    CU_ASSERT_EQUAL(c->nodata, 5 * SIDE);
    CU_ASSERT_EQUAL(c->class_[1].pixels, 30 * 55);
    CU_ASSERT_EQUAL(c->class_[1].area, 30 * 55 * 100);
    CU_ASSERT_EQUAL(c->area, 60 * 55 * 100);
    double right = 0; /* of the upper half */
    for (int x = 30; x < 60; x++) right += (double)(float)(x / 60.0) / 30;
    TEST_NEAR(c->stratum[1].right, right, 1e-12);
    s2clr_area_census_free(c);
    rule.threshold = 0.89;
    rule.breaks = breaks, rule.break_count = 3;
    c = take_census(&rule);
    CU_ASSERT_EQUAL(c->strata, 4);
    CU_ASSERT_STRING_EQUAL(c->stratum[1].name, "0.25 to 0.5");
    for (int h = 0; h < 4; h++) CU_ASSERT_EQUAL(c->stratum[h].pixels, 15 * 55);
    CU_ASSERT_EQUAL(c->class_[1].pixels, 6 * 55);
    s2clr_area_census_free(c);
}

/* Rows further south are larger: the sum is that of a polygon around all of them. */
static void counts_degrees_by_their_area(void)
{
    const s2clr_area_rule rule = {.map = rising_map(4326), .band = 1, .threshold = 0.5};
    s2clr_area_census *c = take_census(&rule);
    const double all = geodesic_area(10, 50 - 0.06, 0.06);
    const double top =
        c->area + 5 * SIDE * area_of_row((double[6]){10, 0.001, 0, 50, 0, -0.001}, 4326, 2);
    TEST_NEAR(top / all, 1, 1e-7);
    CU_ASSERT_EQUAL(c->true_area, 1);
    s2clr_area_census_free(c);
}

static void counts_maps_of_classes(void)
{
    const s2clr_area_rule classes = {.map = rising_map(0), .band = 2, .classes = true};
    s2clr_area_census *c = take_census(&classes);
    CU_ASSERT_TRUE(c->classes == 3 && c->strata == 3);
    CU_ASSERT_STRING_EQUAL(c->class_[2].name, "class 2");
    CU_ASSERT_TRUE(isnan(c->stratum[2].right));
    CU_ASSERT_EQUAL(c->class_[2].pixels, 20 * SIDE);
    s2clr_area_census_free(c);
}

static double third(int band, int x, int y)
{
    (void)band;
    (void)y;
    return x < 20 ? 7 : x < 40 ? 3 : 255;
}

static void strata_without_value_are_left_out(void)
{
    const double nodata = 255;
    const rig_raster spec = {.name = "thirds.tif",
                             .width = SIDE,
                             .height = SIDE,
                             .bands = 1,
                             .metres = 10,
                             .nodata = &nodata,
                             .fill = third};
    const rig_raster off = {.name = "off.tif",
                            .width = SIDE,
                            .height = SIDE,
                            .bands = 1,
                            .metres = 10,
                            .shift_x = 5,
                            .fill = third};
    s2clr_area_rule rule = {
        .map = rising_map(0), .band = 1, .threshold = 0.5, .strata = rig_write(&spec)};
    s2clr_area_census *c = take_census(&rule);
    CU_ASSERT_EQUAL_FATAL(c->strata, 2);
    CU_ASSERT_TRUE(c->stratum[0].code == 3 && c->stratum[1].code == 7);
    CU_ASSERT_EQUAL(c->unstratified, 20 * 55);
    CU_ASSERT_EQUAL(c->pixels, 40 * 55);
    CU_ASSERT_EQUAL(c->class_[1].pixels, 10 * 55);
    s2clr_area_census_free(c);
    rule.strata = rig_write(&off);
    no_census(&rule, "is not on the grid of");
}

static double bad(int band, int x, int y)
{
    return band == 1 ? 0.5 * x : x + 0.25 * (y == 9);
}

static double empty(int band, int x, int y)
{
    (void)band, (void)x, (void)y;
    return hole;
}

static void refuses_other_values(void)
{
    const rig_raster spec = {.name = "bad.tif",
                             .width = 10,
                             .height = 10,
                             .bands = 2,
                             .type = GDT_Float32,
                             .metres = 10,
                             .fill = bad};
    const rig_raster nothing = {.name = "nothing.tif",
                                .width = 10,
                                .height = 10,
                                .bands = 1,
                                .type = GDT_Float32,
                                .metres = 10,
                                .nodata = &hole,
                                .fill = empty};
    const char *map = rig_write(&spec);
    no_census(&(s2clr_area_rule){.map = map, .band = 1, .threshold = 0.5},
              "holds 1.5; wanted: probabilities from 0 to 1");
    no_census(&(s2clr_area_rule){.map = map, .band = 2, .classes = true},
              "holds 0.25; wanted: classes");
    no_census(&(s2clr_area_rule){.map = rig_write(&nothing), .band = 1, .threshold = 0.5},
              "has no pixel with a value");
    const double turned[6] = {10, 0.001, 0.0005, 50, 0.0005, -0.001};
    const rig_raster askew = {.name = "askew.tif",
                              .width = 10,
                              .height = 10,
                              .bands = 1,
                              .transform = turned,
                              .epsg = 4326,
                              .fill = empty};
    no_census(&(s2clr_area_rule){.map = rig_write(&askew), .band = 1, .threshold = 0.5},
              "turned against the meridians");
}

static const test_case cases[] = {
    {"pixels_in_degrees_have_their_area_on_the_ellipsoid",
     pixels_in_degrees_have_their_area_on_the_ellipsoid},
    {"planes_are_told_from_the_earth", planes_are_told_from_the_earth},
    {"counts_classes_and_strata", counts_classes_and_strata},
    {"counts_degrees_by_their_area", counts_degrees_by_their_area},
    {"counts_maps_of_classes", counts_maps_of_classes},
    {"strata_without_value_are_left_out", strata_without_value_are_left_out},
    {"refuses_other_values", refuses_other_values},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("area_census", cases, argc, argv);
}
