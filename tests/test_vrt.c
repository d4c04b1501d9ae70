/* VRTs made from templates, against what they say they hold, by every window. */
#include <cpl_error.h>
#include <gdal.h>
#include <gdal_alg.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "driver_rig.h"
#include "file/probability.h"
#include "harness.h"
#include "predict_rig.h"
#include "safe_fixture.h"
#include "sentinel2/bands.h"
#include "stack_rig.h"
#include "vrt/vrt.h"

enum { W = 144, H = 120 }; /* the product at 10 m */

static char product[1024];
static safe_fixture fixture;

static bool have_product(void)
{
    if (product[0]) return true;
    fixture = safe_fixture_default();
    if (!safe_fixture_possible()) {
        test_skip("this GDAL lacks the JP2OpenJPEG or SENTINEL2 driver");
        return false;
    }
    CU_ASSERT_EQUAL(safe_fixture_write(test_folder(), &fixture, product, sizeof product), 0);
    return true;
}

/* Fills a template for the product; settings may be NULL. Returns the VRT, opened. */
static GDALDatasetH make(const char *recipe, const s2clr_vrt_settings *given)
{
    static const char *input = product;
    s2clr_vrt_settings settings = given ? *given : (s2clr_vrt_settings){.min_valid = -1};
    s2clr_vrt_result result;
    char output[700];
    snprintf(output, sizeof output, "%s/%s & \"more\".%s", test_folder(), recipe,
             strcmp(recipe, "view") == 0 ? "s2clr" : "vrt");
    settings.recipe = recipe;
    settings.inputs = &input;
    settings.input_count = 1;
    settings.output = output;
    settings.overwrite = true;
    const s2clr_status status = s2clr_vrt_write(&settings, &result);
    TEST_OK(status);
    if (status != S2CLR_OK) return NULL;
    CU_ASSERT_TRUE(result.tried);
    GDALDatasetH dataset = GDALOpen(output, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL(dataset);
    return dataset;
}

static float *read_band(GDALDatasetH dataset, int band)
{
    const int w = GDALGetRasterXSize(dataset), h = GDALGetRasterYSize(dataset);
    float *values = calloc((size_t)w * (size_t)h, sizeof *values);
    CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(dataset, band), GF_Read, 0, 0, w, h, values, w,
                                 h, GDT_Float32, 0, 0),
                    CE_None);
    return values;
}

static bool same(double a, double b, double tolerance)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance;
}

static int below(uint64_t i, uint32_t what, int limit)
{
    return (int)s2clr_random_below(3, i, what, (uint32_t)limit);
}

/* Random windows hold just the pixels of the whole; with `any_size` also those that are decimated
 * or enlarged. (JPEG 2000 bands answer decimated reads from their own overviews.) */
static void check_windows(GDALDatasetH dataset, int band, bool any_size, int tries)
{
    const int w = GDALGetRasterXSize(dataset), h = GDALGetRasterYSize(dataset);
    float *whole = read_band(dataset, band);
    float *part = calloc(4 * (size_t)w * (size_t)h, sizeof *part);
    int wrong = 0;
    for (int i = 0; i < tries; i++) {
        const uint64_t n = (uint64_t)i;
        const int x = below(n, 0, w), y = below(n, 1, h);
        const int ww = 1 + below(n, 2, w - x), wh = 1 + below(n, 3, h - y);
        const bool resized = any_size && i % 3 == 0;
        const int bw = resized ? 1 + below(n, 4, 2 * ww) : ww;
        const int bh = resized ? 1 + below(n, 5, 2 * wh) : wh;
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(dataset, band), GF_Read, x, y, ww, wh, part,
                                     bw, bh, GDT_Float32, 0, 0),
                        CE_None);
        for (int r = 0; r < bh; r++)
            for (int c = 0; c < bw; c++) {
                const int sx = x + (int)floor((c + 0.5) * ww / bw + 1e-10);
                const int sy = y + (int)floor((r + 0.5) * wh / bh + 1e-10);
                wrong += !same(part[(size_t)r * (size_t)bw + (size_t)c],
                               whole[(size_t)sy * (size_t)w + (size_t)sx], 0);
            }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    free(whole);
    free(part);
}

/* ---- stacks ---- */

static const char *const twelve[] = {"B01", "B02", "B03", "B04", "B05", "B06",
                                     "B07", "B08", "B8A", "B09", "B11", "B12"};

