/*
 * tf.train.Example, the message inside a TFRecord: named lists of int64, float or bytes.
 * Format: protocol buffers encoding (https://protobuf.dev/programming-guides/encoding/) of
 * tensorflow/core/example/example.proto and feature.proto:
 *
 *     Example { Features features = 1; }   Features { map<string, Feature> feature = 1; }
 *     Feature { oneof { BytesList = 1; FloatList = 2; Int64List = 3; } }, each { repeated value = 1
 * }
 *
 *     s2clr_tfexample example;
 *     S2CLR_TRY(s2clr_tfexample_parse(bytes, size, "part-0.tfrecord record 7", &example));
 *     const s2clr_feature *red = s2clr_tfexample_find(&example, "B04");
 *     S2CLR_TRY(s2clr_feature_ints(&example, red, values, count));
 *
 * Lists may be packed or not, unknown fields are passed over; a name or a list that comes twice is
 * refused, because no writer does that.
 */
#ifndef S2CLR_DATASET_TFEXAMPLE_H
#define S2CLR_DATASET_TFEXAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define S2CLR_TFEXAMPLE_FEATURES_MAX 128

typedef enum s2clr_feature_kind {
    S2CLR_FEATURE_EMPTY, /* has no list */
    S2CLR_FEATURE_BYTES,
    S2CLR_FEATURE_FLOATS,
    S2CLR_FEATURE_INTS
} s2clr_feature_kind;

/* ---- reading ---- */

typedef struct s2clr_bytes {
    const unsigned char *at;
    size_t size;
} s2clr_bytes;

typedef struct s2clr_feature {
    s2clr_bytes name; /* not terminated */
    s2clr_feature_kind kind;
    size_t count;     /* values */
    s2clr_bytes list; /* the message with the values */
} s2clr_feature;

/* Points into the bytes it was parsed from. */
typedef struct s2clr_tfexample {
    char subject[600]; /* of messages */
    int count;
    s2clr_feature feature[S2CLR_TFEXAMPLE_FEATURES_MAX];
} s2clr_tfexample;

/* Checks everything down to the last value. */
s2clr_status s2clr_tfexample_parse(const void *bytes, size_t size, const char *subject,
                                   s2clr_tfexample *out);

const s2clr_feature *s2clr_tfexample_find(const s2clr_tfexample *example, const char *name);

/* The values of a feature of that kind; `count` must be the feature's. */
s2clr_status s2clr_feature_ints(const s2clr_tfexample *example, const s2clr_feature *feature,
                                int64_t *out, size_t count);
s2clr_status s2clr_feature_floats(const s2clr_tfexample *example, const s2clr_feature *feature,
                                  float *out, size_t count);
s2clr_status s2clr_feature_bytes(const s2clr_tfexample *example, const s2clr_feature *feature,
                                 s2clr_bytes *out, size_t count);

/* ---- writing ---- */

typedef struct s2clr_feature_source {
    const char *name;
    s2clr_feature_kind kind;
    size_t count;
    const int64_t *ints;      // (count) the one that `kind` says
    const float *floats;      // (count)
    const s2clr_bytes *bytes; // (count)
} s2clr_feature_source;

/* Features in the order given, lists packed. The caller frees *out with s2clr_free(). */
s2clr_status s2clr_tfexample_encode(const s2clr_feature_source *features, size_t count, void **out,
                                    size_t *out_size);

#endif
