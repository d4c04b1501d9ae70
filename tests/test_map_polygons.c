/*
 * Areas of a map as polygons, against a flood fill, areas of outlines, PROJ's geodesics and scenes
 * whose answer is known; the file as GDAL reads it; the same bytes again.
 */
#include "harness.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <geodesic.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "predict/map_polygons.h"
#include "stack_rig.h"

enum { SIDE = 70, PIXELS = SIDE * SIDE };

static const double hole = -1;
static double density; /* of the noise below; each case sets it */

/* Noise around the threshold: many areas of every shape. */
static double noise(int band, int x, int y)
{
    (void)band;
    const double p = (double)s2clr_random_below(7, 1, (uint64_t)(y * SIDE + x), 1000) / 1000;
    return p < 0.02 ? hole : p < density ? 0.5 + p / 2 : p / 2.5;
}

/* A ring of 3 x 3 with a hole, a square that touches it at a corner only, and one pixel in the last
 * column; the rest is low. */
static double shapes(int band, int x, int y)
{
    (void)band;
    if (x >= 1 && x <= 3 && y >= 1 && y <= 3) return x == 2 && y == 2 ? 0.1 : 0.6 + x / 100.0;
    if (x >= 4 && x <= 5 && y >= 4 && y <= 5) return 0.9;
    if (x == SIDE - 1 && y == 10) return 1;
    return 0.25;
}

static const rig_raster plain = {.width = SIDE,
                                 .height = SIDE,
                                 .bands = 1,
                                 .type = GDT_Float32,
                                 .metres = 10,
                                 .names = "crop",
                                 .nodata = &hole};

static const char *make_map(const char *name, double (*fill)(int, int, int),
                            const double *transform, int epsg)
{
    rig_raster spec = plain;
    spec.name = name;
    spec.fill = fill;
    spec.transform = transform;
    spec.epsg = epsg;
    return rig_write(&spec);
}

/* ---- what is in the file ---- */

typedef struct area {
    long long pixels;
    double area, mean, maximum;
    double outline; /* area of the polygon, CRS units */
    int rings;
} area;

static int by_all(const void *a, const void *b)
{
    const area *p = a, *q = b;
    if (p->pixels != q->pixels) return p->pixels < q->pixels ? -1 : 1;
    if (fabs(p->mean - q->mean) > 1e-9) return p->mean < q->mean ? -1 : 1;
    return p->maximum < q->maximum ? -1 : p->maximum > q->maximum;
}

