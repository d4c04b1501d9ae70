/*
 * What the tests of the readers share: a reader run to its end with everything it said, and made-up
 * BigEarthNet patches.
 *
 *     rig_import run = {.options = {.positive = "regular"}, .check = check_patch};
 *     TEST_OK(rig_import_run(&run, "folder", NULL));
 *     CU_ASSERT_EQUAL(run.patches, 2);
 *     CU_ASSERT(rig_import_skipped(&run, "S2A_...", "missing"));
 */
#ifndef S2CLR_TESTS_IMPORT_RIG_H
#define S2CLR_TESTS_IMPORT_RIG_H

#include "dataset/import.h"

enum { RIG_IMPORT_MAX = 2100 };

typedef struct rig_import {
    s2clr_import_options options;                    /* hooks are set by the run */
    void (*check)(const s2clr_patch_record *record); /* called for each patch, or NULL */
    int stop_after;                                  /* patches; 0: all */
    int patches, positives, negatives, skips;
    char name[RIG_IMPORT_MAX][160]; /* of patches */
    struct {
        char name[160], reason[400];
    } skip[RIG_IMPORT_MAX];
    char kind[40]; /* what the inputs were identified as */
} rig_import;

/* Identifies, opens, reads and closes one or two inputs (b: NULL). Every record must pass
 * its own check, and names must come in order. */
s2clr_status rig_import_run(rig_import *run, const char *a, const char *b);

/* Whether a patch was left out for a reason that contains `text`. */
bool rig_import_skipped(const rig_import *run, const char *name, const char *text);

/* A folder below test_folder(), made; borrowed from a ring of 16. */
const char *rig_import_folder(const char *name);
const char *rig_import_join(const char *folder, const char *name);

/* Writes a text file. */
void rig_import_text(const char *path, const char *text);
/* Cuts a file to `bytes`, or to half its size when that is negative. */
void rig_import_truncate(const char *path, long bytes);

/* Writes a folder with B02, B05 and B01 at 10, 20 and 60 m, 300 x 240 pixels of 10 m, each filled
 * with the ramp of its band 1. */
const char *rig_import_bands(const char *name);
double rig_import_ramp(int band, int x, int y);

/* Row and column of a patch cut from a raster, as its name says. */
void rig_import_place(const s2clr_patch_record *record, int *row, int *column);

/* What a made-up BigEarthNet patch is like. */
typedef struct rig_ben {
    const char *name;
    const char *labels; /* JSON list: "[\"Pastures\"]"; NULL: no JSON */
    const char *omit;   /* a band left out */
    double shift;       /* metres the JSON's corner is off */
    int json_zone;      /* UTM zone of the JSON's CRS; 0: 33 as the pixels */
    int b05_side;       /* 0: 60 */
} rig_ben;

/* DN of a pixel of a made-up patch. */
uint16_t rig_ben_dn(const char *band, int x, int y);
/* Writes ROOT/NAME/...; the folder, borrowed from the same ring. */
const char *rig_ben_write(const char *root, const rig_ben *patch);

#endif
