/*
 * What the files of the store share: the folder, the values (LMDB), the index (GeoPackage), the
 * description (JSON). Private; the formats stand in s2clr-dataset(5).
 */
#ifndef S2CLR_DATASET_PSTORE_H
#define S2CLR_DATASET_PSTORE_H

#include <gdal.h>
#include <lmdb.h>

#include "dataset/store.h"
#include "dataset/store_strings.h"

#define S2CLR_STORE_VALUES "patches.lmdb"
#define S2CLR_STORE_INDEX "index.gpkg"
#define S2CLR_STORE_JSON "store.json"
#define S2CLR_STORE_LAYER "patches"

/* FOLDER/NAME; free with s2clr_free(). */
s2clr_status s2clr_store_path(const char *folder, const char *name, char **out);

/* Locks a store against a second writer for as long as *descriptor stays open. */
s2clr_status s2clr_store_lock(const char *folder, int *descriptor);

/* SHA-256 as 64 hexadecimal digits. */
void s2clr_store_digest(const void *bytes, size_t size, char hex[65]);

/* ---- class names: class_names.c ---- */

/* The next name of "a|b|c", which is not "", into `name`; NULL after the last. */
const char *s2clr_class_name_next(const char *labels, char *name, size_t room);
/* Adds those of all rows, in the order they come. */
s2clr_status s2clr_class_names_collect(const s2clr_store *store, s2clr_strings *out);

/* ---- store.json: store_json.c ---- */

typedef struct s2clr_store_text {
    s2clr_store_about about; /* its texts lie in `strings` */
    s2clr_strings strings;
    const char **command; // (about.commands) what about.command points to
} s2clr_store_text;

s2clr_status s2clr_store_text_read(const char *folder, s2clr_store_text *out);
/* Written beside and renamed. */
s2clr_status s2clr_store_text_write(const char *folder, const s2clr_store_text *text);
void s2clr_store_text_clear(s2clr_store_text *text);
s2clr_status s2clr_store_text_set_title(s2clr_store_text *text, const char *title);
/* Unless it is there already. */
s2clr_status s2clr_store_text_add_command(s2clr_store_text *text, const char *command);
/* Widens the ranges of the bands; true when that changed anything. */
bool s2clr_store_text_widen(s2clr_store_text *text, const s2clr_patch_record *record);

/* ---- values: store_lmdb.c ---- */

typedef struct s2clr_values s2clr_values;

/* An environment per file and process, shared: LMDB forbids to open one twice. */
s2clr_status s2clr_values_open(const char *folder, bool write, s2clr_values **out);
void s2clr_values_close(s2clr_values *values);

s2clr_status s2clr_values_begin(s2clr_values *values, bool write, MDB_txn **out);
s2clr_status s2clr_values_put(s2clr_values *values, MDB_txn *txn, const char *name,
                              const void *bytes, size_t size);
/* *bytes = NULL when there is none. */
s2clr_status s2clr_values_get(s2clr_values *values, MDB_txn *txn, const char *name,
                              const void **bytes, size_t *size);
/* Where the values of `names` lie, in one walk over the keys; places: (names->count), zero where
 * there is none. Good as long as the transaction. */
typedef struct s2clr_place {
    const void *bytes;
    uint32_t size;           /* LMDB has no larger values */
    _Atomic uint32_t layout; /* for store_read.c; 0 */
} s2clr_place;
s2clr_status s2clr_values_locate(s2clr_values *values, MDB_txn *txn, const s2clr_strings *names,
                                 s2clr_place *places);
s2clr_status s2clr_values_commit(s2clr_values *values, MDB_txn *txn);
s2clr_status s2clr_values_count(s2clr_values *values, size_t *out);
/* Removes, for good, the values whose name is not in `names`. */
s2clr_status s2clr_values_prune(s2clr_values *values, const s2clr_strings *names);
const char *s2clr_values_path(const s2clr_values *values);

/* ---- index: store_index.c, store_rows.c, store_footprint.c ---- */

/* Columns in the order of the table in store_index.c. */
typedef enum s2clr_column {
    S2CLR_COLUMN_NAME,
    S2CLR_COLUMN_LABEL,
    S2CLR_COLUMN_COVER,
    S2CLR_COLUMN_LABELS,
    S2CLR_COLUMN_SPLIT,
    S2CLR_COLUMN_COUNTRY,
    S2CLR_COLUMN_TILE,
    S2CLR_COLUMN_DATE,
    S2CLR_COLUMN_PLACE,
    S2CLR_COLUMN_SOURCE,
    S2CLR_COLUMN_LEVEL,
    S2CLR_COLUMN_DN_OFFSET,
    S2CLR_COLUMN_METRES,
    S2CLR_COLUMN_WIDTH,
    S2CLR_COLUMN_HEIGHT,
    S2CLR_COLUMN_CRS,
    S2CLR_COLUMN_TRANSFORM,
    S2CLR_COLUMN_SHA256,
    S2CLR_COLUMNS
} s2clr_column;

const char *s2clr_column_name(s2clr_column column);

typedef struct s2clr_index {
    char *path;
    GDALDatasetH dataset;
    OGRLayerH layer;
    int field[S2CLR_COLUMNS]; /* of the layer */
    bool open;                /* a transaction is */
} s2clr_index;

/* Makes an empty index, whole or not at all. */
s2clr_status s2clr_index_create(const char *folder);
/* Zero-initialised before, cleared by close whatever happened. */
s2clr_status s2clr_index_open(const char *folder, bool write, s2clr_index *out);
/* Rolls an open transaction back. */
void s2clr_index_close(s2clr_index *index);
/* A transaction, unless one is open. */
s2clr_status s2clr_index_begin(s2clr_index *index);
s2clr_status s2clr_index_put(s2clr_index *index, int64_t fid, const s2clr_patch_record *record,
                             const char *crs, OGRGeometryH footprint, const char *sha256);
s2clr_status s2clr_index_commit(s2clr_index *index);
/* One statement; the message names it as `what`. */
s2clr_status s2clr_index_sql(s2clr_index *index, const char *sql, const char *what);
bool s2clr_index_has_tree(const s2clr_index *index);
/* Extent and spatial index, made afresh. */
s2clr_status s2clr_index_finish(s2clr_index *index);
/* Whole index into memory: rows point into `names` (number = row) and `texts`. */
typedef struct s2clr_rows {
    s2clr_store_row *row; // (count)
    int64_t *fid;         // (count)
    size_t count;
    s2clr_strings names, texts;
} s2clr_rows;

s2clr_status s2clr_rows_read(s2clr_index *index, s2clr_rows *out);
void s2clr_rows_clear(s2clr_rows *rows);

/* From a geotransform in any CRS to WGS 84; keeps the last transformation it made. */
typedef struct s2clr_footprints {
    char *crs;       /* as given */
    char *short_crs; /* "EPSG:32630" where that says the same, else as given */
    OGRCoordinateTransformationH way;
} s2clr_footprints;

void s2clr_footprints_clear(s2clr_footprints *footprints);
/* Corners in ring order from the upper left; longitudes are continuous, so that those of a patch
 * across the antimeridian go beyond 180 or -180. `name` is for messages. */
s2clr_status s2clr_footprints_corners(s2clr_footprints *footprints, const char *name,
                                      const char *crs, const double transform[6], int width,
                                      int height, double longitude[4], double latitude[4]);
/* A multipolygon within -180 .. 180; NULL without memory. */
OGRGeometryH s2clr_footprint_polygon(const double longitude[4], const double latitude[4]);

#endif
