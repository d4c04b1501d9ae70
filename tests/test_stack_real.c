/* The real data of shared/data: what opens, as what, with which values. */
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "stack_rig.h"

#define SAFE "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
#define TEN "B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12" /* SimCLR-S2 */

/* The real product and its numbers, as gdalinfo gives them. */
static void real_safe_zip(void)
{
    const char *zip = test_data(SAFE ".zip");
    s2clr_stack *stack;
    if (!zip) {
        test_skip("no real data (shared/data)");
        return;
    }
    const s2clr_stack_info *info = rig_opens_as(zip, TEN, "L2A SAFE", &stack);
    CU_ASSERT_EQUAL(info->width, 720);
    CU_ASSERT_EQUAL(info->height, 720);
    CU_ASSERT_EQUAL(info->transform[0], 512580);
    CU_ASSERT_EQUAL(info->transform[3], 5900040);
    CU_ASSERT_STRING_EQUAL(info->baseline, "04.00");
    for (int b = 0; b < 10; b++) CU_ASSERT_EQUAL(info->band[b].offset, -1000);
    CU_ASSERT_EQUAL(info->warnings, 0);
    s2clr_stack_close(stack);
}

static void real_segura(void)
{
    const char *path = test_data("scenes_l1c/segura/S2_L1C_13bands.tif");
    s2clr_stack *stack;
    if (!path) {
        test_skip("no real data (shared/data)");
        return;
    }
    const s2clr_stack_info *info = rig_opens_as(path, TEN, "raster files", &stack);
    static const int numbers[] = {2, 3, 4, 5, 6, 7, 8, 9, 12, 13};
    for (int b = 0; b < 10; b++) CU_ASSERT_EQUAL(info->band[b].number, numbers[b]);
    CU_ASSERT_STRING_EQUAL(info->level, "L1C");
    CU_ASSERT_TRUE(rig_warned(stack, "geographic CRS"));
    TEST_NEAR(info->metres_x, 7.88, 0.01); /* 8.98e-5 degrees of a parallel at 38.1 N */
    TEST_NEAR(info->metres_y, 9.97, 0.01);
    s2clr_stack_close(stack);
}

static void real_scenes(void)
{
    static const char *const places[] = {"valencia", "montpellier", "bordeaux",
                                         "saclay_e", "nantes",      "rennes"};
    if (!test_data("scenes_l1c")) {
        test_skip("no real data (shared/data)");
        return;
    }
    for (int i = 0; i < 12; i++) {
        char name[80];
        s2clr_stack *stack;
        snprintf(name, sizeof name, "scenes_l1c/%s/date%d", places[i / 2], i % 2 + 1);
        const s2clr_stack_info *info =
            rig_opens_as(test_data(name), TEN, "folder of band files", &stack);
        CU_ASSERT_STRING_EQUAL(info->level, "L1C");
        CU_ASSERT_STRING_EQUAL(info->level_from, "name scenes_l1c");
        CU_ASSERT(info->metres_x > 6.7 && info->metres_y < 15);
        s2clr_stack_close(stack);
    }
}

static void real_bigearthnet(void)
{
    const char *root = test_data("bigearthnet_v1");
    if (!root) {
        test_skip("no real data (shared/data)");
        return;
    }
    char **names = VSIReadDir(root);
    int patches = 0;
    for (int i = 0; i < CSLCount(names); i++) {
        char path[1200];
        s2clr_stack *stack;
        if (strncmp(names[i], "S2", 2) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", test_data("bigearthnet_v1"), names[i]);
        const s2clr_stack_info *info =
            rig_opens_as(path, TEN ",B01,B09", "BigEarthNet v1 patch", &stack);
        CU_ASSERT_EQUAL(info->width, 120);
        CU_ASSERT_EQUAL(info->band[10].metres, 60);
        CU_ASSERT_STRING_EQUAL(info->level, "L2A");
        CU_ASSERT_STRING_EQUAL(info->offset_from, "none found");
        CU_ASSERT_EQUAL(info->warnings, 0);
        s2clr_stack_close(stack);
        patches++;
    }
    CU_ASSERT_EQUAL(patches, 11);
    CSLDestroy(names);
}

static void eurosat_picture(void)
{
    const char *zip = test_data("eurosat_rgb.zip");
    char path[1200];
    if (!zip || !GDALGetDriverByName("JPEG")) {
        test_skip("no real data (shared/data) or no JPEG driver");
        return;
    }
    snprintf(path, sizeof path, "/vsizip/%s/PermanentCrop", zip);
    char **names = VSIReadDir(path);
    if (!names) {
        test_skip("eurosat_rgb.zip has no PermanentCrop folder at its top");
        return;
    }
    snprintf(path, sizeof path, "/vsizip/%s/PermanentCrop/%s", zip, names[0]);
    CSLDestroy(names);
    s2clr_card card = rig_card("B04,B03,B02");
    snprintf(card.level[1].name, sizeof card.level[1].name, "EUROSAT8");
    const char *const inputs[] = {path, NULL};
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "--input-bands");
    const s2clr_stack_options options = {.bands = "1,2,3", .level = "EUROSAT8"};
    s2clr_stack *stack = rig_open(path, &card, &options);
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    CU_ASSERT_EQUAL(info->width, 64);
    CU_ASSERT_FALSE(info->has_transform);
    CU_ASSERT_TRUE(rig_warned(stack, "no georeference"));
    s2clr_stack_close(stack);
}

