#define _GNU_SOURCE
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "dataset/store.h"
#include "store_rig.h"

static s2clr_store *open_store(const char *path)
{
    s2clr_store *store = NULL;
    TEST_OK(s2clr_store_open(path, &store));
    CU_ASSERT_PTR_NOT_NULL_FATAL(store);
    return store;
}

static s2clr_store_writer *open_writer(const char *path, bool append)
{
    const s2clr_store_options options = {.append = append, .title = "t", .command = "c"};
    s2clr_store_writer *writer = NULL;
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
    return writer;
}

/* ---- what goes in comes out ---- */

typedef struct odd_case {
    const char *name, *band;
    s2clr_dtype dtype;
    int height, width;
    size_t each;
} odd_case;

static const odd_case odd[] = {
    {"a", "B02", S2CLR_DTYPE_U8, 1, 1, 1},
    {"ünïcode 名前 🌾", "B8A", S2CLR_DTYPE_U16, 7, 3, 2},
    {"with blanks  inside", "SCL", S2CLR_DTYPE_I16, 2, 129, 2},
    {"../not a path/..", "B12", S2CLR_DTYPE_F32, 64, 1, 4},
    {"quote ' \" ; DROP TABLE patches; --", "B01", S2CLR_DTYPE_U8, 255, 2, 1},
};
enum { ODD = sizeof odd / sizeof odd[0] };

static void fill_bytes(unsigned char *bytes, size_t size, int seed)
{
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(i * 37 + (size_t)seed * 101 + 5);
}

static void put_odd(s2clr_store_writer *writer)
{
    static unsigned char bytes[4096];
    for (int i = 0; i < ODD; i++) {
        const size_t size = odd[i].each * (size_t)(odd[i].height * odd[i].width);
        fill_bytes(bytes, size, i);
        s2clr_patch_record record = {.name = odd[i].name, .bands = 1, .label = -1, .cover = -1};
        s2clr_patch_band *band = &record.band[0];
        snprintf(band->name, sizeof band->name, "%s", odd[i].band);
        band->dtype = odd[i].dtype;
        band->height = odd[i].height;
        band->width = odd[i].width;
        band->data = bytes;
        TEST_OK(s2clr_store_writer_put(writer, &record));
    }
}

static void every_type_and_shape_comes_back(void)
{
    static unsigned char bytes[4096];
    const char *path = store_rig_path("odd");
    s2clr_store_writer *writer = open_writer(path, false);
    put_odd(writer);
    TEST_OK(s2clr_store_writer_close(writer, true));
    s2clr_store *store = open_store(path);
    s2clr_store_cursor *cursor;
    TEST_OK(s2clr_store_cursor_new(store, &cursor));
    CU_ASSERT_EQUAL_FATAL(s2clr_store_count(store), ODD);
    for (int i = 0; i < ODD; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, (size_t)i);
        const size_t size = odd[i].each * (size_t)(odd[i].height * odd[i].width);
        s2clr_store_patch patch = {.bands = 0};
        char hex[65];
        CU_ASSERT_STRING_EQUAL(row->name, odd[i].name);
        CU_ASSERT_EQUAL(s2clr_store_find(store, odd[i].name), i);
        CU_ASSERT_EQUAL(row->label, S2CLR_LABEL_UNKNOWN);
        CU_ASSERT_FALSE(row->has_footprint);
        CU_ASSERT_EQUAL(row->height, odd[i].height);
        CU_ASSERT_EQUAL(row->width, odd[i].width);
        TEST_OK(s2clr_store_read(cursor, (size_t)i, &patch));
        fill_bytes(bytes, size, i);
        CU_ASSERT_EQUAL_FATAL(patch.bands, 1);
        CU_ASSERT_STRING_EQUAL(patch.band[0].name, odd[i].band);
        CU_ASSERT_EQUAL(patch.band[0].dtype, odd[i].dtype);
        CU_ASSERT_EQUAL(patch.band[0].height, odd[i].height);
        CU_ASSERT_EQUAL(patch.band[0].width, odd[i].width);
        CU_ASSERT_EQUAL(memcmp(patch.band[0].data, bytes, size), 0);
        TEST_OK(s2clr_store_hash(cursor, (size_t)i, hex));
        CU_ASSERT_STRING_EQUAL(hex, row->sha256);
    }
    CU_ASSERT_EQUAL(s2clr_store_find(store, "b"), -1);
    CU_ASSERT_PTR_NULL(s2clr_store_row_at(store, ODD));
    s2clr_store_cursor_free(cursor);
    s2clr_store_close(store);
}

