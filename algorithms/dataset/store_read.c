/* Reading a store: rows from memory, pixels from the mapping. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/pstore.h"

/*
 * LMDB finds a key by a binary search in each page on the way down, which for a small patch takes
 * longer than copying it. So who reads a good part of a store gets a table of where every value
 * lies, made in one walk. It is made after one search per SEARCHES patches: those have then seen
 * most pages with keys, so that a single patch of a large store on a slow disk stays cheap.
 */
enum { SEARCHES = 64 };

typedef struct places {
    pthread_mutex_t mutex; /* of making it */
    bool tried;
    MDB_txn *txn;                       /* keeps the places from being used again */
    s2clr_place *row;                   // (rows of the store)
    _Atomic(const s2clr_place *) ready; /* `row`, or NULL: not made */
} places;

struct s2clr_store {
    s2clr_store_text text;
    s2clr_rows rows;
    s2clr_values *values;
    places *places;
};

/* Most patches of a store have the same bands: what the last header said is kept, and a value that
 * begins with the same bytes needs no parsing. */
struct s2clr_store_cursor {
    const s2clr_store *store;
    MDB_txn *txn;
    size_t searches;
    unsigned char *header; // (header_bytes) length and JSON of the last value
    size_t header_bytes, value_bytes;
    s2clr_store_patch layout;             /* of that value; data not set */
    size_t offset[S2CLR_PATCH_BANDS_MAX]; /* of a band's data in the value */
};

/* ---- places ---- */

static s2clr_status places_new(places **out)
{
    places *table;
    S2CLR_TRY(s2clr_alloc(1, sizeof *table, "places of a store", (void **)&table));
    pthread_mutex_init(&table->mutex, NULL);
    *out = table;
    return S2CLR_OK;
}

static void places_free(places *table)
{
    if (!table) return;
    mdb_txn_abort(table->txn);
    s2clr_free(table->row);
    pthread_mutex_destroy(&table->mutex);
    s2clr_free(table);
}

static s2clr_status places_fill(const s2clr_store *store, places *table)
{
    S2CLR_TRY(s2clr_alloc(store->rows.count, sizeof *table->row, "places of a store",
                          (void **)&table->row));
    S2CLR_TRY(s2clr_values_begin(store->values, false, &table->txn));
    return s2clr_values_locate(store->values, table->txn, &store->rows.names, table->row);
}

/* Without the table all goes on, by searches: they also tell which patch is damaged. */
static void places_make(const s2clr_store *store)
{
    places *table = store->places;
    pthread_mutex_lock(&table->mutex);
    if (!table->tried) {
        table->tried = true;
        if (places_fill(store, table) == S2CLR_OK)
            atomic_store_explicit(&table->ready, table->row, memory_order_release);
        else
            s2clr_error_clear();
    }
    pthread_mutex_unlock(&table->mutex);
}

/* ---- the store ---- */

static s2clr_status open_all(const char *path, s2clr_store *store)
{
    s2clr_index index = {0};
    size_t values;
    S2CLR_TRY(s2clr_store_text_read(path, &store->text));
    S2CLR_TRY(s2clr_index_open(path, false, &index));
    const s2clr_status status = s2clr_rows_read(&index, &store->rows);
    s2clr_index_close(&index);
    S2CLR_TRY(status);
    S2CLR_TRY(places_new(&store->places));
    S2CLR_TRY(s2clr_values_open(path, false, &store->values));
    S2CLR_TRY(s2clr_values_count(store->values, &values));
    if (values >= store->rows.count) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: " S2CLR_STORE_INDEX " has %zu patches, " S2CLR_STORE_VALUES
                           " only %zu; fetch or make the store again",
                           path, store->rows.count, values);
}

s2clr_status s2clr_store_open(const char *path, s2clr_store **out)
{
    s2clr_store *store;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *store, path, (void **)&store));
    const s2clr_status status = open_all(path, store);
    if (status == S2CLR_OK)
        *out = store;
    else
        s2clr_store_close(store);
    return status;
}

void s2clr_store_close(s2clr_store *store)
{
    if (!store) return;
    places_free(store->places);
    s2clr_values_close(store->values);
    s2clr_rows_clear(&store->rows);
    s2clr_store_text_clear(&store->text);
    s2clr_free(store);
}

bool s2clr_store_identify(const char *path)
{
    s2clr_store_text text;
    const bool found = s2clr_store_text_read(path, &text) == S2CLR_OK;
    if (found) s2clr_store_text_clear(&text);
    s2clr_error_clear(); /* "no" is an answer, not an error */
    return found;
}

const s2clr_store_about *s2clr_store_describe(const s2clr_store *store)
{
    return &store->text.about;
}

size_t s2clr_store_count(const s2clr_store *store)
{
    return store->rows.count;
}

const s2clr_store_row *s2clr_store_row_at(const s2clr_store *store, size_t index)
{
    return index < store->rows.count ? &store->rows.row[index] : NULL;
}

int64_t s2clr_store_find(const s2clr_store *store, const char *name)
{
    return s2clr_strings_find(&store->rows.names, name);
}

/* ---- cursors ---- */

s2clr_status s2clr_store_cursor_new(const s2clr_store *store, s2clr_store_cursor **out)
{
    s2clr_store_cursor *cursor;
    S2CLR_TRY(s2clr_alloc(1, sizeof *cursor, "reader of a store", (void **)&cursor));
    cursor->store = store;
    const s2clr_status status = s2clr_values_begin(store->values, false, &cursor->txn);
    if (status == S2CLR_OK)
        *out = cursor;
    else
        s2clr_free(cursor);
    return status;
}

