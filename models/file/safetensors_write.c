#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/file_replace.h"
#include "file/psafetensors.h"

#define DATA_ALIGNMENT 64

/* ---- header ---- */

static s2clr_status add_metadata(json_t *header, const char *path, const s2clr_metadata *metadata,
                                 size_t count)
{
    if (count == 0) return S2CLR_OK;
    json_t *object = json_object();
    if (json_object_set_new(header, S2CLR_TENSORS_METADATA, object) != 0)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: out of memory for the header", path);
    for (size_t i = 0; i < count; i++) {
        if (json_object_set_new(object, metadata[i].key, json_string(metadata[i].value)) != 0)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s: metadata '%.100s' cannot be stored: key and value must be "
                                   "UTF-8 text",
                                   path, metadata[i].key);
    }
    return S2CLR_OK;
}

static s2clr_status check_tensor(const char *path, const s2clr_tensor *tensor)
{
    const s2clr_dtype_row *row = s2clr_dtype_describe(tensor->dtype);
    size_t count, bytes;
    if (!row || tensor->rank < 0 || tensor->rank > S2CLR_TENSOR_RANK_MAX ||
        s2clr_dims_count(tensor->dims, tensor->rank, &count) != S2CLR_OK ||
        s2clr_size_mul(count, row->size, &bytes) != S2CLR_OK || count != tensor->count ||
        bytes != tensor->bytes || (bytes && !tensor->data))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: tensor '%.100s' is not consistent: dtype, shape, count %zu and "
                               "bytes %zu must agree",
                               path, tensor->name, tensor->count, tensor->bytes);
    return S2CLR_OK;
}

static s2clr_status add_tensor(json_t *header, const char *path, const s2clr_tensor *tensor,
                               size_t *end)
{
    S2CLR_TRY(check_tensor(path, tensor));
    if (strcmp(tensor->name, S2CLR_TENSORS_METADATA) == 0 || json_object_get(header, tensor->name))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: tensor name '%.100s' is taken: names must be unique", path,
                               tensor->name);
    const size_t begin = *end;
    S2CLR_TRY(s2clr_size_add(begin, tensor->bytes, end));
    json_t *shape = json_array();
    for (int i = 0; i < tensor->rank; i++)
        json_array_append_new(shape, json_integer(tensor->dims[i]));
    json_t *entry =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", s2clr_dtype_describe(tensor->dtype)->name,
                  "shape", shape, "data_offsets", (json_int_t)begin, (json_int_t)*end);
    if (json_object_set_new(header, tensor->name, entry) != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s: tensor name '%.100s' cannot be stored: it must be UTF-8 text",
                               path, tensor->name);
    return S2CLR_OK;
}

/* Length and JSON, padded with spaces so that the data start at a multiple of 64. */
static s2clr_status encode(json_t *header, const char *path, char **out, size_t *out_bytes)
{
    char *text = json_dumps(header, JSON_COMPACT);
    if (!text) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: out of memory for the header", path);
    const size_t length = strlen(text);
    const size_t bytes = (8 + length + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
    char *block = NULL;
    s2clr_status status;
    if (bytes - 8 > S2CLR_TENSORS_HEADER_MAX)
        status = s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                 "%s: a header of %zu bytes is beyond the format's %u", path,
                                 bytes - 8, S2CLR_TENSORS_HEADER_MAX);
    else
        status = s2clr_alloc(bytes, 1, "safetensors header", (void **)&block);
    if (status == S2CLR_OK) {
        for (int i = 0; i < 8; i++) block[i] = (char)((uint64_t)(bytes - 8) >> (8 * i) & 255u);
        memcpy(block + 8, text, length);
        memset(block + 8 + length, ' ', bytes - 8 - length);
        *out = block;
        *out_bytes = bytes;
    }
    free(text);
    return status;
}

static s2clr_status make_header(const char *path, const s2clr_tensor *tensors, size_t count,
                                const s2clr_metadata *metadata, size_t metadata_count, char **out,
                                size_t *out_bytes, size_t *out_total)
{
    json_t *header = json_object();
    if (!header) return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: out of memory", path);
    size_t end = 0;
    s2clr_status status = add_metadata(header, path, metadata, metadata_count);
    for (size_t i = 0; i < count && status == S2CLR_OK; i++)
        status = add_tensor(header, path, &tensors[i], &end);
    if (status == S2CLR_OK) status = encode(header, path, out, out_bytes);
    json_decref(header);
    if (status == S2CLR_OK && (status = s2clr_size_add(end, *out_bytes, out_total)) != S2CLR_OK)
        s2clr_free(*out);
    return status;
}

/* ---- memory ---- */

s2clr_status s2clr_tensors_encode(const char *name, const s2clr_tensor *tensors, size_t count,
                                  const s2clr_metadata *metadata, size_t metadata_count, void **out,
                                  size_t *out_bytes)
{
    char *header = NULL, *bytes = NULL;
    size_t at = 0, total = 0;
    S2CLR_TRY(make_header(name, tensors, count, metadata, metadata_count, &header, &at, &total));
    const s2clr_status status = s2clr_alloc(total, 1, name, (void **)&bytes);
    if (status == S2CLR_OK) {
        memcpy(bytes, header, at);
        for (size_t i = 0; i < count; at += tensors[i++].bytes)
            if (tensors[i].bytes) memcpy(bytes + at, tensors[i].data, tensors[i].bytes);
        *out = bytes;
        *out_bytes = total;
    }
    s2clr_free(header);
    return status;
}

/* ---- file ---- */

s2clr_status s2clr_tensors_write(const char *path, const s2clr_tensor *tensors, size_t count,
                                 const s2clr_metadata *metadata, size_t metadata_count)
{
    char *header = NULL;
    size_t header_bytes = 0, total;
    s2clr_piece *pieces = NULL;
    S2CLR_TRY(make_header(path, tensors, count, metadata, metadata_count, &header, &header_bytes,
                          &total));
    s2clr_status status = s2clr_alloc(count + 1, sizeof *pieces, path, (void **)&pieces);
    if (status == S2CLR_OK) {
        pieces[0] = (s2clr_piece){header, header_bytes};
        for (size_t i = 0; i < count; i++)
            pieces[i + 1] = (s2clr_piece){tensors[i].data, tensors[i].bytes};
        status = s2clr_file_replace(path, pieces, count + 1);
    }
    s2clr_free(pieces);
    s2clr_free(header);
    return status;
}
