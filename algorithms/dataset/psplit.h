/*
 * What the files of the split share. Private.
 *
 * A unit (a patch, a block, a group) has a text; SHA-256 of that text, and of the seed unless it is
 * 0, is a fraction u in 0..1. With seed 0 and the file part of a patch's name as text this is the
 * split of images.h.
 */
#ifndef S2CLR_DATASET_PSPLIT_H
#define S2CLR_DATASET_PSPLIT_H

#include "dataset/split_plan.h"

typedef enum s2clr_part {
    S2CLR_PART_TRAIN,
    S2CLR_PART_VALIDATION,
    S2CLR_PART_TEST,
    S2CLR_PART_OUT, /* left out */
    S2CLR_PARTS
} s2clr_part;

extern const char *const s2clr_part_names[S2CLR_PARTS]; /* "" for left out */

/* Index of a name of the split column. */
s2clr_part s2clr_part_of_name(const char *name);

uint64_t s2clr_split_hash(const char *text, uint64_t seed);

/* The part of a unit under a plan that has been checked. */
s2clr_part s2clr_part_of_text(const s2clr_split_plan *plan, const char *text);

/* The part of a patch, by a method of split_methods.c. */
typedef s2clr_part (*s2clr_split_method)(const s2clr_split_plan *plan, const s2clr_store_row *row);

/* ---- blocks: split_blocks.c ---- */

s2clr_status s2clr_blocks_check(const s2clr_split_plan *plan);
s2clr_part s2clr_blocks_part(const s2clr_split_plan *plan, const s2clr_store_row *row);

/* The block (row, column) of a place. */
typedef struct s2clr_block {
    int64_t row, column;
} s2clr_block;
s2clr_block s2clr_block_of(double block_metres, double longitude, double latitude);

/* Mean of the corners. */
void s2clr_row_centre(const s2clr_store_row *row, double *longitude, double *latitude);

/* ---- nearest neighbours: split_nearest.c ---- */

/* Places as points in space, sorted into a tree: neither poles nor the antimeridian matter. */
typedef struct s2clr_places s2clr_places;

/* longitude, latitude: (count) degrees, copied. */
s2clr_status s2clr_places_new(const double *longitude, const double *latitude, size_t count,
                              s2clr_places **out);
void s2clr_places_free(s2clr_places *places);
/* Metres along the WGS 84 ellipsoid to the place that is nearest through the Earth; INFINITY when
 * there is none. */
double s2clr_places_nearest(const s2clr_places *places, double longitude, double latitude);

/* ---- touching footprints: split_touching.c ---- */

/* How many patches of `test` (true) have a footprint that meets one of `train`. */
s2clr_status s2clr_split_touching(const s2clr_store *store, const char *const *split, size_t *out);

#endif
