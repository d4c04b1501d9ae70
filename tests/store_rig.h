/*
 * Made-up patches and stores, and ways to look into a store without the code that made it: LMDB and
 * OGR are asked directly. Every DN is a pure function of patch, band and pixel.
 */
#ifndef S2CLR_TESTS_STORE_RIG_H
#define S2CLR_TESTS_STORE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataset/store.h"
#include "file/card.h"

/* One patch: B02 of px, B05 of px/2, B01 of px/6 pixels, all UInt16. */
typedef struct rig_patch {
    s2clr_patch_record record;
    char name[80], tile[20], date[40], place[24];
    uint16_t *pixels;
} rig_patch;

/* px: a multiple of 6. Number n lies 1200 m east of number n - 1, hundred to a row. */
void rig_patch_make(rig_patch *patch, int number, int px);
void rig_patch_clear(rig_patch *patch);
uint16_t rig_patch_dn(int number, const char *band, size_t pixel);

/* A path in test_folder(); borrowed from a ring of 16. */
const char *store_rig_path(const char *name);

/* A finished store of patches first .. first + count - 1. Fails the case on errors. */
const char *rig_store_make(const char *name, int first, int count, int px);

/* Adds patches to a store that may be there, a commit after every `batch`; those it has already
 * are left alone. `after` (or NULL) is called after each patch. */
s2clr_status rig_store_fill(const char *path, int first, int count, int px, int batch, bool finish,
                            void (*after)(void *context), void *context);

/* A patch of a place that was seen on several dates. */
typedef struct rig_sight {
    const char *name, *place, *date, *split;
} rig_sight;

/* A finished store of these, put in this order. */
const char *rig_store_sights(const char *name, const rig_sight *sights, int count, int px);

/* For samples of its B02: px pixels, level L2A. Free with s2clr_card_free(). */
s2clr_card *rig_store_card(int px);

/* Fails unless two stores have equal keys and values (read with LMDB itself, in key order), equal
 * rows (read with OGR, in row order, with fid and geometry) and equal descriptions. No store may
 * be open. */
void rig_stores_equal(const char *a, const char *b);

/* Keys in the values of a closed store. */
size_t rig_store_keys(const char *path);

/* Puts (bytes != NULL) or deletes a value of a closed store behind its back; 0 on success. */
int rig_store_value(const char *path, const char *name, const void *bytes, size_t size);

/* The whole file; free with free(). NULL fails the case. */
unsigned char *rig_file_read(const char *path, size_t *size);
void rig_file_write(const char *path, const void *bytes, size_t size);

#endif
