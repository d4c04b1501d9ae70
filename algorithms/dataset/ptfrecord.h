/*
 * SimCLR-S2's TFRecords: what their patches look like, and how one becomes a record. Private.
 */
#ifndef S2CLR_DATASET_PTFRECORD_H
#define S2CLR_DATASET_PTFRECORD_H

#include "dataset/bigearthnet_classes.h"
#include "dataset/import.h"
#include "dataset/tfexample.h"

/* ---- variants: tf_variants.c ---- */

#define S2CLR_TF_BANDS_MAX 12
#define S2CLR_TF_SIDE_MAX 120

typedef struct s2clr_tf_band {
    char name[4];
    int side;    /* pixels */
    bool needed; /* else it may be missing */
} s2clr_tf_band;

typedef struct s2clr_tf_variant {
    const char *name;
    const char *const *classes; /* in the order of the multi-hot vector */
    int class_count;
    bool unique_names; /* else many patches share the name of the picture they were cut from */
    int bands;
    s2clr_tf_band band[S2CLR_TF_BANDS_MAX];
} s2clr_tf_variant;

size_t s2clr_tf_variant_list(const s2clr_tf_variant **out);

/* Features beside the bands. */
#define S2CLR_TF_NAME "patch_name"
#define S2CLR_TF_LABELS "original_labels"
#define S2CLR_TF_MULTI_HOT "original_labels_multi_hot"

/* ---- one patch: tf_patch.c, tf_labels.c ---- */

/* What --positive means in either variant. */
typedef struct s2clr_tf_positive {
    bool given;
    const char *text;
    bool known[2]; /* per variant: its classes are meant */
    bool bigearthnet[S2CLR_BIGEARTHNET_CLASSES];
    bool cropland[2];
} s2clr_tf_positive;

s2clr_status s2clr_tf_positive_read(const char *text, s2clr_tf_positive *out);

/* One record after the other; what a patch record points to. */
typedef struct s2clr_tf_patch {
    s2clr_tfexample example;
    const s2clr_tf_variant *variant;
    char name[S2CLR_PATCH_NAME_MAX + 20], picture[S2CLR_PATCH_NAME_MAX + 1];
    char date[11], tile[8];
    int64_t value[S2CLR_TF_SIDE_MAX * S2CLR_TF_SIDE_MAX];
    uint16_t pixels[S2CLR_TF_BANDS_MAX * S2CLR_TF_SIDE_MAX * S2CLR_TF_SIDE_MAX];
} s2clr_tf_patch;

/* `subject` names the record in messages. `record` points into `patch`; its source and split are
 * left alone but for the picture of a patch that shares it. */
s2clr_status s2clr_tf_patch_read(const void *bytes, size_t size, const char *subject,
                                 const s2clr_tf_positive *positive, s2clr_tf_patch *patch,
                                 s2clr_patch_record *record);

/* Class names and label. */
s2clr_status s2clr_tf_labels_read(const s2clr_tf_patch *patch, const s2clr_tf_positive *positive,
                                  s2clr_patch_record *record);

/* ---- files: tfrecord_files.c ---- */

typedef struct s2clr_tf_file {
    char *path;
    uint64_t bytes, before; /* of the files in front of it */
    const char *split;      /* static */
} s2clr_tf_file;

typedef struct s2clr_tf_files {
    s2clr_tf_file *file; // (count)
    size_t count, room;
    uint64_t bytes; /* of all */
    bool glance;    /* set before: only to know whether there is any; gives up in a large tree */
    size_t looked;
} s2clr_tf_files;

/* Files named *.tfrecord (and *.tfrecord-00000-of-00010) below folders, other inputs as they are;
 * sorted bytewise, each once. Zero-initialised before; cleared by the caller whatever happened. */
s2clr_status s2clr_tf_files_list(const char *const *inputs, size_t count, s2clr_tf_files *out);
void s2clr_tf_files_clear(s2clr_tf_files *files);

/* "train", "validation", "test" or "": what the name of a file, or of the folder of a numbered
 * part, begins with. */
const char *s2clr_tf_files_split(const char *path);

#endif
