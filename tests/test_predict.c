/*
 * A whole run: product in, raster out. Values are checked against the engine (which test_engine
 * proves), everything else against the definitions and GDAL's own functions.
 */
#define _GNU_SOURCE /* stat64, which VSIStatBufL is */
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/pool.h"
#include "harness.h"
#include "predict/engine.h"
#include "predict/predict.h"
#include "predict/tasks.h"
#include "predict_rig.h"

static const rig_model dense = {.arch = "dense", .width = 4, .depth = 1, .patch = 28, .stride = 4};
static const rig_model resnet = {
    .arch = "resnet18", .width = 4, .patch = 32, .stride = 16, .temperature = 1.7};

static bool holes(int x, int y)
{
    return !((x % 37 < 11 && y % 29 < 13) || (x > 90 && x < 160 && y > 70 && y < 150));
}

static const rig_scene scene = {.width = 612, .height = 349, .valid = holes};

/* ---- one run ---- */

typedef struct job {
    s2clr_predict_settings settings;
    const char *input;
    s2clr_predict_result result;
} job;

static void job_make(const char *model, const char *input, const char *output, job *out)
{
    memset(out, 0, sizeof *out);
    s2clr_predict_defaults(&out->settings);
    out->input = input;
    out->settings.model_path = model;
    out->settings.inputs = &out->input;
    out->settings.input_count = 1;
    out->settings.output = output;
    out->settings.stack.level = "L2A";
    out->settings.threads = 2;
    out->settings.overwrite = true;
}

static s2clr_status job_run(job *j)
{
    j->settings.inputs = &j->input;
    return s2clr_predict_run(&j->settings, NULL, &j->result);
}

/* Fails unless column, row of `whole` + (x, y) hold the same bytes as `part`. */
static void same_bytes(const float *whole, int whole_columns, int x, int y, const float *part,
                       int columns, int rows)
{
    for (int r = 0; r < rows; r++)
        CU_ASSERT_EQUAL(memcmp(whole + (size_t)(y + r) * (size_t)whole_columns + x,
                               part + (size_t)r * (size_t)columns, (size_t)columns * sizeof *part),
                        0);
}

/* ---- values ---- */

/* The same map straight from the engine. */
static float *engine_map(const char *model_path, const char *input)
{
    s2clr_model *model = NULL;
    s2clr_stack *stack = NULL;
    const s2clr_backend *backend = NULL;
    s2clr_device *device = NULL;
    s2clr_pool *pool = NULL;
    s2clr_engine *engine = NULL;
    s2clr_grid grid;
    const s2clr_stack_options options = {.level = "L2A"};
    const s2clr_engine_options engine_options = {.min_valid = 0.5};
    TEST_OK(s2clr_model_open(model_path, &model));
    TEST_OK(s2clr_stack_open(&input, 1, s2clr_model_card(model), &options, &stack));
    TEST_OK(s2clr_backend_find("auto", &backend));
    TEST_OK(backend->device_open("", &device));
    TEST_OK(s2clr_pool_new(1, &pool));
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    TEST_OK(s2clr_grid_new(info->width, info->height, s2clr_model_card(model)->patch,
                           s2clr_model_card(model)->stride, 0, &grid));
    TEST_OK(s2clr_engine_new(model, backend, device, pool, &grid, &engine_options, &engine));
    float *values = calloc((size_t)grid.columns * (size_t)grid.rows, sizeof *values);
    TEST_OK(s2clr_engine_run(engine, stack, 0, 0, grid.columns, grid.rows, values, NULL));
    s2clr_engine_free(engine);
    s2clr_pool_free(pool);
    backend->device_close(device);
    s2clr_stack_close(stack);
    s2clr_model_close(model);
    return values;
}

