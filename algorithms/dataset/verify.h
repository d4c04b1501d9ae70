/*
 * Is every patch of a store still what was put in?
 *
 *     const s2clr_verify_options options = {.found = list_one, .progress = &progress};
 *     S2CLR_TRY(s2clr_store_verify("store", &options, pool, &report));
 *     bool whole = s2clr_verify_report_is_whole(&report);
 *
 * Reads every value once and compares its SHA-256 with the row's, on all workers. Takes a path, not
 * a store: a store with missing values cannot be opened, and what is missing is what one wants to
 * know then.
 */
#ifndef S2CLR_DATASET_VERIFY_H
#define S2CLR_DATASET_VERIFY_H

#include "base/pool.h"
#include "base/progress.h"
#include "dataset/store.h"

typedef struct s2clr_verify_options {
    /* Called for every damaged or missing patch, in the order of the index, from the caller's
     * thread; NULL: none. The reason is one line. */
    void (*found)(void *context, const char *name, const char *reason);
    void *context;
    const s2clr_progress *progress; /* NULL: silent */
} s2clr_verify_options;

typedef struct s2clr_verify_report {
    size_t patches; /* rows of the index */
    size_t missing; /* rows without value */
    size_t damaged; /* the value is not the one the row's hash was made of */
    size_t orphans; /* values without row: no damage, the next writer removes them */
    bool complete;  /* false: making the store was interrupted */
} s2clr_verify_report;

/* S2CLR_OK whatever was found; an error is that the store could not be gone through. */
s2clr_status s2clr_store_verify(const char *path, const s2clr_verify_options *options,
                                s2clr_pool *pool, s2clr_verify_report *out);

/* Nothing is missing or damaged. */
static inline bool s2clr_verify_report_is_whole(const s2clr_verify_report *report)
{
    return report->missing == 0 && report->damaged == 0;
}

#endif
