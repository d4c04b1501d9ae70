#define _GNU_SOURCE
#include "store_rig.h"

#include <gdal.h>
#include <lmdb.h>
#include <ogr_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "harness.h"

/* ---- patches ---- */

static const struct {
    const char *name;
    int divisor;
} bands[] = {{"B02", 1}, {"B05", 2}, {"B01", 6}};

uint16_t rig_patch_dn(int number, const char *band, size_t pixel)
{
    const uint64_t stream = (uint64_t)(band[1] - '0') * 10 + (uint64_t)(band[2] - '0');
    return (uint16_t)(1 + s2clr_random_below((uint64_t)number, stream, pixel, 9999));
}

static void fill_pixels(rig_patch *patch, int number, int px)
{
    uint16_t *at = patch->pixels;
    for (int b = 0; b < 3; b++) {
        const int side = px / bands[b].divisor;
        s2clr_patch_band *band = &patch->record.band[b];
        *band =
            (s2clr_patch_band){.dtype = S2CLR_DTYPE_U16, .height = side, .width = side, .data = at};
        snprintf(band->name, sizeof band->name, "%s", bands[b].name);
        for (size_t i = 0; i < (size_t)(side * side); i++)
            *at++ = rig_patch_dn(number, band->name, i);
    }
}

void rig_patch_make(rig_patch *patch, int number, int px)
{
    static const char *const labels[] = {"Rice fields", "Vineyards", "Beaches, dunes, sands"};
    static const char *const splits[] = {"train", "validation", "test", ""};
    *patch = (rig_patch){.record = {.bands = 3}};
    patch->pixels = malloc(3 * (size_t)(px * px) * sizeof *patch->pixels);
    if (!patch->pixels) abort();
    fill_pixels(patch, number, px);
    /* Not in the order of the numbers. */
    snprintf(patch->name, sizeof patch->name, "patch %d/%05d", number * 7 % 10, number);
    snprintf(patch->tile, sizeof patch->tile, "T%dTUL", 30 + number % 3);
    snprintf(patch->date, sizeof patch->date, "2018-%02d-%02d", 1 + number % 12, 1 + number % 28);
    snprintf(patch->place, sizeof patch->place, "place %d", number / 2);
    s2clr_patch_record *r = &patch->record;
    const double transform[6] = {300000 + 1200.0 * (number % 100),  10, 0,
                                 4500000 - 1200.0 * (number / 100), 0,  -10};
    r->name = patch->name;
    r->has_footprint = true;
    r->crs = "EPSG:32630";
    memcpy(r->transform, transform, sizeof transform);
    r->width = r->height = px;
    r->label_count = number % 3;
    for (int i = 0; i < r->label_count; i++) r->labels[i] = labels[(number + i) % 3];
    r->label = (s2clr_label)(number % 3 - 1);
    r->cover = number % 3 == 0 ? -1 : (number % 10) / 10.0;
    r->level = "L2A";
    r->dn_offset = -1000;
    r->metres = 10;
    r->date = patch->date;
    r->country = number % 2 ? "Serbia" : "Österreich";
    r->tile = patch->tile;
    r->place = patch->place;
    r->split = splits[number % 4];
    r->source = "made up";
}

void rig_patch_clear(rig_patch *patch)
{
    free(patch->pixels);
    patch->pixels = NULL;
}

/* ---- stores ---- */

const char *store_rig_path(const char *name)
{
    static char path[16][4300];
    static int next;
    next = (next + 1) % 16;
    snprintf(path[next], sizeof path[next], "%s/%s", test_folder(), name);
    return path[next];
}

static s2clr_status put_one(s2clr_store_writer *writer, int number, int px)
{
    rig_patch patch;
    rig_patch_make(&patch, number, px);
    s2clr_status status = S2CLR_OK;
    if (!s2clr_store_writer_has(writer, patch.name))
        status = s2clr_store_writer_put(writer, &patch.record);
    rig_patch_clear(&patch);
    return status;
}

