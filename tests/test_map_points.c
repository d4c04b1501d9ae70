/* Values of maps beneath points, against GDAL's own tools and by hand. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "label_rig.h"
#include "report/map_points.h"
#include "stack_rig.h"

static const double nowhere = -9999;

/* Every pixel another value; a hole of 3 x 3. */
static double numbered(int band, int x, int y)
{
    if (x >= 10 && x < 13 && y >= 5 && y < 8) return nowhere;
    return band * 10000 + y * 100 + x;
}

static const char *utm_map(void)
{
    const rig_raster spec = {.name = "utm.tif",
                             .width = 40,
                             .height = 30,
                             .bands = 2,
                             .type = GDT_Float32,
                             .metres = 20,
                             .nodata = &nowhere,
                             .fill = numbered};
    return rig_write(&spec);
}

static s2clr_points *open_points(const char *path)
{
    s2clr_points *points = NULL;
    TEST_OK(s2clr_points_open(path, NULL, &points));
    CU_ASSERT_PTR_NOT_NULL_FATAL(points);
    return points;
}

static bool ask_gdal(const char *map, double lon, double lat, double *out)
{
    char command[600], answer[64] = "";
    if (system("gdallocationinfo --version >/dev/null 2>&1") != 0) return false;
    snprintf(command, sizeof command, "gdallocationinfo -valonly -wgs84 -b 1 '%s' %.12f %.12f", map,
             lon, lat);
    FILE *pipe = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(pipe);
    const bool got = fgets(answer, sizeof answer, pipe) != NULL;
    pclose(pipe);
    *out = got ? atof(answer) : NAN;
    return true;
}

/* ---- sampling ---- */

static void finds_the_pixel_under_a_point(void)
{
    const char *map = utm_map();
    double transform[6], at[3][2];
    s2clr_map_value value[3];
    GDALDatasetH dataset = GDALOpen(map, GA_ReadOnly);
    GDALGetGeoTransform(dataset, transform);
    GDALClose(dataset);
    /* the middle of (7, 3), its upper left corner, and a hair before it */
    at[0][0] = transform[0] + 7.5 * 20, at[0][1] = transform[3] - 3.5 * 20;
    at[1][0] = transform[0] + 7 * 20, at[1][1] = transform[3] - 3 * 20;
    at[2][0] = at[1][0] - 1e-6, at[2][1] = at[1][1] + 1e-6;
    TEST_OK(s2clr_map_points(map, 1, "EPSG:32630", (const double(*)[2])at, 3, value));
    CU_ASSERT_EQUAL(value[0].value, 10307);
    CU_ASSERT_TRUE(value[0].column == 7 && value[0].row == 3);
    CU_ASSERT_EQUAL(value[1].value, 10307);
    CU_ASSERT_EQUAL(value[2].value, 10206);
    TEST_OK(s2clr_map_points(map, 2, "EPSG:32630", (const double(*)[2])at, 1, value));
    CU_ASSERT_EQUAL(value[0].value, 20307);
}

/* A table of degrees over a UTM map, as gdallocationinfo -wgs84 has it. */
static void agrees_with_gdallocationinfo(void)
{
    const char *map = utm_map();
    double corner[2][2] = {{0}}, gdal;
    GDALDatasetH dataset = GDALOpen(map, GA_ReadOnly);
    double t[6];
    GDALGetGeoTransform(dataset, t);
    GDALClose(dataset);
    for (int i = 0; i < 2; i++) {
        corner[i][0] = t[0] + i * 800, corner[i][1] = t[3] - i * 600;
        if (!label_rig_gdaltransform("EPSG:32630", "EPSG:4326", &corner[i][0], &corner[i][1])) {
            test_skip("gdaltransform is not installed");
            return;
        }
    }
    char rows[2000] = "lon,lat\n";
    for (int i = 0; i < 12; i++) {
        const double u = (i + 0.31) / 12, v = fmod(i * 0.618 + 0.1, 1);
        const size_t used = strlen(rows);
        snprintf(rows + used, sizeof rows - used, "%.9f,%.9f\n",
                 corner[0][0] + u * (corner[1][0] - corner[0][0]),
                 corner[0][1] + v * (corner[1][1] - corner[0][1]));
    }
    s2clr_points *points = open_points(label_rig_file("degrees.csv", "%s", rows));
    s2clr_map_value value[12];
    CU_ASSERT_EQUAL_FATAL(points->count, 12);
    TEST_OK(s2clr_map_points(map, 1, points->crs, (const double(*)[2])points->at, 12, value));
    int here = 0;
    for (int i = 0; i < 12; i++) {
        if (value[i].state != S2CLR_POINT_HERE) continue;
        here++;
        if (!ask_gdal(map, points->at[i][0], points->at[i][1], &gdal)) {
            test_skip("gdallocationinfo is not installed");
            break;
        }
        CU_ASSERT_EQUAL(value[i].value, gdal);
    }
    CU_ASSERT_TRUE(here >= 8);
    s2clr_points_close(points);
}

