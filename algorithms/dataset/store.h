/*
 * The training store: a folder with three files, documented in s2clr-dataset(5).
 *
 *     patches.lmdb   patch name -> safetensors (one tensor per band, its native size and type);
 *                    the layout of BigEarthNet's own LMDB tools, readable without this project
 *     index.gpkg     one row per patch: footprint, labels, split, groups, hash; QGIS opens it
 *     store.json     what the store is: version, bands, how and from what it was made
 *
 *     s2clr_store_writer *writer;
 *     S2CLR_TRY(s2clr_store_writer_open(path, &options, &writer));
 *     S2CLR_TRY(s2clr_store_writer_put(writer, &record));          // any number of times
 *     S2CLR_TRY(s2clr_store_writer_close(writer, true));
 *
 *     s2clr_store *store;
 *     S2CLR_TRY(s2clr_store_open(path, &store));
 *     const s2clr_store_row *row = s2clr_store_row(store, 7);
 *     S2CLR_TRY(s2clr_store_read(store, 7, &patch));               // borrowed from the mapping
 *     s2clr_store_close(store);
 *
 * A patch is in the store when its row is in the index. Values are committed before rows, so a kill
 * at any moment leaves at most values without rows, which the next run writes again: the finished
 * store is the same as without the kill.
 */
#ifndef S2CLR_DATASET_STORE_H
#define S2CLR_DATASET_STORE_H

#include <stddef.h>

#include "dataset/patch_record.h"

/* ---- writing ---- */

typedef struct s2clr_store_options {
    bool append;         /* the folder may hold a store; patches it has already are left alone */
    const char *title;   /* for store.json */
    const char *command; /* likewise: how it is made */
} s2clr_store_options;

typedef struct s2clr_store_writer s2clr_store_writer;

/* One writer at a time per store: a second one is refused. */
s2clr_status s2clr_store_writer_open(const char *path, const s2clr_store_options *options,
                                     s2clr_store_writer **out);

/* True when the store has the patch (with its row). */
bool s2clr_store_writer_has(const s2clr_store_writer *writer, const char *name);

/* Adds a patch; S2CLR_ERR_EXISTS when the name is there already. Committed in batches. */
s2clr_status s2clr_store_writer_put(s2clr_store_writer *writer, const s2clr_patch_record *record);

/* Commits what is open. */
s2clr_status s2clr_store_writer_flush(s2clr_store_writer *writer);

/* finish: commits, builds the spatial index and syncs; else drops the open batch. Frees. */
s2clr_status s2clr_store_writer_close(s2clr_store_writer *writer, bool finish);

/* ---- reading ---- */

typedef struct s2clr_store s2clr_store;

/* A row of the index. Strings are owned by the store, never NULL. */
typedef struct s2clr_store_row {
    const char *name;
    const char *labels; /* class names joined by '|', "" none */
    s2clr_label label;
    double cover;
    const char *split, *country, *tile, *date, *place, *source, *level;
    double dn_offset, metres;
    int width, height; /* pixels of the finest band */
    bool has_footprint;
    const char *crs;     /* "" without footprint; transform likewise 0 */
    double transform[6]; /* GDAL geotransform of the finest band in crs */
    double longitude[4], latitude[4]; /* corners, WGS 84, ring order; across the antimeridian they
                                         go on beyond 180 or -180 */
    const char *sha256;               /* of the value, 64 hex digits */
} s2clr_store_row;

typedef struct s2clr_store_patch {
    int bands;
    s2clr_patch_band band[S2CLR_PATCH_BANDS_MAX]; /* data borrowed; may be unaligned */
} s2clr_store_patch;

/* Reads the whole index into memory and maps the values. Shared by threads. */
s2clr_status s2clr_store_open(const char *path, s2clr_store **out);
void s2clr_store_close(s2clr_store *store);
bool s2clr_store_identify(const char *path);

/* What store.json says. Borrowed. */
#define S2CLR_STORE_BANDS_MAX 32
typedef struct s2clr_store_band {
    char name[16];
    unsigned dtypes;           /* bit 1u << S2CLR_DTYPE_... */
    int smallest[2], largest[2]; /* height, width */
} s2clr_store_band;

typedef struct s2clr_store_about {
    const char *title; /* "" none */
    size_t commands;
    const char *const *command; // (commands) each that added patches
    bool complete;              /* false while being made, and after a kill */
    int bands;
    s2clr_store_band band[S2CLR_STORE_BANDS_MAX]; /* in the order they came */
} s2clr_store_about;

const s2clr_store_about *s2clr_store_describe(const s2clr_store *store);

size_t s2clr_store_count(const s2clr_store *store);
const s2clr_store_row *s2clr_store_row_at(const s2clr_store *store, size_t index);
/* Index of a name, or -1. */
int64_t s2clr_store_find(const s2clr_store *store, const char *name);

/* A reader belongs to one thread (it holds a read transaction); data are valid until its next read
 * or its end. */
typedef struct s2clr_store_cursor s2clr_store_cursor;
s2clr_status s2clr_store_cursor_new(const s2clr_store *store, s2clr_store_cursor **out);
void s2clr_store_cursor_free(s2clr_store_cursor *cursor);
s2clr_status s2clr_store_read(s2clr_store_cursor *cursor, size_t index, s2clr_store_patch *out);

/* Only a hint, for small patches: these are read next, in this order. */
void s2clr_store_expect(const s2clr_store_cursor *cursor, const size_t *next, size_t count);

/* SHA-256 of the stored value as it is now, to compare with the row's. */
s2clr_status s2clr_store_hash(s2clr_store_cursor *cursor, size_t index, char hex[65]);

/* ---- changing the index ---- */

/* New values for one column of the index ("split", "label", "cover", "country"), all rows in one
 * transaction: values[i] for row i, NULL leaves it. */
s2clr_status s2clr_store_set(const char *path, const char *column, const char *const *values,
                             size_t count);

#endif
