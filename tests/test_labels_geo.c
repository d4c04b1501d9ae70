/* Places of labels and patches: against gdaltransform, at the antimeridian, at zone edges; days. */
#define _GNU_SOURCE
#include "harness.h"

#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "label_rig.h"
#include "labels/plabels.h"

/* ---- positions ---- */

/* A point is in a patch of one pixel of 20 cm around the place that GDAL's or PROJ's own
 * program names, and not in its
 * neighbours. */
static void points_lie_where(bool (*transform)(const char *, const char *, double *, double *),
                             const char *absent)
{
    static const struct {
        double lon, lat;
        const char *crs;
    } places[] = {
        {-0.5, 39.25, "EPSG:32630"},
        {5.9999, 39.25, "EPSG:32631"},
        {5.9999, 39.25, "EPSG:32632"}, /* a zone's edge, from the other zone */
        {26.79, -17.075, "EPSG:32735"},
        {26.79, -17.075, "EPSG:32635"},
        {179.99, -16.6, "EPSG:32760"},
        {-179.99, -16.6, "EPSG:32701"},
        {-179.99, -16.6, "EPSG:32760"},
        {179.99, -16.6, "EPSG:32701"},
        {179.999999, 68.5, "EPSG:32601"},
        {-179.999999, 68.5, "EPSG:32660"},
        {178.0, -18.0, "EPSG:3832"},
        {-178.0, -18.0, "EPSG:3832"},
        {10, 55, "EPSG:3035"},
        {-112.0975, 35.6063, "EPSG:26912"},
    };
    double x = 1, y = 1;
    if (!transform("EPSG:4326", "EPSG:4326", &x, &y)) {
        test_skip(absent);
        return;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *path =
            label_rig_file("one.csv", "lon,lat,water\n%.9f,%.9f,2\n", places[i].lon, places[i].lat);
        const s2clr_labels_options options = {.path = path, .window_days = -1};
        s2clr_labels *labels = label_rig_open(&options);
        x = places[i].lon, y = places[i].lat;
        transform("EPSG:4326", places[i].crs, &x, &y);
        for (int dx = -1; dx <= 1; dx++)
            for (int dy = -1; dy <= 1; dy++) {
                const rig_square at = {
                    places[i].crs, x - 0.1 + 0.2 * dx, y + 0.1 + 0.2 * dy, 0.2, 1, ""};
                CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, dx == 0 && dy == 0 ? 1 : -1);
            }
        s2clr_labels_close(labels);
    }
}

static void points_lie_where_gdaltransform_puts_them(void)
{
    points_lie_where(label_rig_gdaltransform, "gdaltransform is not here (Debian: gdal-bin)");
}

static void points_lie_where_cs2cs_puts_them(void)
{
    points_lie_where(label_rig_cs2cs, "cs2cs is not here (Debian: proj-bin)");
}

/* Closed form: on a central meridian northing is 0.9996 of the length of the meridian, 4984944.378
 * m up to 45 degrees of WGS 84; the southern zones count from 10,000 km. */
static void central_meridians_are_known(void)
{
    for (int south = 0; south < 2; south++) {
        const double m = 4984944.378 * 0.9996, lat = south ? -45 : 45;
        const char *path = label_rig_file("meridian.csv", "lon,lat,water\n-3,%.1f,2\n", lat);
        const s2clr_labels_options options = {.path = path, .window_days = -1};
        const rig_square at = {south ? "EPSG:32730" : "EPSG:32630",
                               500000 - 0.01,
                               (south ? 1e7 - m : m) + 0.01,
                               0.02,
                               1,
                               ""};
        s2clr_labels *labels = label_rig_open(&options);
        CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, 1);
        s2clr_labels_close(labels);
    }
}

/* ---- the antimeridian ---- */

