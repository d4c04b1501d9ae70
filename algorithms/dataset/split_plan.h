/*
 * Splits that do not leak: which part each patch of a store belongs to, and what that means.
 *
 *     s2clr_split_plan plan = {.method = "blocks", .block_metres = 5000, .test = .2, ...};
 *     S2CLR_TRY(s2clr_split_assign(store, &plan, split));
 *     S2CLR_TRY(s2clr_split_report(store, split, &report));
 *
 * Methods are rows of split_methods.c: "random" (hash of the name, as published), "blocks" (squares
 * of an equal-area grid, whole blocks to one part, a margin of patches between parts left out),
 * "country", "tile", "year" (whole groups to one part). With folds K > 1 part k of K is the test
 * part. All are decided by SHA-256 of names of patches, blocks or groups and the seed: the same
 * whatever the order, and stable when patches are added.
 */
#ifndef S2CLR_DATASET_SPLIT_PLAN_H
#define S2CLR_DATASET_SPLIT_PLAN_H

#include "dataset/store.h"

typedef struct s2clr_split_plan {
    const char *method;
    double test, validation; /* shares */
    double block_metres;     /* blocks: side */
    double margin_metres;    /* blocks: patches of two parts are at least this far apart; those that
                                come within half of it to another part's block are left out */
    int folds, fold;         /* 0 folds: none; else `fold`, counted from 0, is the test part */
    uint64_t seed;
} s2clr_split_plan;

/* split: (count) "train", "validation", "test" or "" (left out); strings are static. */
s2clr_status s2clr_split_assign(const s2clr_store *store, const s2clr_split_plan *plan,
                                const char **split);

typedef struct s2clr_split_part_report {
    const char *name;
    size_t patches, positives, negatives, unknown;
    size_t groups_shared; /* groups (country, tile) that another part has as well */
} s2clr_split_part_report;

typedef struct s2clr_split_report {
    s2clr_split_part_report part[4]; /* train, validation, test, left out */
    /* Ground distance from each test patch to the nearest training patch (centres, metres). */
    double distance_minimum, distance_median, distance_maximum;
    size_t touching; /* test patches whose footprint meets a training patch */
} s2clr_split_report;

s2clr_status s2clr_split_report_make(const s2clr_store *store, const char *const *split,
                                     s2clr_split_report *out);

#endif
