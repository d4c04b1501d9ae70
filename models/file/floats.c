#include <stdio.h>
#include <string.h>

#include "base/bf16.h"
#include "base/memory.h"
#include "file/psafetensors.h"

/* In the order of s2clr_dtype. */
static const s2clr_dtype_row dtypes[] = {
    {"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"I64", 8},  {"I32", 4},
    {"I16", 2}, {"U16", 2}, {"I8", 1},  {"U8", 1},   {"BOOL", 1},
};
#define DTYPES (sizeof dtypes / sizeof *dtypes)

const s2clr_dtype_row *s2clr_dtype_describe(s2clr_dtype dtype)
{
    return (size_t)dtype < DTYPES ? &dtypes[dtype] : NULL;
}

bool s2clr_dtype_find(const char *name, s2clr_dtype *out)
{
    for (size_t i = 0; i < DTYPES; i++) {
        if (strcmp(dtypes[i].name, name) != 0) continue;
        *out = (s2clr_dtype)i;
        return true;
    }
    return false;
}

s2clr_status s2clr_dims_count(const int64_t *dims, int rank, size_t *out)
{
    size_t count = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || (uint64_t)dims[i] > SIZE_MAX) return S2CLR_ERR_MEMORY;
        empty = empty || dims[i] == 0;
    }
    for (int i = 0; i < rank && !empty; i++)
        S2CLR_TRY(s2clr_size_mul(count, (size_t)dims[i], &count));
    *out = empty ? 0 : count;
    return S2CLR_OK;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
static float from_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 31u;
    const uint32_t fraction = half & 1023u;
    if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent > 0) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    const float tiny = (float)fraction * 0x1p-24f; /* zero and subnormals */
    return sign ? -tiny : tiny;
}

/* Elements are fetched with memcpy: a file may place them anywhere. */
static uint16_t half_at(const void *data, size_t index)
{
    uint16_t half;
    memcpy(&half, (const char *)data + index * sizeof half, sizeof half);
    return half;
}

static double double_at(const void *data, size_t index)
{
    double value;
    memcpy(&value, (const char *)data + index * sizeof value, sizeof value);
    return value;
}

s2clr_status s2clr_tensor_floats(const s2clr_tensor *tensor, const char *path, float *out)
{
    char shown[S2CLR_SHOWN_ROOM];
    switch (tensor->dtype) {
    case S2CLR_DTYPE_F32:
        if (tensor->bytes) memcpy(out, tensor->data, tensor->bytes);
        return S2CLR_OK;
    case S2CLR_DTYPE_F64:
        for (size_t i = 0; i < tensor->count; i++) out[i] = (float)double_at(tensor->data, i);
        return S2CLR_OK;
    case S2CLR_DTYPE_F16:
        for (size_t i = 0; i < tensor->count; i++) out[i] = from_f16(half_at(tensor->data, i));
        return S2CLR_OK;
    case S2CLR_DTYPE_BF16:
        for (size_t i = 0; i < tensor->count; i++)
            out[i] = s2clr_bf16_widen(half_at(tensor->data, i));
        return S2CLR_OK;
    case S2CLR_DTYPE_I64:
    case S2CLR_DTYPE_I32:
    case S2CLR_DTYPE_I16:
    case S2CLR_DTYPE_U16:
    case S2CLR_DTYPE_I8:
    case S2CLR_DTYPE_U8:
    case S2CLR_DTYPE_BOOL:
        break;
    }
    const s2clr_dtype_row *row = s2clr_dtype_describe(tensor->dtype);
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: tensor '%s' holds %s, wanted floating point (F32, F64, F16, BF16)",
                           path, s2clr_shown(tensor->name, shown), row ? row->name : "?");
}

const char *s2clr_shown(const char *name, char shown[S2CLR_SHOWN_ROOM])
{
    size_t length = 0;
    for (; name[length] && length < S2CLR_SHOWN_ROOM - 4; length++) {
        const unsigned char c = (unsigned char)name[length];
        shown[length] = c < 32 || c == 127 ? '?' : name[length];
    }
    strcpy(shown + length, name[length] ? "..." : "");
    return shown;
}

const char *s2clr_dims_shown(const int64_t *dims, int rank, char shown[S2CLR_DIMS_ROOM])
{
    size_t at = 1;
    strcpy(shown, "[");
    for (int i = 0; i < rank; i++)
        at += (size_t)snprintf(shown + at, S2CLR_DIMS_ROOM - at, "%s%lld", i ? ", " : "",
                               (long long)dims[i]);
    strcpy(shown + at, "]");
    return shown;
}
