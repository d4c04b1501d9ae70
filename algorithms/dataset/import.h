/*
 * Where patches come from: one reader per archive (a file each, a line each in import_list.c).
 *
 *     const s2clr_import_kind *kind;
 *     S2CLR_TRY(s2clr_import_identify(inputs, count, &kind));
 *     S2CLR_TRY(kind->open(inputs, count, &options, &import));
 *     while (... kind->next(import, &record, &end) == S2CLR_OK && !end) ...
 *     kind->close(import);
 *
 * Order is the same on every run (names sorted bytewise), whatever the file system says. What is
 * wrong with one patch is a skip (counted, listed with its reason, an error under `strict`); what
 * is wrong with the archive is an error.
 */
#ifndef S2CLR_DATASET_IMPORT_H
#define S2CLR_DATASET_IMPORT_H

#include "base/pool.h"
#include "base/progress.h"
#include "dataset/patch_record.h"

typedef struct s2clr_import_options {
    bool strict;          /* a skip becomes an error */
    const char *positive; /* "regular", "expanded", or comma-separated class names; NULL: labels
                             stay unknown */
    const char *const
        *lists; /* files of patch names, one per line ("train=FILE", "test=FILE" give
                   the split as well): only these are taken; NULL-terminated or NULL */
    const char *const *exclude; /* likewise: these are left out */
    const char *scl;            /* rasters: as in s2clr_stack_options */
    const char *bands;          /* rasters: names with commas, all must be there; NULL: all */
    int patch, stride;          /* rasters: pixels of the finest band; 0: 120 and patch */
    double min_valid;           /* rasters: smallest share of valid pixels */
    double max_water;           /* rasters with SCL: largest share of water, 1: any */
    bool drop_negative;         /* rasters: patches with any negative reflectance are skipped */
    /* Called for every skip, with the patch's name and the reason; NULL: none. */
    void (*skipped)(void *context, const char *name, const char *reason);
    void *context;
} s2clr_import_options;

typedef struct s2clr_import s2clr_import;

typedef struct s2clr_import_kind {
    const char *name;                   /* "bigearthnet-v1" */
    const char *summary;                /* one line, for the manual */
    bool (*identify)(const char *path); /* looks at names and first bytes only */
    s2clr_status (*open)(const char *const *inputs, size_t count,
                         const s2clr_import_options *options, s2clr_import **out);
    /* The next patch, or *end = true. The record is borrowed until the next call. */
    s2clr_status (*next)(s2clr_import *import, s2clr_patch_record *record, bool *end);
    /* Share done, 0..1, for progress. */
    double (*done)(const s2clr_import *import);
    void (*close)(s2clr_import *import);
} s2clr_import_kind;

size_t s2clr_import_list(const s2clr_import_kind *const **out);
const s2clr_import_kind *s2clr_import_find(const char *name); /* or NULL */

/* The one kind all inputs look like; else an error that says what was seen. */
s2clr_status s2clr_import_identify(const char *const *inputs, size_t count,
                                   const s2clr_import_kind **out);

/* The hooks a reader calls on a bad patch: counts and goes on, or returns the error (strict). */
s2clr_status s2clr_import_skip(const s2clr_import_options *options, const char *name,
                               const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
