/*
 * A patch and all that is known of it, on its way from a reader into a store.
 *
 * Pixels stay what they were in the archive: DN of the band's own type at its native size, band by
 * band; a product's DN offset is recorded beside them, not added. Everything in a record is
 * borrowed by who gets it, until the reader moves on.
 */
#ifndef S2CLR_DATASET_PATCH_RECORD_H
#define S2CLR_DATASET_PATCH_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "file/safetensors.h"

#define S2CLR_PATCH_BANDS_MAX 16
#define S2CLR_PATCH_NAME_MAX 500 /* bytes; LMDB keys may have 511 */
#define S2CLR_PATCH_LABELS_MAX 64
#define S2CLR_PATCH_SIDE_MAX 8192 /* pixels */

typedef struct s2clr_patch_band {
    char name[16];     /* canonical: "B02", "B8A"; "SCL" */
    s2clr_dtype dtype; /* U8, U16, I16 or F32 */
    int height, width;
    const void *data; // (height, width)
} s2clr_patch_band;

/* The answer of the label source. */
typedef enum s2clr_label {
    S2CLR_LABEL_UNKNOWN = -1, /* none, or too little cover to say */
    S2CLR_LABEL_NEGATIVE = 0,
    S2CLR_LABEL_POSITIVE = 1
} s2clr_label;

typedef struct s2clr_patch_record {
    const char *name; /* key: unique in the store, no control characters, no leading or trailing
                         blank */
    int bands;
    s2clr_patch_band band[S2CLR_PATCH_BANDS_MAX];

    bool has_footprint;
    const char *crs;     /* anything OGR's SetFromUserInput takes, "" without footprint */
    double transform[6]; /* GDAL geotransform of the finest band */
    int width, height;   /* pixels of the finest band */

    int label_count;
    const char *labels[S2CLR_PATCH_LABELS_MAX]; /* class names as the archive spells them */
    s2clr_label label;
    double cover; /* share of the patch that is positive, 0..1; -1: unknown */

    const char *level;  /* "L1C", "L2A", or another; "" unknown */
    double dn_offset;   /* to be added to DN (BOA_ADD_OFFSET), 0 if none */
    double metres;      /* ground size of the finest band's pixels, 0 unknown */
    const char *date;   /* "2017-06-13", "" unknown */
    const char *country, *tile; /* "" unknown */
    const char *place;  /* patches of one place share it (other dates): natural positives; "" none */
    const char *split;  /* "train", "validation", "test", "" not yet decided */
    const char *source; /* product or file it comes from */
} s2clr_patch_record;

/* Checks everything above (a NULL text counts as ""); the message names the patch, the item, found
 * and wanted. */
s2clr_status s2clr_patch_record_check(const s2clr_patch_record *record);

/* Pixels of the finest band: the largest height and width there are. */
void s2clr_patch_record_size(const s2clr_patch_record *record, int *height, int *width);

/* A day of the calendar as "2017-06-13"; ymd[] is written when it is one. */
bool s2clr_date_parse(const char *date, int ymd[3]);

/* "train", "validation", "test", "" and NULL are. */
bool s2clr_split_name_known(const char *split);

#endif