static void row_is(const s2clr_store_row *row, const s2clr_patch_record *r)
{
    CU_ASSERT_STRING_EQUAL(row->name, r->name);
    CU_ASSERT_EQUAL(row->label, r->label);
    CU_ASSERT_EQUAL(row->cover, r->cover);
    CU_ASSERT_STRING_EQUAL(row->split, r->split);
    CU_ASSERT_STRING_EQUAL(row->country, r->country);
    CU_ASSERT_STRING_EQUAL(row->tile, r->tile);
    CU_ASSERT_STRING_EQUAL(row->date, r->date);
    CU_ASSERT_STRING_EQUAL(row->place, r->place);
    CU_ASSERT_STRING_EQUAL(row->source, r->source);
    CU_ASSERT_STRING_EQUAL(row->level, r->level);
    CU_ASSERT_STRING_EQUAL(row->crs, r->crs);
    CU_ASSERT_EQUAL(row->dn_offset, r->dn_offset);
    CU_ASSERT_EQUAL(row->metres, r->metres);
    CU_ASSERT_TRUE(row->has_footprint);
    CU_ASSERT_EQUAL(memcmp(row->transform, r->transform, sizeof r->transform), 0);
    char labels[300] = "";
    for (int i = 0; i < r->label_count; i++) {
        if (i) strcat(labels, "|");
        strcat(labels, r->labels[i]);
    }
    CU_ASSERT_STRING_EQUAL(row->labels, labels);
}

typedef struct read_job {
    const s2clr_store *store;
    s2clr_store_cursor *cursor[4];
    int px;
    size_t wrong[4];
} read_job;

static s2clr_status read_one(void *context, size_t item, int worker)
{
    read_job *job = context;
    s2clr_store_patch patch;
    /* Far from the order in which they were written. */
    const size_t index = item * 1009 % s2clr_store_count(job->store);
    S2CLR_TRY(s2clr_store_read(job->cursor[worker], index, &patch));
    for (int b = 0; b < patch.bands; b++) {
        const s2clr_patch_band *band = &patch.band[b];
        for (size_t i = 0; i < (size_t)(band->height * band->width); i++) {
            uint16_t dn;
            memcpy(&dn, (const char *)band->data + 2 * i, 2);
            job->wrong[worker] += dn != rig_patch_dn((int)index, band->name, i);
        }
    }
    job->wrong[worker] += patch.bands != 3;
    return S2CLR_OK;
}

static void three_thousand_patches_by_four_threads(void)
{
    const char *path = rig_store_make("many", 0, 3000, 12);
    s2clr_store *store = open_store(path);
    s2clr_pool *pool;
    read_job job = {.store = store, .px = 12};
    CU_ASSERT_EQUAL_FATAL(s2clr_store_count(store), 3000);
    for (int i = 0; i < 3000; i++) {
        rig_patch patch;
        rig_patch_make(&patch, i, 12);
        row_is(s2clr_store_row_at(store, (size_t)i), &patch.record);
        CU_ASSERT_EQUAL(s2clr_store_find(store, patch.name), i);
        rig_patch_clear(&patch);
    }
    TEST_OK(s2clr_pool_new(4, &pool));
    for (int i = 0; i < 4; i++) TEST_OK(s2clr_store_cursor_new(store, &job.cursor[i]));
    TEST_OK(s2clr_pool_run(pool, read_one, &job, 6000));
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(job.wrong[i], 0);
        s2clr_store_cursor_free(job.cursor[i]);
    }
    s2clr_pool_free(pool);
    s2clr_store_close(store);
    CU_ASSERT_EQUAL(rig_store_keys(path), 3000);
}

