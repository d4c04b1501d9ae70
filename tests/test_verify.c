#define _GNU_SOURCE
#include "harness.h"

#include <gdal.h>
#include <stdio.h>
#include <string.h>

#include "dataset/verify.h"
#include "store_rig.h"

typedef struct found {
    int count;
    char name[8][80], reason[8][300];
} found;

static void note(void *context, const char *name, const char *reason)
{
    found *out = context;
    if (out->count == 8) return;
    snprintf(out->name[out->count], sizeof out->name[0], "%s", name);
    snprintf(out->reason[out->count++], sizeof out->reason[0], "%s", reason);
}

static s2clr_verify_report verify(const char *path, int threads, found *out)
{
    s2clr_verify_report report = {.patches = 999};
    const s2clr_verify_options options = {.found = note, .context = out};
    s2clr_pool *pool;
    memset(out, 0, sizeof *out);
    TEST_OK(s2clr_pool_new(threads, &pool));
    TEST_OK(s2clr_store_verify(path, &options, pool, &report));
    s2clr_pool_free(pool);
    return report;
}

static const char *name_of(int number)
{
    static rig_patch patch;
    rig_patch_make(&patch, number, 6);
    rig_patch_clear(&patch);
    return patch.name;
}

static void a_whole_store_is_whole(void)
{
    found list;
    const char *path = rig_store_make("whole", 0, 5000, 6);
    for (int threads = 1; threads <= 3; threads++) {
        const s2clr_verify_report report = verify(path, threads, &list);
        CU_ASSERT_EQUAL(report.patches, 5000);
        CU_ASSERT_TRUE(s2clr_verify_report_is_whole(&report));
        CU_ASSERT_TRUE(report.complete);
        CU_ASSERT_EQUAL(report.orphans, 0);
        CU_ASSERT_EQUAL(list.count, 0);
    }
    const s2clr_verify_report report = verify(rig_store_make("none", 0, 0, 6), 2, &list);
    CU_ASSERT_EQUAL(report.patches, 0);
    CU_ASSERT_TRUE(s2clr_verify_report_is_whole(&report));
}

/* A value lost, one changed, one of another patch, one too many. */
static void what_is_wrong_is_listed(void)
{
    found list;
    const char *path = rig_store_make("wrong", 0, 4100, 6);
    CU_ASSERT_EQUAL(rig_store_value(path, name_of(3), NULL, 0), 0);
    CU_ASSERT_EQUAL(rig_store_value(path, name_of(4), "nonsense", 8), 0);
    CU_ASSERT_EQUAL(rig_store_value(path, name_of(4099), "", 0), 0);
    CU_ASSERT_EQUAL(rig_store_value(path, "no row", "xx", 2), 0);
    const s2clr_verify_report report = verify(path, 2, &list);
    CU_ASSERT_EQUAL(report.patches, 4100);
    CU_ASSERT_EQUAL(report.missing, 1);
    CU_ASSERT_EQUAL(report.damaged, 2);
    CU_ASSERT_EQUAL(report.orphans, 1);
    CU_ASSERT_FALSE(s2clr_verify_report_is_whole(&report));
    CU_ASSERT_EQUAL_FATAL(list.count, 3);
    CU_ASSERT_STRING_EQUAL(list.name[0], name_of(3));
    CU_ASSERT_STRING_EQUAL(list.reason[0], "has a row and no value");
    CU_ASSERT_STRING_EQUAL(list.name[1], name_of(4));
    /* SHA-256 of "nonsense" and of nothing, by sha256sum. */
    CU_ASSERT_PTR_NOT_NULL(
        strstr(list.reason[1], "999aaa8645bb72ff599e143b1e3d2a94777127f4783a69f067251f7bbebc5ab6"));
    CU_ASSERT_STRING_EQUAL(list.name[2], name_of(4099));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(list.reason[2], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

/* Fewer values than rows: the store does not open, but can be looked at. */
static void a_store_that_does_not_open_is_verified(void)
{
    found list;
    s2clr_store *store;
    const char *path = rig_store_make("missing", 0, 10, 6);
    CU_ASSERT_EQUAL(rig_store_value(path, name_of(9), NULL, 0), 0);
    CU_ASSERT_EQUAL(s2clr_store_open(path, &store), S2CLR_ERR_FORMAT);
    const s2clr_verify_report report = verify(path, 2, &list);
    CU_ASSERT_EQUAL(report.missing, 1);
    CU_ASSERT_EQUAL(list.count, 1);
}

static void an_edited_hash_is_found(void)
{
    char file[4400];
    found list;
    const char *path = rig_store_make("edited", 0, 4, 6);
    snprintf(file, sizeof file, "%s/index.gpkg", path);
    GDALDatasetH index = GDALOpenEx(file, GDAL_OF_VECTOR | GDAL_OF_UPDATE, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(index);
    GDALDatasetExecuteSQL(
        index, "UPDATE patches SET sha256 = lower(hex(zeroblob(32))) WHERE fid = 2", NULL, "");
    GDALClose(index);
    const s2clr_verify_report report = verify(path, 1, &list);
    CU_ASSERT_EQUAL(report.damaged, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(list.reason[0], "the index says 00000000"));
}

static void an_interrupted_store_says_so(void)
{
    found list;
    const char *path = store_rig_path("interrupted");
    TEST_OK(rig_store_fill(path, 0, 5, 6, 2, false, NULL, NULL));
    const s2clr_verify_report report = verify(path, 1, &list);
    CU_ASSERT_FALSE(report.complete);
    CU_ASSERT_EQUAL(report.patches, 4);
    CU_ASSERT_TRUE(s2clr_verify_report_is_whole(&report));
}

static bool stop_half_way(void *context, double fraction, const char *text)
{
    (void)text;
    ++*(int *)context;
    return fraction < 0.5;
}

static void it_can_be_cancelled(void)
{
    int calls = 0;
    const s2clr_progress progress = {.call = stop_half_way, .context = &calls};
    const s2clr_verify_options options = {.progress = &progress};
    s2clr_verify_report report = {.patches = 7};
    s2clr_pool *pool;
    TEST_OK(s2clr_pool_new(2, &pool));
    CU_ASSERT_EQUAL(
        s2clr_store_verify(rig_store_make("cancelled", 0, 5000, 6), &options, pool, &report),
        S2CLR_ERR_CANCELLED);
    CU_ASSERT_EQUAL(report.patches, 7);
    CU_ASSERT_EQUAL(calls, 3);
    CU_ASSERT_EQUAL(s2clr_store_verify(test_folder(), &options, pool, &report), S2CLR_ERR_IO);
    s2clr_pool_free(pool);
}

static const test_case cases[] = {
    {"a whole store is whole", a_whole_store_is_whole},
    {"what is wrong is listed", what_is_wrong_is_listed},
    {"a store that does not open is verified", a_store_that_does_not_open_is_verified},
    {"an edited hash is found", an_edited_hash_is_found},
    {"an interrupted store says so", an_interrupted_store_says_so},
    {"it can be cancelled", it_can_be_cancelled},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("verify", cases, argc, argv);
}
