/*
 * What the files behind stack.h share: first the candidates an opener found (s2clr_found), then
 * the bound stack (s2clr_stack). Private.
 */
#ifndef S2CLR_SENTINEL2_PSTACK_H
#define S2CLR_SENTINEL2_PSTACK_H

#include <gdal.h>

#include "sentinel2/gdal_watch.h"
#include "sentinel2/resample.h"
#include "sentinel2/stack.h"

#define S2CLR_FOUND_MAX 4096 /* raster bands offered by one set of inputs */
#define S2CLR_SCRATCH_SLOTS 6
/* How messages name a setting: as the commands do, and as the driver does. */
#define S2CLR_SAY_LEVEL "--level (open option LEVEL)"
#define S2CLR_SAY_OFFSET "--boa-offset (open option BOA_OFFSET)"
#define S2CLR_SAY_BANDS "--input-bands (open option INPUT_BANDS)"
#define S2CLR_SAY_SCL "--scl (open option SCL)"

#define S2CLR_PATH_MAX 1024       /* as s2clr_stack_band.source */
#define S2CLR_BASELINE_OFFSET 4.0 /* from this processing baseline on, DN are shifted by 1000 */

/* A raster band that could be one of the card's. */
typedef struct s2clr_candidate {
    char band[S2CLR_CARD_WORD]; /* canonical name, "SCL", own text, or "" */
    char path[S2CLR_PATH_MAX];  /* what GDALOpenEx() takes */
    int number;                 /* raster band, from 1 */
    char found_by[64];
} s2clr_candidate;

/* What a product's XML says; offsets by band_id, NaN where not given. */
typedef struct s2clr_product {
    char level[8], baseline[16], acquired[32];
    bool has_offsets;
    char offset_name[24]; /* "BOA_ADD_OFFSET" or "RADIO_ADD_OFFSET" */
    double offset[13];
} s2clr_product;

/* What an opener makes of the inputs. Zero-initialised; cleared with s2clr_found_clear(). */
typedef struct s2clr_found {
    const char *input; /* the first input, for messages; borrowed */
    char opened_as[64];
    bool product;  /* band grids are those of a Sentinel-2 product */
    bool numbered; /* --input-bands numbers make sense: plain rasters in the order given */
    char level[S2CLR_CARD_WORD], level_from[64], baseline[16]; /* "" while unknown */
    bool has_xml;
    s2clr_product xml;
    s2clr_candidate *candidate;
    int candidates, capacity;
    struct s2clr_open_dataset *open; /* every dataset opened so far */
    int opened;
} s2clr_found;

typedef struct s2clr_open_dataset {
    char path[S2CLR_PATH_MAX];
    GDALDatasetH handle;
} s2clr_open_dataset;

/* How pixels of one raster band reach the stack's grid. */
typedef struct s2clr_plane {
    GDALDatasetH dataset; /* borrowed from the stack */
    GDALRasterBandH band;
    int number;
    bool wide;            /* values that float cannot hold: read as double */
    bool has_mask;        /* a mask or alpha band besides nodata */
    bool has_nodata;      /* own or the level's */
    bool empty_is_nodata; /* pixels of an empty (sparse) block are nodata */
    double nodata;
    bool direct;        /* same lattice: pixel x of the stack is pixel x + shift */
    int64_t dx, dy;     /* direct: that shift */
    s2clr_axis x, y;    /* from the stack's grid to the band's */
    s2clr_card_fold fold; /* from DN to network input */
} s2clr_plane;

struct s2clr_stack {
    s2clr_stack_info info;
    s2clr_resampling resampling;
    s2clr_plane plane[S2CLR_CARD_BANDS_MAX];
    s2clr_plane scl; /* used when info.has_scl */
    char scl_source[S2CLR_PATH_MAX];
    int scl_number;
    bool scl_invalid[256];
    s2clr_open_dataset *open; /* as in s2clr_found, owned */
    int opened;
    char trouble[800];                  /* what GDAL failed at, once: a message, or "" */
    void *scratch[S2CLR_SCRATCH_SLOTS]; /* reading buffers, grown as needed */
    size_t scratch_bytes[S2CLR_SCRATCH_SLOTS];
};

/* openers.c: the first row of the table that recognises the inputs fills *out. */
s2clr_status s2clr_openers_run(const char *const *inputs, size_t count, const s2clr_card *card,
                               const s2clr_stack_options *options, s2clr_found *out);

/* found.c */
void s2clr_found_clear(s2clr_found *found);
s2clr_status s2clr_found_add(s2clr_found *found, const char *band, const char *path, int number,
                             const char *found_by);
/* The dataset of that name, opened at most once; borrowed. */
s2clr_status s2clr_found_open(s2clr_found *found, const char *path, GDALDatasetH *out);
/* Candidates of every colour band of a dataset, by BANDNAME, description or (single) file name. */
s2clr_status s2clr_found_add_file(s2clr_found *found, const char *path);
s2clr_status s2clr_dataset_open(const char *path, GDALDatasetH *out);

/* safe.c: L1C and L2A products through GDAL's SENTINEL2 driver. */
bool s2clr_safe_find(const char *input, const char *level, char *mtd, size_t size);
s2clr_status s2clr_safe_open(const char *mtd, const s2clr_card *card,
                             const s2clr_stack_options *options, s2clr_found *found);
s2clr_status s2clr_subdataset_open(const char *name, s2clr_found *found);

/* product_xml.c */
s2clr_status s2clr_product_parse(const char *xml, const char *path, s2clr_product *out);

/* bind.c: the card's bands (and SCL) to candidates; fills info.band[], planes without grid. */
s2clr_status s2clr_stack_bind(s2clr_found *found, const s2clr_card *card,
                              const s2clr_stack_options *options, s2clr_stack *stack);

/* plane.c: everything about one raster band that does not depend on the grid. */
s2clr_status s2clr_plane_open(GDALDatasetH dataset, const char *path, int number,
                              const s2clr_card_level *level, s2clr_plane *out);

/* level.c: info.level and the product offsets of the bound bands. */
s2clr_status s2clr_stack_level(const s2clr_found *found, const s2clr_card *card,
                               const s2clr_stack_options *options, s2clr_stack *stack,
                               const s2clr_card_level **out);
s2clr_status s2clr_stack_offsets(const s2clr_found *found, const s2clr_stack_options *options,
                                 s2clr_stack *stack);

/* georef.c: pixel shape and ground size of the stack's grid against the card's. */
s2clr_status s2clr_stack_ground(const char *input, double card_metres, s2clr_stack_info *info);

/* align.c: the stack's grid, and each plane's way to it. */
s2clr_status s2clr_stack_align(const s2clr_found *found, const s2clr_card *card,
                               s2clr_stack *stack);

void s2clr_info_warn(s2clr_stack_info *info, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
