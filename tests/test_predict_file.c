/*
 * A whole run: the file. Georeference, overviews, statistics, tags, Byte and COG, against the
 * definitions and GDAL's own functions.
 */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "predict_rig.h"

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
    rig_job j;
    rig_job_make(rig_model_make("p.safetensors", &rig_dense),
                 rig_scene_make("p.tif", &rig_scene_small), predict_rig_path("p-out.tif"), &j);
    j.settings.projwin = projwin;
    TEST_OK(rig_job_run(&j));
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
    rig_job j;
    rig_job_make(rig_model_make("g.safetensors", &rig_dense), rig_scene_make("g.tif", &rotated),
                 predict_rig_path("g-out.tif"), &j);
    j.settings.srcwin = srcwin;
    TEST_OK(rig_job_run(&j));
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
    rig_job j;
    rig_job_make(rig_model_make("n.safetensors", &rig_dense), rig_scene_make("n.tif", &bare),
                 predict_rig_path("n-out.tif"), &j);
    TEST_OK(rig_job_run(&j));
    GDALDatasetH dataset = open_output(j.settings.output);
    CU_ASSERT_NOT_EQUAL(GDALGetGeoTransform(dataset, t), CE_None);
    GDALClose(dataset);
    j.settings.projwin = projwin;
    CU_ASSERT_EQUAL(rig_job_run(&j), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("no georeference");
}

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
    rig_job j;
    int columns, rows;
    rig_job_make(rig_model_make("o.safetensors", &rig_dense),
                 rig_scene_make("o.tif", &rig_scene_wide), predict_rig_path("o-out.tif"), &j);
    TEST_OK(rig_job_run(&j));
    float *base = rig_raster_read(j.settings.output, &columns, &rows);
    CU_ASSERT_EQUAL(columns, 526);
    CU_ASSERT_EQUAL(rows, 133);
    check_overviews(j.settings.output, base, columns, rows, 2);

    j.settings.format = "COG";
    j.settings.output = predict_rig_path("o-cog.tif");
    TEST_OK(rig_job_run(&j));
    float *cog = rig_raster_read(j.settings.output, &columns, &rows);
    rig_same_bytes(base, columns, 0, 0, cog, columns, rows);
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
    rig_job j;
    int columns, rows, has = 0;
    rig_job_make(rig_model_make("b.safetensors", &rig_resnet),
                 rig_scene_make("b.tif", &rig_scene_small), predict_rig_path("b-float.tif"), &j);
    TEST_OK(rig_job_run(&j));
    float *exact = rig_raster_read(j.settings.output, &columns, &rows);
    j.settings.output = predict_rig_path("b-byte.tif");
    j.settings.byte_output = true;
    TEST_OK(rig_job_run(&j));
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
    rig_job j;
    double low, high, mean, deviation;
    static const char *const names[] = {"STATISTICS_MINIMUM", "STATISTICS_MAXIMUM",
                                        "STATISTICS_MEAN", "STATISTICS_STDDEV"};
    rig_job_make(rig_model_make("s.safetensors", &rig_dense),
                 rig_scene_make("s.tif", &rig_scene_small), predict_rig_path("s-out.tif"), &j);
    TEST_OK(rig_job_run(&j));
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
    rig_job j;
    rig_job_make(rig_model_make("t.safetensors", &rig_dense),
                 rig_scene_make("t.tif", &rig_scene_small), predict_rig_path("t-out.tif"), &j);
    j.settings.command_line = "s2clr predict a \"b c\"";
    for (int threads = 1; threads <= 3; threads += 2) {
        j.settings.threads = threads;
        j.settings.memory_mb = threads == 3 ? 64 : 0;
        TEST_OK(rig_job_run(&j));
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

static const test_case cases[] = {
    {"projwin", projwin},
    {"georeference", georeference},
    {"no_georeference", no_georeference},
    {"overviews", overviews},
    {"byte_output", byte_output},
    {"statistics", statistics},
    {"provenance", provenance},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("predict_file", cases, argc, argv);
}
