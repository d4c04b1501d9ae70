/* Labels from polygons: shares against counts of points, overlaps, repairs, dates, real fields. */
#include "harness.h"

#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "label_rig.h"

enum { SAMPLES = 400, CORNERS = 9, FIELDS = 6, TEXT = 16384 };

#define LEFT 500000.0
#define TOP 4000640.0
#define SIDE 640.0

static const rig_square square = {"EPSG:32630", LEFT, TOP, 10, 64, ""};

typedef struct outline {
    double x[CORNERS], y[CORNERS];
    int count;
} outline;

/* Crossings of a ray to the east (Shimrat, CACM 5, 1962). */
static bool inside(const outline *o, double x, double y)
{
    bool in = false;
    for (int i = 0, j = o->count - 1; i < o->count; j = i++)
        if ((o->y[i] > y) != (o->y[j] > y) &&
            x < (o->x[j] - o->x[i]) * (y - o->y[i]) / (o->y[j] - o->y[i]) + o->x[i])
            in = !in;
    return in;
}

/* A star around a random place near the patch: simple, rarely convex. */
static outline make_star(uint64_t seed, uint64_t number)
{
    outline o = {.count = CORNERS};
    const double x = LEFT + SIDE * (1.4 * (double)s2clr_random_uniform(seed, number, 0) - 0.2);
    const double y = TOP - SIDE * (1.4 * (double)s2clr_random_uniform(seed, number, 1) - 0.2);
    for (int i = 0; i < CORNERS; i++) {
        const double reach =
            SIDE * (0.05 + 0.35 * (double)s2clr_random_uniform(seed, number, 2 + (uint64_t)i));
        o.x[i] = x + reach * cos(2 * acos(-1) * i / CORNERS);
        o.y[i] = y + reach * sin(2 * acos(-1) * i / CORNERS);
    }
    return o;
}

static void add_ring(char *text, const outline *o)
{
    for (int i = 0; i <= o->count; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, TEXT - used, "%s[%.12f,%.12f]", i ? "," : "[", o->x[i % o->count],
                 o->y[i % o->count]);
    }
    strcat(text, "]");
}

/* GeoJSON, one feature per outline; properties[i] is JSON, or NULL for none. */
static const char *write_fields(const char *name, int epsg, const outline *o, int count,
                                const char *const *properties)
{
    static char text[TEXT];
    snprintf(text, sizeof text,
             "{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":"
             "\"urn:ogc:def:crs:EPSG::%d\"}},\"features\":[",
             epsg);
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, sizeof text - used,
                 "%s{\"type\":\"Feature\",\"properties\":%s,\"geometry\":{\"type\":\"Polygon\","
                 "\"coordinates\":[",
                 i ? "," : "", properties ? properties[i] : "{}");
        add_ring(text, &o[i]);
        strcat(text, "]}}");
    }
    strcat(text, "]}");
    return label_rig_file(name, "%s", text);
}

/* Share of SAMPLES x SAMPLES points of the square that lie in any of the outlines. */
static double count_share(const outline *o, int count, OGRCoordinateTransformationH way)
{
    size_t covered = 0;
    for (int r = 0; r < SAMPLES; r++) {
        double x[SAMPLES], y[SAMPLES];
        for (int c = 0; c < SAMPLES; c++) {
            x[c] = LEFT + SIDE * (c + 0.5) / SAMPLES;
            y[c] = TOP - SIDE * (r + 0.5) / SAMPLES;
        }
        if (way) CU_ASSERT_TRUE(OCTTransform(way, SAMPLES, x, y, NULL));
        for (int c = 0; c < SAMPLES; c++) {
            bool in = false;
            for (int i = 0; i < count && !in; i++) in = inside(&o[i], x[c], y[c]);
            covered += in;
        }
    }
    return (double)covered / (SAMPLES * SAMPLES);
}

