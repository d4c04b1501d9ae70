/* Stores that are wrong, folders that refuse, footprints. */
#define _GNU_SOURCE
#include "harness.h"

#include <cpl_conv.h>
#include <gdal.h>
#include <math.h>
#include <ogr_api.h>
#include <ogr_srs_api.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataset/store.h"
#include "store_rig.h"

static const char *file_of(const char *store, const char *name)
{
    static char path[4][4500];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", store, name);
    return path[next];
}

/* Opening fails for reading and for appending, both with this text. */
static void is_refused(const char *path, const char *text)
{
    const s2clr_store_options options = {.append = true};
    s2clr_store *store;
    s2clr_store_writer *writer;
    CU_ASSERT_NOT_EQUAL(s2clr_store_open(path, &store), S2CLR_OK);
    TEST_ERROR_SAYS(text);
    CU_ASSERT_NOT_EQUAL(s2clr_store_writer_open(path, &options, &writer), S2CLR_OK);
    TEST_ERROR_SAYS(text);
}

/* ---- values ---- */

static void truncated_values_are_refused(void)
{
    const char *path = rig_store_make("truncated", 0, 200, 12);
    const char *values = file_of(path, "patches.lmdb");
    struct stat info;
    CU_ASSERT_EQUAL_FATAL(stat(values, &info), 0);
    CU_ASSERT_EQUAL(truncate(values, info.st_size - 4096), 0);
    is_refused(path, "patches.lmdb: truncated");
    CU_ASSERT_EQUAL(truncate(values, info.st_size / 2), 0);
    is_refused(path, "patches.lmdb: truncated");
    CU_ASSERT_EQUAL(truncate(values, 5000), 0);
    is_refused(path, "patches.lmdb");
}

static void other_files_are_not_values(void)
{
    const char *path = rig_store_make("not-lmdb", 0, 2, 6);
    const char *values = file_of(path, "patches.lmdb");
    size_t size;
    unsigned char *bytes = rig_file_read(values, &size);
    /* Data version: a 32-bit number after the magic one, in both meta pages. */
    CU_ASSERT_FATAL(size > 4096 + 24);
    for (size_t page = 0; page < 8192; page += 4096) bytes[page + 20] = 99;
    rig_file_write(values, bytes, size);
    is_refused(path, "version");
    memset(bytes, 'x', size);
    rig_file_write(values, bytes, size);
    is_refused(path, "not an LMDB file");
    free(bytes);
    CU_ASSERT_EQUAL(unlink(values), 0);
    s2clr_store *store;
    CU_ASSERT_EQUAL(s2clr_store_open(path, &store), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("patches.lmdb: cannot open");
}

static void a_row_without_value_is_noticed(void)
{
    const char *path = rig_store_make("no-value", 0, 4, 6);
    rig_patch patch;
    s2clr_store *store;
    s2clr_store_cursor *cursor;
    s2clr_store_patch read;
    rig_patch_make(&patch, 2, 6);
    CU_ASSERT_EQUAL(rig_store_value(path, patch.name, NULL, 0), 0);
    is_refused(path, "4 patches, patches.lmdb only 3");
    /* A value of another name makes the numbers agree again. */
    CU_ASSERT_EQUAL(rig_store_value(path, "another", "x", 1), 0);
    TEST_OK(s2clr_store_open(path, &store));
    TEST_OK(s2clr_store_cursor_new(store, &cursor));
    TEST_OK(s2clr_store_read(cursor, 1, &read));
    CU_ASSERT_EQUAL(s2clr_store_read(cursor, 2, &read), S2CLR_ERR_FORMAT);
    TEST_ERROR_SAYS(patch.name);
    TEST_ERROR_SAYS("no value");
    CU_ASSERT_EQUAL(s2clr_store_read(cursor, 4, &read), S2CLR_ERR_ARGUMENT);
    s2clr_store_cursor_free(cursor);
    s2clr_store_close(store);
    rig_patch_clear(&patch);
}

static void values_without_row_are_written_again(void)
{
    const char *path = rig_store_make("orphans", 0, 4, 6);
    const char *same = rig_store_make("no-orphans", 0, 6, 6);
    rig_patch patch;
    rig_patch_make(&patch, 4, 6);
    CU_ASSERT_EQUAL(rig_store_value(path, patch.name, "stale", 5), 0);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "orphan %d", i);
        CU_ASSERT_EQUAL(rig_store_value(path, name, name, sizeof name), 0);
    }
    rig_patch_clear(&patch);
    CU_ASSERT_EQUAL(rig_store_keys(path), 305);
    TEST_OK(rig_store_fill(path, 0, 6, 6, 100, true, NULL, NULL));
    CU_ASSERT_EQUAL(rig_store_keys(path), 6);
    rig_stores_equal(path, same);
    s2clr_store *store;
    TEST_OK(s2clr_store_open(path, &store));
    s2clr_store_close(store);
}