static int read_areas(const char *path, area *out, int room)
{
    GDALDatasetH dataset = GDALOpenEx(path, GDAL_OF_VECTOR, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    OGRLayerH layer = GDALDatasetGetLayerByName(dataset, S2CLR_POLYGONS_LAYER);
    CU_ASSERT_PTR_NOT_NULL_FATAL(layer);
    OGRFeatureH f;
    int count = 0;
    while ((f = OGR_L_GetNextFeature(layer))) {
        OGRGeometryH shape = OGR_F_GetGeometryRef(f);
        CU_ASSERT_TRUE_FATAL(count < room);
        CU_ASSERT_EQUAL(wkbFlatten(OGR_G_GetGeometryType(shape)), wkbPolygon);
        CU_ASSERT_TRUE(OGR_G_IsValid(shape));
        out[count++] =
            (area){.pixels = OGR_F_GetFieldAsInteger64(f, OGR_F_GetFieldIndex(f, "pixels")),
                   .area = OGR_F_GetFieldAsDouble(f, OGR_F_GetFieldIndex(f, "area_m2")),
                   .mean = OGR_F_GetFieldAsDouble(f, OGR_F_GetFieldIndex(f, "probability_mean")),
                   .maximum = OGR_F_GetFieldAsDouble(f, OGR_F_GetFieldIndex(f, "probability_max")),
                   .outline = OGR_G_Area(shape),
                   .rings = OGR_G_GetGeometryCount(shape)};
        OGR_F_Destroy(f);
    }
    GDALClose(dataset);
    qsort(out, (size_t)count, sizeof *out, by_all);
    return count;
}

static s2clr_polygons_told make(const char *map, const char *path)
{
    s2clr_polygons_told told = {0};
    TEST_OK(s2clr_polygons_check(path, true));
    TEST_OK(s2clr_polygons_make(map, 1, path, NULL, 0, 1, &told));
    TEST_OK(s2clr_polygons_publish(path));
    return told;
}

/* ---- a flood fill ---- */

static void flood(const double *value, bool *seen, int x, int y, area *out)
{
    static int stack[PIXELS][2];
    int depth = 0;
    stack[depth][0] = x;
    stack[depth++][1] = y;
    seen[y * SIDE + x] = true;
    while (depth > 0) {
        static const int step[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
        const int cx = stack[--depth][0], cy = stack[depth][1];
        const double p = value[cy * SIDE + cx];
        out->pixels++;
        out->mean += p;
        out->maximum = fmax(out->maximum, p);
        for (int i = 0; i < 4; i++) {
            const int nx = cx + step[i][0], ny = cy + step[i][1];
            if (nx < 0 || ny < 0 || nx >= SIDE || ny >= SIDE || seen[ny * SIDE + nx] ||
                value[ny * SIDE + nx] < 0.5)
                continue;
            seen[ny * SIDE + nx] = true;
            stack[depth][0] = nx;
            stack[depth++][1] = ny;
        }
    }
    out->mean /= (double)out->pixels;
}

static int fill_all(double (*fill)(int, int, int), area *out)
{
    static double value[PIXELS];
    static bool seen[PIXELS];
    int count = 0;
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < PIXELS; i++) value[i] = (double)(float)fill(0, i % SIDE, i / SIDE);
    for (int i = 0; i < PIXELS; i++) {
        if (seen[i] || value[i] < 0.5) continue;
        out[count] = (area){0};
        flood(value, seen, i % SIDE, i / SIDE, &out[count++]);
    }
    qsort(out, (size_t)count, sizeof *out, by_all);
    return count;
}

/* ---- cases ---- */

static void known_shapes(void)
{
    static area got[PIXELS];
    const s2clr_polygons_told told =
        make(make_map("shapes.tif", shapes, NULL, 0), rig_path("shapes.gpkg"));
    CU_ASSERT_EQUAL_FATAL(read_areas(rig_path("shapes.gpkg"), got, PIXELS), 3);
    CU_ASSERT_TRUE(told.areas == 3 && told.pixels == 13);
    TEST_NEAR(told.area, 1300, 1e-9);
    TEST_NEAR(told.threshold, 0.5, 0);
    CU_ASSERT_TRUE(got[0].pixels == 1 && got[1].pixels == 4 && got[2].pixels == 8);
    TEST_NEAR(got[0].maximum, 1, 0);
    TEST_NEAR(got[1].mean, 0.9, 1e-7);
    TEST_NEAR(got[2].mean, 0.62, 1e-7);
    TEST_NEAR(got[2].maximum, 0.63, 1e-7);
    TEST_NEAR(got[2].area, 800, 1e-9);
    CU_ASSERT_TRUE(got[2].rings == 2 && got[1].rings == 1);
}

static void a_flood_fill_agrees(void)
{
    static const double densities[] = {0.15, 0.5, 0.62, 0.8, 0.97};
    static area got[PIXELS], want[PIXELS];
    for (size_t d = 0; d < sizeof densities / sizeof densities[0]; d++) {
        density = densities[d];
        const s2clr_polygons_told told =
            make(make_map("noise.tif", noise, NULL, 0), rig_path("noise.gpkg"));
        const int count = read_areas(rig_path("noise.gpkg"), got, PIXELS);
        CU_ASSERT_EQUAL_FATAL(count, fill_all(noise, want));
        CU_ASSERT_EQUAL((int)told.areas, count);
        CU_ASSERT_TRUE(count > 0);
        for (int i = 0; i < count; i++) {
            CU_ASSERT_EQUAL(got[i].pixels, want[i].pixels);
            TEST_NEAR(got[i].mean, want[i].mean, 1e-9);
            TEST_NEAR(got[i].maximum, want[i].maximum, 0);
            TEST_NEAR(got[i].area, 100.0 * (double)want[i].pixels, 1e-6);
            TEST_NEAR(got[i].outline, got[i].area, 1e-6);
        }
    }
}

/* Pixels of a hundredth of a degree, so small that their edges are as good as geodesics. */
static void geographic_areas(void)
{
    static const double transform[6] = {12, 0.01, 0, 48, 0, -0.01};
    static area got[PIXELS];
    struct geod_geodesic wgs84;
    struct geod_polygon pixel;
    double unused, want;
    geod_init(&wgs84, 6378137, 1 / 298.257223563);
    make(make_map("degrees.tif", shapes, transform, 4326), rig_path("degrees.gpkg"));
    CU_ASSERT_EQUAL_FATAL(read_areas(rig_path("degrees.gpkg"), got, PIXELS), 3);
    geod_polygon_init(&pixel, 0);
    for (int i = 0; i < 4; i++)
        geod_polygon_addpoint(&wgs84, &pixel, 48 - 0.01 * (10 + (i == 1 || i == 2)),
                              12 + 0.01 * (SIDE - (i < 2)));
    geod_polygon_compute(&wgs84, &pixel, 0, 1, &want, &unused);
    TEST_NEAR(got[0].area / fabs(want), 1, 1e-6);
    TEST_NEAR(got[2].outline, 8 * 1e-4, 1e-12);
}

/* A CRS in feet: areas are in m2 all the same. */
static void feet(void)
{
    static const double transform[6] = {2000000, 10, 0, 600000, 0, -10};
    static area got[PIXELS];
    make(make_map("feet.tif", shapes, transform, 2225), rig_path("feet.gpkg"));
    CU_ASSERT_EQUAL_FATAL(read_areas(rig_path("feet.gpkg"), got, PIXELS), 3);
    TEST_NEAR(got[2].area, 800 * (1200.0 / 3937) * (1200.0 / 3937), 1e-6);
}

static void rotated(void)
{
    static const double transform[6] = {600000, 8, 6, 4400000, 6, -8};
    static area got[PIXELS];
    make(make_map("turned.tif", shapes, transform, 32633), rig_path("turned.gpkg"));
    CU_ASSERT_EQUAL_FATAL(read_areas(rig_path("turned.gpkg"), got, PIXELS), 3);
    TEST_NEAR(got[2].area, 800, 1e-6);
    TEST_NEAR(got[2].outline, 800, 1e-5);
}

/* The map's own threshold, and pixels of a byte. */
static void threshold_of_the_map(void)
{
    static area got[PIXELS];
    const char *map = make_map("own.tif", shapes, NULL, 0), *path = rig_path("own.gpkg");
    GDALDatasetH dataset = GDALOpen(map, GA_Update);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    GDALSetMetadataItem(dataset, "THRESHOLD", "0.75", "S2CLR");
    GDALClose(dataset);
    const s2clr_polygons_told told = make(map, path);
    TEST_NEAR(told.threshold, 0.75, 0);
    CU_ASSERT_EQUAL_FATAL(read_areas(path, got, PIXELS), 2);
    CU_ASSERT_TRUE(got[0].pixels == 1 && got[1].pixels == 4);
}

static double nothing(int band, int x, int y)
{
    (void)band;
    return (x + y) % 3 ? 0.1 : hole;
}

static void no_area(void)
{
    static area got[4];
    const s2clr_polygons_told told =
        make(make_map("low.tif", nothing, NULL, 0), rig_path("low.gpkg"));
    CU_ASSERT_EQUAL(told.areas, 0);
    CU_ASSERT_EQUAL(read_areas(rig_path("low.gpkg"), got, 4), 0);
}

/* CRS, description, style, tags. */
static void says_what_it_is(void)
{
    const char *map = make_map("say.tif", shapes, NULL, 0), *path = rig_path("say.gpkg");
    GDALDatasetH dataset = GDALOpen(map, GA_Update);
    GDALSetMetadataItem(dataset, "MODEL_WARNING", "not for \"policy\"", "S2CLR");
    GDALSetMetadataItem(dataset, "POSITIVE", "crop", "S2CLR");
    GDALSetDescription(GDALGetRasterBand(dataset, 1), "forest"); /* one class of several */
    GDALClose(dataset);
    make(map, path);
    dataset = GDALOpenEx(path, GDAL_OF_VECTOR, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    OGRLayerH layer = GDALDatasetGetLayerByName(dataset, S2CLR_POLYGONS_LAYER);
    CU_ASSERT_STRING_EQUAL(OSRGetAuthorityCode(OGR_L_GetSpatialRef(layer), NULL), "32630");
    const char *text = GDALGetMetadataItem((GDALMajorObjectH)layer, "DESCRIPTION", "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "probability of forest is 0.5 (one half) or more"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "in the plane of the map's projection"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "not for \"policy\""));
    CU_ASSERT_STRING_EQUAL(GDALGetMetadataItem(dataset, "S2CLR_POSITIVE", NULL), "crop");
    OGRLayerH styles = GDALDatasetGetLayerByName(dataset, "layer_styles");
    CU_ASSERT_PTR_NOT_NULL_FATAL(styles);
    OGRFeatureH style = OGR_L_GetNextFeature(styles);
    CU_ASSERT_PTR_NOT_NULL_FATAL(style);
    CU_ASSERT_STRING_EQUAL(
        OGR_F_GetFieldAsString(style, OGR_F_GetFieldIndex(style, "f_table_name")),
        S2CLR_POLYGONS_LAYER);
    text = OGR_F_GetFieldAsString(style, OGR_F_GetFieldIndex(style, "styleQML"));
    CU_ASSERT_EQUAL(test_occurrences(text, "<range "), 4);
    CU_ASSERT_EQUAL(test_occurrences(text, "attr=\"probability_mean\""), 1);
    OGR_F_Destroy(style);
    GDALClose(dataset);
}

static bool same_bytes(const char *a, const char *b)
{
    FILE *left = fopen(a, "rb"), *right = fopen(b, "rb");
    int c = left && right ? 0 : -1, d = 0;
    while (left && right && c == d && c != EOF) {
        c = getc(left);
        d = getc(right);
    }
    if (left) fclose(left);
    if (right) fclose(right);
    return left && right && c == d;
}

static void the_same_again(void)
{
    density = 0.6;
    const char *map = make_map("again.tif", noise, NULL, 0);
    make(map, rig_path("first.gpkg"));
    make(map, rig_path("second.gpkg"));
    CU_ASSERT_TRUE(same_bytes(rig_path("first.gpkg"), rig_path("second.gpkg")));
}

static bool stop(void *context, double fraction, const char *message)
{
    (void)message;
    return fraction < *(const double *)context;
}

static bool is_there(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

/* Stopped in each of its steps, it leaves what was there before and nothing else. */
static void cancelled(void)
{
    static const char *const ends[] = {".part.gpkg", ".part.labels.tif", ".part.outlines.gpkg"};
#ifdef __SANITIZE_ADDRESS__ /* GDALPolygonize of GDAL 3.6 frees nothing when it is stopped */
    static const double moments[] = {0.1, 0.4};
#else
    static const double moments[] = {0.1, 0.4, 0.6};
#endif
    char path[300], part[400];
    density = 0.6;
    snprintf(path, sizeof path, "%s", rig_path("stopped.gpkg"));
    const char *map = make_map("stopped.tif", noise, NULL, 0);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        double at = moments[i];
        const s2clr_progress progress = {.call = stop, .context = &at};
        s2clr_polygons_told told;
        CU_ASSERT_EQUAL(s2clr_polygons_make(map, 1, path, &progress, 0, 1, &told),
                        S2CLR_ERR_CANCELLED);
        CU_ASSERT_FALSE(is_there(path));
        for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
            snprintf(part, sizeof part, "%s%s", path, ends[k]);
            CU_ASSERT_FALSE(is_there(part));
        }
    }
}

static void refused(void)
{
    s2clr_polygons_told told;
    CU_ASSERT_EQUAL(s2clr_polygons_check("fields.shp", true), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("ends with .gpkg");
    CU_ASSERT_EQUAL(s2clr_polygons_check("no/such/fields.gpkg", true), S2CLR_ERR_IO);
    const char *there = rig_path("there.gpkg");
    make(make_map("there.tif", shapes, NULL, 0), there);
    CU_ASSERT_EQUAL(s2clr_polygons_check(there, false), S2CLR_ERR_EXISTS);
    CU_ASSERT_EQUAL(s2clr_polygons_make(make_map("nowhere.tif", shapes, NULL, -1), 1,
                                        rig_path("nowhere.gpkg"), NULL, 0, 1, &told),
                    S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("CRS");
}

static const test_case cases[] = {
    {"shapes that are known", known_shapes},
    {"a flood fill agrees", a_flood_fill_agrees},
    {"areas of a geographic map", geographic_areas},
    {"areas of a map in feet", feet},
    {"areas of a rotated map", rotated},
    {"the map's own threshold", threshold_of_the_map},
    {"no area at all", no_area},
    {"says what it is", says_what_it_is},
    {"the same bytes again", the_same_again},
    {"cancelled", cancelled},
    {"refused", refused},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("polygons", cases, argc, argv);
}