static void same_for_settings(const rig_model *model)
{
    static const int runs[][2] = {{1, 0}, {2, 0}, {3, 0}, {1, 26}, {2, 26}, {3, 60}, {2, 34}};
    char path[600], input[600];
    snprintf(path, sizeof path, "%s", rig_model_make("same.safetensors", model));
    snprintf(input, sizeof input, "%s", rig_scene_make("same.tif", &scene));
    float *expected = engine_map(path, input);
    int ran = 0;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        job j;
        int columns, rows;
        job_make(path, input, predict_rig_path("same-out.tif"), &j);
        j.settings.threads = runs[i][0];
        j.settings.memory_mb = (size_t)runs[i][1];
        const s2clr_status status = job_run(&j);
        if (runs[i][1] && status == S2CLR_ERR_MEMORY) continue; /* too few for this backend */
        TEST_OK(status);
        float *values = rig_raster_read(j.settings.output, &columns, &rows);
        same_bytes(expected, columns, 0, 0, values, columns, rows);
        CU_ASSERT_EQUAL(j.result.pixels, (uint64_t)columns * (uint64_t)rows);
        free(values);
        ran++;
    }
    CU_ASSERT(ran >= 5);
    free(expected);
}

static void same_dense(void)
{
    same_for_settings(&dense);
}

static void same_patch(void)
{
    same_for_settings(&resnet);
}

static void windows_of(const rig_model *model)
{
    static const int windows[][4] = {
        {0, 0, 1, 1}, {101, 53, 210, 111}, {600, 340, 500, 500}, {-50, 200, 120, 90}};
    char path[600], input[600];
    int all_columns, all_rows;
    snprintf(path, sizeof path, "%s", rig_model_make("window.safetensors", model));
    snprintf(input, sizeof input, "%s", rig_scene_make("window.tif", &scene));
    job j;
    job_make(path, input, predict_rig_path("window-all.tif"), &j);
    TEST_OK(job_run(&j));
    float *whole = rig_raster_read(j.settings.output, &all_columns, &all_rows);
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        int columns, rows;
        const int stride = model->stride;
        const int x = windows[i][0] < 0 ? 0 : windows[i][0] / stride, y = windows[i][1] / stride;
        j.settings.output = predict_rig_path("window-part.tif");
        j.settings.srcwin = windows[i];
        j.settings.memory_mb = i % 2 ? 30 : 0;
        TEST_OK(job_run(&j));
        float *part = rig_raster_read(j.settings.output, &columns, &rows);
        CU_ASSERT_FATAL(x + columns <= all_columns && y + rows <= all_rows);
        same_bytes(whole, all_columns, x, y, part, columns, rows);
        free(part);
    }
    free(whole);
}

static void windows(void)
{
    windows_of(&dense);
    windows_of(&resnet);
}

/* ---- the file ---- */