/* Every value that is no patch is an error and no crash: cut at any byte, or changed. */
static void damaged_values_are_refused(void)
{
    const char *path = rig_store_make("damaged", 0, 2, 6);
    rig_patch patch;
    s2clr_store *store;
    s2clr_store_cursor *cursor;
    s2clr_store_patch read;
    char hex[65];
    rig_patch_make(&patch, 1, 6);
    static const char *const headers[] = {
        "",
        "{}",
        "{\"B02\":{\"dtype\":\"U16\",\"shape\":[6],\"data_offsets\":[0,12]}}",
        "{\"B02\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]}}",
        "{\"B02\":{\"dtype\":\"U8\",\"shape\":[1,9000],\"data_offsets\":[0,9000]}}",
        "{\"a name of sixteen\":{\"dtype\":\"U8\",\"shape\":[1,4],\"data_offsets\":[0,4]}}"};
    static unsigned char value[10000];
    static const size_t data[] = {0, 0, 12, 8, 9000, 4};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        const size_t length = strlen(headers[i]);
        memset(value, 0, sizeof value);
        value[0] = (unsigned char)length;
        memcpy(value + 8, headers[i], length);
        CU_ASSERT_EQUAL(rig_store_value(path, patch.name, value, 8 + length + data[i]), 0);
        TEST_OK(s2clr_store_open(path, &store));
        TEST_OK(s2clr_store_cursor_new(store, &cursor));
        TEST_OK(s2clr_store_read(cursor, 0, &read));
        CU_ASSERT_NOT_EQUAL(s2clr_store_read(cursor, 1, &read), S2CLR_OK);
        TEST_ERROR_SAYS(patch.name);
        TEST_OK(s2clr_store_hash(cursor, 1, hex));
        CU_ASSERT_STRING_NOT_EQUAL(hex, s2clr_store_row_at(store, 1)->sha256);
        TEST_OK(s2clr_store_read(cursor, 0, &read));
        CU_ASSERT_EQUAL(read.bands, 3);
        s2clr_store_cursor_free(cursor);
        s2clr_store_close(store);
    }
    rig_patch_clear(&patch);
}

/* ---- index and description ---- */

static void run_sql(const char *store, const char *sql)
{
    GDALDatasetH dataset =
        GDALOpenEx(file_of(store, "index.gpkg"), GDAL_OF_VECTOR | GDAL_OF_UPDATE, NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    OGRLayerH answer = GDALDatasetExecuteSQL(dataset, sql, NULL, NULL);
    if (answer) GDALDatasetReleaseResultSet(dataset, answer);
    GDALClose(dataset);
}

static void wrong_rows_are_refused(void)
{
    static const struct {
        const char *sql, *text;
    } rows[] = {
        {"UPDATE patches SET sha256 = 'abc' WHERE fid = 2", "sha256"},
        {"UPDATE patches SET label = 7 WHERE fid = 2", "label"},
        {"UPDATE patches SET cover = 2 WHERE fid = 2", "cover"},
        {"UPDATE patches SET split = 'x' WHERE fid = 2", "split"},
        {"UPDATE patches SET width = 0 WHERE fid = 2", "width"},
        {"UPDATE patches SET transform = '1 2 3' WHERE fid = 2", "transform"},
        {"UPDATE patches SET name = (SELECT name FROM patches WHERE fid = 1) WHERE fid = 2",
         "name"},
        {"UPDATE patches SET geom = NULL, crs = 'EPSG:0' WHERE fid = 2", "CRS"},
    };
    char name[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "wrong-row-%zu", i);
        const char *path = rig_store_make(name, 0, 3, 6);
        run_sql(path, rows[i].sql);
        is_refused(path, rows[i].text);
    }
}

