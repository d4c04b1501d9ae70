/*
 * Maps of models that tell K classes apart: which bands they have, and that their values are those
 * of patches alone, whatever the window, the threads, the parts and the interruptions; in a file
 * and in a view alike.
 */
#include <gdal.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alone_rig.h"
#include "harness.h"
#include "predict/merge.h"
#include "predict/output_bands.h"
#include "view_rig.h"

#define K 5

static const rig_model dense = {.arch = "dense",
                                .width = 4,
                                .depth = 1,
                                .patch = 28,
                                .stride = 4,
                                .temperature = 1.6,
                                .classes = K};
static const rig_model resnet = {
    .arch = "resnet18", .width = 4, .patch = 32, .stride = 16, .temperature = 0.7, .classes = K};

static bool holes(int x, int y)
{
    return !((x % 37 < 11 && y % 29 < 13) || (x > 40 && x < 60 && y > 20));
}

static const rig_scene scene = {.width = 203, .height = 331, .valid = holes};

/* ---- bands ---- */

static s2clr_model *open_model(const char *name, const rig_model *rig)
{
    s2clr_model *model = NULL;
    TEST_OK(s2clr_model_open(rig_model_make(name, rig), &model));
    CU_ASSERT_PTR_NOT_NULL_FATAL(model);
    return model;
}

/* The bands that `text` gives, "|" between their names. */
static void gives(const char *text, const s2clr_model *model, const char *names)
{
    s2clr_output_bands bands;
    char found[1000] = "";
    TEST_OK(s2clr_output_bands_parse(text, model, &bands));
    for (int i = 0; i < bands.count; i++) {
        const size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s", i ? "|" : "", bands.band[i].name);
    }
    CU_ASSERT_STRING_EQUAL(found, names);
    CU_ASSERT_EQUAL(bands.aim, S2CLR_AIM_CLASSES);
    CU_ASSERT_EQUAL(bands.classes, K);
    s2clr_output_bands_free(&bands);
}

static void refused(const char *text, const s2clr_model *model, const char *says)
{
    s2clr_output_bands bands = {.count = -7};
    CU_ASSERT_NOT_EQUAL(s2clr_output_bands_parse(text, model, &bands), S2CLR_OK);
    TEST_ERROR_SAYS(says);
    CU_ASSERT_EQUAL(bands.count, -7);
}

static void words(void)
{
    static const char all[] = "class 1|class 2|class 3|class 4|class 5";
    rig_model rig = dense;
    s2clr_model *model = open_model("words.safetensors", &rig);
    gives(NULL, model, all);
    gives("probability", model, all);
    gives("Classes", model, all);
    gives("class 4", model, "class 4");
    gives("CLASS 2, class 1,entropy,valid", model, "class 2|class 1|entropy|valid fraction");
    refused("clas 4", model, "did you mean class 4?");
    refused("evidence", model, "tells 5 classes apart");
    refused("classes,class 2", model, "twice");
    s2clr_model_close(model);
    rig.positive = 3;
    model = open_model("positive.safetensors", &rig);
    gives("", model, "class 3");
    gives("classes", model, all);
    s2clr_model_close(model);
}

static void refusals(void)
{
    const char *model = rig_model_make("refusals.safetensors", &dense);
    const char *input = rig_scene_make("refusals.tif", &scene);
    rig_job j;
    s2clr_output_bands bands;
    rig_job_make(model, input, predict_rig_path("refused.tif"), &j);
    j.settings.prevalence = 0.1;
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("share of one class");
    j.settings.prevalence = 0;
    j.settings.blend = true;
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("one class at a time");
    j.settings.bands = "entropy";
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("one class at a time");
    j.settings.blend = false;
    j.settings.byte_output = true;
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("does not range from 0 to 1");
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "refused.tif"), 0);
    s2clr_model *binary = open_model("binary.safetensors", &rig_dense);
    CU_ASSERT_EQUAL(s2clr_output_bands_parse("classes", binary, &bands), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("tells no classes apart");
    s2clr_model_close(binary);
}

/* ---- values against patches alone ---- */