static GDALDatasetH open_output(const char *path)
{
    GDALDatasetH dataset = GDALOpen(path, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    return dataset;
}

static void projwin(void)
{
    const double projwin[4] = {600100, 4399800, 600300, 4399500};
    double t[6];
    job j;
    job_make(rig_model_make("p.safetensors", &dense), rig_scene_make("p.tif", &scene),
             predict_rig_path("p-out.tif"), &j);
    j.settings.projwin = projwin;
    TEST_OK(job_run(&j));
    GDALDatasetH dataset = open_output(j.settings.output);
    GDALGetGeoTransform(dataset, t);
    /* Pixels 10..29 and 20..49 of the input: cells 2..7 and 5..12 of 4 pixels. */
    TEST_NEAR(t[0], 600080, 1e-6);
    TEST_NEAR(t[3], 4399800, 1e-6);
    TEST_NEAR(t[1], 40, 1e-9);
    TEST_NEAR(t[5], -40, 1e-9);
    CU_ASSERT_EQUAL(GDALGetRasterXSize(dataset), 6);
    CU_ASSERT_EQUAL(GDALGetRasterYSize(dataset), 8);
    GDALClose(dataset);
}

static void georeference(void)
{
    const int srcwin[4] = {40, 80, 100, 100};
    rig_scene rotated = {.width = 200, .height = 190, .transform = {600000, 8, 6, 4400000, 6, -8}};
    double t[6];
    job j;
    job_make(rig_model_make("g.safetensors", &dense), rig_scene_make("g.tif", &rotated),
             predict_rig_path("g-out.tif"), &j);
    j.settings.srcwin = srcwin;
    TEST_OK(job_run(&j));
    GDALDatasetH dataset = open_output(j.settings.output);
    OGRSpatialReferenceH crs = GDALGetSpatialRef(dataset);
    GDALGetGeoTransform(dataset, t);
    const double expected[6] = {600000 + 40 * 8 + 80 * 6,  32, 24,
                                4400000 + 40 * 6 - 80 * 8, 24, -32};
    for (int i = 0; i < 6; i++) TEST_NEAR(t[i], expected[i], 1e-6);
    CU_ASSERT_PTR_NOT_NULL_FATAL(crs);
    CU_ASSERT_STRING_EQUAL(OSRGetAuthorityCode(crs, NULL), "32633");
    GDALClose(dataset);
}

static void no_georeference(void)
{
    const rig_scene bare = {.width = 100, .height = 90, .crs = ""};
    const double projwin[4] = {0, 0, 10, 10};
    double t[6];
    job j;
    job_make(rig_model_make("n.safetensors", &dense), rig_scene_make("n.tif", &bare),
             predict_rig_path("n-out.tif"), &j);
    TEST_OK(job_run(&j));
    GDALDatasetH dataset = open_output(j.settings.output);
    CU_ASSERT_NOT_EQUAL(GDALGetGeoTransform(dataset, t), CE_None);
    GDALClose(dataset);
    j.settings.projwin = projwin;
    CU_ASSERT_EQUAL(job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no georeference");
}

static const rig_scene wide = {.width = 2101, .height = 531, .valid = holes};

/* Level f holds at pixel i the base value at f*i + f/2, or the last. */
static void check_overviews(const char *path, const float *base, int columns, int rows, int levels)
{
    GDALDatasetH dataset = open_output(path);
    GDALRasterBandH band = GDALGetRasterBand(dataset, 1);
    CU_ASSERT_EQUAL_FATAL(GDALGetOverviewCount(band), levels);
    for (int level = 0; level < levels; level++) {
        const int f = 2 << level;
        GDALRasterBandH overview = GDALGetOverview(band, level);
        const int w = GDALGetRasterBandXSize(overview), h = GDALGetRasterBandYSize(overview);
        float *values = calloc((size_t)w * (size_t)h, sizeof *values);
        CU_ASSERT_EQUAL(w, (columns + f - 1) / f);
        CU_ASSERT_EQUAL(
            GDALRasterIO(overview, GF_Read, 0, 0, w, h, values, w, h, GDT_Float32, 0, 0), CE_None);
        int wrong = 0;
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const int bx = f * x + f / 2 < columns ? f * x + f / 2 : columns - 1;
                const int by = f * y + f / 2 < rows ? f * y + f / 2 : rows - 1;
                const float a = values[y * w + x], b = base[by * columns + bx];
                wrong += !(a == b || (isnan(a) && isnan(b)));
            }
        CU_ASSERT_EQUAL(wrong, 0);
        free(values);
    }
    GDALClose(dataset);
}

static void overviews(void)
{
    job j;
    int columns, rows;
    job_make(rig_model_make("o.safetensors", &dense), rig_scene_make("o.tif", &wide),
             predict_rig_path("o-out.tif"), &j);
    TEST_OK(job_run(&j));
    float *base = rig_raster_read(j.settings.output, &columns, &rows);
    CU_ASSERT_EQUAL(columns, 526);
    CU_ASSERT_EQUAL(rows, 133);
    check_overviews(j.settings.output, base, columns, rows, 2);

    j.settings.format = "COG";
    j.settings.output = predict_rig_path("o-cog.tif");
    TEST_OK(job_run(&j));
    float *cog = rig_raster_read(j.settings.output, &columns, &rows);
    same_bytes(base, columns, 0, 0, cog, columns, rows);
    check_overviews(j.settings.output, base, columns, rows, 2);
    GDALDatasetH dataset = open_output(j.settings.output);
    const char *layout = GDALGetMetadataItem(dataset, "LAYOUT", "IMAGE_STRUCTURE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(layout);
    CU_ASSERT_STRING_EQUAL(layout, "COG");
    CU_ASSERT_PTR_NOT_NULL(GDALGetMetadataItem(dataset, "S2CLR_MODEL_SHA256", NULL));
    CU_ASSERT_STRING_EQUAL(GDALGetDescription(GDALGetRasterBand(dataset, 1)), "made_up_class");
    CU_ASSERT_PTR_NOT_NULL(
        GDALGetMetadataItem(GDALGetRasterBand(dataset, 1), "STATISTICS_MEAN", NULL));
    GDALClose(dataset);
    free(cog);
    free(base);
}

static void byte_output(void)
{
    job j;
    int columns, rows, has = 0;
    job_make(rig_model_make("b.safetensors", &resnet), rig_scene_make("b.tif", &scene),
             predict_rig_path("b-float.tif"), &j);
    TEST_OK(job_run(&j));
    float *exact = rig_raster_read(j.settings.output, &columns, &rows);
    j.settings.output = predict_rig_path("b-byte.tif");
    j.settings.byte_output = true;
    TEST_OK(job_run(&j));
    float *bytes = rig_raster_read(j.settings.output, &columns, &rows);
    double sum = 0;
    int valid = 0;
    for (int i = 0; i < columns * rows; i++) {
        const double expected = isnan(exact[i]) ? 255 : floor(254.0 * exact[i] + 0.5);
        CU_ASSERT_EQUAL(bytes[i], (float)expected);
        if (isnan(exact[i])) continue;
        sum += bytes[i];
        valid++;
    }
    GDALDatasetH dataset = open_output(j.settings.output);
    GDALRasterBandH band = GDALGetRasterBand(dataset, 1);
    CU_ASSERT_EQUAL(GDALGetRasterDataType(band), GDT_Byte);
    CU_ASSERT_EQUAL(GDALGetRasterNoDataValue(band, &has), 255);
    TEST_NEAR(GDALGetRasterScale(band, NULL), 1.0 / 254, 1e-15);
    TEST_NEAR(atof(GDALGetMetadataItem(band, "STATISTICS_MEAN", NULL)), sum / valid, 1e-9);
    TEST_NEAR(j.result.mean, sum / valid / 254, 1e-9);
    CU_ASSERT_EQUAL(j.result.valid_pixels, (uint64_t)valid);
    GDALClose(dataset);
    free(exact);
    free(bytes);
}

static void statistics(void)
{
    job j;
    double low, high, mean, deviation;
    static const char *const names[] = {"STATISTICS_MINIMUM", "STATISTICS_MAXIMUM",
                                        "STATISTICS_MEAN", "STATISTICS_STDDEV"};
    job_make(rig_model_make("s.safetensors", &dense), rig_scene_make("s.tif", &scene),
             predict_rig_path("s-out.tif"), &j);
    TEST_OK(job_run(&j));
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "s-out.tif"), 1); /* no sidecar */
    GDALDatasetH dataset = open_output(j.settings.output);
    GDALRasterBandH band = GDALGetRasterBand(dataset, 1);
    int has = 0;
    CU_ASSERT(isnan(GDALGetRasterNoDataValue(band, &has)) && has);
    char texts[4][64];
    for (int i = 0; i < 4; i++) {
        const char *text = GDALGetMetadataItem(band, names[i], NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        snprintf(texts[i], sizeof texts[i], "%s", text);
    }
    CU_ASSERT_EQUAL(
        GDALComputeRasterStatistics(band, FALSE, &low, &high, &mean, &deviation, NULL, NULL),
        CE_None);
    TEST_NEAR(atof(texts[0]), low, 1e-12);
    TEST_NEAR(atof(texts[1]), high, 1e-12);
    TEST_NEAR(atof(texts[2]), mean, 1e-9);
    TEST_NEAR(atof(texts[3]), deviation, 1e-9);
    TEST_NEAR(j.result.minimum, low, 1e-12);
    uint64_t in_bins = 0;
    for (int i = 0; i < 10; i++) in_bins += j.result.histogram[i];
    CU_ASSERT_EQUAL(in_bins, j.result.valid_pixels);
    GDALClose(dataset);
    VSIUnlink(CPLSPrintf("%s.aux.xml", j.settings.output));
}

/* Tags say how it was made, and are the same whatever the threads and the memory. */
static void provenance(void)
{
    char **first = NULL;
    job j;
    job_make(rig_model_make("t.safetensors", &dense), rig_scene_make("t.tif", &scene),
             predict_rig_path("t-out.tif"), &j);
    j.settings.command_line = "s2clr predict a \"b c\"";
    for (int threads = 1; threads <= 3; threads += 2) {
        j.settings.threads = threads;
        j.settings.memory_mb = threads == 3 ? 64 : 0;
        TEST_OK(job_run(&j));
        GDALDatasetH dataset = open_output(j.settings.output);
        char **tags = CSLDuplicate(GDALGetMetadata(dataset, "S2CLR"));
        GDALClose(dataset);
        if (!first) {
            first = tags;
            continue;
        }
        CU_ASSERT_EQUAL(CSLCount(first), CSLCount(tags));
        for (int i = 0; i < CSLCount(tags); i++) CU_ASSERT_STRING_EQUAL(first[i], tags[i]);
        CSLDestroy(tags);
    }
    CU_ASSERT_STRING_EQUAL(CSLFetchNameValueDef(first, "COMMAND_LINE", ""),
                           j.settings.command_line);
    CU_ASSERT_STRING_EQUAL(CSLFetchNameValueDef(first, "STRIDE", ""), "4");
    CU_ASSERT_STRING_EQUAL(CSLFetchNameValueDef(first, "LEVEL", ""), "L2A");
    CU_ASSERT_STRING_EQUAL(CSLFetchNameValueDef(first, "MODEL_ID", ""), "rig-dense");
    CU_ASSERT_STRING_EQUAL(CSLFetchNameValueDef(first, "MODEL_WARNING", ""), "For tests only");
    CU_ASSERT_STRING_EQUAL(CSLFetchNameValueDef(first, "INPUT_1", ""), j.input);
    CU_ASSERT_EQUAL(strlen(CSLFetchNameValueDef(first, "MODEL_SHA256", "")), 64);
    CSLDestroy(first);
}

/* ---- large and empty ---- */

static const char *sparse_vrt(const char *source, int side, int x, int y)
{
    const char *path = predict_rig_path("sparse.vrt");
    VSILFILE *file = VSIFOpenL(path, "w");
    static const char *const bands[] = {"B02", "B03", "B04"};
    VSIFPrintfL(file,
                "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\"><SRS>EPSG:32633</SRS>"
                "<GeoTransform>300000, 10, 0, 5000000, 0, -10</GeoTransform>",
                side, side);
    for (int i = 0; i < RIG_BANDS; i++)
        VSIFPrintfL(file,
                    "<VRTRasterBand dataType=\"UInt16\" band=\"%d\"><Description>%s</Description>"
                    "<NoDataValue>0</NoDataValue><SimpleSource><SourceFilename>%s</SourceFilename>"
                    "<SourceBand>%d</SourceBand><SrcRect xOff=\"0\" yOff=\"0\" xSize=\"%d\" "
                    "ySize=\"%d\"/><DstRect xOff=\"%d\" yOff=\"%d\" xSize=\"%d\" ySize=\"%d\"/>"
                    "</SimpleSource></VRTRasterBand>",
                    i + 1, bands[i], source, i + 1, scene.width, scene.height, x, y, scene.width,
                    scene.height);
    VSIFPrintfL(file, "</VRTDataset>");
    VSIFCloseL(file);
    return path;
}

/* An island in a raster of 400 megapixels: the same values as the island's own map where all of a
 * patch lies on it, nothing elsewhere, and next to nothing stored. */
static void sparse(void)
{
    const int side = 20000, x = 7168, y = 9216;
    char model[600];
    int columns, rows, all_columns, all_rows;
    VSIStatBufL info;
    job j, big;
    snprintf(model, sizeof model, "%s", rig_model_make("sparse.safetensors", &dense));
    job_make(model, rig_scene_make("island.tif", &scene), predict_rig_path("island-out.tif"), &j);
    TEST_OK(job_run(&j));
    job_make(model, sparse_vrt(j.input, side, x, y), predict_rig_path("sparse-out.tif"), &big);
    big.settings.memory_mb = 128;
    TEST_OK(job_run(&big));
    CU_ASSERT_EQUAL(big.result.columns, 5000);
    CU_ASSERT_EQUAL(big.result.valid_pixels, j.result.valid_pixels);
    CU_ASSERT(big.result.skipped_pixels > 20000000);
    float *island = rig_raster_read(j.settings.output, &columns, &rows);
    float *all = rig_raster_read(big.settings.output, &all_columns, &all_rows);
    /* Outside the raster and nodata are the same to a patch; only the units differ. */
    float worst = 0;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            const float a = island[r * columns + c], b = all[(r + y / 4) * all_columns + c + x / 4];
            CU_ASSERT_EQUAL(isnan(a), isnan(b));
            if (!isnan(a)) worst = fmaxf(worst, fabsf(a - b));
        }
    CU_ASSERT(worst < 1e-5f);
    CU_ASSERT_EQUAL(VSIStatL(big.settings.output, &info), 0);
    CU_ASSERT(info.st_size < 4000000);
    free(island);
    free(all);
}

