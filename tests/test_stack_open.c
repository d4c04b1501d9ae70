/* What opens, as what, and what is refused with which message. */
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "safe_fixture.h"
#include "stack_rig.h"

#define TEN "B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12" /* SimCLR-S2 */

static double ramp(int band, int x, int y)
{
    return 100 * band + x + 10 * y + 1;
}

static int spoken;

static void CPL_STDCALL count_messages(CPLErr level, CPLErrorNum number, const char *text)
{
    (void)number, (void)text;
    spoken += level >= CE_Warning;
}

static void safe_forms(const char *safe, const char *zip)
{
    char forms[5][1400];
    s2clr_stack *stack;
    snprintf(forms[0], sizeof forms[0], "%.1000s", safe);
    snprintf(forms[1], sizeof forms[0], "%.1000s/MTD_MSIL2A.xml", safe);
    snprintf(forms[2], sizeof forms[0], "%.1000s", zip);
    snprintf(forms[3], sizeof forms[0], "/vsizip/%.1000s", zip);
    snprintf(forms[4], sizeof forms[0], "%.1000s/", safe);
    for (int i = 0; i < 5; i++) {
        spoken = 0;
        CPLPushErrorHandler(count_messages);
        const s2clr_stack_info *info = rig_opens_as(forms[i], TEN, "L2A SAFE", &stack);
        CPLPopErrorHandler();
        CU_ASSERT_EQUAL(spoken, 0); /* the driver warns of layers we do not need */
        CU_ASSERT_STRING_EQUAL(info->level, "L2A");
        CU_ASSERT_STRING_EQUAL(info->level_from, "product XML");
        CU_ASSERT_STRING_EQUAL(info->offset_from, "BOA_ADD_OFFSET in product XML");
        CU_ASSERT_STRING_EQUAL(info->baseline, "05.09");
        CU_ASSERT_EQUAL(info->width, 144);
        CU_ASSERT_EQUAL(info->height, 120);
        CU_ASSERT_EQUAL(info->warnings, 0);
        TEST_NEAR(info->metres_x, 10, 1e-9);
        for (int b = 0; b < 10; b++) CU_ASSERT_EQUAL(info->band[b].offset, -1000);
        CU_ASSERT_EQUAL(info->band[3].metres, 20);
        CU_ASSERT_EQUAL(info->band[0].number, 3); /* the driver's order is B4, B3, B2, B8 */
        s2clr_stack_close(stack);
    }
}

static void made_safe(void)
{
    safe_fixture fixture = safe_fixture_default();
    char safe[1024];
    if (!safe_fixture_possible()) {
        test_skip("this GDAL has no JP2OpenJPEG driver");
        return;
    }
    CU_ASSERT_EQUAL_FATAL(safe_fixture_write(test_folder(), &fixture, safe, sizeof safe), 0);
    const char *zip = rig_path("renamed.zip");
    CU_ASSERT_EQUAL_FATAL(safe_fixture_zip(safe, zip), 0);
    safe_forms(safe, zip);

    char name[1200];
    s2clr_stack *stack;
    snprintf(name, sizeof name, "SENTINEL2_L2A:%s/MTD_MSIL2A.xml:10m:EPSG_32630", safe);
    const s2clr_stack_info *info = rig_opens_as(name, "B08,B02", "SENTINEL2 subdataset", &stack);
    CU_ASSERT_EQUAL(info->band[0].number, 4);
    CU_ASSERT_EQUAL(info->band[0].offset, -1000);
    s2clr_stack_close(stack);
    const char *const inputs[] = {name, NULL};
    const s2clr_card card = rig_card("B08,B11");
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "no band B11");
}

/* The driver lists a band whose file is missing all the same; we must not read it as nodata. */
static void safe_with_missing_file(void)
{
    safe_fixture fixture = safe_fixture_default();
    char safe[1024];
    if (!safe_fixture_possible()) {
        test_skip("this GDAL has no JP2OpenJPEG driver");
        return;
    }
    fixture.omit = "B11";
    CU_ASSERT_EQUAL_FATAL(safe_fixture_write(rig_path("omit"), &fixture, safe, sizeof safe), 0);
    const char *const inputs[] = {safe, NULL};
    const s2clr_card card = rig_card("B02,B11");
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "no band B11");
}

