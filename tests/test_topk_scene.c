/* Patches of scenes and under maps: probabilities are those of a map, places and pixels those that
 * GDAL reads there. */
#include "harness.h"

#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "predict/model_share.h"
#include "predict_rig.h"
#include "report/topk_map.h"
#include "report/topk_place.h"
#include "report/topk_windows.h"

enum { PATCH = 28, COLUMNS = 22, ROWS = 13 }; /* of rig_dense on rig_scene_small, side by side */

typedef struct found {
    const s2clr_model *model;
    const char *input;
    s2clr_stack_options stack;
    s2clr_topk_list list;
    s2clr_topk_raster raster;
} found;

static void find(double above, int stride, found *f)
{
    static char scene[600];
    snprintf(scene, sizeof scene, "%s", rig_scene_make("scene.tif", &rig_scene_small));
    memset(f, 0, sizeof *f);
    f->input = scene;
    f->stack.level = "L2A";
    TEST_OK(s2clr_model_acquire(rig_model_make("scene.safetensors", &rig_dense), &f->model));
    const s2clr_topk_scene_options options = {.model = f->model,
                                              .inputs = &f->input,
                                              .count = 1,
                                              .stack = f->stack,
                                              .device = "auto",
                                              .threads = 2,
                                              .stride = stride,
                                              .min_valid = 0.5};
    s2clr_topk_list_start(&f->list, above);
    TEST_OK(s2clr_topk_scene_find(&options, NULL, &f->list, &f->raster));
}

static void lose(found *f)
{
    s2clr_topk_list_clear(&f->list);
    s2clr_topk_raster_clear(&f->raster);
    s2clr_model_release(f->model);
}

/* Like the map of predict with a stride of one patch. */
static const char *make_map(const char *name, const char *input, bool bytes, int stride)
{
    rig_job job;
    const char *path = predict_rig_path(name);
    rig_job_make(predict_rig_path("scene.safetensors"), input, path, &job);
    job.settings.stride = stride;
    job.settings.byte_output = bytes;
    TEST_OK(rig_job_run(&job));
    return path;
}

static void a_scene_is_a_map(void)
{
    found f;
    int columns = 0, rows = 0;
    size_t undefined = 0, at = 0;
    find(0, 0, &f);
    float *p = rig_raster_read(make_map("whole.tif", f.input, false, PATCH), &columns, &rows);
    CU_ASSERT_EQUAL_FATAL(columns * rows, COLUMNS * ROWS);
    CU_ASSERT_EQUAL(f.list.seen, COLUMNS * ROWS);
    for (int i = 0; i < columns * rows; i++) {
        undefined += isnan(p[i]) ? 1 : 0;
        if (isnan(p[i])) continue;
        CU_ASSERT_FATAL(at < f.list.count);
        const s2clr_topk_item *item = &f.list.item[at++];
        CU_ASSERT_EQUAL(item->order, (uint64_t)i);
        CU_ASSERT_EQUAL((float)item->p, p[i]);
        CU_ASSERT_EQUAL(item->x, PATCH * (i % columns) + PATCH / 2);
        CU_ASSERT_EQUAL(item->y, PATCH * (i / columns) + PATCH / 2);
    }
    CU_ASSERT_EQUAL(at, f.list.count);
    CU_ASSERT(undefined > 0);
    CU_ASSERT_EQUAL(undefined, f.list.undefined);
    free(p);
    lose(&f);
}

/* The same items, whether the model runs or its map is read: Float32, and Byte to a step of 1/254.
 */