static s2clr_verdict judge_file(const char *path, const rig_square *at)
{
    const s2clr_labels_options options = {
        .path = path, .keep = 0.5, .drop = 0.05, .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    CU_ASSERT_STRING_EQUAL(s2clr_labels_kind(labels), "polygons");
    const s2clr_verdict verdict = label_rig_judge(labels, at);
    s2clr_labels_close(labels);
    return verdict;
}

/* The raster's step is 1/400 of the side: an edge as long as the side adds at most 1/400, and
 * mostly its root mean square, a third of it, per outline. */
static void shares_are_those_of_a_raster(void)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        outline fields[FIELDS];
        for (uint64_t i = 0; i < FIELDS; i++) fields[i] = make_star(seed, i);
        const char *path = write_fields("random.geojson", 32630, fields, FIELDS, NULL);
        TEST_NEAR(judge_file(path, &square).cover, count_share(fields, FIELDS, NULL), 0.002);
    }
}

/* Edges straight in degrees, thousand times as long as a patch: at 36 degrees north the sag of
 * 5 degrees of a parallel in UTM is kilometres. */
static void long_edges_bend(void)
{
    OGRSpatialReferenceH utm = OSRNewSpatialReference(NULL), degrees = OSRNewSpatialReference(NULL);
    OSRSetFromUserInput(utm, "EPSG:32630");
    OSRSetFromUserInput(degrees, "EPSG:4326");
    OSRSetAxisMappingStrategy(degrees, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(utm, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(utm, degrees);
    double x = LEFT + SIDE / 2, y = TOP - SIDE / 2;
    CU_ASSERT_TRUE(OCTTransform(way, 1, &x, &y, NULL));
    const outline half = {
        .x = {x - 6, x + 7, x + 7, x - 6}, .y = {y + 0.0005, y - 0.0003, y + 9, y + 9}, .count = 4};
    const char *path = write_fields("long.geojson", 4326, &half, 1, NULL);
    const double share = count_share(&half, 1, way);
    CU_ASSERT_TRUE(share > 0.2 && share < 0.8);
    TEST_NEAR(judge_file(path, &square).cover, share, 0.002);
    OCTDestroyCoordinateTransformation(way);
    OSRDestroySpatialReference(utm);
    OSRDestroySpatialReference(degrees);
}

static outline rectangle(double west, double south, double east, double north)
{
    return (outline){
        .x = {LEFT + west, LEFT + east, LEFT + east, LEFT + west},
        .y = {TOP - SIDE + south, TOP - SIDE + south, TOP - SIDE + north, TOP - SIDE + north},
        .count = 4};
}

static void thresholds_decide(void)
{
    const outline half = rectangle(0, 0, 320, 640), tenth = rectangle(0, 0, 64, 640);
    const outline sliver = rectangle(0, 0, 16, 640), next = rectangle(-320, 0, 0, 640);
    s2clr_verdict v = judge_file(write_fields("half.geojson", 32630, &half, 1, NULL), &square);
    TEST_NEAR(v.cover, 0.5, 1e-5);
    const s2clr_labels_options options = {.path =
                                              write_fields("half.geojson", 32630, &half, 1, NULL),
                                          .keep = 0.499999,
                                          .drop = 0.05,
                                          .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    CU_ASSERT_EQUAL(label_rig_judge(labels, &square).label, S2CLR_LABEL_POSITIVE);
    s2clr_labels_close(labels);
    v = judge_file(write_fields("tenth.geojson", 32630, &tenth, 1, NULL), &square);
    TEST_NEAR(v.cover, 0.1, 1e-5);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_TRUE(v.ambiguous);
    v = judge_file(write_fields("sliver.geojson", 32630, &sliver, 1, NULL), &square);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_NEGATIVE);
    CU_ASSERT_FALSE(v.ambiguous);
    v = judge_file(write_fields("next.geojson", 32630, &next, 1, NULL), &square);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_NEGATIVE);
    TEST_NEAR(v.cover, 0, 1e-6);
    rig_square far = square;
    far.left += 50000;
    v = judge_file(write_fields("next.geojson", 32630, &next, 1, NULL), &far);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_EQUAL(v.cover, -1);
}

static void invalid_polygons_are_repaired(void)
{
    /* A bow tie of two triangles of a quarter of the square each, and a line that comes back. */
    const outline bow[2] = {{.x = {LEFT, LEFT + SIDE, LEFT, LEFT + SIDE},
                             .y = {TOP, TOP - SIDE, TOP - SIDE, TOP},
                             .count = 4},
                            {.x = {LEFT, LEFT + 10, LEFT}, .y = {TOP, TOP, TOP}, .count = 3}};
    const s2clr_labels_options options = {.path = write_fields("bow.geojson", 32630, bow, 2, NULL),
                                          .keep = 0.5,
                                          .drop = 0.05,
                                          .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    TEST_NEAR(label_rig_judge(labels, &square).cover, 0.5, 1e-5);
    CU_ASSERT_EQUAL(s2clr_labels_count(labels).repaired, 1);
    CU_ASSERT_EQUAL(s2clr_labels_count(labels).placeless, 1);
    CU_ASSERT_EQUAL(s2clr_labels_count(labels).features, 2);
    s2clr_labels_close(labels);
}

/* ---- classes and dates ---- */

static void negatives_that_are_listed_must_cover(void)
{
    const outline fields[3] = {rectangle(0, 0, 320, 640), rectangle(640, 0, 1280, 640),
                               rectangle(1280, 0, 1600, 640)};
    static const char *const properties[3] = {"{\"kind\":\"rice\",\"country\":\"Italy\"}",
                                              "{\"kind\":\"wood\",\"country\":\"France\"}",
                                              "{\"kind\":\"wood\",\"country\":\"France\"}"};
    s2clr_labels_options options = {.path =
                                        write_fields("kinds.geojson", 32630, fields, 3, properties),
                                    .field = "kind",
                                    .positive = "rice",
                                    .negative = "wood",
                                    .keep = 0.4,
                                    .drop = 0.05,
                                    .window_days = -1};
    rig_square at = square;
    s2clr_labels *labels = label_rig_open(&options);
    s2clr_verdict v = label_rig_judge(labels, &at);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_POSITIVE);
    CU_ASSERT_STRING_EQUAL(v.country, "Italy");
    at.left += 640;
    v = label_rig_judge(labels, &at);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_NEGATIVE);
    CU_ASSERT_STRING_EQUAL(v.country, "France");
    at.left += 640 + 200; /* wood covers 120 of 640 m: nobody knows the rest */
    v = label_rig_judge(labels, &at);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_TRUE(v.ambiguous);
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), 0);
    at.left += 640;
    CU_ASSERT_EQUAL(label_rig_judge(labels, &at).cover, -1);
    s2clr_labels_close(labels);
    options.field = NULL;
    label_rig_refused(&options, "no field that holds them");
}

