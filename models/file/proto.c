#include "file/proto.h"

#include <string.h>

#include "base/memory.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, WIRE_32 = 5, VARINT_MOST = 10 };

void s2clr_proto_free(s2clr_proto *message)
{
    s2clr_free(message->at);
    *message = (s2clr_proto){0};
}

static s2clr_status grow(s2clr_proto *to, size_t more)
{
    size_t wanted, room;
    unsigned char *bytes;
    S2CLR_TRY(s2clr_size_add(to->size, more, &wanted));
    if (wanted <= to->room) return S2CLR_OK;
    S2CLR_TRY(s2clr_size_mul(wanted < 128 ? 128 : wanted, 2, &room));
    S2CLR_TRY(s2clr_alloc(room, 1, "a message", (void **)&bytes));
    if (to->size) memcpy(bytes, to->at, to->size);
    s2clr_free(to->at);
    to->at = bytes;
    to->room = room;
    return S2CLR_OK;
}

static void append(s2clr_proto *to, const void *bytes, size_t size)
{
    if (to->status == S2CLR_OK) to->status = grow(to, size);
    if (to->status != S2CLR_OK || size == 0) return;
    memcpy(to->at + to->size, bytes, size);
    to->size += size;
}

static size_t encode(uint64_t value, unsigned char out[VARINT_MOST])
{
    size_t size = 0;
    for (; value > 127; value >>= 7) out[size++] = (unsigned char)(value | 128);
    out[size++] = (unsigned char)value;
    return size;
}

static void append_varint(s2clr_proto *to, uint64_t value)
{
    unsigned char bytes[VARINT_MOST];
    append(to, bytes, encode(value, bytes));
}

static void append_key(s2clr_proto *to, unsigned field, unsigned wire)
{
    append_varint(to, (uint64_t)field << 3 | wire);
}

void s2clr_proto_int(s2clr_proto *to, unsigned field, uint64_t value)
{
    append_key(to, field, WIRE_VARINT);
    append_varint(to, value);
}

void s2clr_proto_float(s2clr_proto *to, unsigned field, float value)
{
    append_key(to, field, WIRE_32);
    append(to, &value, sizeof value);
}

void s2clr_proto_head(s2clr_proto *to, unsigned field, size_t size)
{
    append_key(to, field, WIRE_BYTES);
    append_varint(to, size);
}

void s2clr_proto_bytes(s2clr_proto *to, unsigned field, const void *bytes, size_t size)
{
    s2clr_proto_head(to, field, size);
    append(to, bytes, size);
}

void s2clr_proto_text(s2clr_proto *to, unsigned field, const char *text)
{
    s2clr_proto_bytes(to, field, text, strlen(text));
}

void s2clr_proto_message(s2clr_proto *to, unsigned field, s2clr_proto *message)
{
    if (to->status == S2CLR_OK) to->status = message->status;
    s2clr_proto_bytes(to, field, message->at, message->size);
    message->size = 0;
}

void s2clr_proto_append(s2clr_proto *to, s2clr_proto *more)
{
    if (to->status == S2CLR_OK) to->status = more->status;
    append(to, more->at, more->size);
    more->size = 0;
}

void s2clr_proto_ints(s2clr_proto *to, unsigned field, const int64_t *values, size_t count)
{
    unsigned char bytes[VARINT_MOST];
    size_t size = 0;
    if (count == 0) return;
    for (size_t i = 0; i < count; i++) size += encode((uint64_t)values[i], bytes);
    s2clr_proto_head(to, field, size);
    for (size_t i = 0; i < count; i++) append_varint(to, (uint64_t)values[i]);
}

void s2clr_proto_floats(s2clr_proto *to, unsigned field, const float *values, size_t count)
{
    if (count) s2clr_proto_bytes(to, field, values, count * sizeof *values);
}