static void a_map_is_a_scene(void)
{
    for (int bytes = 0; bytes < 2; bytes++) {
        found f;
        s2clr_topk_list list;
        s2clr_topk_map about;
        size_t outside = 9;
        find(0, 0, &f);
        const char *path = make_map("under.tif", f.input, bytes == 1, PATCH);
        TEST_OK(s2clr_topk_map_describe(path, &about));
        CU_ASSERT_EQUAL(about.patch, PATCH);
        CU_ASSERT_STRING_EQUAL(about.model, "rig-dense");
        CU_ASSERT_STRING_EQUAL(about.positive, "made_up_class");
        CU_ASSERT_STRING_EQUAL(about.warning, "For tests only");
        s2clr_topk_list_start(&list, 0);
        TEST_OK(s2clr_topk_map_find(path, &f.raster, NULL, &list, &outside));
        CU_ASSERT_EQUAL(outside, 0);
        CU_ASSERT_EQUAL(list.seen, f.list.seen);
        CU_ASSERT_EQUAL(list.undefined, f.list.undefined);
        CU_ASSERT_EQUAL_FATAL(list.count, f.list.count);
        for (size_t i = 0; i < list.count; i++) {
            TEST_NEAR(list.item[i].p, f.list.item[i].p, bytes ? 0.5 / 254 + 1e-6 : 0);
            TEST_NEAR(list.item[i].x, f.list.item[i].x, 1e-6);
            TEST_NEAR(list.item[i].y, f.list.item[i].y, 1e-6);
        }
        s2clr_topk_list_clear(&list);
        lose(&f);
    }
}

/* A map in degrees over a scene in UTM, larger than the scene. */
static void a_map_elsewhere(void)
{
    found f;
    s2clr_topk_list list;
    s2clr_topk_place *there;
    size_t outside = 0;
    char path[600];
    find(0.999, 0, &f);
    double transform[6] = {0, 1e-3, 0, 0, 0, -1e-3}, x, y;
    TEST_OK(s2clr_topk_place_new(f.raster.transform, f.raster.wkt, NULL, NULL, &there));
    CU_ASSERT_TRUE(s2clr_topk_place_move(there, 300, 170, &x, &y));
    transform[0] = x - 0.02, transform[3] = y + 0.02; /* 40 x 40 pixels about (300, 170) */
    snprintf(path, sizeof path, "%s", predict_rig_path("degrees.tif"));
    GDALDatasetH map = GDALCreate(GDALGetDriverByName("GTiff"), path, 40, 40, 1, GDT_Float32, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(map);
    GDALSetGeoTransform(map, transform);
    GDALSetProjection(map, "EPSG:4326");
    GDALFillRaster(GDALGetRasterBand(map, 1), 0.75, 0);
    GDALClose(map);
    s2clr_topk_list_start(&list, 0.5);
    TEST_OK(s2clr_topk_map_find(path, &f.raster, NULL, &list, &outside));
    CU_ASSERT_EQUAL(list.count + outside, 1600);
    CU_ASSERT(outside > 100 && list.count > 400);
    for (size_t i = 0; i < list.count; i++) {
        const int column = (int)list.item[i].order % 40, row = (int)list.item[i].order / 40;
        CU_ASSERT_TRUE(s2clr_topk_place_move(there, list.item[i].x, list.item[i].y, &x, &y));
        TEST_NEAR(x, transform[0] + (column + 0.5) * 1e-3, 1e-9);
        TEST_NEAR(y, transform[3] - (row + 0.5) * 1e-3, 1e-9);
    }
    s2clr_topk_list_clear(&list);
    s2clr_topk_place_free(there);
    lose(&f);
}

static void no_map(void)
{
    found f;
    s2clr_topk_list list;
    s2clr_topk_map about;
    size_t outside;
    find(0.5, 0, &f);
    s2clr_topk_list_start(&list, 0.5);
    CU_ASSERT_EQUAL(s2clr_topk_map_find(f.input, &f.raster, NULL, &list, &outside),
                    S2CLR_ERR_FORMAT); /* DN are no probabilities */
    TEST_ERROR_SAYS("holds 0 to 1");
    CU_ASSERT_EQUAL(s2clr_topk_map_find("/no/such.tif", &f.raster, NULL, &list, &outside),
                    S2CLR_ERR_IO);
    TEST_ERROR_SAYS("/no/such.tif");
    TEST_OK(s2clr_topk_map_describe(f.input, &about));
    CU_ASSERT_EQUAL(about.patch, 0);
    f.raster.has_transform = false;
    CU_ASSERT_EQUAL(s2clr_topk_map_find(f.input, &f.raster, NULL, &list, &outside),
                    S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("georeference");
    s2clr_topk_list_clear(&list);
    lose(&f);
}

/* Every pixel of every patch, DN as in the file; beside the raster and at nodata nothing. */
static void check_patch(const s2clr_topk_pixels *pixels, size_t index, GDALDatasetH scene, int left,
                        int top)
{
    static const int number[] = {3, 2, 1}; /* B04, B03, B02 in a file of B02, B03, B04 */
    const float *value = s2clr_topk_pixels_of(pixels, index);
    for (int i = 0; i < PATCH * PATCH; i++) {
        const int x = left + i % PATCH, y = top + i / PATCH;
        uint16_t dn[3] = {0};
        const bool inside =
            x >= 0 && y >= 0 && x < rig_scene_small.width && y < rig_scene_small.height;
        for (int b = 0; inside && b < 3; b++)
            CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(scene, number[b]), GF_Read, x, y, 1, 1,
                                         &dn[b], 1, 1, GDT_UInt16, 0, 0),
                            CE_None);
        for (int b = 0; b < 3; b++) {
            const float shown = value[b * PATCH * PATCH + i];
            CU_ASSERT(dn[0] == 0 ? isnan(shown) : shown == dn[b]);
        }
    }
}