/* Every output exactly once, ends where units end, memory kept: for any size and memory. */
static void cover_once(const s2clr_engine *engine, const int window[4], size_t memory)
{
    s2clr_tasks tasks;
    TEST_OK(s2clr_tasks_plan(engine, window, memory, &tasks));
    int64_t pixels = 0;
    int row = window[1], column = window[0], next = 0;
    for (size_t i = 0; i < tasks.count; i++) {
        const s2clr_task_block *b = &tasks.block[i];
        CU_ASSERT(b->row == row && b->column == column && b->columns > 0 && b->rows > 0);
        CU_ASSERT(next == 0 || b->row + b->rows == next);
        next = b->row + b->rows;
        pixels += (int64_t)b->columns * b->rows;
        column += b->columns;
        if (column == window[0] + window[2]) {
            column = window[0];
            row = next;
            next = 0;
        }
    }
    CU_ASSERT_EQUAL(row, window[1] + window[3]);
    CU_ASSERT_EQUAL(pixels, (int64_t)window[2] * window[3]);
    CU_ASSERT(tasks.bytes + tasks.cache_bytes <= memory);
    s2clr_tasks_free(&tasks);
}

static void tasks_of(const rig_model *what)
{
    static const int sides[][2] = {
        {100000, 100000}, {10980, 10980}, {61, 9000}, {9000, 61}, {1, 1}};
    const s2clr_engine_options options = {.min_valid = 0.5};
    s2clr_model *model = NULL;
    const s2clr_backend *backend = NULL;
    s2clr_device *device = NULL;
    s2clr_pool *pool = NULL;
    TEST_OK(s2clr_model_open(rig_model_make("tasks.safetensors", what), &model));
    TEST_OK(s2clr_backend_find("portable", &backend));
    TEST_OK(backend->device_open("", &device));
    TEST_OK(s2clr_pool_new(2, &pool));
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        s2clr_grid grid;
        s2clr_engine *engine = NULL;
        TEST_OK(s2clr_grid_new(sides[i][0], sides[i][1], what->patch, what->stride, 0, &grid));
        TEST_OK(s2clr_engine_new(model, backend, device, pool, &grid, &options, &engine));
        const int all[4] = {0, 0, grid.columns, grid.rows};
        const int part[4] = {grid.columns / 3, grid.rows / 5, grid.columns - grid.columns / 3,
                             (grid.rows + 1) / 2};
        for (size_t memory = 128; memory <= 8192; memory *= 4) {
            cover_once(engine, all, memory << 20);
            cover_once(engine, part, memory << 20);
        }
        s2clr_tasks none;
        CU_ASSERT_EQUAL(s2clr_tasks_plan(engine, all, 1000, &none), S2CLR_ERR_MEMORY);
        s2clr_engine_free(engine);
    }
    s2clr_pool_free(pool);
    backend->device_close(device);
    s2clr_model_close(model);
}

