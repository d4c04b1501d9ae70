/* Image-class folders and zips as patches: EuroSAT's two kinds, made here, and the real zip. */
#include <cpl_conv.h>
#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "harness.h"
#include "import_rig.h"

enum { SIDE = 16 };

static rig_import run;

static void reset(void)
{
    memset(&run, 0, sizeof run);
}

static int value_of(int seed, int band, int pixel, int top)
{
    return (seed * 37 + band * 101 + pixel * 3) % (top + 1);
}

typedef struct image {
    const char *driver;
    GDALDataType type;
    int bands, seed;
    bool placed;
} image;

static const image rgb = {"PNG", GDT_Byte, 3, 1, false};
static const image ms = {"GTiff", GDT_UInt16, 13, 2, true};

static void write_image(const char *path, const image *kind)
{
    int row[SIDE * SIDE];
    GDALAllRegister();
    GDALDatasetH memory =
        GDALCreate(GDALGetDriverByName("MEM"), "", SIDE, SIDE, kind->bands, kind->type, NULL);
    for (int band = 0; band < kind->bands; band++) {
        for (int i = 0; i < SIDE * SIDE; i++)
            row[i] = value_of(kind->seed, band, i, kind->type == GDT_Byte ? 255 : 65535);
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(memory, band + 1), GF_Write, 0, 0, SIDE,
                                     SIDE, row, SIDE, SIDE, GDT_Int32, 0, 0),
                        CE_None);
    }
    if (kind->placed) {
        double t[6] = {500000, 10, 0, 4649776, 0, -10};
        char *wkt = NULL;
        OGRSpatialReferenceH crs = OSRNewSpatialReference(NULL);
        OSRImportFromEPSG(crs, 32631);
        OSRExportToWkt(crs, &wkt);
        GDALSetProjection(memory, wkt);
        GDALSetGeoTransform(memory, t);
        CPLFree(wkt);
        OSRDestroySpatialReference(crs);
    }
    GDALDatasetH file =
        GDALCreateCopy(GDALGetDriverByName(kind->driver), path, memory, FALSE, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    GDALClose(file);
    GDALClose(memory);
}

/* ROOT/Crop/a, ROOT/Crop/b and ROOT/Lake/a. */
static const char *write_classes(const char *root, const image *kind)
{
    static const char *const names[] = {"Crop/a", "Crop/b", "Lake/a"};
    const char *folder = rig_import_folder(root), *ending = kind == &rgb ? "png" : "tif";
    char path[1200];
    snprintf(path, sizeof path, "%s/Crop", root);
    rig_import_folder(path);
    snprintf(path, sizeof path, "%s/Lake", root);
    rig_import_folder(path);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s.%s", folder, names[i], ending);
        write_image(path, kind);
    }
    return folder;
}

static void check_rgb(const s2clr_patch_record *record)
{
    static const char *const order[] = {"B04", "B03", "B02"};
    CU_ASSERT_EQUAL_FATAL(record->bands, 3);
    for (int b = 0; b < 3; b++) {
        const uint8_t *dn = record->band[b].data;
        CU_ASSERT_STRING_EQUAL(record->band[b].name, order[b]);
        CU_ASSERT_EQUAL_FATAL(record->band[b].dtype, S2CLR_DTYPE_U8);
        CU_ASSERT_EQUAL_FATAL(record->band[b].width, SIDE);
        for (int i = 0; i < SIDE * SIDE; i++) CU_ASSERT_EQUAL(dn[i], value_of(1, b, i, 255));
    }
    CU_ASSERT_STRING_EQUAL(record->level, "EUROSAT8");
    CU_ASSERT_FALSE(record->has_footprint);
    CU_ASSERT_EQUAL_FATAL(record->label_count, 1);
    CU_ASSERT_EQUAL(strncmp(record->name, record->labels[0], strlen(record->labels[0])), 0);
    if (record->label != S2CLR_LABEL_UNKNOWN)
        CU_ASSERT_EQUAL(record->label, strcmp(record->labels[0], "Crop") == 0);
}

static void colour_pictures(void)
{
    const char *root = write_classes("rgb", &rgb);
    reset();
    run.check = check_rgb;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "images");
    CU_ASSERT_EQUAL(run.patches, 3);
    CU_ASSERT_EQUAL(run.positives + run.negatives, 0);
    CU_ASSERT_STRING_EQUAL(run.name[0], "Crop/a.png");
    run.options.positive = "Crop";
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.positives, 2);
    CU_ASSERT_EQUAL(run.negatives, 1);
    run.options.positive = "Crops";
    CU_ASSERT_EQUAL(rig_import_run(&run, root, NULL), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("Crop, Lake");
}

static void check_ms(const s2clr_patch_record *record)
{
    static const char *const order[] = {"B01", "B02", "B03", "B04", "B05", "B06", "B07",
                                        "B08", "B09", "B10", "B11", "B12", "B8A"};
    CU_ASSERT_EQUAL_FATAL(record->bands, 13);
    for (int b = 0; b < 13; b++) {
        const uint16_t *dn = record->band[b].data;
        CU_ASSERT_STRING_EQUAL(record->band[b].name, order[b]);
        CU_ASSERT_EQUAL_FATAL(record->band[b].dtype, S2CLR_DTYPE_U16);
        for (int i = 0; i < SIDE * SIDE; i++) CU_ASSERT_EQUAL(dn[i], value_of(2, b, i, 65535));
    }
    CU_ASSERT_STRING_EQUAL(record->level, "L1C");
    CU_ASSERT(record->has_footprint);
    CU_ASSERT_EQUAL(record->transform[0], 500000);
    CU_ASSERT_EQUAL(record->transform[3], 4649776);
    CU_ASSERT_EQUAL(record->metres, 10);
}

