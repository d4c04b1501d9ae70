#include <string.h>

#include "harness.h"
#include "sentinel2/bands.h"
#include "sentinel2/pnames.h"

typedef struct expected {
    const char *text, *band; /* band NULL: no band */
} expected;

static void check(const expected *rows, size_t count, const s2clr_band *(*find)(const char *))
{
    for (size_t i = 0; i < count; i++) {
        const s2clr_band *band = find(rows[i].text);
        const char *found = band ? band->name : "none", *wanted = rows[i].band;
        CU_ASSERT_STRING_EQUAL(found, wanted ? wanted : "none");
        if (strcmp(found, wanted ? wanted : "none") != 0)
            printf("\"%s\": %s instead of %s\n", rows[i].text, found, wanted ? wanted : "none");
    }
}

static void names(void)
{
    static const expected rows[] = {
        {"B04", "B04"},
        {"b4", "B04"},
        {" B4", "B04"},
        {"B4, central wavelength 665 nm", "B04"},
        {"B8A, central wavelength 865 nm", "B8A"},
        {"B8", "B08"},
        {"b08a", "B8A"},
        {"B12_reflectance", "B12"},
        {"B1", "B01"},
        {"B10", "B10"},
        {"red", "B04"},
        {"Red (665 nm)", "B04"},
        {"Red Edge 1", "B05"},
        {"rededge3", "B07"},
        {"red edge", NULL},
        {"NIR", "B08"},
        {"nir08", "B8A"},
        {"nir narrow", "B8A"},
        {"swir16", "B11"},
        {"SWIR-2", "B12"},
        {"", NULL},
        {"B", NULL},
        {"B0", NULL},
        {"B13", NULL},
        {"B044", NULL},
        {"B4X", NULL},
        {"SCL", NULL},
        {"band 4", NULL},
        {"blueberries", NULL},
    };
    check(rows, sizeof rows / sizeof rows[0], s2clr_band_find);
    CU_ASSERT_PTR_NULL(s2clr_band_find(NULL));
}

static void file_names(void)
{
    static const expected rows[] = {
        {"T29UNU_20221005T115411_B04_10m.jp2", "B04"},
        {"/data/B8A.tif", "B8A"},
        {"x_B8A.tif", "B8A"},
        {"B2.tif", "B02"},
        {"/B04/scene.tif", NULL},
        {"S2A_MSIL2A_20170613T101031_87_48_B11.tif", "B11"},
        {"B04_minus_B03.tif", NULL},
        {"B04_B04.tif", "B04"},
        {"red.tif", "B04"},
        {"infrared.tif", NULL},
        {"my_red_car.tif", NULL},
        {"AB04.tif", NULL},
        {"SCL_20m.jp2", NULL},
        {"", NULL},
    };
    check(rows, sizeof rows / sizeof rows[0], s2clr_band_in_filename);
}

/* Against the Products Specification Document: 13 bands, ids in order, wavelengths rising but for
 * B8A inside B08's range. */
static void table(void)
{
    const s2clr_band *rows;
    CU_ASSERT_EQUAL_FATAL(s2clr_band_list(&rows), 13);
    for (int i = 0; i < 13; i++) {
        CU_ASSERT_EQUAL(rows[i].band_id, i);
        if (i) CU_ASSERT(rows[i].nanometres > rows[i - 1].nanometres);
        CU_ASSERT_PTR_EQUAL(s2clr_band_find(rows[i].name), &rows[i]);
        CU_ASSERT(rows[i].metres == 10 || rows[i].metres == 20 || rows[i].metres == 60);
    }
    CU_ASSERT_STRING_EQUAL(rows[8].name, "B8A");
    CU_ASSERT_STRING_EQUAL(rows[12].name, "B12");
}

static void no_alias_twice(void)
{
    const s2clr_band *rows;
    const size_t count = s2clr_band_list(&rows);
    for (size_t i = 0; i < count; i++) {
        char copy[200];
        snprintf(copy, sizeof copy, "%s", rows[i].aliases);
        for (char *alias = strtok(copy, ","); alias; alias = strtok(NULL, ","))
            CU_ASSERT_PTR_EQUAL(s2clr_band_find(alias), &rows[i]);
    }
}

static void levels_in_names(void)
{
    static const expected rows[] = {
        {"/x/S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE", "L2A"},
        {"S2_L1C_13bands.tif", "L1C"},
        {"/data/scenes_l1c/valencia/date1/B04.tif", "L1C"},
        {"/L1C/archive/S2B_MSIL2A_2017/a.tif", "L2A"},
        {"/data/L1C_to_L2A/a.tif", NULL},
        {"/data/pixel1cat/a.tif", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char component[80];
        const char *level = s2clr_name_level(rows[i].text, component, sizeof component);
        CU_ASSERT_STRING_EQUAL(level ? level : "none", rows[i].band ? rows[i].band : "none");
    }
}

static void baselines_in_names(void)
{
    char baseline[16] = "";
    CU_ASSERT_TRUE(
        s2clr_name_baseline("/a/S2A_MSIL2A_20221005T115411_N0400_R023_T29/B.jp2", baseline));
    CU_ASSERT_STRING_EQUAL(baseline, "04.00");
    CU_ASSERT_FALSE(s2clr_name_baseline("S2A_MSIL2A_20170613T101031_87_48", baseline));
    CU_ASSERT_FALSE(
        s2clr_name_baseline("S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57/B.tif", baseline));
    CU_ASSERT_FALSE(s2clr_name_baseline("x_N0400_y.tif", baseline));
    CU_ASSERT_EQUAL(s2clr_name_metres("a/T29_B02_10m.jp2"), 10);
    CU_ASSERT_EQUAL(s2clr_name_metres("a_60m/T29_B02.jp2"), 0);
    CU_ASSERT_EQUAL(
        s2clr_name_metres("SENTINEL2_L2A:/vsizip/a.zip/b.SAFE/MTD_MSIL2A.xml:20m:EPSG_32629"), 20);
    CU_ASSERT_EQUAL(s2clr_name_metres("/a:20m:/b.tif"), 0);
}

static const test_case cases[] = {
    {"names", names},
    {"file_names", file_names},
    {"table", table},
    {"no_alias_twice", no_alias_twice},
    {"levels_in_names", levels_in_names},
    {"baselines_in_names", baselines_in_names},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("bands", cases, argc, argv);
}
