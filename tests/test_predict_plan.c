/*
 * What --dry-run promises, against what the run then does: patches, sizes, what is skipped, what is
 * refused; and that nothing is written. Rates cannot be proved, but what is made of them can.
 */
#define _GNU_SOURCE
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness.h"
#include "predict/overviews.h"
#include "predict/predict_plan.h"
#include "predict_rig.h"

static bool nowhere(int x, int y)
{
    (void)x, (void)y;
    return false;
}

/* Patches whose centre pixel lies in the left half of the small scene. */
static const char *left_half(const rig_scene *scene)
{
    const char *path = predict_rig_path("left.geojson");
    FILE *file = fopen(path, "w");
    const double left = 600000, top = 4400000;
    const double middle = left + 10 * (scene->width / 2 / 4 * 4), bottom = top - 10 * scene->height;
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fprintf(file,
            "{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":"
            "\"urn:ogc:def:crs:EPSG::32633\"}},\"features\":[{\"type\":\"Feature\","
            "\"properties\":{},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[%.1f,%.1f],"
            "[%.1f,%.1f],[%.1f,%.1f],[%.1f,%.1f],[%.1f,%.1f]]]}}]}",
            left - 50, top + 50, middle, top + 50, middle, bottom - 50, left - 50, bottom - 50,
            left - 50, top + 50);
    fclose(file);
    return path;
}

static s2clr_status plan_of(const rig_job *job, s2clr_predict_plan *plan)
{
    const s2clr_progress silent = {0};
    return s2clr_predict_plan_make(&job->settings, &silent, plan);
}

/* ---- against the run ---- */

static void as_planned(const rig_model *model, bool blend)
{
    const rig_scene scene = {.width = 612, .height = 349};
    char path[600], input[600];
    rig_job j;
    s2clr_predict_plan plan;
    snprintf(path, sizeof path, "%s", rig_model_make("plan.safetensors", model));
    snprintf(input, sizeof input, "%s", rig_scene_make("plan.tif", &scene));
    rig_job_make(path, input, predict_rig_path("planned.tif"), &j);
    j.settings.overwrite = false;
    j.settings.min_valid = 0;
    j.settings.blend = blend;
    TEST_OK(plan_of(&j, &plan));
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "planned.tif"), 0);
    CU_ASSERT_FALSE(plan.output_exists);
    TEST_OK(rig_job_run(&j));
    CU_ASSERT_EQUAL(plan.columns, j.result.columns);
    CU_ASSERT_EQUAL(plan.rows, j.result.rows);
    CU_ASSERT_EQUAL(plan.pixels, j.result.pixels);
    CU_ASSERT_STRING_EQUAL(plan.output, j.result.output);
    CU_ASSERT_STRING_EQUAL(plan.device, j.result.device);
    CU_ASSERT_EQUAL(plan.stack.bands, RIG_BANDS);
    if (!blend) CU_ASSERT_EQUAL(plan.patches, j.result.valid_pixels); /* all pixels are valid */
    CU_ASSERT_EQUAL(plan.decode_bytes, 612 * 349 * RIG_BANDS * sizeof(uint16_t));
    CU_ASSERT(plan.memory > 0 && plan.memory <= plan.memory_limit);
    CU_ASSERT(plan.compute.amount > 0 && plan.compute.seconds > 0 && plan.read.amount > 0);
    /* The times are the samples' rates, no more: of a dense unit only a part may be of use. */
    const double seconds =
        plan.compute.seconds * (double)plan.patches / (double)plan.compute.amount;
    TEST_NEAR(plan.compute_seconds / seconds, 1, 0.05);
    TEST_OK(plan_of(&j, &plan));
    CU_ASSERT_TRUE(plan.output_exists);
    remove(j.settings.output);
}

static void dense_as_planned(void)
{
    as_planned(&rig_dense, false);
}

static void patch_as_planned(void)
{
    as_planned(&rig_resnet, false);
    as_planned(&rig_resnet, true);
}