static void fields_of_another_year_are_not_negative(void)
{
    const outline fields[2] = {rectangle(0, 0, 640, 320), rectangle(0, 0, 640, 640)};
    static const char *const properties[2] = {"{\"year\":2019}", "{\"year\":2021}"};
    const s2clr_labels_options options = {
        .path = write_fields("years.geojson", 32630, fields, 2, properties),
        .keep = 0.9,
        .drop = 0.05,
        .window_days = 0};
    s2clr_labels *labels = label_rig_open(&options);
    rig_square at = square;
    at.date = "2021-05-05";
    CU_ASSERT_EQUAL(label_rig_judge(labels, &at).label, S2CLR_LABEL_POSITIVE);
    at.date = "2019-05-05";
    s2clr_verdict v = label_rig_judge(labels, &at);
    TEST_NEAR(v.cover, 0.5, 1e-5);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    at.date = "2020-05-05";
    v = label_rig_judge(labels, &at);
    CU_ASSERT_EQUAL(v.cover, 0);
    CU_ASSERT_EQUAL(v.label, S2CLR_LABEL_UNKNOWN);
    CU_ASSERT_TRUE(v.ambiguous);
    s2clr_labels_close(labels);
}

/* ---- real fields ---- */

enum { ZAMBIAN = 4000 };