static void product_grid_follows_card(void)
{
    const char *path = test_data("bigearthnet_v1/S2A_MSIL2A_20170613T101031_87_48");
    if (!path) {
        test_skip("no real data (shared/data)");
        return;
    }
    s2clr_card card = rig_card("B05,B11");
    s2clr_stack *stack = rig_open(path, &card, NULL);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->width, 120); /* both bands have 60 pixels */
    s2clr_stack_close(stack);
    card = rig_card("B04,B05");
    card.metres = 20;
    stack = rig_open(path, &card, NULL);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->width, 60);
    TEST_NEAR(s2clr_stack_describe(stack)->transform[1], 20, 1e-9);
    s2clr_stack_close(stack);
}

/* Real grids whose pixel sizes are no multiples of each other. */
static void windows_of_real_scene(void)
{
    const char *path = test_data("scenes_l1c/rennes/date1");
    if (!path) {
        test_skip("no real data (shared/data)");
        return;
    }
    static const char *const names[] = {"nearest", "bilinear", "cubic"};
    for (int m = 0; m < 3; m++) {
        s2clr_card card = rig_card("B04,B05,B01");
        snprintf(card.resampling, sizeof card.resampling, "%s", names[m]);
        s2clr_stack *stack = rig_open(path, &card, NULL);
        rig_check_windows(stack);
        s2clr_stack_close(stack);
    }
}

/* A band of 10 m brought to a product grid of 20 m: the mean of neighbours, windows or not. */
static void coarser_than_native(void)
{
    const char *path = test_data("bigearthnet_v1/S2A_MSIL2A_20170613T101031_87_48");
    if (!path) {
        test_skip("no real data (shared/data)");
        return;
    }
    static const char *const names[] = {"nearest", "bilinear", "cubic"};
    for (int m = 0; m < 3; m++) {
        s2clr_card card = rig_card("B04,B05,B01");
        card.metres = 20;
        snprintf(card.resampling, sizeof card.resampling, "%s", names[m]);
        s2clr_stack *stack = rig_open(path, &card, NULL);
        rig_check_windows(stack);
        s2clr_stack_close(stack);
    }
}

/* Every pixel of a real product against the driver's own bands (10 m as they are, 20 m nearest). */
static void real_product_pixels(void)
{
    const char *zip = test_data(SAFE ".zip");
    if (!zip) {
        test_skip("no real data (shared/data)");
        return;
    }
    static const char *const resolution[] = {"10m", "20m"};
    enum { N = 720 };
    s2clr_card card = rig_card("B04,B08,B05,B12");
    snprintf(card.resampling, sizeof card.resampling, "nearest");
    s2clr_stack *stack = rig_open(zip, &card, NULL);
    uint16_t *dn = malloc(N * N * sizeof *dn);
    float *values;
    uint8_t *valid;
    rig_read_all(stack, &values, &valid);
    static const int numbers[] = {1, 4, 1, 6}; /* B4, B8; B5, B12 in the driver's order */
    size_t bad = 0, good = 0;
    for (int b = 0; b < 4; b++) {
        char name[1400];
        snprintf(name, sizeof name,
                 "SENTINEL2_L2A:/vsizip/%s/" SAFE "/MTD_MSIL2A.xml:%s:"
                 "EPSG_32629",
                 test_data(SAFE ".zip"), resolution[b / 2]);
        CPLPushErrorHandler(CPLQuietErrorHandler);
        GDALDatasetH dataset = GDALOpen(name, GA_ReadOnly);
        CPLPopErrorHandler();
        CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
        const int n = N / (b / 2 + 1);
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(dataset, numbers[b]), GF_Read, 0, 0, n, n,
                                     dn, n, n, GDT_UInt16, 0, 0),
                        CE_None);
        GDALClose(dataset);
        for (int i = 0; i < N * N; i++) {
            const int raw = dn[(i / N) * n / N * n + (i % N) * n / N];
            if (raw == 0 && valid[i]) bad++;
            if (valid[i] && values[b * N * N + i] != (float)(raw - 1000)) bad++;
            good += valid[i];
        }
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT(good > 0);
    free(dn), free(values), free(valid);
    s2clr_stack_close(stack);
}

static const test_case cases[] = {
    {"real_safe_zip", real_safe_zip},
    {"real_segura", real_segura},
    {"real_scenes", real_scenes},
    {"real_bigearthnet", real_bigearthnet},
    {"eurosat_picture", eurosat_picture},
    {"product_grid_follows_card", product_grid_follows_card},
    {"windows_of_real_scene", windows_of_real_scene},
    {"coarser_than_native", coarser_than_native},
    {"real_product_pixels", real_product_pixels},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("stack_real", cases, argc, argv);
}
