/*
 * Patches that were exported as GeoTIFF and are read again: the same DN, and the same offset to add
 * to them, whichever reader takes the folder.
 */
#include <gdal.h>
#include <stdio.h>
#include <string.h>

#include "dataset/export.h"
#include "harness.h"
#include "import_rig.h"
#include "safe_fixture.h"
#include "store_rig.h"
#include "tf_rig.h"

/* As the processor names a product that adds 1000 to every DN. */
#define PRODUCT "S2B_MSIL2A_20230601T105031_N0509_R051_T30SXH_20230601T121500"

static rig_import run;

static void reset(void)
{
    memset(&run, 0, sizeof run);
    run.options.max_water = 1;
}

/* ---- stores ---- */

static s2clr_store_writer *writer;

static void begin_store(const char *name)
{
    const s2clr_store_options options = {.title = "t", .command = "c"};
    TEST_OK(s2clr_store_writer_open(store_rig_path(name), &options, &writer));
}

static void keep(const s2clr_patch_record *record)
{
    TEST_OK(s2clr_store_writer_put(writer, record));
}

static void keep_made(const char *name, int number, double offset)
{
    s2clr_patch_record record;
    const double transform[6] = {404400, 10, 0, 5342400, 0, -10};
    tf_rig_record(&record, number, 0);
    if (name) record.name = name;
    record.labels[record.label_count++] = "Pastures";
    record.has_footprint = true;
    record.crs = "EPSG:32633";
    record.width = record.height = 120;
    memcpy(record.transform, transform, sizeof transform);
    record.date = "2017-06-13";
    record.source = "made up";
    record.level = "L2A";
    record.dn_offset = offset;
    keep(&record);
}

static void export_all(const char *name, const char *out)
{
    const s2clr_export_options options = {.strict = true};
    const s2clr_export_kind *kind;
    s2clr_export_report report;
    s2clr_store *store;
    TEST_OK(s2clr_store_writer_close(writer, true));
    TEST_OK(s2clr_export_find("geotiff", &kind));
    TEST_OK(s2clr_store_open(store_rig_path(name), &store));
    TEST_OK(kind->run(store, store_rig_path(out), &options, &report));
    s2clr_store_close(store);
}

/* ---- comparisons ---- */

static const s2clr_store_row *row;
static const s2clr_store_patch *patch;

/* The one patch that a folder gives is the row's. */
static void is_as_stored(const s2clr_patch_record *record)
{
    CU_ASSERT_EQUAL(record->dn_offset, row->dn_offset);
    CU_ASSERT_STRING_EQUAL(record->level, row->level);
    CU_ASSERT_EQUAL(memcmp(record->transform, row->transform, sizeof record->transform), 0);
    CU_ASSERT_EQUAL_FATAL(record->bands, patch->bands);
    for (int i = 0; i < patch->bands; i++) {
        const s2clr_patch_band *stored = &patch->band[i];
        int b = 0;
        while (b < record->bands && strcmp(record->band[b].name, stored->name) != 0) b++;
        CU_ASSERT_FATAL(b < record->bands);
        const s2clr_patch_band *band = &record->band[b];
        CU_ASSERT_EQUAL_FATAL(band->dtype, stored->dtype);
        CU_ASSERT_EQUAL_FATAL(band->width, stored->width);
        CU_ASSERT_EQUAL_FATAL(band->height, stored->height);
        const size_t pixels = (size_t)band->width * (size_t)band->height;
        CU_ASSERT_EQUAL(
            memcmp(band->data, stored->data, pixels * (band->dtype == S2CLR_DTYPE_U8 ? 1 : 2)), 0);
    }
}

