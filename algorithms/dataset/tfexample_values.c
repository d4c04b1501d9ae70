/* Values of the features of an Example that was checked, and the way back. */
#include <string.h>

#include "dataset/ptfexample.h"
#include "file/proto.h"

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

static void put_list(const s2clr_feature_source *from, s2clr_proto *to)
{
    if (from->kind == S2CLR_FEATURE_INTS)
        s2clr_proto_ints(to, TF_LIST_VALUE, from->ints, from->count);
    if (from->kind == S2CLR_FEATURE_FLOATS)
        s2clr_proto_floats(to, TF_LIST_VALUE, from->floats, from->count);
    for (size_t i = 0; from->kind == S2CLR_FEATURE_BYTES && i < from->count; i++)
        s2clr_proto_bytes(to, TF_LIST_VALUE, from->bytes[i].at, from->bytes[i].size);
}

s2clr_status s2clr_tfexample_encode(const s2clr_feature_source *features, size_t count, void **out,
                                    size_t *out_size)
{
    s2clr_proto list = {0}, feature = {0}, entry = {0}, all = {0}, example = {0};
    if (count > S2CLR_TFEXAMPLE_FEATURES_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "an Example of %zu features; at most 128",
                               count);
    for (size_t i = 0; i < count; i++) {
        put_list(&features[i], &list);
        if (features[i].kind != S2CLR_FEATURE_EMPTY)
            s2clr_proto_message(&feature, (unsigned)features[i].kind, &list);
        s2clr_proto_text(&entry, TF_ENTRY_KEY, features[i].name);
        s2clr_proto_message(&entry, TF_ENTRY_VALUE, &feature);
        s2clr_proto_message(&all, TF_FEATURES_FEATURE, &entry);
    }
    s2clr_proto_message(&example, TF_EXAMPLE_FEATURES, &all);
    s2clr_proto_free(&list);
    s2clr_proto_free(&feature);
    s2clr_proto_free(&entry);
    s2clr_proto_free(&all);
    if (example.status != S2CLR_OK) {
        const s2clr_status status = example.status;
        s2clr_proto_free(&example);
        return status;
    }
    *out = example.at;
    *out_size = example.size;
    return S2CLR_OK;
}
