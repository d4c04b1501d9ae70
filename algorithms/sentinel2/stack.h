/*
 * One opener for everything Sentinel-2 comes in: a co-registered stack of the bands a card asks
 * for, at the card's pixel size, read as normalised network input.
 *
 *     s2clr_stack_options options = {0};
 *     s2clr_stack *stack;
 *     S2CLR_TRY(s2clr_stack_open(inputs, count, card, &options, &stack));
 *     S2CLR_TRY(s2clr_stack_read(stack, -32, -32, 640, 320, x, valid));
 *     s2clr_stack_close(stack);
 *
 * Accepted inputs (one row each in openers.c): L1C/L2A SAFE folder, its zip or its MTD_*.xml;
 * a SENTINEL2 subdataset name; one multi-band raster or VRT (bands by description or BANDNAME,
 * never by position unless options.bands says so); several single-band files; a BigEarthNet v1
 * patch folder; any folder of single-band files named after bands. Several inputs are bands of one
 * stack, never a mosaic.
 *
 * Finer and coarser bands are brought to the grid of the finest bound band (card->metres for
 * products) with the card's resampling, in a way that no read window can influence.
 *
 * A handle belongs to one thread; s2clr_stack_clone() opens another one for another thread.
 */
#ifndef S2CLR_SENTINEL2_STACK_H
#define S2CLR_SENTINEL2_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "file/card.h"

typedef struct s2clr_stack_options {
    const char *bands;      /* NULL, or "1,2,3": raster band numbers in the card's order;
                               or "B04=1,B03=2" */
    const char *level;      /* NULL: found out; else a level of the card */
    const char *boa_offset; /* NULL or "auto": from the product XML; else a number, DN */
    const char *scl;        /* NULL or "none": no mask; "auto": the product's SCL if there is one;
                               else a raster file with SCL classes */
    const char *scl_classes; /* NULL: "0,1,3,8,9,10" are invalid */
} s2clr_stack_options;

typedef struct s2clr_stack_band {
    char band[S2CLR_CARD_WORD]; /* the card's name */
    char source[1024];          /* dataset name */
    int number;                 /* raster band in source */
    char found_by[64];          /* "BANDNAME", "description B4", "file name", "--input-bands" */
    double metres;              /* native pixel size, CRS units */
    double offset;              /* product offset in DN, added before gain */
    bool has_nodata;
    double nodata; /* of the raster band, or of the card's level */
} s2clr_stack_band;

typedef struct s2clr_stack_info {
    int width, height;      /* pixels of the stack's grid */
    bool has_transform;     /* false: geotransform is pixel space */
    double transform[6];    /* GDAL geotransform */
    char *wkt;              /* CRS as WKT, "" if none; owned by the stack */
    double metres_x, metres_y; /* ground size of a pixel at the centre (PROJ for geographic CRS),
                                  0 when there is no CRS */
    char level[S2CLR_CARD_WORD]; /* level used */
    char level_from[64];         /* "product XML", "--level", "assumed" */
    char offset_from[64];        /* "BOA_ADD_OFFSET in product XML", "--boa-offset", "none found" */
    char opened_as[64];          /* row of the opener table: "L2A SAFE" */
    char baseline[16];           /* processing baseline, "" if unknown */
    char acquired[32];           /* when sensing began, "2022-10-05T11:54:11.024Z"; "" if unknown */
    bool has_scl;
    int bands;
    s2clr_stack_band band[S2CLR_CARD_BANDS_MAX];
    int warnings;
    char warning[8][512]; /* geographic CRS, assumed level, small deviations ... for the edge to
                             show */
} s2clr_stack_info;

typedef struct s2clr_stack s2clr_stack;

/* Fails, naming input, item, found, wanted and remedy, when: an input cannot be opened, a band is
 * missing or has two candidates, the level is known and not in the card, pixel shape or size is
 * beyond what s2clr-design(7) allows. */
s2clr_status s2clr_stack_open(const char *const *inputs, size_t count, const s2clr_card *card,
                              const s2clr_stack_options *options, s2clr_stack **out);
void s2clr_stack_close(s2clr_stack *stack);

/* Another handle on the same inputs for another thread (opens the files again). */
s2clr_status s2clr_stack_clone(const s2clr_stack *stack, s2clr_stack **out);

const s2clr_stack_info *s2clr_stack_describe(const s2clr_stack *stack); /* borrowed */

/* The dataset of the scene classification and its raster band; NULL without one. Borrowed. */
const char *s2clr_stack_scl(const s2clr_stack *stack, int *number);

/* Reads the window with top-left pixel (x0, y0), which may lie partly or wholly outside.
 * values: (bands, h, w) normalised, invalid pixels 0; valid: (h, w) 1 or 0. */
s2clr_status s2clr_stack_read(s2clr_stack *stack, int64_t x0, int64_t y0, int w, int h,
                              float *values, uint8_t *valid);

/* True when the window certainly holds no valid pixel, found without reading pixels
 * (GDALGetDataCoverageStatus, or wholly outside). */
bool s2clr_stack_is_empty(s2clr_stack *stack, int64_t x0, int64_t y0, int w, int h);

#endif
