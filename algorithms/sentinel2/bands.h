/*
 * THE band table: every name a Sentinel-2 band goes by, in one place (rows in bands.c).
 * Source: Sentinel-2 Products Specification Document and the SENTINEL2 driver's BANDNAME.
 */
#ifndef S2CLR_SENTINEL2_BANDS_H
#define S2CLR_SENTINEL2_BANDS_H

#include <stddef.h>

typedef struct s2clr_band {
    const char *name;    /* canonical: "B02", "B8A" */
    const char *aliases; /* comma-separated, lower case, compared without case: "b2,blue" */
    int band_id;         /* index in the product XML (bandId / band_id): B01 0 ... B8A 8 ... B12 12 */
    double nanometres;   /* centre wavelength, S2A */
    int metres;          /* native pixel size */
} s2clr_band;

size_t s2clr_band_list(const s2clr_band **out);

/* The band that goes by `name` (canonical name or alias, any case, surrounding text such as
 * "B4, central wavelength 665 nm" allowed after a separator), or NULL. */
const s2clr_band *s2clr_band_find(const char *name);

/* The band whose name stands as a word of its own in a file name ("T29UNU_..._B04_10m.jp2",
 * "x_B8A.tif", "B2.tif"), or NULL. */
const s2clr_band *s2clr_band_in_filename(const char *path);

#endif