/* Each patch of the store against the folder of its name. */
static void compare_all(const char *name, const char *out, const char *kind, size_t patches)
{
    s2clr_store *store;
    s2clr_store_cursor *cursor;
    s2clr_store_patch read;
    TEST_OK(s2clr_store_open(store_rig_path(name), &store));
    TEST_OK(s2clr_store_cursor_new(store, &cursor));
    CU_ASSERT_EQUAL(s2clr_store_count(store), patches);
    for (size_t i = 0; i < s2clr_store_count(store); i++) {
        row = s2clr_store_row_at(store, i);
        TEST_OK(s2clr_store_read(cursor, i, &read));
        patch = &read;
        reset();
        run.options.patch = row->width;
        run.options.scl = "auto";
        run.check = is_as_stored;
        TEST_OK(rig_import_run(&run, rig_import_join(store_rig_path(out), row->name), NULL));
        CU_ASSERT_STRING_EQUAL(run.kind, kind);
        CU_ASSERT_EQUAL(run.patches, 1);
    }
    s2clr_store_cursor_free(cursor);
    s2clr_store_close(store);
}

/* ---- cases ---- */

static void a_product_keeps_its_offset(void)
{
    const safe_fixture fixture = safe_fixture_default();
    char safe[1024];
    if (!safe_fixture_possible()) {
        test_skip("this GDAL cannot write JPEG 2000");
        return;
    }
    CU_ASSERT_EQUAL(fixture.offset, -1000);
    CU_ASSERT_EQUAL_FATAL(safe_fixture_write(test_folder(), &fixture, safe, sizeof safe), 0);
    begin_store("product");
    reset();
    run.options.patch = 60;
    run.options.scl = "auto";
    run.check = keep;
    TEST_OK(rig_import_run(&run, safe, NULL));
    const size_t patches = (size_t)run.patches;
    CU_ASSERT(patches >= 4);
    export_all("product", "product-tiffs");
    compare_all("product", "product-tiffs", "raster", patches);
}

static void a_bigearthnet_patch_keeps_its_offset(void)
{
    begin_store("ben");
    keep_made(NULL, 1, 0);
    keep_made(NULL, 2, -1000);
    export_all("ben", "ben-tiffs");
    compare_all("ben", "ben-tiffs", "bigearthnet-v1", 2);
}

/* The product's name says that there is one: it has been added before. */
static void no_offset_stays_none(void)
{
    begin_store("none");
    keep_made(PRODUCT "_1", 1, 0);
    keep_made(PRODUCT "_2", 2, -1000);
    export_all("none", "none-tiffs");
    compare_all("none", "none-tiffs", "raster", 2);
}

static void set_offset(const char *folder, const char *band, const char *value)
{
    char path[1400];
    snprintf(path, sizeof path, "%s/%s_%s.tif", folder, tf_rig_name(1), band);
    GDALDatasetH file = GDALOpen(path, GA_Update);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    GDALSetMetadataItem(file, "BOA_ADD_OFFSET", value, NULL);
    GDALClose(file);
}

static void offsets_that_cannot_be(void)
{
    begin_store("bad");
    keep_made(NULL, 1, -1000);
    export_all("bad", "bad-tiffs");
    const char *folder = rig_import_join(store_rig_path("bad-tiffs"), tf_rig_name(1));
    reset();
    set_offset(folder, "B05", "-900");
    TEST_OK(rig_import_run(&run, folder, NULL));
    CU_ASSERT_EQUAL(run.patches, 0);
    CU_ASSERT(rig_import_skipped(&run, tf_rig_name(1), "B05.tif: its DN offset is -900"));
    set_offset(folder, "B05", "much");
    TEST_OK(rig_import_run(&run, folder, NULL));
    CU_ASSERT(rig_import_skipped(&run, tf_rig_name(1), "BOA_ADD_OFFSET is \"much\""));
}

static const test_case cases[] = {
    {"a product keeps its offset", a_product_keeps_its_offset},
    {"a BigEarthNet patch keeps its offset", a_bigearthnet_patch_keeps_its_offset},
    {"no offset stays none", no_offset_stays_none},
    {"offsets that cannot be", offsets_that_cannot_be},
};

int main(int argc, char **argv)
{
    GDALAllRegister();
    return TEST_MAIN("export_again", cases, argc, argv);
}
