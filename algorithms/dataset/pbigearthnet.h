/*
 * Parts of the BigEarthNet reader: folder names, a patch's JSON, a patch's pixels. Private.
 */
#ifndef S2CLR_DATASET_PBIGEARTHNET_H
#define S2CLR_DATASET_PBIGEARTHNET_H

#include <stdint.h>

#include "dataset/patch_record.h"

#define S2CLR_BIGEARTHNET_BANDS 12
#define S2CLR_BIGEARTHNET_SIDE 120 /* pixels of a 10 m band */
#define S2CLR_BIGEARTHNET_NAME 256

/* "S2A_MSIL2A_20170613T101031_87_48" (version 1) or
 * "S2A_MSIL2A_20170613T101031_N9999_R022_T33UUP_26_57" (version 2); 0: not a patch. */
int s2clr_bigearthnet_version(const char *name);

/* ---- JSON: bigearthnet_metadata.c ---- */

typedef struct s2clr_bigearthnet_metadata {
    void *json; /* owns the texts */
    int label_count;
    const char *labels[S2CLR_PATCH_LABELS_MAX];
    bool merged;   /* a label of the 19 classes is among them */
    double box[4]; /* ulx, uly, lrx, lry */
    const char *projection, *tile_source;
    char date[11];
} s2clr_bigearthnet_metadata;

/* Reads FOLDER/NAME_labels_metadata.json; an unknown class is an error. */
s2clr_status s2clr_bigearthnet_metadata_read(const char *folder, const char *name,
                                             s2clr_bigearthnet_metadata *out);
void s2clr_bigearthnet_metadata_clear(s2clr_bigearthnet_metadata *metadata);

/* ---- pixels: bigearthnet_pixels.c ---- */

typedef struct s2clr_bigearthnet_pixels s2clr_bigearthnet_pixels;

s2clr_status s2clr_bigearthnet_pixels_new(s2clr_bigearthnet_pixels **out);
void s2clr_bigearthnet_pixels_free(s2clr_bigearthnet_pixels *pixels);

/* Fills bands and footprint of the record, borrowed until the next call. Every band must have its
 * native size, UInt16, and the extent of the others; metadata (or NULL) must agree with it. */
s2clr_status s2clr_bigearthnet_pixels_read(s2clr_bigearthnet_pixels *pixels, const char *folder,
                                           const char *name,
                                           const s2clr_bigearthnet_metadata *metadata,
                                           s2clr_patch_record *record);

#endif