/* Each has a header of its own, and there are more than are kept. */
static void put_shapes(const char *path, int count)
{
    static unsigned char bytes[4096];
    s2clr_store_writer *writer = open_writer(path, false);
    for (int i = 0; i < count; i++) {
        char name[20];
        s2clr_patch_record record = {.name = name, .bands = 1, .label = -1, .cover = -1};
        snprintf(name, sizeof name, "%03d", i * 61 % count);
        fill_bytes(bytes, (size_t)i + 1, i);
        record.band[0] = (s2clr_patch_band){"B02", S2CLR_DTYPE_U8, 1, i + 1, bytes};
        TEST_OK(s2clr_store_writer_put(writer, &record));
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
}

static s2clr_status read_shape(void *context, size_t item, int worker)
{
    unsigned char bytes[4096];
    read_job *job = context;
    s2clr_store_patch patch;
    const size_t count = s2clr_store_count(job->store), index = item * 37 % count;
    const size_t next[] = {(item + 1) * 37 % count, count, SIZE_MAX};
    s2clr_store_expect(job->cursor[worker], next + item % 3, 3 - item % 3);
    S2CLR_TRY(s2clr_store_read(job->cursor[worker], index, &patch));
    fill_bytes(bytes, index + 1, (int)index);
    job->wrong[worker] += patch.bands != 1 || patch.band[0].width != (int)index + 1 ||
                          memcmp(patch.band[0].data, bytes, index + 1) != 0;
    return S2CLR_OK;
}

static void a_hundred_shapes_by_four_threads(void)
{
    const char *path = store_rig_path("shapes");
    s2clr_pool *pool;
    put_shapes(path, 100);
    read_job job = {.store = open_store(path)};
    TEST_OK(s2clr_pool_new(4, &pool));
    for (int i = 0; i < 4; i++) TEST_OK(s2clr_store_cursor_new(job.store, &job.cursor[i]));
    TEST_OK(s2clr_pool_run(pool, read_shape, &job, 5000));
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(job.wrong[i], 0);
        s2clr_store_cursor_free(job.cursor[i]);
    }
    s2clr_pool_free(pool);
    s2clr_store_close((s2clr_store *)(uintptr_t)job.store);
}

static void the_description_says_what_is_there(void)
{
    const char *path = rig_store_make("described", 0, 3, 12);
    TEST_OK(rig_store_fill(path, 3, 1, 24, 1, true, NULL, NULL));
    s2clr_store *store = open_store(path);
    const s2clr_store_about *about = s2clr_store_describe(store);
    CU_ASSERT_TRUE(about->complete);
    CU_ASSERT_STRING_EQUAL(about->title, "A made-up store");
    CU_ASSERT_EQUAL_FATAL(about->commands, 1); /* the same one twice */
    CU_ASSERT_STRING_EQUAL(about->command[0], "store_rig");
    CU_ASSERT_EQUAL_FATAL(about->bands, 3);
    CU_ASSERT_STRING_EQUAL(about->band[1].name, "B05");
    CU_ASSERT_EQUAL(about->band[1].dtypes, 1u << S2CLR_DTYPE_U16);
    CU_ASSERT_EQUAL(about->band[1].smallest[0], 6);
    CU_ASSERT_EQUAL(about->band[1].largest[1], 12);
    s2clr_store_close(store);
    CU_ASSERT_TRUE(s2clr_store_identify(path));
    CU_ASSERT_FALSE(s2clr_store_identify(test_folder()));
}

/* ---- one store, one writer ---- */

