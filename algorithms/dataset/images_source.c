#define _GNU_SOURCE /* GDAL's VSIStatBufL is struct stat64 */
#include "dataset/pimages.h"

#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <string.h>
#include <zip.h>

#include "base/memory.h"

/* No patch is larger; a member that claims more is a mistake or an attack. */
enum { FILE_BYTES_MAX = 64 << 20 };

typedef struct worker_state {
    zip_t *archive; /* libzip handles are not shared by threads */
    unsigned char *bytes;
    size_t room;
} worker_state;

struct s2clr_image_source {
    char *path;
    bool zip;
    int workers;
    worker_state *worker; // (workers)
};

s2clr_status s2clr_image_source_new(const char *path, bool zip, int workers,
                                    s2clr_image_source **out)
{
    s2clr_image_source *source;
    S2CLR_TRY(s2clr_alloc(1, sizeof *source, "image reader", (void **)&source));
    source->zip = zip;
    source->workers = workers;
    s2clr_status status = s2clr_strdup(path, &source->path);
    if (status == S2CLR_OK)
        status = s2clr_alloc((size_t)workers, sizeof *source->worker, "image readers",
                             (void **)&source->worker);
    if (status == S2CLR_OK)
        *out = source;
    else
        s2clr_image_source_free(source);
    return status;
}

void s2clr_image_source_free(s2clr_image_source *source)
{
    if (!source) return;
    for (int i = 0; source->worker && i < source->workers; i++) {
        if (source->worker[i].archive) zip_discard(source->worker[i].archive);
        s2clr_free(source->worker[i].bytes);
    }
    s2clr_free(source->worker);
    s2clr_free(source->path);
    s2clr_free(source);
}

static s2clr_status reserve(worker_state *state, uint64_t size, const char *path, const char *name)
{
    if (size == 0 || size > FILE_BYTES_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: %s has %llu bytes; wanted: an image of 1 byte to %d MiB", path,
                               name, (unsigned long long)size, FILE_BYTES_MAX >> 20);
    if (size <= state->room) return S2CLR_OK;
    s2clr_free(state->bytes);
    state->bytes = NULL;
    state->room = 0;
    S2CLR_TRY(s2clr_alloc((size_t)size, 1, "image file", (void **)&state->bytes));
    state->room = (size_t)size;
    return S2CLR_OK;
}

static s2clr_status fill_from_zip(const s2clr_image_source *source, const s2clr_image_entry *entry,
                                  worker_state *state, size_t *size)
{
    if (!state->archive) state->archive = zip_open(source->path, ZIP_RDONLY, NULL);
    if (!state->archive)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: can no longer be opened", source->path);
    zip_stat_t info;
    if (zip_stat_index(state->archive, entry->index, 0, &info) != 0 ||
        !(info.valid & ZIP_STAT_SIZE))
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: size of %s is not known", source->path,
                               entry->path);
    S2CLR_TRY(reserve(state, info.size, source->path, entry->path));
    zip_file_t *file = zip_fopen_index(state->archive, entry->index, 0);
    if (!file)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: cannot read %s (%s)", source->path,
                               entry->path, zip_strerror(state->archive));
    /* One byte more is asked for, so that the end and with it the checksum is reached. */
    unsigned char beyond;
    zip_int64_t got = zip_fread(file, state->bytes, info.size);
    if (got == (zip_int64_t)info.size && zip_fread(file, &beyond, 1) != 0) got = -1;
    zip_fclose(file);
    if (got != (zip_int64_t)info.size)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: %s is damaged (wrong length or checksum); fetch the zip again",
                               source->path, entry->path);
    *size = (size_t)info.size;
    return S2CLR_OK;
}

static s2clr_status fill_from_folder(const s2clr_image_source *source,
                                     const s2clr_image_entry *entry, worker_state *state,
                                     size_t *size)
{
    const char *path = CPLFormFilename(source->path, entry->path, NULL);
    VSIStatBufL info;
    VSILFILE *file = VSIStatL(path, &info) == 0 ? VSIFOpenL(path, "rb") : NULL;
    if (!file)
        return s2clr_error_set(S2CLR_ERR_IO, "%s: cannot open %s", source->path, entry->path);
    const uint64_t length = info.st_size > 0 ? (uint64_t)info.st_size : 0;
    s2clr_status status = reserve(state, length, source->path, entry->path);
    if (status == S2CLR_OK && VSIFReadL(state->bytes, 1, (size_t)length, file) != length)
        status = s2clr_error_set(S2CLR_ERR_IO, "%s: cannot read %s", source->path, entry->path);
    VSIFCloseL(file);
    if (status == S2CLR_OK) *size = (size_t)length;
    return status;
}

s2clr_status s2clr_image_source_read(s2clr_image_source *source, const s2clr_image_entry *entry,
                                     int worker, unsigned char **bytes, size_t *size)
{
    worker_state *state = &source->worker[worker];
    if (source->zip)
        S2CLR_TRY(fill_from_zip(source, entry, state, size));
    else
        S2CLR_TRY(fill_from_folder(source, entry, state, size));
    *bytes = state->bytes;
    return S2CLR_OK;
}
