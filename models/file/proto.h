/*
 * Writing protocol buffers (https://protobuf.dev/programming-guides/encoding/): fields appended to
 * a message that grows.
 *
 *     s2clr_proto inner = {0}, outer = {0};
 *     s2clr_proto_text(&inner, 1, "conv1");
 *     s2clr_proto_message(&outer, 5, &inner); // inner is empty again and keeps its memory
 *     if (outer.status == S2CLR_OK) ... outer.at, outer.size ...
 *     s2clr_proto_free(&inner), s2clr_proto_free(&outer);
 *
 * The first failure (memory) stays in `status` and makes the rest do nothing; that of an inner
 * message passes on to the outer one.
 */
#ifndef S2CLR_FILE_PROTO_H
#define S2CLR_FILE_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct s2clr_proto {
    unsigned char *at; // (size)
    size_t size, room;
    s2clr_status status;
} s2clr_proto;

void s2clr_proto_free(s2clr_proto *message);

void s2clr_proto_int(s2clr_proto *to, unsigned field, uint64_t value); /* a varint */
void s2clr_proto_float(s2clr_proto *to, unsigned field, float value);
void s2clr_proto_bytes(s2clr_proto *to, unsigned field, const void *bytes, size_t size);
void s2clr_proto_text(s2clr_proto *to, unsigned field, const char *text);
void s2clr_proto_message(s2clr_proto *to, unsigned field, s2clr_proto *message);

/* Packed values, nothing when there are none. */
void s2clr_proto_ints(s2clr_proto *to, unsigned field, const int64_t *values, size_t count);
void s2clr_proto_floats(s2clr_proto *to, unsigned field, const float *values, size_t count);

/* The fields of `more`, which is empty again. */
void s2clr_proto_append(s2clr_proto *to, s2clr_proto *more);

/* Number and length of a field whose `size` bytes follow elsewhere. */
void s2clr_proto_head(s2clr_proto *to, unsigned field, size_t size);

#endif
