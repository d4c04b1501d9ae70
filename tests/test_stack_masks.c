/* What is invalid: nodata of every kind, masks, scene classes. */
#include <cpl_string.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "safe_fixture.h"
#include "stack_rig.h"

static double ground(int band, int x, int y)
{
    return 1000 * band + 7 * x + y;
}

typedef struct nodata_kind {
    GDALDataType type;
    double nodata;
} nodata_kind;

static double kind_nodata;

static double kind_fill(int band, int x, int y)
{
    (void)band;
    return (x + y) % 3 == 0 ? kind_nodata : 5 + x;
}

static void nodata_kinds(void)
{
    static const nodata_kind kinds[] = {
        {GDT_Byte, 255},          {GDT_UInt16, 65535},       {GDT_UInt16, 0},
        {GDT_Int16, -9999},       {GDT_UInt32, 4294967295.}, {GDT_Int32, -2147483648.},
        {GDT_Int32, 2147483647.}, {GDT_Float32, NAN},        {GDT_Float32, -3.4028234663852886e38},
        {GDT_Float32, 0.1},       {GDT_Float64, -1e300},     {GDT_Float64, 1e-300},
        {GDT_Float32, INFINITY},
    };
    const s2clr_card card = rig_card("B04");
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const rig_raster spec = {.name = "kind.tif",
                                 .width = 7,
                                 .height = 5,
                                 .bands = 1,
                                 .type = kinds[k].type,
                                 .metres = 10,
                                 .names = "B4",
                                 .nodata = &kinds[k].nodata,
                                 .fill = kind_fill};
        float *values;
        uint8_t *valid;
        kind_nodata = kinds[k].nodata;
        s2clr_stack *stack = rig_open(rig_write(&spec), &card, NULL);
        CU_ASSERT_TRUE(s2clr_stack_describe(stack)->band[0].has_nodata);
        rig_read_all(stack, &values, &valid);
        for (int i = 0; i < 35; i++) {
            const bool good = (i % 7 + i / 7) % 3 != 0;
            CU_ASSERT_EQUAL(valid[i], good);
            CU_ASSERT_EQUAL(values[i], good ? 5 + i % 7 : 0);
        }
        free(values), free(valid);
        s2clr_stack_close(stack);
    }
}

#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 5, 0)
static void nodata_of_64_bits(void)
{
    const s2clr_card card = rig_card("B04");
    const int64_t nodata = INT64_MIN + 1, row[4] = {nodata, 7, 0, -3};
    const char *path = rig_path("int64.tif");
    float values[4];
    uint8_t valid[4];
    GDALDatasetH dataset = GDALCreate(GDALGetDriverByName("GTiff"), path, 4, 1, 1, GDT_Int64, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    GDALRasterBandH band = GDALGetRasterBand(dataset, 1);
    GDALSetRasterNoDataValueAsInt64(band, nodata);
    GDALSetDescription(band, "B4");
    CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Write, 0, 0, 4, 1, (void *)row, 4, 1, GDT_Int64, 0, 0),
                    CE_None);
    GDALClose(dataset);
    s2clr_stack *stack = rig_open(path, &card, NULL);
    TEST_OK(s2clr_stack_read(stack, 0, 0, 4, 1, values, valid));
    static const float wanted[4] = {0, 7, 0, -3};
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(valid[i], i != 0);
        CU_ASSERT_EQUAL(values[i], wanted[i]);
    }
    s2clr_stack_close(stack);
}
#endif

static double zero_nan_inf(int band, int x, int y)
{
    (void)band, (void)y;
    return x == 0 ? 0.0 : x == 1 ? (double)NAN : x == 2 ? (double)INFINITY : (double)x;
}

/* The level's nodata counts only where the raster declares none; NaN never counts as data. */
static void level_nodata_and_nan(void)
{
    static const double own = 3;
    rig_raster spec = {.name = "nan.tif",
                       .width = 5,
                       .height = 1,
                       .bands = 1,
                       .type = GDT_Float32,
                       .metres = 10,
                       .names = "B4",
                       .fill = zero_nan_inf};
    static const uint8_t wanted[2][5] = {{0, 0, 0, 1, 1}, {1, 0, 0, 0, 1}};
    const s2clr_card card = rig_card("B04");
    for (int i = 0; i < 2; i++) {
        float values[5];
        uint8_t valid[5];
        spec.nodata = i ? &own : NULL;
        s2clr_stack *stack = rig_open(rig_write(&spec), &card, NULL);
        TEST_OK(s2clr_stack_read(stack, 0, 0, 5, 1, values, valid));
        CU_ASSERT_EQUAL(memcmp(valid, wanted[i], 5), 0);
        CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->band[0].nodata, i ? 3 : 0);
        for (int x = 0; x < 5; x++) CU_ASSERT_EQUAL(values[x], wanted[i][x] ? (float)x : 0);
        s2clr_stack_close(stack);
    }
}