s2clr_status rig_store_fill(const char *path, int first, int count, int px, int batch, bool finish,
                            void (*after)(void *context), void *context)
{
    const s2clr_store_options options = {
        .append = true, .title = "A made-up store", .command = "store_rig"};
    s2clr_store_writer *writer;
    S2CLR_TRY(s2clr_store_writer_open(path, &options, &writer));
    s2clr_status status = S2CLR_OK;
    for (int i = 0; i < count && status == S2CLR_OK; i++) {
        status = put_one(writer, first + i, px);
        if (status == S2CLR_OK && (i + 1) % batch == 0) status = s2clr_store_writer_flush(writer);
        if (status == S2CLR_OK && after) after(context);
    }
    const s2clr_status closed = s2clr_store_writer_close(writer, finish && status == S2CLR_OK);
    return status != S2CLR_OK ? status : closed;
}

const char *rig_store_make(const char *name, int first, int count, int px)
{
    const char *path = store_rig_path(name);
    TEST_OK(rig_store_fill(path, first, count, px, 1000000, true, NULL, NULL));
    return path;
}

const char *rig_store_sights(const char *name, const rig_sight *sights, int count, int px)
{
    const char *path = store_rig_path(name);
    const s2clr_store_options options = {.title = "second dates"};
    s2clr_store_writer *writer;
    TEST_OK(s2clr_store_writer_open(path, &options, &writer));
    for (int i = 0; i < count; i++) {
        rig_patch patch;
        rig_patch_make(&patch, i, px);
        snprintf(patch.name, sizeof patch.name, "%s", sights[i].name);
        snprintf(patch.place, sizeof patch.place, "%s", sights[i].place);
        snprintf(patch.date, sizeof patch.date, "%s", sights[i].date);
        patch.record.split = sights[i].split;
        TEST_OK(s2clr_store_writer_put(writer, &patch.record));
        rig_patch_clear(&patch);
    }
    TEST_OK(s2clr_store_writer_close(writer, true));
    return path;
}

s2clr_card *rig_store_card(int px)
{
    s2clr_card *card;
    TEST_OK(s2clr_card_new(&card));
    card->bands = 1;
    snprintf(card->band[0], sizeof card->band[0], "B02");
    card->levels = 1;
    snprintf(card->level[0].name, sizeof card->level[0].name, "L2A");
    card->patch = px;
    card->metres = 10;
    snprintf(card->resampling, sizeof card->resampling, "bilinear");
    return card;
}

/* ---- LMDB, asked directly ---- */

static int open_values(const char *path, unsigned flags, MDB_env **env, MDB_txn **txn, MDB_dbi *dbi)
{
    char file[4400];
    snprintf(file, sizeof file, "%s/patches.lmdb", path);
    int code = mdb_env_create(env);
    if (code) return code;
    code = mdb_env_set_mapsize(*env, (size_t)1 << 32);
    if (!code) code = mdb_env_open(*env, file, MDB_NOSUBDIR | flags, 0666);
    if (!code) code = mdb_txn_begin(*env, NULL, flags & MDB_RDONLY, txn);
    if (!code) code = mdb_dbi_open(*txn, NULL, 0, dbi);
    if (code) mdb_env_close(*env);
    return code;
}

size_t rig_store_keys(const char *path)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_stat stat = {.ms_entries = 0};
    const int code = open_values(path, MDB_RDONLY, &env, &txn, &dbi);
    CU_ASSERT_EQUAL_FATAL(code, 0);
    CU_ASSERT_EQUAL(mdb_stat(txn, dbi, &stat), 0);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    return stat.ms_entries;
}

int rig_store_value(const char *path, const char *name, const void *bytes, size_t size)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {strlen(name), (void *)(uintptr_t)name}, value = {size, (void *)(uintptr_t)bytes};
    int code = open_values(path, 0, &env, &txn, &dbi);
    if (code) return code;
    code = bytes ? mdb_put(txn, dbi, &key, &value, 0) : mdb_del(txn, dbi, &key, NULL);
    if (!code)
        code = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    mdb_env_close(env);
    return code;
}

static bool same_val(const MDB_val *a, const MDB_val *b)
{
    return a->mv_size == b->mv_size && memcmp(a->mv_data, b->mv_data, a->mv_size) == 0;
}

