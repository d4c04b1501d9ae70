/*
 * Scenes cut into patches at native resolution: what the readers of rasters and of pairs share.
 * A reader lists scenes; s2clr_cuts_next() opens one after the other and walks its windows.
 *
 * Windows start at the upper left corner, `stride` pixels of the finest band apart, and lie wholly
 * inside every band. A band k times as coarse has patch / k pixels per side; where its pixels are
 * not exactly k times as large (within 1 %), the nearest whole pixel begins the window.
 */
#ifndef S2CLR_DATASET_CUTS_H
#define S2CLR_DATASET_CUTS_H

#include "dataset/name_lists.h"
#include "dataset/pimport.h"
#include "sentinel2/stack.h"

#define S2CLR_CUT_TEXT 400

/* A stack that is to be cut. Texts are owned. */
typedef struct s2clr_cut {
    char **inputs; // (count) of s2clr_stack_open()
    size_t count;
    char stem[S2CLR_CUT_TEXT];  /* patches are called STEM_r00000_c00000 */
    char place[S2CLR_CUT_TEXT]; /* places are PLACE_r00000_c00000; "": by tile and coordinates */
    char date[11], tile[8];     /* "" unknown */
} s2clr_cut;

typedef struct s2clr_cut_band {
    char name[16];
    s2clr_dtype dtype;
    size_t pixel_bytes;
    int width, height; /* of the file */
    int ratio, side;   /* pixels of the finest band per pixel; pixels of a patch */
    double scale, shift_x, shift_y;
    void *pixels; // (side, side)
} s2clr_cut_band;

/* The scene that is open. */
typedef struct s2clr_cut_scene {
    s2clr_stack *stack;
    const s2clr_cut *cut;
    int bands; /* SCL, if any, is the last one */
    s2clr_cut_band band[S2CLR_PATCH_BANDS_MAX];
    int patch, stride, columns, rows;
    double dn_offset, metres;
    bool level_known;
    float *values;  // (bands, patch, patch) DN + offset
    uint8_t *valid; // (patch, patch)
    char date[11];
    char name[S2CLR_CUT_TEXT + 32], place[S2CLR_CUT_TEXT + 32];
} s2clr_cut_scene;

/* cut_scene.c */
s2clr_status s2clr_cut_scene_open(const s2clr_cut *cut, const s2clr_import_options *options,
                                  s2clr_cut_scene *out);
void s2clr_cut_scene_close(s2clr_cut_scene *scene);

/* cut_window.c: fills the record, or leaves *good false and says why in reason. */
s2clr_status s2clr_cut_window_read(s2clr_cut_scene *scene, const s2clr_import_options *options,
                                   int column, int row, s2clr_patch_record *record, bool *good,
                                   char reason[120]);

/* cut_names.c: stem, date and tile of a stack, from names and dates.txt. */
void s2clr_cut_name(s2clr_cut *cut);
/* The day that FOLDER/dates.txt gives for `key` ("date1" or "date_1"). */
bool s2clr_cut_dates_txt(const char *folder, const char *key, char date[11]);

/* cuts.c */
struct s2clr_import {
    s2clr_import_options options;
    s2clr_name_lists *lists;
    s2clr_cut *cuts; // (count)
    size_t count, next;
    int64_t window; /* of the open scene */
    bool open;
    s2clr_cut_scene scene;
    /* grid of the place the last scene belongs to: dates of one place must share it */
    char grid_place[S2CLR_CUT_TEXT];
    int grid_width, grid_height;
    double grid_transform[6];
};

s2clr_status s2clr_cuts_new(const s2clr_import_options *options, s2clr_import **out);
s2clr_status s2clr_cuts_add(s2clr_import *self, const char *const *inputs, size_t count,
                            s2clr_cut **out);
/* All scenes are listed: sorts them, and refuses two of one name. */
s2clr_status s2clr_cuts_ready(s2clr_import *self);
s2clr_status s2clr_cuts_next(s2clr_import *self, s2clr_patch_record *record, bool *end);
double s2clr_cuts_done(const s2clr_import *self);
void s2clr_cuts_close(s2clr_import *self);

#endif