typedef struct real_field {
    double x, y, area; /* its first corner, and its area as the file says it */
} real_field;

/* One feature a line. */
static int read_fields(const char *path, real_field fields[ZAMBIAN])
{
    static char line[200000];
    int count = 0;
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fgets(line, sizeof line, file)) {
        const char *shape = strstr(line, "\"coordinates\": [ [ [");
        const char *area = strstr(line, "\"polygon_area_m2\": ");
        if (!strstr(line, "\"type\": \"Feature\",") || count == ZAMBIAN) continue;
        real_field *field = &fields[count++];
        *field = (real_field){NAN, NAN, NAN};
        if (!shape || !area) continue;
        sscanf(shape, "\"coordinates\": [ [ [ %lf, %lf", &field->x, &field->y);
        sscanf(area, "\"polygon_area_m2\": %lf", &field->area);
    }
    fclose(file);
    return count;
}

static bool stands_alone(const real_field *fields, int count, int which)
{
    for (int i = 0; i < count; i++)
        if (i != which && fabs(fields[i].x - fields[which].x) < 0.03 &&
            fabs(fields[i].y - fields[which].y) < 0.03)
            return false;
    return isfinite(fields[which].area) && fields[which].area < 1e5;
}

/* The file says each polygon's area itself, in UTM zone 35; a patch there that holds one polygon
 * alone must have it. */
static void zambian_fields_have_their_areas(void)
{
    static real_field fields[ZAMBIAN];
    const char *path = test_data("labels/zambia_latest_polygons.geojson");
    size_t compared = 0;
    if (!path) {
        test_skip("shared/data/labels/zambia_latest_polygons.geojson is not here");
        return;
    }
    const int count = read_fields(path, fields);
    const s2clr_labels_options options = {.path = path, .keep = 0.5, .drop = 0, .window_days = -1};
    s2clr_labels *labels = label_rig_open(&options);
    OGRSpatialReferenceH utm = OSRNewSpatialReference(NULL), degrees = OSRNewSpatialReference(NULL);
    OSRSetFromUserInput(utm, "EPSG:32735");
    OSRSetFromUserInput(degrees, "EPSG:4326");
    OSRSetAxisMappingStrategy(degrees, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(degrees, utm);
    for (int i = 0; i < count; i++) {
        double x = fields[i].x, y = fields[i].y;
        if (!stands_alone(fields, count, i)) continue;
        CU_ASSERT_TRUE(OCTTransform(way, 1, &x, &y, NULL));
        const rig_square at = {"EPSG:32735", x - 1280, y + 1280, 10, 256, ""};
        const double found = label_rig_judge(labels, &at).cover * 2560 * 2560;
        TEST_NEAR(found / fields[i].area, 1, 1e-5);
        compared++;
    }
    OCTDestroyCoordinateTransformation(way);
    OSRDestroySpatialReference(utm);
    OSRDestroySpatialReference(degrees);
    const s2clr_labels_counts counts = s2clr_labels_count(labels);
    CU_ASSERT_EQUAL(count, 3538);
    CU_ASSERT_EQUAL(counts.features, 3538);
    CU_ASSERT_EQUAL(counts.positive + counts.placeless, 3538);
    CU_ASSERT_TRUE(compared >= 10);
    CU_ASSERT_EQUAL(s2clr_labels_unused(labels), counts.positive - compared);
    s2clr_labels_close(labels);
}

static const test_case cases[] = {
    {"shares_are_those_of_a_raster", shares_are_those_of_a_raster},
    {"long_edges_bend", long_edges_bend},
    {"thresholds_decide", thresholds_decide},
    {"invalid_polygons_are_repaired", invalid_polygons_are_repaired},
    {"negatives_that_are_listed_must_cover", negatives_that_are_listed_must_cover},
    {"fields_of_another_year_are_not_negative", fields_of_another_year_are_not_negative},
    {"zambian_fields_have_their_areas", zambian_fields_have_their_areas},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("labels_polygons", cases, argc, argv);
}
