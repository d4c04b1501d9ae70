/* BigEarthNet patches, written here with GDAL and real ones. */
#include <cpl_conv.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset/bigearthnet_classes.h"
#include "harness.h"
#include "import_rig.h"

#define NAME_A "S2A_MSIL2A_20170613T101031_87_48"
#define NAME_B "S2A_MSIL2A_20170613T101031_9_48"
#define NAME_C "S2B_MSIL2A_20180421T94349_41_4"
#define NAME_V2 "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57"

static rig_import run;

static void reset(void)
{
    memset(&run, 0, sizeof run);
}

static void check_made(const s2clr_patch_record *record)
{
    static const char *const order[] = {"B01", "B02", "B03", "B04", "B05", "B06",
                                        "B07", "B08", "B8A", "B09", "B11", "B12"};
    static const int side[] = {20, 120, 120, 120, 60, 60, 60, 120, 60, 20, 60, 60};
    CU_ASSERT_EQUAL_FATAL(record->bands, 12);
    for (int b = 0; b < 12; b++) {
        const s2clr_patch_band *band = &record->band[b];
        const uint16_t *dn = band->data;
        int wrong = 0;
        CU_ASSERT_STRING_EQUAL(band->name, order[b]);
        CU_ASSERT_EQUAL_FATAL(band->width, side[b]);
        CU_ASSERT_EQUAL_FATAL(band->height, side[b]);
        CU_ASSERT_EQUAL(band->dtype, S2CLR_DTYPE_U16);
        for (int i = 0; i < side[b] * side[b]; i++)
            wrong += dn[i] != rig_ben_dn(order[b], i % side[b], i / side[b]);
        CU_ASSERT_EQUAL(wrong, 0);
    }
    CU_ASSERT_STRING_EQUAL(record->level, "L2A");
    CU_ASSERT_STRING_EQUAL(record->date, "2017-06-13");
    CU_ASSERT_STRING_EQUAL(record->tile, "T33UUP");
    CU_ASSERT(record->has_footprint);
    CU_ASSERT_EQUAL(record->transform[0], 404400);
    CU_ASSERT_EQUAL(record->transform[1], 10);
    CU_ASSERT_EQUAL(record->transform[3], 5342400);
    CU_ASSERT_EQUAL(record->transform[5], -10);
    CU_ASSERT_EQUAL(record->metres, 10);
    CU_ASSERT_EQUAL(record->dn_offset, 0);
    CU_ASSERT_EQUAL(record->cover, -1);
}

static void check_v1(const s2clr_patch_record *record)
{
    check_made(record);
    CU_ASSERT_STRING_EQUAL(record->source,
                           "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608.SAFE");
    CU_ASSERT_EQUAL_FATAL(record->label_count, 2);
    CU_ASSERT_STRING_EQUAL(record->labels[0], "Pastures");
}

static void write_three(const char *root)
{
    rig_ben_write(root, &(rig_ben){.name = NAME_A,
                                   .labels = "[\"Pastures\", \"Permanently irrigated land\"]"});
    rig_ben_write(root, &(rig_ben){.name = NAME_B, .labels = "[\"Pastures\", \"Olive groves\"]"});
    rig_ben_write(
        root, &(rig_ben){.name = NAME_C, .labels = "[\"Pastures\", \"Beaches, dunes, sands\"]"});
}

static void everything_arrives(void)
{
    const char *root = rig_import_folder("three");
    write_three(root);
    reset();
    run.check = check_v1;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "bigearthnet-v1");
    CU_ASSERT_EQUAL(run.patches, 3);
    CU_ASSERT_EQUAL(run.skips, 0);
    CU_ASSERT_EQUAL(run.positives + run.negatives, 0);
    CU_ASSERT_STRING_EQUAL(run.name[0], NAME_A);
    CU_ASSERT_STRING_EQUAL(run.name[2], NAME_C);

    reset(); /* one patch folder, with and without a slash; a root above the root */
    TEST_OK(rig_import_run(&run, rig_import_join(root, NAME_B "/"), NULL));
    CU_ASSERT_EQUAL(run.patches, 1);
    const char *above = rig_import_folder("above");
    const char *inner = rig_import_folder("above/BigEarthNet-v1.0");
    rig_ben_write(inner, &(rig_ben){.name = NAME_A, .labels = "[\"Pastures\"]"});
    TEST_OK(rig_import_run(&run, above, NULL));
    CU_ASSERT_EQUAL(run.patches, 1);
}

