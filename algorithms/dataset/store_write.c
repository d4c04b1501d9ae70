/* Writing a store: values are committed before their rows, in batches. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <ogr_api.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "dataset/pstore.h"

/* A batch: what a kill costs, and what is kept in memory. */
enum { BATCH_PATCHES = 4096, BATCH_BYTES = 64 << 20 };

struct s2clr_store_writer {
    char *folder;
    int lock; /* -1: none */
    s2clr_store_text text;
    bool text_changed;
    s2clr_values *values;
    MDB_txn *txn;
    s2clr_index index;
    s2clr_strings names; /* of all rows, open batch included */
    int64_t last_fid;
    s2clr_footprints footprints;
    size_t batch_patches, batch_bytes;
    bool added, failed;
};

/* ---- opening ---- */

static bool is_hidden_or_part(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           strcmp(name, S2CLR_STORE_JSON ".part") == 0;
}

static s2clr_status is_empty(const char *folder, bool *out)
{
    DIR *open = opendir(folder);
    bool empty = true;
    if (!open)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot list the folder: %s", folder,
                               strerror(errno));
    for (struct dirent *entry; (entry = readdir(open));)
        if (!is_hidden_or_part(entry->d_name)) empty = false;
    closedir(open);
    *out = empty;
    return S2CLR_OK;
}

static s2clr_status has_file(const char *folder, const char *name, bool *out)
{
    char *path;
    S2CLR_TRY(s2clr_store_path(folder, name, &path));
    *out = access(path, F_OK) == 0;
    s2clr_free(path);
    return S2CLR_OK;
}

/* *fresh: there is no store yet. */
static s2clr_status look(const char *folder, bool append, bool *fresh)
{
    bool described, empty;
    S2CLR_TRY(has_file(folder, S2CLR_STORE_JSON, &described));
    S2CLR_TRY(is_empty(folder, &empty));
    if (described && !append)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%s: a store is there already; append to it, remove it or choose "
                               "another name",
                               folder);
    if (!described && !empty)
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%s: the folder is not empty and has no " S2CLR_STORE_JSON
                               "; wanted: a new folder, an empty one or a store",
                               folder);
    *fresh = !described;
    return S2CLR_OK;
}

static s2clr_status make_values(const char *folder)
{
    char *path;
    S2CLR_TRY(s2clr_store_path(folder, S2CLR_STORE_VALUES, &path));
    const int descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    const s2clr_status status =
        descriptor >= 0
            ? S2CLR_OK
            : s2clr_error_set(S2CLR_ERR_IO,
                              "%s: cannot create: %s; a store needs a folder that can be "
                              "written to",
                              path, strerror(errno));
    if (descriptor >= 0) close(descriptor);
    s2clr_free(path);
    return status;
}

/* A kill may have come between any two of the three files; store.json is first. */
static s2clr_status make_missing(s2clr_store_writer *w, bool fresh)
{
    bool has_index, has_values;
    if (fresh) S2CLR_TRY(s2clr_store_text_write(w->folder, &w->text));
    S2CLR_TRY(has_file(w->folder, S2CLR_STORE_INDEX, &has_index));
    S2CLR_TRY(has_file(w->folder, S2CLR_STORE_VALUES, &has_values));
    if (!has_index && has_values)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: " S2CLR_STORE_INDEX " is missing beside " S2CLR_STORE_VALUES
                               "; fetch or make the store again",
                               w->folder);
    if (!has_index) S2CLR_TRY(s2clr_index_create(w->folder));
    return has_values ? S2CLR_OK : make_values(w->folder);
}

static s2clr_status load_names(s2clr_store_writer *w)
{
    s2clr_rows rows;
    size_t values;
    S2CLR_TRY(s2clr_rows_read(&w->index, &rows));
    for (size_t i = 0; i < rows.count; i++)
        if (rows.fid[i] > w->last_fid) w->last_fid = rows.fid[i];
    w->names = rows.names;
    rows.names = (s2clr_strings){0};
    s2clr_rows_clear(&rows);
    S2CLR_TRY(s2clr_values_count(w->values, &values));
    if (values >= w->names.count) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: " S2CLR_STORE_INDEX " has %zu patches, " S2CLR_STORE_VALUES
                           " only %zu; fetch or make the store again",
                           w->folder, w->names.count, values);
}

