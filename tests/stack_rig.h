/*
 * What the tests of the opener share: cards that leave DN as they are, and small rasters.
 *
 *     s2clr_card card = rig_card("B04,B03");
 *     rig_raster spec = {.name = "a.tif", .width = 8, .height = 6, .bands = 2, .metres = 10,
 *                        .names = "B4,B3", .fill = ramp};
 *     s2clr_stack *stack = rig_open(rig_write(&spec), &card, NULL);
 */
#ifndef S2CLR_TESTS_STACK_RIG_H
#define S2CLR_TESTS_STACK_RIG_H

#include <gdal.h>

#include "sentinel2/stack.h"

/* Levels L2A and L1C with nodata 0; network input = DN + product offset. */
s2clr_card rig_card(const char *bands);

typedef struct rig_raster {
    const char *name; /* below test_folder() */
    int width, height, bands;
    GDALDataType type;       /* GDT_Unknown: UInt16 */
    double metres;           /* 0: no transform */
    double shift_x, shift_y; /* of the origin, CRS units */
    const double *transform; /* instead of metres */
    int epsg;                /* 0: 32630 when there is a transform; -1: none */
    const char *names;       /* band descriptions, commas */
    const double *nodata;
    double (*fill)(int band, int x, int y);
} rig_raster;

/* Writes a GTiff; its path, borrowed until the eighth next call. */
const char *rig_write(const rig_raster *spec);

/* The path of a file below test_folder(), borrowed likewise. */
const char *rig_path(const char *name);

/* Opens one input and fails the case when that does not succeed. */
s2clr_stack *rig_open(const char *input, const s2clr_card *card,
                      const s2clr_stack_options *options);

/* Opens inputs (NULL-terminated) expecting `status` and `text` in the message. */
void rig_refused(const char *const *inputs, const s2clr_card *card,
                 const s2clr_stack_options *options, s2clr_status status, const char *text);

/* The whole stack; caller frees both with free(). */
void rig_read_all(s2clr_stack *stack, float **values, uint8_t **valid);

/* Opens for `bands` and checks which row of the opener table did it; *out is to be closed. */
const s2clr_stack_info *rig_opens_as(const char *input, const char *bands, const char *kind,
                                     s2clr_stack **out);

/* Many windows, also partly outside, against one whole read: equal bit by bit. */
void rig_check_windows(s2clr_stack *stack);

/* True when any warning contains `text`. */
bool rig_warned(const s2clr_stack *stack, const char *text);

#endif
