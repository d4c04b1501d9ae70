/* Values and validity: against direct reads, closed forms and a slow reference. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "stack_rig.h"

/* Rough ground with holes: DN 0 here and there. */
static double holes(int band, int x, int y)
{
    const unsigned h =
        (unsigned)x * 73856093u ^ (unsigned)y * 19349663u ^ (unsigned)band * 83492791u;
    return h % 11 == 0 ? 0 : 500 + (h >> 7) % 3000;
}

static double rough(int band, int x, int y)
{
    const double v = holes(band, x, y);
    return v > 0 ? v : 777;
}

/* The card's formula, written out. */
static void normalisation(void)
{
    const rig_raster spec = {.name = "n.tif",
                             .width = 40,
                             .height = 9,
                             .bands = 2,
                             .metres = 10,
                             .names = "B4,B3",
                             .fill = holes};
    s2clr_card card = rig_card("B03,B04");
    const s2clr_stack_options options = {.boa_offset = "-1000"};
    float *values;
    uint8_t *valid;
    for (int i = 0; i < 2; i++) {
        card.mean[i] = 0.1f + 0.05f * (float)i, card.std[i] = 0.07f;
        card.level[0].gain[i] = 1e-4 * (1 + i), card.level[0].bias[i] = 0.01;
    }
    card.level[0].low = 0, card.level[0].high = 0.2;
    s2clr_stack *stack = rig_open(rig_write(&spec), &card, &options);
    rig_read_all(stack, &values, &valid);
    for (int b = 0; b < 2; b++)
        for (int i = 0; i < 360; i++) {
            const double dn = holes(2 - b, i % 40, i / 40);
            const double v = fmin(fmax(1e-4 * (1 + b) * (dn - 1000) + 0.01, 0), 0.2);
            const double x = (v - (double)card.mean[b]) / (double)card.std[b];
            const bool good = dn > 0 && holes(1 + b, i % 40, i / 40) > 0;
            CU_ASSERT_EQUAL(valid[i], good);
            TEST_NEAR(values[b * 360 + i], good ? x : 0, 1e-6);
        }
    free(values), free(valid);
    s2clr_stack_close(stack);
}

/* A fine and a coarse band; the second may have holes. `factor` fine pixels per coarse one. */
static s2clr_stack *two_grids(const char *resampling, int factor, double (*coarse)(int, int, int))
{
    const rig_raster a = {.name = "g_B04.tif",
                          .width = 60,
                          .height = 48,
                          .bands = 1,
                          .type = GDT_Float32,
                          .metres = 10,
                          .fill = rough};
    const rig_raster b = {.name = "g_B11.tif",
                          .width = 60 / factor,
                          .height = 48 / factor,
                          .bands = 1,
                          .type = GDT_Float32,
                          .metres = 10.0 * factor,
                          .fill = coarse};
    s2clr_card card = rig_card("B04,B11");
    const char *const inputs[] = {rig_write(&a), rig_write(&b)};
    s2clr_stack *stack = NULL;
    snprintf(card.resampling, sizeof card.resampling, "%s", resampling);
    TEST_OK(s2clr_stack_open(inputs, 2, &card, NULL, &stack));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stack);
    return stack;
}

/* Without holes: GDAL's own resampling of the whole band must give the same, edges included. */
static void resampling_equals_gdal(void)
{
    static const GDALRIOResampleAlg method[] = {GRIORA_NearestNeighbour, GRIORA_Bilinear,
                                                GRIORA_Cubic};
    static const char *const names[] = {"nearest", "bilinear", "cubic"};
    static const int factors[] = {2, 3, 6};
    float reference[60 * 48], *values;
    uint8_t *valid;
    for (int k = 0; k < 9; k++) {
        const int factor = factors[k / 3];
        s2clr_stack *stack = two_grids(names[k % 3], factor, rough);
        rig_read_all(stack, &values, &valid);
        GDALRasterIOExtraArg extra;
        INIT_RASTERIO_EXTRA_ARG(extra);
        extra.eResampleAlg = method[k % 3];
        GDALDatasetH dataset = GDALOpen(s2clr_stack_describe(stack)->band[1].source, GA_ReadOnly);
        CU_ASSERT_EQUAL(GDALRasterIOEx(GDALGetRasterBand(dataset, 1), GF_Read, 0, 0, 60 / factor,
                                       48 / factor, reference, 60, 48, GDT_Float32, 0, 0, &extra),
                        CE_None);
        GDALClose(dataset);
        double worst = 0;
        for (int i = 0; i < 60 * 48; i++)
            worst = fmax(worst, fabs((double)(values[60 * 48 + i] - reference[i])));
        TEST_NEAR(worst, 0, 2e-3); /* of DN 500 to 3500; GDAL sums floats */
        free(values), free(valid);
        s2clr_stack_close(stack);
    }
}