static s2clr_status describe(s2clr_store_writer *w, const s2clr_store_options *options, bool fresh)
{
    if (!fresh) S2CLR_TRY(s2clr_store_text_read(w->folder, &w->text));
    if (fresh || (options->title && *options->title))
        S2CLR_TRY(s2clr_store_text_set_title(&w->text, options->title));
    return s2clr_store_text_add_command(&w->text, options->command);
}

static s2clr_status open_all(s2clr_store_writer *w, const s2clr_store_options *options)
{
    bool fresh;
    if (mkdir(w->folder, 0777) != 0 && errno != EEXIST)
        return s2clr_error_set(S2CLR_ERR_IO,
                               "%s: cannot make the folder: %s; choose a place that exists and can "
                               "be written to",
                               w->folder, strerror(errno));
    S2CLR_TRY(s2clr_store_lock(w->folder, &w->lock));
    S2CLR_TRY(look(w->folder, options->append, &fresh));
    S2CLR_TRY(describe(w, options, fresh));
    S2CLR_TRY(make_missing(w, fresh));
    S2CLR_TRY(s2clr_index_open(w->folder, true, &w->index));
    S2CLR_TRY(s2clr_values_open(w->folder, true, &w->values));
    return load_names(w);
}

static void dispose(s2clr_store_writer *w)
{
    if (w->txn) mdb_txn_abort(w->txn);
    s2clr_index_close(&w->index);
    s2clr_values_close(w->values);
    s2clr_store_text_clear(&w->text);
    s2clr_strings_clear(&w->names);
    s2clr_footprints_clear(&w->footprints);
    if (w->lock >= 0) close(w->lock);
    s2clr_free(w->folder);
    s2clr_free(w);
}

s2clr_status s2clr_store_writer_open(const char *path, const s2clr_store_options *options,
                                     s2clr_store_writer **out)
{
    s2clr_store_writer *w;
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    S2CLR_TRY(s2clr_alloc(1, sizeof *w, path, (void **)&w));
    w->lock = -1;
    s2clr_status status = s2clr_strdup(path, &w->folder);
    if (status == S2CLR_OK) status = open_all(w, options);
    if (status == S2CLR_OK)
        *out = w;
    else
        dispose(w);
    return status;
}

bool s2clr_store_writer_has(const s2clr_store_writer *writer, const char *name)
{
    return s2clr_strings_find(&writer->names, name) >= 0;
}

/* ---- patches ---- */

static s2clr_status encode(const s2clr_patch_record *record, void **bytes, size_t *size)
{
    s2clr_tensor tensors[S2CLR_PATCH_BANDS_MAX];
    for (int b = 0; b < record->bands; b++) {
        const s2clr_patch_band *band = &record->band[b];
        const size_t each = band->dtype == S2CLR_DTYPE_U8    ? 1
                            : band->dtype == S2CLR_DTYPE_F32 ? 4
                                                             : 2;
        const size_t count = (size_t)band->height * (size_t)band->width;
        tensors[b] = (s2clr_tensor){.name = band->name,
                                    .dtype = band->dtype,
                                    .rank = 2,
                                    .dims = {band->height, band->width},
                                    .count = count,
                                    .bytes = count * each,
                                    .data = band->data};
    }
    return s2clr_tensors_encode(record->name, tensors, (size_t)record->bands, NULL, 0, bytes, size);
}

void s2clr_store_digest(const void *bytes, size_t size, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, size, bytes);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[64] = 0;
}

/* Dropped here, so that CreateFeature need not keep it: it is made again at the end. */
static s2clr_status begin_batch(s2clr_store_writer *w)
{
    if (w->txn) return S2CLR_OK;
    if (!w->added && s2clr_index_has_tree(&w->index))
        S2CLR_TRY(s2clr_index_sql(&w->index,
                                  "SELECT DisableSpatialIndex('" S2CLR_STORE_LAYER "', 'geom')",
                                  "drop the old spatial index"));
    w->added = true;
    return s2clr_values_begin(w->values, true, &w->txn);
}

static s2clr_status put_row(s2clr_store_writer *w, const s2clr_patch_record *record,
                            const double longitude[4], const double latitude[4],
                            const char sha256[65])
{
    OGRGeometryH footprint =
        record->has_footprint ? s2clr_footprint_polygon(longitude, latitude) : NULL;
    const s2clr_status status = s2clr_index_put(&w->index, w->last_fid + 1, record,
                                                w->footprints.short_crs, footprint, sha256);
    if (footprint) OGR_G_DestroyGeometry(footprint);
    return status;
}

