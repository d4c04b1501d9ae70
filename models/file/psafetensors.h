/*
 * Private to file/: what the parts of the safetensors reader and writer share.
 */
#ifndef S2CLR_FILE_PSAFETENSORS_H
#define S2CLR_FILE_PSAFETENSORS_H

#include <jansson.h>
#include <stdbool.h>

#include "file/safetensors.h"

#define S2CLR_TENSORS_HEADER_MAX 100000000u /* the format's own limit */
#define S2CLR_TENSORS_METADATA "__metadata__"

struct s2clr_tensors {
    char *path;
    const unsigned char *bytes; // (size)
    size_t size;
    bool mapped;
    json_t *header;        /* owns the names and the metadata */
    s2clr_tensor *tensors; // (count), by offset
    const s2clr_tensor **by_name;
    size_t count;
};

/* Reads and checks the header of file->bytes; fills header, tensors, by_name and count. */
s2clr_status s2clr_tensors_read_header(s2clr_tensors *file);

/* Table of element types (floats.c). */
typedef struct s2clr_dtype_row {
    const char *name;
    size_t size;
} s2clr_dtype_row;

const s2clr_dtype_row *s2clr_dtype_describe(s2clr_dtype dtype); /* NULL: no such type */
bool s2clr_dtype_find(const char *name, s2clr_dtype *out);

/* Product of dims; fails on overflow or a negative dim, and the caller words the message. */
s2clr_status s2clr_dims_count(const int64_t *dims, int rank, size_t *out);

/* A name of a file made fit for a message: shortened, control characters replaced. */
#define S2CLR_SHOWN_ROOM 104
const char *s2clr_shown(const char *name, char shown[S2CLR_SHOWN_ROOM]);

/* "[64, 3, 7, 7]" */
#define S2CLR_DIMS_ROOM 200
const char *s2clr_dims_shown(const int64_t *dims, int rank, char shown[S2CLR_DIMS_ROOM]);

#endif
