/*
 * What patches look like: true and false colour of their bands, all patches of a sheet stretched
 * alike, so that their brightness can be compared.
 *
 *     s2clr_topk_pixels pixels;
 *     S2CLR_TRY(s2clr_topk_pixels_new(count, 4, 64, &pixels));
 *     ... snprintf(pixels.band[0], ..., "B04") ... pixels.value ...
 *     S2CLR_TRY(s2clr_topk_pictures_make(&pixels, &sheet));
 *
 * The rule: what is darker than the 2nd percentile of a band is black, what is brighter than the
 * 98th is full, straight in between; percentiles are those of the band's valid pixels in all
 * patches of the sheet. Bytes of images are shown as they are. Invalid pixels are transparent.
 */
#ifndef S2CLR_REPORT_TOPK_PICTURES_H
#define S2CLR_REPORT_TOPK_PICTURES_H

#include <stdbool.h>
#include <stddef.h>

#include "file/card.h"
#include "report/contact_sheet.h"

typedef struct s2clr_topk_pixels {
    size_t count; /* patches */
    int bands, size;
    char band[S2CLR_CARD_BANDS_MAX][S2CLR_CARD_WORD];
    bool image;   /* of image files: values that all are bytes are shown as they are */
    float *value; // (count, bands, size, size) NaN: invalid
} s2clr_topk_pixels;

/* Everything invalid, bands without names. */
s2clr_status s2clr_topk_pixels_new(size_t count, int bands, int size, s2clr_topk_pixels *out);
void s2clr_topk_pixels_free(s2clr_topk_pixels *pixels);

/* The pixels of a patch. Borrowed. */
float *s2clr_topk_pixels_of(const s2clr_topk_pixels *pixels, size_t patch); // (bands, size, size)

/* The names that pictures can be made of, best first: bands to look for when a source offers more
 * than the model takes. "B04", "B03", "B02", "B08", "B8A"; NULL-terminated. */
const char *const *s2clr_topk_picture_bands(void);

/* Fills sheet->picture(s) and every patch's data URIs; sheet->count is pixels->count. */
s2clr_status s2clr_topk_pictures_make(const s2clr_topk_pixels *pixels, s2clr_sheet *sheet);

#endif
