#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "file/psafetensors.h"

static s2clr_status read_length(const s2clr_tensors *file, size_t *out)
{
    if (file->size < 8)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: %zu bytes are too few for a safetensors file: wanted 8 bytes "
                               "of header length first",
                               file->path, file->size);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | file->bytes[i];
    if (length > S2CLR_TENSORS_HEADER_MAX)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: header length %" PRIu64 " is beyond the %u bytes allowed: not "
                               "a safetensors file, or a damaged one",
                               file->path, length, S2CLR_TENSORS_HEADER_MAX);
    if (length > file->size - 8)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: truncated: the header says it has %" PRIu64 " bytes, the file "
                               "has only %zu after the length",
                               file->path, length, file->size - 8);
    *out = (size_t)length;
    return S2CLR_OK;
}

static s2clr_status load_json(s2clr_tensors *file, size_t length)
{
    const char *text = (const char *)file->bytes + 8;
    if (length == 0 || text[0] != '{')
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: the header does not start with '{': not a "
                               "safetensors file",
                               file->path);
    json_error_t error;
    char shown[S2CLR_SHOWN_ROOM];
    file->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!file->header)
        return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: the header is not valid JSON: %s (byte %d)",
                               file->path, s2clr_shown(error.text, shown), error.position);
    return S2CLR_OK;
}

static s2clr_status check_metadata(const s2clr_tensors *file, json_t *metadata)
{
    if (!json_is_object(metadata))
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: " S2CLR_TENSORS_METADATA " is not a JSON object of strings",
                               file->path);
    const char *key;
    json_t *value;
    char shown[S2CLR_SHOWN_ROOM];
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return s2clr_error_set(S2CLR_ERR_FORMAT,
                                   "%s: metadata '%s' is not a string, wanted strings only",
                                   file->path, s2clr_shown(key, shown));
    }
    return S2CLR_OK;
}

static s2clr_status refuse(const s2clr_tensors *file, const char *name, const char *why)
{
    char shown[S2CLR_SHOWN_ROOM];
    return s2clr_error_set(S2CLR_ERR_FORMAT, "%s: tensor '%s': %s", file->path,
                           s2clr_shown(name, shown), why);
}

static s2clr_status read_dtype(const s2clr_tensors *file, const json_t *entry, s2clr_tensor *t)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    if (!dtype) return refuse(file, t->name, "'dtype' is missing or not a string");
    if (s2clr_dtype_find(dtype, &t->dtype)) return S2CLR_OK;
    char shown[S2CLR_SHOWN_ROOM], type[S2CLR_SHOWN_ROOM];
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: tensor '%s': unknown dtype '%s', wanted one of F32, F64, F16, "
                           "BF16, I64, I32, I16, U16, I8, U8, BOOL",
                           file->path, s2clr_shown(t->name, shown), s2clr_shown(dtype, type));
}

static s2clr_status read_shape(const s2clr_tensors *file, const json_t *entry, s2clr_tensor *t)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape)) return refuse(file, t->name, "'shape' is missing or not an array");
    if (json_array_size(shape) > S2CLR_TENSOR_RANK_MAX)
        return refuse(file, t->name, "'shape' has more than 8 dimensions");
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        const json_t *dim = json_array_get(shape, (size_t)i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return refuse(file, t->name, "'shape' holds something else than whole numbers >= 0");
        t->dims[i] = json_integer_value(dim);
    }
    const size_t size = s2clr_dtype_describe(t->dtype)->size;
    if (s2clr_dims_count(t->dims, t->rank, &t->count) != S2CLR_OK ||
        s2clr_size_mul(t->count, size, &t->bytes) != S2CLR_OK)
        return refuse(file, t->name, "'shape' overflows: more bytes than can be addressed");
    return S2CLR_OK;
}