static void count_positive(const char *positive, int expected)
{
    reset();
    run.options.positive = positive;
    TEST_OK(rig_import_run(&run, rig_import_join(test_folder(), "three"), NULL));
    CU_ASSERT_EQUAL(run.positives, expected);
    CU_ASSERT_EQUAL(run.negatives, 3 - expected);
}

static void labellings(void)
{
    write_three(rig_import_folder("three"));
    count_positive("regular", 1);
    count_positive("expanded", 2);
    count_positive("Permanently irrigated land", 1);
    count_positive("Olive groves,Permanently irrigated land", 2);
    count_positive("Beaches, dunes, sands", 1); /* a name with commas of its own */
    count_positive("Beaches, dunes, sands, Pastures", 3);
    count_positive("Sea and ocean", 0);

    reset();
    run.options.positive = "Rice field";
    CU_ASSERT_EQUAL(rig_import_run(&run, rig_import_join(test_folder(), "three"), NULL),
                    S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("Rice fields");
    run.options.positive = "";
    CU_ASSERT_EQUAL(rig_import_run(&run, rig_import_join(test_folder(), "three"), NULL),
                    S2CLR_ERR_ARGUMENT);
}

static void the_table(void)
{
    CU_ASSERT_EQUAL(s2clr_bigearthnet_class_find("Continuous urban fabric"), 0);
    CU_ASSERT_EQUAL(s2clr_bigearthnet_class_find("Permanently irrigated land"), 12);
    CU_ASSERT_EQUAL(s2clr_bigearthnet_class_find("Rice fields"), 13);
    CU_ASSERT_EQUAL(s2clr_bigearthnet_class_find("Olive groves"), 16);
    CU_ASSERT_EQUAL(s2clr_bigearthnet_class_find("Sea and ocean"), 42);
    CU_ASSERT_EQUAL(s2clr_bigearthnet_class_find("Arable land"), -1);
    for (int i = 0; i < S2CLR_BIGEARTHNET_CLASSES; i++)
        CU_ASSERT_EQUAL(s2clr_bigearthnet_class_find(s2clr_bigearthnet_classes[i]), i);
}

/* One bad patch between two good ones: left out with its reason; an error when strict. */
static void one_bad(const char *folder, const rig_ben *bad, const char *cut, const char *reason)
{
    const char *root = rig_import_folder(folder);
    rig_ben_write(root, &(rig_ben){.name = NAME_A, .labels = "[\"Pastures\"]"});
    rig_ben_write(root, &(rig_ben){.name = NAME_C, .labels = "[\"Pastures\"]"});
    const char *where = rig_ben_write(root, bad);
    if (cut) rig_import_truncate(rig_import_join(where, cut), -1);
    reset();
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.patches, 2);
    CU_ASSERT_EQUAL(run.skips, 1);
    CU_ASSERT(rig_import_skipped(&run, NAME_B, reason));
    reset();
    run.options.strict = true;
    CU_ASSERT_EQUAL(rig_import_run(&run, root, NULL), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS(NAME_B);
    TEST_ERROR_SAYS(reason);
}

static void bad_patches(void)
{
    const char *good = "[\"Pastures\"]";
    one_bad("bad1", &(rig_ben){.name = NAME_B, .labels = good, .omit = "B8A"}, NULL, "B8A.tif");
    one_bad("bad2", &(rig_ben){.name = NAME_B, .labels = "[\"Pastures\", \"Corn\"]"}, NULL,
            "label \"Corn\"");
    one_bad("bad3", &(rig_ben){.name = NAME_B, .labels = "[]"}, NULL, "0 classes");
    one_bad("bad4", &(rig_ben){.name = NAME_B, .labels = "[7]"}, NULL, "not a text");
    one_bad("bad5", &(rig_ben){.name = NAME_B}, NULL, "_labels_metadata.json");
    one_bad("bad6", &(rig_ben){.name = NAME_B, .labels = good, .shift = 30}, NULL,
            "labels file says");
    one_bad("bad7", &(rig_ben){.name = NAME_B, .labels = good, .json_zone = 32}, NULL,
            "coordinate system");
    one_bad("bad8", &(rig_ben){.name = NAME_B, .labels = good, .b05_side = 59}, NULL, "59 x 59");
    one_bad("bad9", &(rig_ben){.name = NAME_B, .labels = good}, NAME_B "_B04.tif", "B04.tif");
    one_bad("bad10", &(rig_ben){.name = NAME_B, .labels = good}, NAME_B "_labels_metadata.json",
            "not JSON");
}

static void duplicates(void)
{
    const char *first = rig_import_folder("first"), *second = rig_import_folder("second");
    rig_ben_write(first, &(rig_ben){.name = NAME_A, .labels = "[\"Pastures\"]"});
    rig_ben_write(second, &(rig_ben){.name = NAME_A, .labels = "[\"Peatbogs\"]"});
    rig_ben_write(second, &(rig_ben){.name = NAME_B, .labels = "[\"Peatbogs\"]"});
    reset();
    TEST_OK(rig_import_run(&run, first, second));
    CU_ASSERT_EQUAL(run.patches, 2);
    CU_ASSERT_EQUAL(run.skips, 1);
    CU_ASSERT(rig_import_skipped(&run, NAME_A, "there twice"));
}

static void check_split(const s2clr_patch_record *record)
{
    CU_ASSERT_STRING_EQUAL(record->split, strcmp(record->name, NAME_A) == 0 ? "train" : "test");
}

static const char *list(const char *name, const char *text)
{
    const char *path = rig_import_join(test_folder(), name);
    rig_import_text(path, text);
    return path;
}

static void lists_of_names(void)
{
    const char *root = rig_import_folder("three");
    char train[1100], test[1100];
    write_three(root);
    snprintf(train, sizeof train, "train=%s", list("train.txt", NAME_A "\r\n\r\nNOT_THERE\n"));
    snprintf(test, sizeof test, "test=%s",
             list("test.csv", "patch_name,snow\n\"" NAME_C "\",1\n" NAME_B ",0\n"));
    const char *lists[] = {train, test, NULL};
    reset();
    run.options.lists = lists;
    run.check = check_split;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.patches, 3);
    CU_ASSERT_EQUAL(run.skips, 1);
    CU_ASSERT(rig_import_skipped(&run, "NOT_THERE", "train.txt"));

    const char *exclude[] = {list("snow.csv", NAME_B), NULL};
    run.options.exclude = exclude;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.patches, 2);
    run.options.strict = true;
    CU_ASSERT_EQUAL(rig_import_run(&run, root, NULL), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("NOT_THERE");

    const char *only[] = {list("only.txt", NAME_C "\n"), NULL};
    reset();
    run.options.lists = only;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.patches, 1);
    CU_ASSERT_STRING_EQUAL(run.name[0], NAME_C);
}

