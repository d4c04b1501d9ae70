/*
 * What the readers behind import.h share: the rows of the table and how a patch is left out.
 * Private.
 */
#ifndef S2CLR_DATASET_PIMPORT_H
#define S2CLR_DATASET_PIMPORT_H

#include "dataset/import.h"

/* One per reader; the table is in import_list.c. */
extern const s2clr_import_kind s2clr_import_bigearthnet_v1;
extern const s2clr_import_kind s2clr_import_bigearthnet_v2;
extern const s2clr_import_kind s2clr_import_pairs;
extern const s2clr_import_kind s2clr_import_tfrecord;
extern const s2clr_import_kind s2clr_import_images;
extern const s2clr_import_kind s2clr_import_raster;

/* s2clr_import_skip() with the thread's error text as reason when `status` is a fault of the patch;
 * what is not (no memory, cancelled) comes back as it is. */
s2clr_status s2clr_import_skip_failure(const s2clr_import_options *options, const char *name,
                                       s2clr_status status);

/* A patch that a rule of the user leaves out (too few valid pixels): told, never an error. */
void s2clr_import_leave_out(const s2clr_import_options *options, const char *name,
                            const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