static void thirteen_bands(void)
{
    const char *root = write_classes("ms", &ms);
    reset();
    run.check = check_ms;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.patches, 3);
}

static void other_bands(void)
{
    const image five = {"GTiff", GDT_UInt16, 5, 3, false};
    const char *root = write_classes("five", &five);
    reset();
    CU_ASSERT_EQUAL(rig_import_run(&run, root, NULL), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("5 bands of 16 bits");
}

static void bad_images(void)
{
    const image two = {"PNG", GDT_Byte, 1, 3, false};
    const char *root = write_classes("bad", &rgb);
    rig_import_truncate(rig_import_join(root, "Crop/a.png"), -1);
    write_image(rig_import_join(root, "Lake/grey.png"), &two);
    rig_import_text(rig_import_join(root, "Lake/text.png"), "no picture");
    reset();
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.patches, 2);
    CU_ASSERT_EQUAL(run.skips, 3);
    CU_ASSERT(rig_import_skipped(&run, "Crop/a.png", "Crop/a.png"));
    CU_ASSERT(rig_import_skipped(&run, "Lake/grey.png", "1 bands"));
    CU_ASSERT(rig_import_skipped(&run, "Lake/text.png", "not a readable"));
    run.options.strict = true;
    CU_ASSERT_EQUAL(rig_import_run(&run, root, NULL), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("Crop/a.png");
}

static void duplicates_and_lists(void)
{
    const char *first = write_classes("one", &rgb), *second = write_classes("two", &rgb);
    const char *list = rig_import_join(test_folder(), "list.txt");
    const char *lists[] = {list, NULL};
    write_image(rig_import_join(second, "Lake/z.png"), &rgb);
    reset();
    rig_import_text(list, "Lake/z.png\nLake/a.png\nLake/none.png\n");
    run.options.lists = lists;
    TEST_OK(rig_import_run(&run, first, second));
    CU_ASSERT_EQUAL(run.patches, 2);
    CU_ASSERT(rig_import_skipped(&run, "Lake/a.png", "there twice"));
    CU_ASSERT(rig_import_skipped(&run, "Lake/none.png", "not in the archive"));
}

static void add_file(zip_t *archive, const char *name, const char *path)
{
    zip_source_t *source = zip_source_file(archive, path, 0, -1);
    CU_ASSERT(zip_file_add(archive, name, source, 0) >= 0);
}

static void zips(void)
{
    const char *root = write_classes("zipped", &rgb);
    const char *path = rig_import_join(test_folder(), "classes.zip");
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(archive);
    add_file(archive, "top/Crop/a.png", rig_import_join(root, "Crop/a.png"));
    add_file(archive, "top/Lake/a.png", rig_import_join(root, "Lake/a.png"));
    CU_ASSERT_EQUAL_FATAL(zip_close(archive), 0);
    reset();
    run.check = check_rgb;
    TEST_OK(rig_import_run(&run, path, NULL));
    CU_ASSERT_EQUAL(run.patches, 2);
    rig_import_truncate(path, -1);
    reset();
    const s2clr_import_kind *kind = s2clr_import_find("images");
    s2clr_import *import;
    CU_ASSERT_PTR_NOT_NULL_FATAL(kind);
    CU_ASSERT_EQUAL(kind->open(&path, 1, &run.options, &import), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("not a readable zip");
    CU_ASSERT_NOT_EQUAL(rig_import_run(&run, path, NULL), S2CLR_OK);
}

/* The first pictures of the real archive as GDAL itself decodes them. */
static void check_eurosat(const s2clr_patch_record *record)
{
    char path[1200];
    uint8_t expected[64 * 64];
    CU_ASSERT_EQUAL_FATAL(record->bands, 3);
    CU_ASSERT_EQUAL_FATAL(record->band[0].width, 64);
    snprintf(path, sizeof path, "/vsizip/%s/%s", test_data("eurosat_rgb.zip"), record->name);
    GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int b = 0; b < 3; b++) {
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(file, b + 1), GF_Read, 0, 0, 64, 64,
                                     expected, 64, 64, GDT_Byte, 0, 0),
                        CE_None);
        CU_ASSERT_EQUAL(memcmp(expected, record->band[b].data, sizeof expected), 0);
    }
    GDALClose(file);
}

static void real_zip(void)
{
    char path[1100];
    if (!test_data("eurosat_rgb.zip")) {
        test_skip("no EuroSAT zip");
        return;
    }
    snprintf(path, sizeof path, "%s", test_data("eurosat_rgb.zip"));
    reset();
    run.stop_after = 200;
    run.check = check_eurosat;
    run.options.positive = "PermanentCrop,AnnualCrop";
    TEST_OK(rig_import_run(&run, path, NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "images");
    CU_ASSERT_EQUAL(run.patches, 200);
    CU_ASSERT_EQUAL(run.positives, 200); /* the first class is AnnualCrop */
    CU_ASSERT_EQUAL(run.skips, 0);
}

static const test_case cases[] = {
    {"colour pictures", colour_pictures},
    {"thirteen bands", thirteen_bands},
    {"other bands", other_bands},
    {"bad images", bad_images},
    {"duplicates and lists", duplicates_and_lists},
    {"zips", zips},
    {"real zip", real_zip},
};

int main(int argc, char **argv)
{
    CPLSetConfigOption("GDAL_PAM_ENABLED", "NO"); /* nothing is written beside the data */
    return TEST_MAIN("import_images", cases, argc, argv);
}
