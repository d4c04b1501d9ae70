/*
 * Small made-up scenes and models for the tests of the engine and of prediction: everything is
 * computed from counters, nothing is stored.
 */
#ifndef S2CLR_TESTS_PREDICT_RIG_H
#define S2CLR_TESTS_PREDICT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/card.h"

#define RIG_BANDS 3

typedef struct rig_model {
    const char *arch; /* "dense": field 20 pixels with depth 1, step 4; "resnet18" */
    int width, depth, patch, stride;
    bool constant; /* weights 0, last bias `bias`: every logit is the bias */
    double bias;
    double temperature; /* 0: 1 */
} rig_model;

typedef struct rig_scene {
    int width, height;
    bool (*valid)(int x, int y); /* NULL: all pixels are */
    double transform[6];         /* all 0: north up, 10 m, at 600000 4400000 */
    const char *crs;             /* NULL: EPSG:32633; "": none */
} rig_scene;

/* A path in test_folder(); borrowed from a ring of 16. */
const char *predict_rig_path(const char *name);

/* Writes a model file; returns its path (predict_rig_path). Fails the case on errors. */
const char *rig_model_make(const char *name, const rig_model *model);

/* Writes a tiled UInt16 GTiff, bands B02, B03, B04, nodata 0. */
const char *rig_scene_make(const char *name, const rig_scene *scene);

/* Valid input pixels of the patch of output (column, row): the definition, pixel by pixel. */
unsigned rig_valid_count(const rig_scene *scene, int patch, int stride, int column, int row);

/* The band 1 of a raster as floats; the caller frees. NULL fails the case. */
float *rig_raster_read(const char *path, int *columns, int *rows);

/* Names in a folder that begin with `start`. */
int rig_count_files(const char *folder, const char *start);

#endif