static void foreign_files_are_not_an_index(void)
{
    const char *path = rig_store_make("foreign", 0, 2, 6);
    const char *index = file_of(path, "index.gpkg");
    run_sql(path, "ALTER TABLE patches RENAME COLUMN sha256 TO hash");
    is_refused(path, "no column 'sha256'");
    unlink(index);
    GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("GPKG"), index, 0, 0, 0, GDT_Unknown, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dataset);
    GDALDatasetCreateLayer(dataset, "fields", NULL, wkbPoint, NULL);
    GDALClose(dataset);
    is_refused(path, "no layer 'patches'");
    rig_file_write(index, "not a database", 14);
    is_refused(path, "index.gpkg: cannot open");
    unlink(index);
    is_refused(path, "index.gpkg");
}

static void wrong_descriptions_are_refused(void)
{
    static const struct {
        const char *json, *text;
    } texts[] = {
        {"", "not JSON"},
        {"[1, 2", "not JSON"},
        {"{}", "format"},
        {"{\"format\": \"s2clr-store\"}", "version"},
        {"{\"format\": \"s2clr-store\", \"version\": 2}", "newer s2clr"},
        {"{\"format\": \"s2clr-store\", \"version\": 1}", "complete"},
        {"{\"format\": \"s2clr-store\", \"version\": 1, \"complete\": true}", "commands"},
        {"{\"format\": \"s2clr-store\", \"version\": 1, \"complete\": true, \"commands\": [1]}",
         "commands"},
        {"{\"format\": \"s2clr-store\", \"version\": 1, \"complete\": true, \"commands\": [], "
         "\"bands\": [{\"name\": \"B02\", \"types\": [\"C64\"]}]}",
         "types"},
        {"{\"format\": \"s2clr-store\", \"version\": 1, \"complete\": true, \"commands\": [], "
         "\"bands\": [{\"name\": \"B02\", \"types\": [\"U8\"], \"smallest\": [0, 1]}]}",
         "smallest"},
    };
    const char *path = rig_store_make("description", 0, 1, 6);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        rig_file_write(file_of(path, "store.json"), texts[i].json, strlen(texts[i].json));
        is_refused(path, texts[i].text);
        CU_ASSERT_FALSE(s2clr_store_identify(path));
    }
}

/* ---- folders ---- */