static s2clr_status put(s2clr_store_writer *w, const s2clr_patch_record *record, const void *bytes,
                        size_t size, const double longitude[4], const double latitude[4])
{
    char sha256[65];
    const char *name;
    s2clr_store_digest(bytes, size, sha256);
    S2CLR_TRY(begin_batch(w));
    S2CLR_TRY(s2clr_values_put(w->values, w->txn, record->name, bytes, size));
    S2CLR_TRY(put_row(w, record, longitude, latitude, sha256));
    S2CLR_TRY(s2clr_strings_put(&w->names, record->name, &name));
    w->last_fid++;
    w->text_changed = s2clr_store_text_widen(&w->text, record) || w->text_changed;
    w->batch_patches++;
    w->batch_bytes += size;
    return S2CLR_OK;
}

static s2clr_status check_usable(const s2clr_store_writer *w)
{
    if (!w->failed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_IO,
                           "%s: an earlier error ended the writing; run the same command again",
                           w->folder);
}

s2clr_status s2clr_store_writer_put(s2clr_store_writer *writer, const s2clr_patch_record *record)
{
    void *bytes;
    size_t size;
    double longitude[4], latitude[4];
    S2CLR_TRY(check_usable(writer));
    S2CLR_TRY(s2clr_patch_record_check(record));
    if (s2clr_store_writer_has(writer, record->name))
        return s2clr_error_set(S2CLR_ERR_EXISTS,
                               "%s: patch '%s' is there already; wanted: each name once",
                               writer->folder, record->name);
    if (record->has_footprint)
        S2CLR_TRY(s2clr_footprints_corners(&writer->footprints, record->name, record->crs,
                                           record->transform, record->width, record->height,
                                           longitude, latitude));
    S2CLR_TRY(encode(record, &bytes, &size));
    s2clr_status status = put(writer, record, bytes, size, longitude, latitude);
    s2clr_free(bytes);
    if (status == S2CLR_OK &&
        (writer->batch_patches >= BATCH_PATCHES || writer->batch_bytes >= BATCH_BYTES))
        status = s2clr_store_writer_flush(writer);
    if (status != S2CLR_OK) writer->failed = true;
    return status;
}

/* ---- committing ---- */

static s2clr_status flush(s2clr_store_writer *w)
{
    if (!w->txn) return S2CLR_OK;
    if (w->text_changed || w->text.about.complete) {
        w->text.about.complete = false;
        S2CLR_TRY(s2clr_store_text_write(w->folder, &w->text));
        w->text_changed = false;
    }
    MDB_txn *txn = w->txn;
    w->txn = NULL; /* gone after a commit, whatever it returns */
    S2CLR_TRY(s2clr_values_commit(w->values, txn));
    S2CLR_TRY(s2clr_index_commit(&w->index));
    w->batch_patches = w->batch_bytes = 0;
    return S2CLR_OK;
}

s2clr_status s2clr_store_writer_flush(s2clr_store_writer *writer)
{
    S2CLR_TRY(check_usable(writer));
    const s2clr_status status = flush(writer);
    if (status != S2CLR_OK) writer->failed = true;
    return status;
}

/* Closed and opened again, because GDAL would write the extent it remembers when it closes. */
static s2clr_status finish(s2clr_store_writer *w)
{
    S2CLR_TRY(s2clr_store_writer_flush(w));
    S2CLR_TRY(s2clr_values_prune(w->values, &w->names));
    if (w->added || !w->text.about.complete) {
        s2clr_index_close(&w->index);
        S2CLR_TRY(s2clr_index_open(w->folder, true, &w->index));
        S2CLR_TRY(s2clr_index_finish(&w->index));
        s2clr_index_close(&w->index);
    }
    w->text.about.complete = true;
    return s2clr_store_text_write(w->folder, &w->text);
}

s2clr_status s2clr_store_writer_close(s2clr_store_writer *writer, bool finish_it)
{
    if (!writer) return S2CLR_OK;
    const s2clr_status status = finish_it ? finish(writer) : S2CLR_OK;
    dispose(writer);
    return status;
}