static void says_where_there_is_no_value(void)
{
    const char *map = utm_map();
    double t[6];
    GDALDatasetH dataset = GDALOpen(map, GA_ReadOnly);
    GDALGetGeoTransform(dataset, t);
    GDALClose(dataset);
    const double at[5][2] = {{t[0] + 11.5 * 20, t[3] - 6.5 * 20},
                             {t[0] - 1, t[3] - 5},
                             {t[0] + 800, t[3] - 5}, /* right of the last column */
                             {t[0] + 5, t[3] - 600 + 0.001},
                             {NAN, 0}};
    s2clr_map_value value[5];
    TEST_OK(s2clr_map_points(map, 1, "EPSG:32630", at, 5, value));
    CU_ASSERT_EQUAL(value[0].state, S2CLR_POINT_NODATA);
    CU_ASSERT_TRUE(isnan(value[0].value) && value[0].column == 11 && value[0].row == 6);
    CU_ASSERT_EQUAL(value[1].state, S2CLR_POINT_OFF_MAP);
    CU_ASSERT_TRUE(isnan(value[1].value) && value[1].column == -1);
    CU_ASSERT_EQUAL(value[2].state, S2CLR_POINT_OFF_MAP);
    CU_ASSERT_EQUAL(value[3].state, S2CLR_POINT_HERE);
    CU_ASSERT_EQUAL(value[4].state, S2CLR_POINT_PLACELESS);
    /* the pole in degrees is nowhere near, whatever the projection makes of it */
    const double pole[1][2] = {{120, 90}};
    TEST_OK(s2clr_map_points(map, 1, "EPSG:4326", pole, 1, value));
    CU_ASSERT_NOT_EQUAL(value[0].state, S2CLR_POINT_HERE);
}

static double column_of(int band, int x, int y)
{
    (void)band;
    (void)y;
    return x;
}

/* A map from 170 to 190 degrees east, and points that call the same place -175 and 185. */
static void longitudes_go_around(void)
{
    static const double transform[6] = {170, 1, 0, 5, 0, -1};
    const rig_raster spec = {.name = "pacific.tif",
                             .width = 20,
                             .height = 10,
                             .bands = 1,
                             .transform = transform,
                             .epsg = 4326,
                             .fill = column_of};
    const char *map = rig_write(&spec);
    const double at[4][2] = {{-174.5, 0.5}, {185.5, 0.5}, {170.5, 0.5}, {169.5, 0.5}};
    s2clr_map_value value[4];
    TEST_OK(s2clr_map_points(map, 1, "EPSG:4326", at, 4, value));
    CU_ASSERT_EQUAL(value[0].value, 15);
    CU_ASSERT_EQUAL(value[1].value, 15);
    CU_ASSERT_EQUAL(value[2].value, 0);
    CU_ASSERT_EQUAL(value[3].state, S2CLR_POINT_OFF_MAP);
}

/* SCALE and OFFSET of a Byte map, as predict writes it, and 255 as nodata. */
static void applies_scale_and_offset(void)
{
    static const double nodata = 255, transform[6] = {0, 1, 0, 10, 0, -1};
    const rig_raster spec = {.name = "byte.tif",
                             .width = 10,
                             .height = 10,
                             .bands = 1,
                             .type = GDT_Byte,
                             .transform = transform,
                             .nodata = &nodata,
                             .fill = column_of};
    const char *map = rig_write(&spec);
    const double at[1][2] = {{3.5, 3.5}};
    s2clr_map_value value[1];
    GDALDatasetH dataset = GDALOpen(map, GA_Update);
    GDALSetRasterScale(GDALGetRasterBand(dataset, 1), 1.0 / 254);
    GDALSetRasterOffset(GDALGetRasterBand(dataset, 1), 0.5);
    GDALClose(dataset);
    TEST_OK(s2clr_map_points(map, 1, "EPSG:32630", at, 1, value));
    TEST_NEAR(value[0].value, 3.0 / 254 + 0.5, 1e-15);
}

static void refused(const char *map, int band, const char *crs, const char *says)
{
    const double at[1][2] = {{0, 0}};
    s2clr_map_value value[1] = {{.column = 77}};
    CU_ASSERT_NOT_EQUAL(s2clr_map_points(map, band, crs, at, 1, value), S2CLR_OK);
    TEST_ERROR_SAYS(says);
    CU_ASSERT_EQUAL(value[0].column, 77);
}