static double mask_fill(int x, int y)
{
    return (x * y) % 4 == 1 ? 0 : 255;
}

/* kind 0: mask band of the dataset; 1: alpha band. */
static void check_mask(int kind)
{
    rig_raster spec = {.name = "mask.tif",
                       .width = 10,
                       .height = 6,
                       .bands = kind ? 2 : 1,
                       .metres = 10,
                       .names = "B4",
                       .fill = ground};
    const s2clr_card card = rig_card("B04");
    float *values;
    uint8_t *valid, row[10];
    const char *path = rig_write(&spec);
    GDALDatasetH dataset = GDALOpen(path, GA_Update);
    if (kind)
        GDALSetRasterColorInterpretation(GDALGetRasterBand(dataset, 2), GCI_AlphaBand);
    else
        CU_ASSERT_EQUAL(GDALCreateDatasetMaskBand(dataset, GMF_PER_DATASET), CE_None);
    GDALRasterBandH band =
        kind ? GDALGetRasterBand(dataset, 2) : GDALGetMaskBand(GDALGetRasterBand(dataset, 1));
    for (int y = 0; y < 6; y++) {
        for (int x = 0; x < 10; x++) row[x] = (uint8_t)mask_fill(x, y);
        CU_ASSERT_EQUAL(GDALRasterIO(band, GF_Write, 0, y, 10, 1, row, 10, 1, GDT_Byte, 0, 0),
                        CE_None);
    }
    GDALClose(dataset);
    s2clr_stack *stack = rig_open(path, &card, NULL);
    rig_read_all(stack, &values, &valid);
    for (int i = 0; i < 60; i++) {
        const bool good = mask_fill(i % 10, i / 10) != 0;
        CU_ASSERT_EQUAL(valid[i], good);
        CU_ASSERT_EQUAL(values[i], good ? (float)ground(1, i % 10, i / 10) : 0);
    }
    free(values), free(valid);
    s2clr_stack_close(stack);
}

static void mask_band(void)
{
    check_mask(0);
}

static void alpha_band(void)
{
    check_mask(1);
}

static double classes(int band, int x, int y)
{
    (void)band;
    return (x + 2 * y) % 12;
}

static bool clear_class(double value)
{
    return value == 2 || (value >= 4 && value <= 7) || value == 11;
}

/* SCL of 20 m that covers only a part: the rest counts as class 0. */
static void scl_file(void)
{
    const rig_raster spec = {.name = "m.tif",
                             .width = 24,
                             .height = 16,
                             .bands = 1,
                             .metres = 10,
                             .names = "B4",
                             .fill = ground};
    const rig_raster scl = {.name = "scl.tif",
                            .width = 10,
                            .height = 8,
                            .bands = 1,
                            .type = GDT_Byte,
                            .metres = 20,
                            .fill = classes};
    const s2clr_card card = rig_card("B04");
    const char *path = rig_write(&spec);
    s2clr_stack_options options = {.scl = rig_write(&scl)};
    for (int custom = 0; custom < 2; custom++) {
        float *values;
        uint8_t *valid;
        options.scl_classes = custom ? "5,11" : NULL;
        s2clr_stack *stack = rig_open(path, &card, &options);
        CU_ASSERT_TRUE(s2clr_stack_describe(stack)->has_scl);
        rig_read_all(stack, &values, &valid);
        for (int i = 0; i < 24 * 16; i++) {
            const int x = i % 24, y = i / 24;
            const double value = x < 20 ? classes(1, x / 2, y / 2) : 0;
            const bool good = custom ? value != 5 && value != 11 : clear_class(value);
            CU_ASSERT_EQUAL(valid[i], good);
            CU_ASSERT_EQUAL(values[i], good ? (float)ground(1, x, y) : 0);
        }
        free(values), free(valid);
        s2clr_stack_close(stack);
    }
}

static void scl_windows(void)
{
    const rig_raster spec = {.name = "w.tif",
                             .width = 24,
                             .height = 16,
                             .bands = 1,
                             .metres = 10,
                             .names = "B4",
                             .fill = ground};
    const rig_raster scl = {.name = "w_scl.tif",
                            .width = 12,
                            .height = 8,
                            .bands = 1,
                            .type = GDT_Byte,
                            .metres = 20,
                            .fill = classes};
    const s2clr_card card = rig_card("B04");
    const char *path = rig_write(&spec);
    const s2clr_stack_options options = {.scl = rig_write(&scl)};
    float *whole, value;
    uint8_t *valid, one;
    s2clr_stack *stack = rig_open(path, &card, &options), *copy = NULL;
    rig_read_all(stack, &whole, &valid);
    TEST_OK(s2clr_stack_clone(stack, &copy));
    s2clr_stack_close(stack);
    for (int i = 0; i < 24 * 16; i++) {
        TEST_OK(s2clr_stack_read(copy, i % 24, i / 24, 1, 1, &value, &one));
        CU_ASSERT(value == whole[i] && one == valid[i]);
    }
    free(whole), free(valid);
    s2clr_stack_close(copy);
}