/* The DN of a band at a pixel of the 10 m grid, repeated. */
static double dn(const char *band, int x, int y)
{
    const int step = strcmp(band, "SCL") == 0 ? 2 : s2clr_band_find(band)->metres / 10;
    return safe_fixture_dn(&fixture, band, x / step, y / step);
}

static void check_stack(const char *recipe, bool ten)
{
    if (!have_product()) return;
    GDALDatasetH dataset = make(recipe, NULL);
    if (!dataset) return;
    int band = 0, wrong = 0;
    for (int i = 0; i < 12; i++) {
        if (ten && s2clr_band_find(twelve[i])->metres == 60) continue;
        GDALRasterBandH raster = GDALGetRasterBand(dataset, ++band);
        float *values = read_band(dataset, band);
        for (int p = 0; p < W * H; p++) wrong += values[p] != dn(twelve[i], p % W, p / W);
        free(values);
        CU_ASSERT_STRING_EQUAL(GDALGetDescription(raster), twelve[i]);
        CU_ASSERT_STRING_EQUAL(GDALGetMetadataItem(raster, "BOA_ADD_OFFSET", NULL), "-1000");
        CU_ASSERT_EQUAL(GDALGetRasterNoDataValue(raster, NULL), 0);
        CU_ASSERT_EQUAL(GDALGetRasterDataType(raster), GDT_UInt16);
    }
    CU_ASSERT_EQUAL(band, GDALGetRasterCount(dataset));
    CU_ASSERT_EQUAL(wrong, 0);
    check_windows(dataset, band, false, 100);
    GDALClose(dataset);
}

static void stacks(void)
{
    check_stack("stack10", true);
    check_stack("stack12", false);
}

/* With the card's resampling, GDAL's stack and the opener's agree up to rounding, away from holes
 * and from the edge of the raster. */
static void stack_bilinear(void)
{
    const s2clr_vrt_settings settings = {.resampling = "bilinear", .min_valid = -1};
    if (!have_product()) return;
    GDALDatasetH dataset = make("stack10", &settings);
    if (!dataset) return;
    const s2clr_card card = rig_card("B05,B11");
    s2clr_stack_options options = {.boa_offset = "0"};
    s2clr_stack *stack = rig_open(product, &card, &options);
    float *ours;
    uint8_t *valid;
    rig_read_all(stack, &ours, &valid);
    static const int number[] = {4, 9};
    for (int b = 0; b < 2; b++) {
        float *theirs = read_band(dataset, number[b]);
        int compared = 0;
        double worst = 0;
        for (int p = 0; p < W * H; p++) {
            if (10 * (p % W + p / W) < fixture.corner + 80) continue;
            worst = fmax(worst, fabs((double)theirs[p] - (double)ours[b * W * H + p]));
            compared++;
        }
        CU_ASSERT_TRUE(compared > W * H / 2);
        TEST_NEAR(worst, 0, 0.51);
        free(theirs);
    }
    free(ours);
    free(valid);
    s2clr_stack_close(stack);
    GDALClose(dataset);
}