static void values_equal(const char *a, const char *b)
{
    const char *path[2] = {a, b};
    MDB_env *env[2];
    MDB_txn *txn[2];
    MDB_cursor *cursor[2];
    MDB_dbi dbi;
    MDB_val key[2], value[2];
    size_t different = 0;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(open_values(path[i], MDB_RDONLY, &env[i], &txn[i], &dbi), 0);
        CU_ASSERT_EQUAL_FATAL(mdb_cursor_open(txn[i], dbi, &cursor[i]), 0);
    }
    for (;;) {
        const int x = mdb_cursor_get(cursor[0], &key[0], &value[0], MDB_NEXT);
        const int y = mdb_cursor_get(cursor[1], &key[1], &value[1], MDB_NEXT);
        CU_ASSERT_EQUAL(x, y);
        if (x || y) break;
        different += !same_val(&key[0], &key[1]) || !same_val(&value[0], &value[1]);
    }
    CU_ASSERT_EQUAL(different, 0);
    for (int i = 0; i < 2; i++) {
        mdb_cursor_close(cursor[i]);
        mdb_txn_abort(txn[i]);
        mdb_env_close(env[i]);
    }
}

/* ---- the index through OGR, the description as bytes ---- */

static bool same_feature(OGRFeatureH x, OGRFeatureH y)
{
    OGRGeometryH a = OGR_F_GetGeometryRef(x), b = OGR_F_GetGeometryRef(y);
    bool same = OGR_F_GetFID(x) == OGR_F_GetFID(y) && !a == !b && (!a || OGR_G_Equals(a, b)) &&
                OGR_F_GetFieldCount(x) == OGR_F_GetFieldCount(y);
    for (int i = 0; same && i < OGR_F_GetFieldCount(x); i++)
        same = OGR_F_IsFieldNull(x, i) == OGR_F_IsFieldNull(y, i) &&
               strcmp(OGR_F_GetFieldAsString(x, i), OGR_F_GetFieldAsString(y, i)) == 0;
    return same;
}

static void rows_equal(const char *a, const char *b)
{
    const char *path[2] = {a, b};
    GDALDatasetH dataset[2];
    OGRLayerH layer[2];
    OGREnvelope extent[2];
    size_t different = 0;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    for (int i = 0; i < 2; i++) {
        char file[4400];
        snprintf(file, sizeof file, "%s/index.gpkg", path[i]);
        dataset[i] = GDALOpenEx(file, GDAL_OF_VECTOR, NULL, NULL, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(dataset[i]);
        layer[i] = GDALDatasetGetLayerByName(dataset[i], "patches");
        CU_ASSERT_PTR_NOT_NULL_FATAL(layer[i]);
        OGR_L_GetExtent(layer[i], &extent[i], TRUE);
    }
    for (;;) {
        OGRFeatureH x = OGR_L_GetNextFeature(layer[0]), y = OGR_L_GetNextFeature(layer[1]);
        CU_ASSERT_EQUAL(x == NULL, y == NULL);
        different += x && y && !same_feature(x, y);
        if (x) OGR_F_Destroy(x);
        if (y) OGR_F_Destroy(y);
        if (!x || !y) break;
    }
    CU_ASSERT_EQUAL(different, 0);
    CU_ASSERT_EQUAL(memcmp(&extent[0], &extent[1], sizeof extent[0]), 0);
    for (int i = 0; i < 2; i++) GDALClose(dataset[i]);
}

void rig_stores_equal(const char *a, const char *b)
{
    char file[2][4400];
    size_t size[2];
    values_equal(a, b);
    rows_equal(a, b);
    snprintf(file[0], sizeof file[0], "%s/store.json", a);
    snprintf(file[1], sizeof file[1], "%s/store.json", b);
    unsigned char *x = rig_file_read(file[0], &size[0]), *y = rig_file_read(file[1], &size[1]);
    CU_ASSERT(size[0] == size[1] && memcmp(x, y, size[0]) == 0);
    free(x);
    free(y);
}

/* ---- files ---- */

unsigned char *rig_file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    const long length = ftell(file);
    unsigned char *bytes = malloc((size_t)length + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    rewind(file);
    CU_ASSERT_EQUAL(fread(bytes, 1, (size_t)length, file), (size_t)length);
    fclose(file);
    *size = (size_t)length;
    return bytes;
}

void rig_file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
    fclose(file);
}
