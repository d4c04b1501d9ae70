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

/* Most patches of a store have the same bands: what the headers said is kept, and a value that
 * begins with the same bytes needs no parsing. Of the values in the table of places it is even
 * known which header they have: one fifth of a patch of 16 pixels, which is then not read again. */
enum { LAYOUTS = 64, LINE = 64, LINES_AHEAD = 16, PLACES_AHEAD = 3 };

typedef struct layout {
    unsigned char *header; // (header_bytes) length and JSON of a value
    size_t header_bytes, value_bytes;
    s2clr_store_patch patch;              /* data not set */
    size_t offset[S2CLR_PATCH_BANDS_MAX]; /* of a band's data in the value */
    uint32_t number;                      /* among those of the store, from 1; 0: not there */
} layout;

typedef struct places {
    pthread_mutex_t mutex; /* of making it and of adding layouts */
    bool tried;
    MDB_txn *txn;                 /* keeps the places from being used again */
    s2clr_place *row;             // (rows of the store)
    _Atomic(s2clr_place *) ready; /* `row`, or NULL: not made */
    uint32_t layouts;
    layout *layout[LAYOUTS];
} places;

struct s2clr_store {
    s2clr_store_text text;
    s2clr_rows rows;
    s2clr_values *values;
    places *places;
};