static uint64_t stored(GDALRasterBandH band)
{
    return sizeof(float) * (uint64_t)GDALGetRasterBandXSize(band) *
           (uint64_t)GDALGetRasterBandYSize(band);
}

/* The pixels of a file without compression are what was announced, overviews included. */
static void output_size(void)
{
    const rig_scene scene = {.width = 2200, .height = 600};
    const char *const creation[] = {"COMPRESS=NONE", NULL};
    char model[600];
    s2clr_predict_plan plan;
    rig_job j;
    snprintf(model, sizeof model, "%s", rig_model_make("plan.safetensors", &rig_dense));
    rig_job_make(model, rig_scene_make("wide.tif", &scene), predict_rig_path("sized.tif"), &j);
    j.settings.bands = "probability,valid";
    j.settings.creation = creation;
    TEST_OK(plan_of(&j, &plan));
    CU_ASSERT_EQUAL(plan.bands, 2);
    TEST_OK(rig_job_run(&j));
    GDALDatasetH dataset = GDALOpen(j.settings.output, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    uint64_t bytes = 0;
    for (int b = 1; b <= GDALGetRasterCount(dataset); b++) {
        GDALRasterBandH band = GDALGetRasterBand(dataset, b);
        bytes += stored(band);
        for (int i = 0; i < GDALGetOverviewCount(band); i++)
            bytes += stored(GDALGetOverview(band, i));
    }
    GDALClose(dataset);
    CU_ASSERT_EQUAL(plan.output_bytes, bytes);
    CU_ASSERT(plan.output_bytes > 4ull * 2 * 550 * 150); /* there are overviews */
}

/* ---- what is known before anything is read ---- */

static void area_of_interest(void)
{
    const rig_scene scene = {.width = 612, .height = 349};
    char model[600];
    s2clr_predict_plan whole, half;
    rig_job j;
    snprintf(model, sizeof model, "%s", rig_model_make("plan.safetensors", &rig_dense));
    rig_job_make(model, rig_scene_make("plan.tif", &scene), predict_rig_path("half.tif"), &j);
    j.settings.min_valid = 0;
    TEST_OK(plan_of(&j, &whole));
    j.settings.aoi = left_half(&scene);
    TEST_OK(plan_of(&j, &half));
    CU_ASSERT_EQUAL(half.pixels, whole.pixels);
    TEST_OK(rig_job_run(&j));
    CU_ASSERT_EQUAL(half.patches, j.result.valid_pixels);
    CU_ASSERT(half.patches < whole.patches * 6 / 10 && half.patches > whole.patches * 4 / 10);
}

/* An island in a raster of 400 megapixels: what is around it is not there, and costs nothing. */
static void sparse(void)
{
    const rig_scene island = {.width = 612, .height = 349};
    char model[600];
    s2clr_predict_plan alone, lost;
    rig_job j;
    snprintf(model, sizeof model, "%s", rig_model_make("plan.safetensors", &rig_dense));
    rig_job_make(model, rig_scene_make("island.tif", &island), predict_rig_path("none.tif"), &j);
    TEST_OK(plan_of(&j, &alone));
    rig_job_make(model, rig_sparse_vrt(j.input, 20000, 7168, 9216), predict_rig_path("none.tif"),
                 &j);
    TEST_OK(plan_of(&j, &lost));
    CU_ASSERT_EQUAL(lost.pixels, 25000000);
    CU_ASSERT(lost.patches >= alone.patches && lost.patches < lost.pixels / 100);
    CU_ASSERT(lost.decode_bytes < 20000ull * 20000 * RIG_BANDS * 2 / 10);
}

static void nothing_to_compute(void)
{
    const rig_scene scene = {.width = 612, .height = 349};
    char model[600];
    s2clr_predict_plan plan;
    rig_job j;
    snprintf(model, sizeof model, "%s", rig_model_make("plan.safetensors", &rig_dense));
    rig_job_make(model, rig_scene_make("island.tif", &scene), predict_rig_path("none.tif"), &j);
    rig_job_make(model, rig_sparse_vrt(j.input, 4000, 3000, 3000), predict_rig_path("none.tif"),
                 &j);
    const int window[4] = {0, 0, 1000, 1000};
    j.settings.srcwin = window;
    TEST_OK(plan_of(&j, &plan));
    CU_ASSERT_EQUAL(plan.patches, 0);
    CU_ASSERT_EQUAL(plan.decode_bytes, 0);
    CU_ASSERT_EQUAL(plan.compute.amount, 0);
    /* That the pixels of a file are all nodata is not known before they are read. */
    const rig_scene empty = {.width = 200, .height = 100, .valid = nowhere};
    rig_job_make(model, rig_scene_make("empty.tif", &empty), predict_rig_path("none.tif"), &j);
    TEST_OK(plan_of(&j, &plan));
    CU_ASSERT_EQUAL(plan.patches, plan.pixels);
    CU_ASSERT(plan.compute.amount > 0);
}

/* A part of a map: its rows and its name. */
static void shard(void)
{
    const rig_scene scene = {.width = 612, .height = 349};
    char model[600];
    s2clr_predict_plan plan;
    rig_job j;
    snprintf(model, sizeof model, "%s", rig_model_make("plan.safetensors", &rig_resnet));
    rig_job_make(model, rig_scene_make("plan.tif", &scene), predict_rig_path("part.tif"), &j);
    j.settings.min_valid = 0;
    j.settings.shard = 2;
    j.settings.shards = 3;
    TEST_OK(plan_of(&j, &plan));
    CU_ASSERT_PTR_NOT_NULL(strstr(plan.output, "part.shard-2-of-3.tif"));
    CU_ASSERT_PTR_NOT_NULL(strstr(plan.vrt, "part.shards-of-3.vrt"));
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "part."), 0);
    TEST_OK(rig_job_run(&j));
    CU_ASSERT_EQUAL(plan.rows, j.result.rows);
    CU_ASSERT_EQUAL(plan.patches, j.result.valid_pixels);
}