static void scl_refused(void)
{
    const rig_raster spec = {.name = "r.tif",
                             .width = 24,
                             .height = 16,
                             .bands = 1,
                             .metres = 10,
                             .names = "B4",
                             .fill = ground};
    rig_raster scl = {.name = "r_scl.tif",
                      .width = 12,
                      .height = 8,
                      .bands = 1,
                      .type = GDT_Byte,
                      .metres = 20,
                      .shift_x = 1e5,
                      .fill = classes};
    const s2clr_card card = rig_card("B04");
    const char *const inputs[] = {rig_write(&spec), NULL};
    s2clr_stack_options options = {.scl = rig_write(&scl)};
    rig_refused(inputs, &card, &options, S2CLR_ERR_MISMATCH, "does not overlap");
    scl.shift_x = 0, scl.epsg = 32631;
    options.scl = rig_write(&scl);
    rig_refused(inputs, &card, &options, S2CLR_ERR_MISMATCH, "CRS is WGS 84 / UTM zone 31N");
    float value;
    uint8_t valid;
    options.scl = inputs[0]; /* DN are no classes */
    s2clr_stack *wrong = rig_open(inputs[0], &card, &options);
    CU_ASSERT_EQUAL(s2clr_stack_read(wrong, 5, 5, 1, 1, &value, &valid), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("a scene classification holds 0 to 255");
    s2clr_stack_close(wrong);
    options.scl = rig_path("absent.tif");
    rig_refused(inputs, &card, &options, S2CLR_ERR_IO, "absent.tif");
    static const char *const bad[] = {"3,", "x", "-1", "256", "1 2", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.scl_classes = bad[i];
        rig_refused(inputs, &card, &options, S2CLR_ERR_ARGUMENT, "SCL classes");
    }
    options = (s2clr_stack_options){.scl = "auto"};
    s2clr_stack *stack = rig_open(inputs[0], &card, &options);
    CU_ASSERT_FALSE(s2clr_stack_describe(stack)->has_scl);
    CU_ASSERT_TRUE(rig_warned(stack, "no scene classification"));
    s2clr_stack_close(stack);
}

/* Every pixel of a made product: 10 m bands, SCL and the corner without data. */
static void scl_of_product(void)
{
    safe_fixture fixture = safe_fixture_default();
    char safe[1024];
    float *values;
    uint8_t *valid;
    if (!safe_fixture_possible()) {
        test_skip("this GDAL has no JP2OpenJPEG driver");
        return;
    }
    CU_ASSERT_EQUAL_FATAL(safe_fixture_write(test_folder(), &fixture, safe, sizeof safe), 0);
    s2clr_card card = rig_card("B03,B12,B01");
    snprintf(card.resampling, sizeof card.resampling, "nearest");
    const s2clr_stack_options options = {.scl = "auto"};
    s2clr_stack *stack = rig_open(safe, &card, &options);
    CU_ASSERT_TRUE(s2clr_stack_describe(stack)->has_scl);
    rig_read_all(stack, &values, &valid);
    const int w = fixture.width / 10, total = w * fixture.height / 10;
    int clouds = 0;
    for (int i = 0; i < total; i++) {
        const int x = i % w, y = i / w;
        const int dn[3] = {safe_fixture_dn(&fixture, "B03", x, y),
                           safe_fixture_dn(&fixture, "B12", x / 2, y / 2),
                           safe_fixture_dn(&fixture, "B01", x / 6, y / 6)};
        const int class = safe_fixture_dn(&fixture, "SCL", x / 2, y / 2);
        const bool good = dn[0] && dn[1] && dn[2] && class != 0 && class != 9;
        clouds += class == 9;
        CU_ASSERT_EQUAL(valid[i], good);
        for (int b = 0; b < 3; b++)
            CU_ASSERT_EQUAL(values[b * total + i], good ? (float)(dn[b] - 1000) : 0);
    }
    CU_ASSERT(clouds > 0);
    free(values), free(valid);
    s2clr_stack_close(stack);
}

static const test_case cases[] = {
    {"nodata_kinds", nodata_kinds},
#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 5, 0)
    {"nodata_of_64_bits", nodata_of_64_bits},
#endif
    {"level_nodata_and_nan", level_nodata_and_nan},
    {"mask_band", mask_band},
    {"alpha_band", alpha_band},
    {"scl_file", scl_file},
    {"scl_windows", scl_windows},
    {"scl_refused", scl_refused},
    {"scl_of_product", scl_of_product},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    CPLPushErrorHandler(CPLQuietErrorHandler); /* rasters made to be odd make GDAL talk */
    return TEST_MAIN("stack_masks", cases, argc, argv);
}