static void refuse_list(const char *const *lists, s2clr_status status, const char *text)
{
    reset();
    run.options.lists = lists;
    CU_ASSERT_EQUAL(rig_import_run(&run, rig_import_join(test_folder(), "three"), NULL), status);
    TEST_ERROR_SAYS(text);
}

static void bad_lists(void)
{
    char a[1100], b[1100];
    write_three(rig_import_folder("three"));
    snprintf(a, sizeof a, "train=%s", list("a.txt", NAME_A "\n" NAME_B "\n"));
    snprintf(b, sizeof b, "val=%s", list("b.txt", NAME_B "\n"));
    refuse_list((const char *[]){a, b, NULL}, S2CLR_ERR_MISMATCH, "in two splits");
    refuse_list((const char *[]){"/nowhere/list.txt", NULL}, S2CLR_ERR_IO, "/nowhere/list.txt");
    refuse_list((const char *[]){list("empty.txt", "\n \n"), NULL}, S2CLR_ERR_FORMAT,
                "names no patch");
    refuse_list((const char *[]){list("none.txt", ""), NULL}, S2CLR_ERR_FORMAT, "0 bytes");
}

static void check_v2(const s2clr_patch_record *record)
{
    check_made(record);
    CU_ASSERT_EQUAL(record->label_count, 0);
    CU_ASSERT_STRING_EQUAL(record->source, NAME_V2);
}