static void refuses_maps_without_a_place(void)
{
    const rig_raster bare = {.name = "bare.tif", .width = 4, .height = 4, .bands = 1};
    const rig_raster lost = {
        .name = "lost.tif", .width = 4, .height = 4, .bands = 1, .metres = 10, .epsg = -1};
    refused("/no/such/map.tif", 1, "EPSG:4326", "cannot be opened as a raster");
    refused(rig_write(&bare), 1, "EPSG:4326", "no geotransform");
    refused(rig_write(&lost), 1, "EPSG:4326", "does not say its CRS");
    refused(utm_map(), 3, "EPSG:4326", "has no band 3; wanted: a number from 1 to 2");
    refused(utm_map(), 1, "EPSG:999999", "does not lead to that of the map");
}

/* ---- tables ---- */

static void keeps_columns_as_text(void)
{
    s2clr_points *points =
        open_points(label_rig_file("table.csv", "longitude,latitude,country,n\n"
                                                "-3.5,40.25,\"Spain, mainland\",7\n"
                                                "x,40,nowhere,8\n"
                                                "2,48.5,,9\n"));
    size_t country, n;
    CU_ASSERT_EQUAL_FATAL(points->count, 2);
    CU_ASSERT_EQUAL(points->placeless, 1);
    CU_ASSERT_TRUE(points->at[0][0] == -3.5 && points->at[0][1] == 40.25);
    CU_ASSERT_EQUAL(points->row[1], 3);
    TEST_OK(s2clr_points_column(points, "Country", &country));
    TEST_OK(s2clr_points_column(points, "n", &n));
    CU_ASSERT_STRING_EQUAL(s2clr_points_text(points, 0, country), "Spain, mainland");
    CU_ASSERT_STRING_EQUAL(s2clr_points_text(points, 1, country), "");
    CU_ASSERT_STRING_EQUAL(s2clr_points_text(points, 1, n), "9");
    CU_ASSERT_FALSE(s2clr_points_has_column(points, "date", &n));
    CU_ASSERT_NOT_EQUAL(s2clr_points_column(points, "contry", &n), S2CLR_OK);
    TEST_ERROR_SAYS("did you mean 'country'?");
    s2clr_points_close(points);
}

/* A layer in UTM: its own coordinates, multipoints taken apart. */
static void reads_layers(void)
{
    const char *path = label_rig_file(
        "layer.geojson",
        "{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":"
        "\"EPSG:32630\"}},\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"a\":1},\"geometry\":{\"type\":\"Point\","
        "\"coordinates\":[500000,4000000]}},"
        "{\"type\":\"Feature\",\"properties\":{\"a\":2},\"geometry\":{\"type\":\"MultiPoint\","
        "\"coordinates\":[[500010,4000000],[500020,4000000]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"a\":3},\"geometry\":null}]}");
    s2clr_points *points = open_points(path);
    size_t a;
    CU_ASSERT_EQUAL_FATAL(points->count, 3);
    CU_ASSERT_EQUAL(points->placeless, 1);
    CU_ASSERT_EQUAL(points->at[2][0], 500020);
    TEST_OK(s2clr_points_column(points, "a", &a));
    CU_ASSERT_STRING_EQUAL(s2clr_points_text(points, 2, a), "2");
    CU_ASSERT_PTR_NOT_NULL(strstr(points->crs, "UTM zone 30N"));
    s2clr_points_close(points);
}

static void not_points(const char *path, const char *says)
{
    s2clr_points *points = NULL;
    CU_ASSERT_NOT_EQUAL(s2clr_points_open(path, NULL, &points), S2CLR_OK);
    CU_ASSERT_PTR_NULL(points);
    TEST_ERROR_SAYS(says);
}

static void refuses_what_has_no_points(void)
{
    not_points("/no/such/file.csv", "cannot be opened");
    not_points(label_rig_file("bare.csv", "a,b\n1,2\n"), "neither geometries nor coordinates");
    not_points(label_rig_file("unknown.csv", "x,y\n1,2\n"), "unknown CRS");
    not_points(label_rig_file("empty.csv", "lon,lat\nn,a\n"), "no point with a place (1 rows");
    not_points(label_rig_file("area.geojson",
                              "{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,0],[1,1],[0,0]]]}"),
               "holds polygons");
}

static const test_case cases[] = {
    {"finds_the_pixel_under_a_point", finds_the_pixel_under_a_point},
    {"agrees_with_gdallocationinfo", agrees_with_gdallocationinfo},
    {"says_where_there_is_no_value", says_where_there_is_no_value},
    {"longitudes_go_around", longitudes_go_around},
    {"applies_scale_and_offset", applies_scale_and_offset},
    {"refuses_maps_without_a_place", refuses_maps_without_a_place},
    {"keeps_columns_as_text", keeps_columns_as_text},
    {"reads_layers", reads_layers},
    {"refuses_what_has_no_points", refuses_what_has_no_points},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("map_points", cases, argc, argv);
}