static double cover_of(const char *geometry, const rig_square *at)
{
    const char *path = label_rig_file(
        "cut.geojson",
        "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{},"
        "\"geometry\":%s}]}",
        geometry);
    const s2clr_labels_options options = {.path = path, .keep = 0.5, .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    const double cover = label_rig_judge(labels, at).cover;
    s2clr_labels_close(labels);
    return cover;
}

/* The same strip of 0.02 x 0.01 degrees, in the four ways people write it, over patches of zones 60
 * and 1 and of degrees, asked from either side. */
static void polygons_cross_the_antimeridian(void)
{
    static const char *const ways[] = {
        "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[179.99,-17],[180,-17],[180,-16.99],"
        "[179.99,-16.99],[179.99,-17]]],[[[-180,-17],[-179.99,-17],[-179.99,-16.99],[-180,-16.99],"
        "[-180,-17]]]]}",
        "{\"type\":\"Polygon\",\"coordinates\":[[[179.99,-17],[-179.99,-17],[-179.99,-16.99],"
        "[179.99,-16.99],[179.99,-17]]]}",
        "{\"type\":\"Polygon\",\"coordinates\":[[[179.99,-17],[180.01,-17],[180.01,-16.99],"
        "[179.99,-16.99],[179.99,-17]]]}",
        "{\"type\":\"Polygon\",\"coordinates\":[[[-180.01,-17],[-179.99,-17],[-179.99,-16.99],"
        "[-180.01,-16.99],[-180.01,-17]]]}",
    };
    const rig_square degrees = {"EPSG:4326", 179.985, -16.98, 0.0003, 100, ""};
    rig_square negative = degrees, left = degrees;
    negative.left -= 360;
    left.left = 179.97;
    const double share = 0.02 * 0.01 / (0.03 * 0.03);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        TEST_NEAR(cover_of(ways[i], &degrees), share, 1e-6);
        TEST_NEAR(cover_of(ways[i], &negative), share, 1e-6);
        TEST_NEAR(cover_of(ways[i], &left), share / 2, 1e-6);
        /* 111 m of a degree's thousandth: the strip is about 2130 x 1107 m. */
        const char *const zones[] = {"EPSG:32760", "EPSG:32701"};
        for (int z = 0; z < 2; z++) {
            double x = 180, y = -16.995;
            OGRSpatialReferenceH from = s2clr_world_new(), to = OSRNewSpatialReference(NULL);
            OSRSetFromUserInput(to, zones[z]);
            OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(from, to);
            CU_ASSERT_TRUE(OCTTransform(way, 1, &x, &y, NULL));
            const rig_square at = {zones[z], x - 2000, y + 2000, 10, 400, ""};
            TEST_NEAR(cover_of(ways[i], &at) * 16e6, 2130.0 * 1106.6, 5000);
            OCTDestroyCoordinateTransformation(way);
            OSRDestroySpatialReference(from);
            OSRDestroySpatialReference(to);
        }
    }
}

static void polygons_around_the_world_stay_what_they_are(void)
{
    const rig_square africa = {"EPSG:4326", 20, 5, 0.01, 100, ""};
    const rig_square south = {"EPSG:4326", 20, -85, 0.01, 100, ""};
    static const char *const world =
        "{\"type\":\"Polygon\",\"coordinates\":[[[-180,-90],[180,-90],[180,90],[-180,90],"
        "[-180,-90]]]}";
    static const char *const cap = "{\"type\":\"Polygon\",\"coordinates\":[[[-180,-90],[180,-90],"
                                   "[180,-80],[60,-80],[-60,-80],[-180,-80],[-180,-90]]]}";
    TEST_NEAR(cover_of(world, &africa), 1, 1e-9);
    TEST_NEAR(cover_of(cap, &south), 1, 1e-9);
    CU_ASSERT_TRUE(cover_of(cap, &africa) <= 0);
}

/* ---- days ---- */

static void days_are_those_of_the_calendar(void)
{
    static const struct {
        const char *text;
        int64_t first, last; /* since 1970-01-01 */
    } good[] = {
        {"1970-01-01", 0, 0},
        {"2000-03-01", 11017, 11017},
        {"2019", 17897, 18261},
        {"2020-02", 18293, 18321},
        {"2020/2/29", 18321, 18321},
        {"1969-12", -31, -1},
        {"2019:06:13 10:00:00", 18060, 18060},
        {"2019-06-13T10:00:00Z", 18060, 18060},
        {" 2019-06-13 ", 18060, 18060},
    };
    static const char *const bad[] = {"",        "19",         "June",        "2019-13",
                                      "2019-00", "2019-02-29", "2019-06-13x", "20190613",
                                      "2019-6-", "0000",       "2019 10:00"};
    s2clr_days days;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CU_ASSERT_TRUE(s2clr_days_parse(good[i].text, &days));
        CU_ASSERT_EQUAL(days.first, good[i].first);
        CU_ASSERT_EQUAL(days.last, good[i].last);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(s2clr_days_parse(bad[i], &days));
}

/* Every day of four centuries follows the one before. */
static void days_follow_each_other(void)
{
    int64_t last = 0;
    size_t gaps = 0, days = 0;
    for (int y = 1800; y < 2200; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; d <= 31; d++) {
                s2clr_days day;
                if (!s2clr_days_of(y, m, d, &day)) continue;
                gaps += days > 0 && day.first != last + 1;
                last = day.first;
                days++;
            }
    CU_ASSERT_EQUAL(gaps, 0);
    CU_ASSERT_EQUAL(days, 400 * 365 + 97);
}

static const test_case cases[] = {
    {"points_lie_where_gdaltransform_puts_them", points_lie_where_gdaltransform_puts_them},
    {"points_lie_where_cs2cs_puts_them", points_lie_where_cs2cs_puts_them},
    {"central_meridians_are_known", central_meridians_are_known},
    {"polygons_cross_the_antimeridian", polygons_cross_the_antimeridian},
    {"polygons_around_the_world_stay_what_they_are", polygons_around_the_world_stay_what_they_are},
    {"days_are_those_of_the_calendar", days_are_those_of_the_calendar},
    {"days_follow_each_other", days_follow_each_other},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("labels_geo", cases, argc, argv);
}