static void made_l1c(void)
{
    safe_fixture fixture = safe_fixture_default();
    char safe[1024];
    s2clr_stack *stack;
    if (!safe_fixture_possible()) {
        test_skip("this GDAL has no JP2OpenJPEG driver");
        return;
    }
    fixture.l1c = true;
    fixture.offset = -900;
    CU_ASSERT_EQUAL_FATAL(safe_fixture_write(rig_path("l1c"), &fixture, safe, sizeof safe), 0);
    const s2clr_stack_info *info = rig_opens_as(safe, "B04,B10,B12", "L1C SAFE", &stack);
    CU_ASSERT_STRING_EQUAL(info->level, "L1C");
    CU_ASSERT_STRING_EQUAL(info->offset_from, "RADIO_ADD_OFFSET in product XML");
    CU_ASSERT_EQUAL(info->band[1].offset, -900);
    s2clr_stack_close(stack);
    const char *const inputs[] = {safe, NULL};
    s2clr_card card = rig_card("B04");
    card.levels = 1;
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "processing level is L1C");
}

static void old_baseline(void)
{
    safe_fixture fixture = safe_fixture_default();
    char safe[1024];
    s2clr_stack *stack;
    if (!safe_fixture_possible()) {
        test_skip("this GDAL has no JP2OpenJPEG driver");
        return;
    }
    fixture.offset = 0, fixture.list_offsets = false, fixture.baseline = "02.12";
    CU_ASSERT_EQUAL_FATAL(safe_fixture_write(rig_path("old"), &fixture, safe, sizeof safe), 0);
    const s2clr_stack_info *info = rig_opens_as(safe, "B04", "L2A SAFE", &stack);
    CU_ASSERT_STRING_EQUAL(info->offset_from, "none found");
    CU_ASSERT_STRING_EQUAL(info->baseline, "02.12");
    CU_ASSERT_EQUAL(info->band[0].offset, 0);
    s2clr_stack_close(stack);
}

static void multi_band_file(void)
{
    const rig_raster spec = {.name = "S2_L1C_x.tif",
                             .width = 12,
                             .height = 8,
                             .bands = 3,
                             .metres = 10,
                             .names = "B4,swir16,\"B3, central wavelength 560 nm\"",
                             .fill = ramp};
    s2clr_stack *stack;
    const s2clr_stack_info *info =
        rig_opens_as(rig_write(&spec), "B03,B04,B11", "raster files", &stack);
    CU_ASSERT_EQUAL(info->band[0].number, 3);
    CU_ASSERT_EQUAL(info->band[1].number, 1);
    CU_ASSERT_EQUAL(info->band[2].number, 2);
    CU_ASSERT_STRING_EQUAL(info->band[2].found_by, "description swir16");
    CU_ASSERT_STRING_EQUAL(info->level, "L1C");
    CU_ASSERT_STRING_EQUAL(info->level_from, "name S2_L1C_x.tif");
    CU_ASSERT_STRING_EQUAL(info->offset_from, "none found");
    CU_ASSERT_TRUE(info->has_transform);
    CU_ASSERT_PTR_NOT_NULL(strstr(info->wkt, "UTM zone 30N"));
    s2clr_stack_close(stack);
}

static void single_band_files(void)
{
    const rig_raster a = {
        .name = "t_B04_10m.tif", .width = 12, .height = 8, .bands = 1, .metres = 10, .fill = ramp};
    const rig_raster b = {
        .name = "t_B11_20m.tif", .width = 6, .height = 4, .bands = 1, .metres = 20, .fill = ramp};
    const s2clr_card card = rig_card("B11,B04");
    const char *const inputs[] = {rig_write(&a), rig_write(&b)};
    s2clr_stack *stack = NULL;
    TEST_OK(s2clr_stack_open(inputs, 2, &card, NULL, &stack));
    CU_ASSERT_PTR_NOT_NULL_FATAL(stack);
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    CU_ASSERT_EQUAL(info->width, 12);
    CU_ASSERT_EQUAL(info->band[0].metres, 20);
    CU_ASSERT_STRING_EQUAL(info->band[0].found_by, "file name");
    CU_ASSERT_STRING_EQUAL(info->level_from, "assumed");
    CU_ASSERT_TRUE(rig_warned(stack, "processing level unknown, L2A assumed"));
    s2clr_stack_close(stack);
}

