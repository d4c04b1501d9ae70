#include "dataset/tfexample.h"

#include <stdio.h>
#include <string.h>

#include "dataset/ptfexample.h"

/* ---- fields ---- */

const char *s2clr_varint_take(s2clr_bytes *in, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (i == in->size) return "a number that ends too early";
        const unsigned char byte = in->at[i];
        if (i == 9 && byte > 1) break;
        value |= (uint64_t)(byte & 127) << 7 * i;
        if (byte & 128) continue;
        in->at += i + 1;
        in->size -= i + 1;
        *out = value;
        return NULL;
    }
    return "a number of more than 64 bits";
}

static const char *take_bytes(s2clr_bytes *in, uint64_t size, s2clr_bytes *out)
{
    if (size > in->size) return "a length beyond its end";
    *out = (s2clr_bytes){in->at, (size_t)size};
    in->at += size;
    in->size -= (size_t)size;
    return NULL;
}

const char *s2clr_field_take(s2clr_bytes *in, s2clr_field *out)
{
    uint64_t tag, size;
    const char *wrong = s2clr_varint_take(in, &tag);
    if (wrong) return wrong;
    if (tag > UINT32_MAX || tag >> 3 == 0) return "a field number that cannot be";
    out->number = tag >> 3;
    out->wire = (s2clr_wire)(tag & 7);
    out->bytes = (s2clr_bytes){NULL, 0};
    switch (tag & 7) {
    case S2CLR_WIRE_VARINT:
        return s2clr_varint_take(in, &out->varint);
    case S2CLR_WIRE_64:
        return take_bytes(in, 8, &out->bytes);
    case S2CLR_WIRE_32:
        return take_bytes(in, 4, &out->bytes);
    case S2CLR_WIRE_BYTES:
        wrong = s2clr_varint_take(in, &size);
        return wrong ? wrong : take_bytes(in, size, &out->bytes);
    default:
        return "a field of unknown type";
    }
}

/* ---- the message ---- */

static s2clr_status refuse(const s2clr_tfexample *example, const s2clr_bytes *name,
                           const char *wrong)
{
    char shown[44] = "";
    for (size_t i = 0; name && i < name->size && i < sizeof shown - 1; i++)
        shown[i] = name->at[i] >= ' ' && name->at[i] < 127 ? (char)name->at[i] : '?';
    return s2clr_error_set(S2CLR_ERR_FORMAT,
                           "%s: %s%s%s has %s; wanted: a tf.train.Example, see the TFRecord file's "
                           "maker",
                           example->subject, name ? "feature '" : "the message", shown,
                           name ? "'" : "", wrong);
}

/* Values in one field of a list; *wrong: NULL, or what is wrong. */
static size_t count_values(s2clr_feature_kind kind, const s2clr_field *field, const char **wrong)
{
    s2clr_bytes rest = field->bytes;
    const bool whole = field->wire == S2CLR_WIRE_BYTES;
    size_t count = 0;
    uint64_t value;
    *wrong = NULL;
    if (field->number != TF_LIST_VALUE) return 0;
    if (kind == S2CLR_FEATURE_BYTES) return whole;
    if (kind == S2CLR_FEATURE_FLOATS) {
        if (whole && rest.size % 4 != 0) *wrong = "floats of which one is cut";
        return whole ? rest.size / 4 : field->wire == S2CLR_WIRE_32;
    }
    if (!whole) return field->wire == S2CLR_WIRE_VARINT;
    for (; rest.size && !*wrong; count++) *wrong = s2clr_varint_take(&rest, &value);
    return count;
}

static s2clr_status check_list(const s2clr_tfexample *example, s2clr_feature *feature)
{
    s2clr_bytes rest = feature->list;
    s2clr_field field;
    while (rest.size) {
        const char *wrong = s2clr_field_take(&rest, &field);
        if (!wrong) feature->count += count_values(feature->kind, &field, &wrong);
        if (wrong) return refuse(example, &feature->name, wrong);
    }
    return S2CLR_OK;
}

static s2clr_status read_feature(const s2clr_tfexample *example, s2clr_bytes rest,
                                 s2clr_feature *feature)
{
    s2clr_field field;
    while (rest.size) {
        const char *wrong = s2clr_field_take(&rest, &field);
        if (wrong) return refuse(example, &feature->name, wrong);
        if (field.wire != S2CLR_WIRE_BYTES || field.number > S2CLR_FEATURE_INTS) continue;
        if (feature->kind != S2CLR_FEATURE_EMPTY)
            return refuse(example, &feature->name, "two lists of values");
        feature->kind = (s2clr_feature_kind)field.number;
        feature->list = field.bytes;
    }
    return check_list(example, feature);
}

static bool same_name(const s2clr_bytes *a, const s2clr_bytes *b)
{
    return a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

/* One entry of the map. */
static s2clr_status read_entry(s2clr_tfexample *example, s2clr_bytes rest)
{
    s2clr_feature feature = {.name = {(const unsigned char *)"", 0}};
    s2clr_bytes value = {NULL, 0};
    s2clr_field field;
    int values = 0;
    while (rest.size) {
        const char *wrong = s2clr_field_take(&rest, &field);
        if (wrong) return refuse(example, &feature.name, wrong);
        if (field.wire != S2CLR_WIRE_BYTES) continue;
        if (field.number == TF_ENTRY_KEY) feature.name = field.bytes;
        if (field.number == TF_ENTRY_VALUE) value = field.bytes, values++;
    }
    if (values > 1) return refuse(example, &feature.name, "two values");
    S2CLR_TRY(read_feature(example, value, &feature));
    for (int i = 0; i < example->count; i++)
        if (same_name(&example->feature[i].name, &feature.name))
            return refuse(example, &feature.name, "a twin of the same name");
    if (example->count == S2CLR_TFEXAMPLE_FEATURES_MAX)
        return refuse(example, NULL, "more than 128 features");
    example->feature[example->count++] = feature;
    return S2CLR_OK;
}

static s2clr_status read_features(s2clr_tfexample *example, s2clr_bytes rest)
{
    s2clr_field field;
    while (rest.size) {
        const char *wrong = s2clr_field_take(&rest, &field);
        if (wrong) return refuse(example, NULL, wrong);
        if (field.wire == S2CLR_WIRE_BYTES && field.number == TF_FEATURES_FEATURE)
            S2CLR_TRY(read_entry(example, field.bytes));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_tfexample_parse(const void *bytes, size_t size, const char *subject,
                                   s2clr_tfexample *out)
{
    s2clr_bytes rest = {bytes, size};
    s2clr_field field;
    out->count = 0;
    snprintf(out->subject, sizeof out->subject, "%s", subject);
    while (rest.size) {
        const char *wrong = s2clr_field_take(&rest, &field);
        if (wrong) return refuse(out, NULL, wrong);
        if (field.wire == S2CLR_WIRE_BYTES && field.number == TF_EXAMPLE_FEATURES)
            S2CLR_TRY(read_features(out, field.bytes));
    }
    return S2CLR_OK;
}

const s2clr_feature *s2clr_tfexample_find(const s2clr_tfexample *example, const char *name)
{
    const s2clr_bytes wanted = {(const unsigned char *)name, strlen(name)};
    for (int i = 0; i < example->count; i++)
        if (same_name(&example->feature[i].name, &wanted)) return &example->feature[i];
    return NULL;
}