static void pixels_and_places(void)
{
    static const int corner[3][2] = {{0, 0}, {308, 168}, {-14, 335}}; /* the last one sticks out */
    s2clr_topk_item item[3] = {{0}};
    found f;
    s2clr_sheet sheet;
    s2clr_topk_pixels pixels;
    find(2, 0, &f); /* none is so probable */
    CU_ASSERT_EQUAL(f.list.count, 0);
    for (int i = 0; i < 3; i++) {
        item[i].x = corner[i][0] + PATCH / 2.0;
        item[i].y = corner[i][1] + PATCH / 2.0;
    }
    const s2clr_topk_look look = {
        .inputs = &f.input, .count = 1, .stack = &f.stack, .card = s2clr_model_card(f.model)};
    TEST_OK(s2clr_sheet_new(3, &sheet));
    TEST_OK(s2clr_topk_windows_read(&look, &f.raster, item, 3, NULL, &sheet, &pixels));
    CU_ASSERT_EQUAL_FATAL(pixels.bands, 3);
    CU_ASSERT_STRING_EQUAL(pixels.band[0], "B04");
    GDALDatasetH scene = GDALOpen(f.input, GA_ReadOnly);
    for (size_t i = 0; i < 3; i++) check_patch(&pixels, i, scene, corner[i][0], corner[i][1]);
    GDALClose(scene);
    CU_ASSERT_PTR_NOT_NULL(strstr(sheet.patch[1].name, "_scene_r00168_c00308"));
    CU_ASSERT_PTR_NOT_NULL(strstr(sheet.patch[2].name, "_scene_r00335_c-0014"));
    /* 603220 4398180 in EPSG:32633, by cs2cs of PROJ 9.1. */
    TEST_NEAR(sheet.patch[1].longitude, 16.204441042, 1e-6);
    TEST_NEAR(sheet.patch[1].latitude, 39.727260682, 1e-6);
    s2clr_topk_pixels_free(&pixels);
    s2clr_sheet_clear(&sheet);
    lose(&f);
}

