/*
 * Out of a store again: for programs that cannot read it.
 *
 *     const s2clr_export_options options = {.split = "train", .progress = &progress};
 *     S2CLR_TRY(s2clr_export_find("tfrecord", &kind));
 *     S2CLR_TRY(kind->run(store, "records", &options, &report));
 *
 * One file and one line in export_list.c for each kind. The output is made beside its place and
 * renamed when it is complete; what is there already is never touched. The same store gives the
 * same bytes.
 */
#ifndef S2CLR_DATASET_EXPORT_H
#define S2CLR_DATASET_EXPORT_H

#include "base/progress.h"
#include "dataset/store.h"

typedef struct s2clr_export_options {
    const char *split; /* "train", "validation", "test", "" (undecided); NULL: all patches */
    size_t records;    /* tfrecord: patches per file, 0: 1000 */
    bool strict;       /* a patch that does not fit the format is an error, not a skip */
    const s2clr_progress *progress; /* NULL: silent */
    /* Called for every skip, with the patch's name and the reason; NULL: none. */
    void (*skipped)(void *context, const char *name, const char *reason);
    void *context;
} s2clr_export_options;

typedef struct s2clr_export_report {
    size_t patches; /* written */
    size_t skipped;
    size_t files;
} s2clr_export_report;

typedef struct s2clr_export_kind {
    const char *name;    /* "tfrecord" */
    const char *summary; /* one line, for the manual */
    bool folder;         /* `path` becomes a folder, else a file */
    s2clr_status (*run)(const s2clr_store *store, const char *path,
                        const s2clr_export_options *options, s2clr_export_report *out);
} s2clr_export_kind;

size_t s2clr_export_list(const s2clr_export_kind *const **out);

/* An error that names the kinds there are when there is none of that name. */
s2clr_status s2clr_export_find(const char *name, const s2clr_export_kind **out);

#endif