static void indices(void)
{
    if (!have_product() || !driver_rig_load()) return;
    GDALDatasetH dataset = make("indices", NULL);
    if (!dataset) return;
    float *values[5];
    for (int i = 0; i < 5; i++) values[i] = read_band(dataset, i + 1);
    int wrong = 0, holes = 0;
    for (int p = 0; p < W * H; p++) {
        static const char *const names[] = {"B04", "B08", "B11", "B12"};
        double v[4];
        bool hole[4];
        for (int i = 0; i < 4; i++) {
            v[i] = dn(names[i], p % W, p / W);
            hole[i] = v[i] == 0;
            v[i] = (v[i] - 1000) * 1e-4;
        }
        const double r = v[0], n = v[1], s = v[2], d = v[2] - v[3];
        const bool visible = hole[0] || hole[1], near = hole[1] || hole[2];
        const double want[5] = {visible ? NAN : 2.5 * (n - r) / (n + 2.4 * r + 1),
                                visible ? NAN : 1.5 * (n - r) / (n + r + 0.5), near ? NAN : s / n,
                                near ? NAN : (n - s) / (n + s),
                                near || hole[3] ? NAN : (n - d) / (n + d)};
        for (int i = 0; i < 5; i++)
            wrong += !same(values[i][p], want[i], 2e-6 * fmax(1, fabs(want[i])));
        holes += visible;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(holes > 100);
    for (int i = 0; i < 5; i++) {
        check_windows(dataset, i + 1, false, 60);
        free(values[i]);
    }
    GDALClose(dataset);
}

/* ---- maps ---- */

static const char *model_path(void)
{
    static char path[600];
    if (!path[0]) snprintf(path, sizeof path, "%s", rig_model_make("a.safetensors", &rig_dense));
    return path;
}

static float *driver_pixels(const char *model, const char *stride, int *columns, int *rows)
{
    const char *options[] = {stride, NULL};
    GDALDatasetH dataset = GDALOpenEx(driver_rig_name(model, product), GDAL_OF_RASTER, NULL,
                                      stride ? options : NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL(dataset);
    if (!dataset) exit(1);
    float *values = read_band(dataset, 1);
    *columns = GDALGetRasterXSize(dataset), *rows = GDALGetRasterYSize(dataset);
    GDALClose(dataset);
    return values;
}

/* The three ways to a map hold the driver's pixels, bit by bit; so does every window of them. */
static void maps(void)
{
    static const char *const recipes[] = {"probability", "patch", "view"};
    int columns, rows;
    if (!have_product() || !driver_rig_load()) return;
    const char *model = model_path();
    const s2clr_vrt_settings settings = {.models = &model, .model_count = 1, .min_valid = -1};
    float *want = driver_pixels(model, NULL, &columns, &rows);
    for (int i = 0; i < 3; i++) {
        GDALDatasetH dataset = make(recipes[i], &settings);
        if (!dataset) continue;
        CU_ASSERT_EQUAL(GDALGetRasterXSize(dataset), columns);
        CU_ASSERT_EQUAL(GDALGetRasterYSize(dataset), rows);
        float *values = read_band(dataset, 1);
        CU_ASSERT_EQUAL(memcmp(values, want, (size_t)columns * (size_t)rows * sizeof *want), 0);
        CU_ASSERT_STRING_EQUAL(GDALGetDescription(GDALGetRasterBand(dataset, 1)), "made_up_class");
        check_windows(dataset, 1, true, i == 1 ? 400 : 60);
        free(values);
        GDALClose(dataset);
    }
    free(want);
}

/* Row by row (gdalinfo -checksum) and block by block (QGIS) as well. */
static void patch_rows_and_blocks(void)
{
    int columns, rows, width, height;
    if (!have_product() || !driver_rig_load()) return;
    const char *model = rig_model_make("b.safetensors", &rig_resnet);
    const s2clr_vrt_settings settings = {
        .models = &model, .model_count = 1, .stride = 3, .min_valid = 0.2};
    GDALDatasetH dataset = make("patch", &settings);
    if (!dataset) return;
    GDALRasterBandH band = GDALGetRasterBand(dataset, 1);
    const char *options[] = {"STRIDE=3", "MIN_VALID=0.2", NULL};
    GDALDatasetH driver =
        GDALOpenEx(driver_rig_name(model, product), GDAL_OF_RASTER, NULL, options, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(driver);
    CU_ASSERT_EQUAL(GDALChecksumImage(band, 0, 0, 48, 40),
                    GDALChecksumImage(GDALGetRasterBand(driver, 1), 0, 0, 48, 40));
    columns = GDALGetRasterXSize(dataset), rows = GDALGetRasterYSize(dataset);
    CU_ASSERT_TRUE(columns == 48 && rows == 40);
    float *want = read_band(driver, 1);
    GDALGetBlockSize(band, &width, &height);
    float *block = calloc((size_t)width * (size_t)height, sizeof *block);
    CU_ASSERT_EQUAL(GDALReadBlock(band, 0, 0, block), CE_None);
    int wrong = 0;
    for (int y = 0; y < rows && y < height; y++)
        for (int x = 0; x < columns && x < width; x++)
            wrong += !same(block[y * width + x], want[y * columns + x], 0);
    CU_ASSERT_EQUAL(wrong, 0);
    check_windows(dataset, 1, true, 100);
    free(block);
    free(want);
    GDALClose(driver);
    GDALClose(dataset);
}

static void masked(void)
{
    int columns, rows, wrong = 0, hidden = 0;
    if (!have_product() || !driver_rig_load()) return;
    const char *model = model_path();
    const s2clr_vrt_settings settings = {
        .models = &model, .model_count = 1, .min_valid = -1, .classes = "4,5"};
    float *map = driver_pixels(model, NULL, &columns, &rows);
    GDALDatasetH dataset = make("masked", &settings);
    if (!dataset) return;
    float *values = read_band(dataset, 1);
    for (int p = 0; p < W * H; p++) {
        const double class = dn("SCL", p % W, p / W);
        const bool kept = class == 4 || class == 5;
        wrong += !same(values[p], kept ? map[p / W / 4 * columns + p % W / 4] : NAN, 0);
        hidden += !kept;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(hidden > 200 && hidden < W * H / 2);
    check_windows(dataset, 1, true, 200);
    free(values);
    free(map);
    GDALClose(dataset);
}

static void calibrated(void)
{
    int columns, rows, wrong = 0;
    if (!have_product() || !driver_rig_load()) return;
    const char *model = model_path();
    s2clr_vrt_settings settings = {
        .models = &model, .model_count = 1, .min_valid = -1, .prevalence = 0.07};
    float *map = driver_pixels(model, NULL, &columns, &rows);
    float *direct = driver_pixels(model, "PREVALENCE=0.07", &columns, &rows);
    GDALDatasetH dataset = make("calibrated", &settings);
    if (!dataset) return;
    float *values = read_band(dataset, 1);
    for (int p = 0; p < columns * rows; p++) {
        wrong += !same(values[p], s2clr_probability_shift((double)map[p], 0.5, 0.07), 1e-7);
        wrong += !same(values[p], direct[p], 1e-6);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    check_windows(dataset, 1, true, 60);
    free(values);
    free(direct);
    free(map);
    GDALClose(dataset);
}

static void ensemble(void)
{
    int columns, rows, wrong = 0;
    if (!have_product() || !driver_rig_load()) return;
    const char *models[2] = {model_path(), rig_model_make("b.safetensors", &rig_resnet)};
    const s2clr_vrt_settings settings = {
        .models = models, .model_count = 2, .min_valid = -1, .stride = 8};
    float *a = driver_pixels(models[0], "STRIDE=8", &columns, &rows);
    float *b = driver_pixels(models[1], "STRIDE=8", &columns, &rows);
    GDALDatasetH dataset = make("ensemble", &settings);
    if (!dataset) return;
    float *values[3];
    for (int i = 0; i < 3; i++) values[i] = read_band(dataset, i + 1);
    for (int p = 0; p < columns * rows; p++) {
        if (isnan(a[p]) || isnan(b[p])) continue;
        wrong += !same(values[0][p], ((double)a[p] + (double)b[p]) / 2, 1e-7);
        wrong += values[1][p] != fmaxf(a[p], b[p]);
        wrong += values[2][p] != ((a[p] >= 0.5f) == (b[p] >= 0.5f) ? 1.0f : 0.5f);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    for (int i = 0; i < 3; i++) {
        check_windows(dataset, i + 1, true, 30);
        free(values[i]);
    }
    free(a);
    free(b);
    GDALClose(dataset);
}

/* A patch of one pixel is that pixel: the driver's map at stride 1 is what s2clr_pixel gives. */
static void pixel(void)
{
    static const rig_model single = {
        .arch = "pixel", .width = 6, .depth = 2, .patch = 1, .stride = 1, .temperature = 1.3};
    int columns, rows, wrong = 0;
    if (!have_product() || !driver_rig_load()) return;
    const char *model = rig_model_make("p.safetensors", &single);
    const s2clr_vrt_settings settings = {.models = &model, .model_count = 1, .min_valid = -1};
    float *want = driver_pixels(model, NULL, &columns, &rows);
    GDALDatasetH dataset = make("pixel", &settings);
    if (!dataset) return;
    float *values = read_band(dataset, 1);
    CU_ASSERT_TRUE(columns == W && rows == H);
    for (int p = 0; p < W * H; p++) wrong += !same(values[p], want[p], 2e-6);
    CU_ASSERT_EQUAL(wrong, 0);
    check_windows(dataset, 1, false, 60);
    free(values);
    free(want);
    GDALClose(dataset);
}

static const test_case cases[] = {
    {"stacks hold the product's DN", stacks},
    {"bilinear as the opener's", stack_bilinear},
    {"indices", indices},
    {"maps equal the driver's", maps},
    {"patch by rows and blocks", patch_rows_and_blocks},
    {"masked", masked},
    {"calibrated", calibrated},
    {"ensemble", ensemble},
    {"pixel", pixel},
};

int main(int argc, char **argv)
{
    /* The SENTINEL2 driver warns of every optional layer that is missing. */
    CPLPushErrorHandler(CPLQuietErrorHandler);
    return TEST_MAIN("vrt", cases, argc, argv);
}