/* Softmax of the logits of exactly one patch. */
static void softmax_alone(rig_alone *a, const rig_bench *b, int column, int row, double p[K])
{
    const double temperature = s2clr_model_card(b->model)->temperature;
    double total = 0;
    rig_alone_run(a, b, column, row);
    for (int k = 0; k < K; k++) total += exp((double)a->output[k] / temperature);
    for (int k = 0; k < K; k++) p[k] = exp((double)a->output[k] / temperature) / total;
}

/* Returns how far the classes are from being all alike, so that a test of nothing shows. */
static double compare_one(rig_alone *a, const rig_bench *b, const float *map, size_t outputs,
                          size_t at)
{
    double p[K], sum = 0, spread = 0;
    softmax_alone(a, b, (int)at % b->grid.columns, (int)at / b->grid.columns, p);
    for (size_t k = 0; k < K; k++) {
        const double value = (double)map[k * outputs + at];
        TEST_NEAR(value, p[k], 1e-5);
        sum += value;
        spread = fmax(spread, fabs(p[k] - 1.0 / K));
    }
    TEST_NEAR(sum, 1, 1e-6);
    return spread;
}

static void values_of(const rig_model *model, int pick)
{
    rig_bench b;
    rig_alone a;
    char name[600];
    int compared = 0;
    double spread = 0;
    snprintf(name, sizeof name, "%s", rig_model_make("values.safetensors", model));
    TEST_OK(rig_bench_open(name, rig_scene_make("values.tif", &scene), "auto", 2, S2CLR_AIM_CLASSES,
                           0, (s2clr_engine_options){.min_valid = 0.5}, &b));
    const size_t outputs = (size_t)b.grid.columns * (size_t)b.grid.rows;
    float *map = calloc(K * outputs, sizeof *map);
    const s2clr_values values = {.probability = map};
    TEST_OK(rig_bench_run(&b, 0, 0, b.grid.columns, b.grid.rows, NULL, &values));
    rig_alone_open(&b, S2CLR_OUTPUT_LOGITS, &a);
    for (size_t i = 0; i < outputs; i++) {
        for (size_t k = 1; k < K; k++) CU_ASSERT_EQUAL(isnan(map[k * outputs + i]), isnan(map[i]));
        if (i % (size_t)pick || isnan(map[i])) continue;
        spread = fmax(spread, compare_one(&a, &b, map, outputs, i));
        compared++;
    }
    CU_ASSERT(compared > 15);
    CU_ASSERT(spread > 0.01);
    float *evidence = map;
    const s2clr_values no = {.probability = map, .evidence = evidence};
    CU_ASSERT_EQUAL(rig_bench_run(&b, 0, 0, 1, 1, NULL, &no), S2CLR_ERR_UNSUPPORTED);
    rig_alone_close(&a);
    free(map);
    rig_bench_close(&b);
}

static void values(void)
{
    values_of(&dense, 67);
    values_of(&resnet, 7);
}

/* ---- files and views ---- */

#define BANDS "classes,entropy,valid"

typedef struct raster {
    int bands, columns, rows;
    float *value; // (bands, rows, columns)
} raster;