void s2clr_store_cursor_free(s2clr_store_cursor *cursor)
{
    if (!cursor) return;
    mdb_txn_abort(cursor->txn);
    s2clr_free(cursor->header);
    s2clr_free(cursor);
}

static s2clr_status search_value(s2clr_store_cursor *cursor, size_t index, const void **bytes,
                                 size_t *size)
{
    const s2clr_store_row *row = s2clr_store_row_at(cursor->store, index);
    const char *path = s2clr_values_path(cursor->store->values);
    if (!row)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s: patch %zu was asked for, there are %zu",
                               path, index, cursor->store->rows.count);
    if (++cursor->searches == 1 + cursor->store->rows.count / SEARCHES) places_make(cursor->store);
    S2CLR_TRY(s2clr_values_get(cursor->store->values, cursor->txn, row->name, bytes, size));
    if (*bytes) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: patch '%s' has a row in " S2CLR_STORE_INDEX
                           " and no value; delete the row, or make the store again",
                           path, row->name);
}

static s2clr_status find_value(s2clr_store_cursor *cursor, size_t index, const void **bytes,
                               size_t *size)
{
    const s2clr_store *store = cursor->store;
    const s2clr_place *row = atomic_load_explicit(&store->places->ready, memory_order_acquire);
    if (!row || index >= store->rows.count || !row[index].bytes)
        return search_value(cursor, index, bytes, size);
    *bytes = row[index].bytes;
    *size = row[index].size;
    return S2CLR_OK;
}

s2clr_status s2clr_store_hash(s2clr_store_cursor *cursor, size_t index, char hex[65])
{
    const void *bytes;
    size_t size;
    S2CLR_TRY(find_value(cursor, index, &bytes, &size));
    s2clr_store_digest(bytes, size, hex);
    return S2CLR_OK;
}

/* ---- values ---- */

static s2clr_status check_tensor(const char *subject, const s2clr_tensor *tensor)
{
    const s2clr_dtype type = tensor->dtype;
    const bool good = tensor->rank == 2 && tensor->dims[0] >= 1 && tensor->dims[1] >= 1 &&
                      tensor->dims[0] <= S2CLR_PATCH_SIDE_MAX &&
                      tensor->dims[1] <= S2CLR_PATCH_SIDE_MAX && strlen(tensor->name) < 16 &&
                      (type == S2CLR_DTYPE_U8 || type == S2CLR_DTYPE_U16 ||
                       type == S2CLR_DTYPE_I16 || type == S2CLR_DTYPE_F32);
    if (good) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: band '%.40s' is not one; wanted: a name of at most 15 bytes, type "
                           "U8, U16, I16 or F32, height and width of 1 to 8192",
                           subject, tensor->name);
}

static s2clr_status read_layout(s2clr_store_cursor *cursor, const char *subject,
                                const s2clr_tensors *value, const unsigned char *bytes)
{
    const s2clr_tensor *tensors;
    s2clr_store_patch layout = {.bands = 0};
    const size_t count = s2clr_tensors_list(value, &tensors);
    if (count < 1 || count > S2CLR_PATCH_BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %zu bands; wanted: 1 to 16", subject, count);
    for (size_t i = 0; i < count; i++) {
        S2CLR_TRY(check_tensor(subject, &tensors[i]));
        s2clr_patch_band *band = &layout.band[layout.bands];
        memcpy(band->name, tensors[i].name, strlen(tensors[i].name) + 1);
        band->dtype = tensors[i].dtype;
        band->height = (int)tensors[i].dims[0];
        band->width = (int)tensors[i].dims[1];
        cursor->offset[layout.bands++] = (size_t)((const unsigned char *)tensors[i].data - bytes);
    }
    cursor->layout = layout;
    return S2CLR_OK;
}

static s2clr_status parse(s2clr_store_cursor *cursor, const char *name, const unsigned char *bytes,
                          size_t size)
{
    char subject[1200];
    s2clr_tensors *value;
    snprintf(subject, sizeof subject, "%.600s: patch '%.500s'",
             s2clr_values_path(cursor->store->values), name);
    s2clr_free(cursor->header);
    cursor->header = NULL;
    S2CLR_TRY(s2clr_tensors_parse(bytes, size, subject, &value));
    s2clr_status status = read_layout(cursor, subject, value, bytes);
    s2clr_tensors_close(value);
    S2CLR_TRY(status);
    const size_t header = cursor->offset[0]; /* of the first tensor: there is no gap before it */
    S2CLR_TRY(s2clr_alloc(header, 1, subject, (void **)&cursor->header));
    memcpy(cursor->header, bytes, header);
    cursor->header_bytes = header;
    cursor->value_bytes = size;
    return S2CLR_OK;
}

s2clr_status s2clr_store_read(s2clr_store_cursor *cursor, size_t index, s2clr_store_patch *out)
{
    const void *found;
    size_t size;
    S2CLR_TRY(find_value(cursor, index, &found, &size));
    const unsigned char *bytes = found;
    if (!cursor->header || size != cursor->value_bytes ||
        memcmp(bytes, cursor->header, cursor->header_bytes) != 0)
        S2CLR_TRY(parse(cursor, cursor->store->rows.row[index].name, bytes, size));
    *out = cursor->layout;
    for (int b = 0; b < out->bands; b++) out->band[b].data = bytes + cursor->offset[b];
    return S2CLR_OK;
}