/* Slow reference for holes: nearest decides validity, bilinear weights of what is valid. */
static double slow_bilinear(double (*fill)(int, int, int), int x, int y, int factor, int w, int h)
{
    const double u = (x + 0.5) / factor - 0.5, v = (y + 0.5) / factor - 0.5;
    double sum = 0, weights = 0;
    for (int j = 0; j < h; j++)
        for (int i = 0; i < w; i++) {
            const double weight = fmax(0, 1 - fabs(i - u)) * fmax(0, 1 - fabs(j - v));
            const double dn = fill(1, i, j);
            if (dn == 0) continue;
            sum += weight * dn, weights += weight;
        }
    return sum / weights;
}

static void holes_do_not_bleed(void)
{
    s2clr_stack *stack = two_grids("bilinear", 6, holes);
    float *values;
    uint8_t *valid;
    rig_read_all(stack, &values, &valid);
    for (int i = 0; i < 60 * 48; i++) {
        const int x = i % 60, y = i / 60;
        const bool good = holes(1, x / 6, y / 6) > 0;
        CU_ASSERT_EQUAL(valid[i], good);
        if (good) TEST_NEAR(values[60 * 48 + i], slow_bilinear(holes, x, y, 6, 10, 8), 1e-3);
        if (!good) CU_ASSERT_EQUAL(values[i], 0);
    }
    free(values), free(valid);
    s2clr_stack_close(stack);
}

/* Cubic weights may be negative, so beside a hole the bilinear ones are used: no overshoot. */
static void cubic_beside_holes(void)
{
    s2clr_stack *stack = two_grids("cubic", 6, holes);
    float *values;
    uint8_t *valid;
    int beside = 0;
    rig_read_all(stack, &values, &valid);
    for (int i = 0; i < 60 * 48; i++) {
        const int x = i % 60, y = i / 60;
        const int cx = x / 6 + (x % 6 < 3 ? -1 : 1), cy = y / 6 + (y % 6 < 3 ? -1 : 1);
        const bool hole = cx >= 0 && cy >= 0 && cx < 10 && cy < 8 && holes(1, cx, cy) == 0;
        if (!valid[i] || !hole) continue; /* the diagonal neighbour is one of the taps */
        TEST_NEAR(values[60 * 48 + i], slow_bilinear(holes, x, y, 6, 10, 8), 1e-3);
        beside++;
    }
    CU_ASSERT(beside > 20);
    free(values), free(valid);
    s2clr_stack_close(stack);
}

static double flat_with_holes(int band, int x, int y)
{
    return holes(band, x, y) > 0 ? 1234.5 : 0;
}

/* Whatever the method and the holes, a constant band stays exactly constant. */
static void constant_stays_constant(void)
{
    static const char *const names[] = {"nearest", "bilinear", "cubic"};
    for (int m = 0; m < 3; m++) {
        s2clr_stack *stack = two_grids(names[m], 6, flat_with_holes);
        float *values;
        uint8_t *valid;
        int good = 0;
        rig_read_all(stack, &values, &valid);
        for (int i = 0; i < 60 * 48; i++) {
            CU_ASSERT_EQUAL(values[60 * 48 + i], valid[i] ? 1234.5f : 0);
            good += valid[i];
        }
        CU_ASSERT(good > 1000 && good < 60 * 48);
        free(values), free(valid);
        s2clr_stack_close(stack);
    }
}

static void windows_never_matter(void)
{
    static const char *const names[] = {"nearest", "bilinear", "cubic"};
    for (int m = 0; m < 9; m++) {
        s2clr_stack *stack = two_grids(names[m % 3], m < 3 ? 2 : m < 6 ? 3 : 6, holes);
        rig_check_windows(stack);
        s2clr_stack_close(stack);
    }
}