static void version_two(void)
{
    const char *root = rig_import_folder("v2");
    const char *product = rig_import_folder("v2/S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP");
    rig_ben_write(product, &(rig_ben){.name = NAME_V2});
    reset();
    run.check = check_v2;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "bigearthnet-v2");
    CU_ASSERT_EQUAL(run.patches, 1);
    run.options.positive = "regular";
    CU_ASSERT_EQUAL(rig_import_run(&run, root, NULL), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("merge");

    const char *mixed = rig_import_folder("mixed");
    rig_ben_write(mixed, &(rig_ben){.name = NAME_A, .labels = "[\"Arable land\"]"});
    reset(); /* version 1 folders with the labels of version 2 */
    TEST_OK(rig_import_run(&run, mixed, NULL));
    CU_ASSERT_EQUAL(run.patches, 1);
    run.options.positive = "regular";
    CU_ASSERT_EQUAL(rig_import_run(&run, mixed, NULL), S2CLR_ERR_UNSUPPORTED);
    TEST_ERROR_SAYS("Arable land");
}

/* Mean and deviation of every band as GDAL itself computes them from the file. */
static void check_statistics(const s2clr_patch_record *record)
{
    for (int b = 0; b < record->bands; b++) {
        const s2clr_patch_band *band = &record->band[b];
        const uint16_t *dn = band->data;
        const int pixels = band->width * band->height;
        double sum = 0, squares = 0, low, high, mean, deviation;
        char path[2048];
        for (int i = 0; i < pixels; i++) sum += dn[i];
        for (int i = 0; i < pixels; i++) squares += pow(dn[i] - sum / pixels, 2);
        snprintf(path, sizeof path, "%s/%s/%s_%s.tif", test_data("bigearthnet_v1"), record->name,
                 record->name, band->name);
        GDALDatasetH file = GDALOpen(path, GA_ReadOnly);
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_EQUAL(GDALComputeRasterStatistics(GDALGetRasterBand(file, 1), FALSE, &low, &high,
                                                    &mean, &deviation, NULL, NULL),
                        CE_None);
        GDALClose(file);
        TEST_NEAR(sum / pixels, mean, 1e-6 * mean);
        TEST_NEAR(sqrt(squares / pixels), deviation, 1e-6 * (1 + deviation));
    }
}

static void real_patches(void)
{
    const char *root = test_data("bigearthnet_v1");
    if (!root) {
        test_skip("no real BigEarthNet patches");
        return;
    }
    CPLSetConfigOption("GDAL_PAM_ENABLED", "NO"); /* nothing is written beside the data */
    reset();
    run.options.positive = "expanded";
    run.options.strict = true;
    run.check = check_statistics;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_EQUAL(run.patches, 11);
    CU_ASSERT_EQUAL(run.positives, 0);
    CU_ASSERT_EQUAL(run.negatives, 11);
}

static void real_lists(void)
{
    char spec[1100], root[1100];
    if (!test_data("labels/simclr_s2_splits/train_1.txt")) {
        test_skip("no lists of the published splits");
        return;
    }
    snprintf(root, sizeof root, "%s", test_data("bigearthnet_v1"));
    snprintf(spec, sizeof spec, "train=%s", test_data("labels/simclr_s2_splits/train_1.txt"));
    const char *lists[] = {spec, NULL};
    reset();
    run.options.lists = lists;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT(run.patches + run.skips > 150); /* 1 % of the published training set */
    CU_ASSERT(run.patches <= 11);
}

static void not_there(void)
{
    reset();
    CU_ASSERT_EQUAL(rig_import_run(&run, "/nowhere/at/all", NULL), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("no such file");
    const char *empty = rig_import_folder("empty");
    CU_ASSERT_EQUAL(rig_import_run(&run, empty, NULL), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("bigearthnet-v1");
    const s2clr_import_kind *kind = s2clr_import_find("bigearthnet-v1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(kind);
    s2clr_import *import;
    CU_ASSERT_EQUAL(kind->open(&empty, 1, &run.options, &import), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("no patch folder");
    CU_ASSERT_PTR_NULL(s2clr_import_find("nothing"));
}

static const test_case cases[] = {
    {"everything arrives", everything_arrives},
    {"labellings", labellings},
    {"the table of classes", the_table},
    {"bad patches", bad_patches},
    {"duplicates", duplicates},
    {"lists of names", lists_of_names},
    {"bad lists", bad_lists},
    {"version two", version_two},
    {"real patches", real_patches},
    {"real lists", real_lists},
    {"not there", not_there},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("import_bigearthnet", cases, argc, argv);
}
