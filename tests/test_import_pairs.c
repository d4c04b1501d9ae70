/* Two dates of one place cut into patches: made here, and real scenes. */
#include <cpl_conv.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "import_rig.h"
#include "stack_rig.h"

static rig_import run;

static void reset(void)
{
    memset(&run, 0, sizeof run);
    run.options.max_water = 1;
}

static char places[2][40][80];

static void note_place(const s2clr_patch_record *record)
{
    const int date = strstr(record->name, "date2") != NULL;
    const char *end = strstr(record->name, "_r0");
    CU_ASSERT(end && strstr(record->place, end) != NULL);
    CU_ASSERT_STRING_EQUAL(record->date, date ? "2020-05-04" : "2020-03-02");
    for (int i = 0; i < 40; i++)
        if (!places[date][i][0]) {
            snprintf(places[date][i], sizeof places[date][i], "%s", record->place);
            return;
        }
}

static void write_place(const char *place, int width)
{
    char folder[100];
    rig_import_folder(place);
    snprintf(folder, sizeof folder, "%s/date1", place);
    rig_import_bands(folder);
    snprintf(folder, sizeof folder, "%s/date2", place);
    rig_import_bands(folder);
    snprintf(folder, sizeof folder, "%s/dates.txt", place);
    rig_import_text(rig_import_join(test_folder(), folder), "date_1: 20200302\ndate_2: 20200504\n");
    if (width == 300) return;
    snprintf(folder, sizeof folder, "%s/date2/B02.tif", place);
    rig_write(&(rig_raster){.name = folder,
                            .width = width,
                            .height = 240,
                            .bands = 1,
                            .metres = 10,
                            .fill = rig_import_ramp});
}

static void pairs(void)
{
    const char *root = rig_import_folder("dates");
    write_place("dates/hill", 300);
    write_place("dates/lake", 300);
    rig_import_folder("dates/nothing");
    reset();
    memset(places, 0, sizeof places);
    run.check = note_place;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "pairs");
    CU_ASSERT_EQUAL(run.patches, 2 * 2 * 4);
    CU_ASSERT_EQUAL(run.skips, 1); /* the folder without dates */
    CU_ASSERT_STRING_EQUAL(places[0][0], "hill_r00000_c00000");
    CU_ASSERT_EQUAL(memcmp(places[0], places[1], sizeof places[0]), 0);
    TEST_OK(rig_import_run(&run, rig_import_join(root, "lake"), NULL));
    CU_ASSERT_EQUAL(run.patches, 2 * 4);

    write_place("crooked", 288);
    const char *crooked = rig_import_join(test_folder(), "crooked");
    reset();
    TEST_OK(rig_import_run(&run, crooked, NULL));
    CU_ASSERT_EQUAL(run.patches, 4); /* the first date alone */
    CU_ASSERT(rig_import_skipped(&run, rig_import_join(crooked, "date2"), "another grid"));
    run.options.strict = true;
    CU_ASSERT_EQUAL(rig_import_run(&run, crooked, NULL), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS("another grid");
}

/* The window as GDAL reads it from the band's own file. */
static void check_valencia(const s2clr_patch_record *record)
{
    int row, column;
    rig_import_place(record, &row, &column);
    CU_ASSERT_EQUAL(record->bands, 13);
    for (int b = 0; b < record->bands; b++) {
        const s2clr_patch_band *band = &record->band[b];
        uint16_t *expected = malloc((size_t)band->width * (size_t)band->height * 2);
        char name[200];
        snprintf(name, sizeof name, "scenes_l1c/valencia/%s/%s.tif",
                 strstr(record->name, "date1") ? "date1" : "date2", band->name);
        GDALDatasetH file = GDALOpen(test_data(name), GA_ReadOnly);
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        const int factor = 120 / band->width, x = column / factor, y = row / factor;
        CU_ASSERT_EQUAL(GDALRasterIO(GDALGetRasterBand(file, 1), GF_Read, x, y, band->width,
                                     band->height, expected, band->width, band->height, GDT_UInt16,
                                     0, 0),
                        CE_None);
        GDALClose(file);
        CU_ASSERT_EQUAL(
            memcmp(expected, band->data, (size_t)band->width * (size_t)band->height * 2), 0);
        free(expected);
    }
    CU_ASSERT(record->has_footprint);
    CU_ASSERT(record->metres > 9 && record->metres < 11.5);
    CU_ASSERT(strcmp(record->date, "2016-07-30") == 0 || strcmp(record->date, "2017-11-07") == 0);
}

static void real_pairs(void)
{
    char place[1100], root[1100];
    if (!test_data("scenes_l1c")) {
        test_skip("no real scenes");
        return;
    }
    snprintf(place, sizeof place, "%s", test_data("scenes_l1c/valencia"));
    snprintf(root, sizeof root, "%s", test_data("scenes_l1c"));
    reset();
    run.check = check_valencia;
    TEST_OK(rig_import_run(&run, place, NULL));
    CU_ASSERT_EQUAL(run.patches, 2 * 3 * 3);
    reset();
    run.options.patch = 240;
    TEST_OK(rig_import_run(&run, root, NULL));
    CU_ASSERT_STRING_EQUAL(run.kind, "pairs");
    CU_ASSERT(run.patches >= 12);
    CU_ASSERT(rig_import_skipped(&run, rig_import_join(root, "segura"), "0 folders of dates"));
}

static const test_case cases[] = {
    {"pairs", pairs},
    {"real pairs", real_pairs},
};

int main(int argc, char **argv)
{
    CPLSetConfigOption("GDAL_PAM_ENABLED", "NO"); /* nothing is written beside the data */
    return TEST_MAIN("import_pairs", cases, argc, argv);
}