static void a_name_is_taken_once(void)
{
    const char *path = store_rig_path("twice");
    s2clr_store_writer *writer = open_writer(path, false);
    rig_patch patch;
    rig_patch_make(&patch, 1, 6);
    TEST_OK(s2clr_store_writer_put(writer, &patch.record));
    CU_ASSERT_EQUAL(s2clr_store_writer_put(writer, &patch.record), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("patch 7/00001");
    TEST_OK(s2clr_store_writer_flush(writer));
    CU_ASSERT_TRUE(s2clr_store_writer_has(writer, patch.name));
    CU_ASSERT_EQUAL(s2clr_store_writer_put(writer, &patch.record), S2CLR_ERR_EXISTS);
    TEST_OK(s2clr_store_writer_close(writer, true));
    writer = open_writer(path, true);
    CU_ASSERT_TRUE(s2clr_store_writer_has(writer, patch.name));
    CU_ASSERT_EQUAL(s2clr_store_writer_put(writer, &patch.record), S2CLR_ERR_EXISTS);
    TEST_OK(s2clr_store_writer_close(writer, true));
    rig_patch_clear(&patch);
    const s2clr_store_options fresh = {.append = false};
    CU_ASSERT_EQUAL(s2clr_store_writer_open(path, &fresh, &writer), S2CLR_ERR_EXISTS);
    TEST_ERROR_SAYS("append");
}

static void a_second_writer_is_refused(void)
{
    const char *path = store_rig_path("one-writer");
    const s2clr_store_options options = {.append = true};
    const char *const values[1] = {"test"};
    s2clr_store_writer *first = open_writer(path, true), *second;
    CU_ASSERT_EQUAL(s2clr_store_writer_open(path, &options, &second), S2CLR_ERR_IO);
    TEST_ERROR_SAYS("another program is writing");
    CU_ASSERT_EQUAL(s2clr_store_set(path, "split", values, 0), S2CLR_ERR_IO);
    TEST_OK(s2clr_store_writer_close(first, true));
    TEST_OK(s2clr_store_writer_open(path, &options, &second));
    TEST_OK(s2clr_store_writer_close(second, true));
}

static void readers_see_what_was_committed(void)
{
    const char *path = store_rig_path("reading-while-writing");
    s2clr_store_writer *writer = open_writer(path, true);
    rig_patch patch;
    s2clr_store_patch read;
    for (int i = 0; i < 6; i++) {
        rig_patch_make(&patch, i, 6);
        TEST_OK(s2clr_store_writer_put(writer, &patch.record));
        rig_patch_clear(&patch);
        if (i == 3) TEST_OK(s2clr_store_writer_flush(writer));
    }
    s2clr_store *store = open_store(path);
    s2clr_store_cursor *cursor;
    CU_ASSERT_EQUAL(s2clr_store_count(store), 4);
    CU_ASSERT_FALSE(s2clr_store_describe(store)->complete);
    TEST_OK(s2clr_store_cursor_new(store, &cursor));
    TEST_OK(s2clr_store_writer_flush(writer));
    TEST_OK(s2clr_store_read(cursor, 3, &read));
    TEST_OK(s2clr_store_writer_close(writer, true));
    TEST_OK(s2clr_store_read(cursor, 0, &read));
    s2clr_store_cursor_free(cursor);
    s2clr_store_close(store);
    store = open_store(path);
    CU_ASSERT_EQUAL(s2clr_store_count(store), 6);
    s2clr_store_close(store);
}

static void what_is_not_committed_is_dropped(void)
{
    const char *path = rig_store_make("dropped", 0, 5, 6);
    const char *same = rig_store_make("not-dropped", 0, 8, 6);
    TEST_OK(rig_store_fill(path, 5, 3, 6, 100, false, NULL, NULL));
    s2clr_store *store = open_store(path);
    CU_ASSERT_EQUAL(s2clr_store_count(store), 5);
    s2clr_store_close(store);
    TEST_OK(rig_store_fill(path, 0, 8, 6, 100, true, NULL, NULL));
    rig_stores_equal(path, same);
}

static void same_input_same_bytes(void)
{
    static const char *const files[] = {"index.gpkg", "store.json"};
    const char *a = rig_store_make("same-a", 0, 50, 12);
    sleep(1); /* a time stamp would show */
    const char *b = rig_store_make("same-b", 0, 50, 12);
    rig_stores_equal(a, b);
    for (int i = 0; i < 2; i++) {
        char path[4500];
        size_t size[2];
        snprintf(path, sizeof path, "%s/%s", a, files[i]);
        unsigned char *x = rig_file_read(path, &size[0]);
        snprintf(path, sizeof path, "%s/%s", b, files[i]);
        unsigned char *y = rig_file_read(path, &size[1]);
        CU_ASSERT(size[0] == size[1] && memcmp(x, y, size[0]) == 0);
        free(x);
        free(y);
    }
}

/* ---- changing ---- */

static void columns_are_set(void)
{
    const char *path = rig_store_make("set", 0, 900, 6);
    static const char *values[900];
    static const char *const splits[] = {"test", "", NULL};
    for (int i = 0; i < 900; i++) values[i] = splits[i % 3];
    TEST_OK(s2clr_store_set(path, "split", values, 900));
    for (int i = 0; i < 900; i++) values[i] = i % 2 ? "l'Aquila \"x\"" : NULL;
    TEST_OK(s2clr_store_set(path, "country", values, 900));
    for (int i = 0; i < 900; i++) values[i] = i % 2 ? "0.125" : "-1";
    TEST_OK(s2clr_store_set(path, "cover", values, 900));
    for (int i = 0; i < 900; i++) values[i] = i % 3 ? "1" : "";
    TEST_OK(s2clr_store_set(path, "label", values, 900));
    s2clr_store *store = open_store(path);
    for (int i = 0; i < 900; i++) {
        const s2clr_store_row *row = s2clr_store_row_at(store, (size_t)i);
        rig_patch patch;
        rig_patch_make(&patch, i, 6);
        CU_ASSERT_STRING_EQUAL(row->split, i % 3 == 2 ? patch.record.split : splits[i % 3]);
        CU_ASSERT_STRING_EQUAL(row->country, i % 2 ? "l'Aquila \"x\"" : patch.record.country);
        CU_ASSERT_EQUAL(row->cover, i % 2 ? 0.125 : -1);
        CU_ASSERT_EQUAL((int)row->label, i % 3 ? 1 : -1);
        CU_ASSERT_STRING_EQUAL(row->name, patch.name);
        rig_patch_clear(&patch);
    }
    s2clr_store_close(store);
}

static void wrong_values_are_not_set(void)
{
    const char *path = rig_store_make("not-set", 0, 3, 6);
    const char *same = rig_store_make("not-set-same", 0, 3, 6);
    const char *values[3] = {"train", "nowhere", NULL};
    CU_ASSERT_EQUAL(s2clr_store_set(path, "split", values, 3), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("nowhere");
    values[1] = "1.5";
    CU_ASSERT_EQUAL(s2clr_store_set(path, "cover", values, 3), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_store_set(path, "label", values, 3), S2CLR_ERR_ARGUMENT);
    CU_ASSERT_EQUAL(s2clr_store_set(path, "sha256", values, 3), S2CLR_ERR_ARGUMENT);
    TEST_ERROR_SAYS("split, label, cover or country");
    values[1] = "test";
    CU_ASSERT_EQUAL(s2clr_store_set(path, "split", values, 2), S2CLR_ERR_MISMATCH);
    rig_stores_equal(path, same);
}

static const test_case cases[] = {
    {"every_type_and_shape_comes_back", every_type_and_shape_comes_back},
    {"three_thousand_patches_by_four_threads", three_thousand_patches_by_four_threads},
    {"a_hundred_shapes_by_four_threads", a_hundred_shapes_by_four_threads},
    {"the_description_says_what_is_there", the_description_says_what_is_there},
    {"a_name_is_taken_once", a_name_is_taken_once},
    {"a_second_writer_is_refused", a_second_writer_is_refused},
    {"readers_see_what_was_committed", readers_see_what_was_committed},
    {"what_is_not_committed_is_dropped", what_is_not_committed_is_dropped},
    {"same_input_same_bytes", same_input_same_bytes},
    {"columns_are_set", columns_are_set},
    {"wrong_values_are_not_set", wrong_values_are_not_set},
};

int main(int argc, char **argv)
{
    return TEST_MAIN("store", cases, argc, argv);
}