/* Leaves the offset in `data` as a number: it becomes an address when all offsets are proved. */
static s2clr_status read_offsets(const s2clr_tensors *file, const json_t *entry, s2clr_tensor *t)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second))
        return refuse(file, t->name, "'data_offsets' is not an array of two whole numbers");
    const json_int_t begin = json_integer_value(first), end = json_integer_value(second);
    if (begin < 0 || end < begin)
        return refuse(file, t->name, "'data_offsets' are negative or end before they begin");
    char shown[S2CLR_SHOWN_ROOM], dims[S2CLR_DIMS_ROOM];
    if ((uint64_t)(end - begin) != t->bytes)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: tensor '%s': 'data_offsets' span %" PRId64
                               " bytes, %s of shape %s needs %zu",
                               file->path, s2clr_shown(t->name, shown), (int64_t)(end - begin),
                               s2clr_dtype_describe(t->dtype)->name,
                               s2clr_dims_shown(t->dims, t->rank, dims), t->bytes);
    t->data = (const void *)(uintptr_t)begin;
    return S2CLR_OK;
}

static s2clr_status read_entries(s2clr_tensors *file)
{
    const char *key;
    json_t *value;
    json_object_foreach(file->header, key, value)
    {
        if (strcmp(key, S2CLR_TENSORS_METADATA) == 0) {
            S2CLR_TRY(check_metadata(file, value));
            continue;
        }
        s2clr_tensor *tensor = &file->tensors[file->count];
        tensor->name = key;
        if (!json_is_object(value)) return refuse(file, key, "its entry is not a JSON object");
        S2CLR_TRY(read_dtype(file, value, tensor));
        S2CLR_TRY(read_shape(file, value, tensor));
        S2CLR_TRY(read_offsets(file, value, tensor));
        file->by_name[file->count++] = tensor;
    }
    return S2CLR_OK;
}

static int compare_offset(const void *left, const void *right)
{
    const s2clr_tensor *a = left, *b = right;
    const uintptr_t x = (uintptr_t)a->data, y = (uintptr_t)b->data;
    if (x != y) return x < y ? -1 : 1;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

static int compare_name(const void *left, const void *right)
{
    return strcmp((*(const s2clr_tensor *const *)left)->name,
                  (*(const s2clr_tensor *const *)right)->name);
}

/* Every byte of the data section belongs to exactly one tensor. */
static s2clr_status place(s2clr_tensors *file, size_t start)
{
    const size_t room = file->size - start;
    size_t end = 0;
    for (size_t i = 0; i < file->count; i++) {
        s2clr_tensor *tensor = &file->tensors[i];
        const size_t begin = (size_t)(uintptr_t)tensor->data;
        if (begin < end) return refuse(file, tensor->name, "its data overlap another tensor's");
        if (begin > end && begin <= room)
            return refuse(file, tensor->name, "there is a gap before its data");
        if (begin > room || tensor->bytes > room - begin) {
            char shown[S2CLR_SHOWN_ROOM];
            return s2clr_error_set(
                S2CLR_ERR_FORMAT,
                "%s: truncated: the header says %zu bytes of data for tensor '%s' from byte %zu "
                "on, the file has %zu bytes of data",
                file->path, tensor->bytes, s2clr_shown(tensor->name, shown), begin, room);
        }
        tensor->data = file->bytes + start + begin;
        end = begin + tensor->bytes;
    }
    if (end != room)
        return s2clr_error_set(S2CLR_ERR_FORMAT,
                               "%s: the tensors end after %zu bytes of data, the file has %zu",
                               file->path, end, room);
    return S2CLR_OK;
}

s2clr_status s2clr_tensors_read_header(s2clr_tensors *file)
{
    size_t length = 0;
    S2CLR_TRY(read_length(file, &length));
    S2CLR_TRY(load_json(file, length));
    const size_t most = json_object_size(file->header);
    S2CLR_TRY(s2clr_alloc(most, sizeof *file->tensors, file->path, (void **)&file->tensors));
    S2CLR_TRY(s2clr_alloc(most, sizeof *file->by_name, file->path, (void **)&file->by_name));
    S2CLR_TRY(read_entries(file));
    qsort(file->tensors, file->count, sizeof *file->tensors, compare_offset);
    S2CLR_TRY(place(file, 8 + length));
    qsort(file->by_name, file->count, sizeof *file->by_name, compare_name);
    return S2CLR_OK;
}
