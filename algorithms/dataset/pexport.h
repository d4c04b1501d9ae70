/*
 * What the kinds of export share: which patches, where the output is made, and how it gets its
 * name. Private.
 */
#ifndef S2CLR_DATASET_PEXPORT_H
#define S2CLR_DATASET_PEXPORT_H

#include "dataset/export.h"

/* One per kind; the table is in export_list.c. */
extern const s2clr_export_kind s2clr_export_tfrecord;
extern const s2clr_export_kind s2clr_export_geotiff;
extern const s2clr_export_kind s2clr_export_csv;

/* ---- patches: export_each.c ---- */

/* Writes one; S2CLR_ERR_MISMATCH or S2CLR_ERR_FORMAT: this patch does not fit. */
typedef s2clr_status (*s2clr_export_put)(void *self, const s2clr_store_row *row,
                                         const s2clr_store_patch *patch);

/* All rows of the split, in order; patch is NULL unless `pixels`. Adds to *report. An error when
 * there are none. */
s2clr_status s2clr_export_each(const s2clr_store *store, const s2clr_export_options *options,
                               bool pixels, s2clr_export_put put, void *self,
                               s2clr_export_report *report);

/* ---- place: export_place.c ---- */

#define S2CLR_EXPORT_PATH_MAX 4096

typedef struct s2clr_export_place {
    char path[S2CLR_EXPORT_PATH_MAX], part[S2CLR_EXPORT_PATH_MAX]; /* part: written to meanwhile */
    bool folder;
} s2clr_export_place;

/* S2CLR_ERR_EXISTS when something is there, an empty folder excepted. Makes the part's folder. */
s2clr_status s2clr_export_place_begin(const char *path, bool folder, s2clr_export_place *out);

/* Gives the part its name, or removes it; status is what came before and comes back unless
 * renaming fails. */
s2clr_status s2clr_export_place_end(const s2clr_export_place *place, s2clr_status status);

/* PART/NAME, made when it is a folder that is not there. */
s2clr_status s2clr_export_place_join(const s2clr_export_place *place, const char *name,
                                     char out[S2CLR_EXPORT_PATH_MAX]);
s2clr_status s2clr_export_place_folder(const s2clr_export_place *place, const char *name);

#endif
