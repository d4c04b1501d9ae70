/*
 * Protocol buffers as far as tf.train.Example needs them: fields with bounds. Private.
 */
#ifndef S2CLR_DATASET_PTFEXAMPLE_H
#define S2CLR_DATASET_PTFEXAMPLE_H

#include <stdbool.h>

#include "dataset/tfexample.h"

/* Field numbers of example.proto and feature.proto. */
enum {
    TF_EXAMPLE_FEATURES = 1,
    TF_FEATURES_FEATURE = 1,
    TF_ENTRY_KEY = 1,
    TF_ENTRY_VALUE = 2,
    TF_LIST_VALUE = 1
};

typedef enum s2clr_wire {
    S2CLR_WIRE_VARINT = 0,
    S2CLR_WIRE_64 = 1,
    S2CLR_WIRE_BYTES = 2,
    S2CLR_WIRE_32 = 5
} s2clr_wire;

typedef struct s2clr_field {
    uint64_t number;
    s2clr_wire wire;
    uint64_t varint;   /* wire VARINT */
    s2clr_bytes bytes; /* else: the content */
} s2clr_field;

/* Takes a varint from the front; NULL, or what is wrong with it. */
const char *s2clr_varint_take(s2clr_bytes *in, uint64_t *out);

/* Takes a field from the front; NULL, or what is wrong with it. */
const char *s2clr_field_take(s2clr_bytes *in, s2clr_field *out);

#endif