static void clone_equals(void)
{
    s2clr_stack *stack = two_grids("cubic", 3, holes), *copy = NULL;
    float *a, *b;
    uint8_t *va, *vb;
    TEST_OK(s2clr_stack_clone(stack, &copy));
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    rig_read_all(stack, &a, &va);
    CU_ASSERT_STRING_EQUAL(s2clr_stack_describe(copy)->wkt, s2clr_stack_describe(stack)->wkt);
    s2clr_stack_close(stack);
    rig_read_all(copy, &b, &vb);
    CU_ASSERT_EQUAL(memcmp(a, b, 2 * 60 * 48 * sizeof *a), 0);
    CU_ASSERT_EQUAL(memcmp(va, vb, 60 * 48), 0);
    free(a), free(b), free(va), free(vb);
    s2clr_stack_close(copy);
}

/* Same lattice, other extent: B03 begins 3 pixels right of and 2 below B04. */
static void shifted_extent(void)
{
    const rig_raster a = {
        .name = "s_B04.tif", .width = 20, .height = 15, .bands = 1, .metres = 10, .fill = rough};
    const rig_raster b = {.name = "s_B03.tif",
                          .width = 20,
                          .height = 15,
                          .bands = 1,
                          .metres = 10,
                          .shift_x = 30,
                          .shift_y = -20,
                          .fill = rough};
    const s2clr_card card = rig_card("B04,B03");
    const char *const inputs[] = {rig_write(&a), rig_write(&b)};
    s2clr_stack *stack = NULL;
    float *values;
    uint8_t *valid;
    TEST_OK(s2clr_stack_open(inputs, 2, &card, NULL, &stack));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stack);
    rig_read_all(stack, &values, &valid);
    for (int i = 0; i < 300; i++) {
        const int x = i % 20 - 3, y = i / 20 - 2;
        CU_ASSERT_EQUAL(valid[i], x >= 0 && y >= 0);
        CU_ASSERT_EQUAL(values[300 + i], x >= 0 && y >= 0 ? (float)rough(1, x, y) : 0);
    }
    rig_check_windows(stack);
    free(values), free(valid);
    s2clr_stack_close(stack);
}

static void truncated_file(void)
{
    const rig_raster spec = {.name = "short.tif",
                             .width = 200,
                             .height = 200,
                             .bands = 1,
                             .metres = 10,
                             .names = "B4",
                             .fill = rough};
    const s2clr_card card = rig_card("B04");
    const char *path = rig_write(&spec);
    float *values = malloc(40000 * sizeof *values);
    uint8_t *valid = malloc(40000);
    FILE *file = fopen(path, "rb+");
    char *bytes = malloc(100000);
    const size_t count = fread(bytes, 1, 100000, file);
    fclose(file);
    file = fopen(path, "wb");
    CU_ASSERT_EQUAL(fwrite(bytes, 1, count / 2, file), count / 2);
    fclose(file);
    free(bytes);
    s2clr_stack *stack = NULL;
    s2clr_status status = s2clr_stack_open(&path, 1, &card, NULL, &stack);
    if (status == S2CLR_OK) status = s2clr_stack_read(stack, 0, 0, 200, 200, values, valid);
    CU_ASSERT_EQUAL(status, S2CLR_ERR_IO);
    TEST_ERROR_SAYS("short.tif");
    free(values), free(valid);
    s2clr_stack_close(stack);
}

static void senseless_windows(void)
{
    s2clr_stack *stack = two_grids("nearest", 2, rough);
    float value[2];
    uint8_t valid;
    CU_ASSERT_EQUAL(s2clr_stack_read(stack, 0, 0, 0, 1, value, &valid), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_stack_read(stack, INT64_MIN, 0, 1, 1, value, &valid), S2CLR_ERR_ARGUMENT);
    TEST_OK(s2clr_stack_read(stack, (int64_t)1 << 40, -((int64_t)1 << 40), 1, 1, value, &valid));
    CU_ASSERT_EQUAL(valid, 0);
    CU_ASSERT_EQUAL(value[1], 0);
    s2clr_stack_close(stack);
}

static const test_case cases[] = {
    {"normalisation", normalisation},
    {"resampling_equals_gdal", resampling_equals_gdal},
    {"holes_do_not_bleed", holes_do_not_bleed},
    {"cubic_beside_holes", cubic_beside_holes},
    {"constant_stays_constant", constant_stays_constant},
    {"windows_never_matter", windows_never_matter},
    {"clone_equals", clone_equals},
    {"shifted_extent", shifted_extent},
    {"truncated_file", truncated_file},
    {"senseless_windows", senseless_windows},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    CPLPushErrorHandler(CPLQuietErrorHandler); /* rasters made to be odd make GDAL talk */
    return TEST_MAIN("stack_read", cases, argc, argv);
}
