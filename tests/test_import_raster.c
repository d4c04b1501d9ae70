/* Rasters and products cut into patches: made here, and real scenes. */
#include <cpl_conv.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness.h"
#include "import_rig.h"
#include "safe_fixture.h"
#include "stack_rig.h"

static rig_import run;
static safe_fixture fixture;

static void reset(void)
{
    memset(&run, 0, sizeof run);
    run.options.max_water = 1;
}

/* ---- folders of bands ---- */

static void check_ramp(const s2clr_patch_record *record)
{
    static const char *const order[] = {"B01", "B02", "B05"};
    static const int factor[] = {6, 1, 2};
    int row, column;
    rig_import_place(record, &row, &column);
    CU_ASSERT_EQUAL_FATAL(record->bands, 3);
    for (int b = 0; b < 3; b++) {
        const s2clr_patch_band *band = &record->band[b];
        const uint16_t *dn = band->data;
        const int side = 120 / factor[b];
        int wrong = 0;
        CU_ASSERT_STRING_EQUAL(band->name, order[b]);
        CU_ASSERT_EQUAL_FATAL(band->width, side);
        for (int i = 0; i < side * side; i++)
            wrong += dn[i] != (uint16_t)rig_import_ramp(1, column / factor[b] + i % side,
                                                        row / factor[b] + i / side);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    CU_ASSERT(record->has_footprint);
    CU_ASSERT_EQUAL(record->transform[0], 600000 + 10.0 * column);
    CU_ASSERT_EQUAL(record->transform[3], 4200000 - 10.0 * row);
    CU_ASSERT_EQUAL(record->width, 120);
    CU_ASSERT_EQUAL(record->metres, 10);
    CU_ASSERT_STRING_EQUAL(record->level, "");
    CU_ASSERT_STRING_EQUAL(record->date, "2019-07-04");
    CU_ASSERT_EQUAL(record->label, S2CLR_LABEL_UNKNOWN);
}

static void native_resolutions(void)
{
    const char *folder = rig_import_bands("field_20190704");
    reset();
    run.options.stride = 60;
    run.check = check_ramp;
    TEST_OK(rig_import_run(&run, folder, NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "raster");
    CU_ASSERT_EQUAL(run.patches, 4 * 3);
    CU_ASSERT_EQUAL(run.skips, 0);
    CU_ASSERT_STRING_EQUAL(run.name[0], "field_20190704_r00000_c00000");
    CU_ASSERT_STRING_EQUAL(run.name[11], "field_20190704_r00120_c00180");
    run.options.stride = 0; /* as large as the patch */
    TEST_OK(rig_import_run(&run, folder, NULL));
    CU_ASSERT_EQUAL(run.patches, 2 * 2);
}

static void refused(const char *a, const char *b, s2clr_status status, const char *text)
{
    CU_ASSERT_EQUAL(rig_import_run(&run, a, b), status);
    TEST_ERROR_SAYS(text);
}

static void patch_and_bands(void)
{
    const char *folder = rig_import_bands("field_20190704");
    reset();
    run.options.patch = 64;
    refused(folder, NULL, S2CLR_ERR_MISMATCH, "multiple of 6");
    run.options.bands = "B02,B05";
    TEST_OK(rig_import_run(&run, folder, NULL));
    CU_ASSERT_EQUAL(run.patches, 4 * 3);
    run.options.stride = 63;
    refused(folder, NULL, S2CLR_ERR_MISMATCH, "stride of 63");
    run.options.bands = "B02,B03";
    refused(folder, NULL, S2CLR_ERR_MISMATCH, "no band B03");
    run.options.bands = "B02,red_b";
    refused(folder, NULL, S2CLR_ERR_ARGUMENT, "red_b");
    run.options.bands = "B02,B2";
    refused(folder, NULL, S2CLR_ERR_ARGUMENT, "twice");
    reset();
    run.options.patch = 302;
    refused(folder, NULL, S2CLR_ERR_MISMATCH, "300 x 240");
    run.options.patch = 9000;
    refused(folder, NULL, S2CLR_ERR_ARGUMENT, "9000");
    reset();
    run.options.positive = "regular";
    refused(folder, NULL, S2CLR_ERR_ARGUMENT, "no classes");
}

static void several_inputs(void)
{
    rig_import_bands("single");
    const char *b02 = rig_import_join(test_folder(), "single/B02.tif");
    const char *b05 = rig_import_join(test_folder(), "single/B05.tif");
    reset(); /* files of one band are one picture */
    TEST_OK(rig_import_run(&run, b02, b05));
    CU_ASSERT_EQUAL(run.patches, 4);
    CU_ASSERT(strstr(run.name[0], "single_r00000_c00000") != NULL);

    rig_raster two = {.name = "two_20200101.tif",
                      .width = 130,
                      .height = 130,
                      .bands = 2,
                      .metres = 10,
                      .names = "B04,B03",
                      .fill = rig_import_ramp};
    const char *first = rig_write(&two);
    two.name = "two_20200201.tif";
    const char *second = rig_write(&two);
    reset(); /* files of several are pictures of their own */
    TEST_OK(rig_import_run(&run, second, first));
    CU_ASSERT_EQUAL(run.patches, 2);
    CU_ASSERT_STRING_EQUAL(run.name[0], "two_20200101_r00000_c00000");
    refused(first, first, S2CLR_ERR_MISMATCH, "would be called");
    refused(first, b02, S2CLR_OK, "");
    CU_ASSERT_EQUAL(run.patches, 1 + 4);
}

static void same_kinds_only(void)
{
    const char *root = rig_import_folder("ben");
    const char *patch = rig_ben_write(
        root, &(rig_ben){.name = "S2A_MSIL2A_20170613T101031_87_48", .labels = "[\"Pastures\"]"});
    reset();
    refused(patch, rig_import_bands("field_20190704"), S2CLR_ERR_MISMATCH, "one after the other");
}

/* ---- what is left out ---- */

static double with_hole(int band, int x, int y)
{
    if (x < 120 && y < 60) return 0;                 /* half of the first patch */
    if (x == 130 && y == 5 && band == 2) return -20; /* one pixel of the second */
    return 500 + x + y;
}

static void rules(void)
{
    const double nodata = 0;
    const char *path = rig_write(&(rig_raster){.name = "rules_20200101.tif",
                                               .width = 360,
                                               .height = 120,
                                               .bands = 2,
                                               .type = GDT_Int16,
                                               .metres = 10,
                                               .names = "B04,B03",
                                               .nodata = &nodata,
                                               .fill = with_hole});
    reset();
    run.options.min_valid = 0.5;
    run.options.strict = true; /* rules are no errors */
    TEST_OK(rig_import_run(&run, path, NULL));
    CU_ASSERT_EQUAL(run.patches, 3);
    run.options.min_valid = 0.51;
    TEST_OK(rig_import_run(&run, path, NULL));
    CU_ASSERT_EQUAL(run.patches, 2);
    CU_ASSERT(rig_import_skipped(&run, "rules_20200101_r00000_c00000",
                                 "7200 of its 14400 pixels are valid, wanted: at least 51 %"));
    run.options.drop_negative = true;
    TEST_OK(rig_import_run(&run, path, NULL));
    CU_ASSERT_EQUAL(run.patches, 1);
    CU_ASSERT(rig_import_skipped(&run, "rules_20200101_r00000_c00120", "negative"));
}

static void bad_files(void)
{
    rig_raster spec = {.name = "wide_20200101.tif",
                       .width = 130,
                       .height = 130,
                       .bands = 1,
                       .type = GDT_Float64,
                       .metres = 10,
                       .names = "B04",
                       .fill = rig_import_ramp};
    reset();
    refused(rig_write(&spec), NULL, S2CLR_ERR_UNSUPPORTED, "Float64");
    spec = (rig_raster){.name = "nameless.tif",
                        .width = 130,
                        .height = 130,
                        .bands = 3,
                        .metres = 10,
                        .fill = rig_import_ramp};
    refused(rig_write(&spec), NULL, S2CLR_ERR_FORMAT, "names none of its bands");
    spec = (rig_raster){.name = "cut_20200101.tif",
                        .width = 240,
                        .height = 240,
                        .bands = 1,
                        .metres = 10,
                        .names = "B04",
                        .fill = rig_import_ramp};
    const char *cut = rig_write(&spec);
    rig_import_truncate(cut, -1);
    TEST_OK(rig_import_run(&run, cut, NULL));
    CU_ASSERT(run.skips > 0);
    CU_ASSERT_EQUAL(run.patches + run.skips, 4);
    run.options.strict = true;
    refused(cut, NULL, S2CLR_ERR_FORMAT, "cut_20200101");
    rig_import_text(rig_import_join(test_folder(), "no.tif"), "this is no picture at all");
    refused(rig_import_join(test_folder(), "no.tif"), NULL, S2CLR_ERR_FORMAT, "known archives");
}

/* ---- products ---- */

static void check_safe(const s2clr_patch_record *record)
{
    static const struct {
        const char *band;
        int factor;
    } some[] = {{"B02", 1}, {"B8A", 2}, {"B09", 6}, {"SCL", 2}};
    int row, column;
    rig_import_place(record, &row, &column);
    CU_ASSERT_EQUAL(record->bands, 13);
    for (size_t i = 0; i < 4; i++) {
        const int side = 60 / some[i].factor;
        int b = 0, wrong = 0;
        while (b < record->bands && strcmp(record->band[b].name, some[i].band) != 0) b++;
        CU_ASSERT_FATAL(b < record->bands);
        CU_ASSERT_EQUAL_FATAL(record->band[b].width, side);
        for (int k = 0; k < side * side; k++) {
            const int x = column / some[i].factor + k % side, y = row / some[i].factor + k / side;
            const int dn = record->band[b].dtype == S2CLR_DTYPE_U8
                               ? ((const uint8_t *)record->band[b].data)[k]
                               : ((const uint16_t *)record->band[b].data)[k];
            wrong += dn != safe_fixture_dn(&fixture, some[i].band, x, y);
        }
        CU_ASSERT_EQUAL(wrong, 0);
    }
    CU_ASSERT_EQUAL(record->dn_offset, -1000);
    CU_ASSERT_STRING_EQUAL(record->level, "L2A");
    CU_ASSERT_STRING_EQUAL(record->date, "2023-06-01");
    CU_ASSERT_STRING_EQUAL(record->tile, "T30SXH");
    CU_ASSERT(strncmp(record->place, "T30SXH_", 7) == 0);
}

static void product(void)
{
    char safe[1024], zip[1100];
    fixture = safe_fixture_default();
    if (!safe_fixture_possible()) {
        test_skip("this GDAL cannot write JPEG 2000");
        return;
    }
    CU_ASSERT_EQUAL_FATAL(safe_fixture_write(test_folder(), &fixture, safe, sizeof safe), 0);
    snprintf(zip, sizeof zip, "%s.zip", safe);
    CU_ASSERT_EQUAL_FATAL(safe_fixture_zip(safe, zip), 0);
    reset();
    run.options.patch = 60;
    run.options.stride = 30;
    run.options.scl = "auto";
    run.check = check_safe;
    TEST_OK(rig_import_run(&run, safe, NULL));
    CU_ASSERT_EQUAL(run.patches, 3 * 3);
    const int all = run.patches;
    TEST_OK(rig_import_run(&run, zip, NULL));
    CU_ASSERT_EQUAL(run.patches, all);
    run.options.max_water = 0;
    TEST_OK(rig_import_run(&run, safe, NULL));
    CU_ASSERT(run.patches > 0 && run.patches < all); /* the river flows through the lower ones */
    for (int i = 0; i < run.skips; i++) CU_ASSERT(strstr(run.skip[i].reason, "% water") != NULL);
    run.options.max_water = 1;
    run.options.min_valid = 0.97;
    TEST_OK(rig_import_run(&run, safe, NULL));
    CU_ASSERT(run.patches > 0 && run.patches < all); /* the corner without data, the cloud */
}

/* ---- real scenes ---- */

static void check_level(const s2clr_patch_record *record)
{
    CU_ASSERT_STRING_EQUAL(record->level, "L1C");
    CU_ASSERT_EQUAL(record->band[0].dtype, S2CLR_DTYPE_I16);
    CU_ASSERT_EQUAL(record->bands, 13);
}

static void check_l2a(const s2clr_patch_record *record)
{
    CU_ASSERT_STRING_EQUAL(record->level, "L2A");
    CU_ASSERT_STRING_EQUAL(record->date, "2022-10-05");
    CU_ASSERT_STRING_EQUAL(record->tile, "T29UNU");
    CU_ASSERT_EQUAL(record->dn_offset, -1000);
    CU_ASSERT_EQUAL(record->metres, 10);
}

static void real_products(void)
{
    const char *segura = test_data("scenes_l1c/segura/S2_L1C_13bands.tif");
    if (!segura) {
        test_skip("no real scenes");
        return;
    }
    reset();
    run.check = check_level;
    TEST_OK(rig_import_run(&run, segura, NULL));
    CU_ASSERT_EQUAL(run.patches, 16);
    CU_ASSERT_STRING_EQUAL(run.name[0], "segura_S2_L1C_13bands_r00000_c00000");
    const char *safe =
        test_data("S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE.zip");
    if (!safe) return;
    reset();
    run.options.scl = "auto";
    run.check = check_l2a;
    TEST_OK(rig_import_run(&run, safe, NULL));
    CU_ASSERT(run.patches > 0);
    CU_ASSERT_EQUAL(run.patches + run.skips, 36); /* 720 pixels a side */
}

static const test_case cases[] = {
    {"native resolutions", native_resolutions},
    {"patch and bands", patch_and_bands},
    {"several inputs", several_inputs},
    {"same kinds only", same_kinds_only},
    {"rules", rules},
    {"bad files", bad_files},
    {"product", product},
    {"real products", real_products},
};

int main(int argc, char **argv)
{
    CPLSetConfigOption("GDAL_PAM_ENABLED", "NO"); /* nothing is written beside the data */
    return TEST_MAIN("import_raster", cases, argc, argv);
}