static void a_foreign_folder_is_left_alone(void)
{
    const char *path = store_rig_path("foreign-folder");
    const s2clr_store_options options = {.append = true};
    s2clr_store_writer *writer;
    mkdir(path, 0777);
    rig_file_write(file_of(path, "thesis.txt"), "mine", 4);
    CU_ASSERT_EQUAL(s2clr_store_writer_open(path, &options, &writer), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("not empty");
    CU_ASSERT_NOT_EQUAL(access(file_of(path, "store.json"), F_OK), 0);
    unlink(file_of(path, "thesis.txt"));
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    TEST_OK(s2clr_store_writer_close(writer, true));
    CU_ASSERT_NOT_EQUAL(s2clr_store_writer_open(store_rig_path("no/such/place"), &options, &writer),
                        S2CLR_OK);
    TEST_ERROR_SAYS("cannot make the folder");
}

/* In a child that gave up root, where the parent is. 0: as it should be. */
static int without_rights(const char *path)
{
    const s2clr_store_options options = {.append = true};
    s2clr_store *store;
    s2clr_store_writer *writer;
    s2clr_store_cursor *cursor;
    s2clr_store_patch patch;
    const char *values[3] = {"test", "test", "test"};
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 77;
    if (s2clr_store_open(path, &store) != S2CLR_OK) return 1;
    if (s2clr_store_cursor_new(store, &cursor) != S2CLR_OK) return 2;
    if (s2clr_store_read(cursor, 2, &patch) != S2CLR_OK || patch.bands != 3) return 3;
    s2clr_store_cursor_free(cursor);
    s2clr_store_close(store);
    if (s2clr_store_writer_open(path, &options, &writer) == S2CLR_OK) return 4;
    if (!strstr(s2clr_error_text(), path)) return 5;
    if (s2clr_store_set(path, "split", values, 3) == S2CLR_OK) return 6;
    return 0;
}

/* The result of a function in a child process, 0 to 255, or -1. */
static int in_child(int (*run)(const char *), const char *path)
{
    int status;
    const pid_t child = test_fork();
    if (child == 0) _exit(run(path));
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

static void a_read_only_store_can_be_read(void)
{
    static const char *const names[] = {"store.json", "index.gpkg", "patches.lmdb",
                                        "patches.lmdb-lock"};
    const char *path = rig_store_make("read-only", 0, 3, 6);
    chmod(test_folder(), 0755);
    for (int i = 0; i < 4; i++) chmod(file_of(path, names[i]), 0444);
    chmod(path, 0555);
    const int found = in_child(without_rights, path);
    chmod(path, 0755);
    if (found == 77)
        test_skip("cannot give up root here");
    else
        CU_ASSERT_EQUAL(found, 0);
    unlink(file_of(path, "patches.lmdb-lock")); /* as on a disc it was copied to */
    chmod(path, 0555);
    if (found != 77) CU_ASSERT_EQUAL(in_child(without_rights, path), 0);
    chmod(path, 0755);
}

/* A limit on file sizes stands in for a full disk. */
static int in_little_room(const char *path)
{
    const struct rlimit limit = {400000, 400000};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 77;
    if (rig_store_fill(path, 0, 2000, 12, 50, true, NULL, NULL) == S2CLR_OK) return 1;
    if (!strstr(s2clr_error_text(), path)) return 2;
    return strstr(s2clr_error_text(), "run the same command again") ||
                   strstr(s2clr_error_text(), "raise the limit")
               ? 0
               : 3;
}

static void a_full_disk_loses_nothing_committed(void)
{
    const char *path = store_rig_path("full"), *same = rig_store_make("not-full", 0, 1000, 12);
    const int found = in_child(in_little_room, path);
    if (found == 77) {
        test_skip("file sizes cannot be limited here");
        return;
    }
    CU_ASSERT_EQUAL(found, 0);
    s2clr_store *store;
    TEST_OK(s2clr_store_open(path, &store));
    CU_ASSERT_TRUE(s2clr_store_count(store) >= 50);
    s2clr_store_close(store);
    TEST_OK(rig_store_fill(path, 0, 1000, 12, 100, true, NULL, NULL));
    rig_stores_equal(path, same);
}

static const test_case cases[] = {
    {"truncated_values_are_refused", truncated_values_are_refused},
    {"other_files_are_not_values", other_files_are_not_values},
    {"a_row_without_value_is_noticed", a_row_without_value_is_noticed},
    {"values_without_row_are_written_again", values_without_row_are_written_again},
    {"damaged_values_are_refused", damaged_values_are_refused},
    {"wrong_rows_are_refused", wrong_rows_are_refused},
    {"foreign_files_are_not_an_index", foreign_files_are_not_an_index},
    {"wrong_descriptions_are_refused", wrong_descriptions_are_refused},
    {"a_foreign_folder_is_left_alone", a_foreign_folder_is_left_alone},
    {"a_read_only_store_can_be_read", a_read_only_store_can_be_read},
    {"a_full_disk_loses_nothing_committed", a_full_disk_loses_nothing_committed},
};

int main(int argc, char **argv)
{
    /* GDAL would print what the tests provoke here on purpose. */
    CPLSetErrorHandler(CPLQuietErrorHandler);
    CPLSetConfigOption("OGR_SQLITE_SYNCHRONOUS", "OFF"); /* many small stores */
    return TEST_MAIN("store files", cases, argc, argv);
}