static void tasks(void)
{
    tasks_of(&dense);
    tasks_of(&resnet);
}

/* ---- failures ---- */

static void leaves_nothing(job *j, int expected, const char *text)
{
    const char *name = strrchr(j->settings.output, '/') + 1;
    CU_ASSERT_EQUAL((int)job_run(j), expected);
    TEST_ERROR_SAYS(text);
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), name), 0);
}

static void refusals(void)
{
    const int far_window[4] = {5000, 0, 10, 10}, window[4] = {0, 0, 9, 9};
    const double projwin[4] = {0, 0, 1, 1};
    static const char *const bad[] = {"COMPRESS=MAGIC", NULL};
    static const char *const shapeless[] = {"COMPRESS", NULL};
    job good, j;
    job_make(rig_model_make("r.safetensors", &dense), rig_scene_make("r.tif", &scene),
             predict_rig_path("r-out.tif"), &good);
    j = good, j.settings.srcwin = far_window;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "612 x 349");
    j = good, j.settings.srcwin = window, j.settings.projwin = projwin;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "one only");
    j = good, j.settings.stride = 6;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "multiple of 4");
    j = good, j.settings.min_valid = -1;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "between 0 and 1");
    j = good, j.settings.format = "JPEG";
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "GTiff and COG");
    j = good, j.settings.creation = bad;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "MAGIC");
    j = good, j.settings.creation = shapeless;
    leaves_nothing(&j, S2CLR_ERR_ARGUMENT, "NAME=VALUE");
    j = good, j.settings.memory_mb = 1;
    leaves_nothing(&j, S2CLR_ERR_MEMORY, "needs about");
    j = good, j.settings.aoi = "/nowhere/at.all";
    leaves_nothing(&j, S2CLR_ERR_IO, "at.all");
    j = good, j.input = "/nowhere/scene.tif";
    leaves_nothing(&j, S2CLR_ERR_IO, "scene.tif");
    j = good, j.settings.output = "/nowhere/folder/out.tif";
    CU_ASSERT_EQUAL(job_run(&j), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("/nowhere/folder/out.tif");
    j = good, j.settings.output = test_folder();
    CU_ASSERT_EQUAL(job_run(&j), S2CLR_ERR_EXISTS);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static bool holds_text(const char *path, const char *text)
{
    char found[64] = "";
    FILE *file = fopen(path, "r");
    if (!file) return false;
    const size_t size = fread(found, 1, sizeof found - 1, file);
    fclose(file);
    return size == strlen(text) && strcmp(found, text) == 0;
}

static void existing(void)
{
    job j;
    job_make(rig_model_make("e.safetensors", &dense), rig_scene_make("e.tif", &scene),
             predict_rig_path("e-out.tif"), &j);
    write_text(j.settings.output, "precious");
    j.settings.overwrite = false;
    CU_ASSERT_EQUAL(job_run(&j), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("exists already");
    CU_ASSERT(holds_text(j.settings.output, "precious"));
    j.settings.overwrite = true;
    j.settings.stride = 5; /* fails later: what was there stays */
    CU_ASSERT_EQUAL(job_run(&j), S2CLR_ERR_ARGUMENT);
    CU_ASSERT(holds_text(j.settings.output, "precious"));
    j.settings.stride = 0;
    write_text(CPLSPrintf("%s.aux.xml", j.settings.output), "<PAMDataset/>");
    TEST_OK(job_run(&j));
    CU_ASSERT_EQUAL(rig_count_files(test_folder(), "e-out.tif"), 1); /* stale sidecar gone */
}

/* Whatever name the input hides behind. */
static void output_is_input(void)
{
    job j;
    char input[600], link_path[600], hard[600];
    snprintf(input, sizeof input, "%s", rig_scene_make("i.tif", &scene));
    snprintf(link_path, sizeof link_path, "%s", predict_rig_path("i-link.tif"));
    snprintf(hard, sizeof hard, "%s", predict_rig_path("i-hard.tif"));
    CU_ASSERT_EQUAL(symlink(input, link_path), 0);
    CU_ASSERT_EQUAL(link(input, hard), 0);
    job_make(rig_model_make("i.safetensors", &dense), input, input, &j);
    const char *const outputs[] = {input, link_path, hard, j.settings.model_path};
    for (int i = 0; i < 4; i++) {
        j.settings.output = outputs[i];
        CU_ASSERT_EQUAL(job_run(&j), S2CLR_ERR_ARGUMENT);
        TEST_ERROR_SAYS("cannot be its output");
    }
    j.input = sparse_vrt(input, 2000, 5, 5);
    j.settings.output = hard;
    CU_ASSERT_EQUAL(job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("cannot be its output");
    int columns, rows;
    float *values = rig_raster_read(input, &columns, &rows);
    CU_ASSERT_EQUAL(columns, scene.width);
    free(values);
}

/* A disk that fills up: writes beyond a file size fail, at different moments. */
static void disk_full(void)
{
    struct rlimit old, small;
    job j;
    const char *const formats[] = {"GTiff", "COG"};
    job_make(rig_model_make("d.safetensors", &dense), rig_scene_make("d.tif", &wide),
             predict_rig_path("d-out.tif"), &j);
    TEST_OK(job_run(&j));
    VSIStatBufL info;
    CU_ASSERT_EQUAL(VSIStatL(j.settings.output, &info), 0);
    VSIUnlink(j.settings.output);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    for (int i = 0; i < 6; i++) {
        small = old;
        small.rlim_cur = i % 3 == 0 ? 100 : (rlim_t)info.st_size * (rlim_t)(i % 3) / 3;
        j.settings.format = formats[i / 3];
        setrlimit(RLIMIT_FSIZE, &small);
        const s2clr_status status = job_run(&j);
        setrlimit(RLIMIT_FSIZE, &old);
        CU_ASSERT_EQUAL(status, S2CLR_ERR_IO);
        TEST_ERROR_SAYS("d-out.tif");
        CU_ASSERT_EQUAL(rig_count_files(test_folder(), "d-out.tif"), 0);
    }
    signal(SIGXFSZ, SIG_DFL);
}

typedef struct stopper {
    double at, last;
    bool went_back;
} stopper;

static bool stop_at(void *context, double fraction, const char *message)
{
    stopper *s = context;
    (void)message;
    s->went_back = s->went_back || fraction < s->last - 1e-12;
    s->last = fraction;
    return fraction < s->at;
}

static void cancelled(void)
{
    job j;
    job_make(rig_model_make("c.safetensors", &dense), rig_scene_make("c.tif", &wide),
             predict_rig_path("c-out.tif"), &j);
    static const double when[] = {0, 0.3, 0.9, 0.97, 0.98};
    for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
        stopper s = {.at = when[i]};
        const s2clr_progress progress = {.call = stop_at, .context = &s};
        j.settings.format = i == 4 ? "COG" : "GTiff";
        CU_ASSERT_EQUAL(s2clr_predict_run(&j.settings, &progress, &j.result), S2CLR_ERR_CANCELLED);
        CU_ASSERT_EQUAL(rig_count_files(test_folder(), "c-out.tif"), 0);
    }
    stopper s = {.at = 2};
    const s2clr_progress progress = {.call = stop_at, .context = &s};
    TEST_OK(s2clr_predict_run(&j.settings, &progress, &j.result));
    CU_ASSERT_EQUAL(s.last, 1.0);
    CU_ASSERT(!s.went_back);
}

static const test_case cases[] = {
    {"same_dense", same_dense},
    {"same_patch", same_patch},
    {"windows", windows},
    {"projwin", projwin},
    {"georeference", georeference},
    {"no_georeference", no_georeference},
    {"overviews", overviews},
    {"byte_output", byte_output},
    {"statistics", statistics},
    {"provenance", provenance},
    {"sparse", sparse},
    {"tasks", tasks},
    {"refusals", refusals},
    {"existing", existing},
    {"output_is_input", output_is_input},
    {"disk_full", disk_full},
    {"cancelled", cancelled},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    CPLSetConfigOption("GDAL_PAM_ENABLED", "YES");
    return TEST_MAIN("predict", cases, argc, argv);
}