static raster read_raster(const char *path)
{
    raster r = {.bands = 0};
    GDALDatasetH dataset = GDALOpen(path, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    r.bands = GDALGetRasterCount(dataset);
    r.columns = GDALGetRasterXSize(dataset);
    r.rows = GDALGetRasterYSize(dataset);
    r.value = calloc((size_t)(r.bands * r.columns * r.rows), sizeof *r.value);
    CU_ASSERT_EQUAL(GDALDatasetRasterIO(dataset, GF_Read, 0, 0, r.columns, r.rows, r.value,
                                        r.columns, r.rows, GDT_Float32, r.bands, NULL, 0, 0, 0),
                    CE_None);
    GDALClose(dataset);
    return r;
}

/* The columns x rows pixels of all bands at (x, y) of `whole`. */
static void same(const raster *whole, int x, int y, const char *path)
{
    raster part = read_raster(path);
    CU_ASSERT_EQUAL(part.bands, whole->bands);
    for (int b = 0; b < part.bands; b++)
        rig_same_bytes(whole->value + b * whole->columns * whole->rows, whole->columns, x, y,
                       part.value + b * part.columns * part.rows, part.columns, part.rows);
    free(part.value);
}

static void check_entropy(const raster *r)
{
    const int pixels = r->columns * r->rows;
    for (int i = 0; i < pixels; i++) {
        double bits = 0;
        const double found = (double)r->value[K * pixels + i];
        for (int k = 0; k < K; k++) {
            const double p = (double)r->value[k * pixels + i];
            bits -= p > 0 ? p * log(p) / log(2) : p; /* NaN stays */
        }
        CU_ASSERT_EQUAL(isnan(bits), isnan(found));
        if (!isnan(bits)) TEST_NEAR(found, bits, 1e-6);
    }
}

static bool half(void *context, double fraction, const char *message)
{
    (void)context, (void)message;
    return fraction < 0.5;
}

/* Cut short in the middle, then taken up. */
static void run_in_two(const s2clr_predict_settings *settings, const raster *whole)
{
    const s2clr_progress stop = {.call = half};
    s2clr_predict_settings again = *settings;
    s2clr_predict_result result;
    again.output = predict_rig_path("two.tif");
    again.resume = true;
    again.memory_mb = 20;
    CU_ASSERT_EQUAL(s2clr_predict_run(&again, &stop, &result), S2CLR_ERR_CANCELLED);
    TEST_OK(s2clr_predict_run(&again, NULL, &result));
    CU_ASSERT(result.resumed_rows > 0);
    same(whole, 0, 0, again.output);
}

static void run_in_parts(const s2clr_predict_settings *settings, const raster *whole)
{
    const char *parts[2];
    s2clr_predict_settings part = *settings;
    s2clr_predict_result result[2];
    s2clr_merge_result merged;
    part.output = predict_rig_path("parts.tif");
    part.shards = 2;
    for (int i = 0; i < 2; i++) {
        part.shard = i + 1;
        TEST_OK(s2clr_predict_run(&part, NULL, &result[i]));
        parts[i] = result[i].output;
    }
    const s2clr_merge_settings merge = {
        .parts = parts, .count = 2, .output = predict_rig_path("merged.tif"), .overwrite = true};
    TEST_OK(s2clr_merge_run(&merge, NULL, &merged));
    same(whole, 0, 0, merge.output);
}

static void compare_view(const char *model, const char *input, const raster *whole)
{
    s2clr_view_settings settings = rig_view_settings(model, &input);
    settings.bands = BANDS;
    s2clr_view *view = rig_view_open(&settings);
    const s2clr_view_info *info = s2clr_view_describe(view);
    CU_ASSERT_EQUAL(info->bands->count, whole->bands);
    TEST_NEAR(info->bands->band[K].maximum, log(K) / log(2), 1e-12);
    float *all = rig_view_read(view, 1);
    const size_t values = (size_t)(whole->bands * whole->columns * whole->rows);
    CU_ASSERT_EQUAL(memcmp(all, whole->value, values * sizeof *all), 0);
    rig_view_check(view, 1, all, 11, 12);
    free(all);
    s2clr_view_close(view);
}

static void maps_of(const rig_model *rig)
{
    char model[600], input[600];
    rig_job j;
    snprintf(model, sizeof model, "%s", rig_model_make("maps.safetensors", rig));
    snprintf(input, sizeof input, "%s", rig_scene_make("maps-in.tif", &scene));
    rig_job_make(model, input, predict_rig_path("maps.tif"), &j);
    j.settings.bands = BANDS;
    TEST_OK(rig_job_run(&j));
    raster whole = read_raster(j.settings.output);
    CU_ASSERT_EQUAL(whole.bands, K + 2);
    check_entropy(&whole);
    run_in_two(&j.settings, &whole);
    run_in_parts(&j.settings, &whole);
    const int window[4] = {48, 96, 112, 160};
    j.settings.threads = 1;
    j.settings.srcwin = window;
    j.settings.output = predict_rig_path("window.tif");
    TEST_OK(rig_job_run(&j));
    same(&whole, window[0] / rig->stride, window[1] / rig->stride, j.settings.output);
    compare_view(model, input, &whole);
    free(whole.value);
}

static void maps(void)
{
    maps_of(&dense);
    maps_of(&resnet);
}

/* One class is not another one: what views of one file share is kept apart. */
static void shared(void)
{
    const char *input = rig_scene_make("shared.tif", &scene);
    s2clr_view_settings settings =
        rig_view_settings(rig_model_make("shared.safetensors", &dense), &input);
    float *map[3];
    int w, h;
    rig_settle();
    settings.bands = "class 1,class 2";
    s2clr_view *both = rig_view_open(&settings);
    s2clr_view_level_size(both, 1, &w, &h);
    map[2] = rig_view_read(both, 1);
    for (int k = 0; k < 2; k++) {
        settings.bands = k ? "class 2" : "class 1";
        s2clr_view *one = rig_view_open(&settings);
        map[k] = rig_view_read(one, 1);
        CU_ASSERT_EQUAL(memcmp(map[k], map[2] + k * w * h, (size_t)(w * h) * sizeof *map[k]), 0);
        s2clr_view_close(one);
    }
    CU_ASSERT_NOT_EQUAL(memcmp(map[0], map[1], (size_t)(w * h) * sizeof *map[0]), 0);
    s2clr_view_close(both);
    for (int i = 0; i < 3; i++) free(map[i]);
}

/* Pixel i of level 2 is pixel 2 i + 1 of the map, in every band. */
static void overview(void)
{
    const char *input = rig_scene_make("overview.tif", &rig_scene_wide);
    s2clr_view_settings settings =
        rig_view_settings(rig_model_make("overview.safetensors", &dense), &input);
    settings.bands = "entropy,class 5,class 2";
    s2clr_view *view = rig_view_open(&settings);
    int w, h, across, down;
    bool equal = true;
    s2clr_view_level_size(view, 1, &w, &h);
    s2clr_view_level_size(view, 2, &across, &down);
    float *level = rig_view_read(view, 2), *all = rig_view_read(view, 1);
    for (int b = 0; b < 3; b++)
        for (int i = 0; i < across * down; i++) {
            const int x = 2 * (i % across) + 1 < w ? 2 * (i % across) + 1 : w - 1;
            const int y = 2 * (i / across) + 1 < h ? 2 * (i / across) + 1 : h - 1;
            equal = equal && memcmp(&level[b * across * down + i], &all[(b * h + y) * w + x],
                                    sizeof *level) == 0;
        }
    CU_ASSERT(equal);
    free(all);
    free(level);
    s2clr_view_close(view);
}

/* All patches of a pixel have the same weight in every class, so that the sum stays 1. */
static void blended(void)
{
    rig_job j;
    float *sum = NULL;
    int w = 0, h = 0;
    rig_job_make(rig_model_make("blended.safetensors", &resnet),
                 rig_scene_make("blended-in.tif", &scene), predict_rig_path("blended.tif"), &j);
    j.settings.blend = true;
    for (int k = 0; k < K; k++) {
        char name[16];
        snprintf(name, sizeof name, "class %d", k + 1);
        j.settings.bands = name;
        TEST_OK(rig_job_run(&j));
        float *p = rig_raster_read(j.settings.output, &w, &h);
        if (!sum) sum = calloc((size_t)(w * h), sizeof *sum);
        for (int i = 0; p && i < w * h; i++) sum[i] += p[i];
        free(p);
    }
    CU_ASSERT(w == scene.width && h == scene.height);
    int valid = 0;
    for (int i = 0; i < w * h; i++) {
        if (isnan(sum[i])) continue;
        TEST_NEAR((double)sum[i], 1, 1e-5);
        valid++;
    }
    CU_ASSERT(valid > 1000);
    free(sum);
}

static const test_case cases[] = {
    {"words", words},       {"refusals", refusals}, {"values", values},   {"shared", shared},
    {"overview", overview}, {"maps", maps},         {"blended", blended},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("predict_classes", cases, argc, argv);
}
