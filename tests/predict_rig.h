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
#include "predict/engine.h"
#include "predict/predict.h"

#define RIG_BANDS 3

typedef struct rig_model {
    const char *arch; /* "dense": field 20 pixels with depth 1, step 4; "resnet18" */
    int width, depth, patch, stride;
    bool constant; /* weights 0, last bias `bias`: every logit is the bias */
    double bias;
    double temperature; /* 0: 1 */
    double prevalence;  /* 0: 0.5 */
    int classes;        /* 0: one output; K: told apart, "class 1" to "class K" */
    int positive;       /* with classes: which of them the card calls positive; 0: none */
} rig_model;

typedef struct rig_scene {
    int width, height;
    bool (*valid)(int x, int y); /* NULL: all pixels are */
    double transform[6];         /* all 0: north up, 10 m, at 600000 4400000 */
    const char *crs;             /* NULL: EPSG:32633; "": none */
} rig_scene;

/* Field 20, patch 28, stride 4; patch 32, stride 16. */
extern const rig_model rig_dense, rig_resnet;

/* 612 x 349 and 2101 x 531 pixels, both with holes. */
extern const rig_scene rig_scene_small, rig_scene_wide;

/* A path in test_folder(); borrowed from a ring of 16. */
const char *predict_rig_path(const char *name);

/* Writes a model file; returns its path (predict_rig_path). Fails the case on errors. */
const char *rig_model_make(const char *name, const rig_model *model);

/* Writes a tiled UInt16 GTiff, bands B02, B03, B04, nodata 0. */
const char *rig_scene_make(const char *name, const rig_scene *scene);

/* A square VRT of `side` pixels that holds nothing but the scene made as `source`, at (x, y). */
const char *rig_sparse_vrt(const char *source, int side, int x, int y);

/* Valid input pixels of the patch of output (column, row): the definition, pixel by pixel. */
unsigned rig_valid_count(const rig_scene *scene, int patch, int stride, int column, int row);

/* The band 1 of a raster as floats; the caller frees. NULL fails the case. */
float *rig_raster_read(const char *path, int *columns, int *rows);

/* Fails unless columns x rows pixels of `whole` from (x, y) on are the bytes of `part`. */
void rig_same_bytes(const float *whole, int whole_columns, int x, int y, const float *part,
                    int columns, int rows);

/* One run of prediction with one input; settings may be changed between make and run. */
typedef struct rig_job {
    s2clr_predict_settings settings;
    const char *input;
    s2clr_predict_result result;
} rig_job;

/* Level L2A, 2 threads, overwriting allowed, the rest as by default. */
void rig_job_make(const char *model, const char *input, const char *output, rig_job *out);
s2clr_status rig_job_run(rig_job *job);

/* One model over one scene (level L2A), with all that an engine needs. */
typedef struct rig_bench {
    const s2clr_model *model;
    s2clr_stack *stack;
    s2clr_runtime *runtime;
    s2clr_grid grid;
    s2clr_engine *engine;
} rig_bench;

/* stride 0: the card's. Close whatever came of it. */
s2clr_status rig_bench_open(const char *model, const char *scene, const char *device, int threads,
                            s2clr_aim aim, int stride, s2clr_engine_options options,
                            rig_bench *out);
void rig_bench_close(rig_bench *b);

/* Reads a block of the output grid and computes it. wanted: as in s2clr_block. */
s2clr_status rig_bench_run(rig_bench *b, int column, int row, int columns, int rows,
                           const uint8_t *wanted, const s2clr_values *values);

/* Names in a folder that begin with `start`. */
int rig_count_files(const char *folder, const char *start);

#endif