static void places(void)
{
    static const double degrees[6] = {179, 0.1, 0, 10, 0, -0.1};
    static const double metres[6] = {500000, 10, 0, 0, 0, -10};
    s2clr_topk_place *place;
    double x, y;
    TEST_OK(s2clr_topk_place_new(degrees, "EPSG:4326", NULL, NULL, &place));
    CU_ASSERT_TRUE(s2clr_topk_place_move(place, 20.5, 1, &x, &y)); /* beyond the antimeridian */
    TEST_NEAR(x, -178.95, 1e-9);
    TEST_NEAR(y, 9.9, 1e-9);
    CU_ASSERT_FALSE(s2clr_topk_place_move(place, 0, 2000, &x, &y)); /* below the south pole */
    s2clr_topk_place_free(place);
    /* On the central meridian of a zone, on the equator. */
    TEST_OK(s2clr_topk_place_new(metres, "EPSG:32630", NULL, NULL, &place));
    CU_ASSERT_TRUE(s2clr_topk_place_move(place, 0, 0, &x, &y));
    TEST_NEAR(x, -3, 1e-9);
    TEST_NEAR(y, 0, 1e-9);
    s2clr_topk_place_free(place);
    CU_ASSERT_EQUAL(s2clr_topk_place_new(metres, "nonsense", NULL, NULL, &place),
                    S2CLR_ERR_MISMATCH);
    TEST_ERROR_SAYS("nonsense");
}

/* Under pixel i of a map of stride s lies the patch from s * i + floor(s / 2) - floor(P / 2) on,
 * in integers, as s2clr-design(7) says; a pixel of the map stands for it whatever s and P are. */
static void patches_begin_where_prediction_took_them(void)
{
    static const int with[][2] = {{4, 28}, {5, 28}, {4, 27}, {5, 27}, {1, 28}, {7, 1}};
    found f;
    find(2, 0, &f); /* none is so probable */
    const s2clr_topk_look look = {
        .inputs = &f.input, .count = 1, .stack = &f.stack, .card = s2clr_model_card(f.model)};
    for (size_t k = 0; k < sizeof with / sizeof with[0]; k++) {
        const int s = with[k][0], column = 20, row = 11, patch = with[k][1];
        s2clr_topk_list list;
        s2clr_topk_item item = {0};
        s2clr_sheet sheet;
        s2clr_topk_pixels pixels;
        size_t outside;
        char path[600], name[60];
        double transform[6];
        memcpy(transform, f.raster.transform, sizeof transform);
        transform[1] *= s, transform[5] *= s;
        snprintf(path, sizeof path, "%s", predict_rig_path("steps.tif"));
        GDALDatasetH map =
            GDALCreate(GDALGetDriverByName("GTiff"), path, 30, 20, 1, GDT_Float32, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(map);
        GDALSetGeoTransform(map, transform);
        GDALSetProjection(map, f.raster.wkt);
        float one = 1;
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(map, 1), GF_Write, column, row, 1, 1, &one,
                                     1, 1, GDT_Float32, 0, 0),
                        CE_None);
        GDALClose(map);
        f.raster.patch = patch;
        s2clr_topk_list_start(&list, 0.5);
        TEST_OK(s2clr_topk_map_find(path, &f.raster, NULL, &list, &outside));
        CU_ASSERT_EQUAL_FATAL(list.count, 1);
        item = list.item[0];
        TEST_OK(s2clr_sheet_new(1, &sheet));
        TEST_OK(s2clr_topk_windows_read(&look, &f.raster, &item, 1, NULL, &sheet, &pixels));
        snprintf(name, sizeof name, "_r%05d_c%05d", s * row + s / 2 - patch / 2,
                 s * column + s / 2 - patch / 2);
        if (!strstr(sheet.patch[0].name, name)) printf("%s: not %s\n", sheet.patch[0].name, name);
        CU_ASSERT_PTR_NOT_NULL(strstr(sheet.patch[0].name, name));
        s2clr_topk_pixels_free(&pixels);
        s2clr_sheet_clear(&sheet);
        s2clr_topk_list_clear(&list);
    }
    lose(&f);
}

static const test_case cases[] = {
    {"a scene is a map", a_scene_is_a_map},
    {"a map is a scene", a_map_is_a_scene},
    {"a map in another reference system", a_map_elsewhere},
    {"what is no map", no_map},
    {"pixels and places", pixels_and_places},
    {"places", places},
    {"patches begin where prediction took them", patches_begin_where_prediction_took_them},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("topk_scene", cases, argc, argv);
}
