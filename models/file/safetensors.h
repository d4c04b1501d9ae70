/*
 * safetensors: named arrays in one file (format: https://github.com/huggingface/safetensors,
 * README section "Format": 8-byte little-endian header length, JSON header, then the data).
 *
 *     s2clr_tensors *file;
 *     S2CLR_TRY(s2clr_tensors_open("model.safetensors", &file));
 *     const s2clr_tensor *t = s2clr_tensors_find(file, "conv1.weight");
 *     ... t->data, t->rank, t->dims ...
 *     s2clr_tensors_close(file);
 *
 * The file is mapped, not read, and not trusted: header length, JSON, dtypes, shapes, offsets,
 * overlaps and gaps are all checked before anything is believed. Little-endian hosts only.
 *
 * Nothing can be checked that happens later: a file that another program shortens while it is open
 * here ends the process with SIGBUS, as with every mapped file. So copy what is needed and close
 * soon (s2clr_model_open() does), and replace model files by renaming, as s2clr_tensors_write().
 */
#ifndef S2CLR_FILE_SAFETENSORS_H
#define S2CLR_FILE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define S2CLR_TENSOR_RANK_MAX 8

typedef enum s2clr_dtype {
    S2CLR_DTYPE_F32,
    S2CLR_DTYPE_F64,
    S2CLR_DTYPE_F16,
    S2CLR_DTYPE_BF16,
    S2CLR_DTYPE_I64,
    S2CLR_DTYPE_I32,
    S2CLR_DTYPE_I16,
    S2CLR_DTYPE_U16,
    S2CLR_DTYPE_I8,
    S2CLR_DTYPE_U8,
    S2CLR_DTYPE_BOOL
} s2clr_dtype;

typedef struct s2clr_tensor {
    const char *name;
    s2clr_dtype dtype;
    int rank;
    int64_t dims[S2CLR_TENSOR_RANK_MAX];
    size_t count;     /* elements */
    size_t bytes;     /* count * size of dtype */
    const void *data; /* borrowed from the mapping (or given by the writer's caller); may be
                         unaligned when read from a file */
} s2clr_tensor;

typedef struct s2clr_tensors s2clr_tensors;

/* Maps and checks a file. Close with s2clr_tensors_close(). A handle may be read by many threads. */
s2clr_status s2clr_tensors_open(const char *path, s2clr_tensors **out);

/* The same over bytes of the caller, which must outlive the handle; `name` is for messages. */
s2clr_status s2clr_tensors_parse(const void *bytes, size_t size, const char *name,
                                 s2clr_tensors **out);
void s2clr_tensors_close(s2clr_tensors *file);

/* In order of offset. Borrowed. */
size_t s2clr_tensors_list(const s2clr_tensors *file, const s2clr_tensor **out);
const s2clr_tensor *s2clr_tensors_find(const s2clr_tensors *file, const char *name); /* or NULL */

/* A value of __metadata__ or NULL. Borrowed. */
const char *s2clr_tensors_metadata(const s2clr_tensors *file, const char *key);

/* Copies a tensor as float32 (F32, F64, F16, BF16 are converted, others refused). `out` holds
 * tensor->count floats. NaN and infinity are copied: judging them is the caller's business. */
s2clr_status s2clr_tensor_floats(const s2clr_tensor *tensor, const char *path, float *out);

/* SHA-256 of the whole file as 64 hex digits + NUL. */
void s2clr_tensors_sha256(const s2clr_tensors *file, char hex[65]);

typedef struct s2clr_metadata {
    const char *key, *value;
} s2clr_metadata;

/* Writes PATH.part-PID, fsyncs, renames to PATH; nothing is left under either name on failure.
 * Data start 64-byte aligned; tensors are stored in the order given. */
s2clr_status s2clr_tensors_write(const char *path, const s2clr_tensor *tensors, size_t count,
                                 const s2clr_metadata *metadata, size_t metadata_count);

/* The bytes such a file has, in memory; `name` is for messages. The caller frees *out with
 * s2clr_free(). */
s2clr_status s2clr_tensors_encode(const char *name, const s2clr_tensor *tensors, size_t count,
                                  const s2clr_metadata *metadata, size_t metadata_count,
                                  void **out, size_t *out_bytes);

#endif
