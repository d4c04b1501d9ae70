/* Values of the features of an Example that was checked, and the way back. */
#include <string.h>

#include "base/memory.h"
#include "dataset/ptfexample.h"

/* ---- reading ---- */

static s2clr_status check(const s2clr_tfexample *example, const s2clr_feature *feature,
                          s2clr_feature_kind kind, size_t count)
{
    static const char *const kinds[] = {"nothing", "bytes", "floats", "integers"};
    if (feature->kind == kind && feature->count == count) return S2CLR_OK;
    const int shown = feature->name.size < 40 ? (int)feature->name.size : 40;
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: feature '%.*s' has %zu values of kind %s; wanted: %zu of kind %s",
                           example->subject, shown, (const char *)feature->name.at, feature->count,
                           kinds[feature->kind], count, kinds[kind]);
}

/* The next field that holds values; the list was checked when the message was parsed. */
static bool next_values(s2clr_bytes *rest, s2clr_field *field)
{
    while (rest->size) {
        if (s2clr_field_take(rest, field)) return false;
        if (field->number == TF_LIST_VALUE) return true;
    }
    return false;
}

s2clr_status s2clr_feature_ints(const s2clr_tfexample *example, const s2clr_feature *feature,
                                int64_t *out, size_t count)
{
    s2clr_bytes rest = feature->list;
    s2clr_field field;
    size_t done = 0;
    S2CLR_TRY(check(example, feature, S2CLR_FEATURE_INTS, count));
    while (done < count && next_values(&rest, &field)) {
        if (field.wire == S2CLR_WIRE_VARINT) out[done++] = (int64_t)field.varint;
        if (field.wire != S2CLR_WIRE_BYTES) continue;
        while (done < count && field.bytes.size) {
            uint64_t value = 0;
            s2clr_varint_take(&field.bytes, &value);
            out[done++] = (int64_t)value;
        }
    }
    return S2CLR_OK;
}

s2clr_status s2clr_feature_floats(const s2clr_tfexample *example, const s2clr_feature *feature,
                                  float *out, size_t count)
{
    s2clr_bytes rest = feature->list;
    s2clr_field field;
    size_t done = 0;
    S2CLR_TRY(check(example, feature, S2CLR_FEATURE_FLOATS, count));
    while (done < count && next_values(&rest, &field)) {
        if (field.wire != S2CLR_WIRE_32 && field.wire != S2CLR_WIRE_BYTES) continue;
        memcpy(out + done, field.bytes.at, field.bytes.size);
        done += field.bytes.size / 4;
    }
    return S2CLR_OK;
}

s2clr_status s2clr_feature_bytes(const s2clr_tfexample *example, const s2clr_feature *feature,
                                 s2clr_bytes *out, size_t count)
{
    s2clr_bytes rest = feature->list;
    s2clr_field field;
    size_t done = 0;
    S2CLR_TRY(check(example, feature, S2CLR_FEATURE_BYTES, count));
    while (done < count && next_values(&rest, &field))
        if (field.wire == S2CLR_WIRE_BYTES) out[done++] = field.bytes;
    return S2CLR_OK;
}

/* ---- writing ---- */

/* Bytes of one feature's messages, from the inside out. */
typedef struct sizes {
    size_t packed; /* of ints and floats */
    size_t list, feature, entry;
} sizes;

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >>= 7) size++;
    return size;
}

/* Of a field's tag, length and content; all numbers are below 16. */
static size_t field_size(size_t content)
{
    return 1 + varint_size(content) + content;
}

static sizes measure(const s2clr_feature_source *feature)
{
    sizes out = {0};
    if (feature->kind == S2CLR_FEATURE_INTS)
        for (size_t i = 0; i < feature->count; i++)
            out.packed += varint_size((uint64_t)feature->ints[i]);
    if (feature->kind == S2CLR_FEATURE_FLOATS) out.packed = 4 * feature->count;
    if (out.packed) out.list = field_size(out.packed);
    for (size_t i = 0; feature->kind == S2CLR_FEATURE_BYTES && i < feature->count; i++)
        out.list += field_size(feature->bytes[i].size);
    if (feature->kind != S2CLR_FEATURE_EMPTY) out.feature = field_size(out.list);
    out.entry = field_size(strlen(feature->name)) + field_size(out.feature);
    return out;
}

static unsigned char *put_varint(unsigned char *to, uint64_t value)
{
    for (; value > 127; value >>= 7) *to++ = (unsigned char)(value | 128);
    *to++ = (unsigned char)value;
    return to;
}

static unsigned char *put_head(unsigned char *to, unsigned number, size_t content)
{
    *to++ = (unsigned char)(number << 3 | S2CLR_WIRE_BYTES);
    return put_varint(to, content);
}

static unsigned char *put_bytes(unsigned char *to, unsigned number, const void *bytes, size_t size)
{
    to = put_head(to, number, size);
    if (size) memcpy(to, bytes, size);
    return to + size;
}

static unsigned char *put_list(unsigned char *to, const s2clr_feature_source *feature,
                               size_t packed)
{
    if (feature->kind == S2CLR_FEATURE_FLOATS && packed)
        return put_bytes(to, TF_LIST_VALUE, feature->floats, packed);
    if (feature->kind == S2CLR_FEATURE_INTS && packed) {
        to = put_head(to, TF_LIST_VALUE, packed);
        for (size_t i = 0; i < feature->count; i++) to = put_varint(to, (uint64_t)feature->ints[i]);
    }
    for (size_t i = 0; feature->kind == S2CLR_FEATURE_BYTES && i < feature->count; i++)
        to = put_bytes(to, TF_LIST_VALUE, feature->bytes[i].at, feature->bytes[i].size);
    return to;
}

static unsigned char *put_entry(unsigned char *to, const s2clr_feature_source *feature,
                                const sizes *size)
{
    to = put_head(to, TF_FEATURES_FEATURE, size->entry);
    to = put_bytes(to, TF_ENTRY_KEY, feature->name, strlen(feature->name));
    to = put_head(to, TF_ENTRY_VALUE, size->feature);
    if (feature->kind == S2CLR_FEATURE_EMPTY) return to;
    to = put_head(to, (unsigned)feature->kind, size->list);
    return put_list(to, feature, size->packed);
}

s2clr_status s2clr_tfexample_encode(const s2clr_feature_source *features, size_t count, void **out,
                                    size_t *out_size)
{
    sizes size[S2CLR_TFEXAMPLE_FEATURES_MAX];
    size_t content = 0;
    unsigned char *bytes, *to;
    if (count > S2CLR_TFEXAMPLE_FEATURES_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "an Example of %zu features; at most 128",
                               count);
    for (size_t i = 0; i < count; i++) {
        size[i] = measure(&features[i]);
        content += field_size(size[i].entry);
    }
    S2CLR_TRY(s2clr_alloc(field_size(content), 1, "an Example", (void **)&bytes));
    to = put_head(bytes, TF_EXAMPLE_FEATURES, content);
    for (size_t i = 0; i < count; i++) to = put_entry(to, &features[i], &size[i]);
    *out = bytes;
    *out_size = (size_t)(to - bytes);
    return S2CLR_OK;
}
