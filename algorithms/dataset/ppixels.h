/*
 * Patches of a store as planes of one size: what one reading thread holds. Private.
 */
#ifndef S2CLR_DATASET_PPIXELS_H
#define S2CLR_DATASET_PPIXELS_H

#include "dataset/store.h"
#include "file/card.h"
#include "sentinel2/resample.h"

/* What every patch is brought to; borrowed by the readers. */
typedef struct s2clr_pixels_wish {
    const s2clr_store *store;
    int channels, size;
    char band[S2CLR_CARD_BANDS_MAX][16];
    s2clr_resampling method;
    bool has_nodata;
    float nodata; /* a DN */
} s2clr_pixels_wish;

typedef struct s2clr_pixels s2clr_pixels;

s2clr_status s2clr_pixels_new(const s2clr_pixels_wish *wish, s2clr_pixels **out);
void s2clr_pixels_free(s2clr_pixels *pixels);

/* dn: (channels, size, size), DN + dn_offset of the row, NaN where invalid. */
s2clr_status s2clr_pixels_read(s2clr_pixels *pixels, size_t row, float *dn);

/* The values as they are stored, which floats hold exactly. to: (height, width). */
void s2clr_patch_band_floats(const s2clr_patch_band *band, float *to);

/* Links for a list of idle ones. */
s2clr_pixels **s2clr_pixels_next(s2clr_pixels *pixels);

#endif
