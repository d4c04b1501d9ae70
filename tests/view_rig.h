/*
 * Views in tests: opened with level L2A and 2 threads, read as a whole.
 */
#ifndef S2CLR_TESTS_VIEW_RIG_H
#define S2CLR_TESTS_VIEW_RIG_H

#include "predict/view.h"
#include "predict_rig.h"

/* Level L2A, 2 threads, one input; `input` is borrowed as long as the settings. */
s2clr_view_settings rig_view_settings(const char *model, const char *const *input);

/* Likewise, of "state.safetensors" and "state.tif", which are written anew (rig_dense,
 * rig_scene_small); no results are kept from before. */
s2clr_view_settings rig_view_prepare(void);

/* Opens, and ends the program when that fails. */
s2clr_view *rig_view_open(const s2clr_view_settings *settings);

/* A whole level: (bands, rows, columns); the caller frees. */
float *rig_view_read(s2clr_view *view, int factor);

/* The whole map from a view of its own; *units: what it cost. The caller frees. */
float *rig_view_fresh(const s2clr_view_settings *settings, uint64_t *units);

/* Fails unless a window of `part` is the one of `whole`, both (bands, rows, columns). */
void rig_view_same(const s2clr_view *view, int factor, const float *whole, int column, int row,
                   int columns, int rows, const float *part);

/* `count` windows and blocks drawn from stream `seed`, in that order, against `whole`. */
void rig_view_check(s2clr_view *view, int factor, const float *whole, uint64_t seed, int count);

/* A VRT of `source`, which has the size and bands of rig_scene_small. */
void rig_view_vrt(const char *path, const char *source);

/* Longer than a tick of the clock of files, so that two views of one file may share. */
void rig_settle(void);

#endif