/* A folder that holds a band in several pixel sizes: the finest is meant. */
static void folder(void)
{
    rig_raster spec = {.name = "f/T30_B04_20m.tif",
                       .width = 6,
                       .height = 4,
                       .bands = 1,
                       .metres = 20,
                       .fill = ramp};
    s2clr_stack *stack;
    CU_ASSERT_EQUAL(VSIMkdirRecursive(rig_path("f"), 0755), 0);
    rig_write(&spec);
    spec.name = "f/T30_B03_20m.tif";
    rig_write(&spec);
    spec = (rig_raster){.name = "f/T30_B04_10m.tif",
                        .width = 12,
                        .height = 8,
                        .bands = 1,
                        .metres = 10,
                        .fill = ramp};
    rig_write(&spec);
    const s2clr_stack_info *info =
        rig_opens_as(rig_path("f"), "B04,B03", "folder of band files", &stack);
    CU_ASSERT_PTR_NOT_NULL(strstr(info->band[0].source, "B04_10m"));
    s2clr_stack_close(stack);
    spec.name = "f/other_B04_10m.tif";
    rig_write(&spec);
    const char *const inputs[] = {rig_path("f"), NULL};
    const s2clr_card card = rig_card("B04");
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "two candidates for band B04");
}

static void bands_option(void)
{
    const rig_raster spec = {
        .name = "plain.tif", .width = 8, .height = 8, .bands = 4, .metres = 10, .fill = ramp};
    const s2clr_card card = rig_card("B04,B03");
    const char *path = rig_write(&spec), *const inputs[] = {path, NULL};
    s2clr_stack_options options = {.bands = "4,2"};
    s2clr_stack *stack = rig_open(path, &card, &options);
    const s2clr_stack_info *info = s2clr_stack_describe(stack);
    CU_ASSERT_EQUAL(info->band[0].number, 4);
    CU_ASSERT_EQUAL(info->band[1].number, 2);
    CU_ASSERT_STRING_EQUAL(info->band[1].found_by, "--input-bands");
    s2clr_stack_close(stack);
    options.bands = "green=1,B4=3";
    stack = rig_open(path, &card, &options);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->band[0].number, 3);
    s2clr_stack_close(stack);
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "--input-bands (open option INPUT_BANDS)");
    static const char *const bad[][2] = {
        {"1", "fewer"},
        {"1,2,3", "more"},
        {"1,1", "twice"},
        {"1,5", "no raster"},
        {"1,x", "whole number"},
        {"1,-2", "whole number"},
        {"B04=1,2", "mixes"},
        {"B02=1", "is no band of the model"},
        {"B04=1,red=2", "twice"},
        {"1,", "empty"},
        {"0.5x,1", "whole"},
        {"1,2 ", "whole number"},
        {"", "empty"},
        {"1,99999999999999999999", "no raster"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.bands = bad[i][0];
        rig_refused(inputs, &card, &options, S2CLR_ERR_ARGUMENT, bad[i][1]);
    }
}

static void two_candidates(void)
{
    const rig_raster spec = {.name = "two.tif",
                             .width = 8,
                             .height = 8,
                             .bands = 3,
                             .metres = 10,
                             .names = "B4,B3,red",
                             .fill = ramp};
    const s2clr_card card = rig_card("B03,B04");
    const char *path = rig_write(&spec), *const inputs[] = {path, NULL};
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "band 1 (description B4)");
    TEST_ERROR_SAYS("band 3 (description red)");
    const s2clr_stack_options options = {.bands = "B04=3"};
    s2clr_stack *stack = rig_open(path, &card, &options);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->band[1].number, 3);
    s2clr_stack_close(stack);
}

static void level_option(void)
{
    const rig_raster spec = {.name = "S2_L1C_y.tif",
                             .width = 8,
                             .height = 8,
                             .bands = 1,
                             .metres = 10,
                             .names = "B4",
                             .fill = ramp};
    s2clr_card card = rig_card("B04");
    const char *path = rig_write(&spec), *const inputs[] = {path, NULL};
    s2clr_stack_options options = {.level = "L2A"};
    s2clr_stack *stack = rig_open(path, &card, &options);
    CU_ASSERT_STRING_EQUAL(s2clr_stack_describe(stack)->level_from, "--level");
    CU_ASSERT_TRUE(rig_warned(stack, "read as L2A"));
    s2clr_stack_close(stack);
    options.level = "L9";
    rig_refused(inputs, &card, &options, S2CLR_ERR_ARGUMENT, "knows L2A, L1C");
    snprintf(card.level[1].name, sizeof card.level[1].name, "EUROSAT8");
    rig_refused(inputs, &card, NULL, S2CLR_ERR_MISMATCH, "accepts L2A, EUROSAT8");
}

