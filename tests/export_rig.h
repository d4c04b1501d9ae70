/*
 * Models with random weights and statistics, for the tests of export and import.
 */
#ifndef S2CLR_TESTS_EXPORT_RIG_H
#define S2CLR_TESTS_EXPORT_RIG_H

#include "file/model.h"
#include "net/infer.h"

typedef struct export_model {
    const char *arch;
    int channels, outputs, width, depth, patch;
    s2clr_arch heads; /* its projection, tap and hidden are taken */
} export_model;

/* Values of about unit size, the same for the same seed. */
void export_noise(float *values, size_t count, uint64_t seed);

/* Random weights; batch norms with random statistics and factors, so that nothing cancels. */
void export_weights(const s2clr_net *net, uint64_t seed, float *params);

/* Bands B02 B03 B04 B08 ..., level L2A, temperature 1.5; K classes when outputs is K >= 2. Writes
 * the file and opens it. */
s2clr_status export_model_make(const char *path, const export_model *kind, s2clr_model **out);

/* The portable backend on `batch` patches. */
void export_model_run(const s2clr_model *model, s2clr_output output, int batch, const float *x,
                      float *y);

#endif