/* ---- refused here as there ---- */

static void refused(void)
{
    const char *const nonsense[] = {"COMPRESS=NONSENSE", NULL};
    char model[600], input[600];
    s2clr_predict_plan plan;
    rig_job j;
    snprintf(model, sizeof model, "%s", rig_model_make("plan.safetensors", &rig_dense));
    snprintf(input, sizeof input, "%s", rig_scene_make("small.tif", &rig_scene_small));
    rig_job_make(model, input, predict_rig_path("refused.tif"), &j);
    j.settings.creation = nonsense;
    CU_ASSERT_EQUAL(plan_of(&j, &plan), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("COMPRESS");
    rig_job_make(model, input, predict_rig_path("no-folder/refused.tif"), &j);
    CU_ASSERT_EQUAL(plan_of(&j, &plan), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("its folder");
    rig_job_make(model, input, input, &j);
    CU_ASSERT_EQUAL(plan_of(&j, &plan), S2CLR_ERR_ARGUMENT);
    rig_job_make(model, input, predict_rig_path("refused.tif"), &j);
    j.settings.memory_mb = 1;
    CU_ASSERT_EQUAL(plan_of(&j, &plan), S2CLR_ERR_MEMORY);
    j.settings.memory_mb = 0;
    j.settings.stride = 3;
    CU_ASSERT_EQUAL(plan_of(&j, &plan), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("multiple of 4");
}

static const test_case cases[] = {
    {"a dense model does what was planned", dense_as_planned},
    {"a patch model does what was planned", patch_as_planned},
    {"the size of the output", output_size},
    {"an area of interest", area_of_interest},
    {"an island in nothing", sparse},
    {"nothing to compute", nothing_to_compute},
    {"a part of a map", shard},
    {"what a run refuses is refused", refused},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("predict_plan", cases, argc, argv);
}
