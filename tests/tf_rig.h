/*
 * Patches as SimCLR-S2's records have them, made up: as patch records and as messages that a test
 * may spoil before they are written. Every DN is a pure function of patch, band and pixel.
 */
#ifndef S2CLR_TESTS_TF_RIG_H
#define S2CLR_TESTS_TF_RIG_H

#include "dataset/patch_record.h"
#include "dataset/tfexample.h"
#include "dataset/tfrecord.h"

enum { TF_RIG_BANDS = 12, TF_RIG_VALUES = TF_RIG_BANDS * 120 * 120, TF_RIG_CLASSES = 43 };

/* Names of the bands, in order, and their sides in BigEarthNet. */
extern const char *const tf_rig_band[TF_RIG_BANDS];
extern const int tf_rig_side[TF_RIG_BANDS];

uint16_t tf_rig_dn(int number, int band, size_t pixel);

/* "S2A_MSIL2A_20170613T101031_NUMBER_48". */
const char *tf_rig_name(int number);

typedef struct tf_rig_message {
    int count;
    s2clr_feature_source feature[TF_RIG_BANDS + 3]; /* bands, labels, multi-hot, name */
    int64_t value[TF_RIG_VALUES], hot[TF_RIG_CLASSES];
    s2clr_bytes label[4], name;
} tf_rig_message;

enum { TF_RIG_LABELS = TF_RIG_BANDS, TF_RIG_HOT, TF_RIG_NAME };

/* side: 0 BigEarthNet's, else that of all bands. classes: length of the multi-hot vector; `first`
 * and `second` (-1: none) are set in it, and have these names. */
void tf_rig_fill(tf_rig_message *message, int number, int side, int classes, int first,
                 const char *first_name, int second, const char *second_name);

/* Appends it; fails the case on errors. */
void tf_rig_write(s2clr_tfrecord_writer *writer, const tf_rig_message *message);

/* The patch of a message without labels, as a record; pixels stay the rig's until the next call. */
void tf_rig_record(s2clr_patch_record *record, int number, int side);

#endif