static void set_metadata(const char *path, const char *key, const char *value)
{
    GDALDatasetH dataset = GDALOpen(path, GA_Update);
    GDALSetMetadataItem(dataset, key, value, NULL);
    GDALClose(dataset);
}

static void offsets_of_plain_rasters(void)
{
    const rig_raster spec = {.name = "offset.tif",
                             .width = 8,
                             .height = 8,
                             .bands = 2,
                             .metres = 10,
                             .names = "B4,B3",
                             .fill = ramp};
    const s2clr_card card = rig_card("B03,B04");
    const char *path = rig_write(&spec), *const inputs[] = {path, NULL};
    s2clr_stack_options options = {.boa_offset = "-250.5"};
    set_metadata(path, "PROCESSING_BASELINE", "05.10");
    s2clr_stack *stack = rig_open(path, &card, NULL);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->band[0].offset, -1000);
    CU_ASSERT_STRING_EQUAL(s2clr_stack_describe(stack)->offset_from, "processing baseline 05.10");
    CU_ASSERT_TRUE(rig_warned(stack, "give 0 with --boa-offset (open option BOA_OFFSET)"));
    s2clr_stack_close(stack);
    set_metadata(path, "BOA_ADD_OFFSET", "-900");
    set_metadata(path, "BOA_ADD_OFFSET_B04", "-800");
    stack = rig_open(path, &card, NULL);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->band[0].offset, -900);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->band[1].offset, -800);
    s2clr_stack_close(stack);
    stack = rig_open(path, &card, &options);
    CU_ASSERT_EQUAL(s2clr_stack_describe(stack)->band[1].offset, -250.5);
    CU_ASSERT_STRING_EQUAL(s2clr_stack_describe(stack)->offset_from, "--boa-offset");
    s2clr_stack_close(stack);
    static const char *const bad[] = {"", "0.5x", "nan", "1e9", "inf", "- 1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.boa_offset = bad[i];
        rig_refused(inputs, &card, &options, S2CLR_ERR_ARGUMENT, "(open option BOA_OFFSET) ");
    }
    set_metadata(path, "BOA_ADD_OFFSET_B04", "lots");
    rig_refused(inputs, &card, NULL, S2CLR_ERR_FORMAT, "BOA_ADD_OFFSET_B04");
}

static void unreadable_inputs(void)
{
    const s2clr_card card = rig_card("B04");
    FILE *file = fopen(rig_path("text.tif"), "w");
    fputs("not a raster", file);
    fclose(file);
    const char *const none[] = {NULL}, *const empty[] = {"", NULL};
    const char *const absent[] = {rig_path("absent.tif"), NULL};
    const char *const text[] = {rig_path("text.tif"), NULL};
    rig_refused(none, &card, NULL, S2CLR_ERR_ARGUMENT, "no input");
    rig_refused(empty, &card, NULL, S2CLR_ERR_ARGUMENT, "empty");
    rig_refused(absent, &card, NULL, S2CLR_ERR_IO, "absent.tif");
    rig_refused(text, &card, NULL, S2CLR_ERR_IO, "text.tif");
    const rig_raster spec = {.name = "complex.tif",
                             .width = 4,
                             .height = 4,
                             .bands = 1,
                             .type = GDT_CFloat32,
                             .metres = 10,
                             .names = "B4",
                             .fill = ramp};
    const char *const complex_inputs[] = {rig_write(&spec), NULL};
    rig_refused(complex_inputs, &card, NULL, S2CLR_ERR_UNSUPPORTED, "CFloat32");
}

static const test_case cases[] = {
    {"made_safe", made_safe},
    {"safe_with_missing_file", safe_with_missing_file},
    {"made_l1c", made_l1c},
    {"old_baseline", old_baseline},
    {"multi_band_file", multi_band_file},
    {"single_band_files", single_band_files},
    {"folder", folder},
    {"bands_option", bands_option},
    {"two_candidates", two_candidates},
    {"level_option", level_option},
    {"offsets_of_plain_rasters", offsets_of_plain_rasters},
    {"unreadable_inputs", unreadable_inputs},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    CPLPushErrorHandler(CPLQuietErrorHandler); /* rasters made to be odd make GDAL talk */
    return TEST_MAIN("stack_open", cases, argc, argv);
}