struct s2clr_store_cursor {
    const s2clr_store *store;
    MDB_txn *txn;
    size_t searches;
    const layout *last; /* of the last value: one of the store's, or `own`; NULL before */
    layout own;
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
    for (uint32_t i = 0; i < table->layouts; i++) {
        s2clr_free(table->layout[i]->header);
        s2clr_free(table->layout[i]);
    }
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
    s2clr_free(cursor->own.header);
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

/* *place: of the table, or NULL. */
static s2clr_status find_value(s2clr_store_cursor *cursor, size_t index, s2clr_place **place,
                               const void **bytes, size_t *size)
{
    const s2clr_store *store = cursor->store;
    s2clr_place *row = atomic_load_explicit(&store->places->ready, memory_order_acquire);
    *place = NULL;
    if (!row || index >= store->rows.count || !row[index].bytes)
        return search_value(cursor, index, bytes, size);
    *place = &row[index];
    *bytes = row[index].bytes;
    *size = row[index].size;
    return S2CLR_OK;
}

s2clr_status s2clr_store_hash(s2clr_store_cursor *cursor, size_t index, char hex[65])
{
    const void *bytes;
    s2clr_place *place;
    size_t size;
    S2CLR_TRY(find_value(cursor, index, &place, &bytes, &size));
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

static s2clr_status read_layout(const char *subject, const s2clr_tensors *value,
                                const unsigned char *bytes, size_t size, layout *out)
{
    const s2clr_tensor *tensors;
    const size_t count = s2clr_tensors_list(value, &tensors);
    if (count < 1 || count > S2CLR_PATCH_BANDS_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: %zu bands; wanted: 1 to 16", subject, count);
    for (size_t i = 0; i < count; i++) {
        S2CLR_TRY(check_tensor(subject, &tensors[i]));
        s2clr_patch_band *band = &out->patch.band[out->patch.bands];
        memcpy(band->name, tensors[i].name, strlen(tensors[i].name) + 1);
        band->dtype = tensors[i].dtype;
        band->height = (int)tensors[i].dims[0];
        band->width = (int)tensors[i].dims[1];
        out->offset[out->patch.bands++] = (size_t)((const unsigned char *)tensors[i].data - bytes);
    }
    out->header_bytes = out->offset[0]; /* of the first tensor: there is no gap before it */
    out->value_bytes = size;
    S2CLR_TRY(s2clr_alloc(out->header_bytes, 1, subject, (void **)&out->header));
    memcpy(out->header, bytes, out->header_bytes);
    return S2CLR_OK;
}

static s2clr_status parse(const s2clr_store *store, const char *name, const unsigned char *bytes,
                          size_t size, layout *out)
{
    char subject[1200];
    s2clr_tensors *value;
    snprintf(subject, sizeof subject, "%.600s: patch '%.500s'", s2clr_values_path(store->values),
             name);
    S2CLR_TRY(s2clr_tensors_parse(bytes, size, subject, &value));
    const s2clr_status status = read_layout(subject, value, bytes, size, out);
    s2clr_tensors_close(value);
    return status;
}

static bool has_layout(const layout *known, const unsigned char *bytes, size_t size)
{
    return size == known->value_bytes && memcmp(bytes, known->header, known->header_bytes) == 0;
}

/* With the mutex held: the store's layout of a value, or NULL when it has none and no room. */
static const layout *share(places *table, layout *fresh)
{
    for (uint32_t i = 0; i < table->layouts; i++) {
        const layout *known = table->layout[i];
        if (known->header_bytes != fresh->header_bytes ||
            !has_layout(known, fresh->header, fresh->value_bytes))
            continue;
        s2clr_free(fresh->header);
        return known;
    }
    layout *kept;
    if (table->layouts == LAYOUTS ||
        s2clr_alloc(1, sizeof *kept, "layout", (void **)&kept) != S2CLR_OK)
        return NULL;
    *kept = *fresh;
    table->layout[table->layouts++] = kept;
    kept->number = table->layouts;
    return kept;
}

/* Of a value that is not like the last one. */
static s2clr_status find_layout(s2clr_store_cursor *cursor, const char *name,
                                const unsigned char *bytes, size_t size)
{
    places *table = cursor->store->places;
    layout fresh = {.header = NULL};
    S2CLR_TRY(parse(cursor->store, name, bytes, size, &fresh));
    pthread_mutex_lock(&table->mutex);
    const layout *shared = share(table, &fresh);
    pthread_mutex_unlock(&table->mutex);
    cursor->last = shared;
    if (shared) return S2CLR_OK;
    s2clr_error_clear();
    s2clr_free(cursor->own.header);
    cursor->own = fresh;
    cursor->last = &cursor->own;
    return S2CLR_OK;
}

s2clr_status s2clr_store_read(s2clr_store_cursor *cursor, size_t index, s2clr_store_patch *out)
{
    const void *found;
    s2clr_place *place;
    size_t size;
    S2CLR_TRY(find_value(cursor, index, &place, &found, &size));
    const unsigned char *bytes = found;
    const uint32_t known = place ? atomic_load_explicit(&place->layout, memory_order_acquire) : 0;
    if (known) {
        cursor->last = cursor->store->places->layout[known - 1];
    } else {
        if (!cursor->last || !has_layout(cursor->last, bytes, size))
            S2CLR_TRY(find_layout(cursor, cursor->store->rows.row[index].name, bytes, size));
        if (place)
            atomic_store_explicit(&place->layout, cursor->last->number, memory_order_release);
    }
    const layout *has = cursor->last;
    out->bands = has->patch.bands;
    memcpy(out->band, has->patch.band, (size_t)has->patch.bands * sizeof *out->band);
    for (int b = 0; b < out->bands; b++) out->band[b].data = bytes + has->offset[b];
    return S2CLR_OK;
}

/* A patch waits for memory twice, for its place and for its pixels: the place is fetched some
 * patches ahead, the first pixels one patch ahead, and the processor goes on by itself from there.
 */
void s2clr_store_expect(const s2clr_store_cursor *cursor, const size_t *next, size_t count)
{
    const s2clr_store *store = cursor->store;
    const s2clr_place *row = atomic_load_explicit(&store->places->ready, memory_order_acquire);
    if (!row || !cursor->last) return;
    if (count >= PLACES_AHEAD && next[PLACES_AHEAD - 1] < store->rows.count)
        __builtin_prefetch(&row[next[PLACES_AHEAD - 1]]);
    if (count == 0 || next[0] >= store->rows.count || !row[next[0]].bytes) return;
    const char *pixels = (const char *)row[next[0]].bytes + cursor->last->offset[0];
    for (size_t i = 0; i < LINES_AHEAD; i++) __builtin_prefetch(pixels + i * LINE);
}
