/*
 * Private to the CUDA module: arguments of the kernels of the contrastive loss, a part of
 * cuda_kernels.h. Formulas: backend_training.h; who launches what, and in which order:
 * cuda_contrast.c.
 *
 * Letters: M views, two of each patch; D numbers of an embedding; R views of a block.
 */
#ifndef S2CLR_BACKEND_CUDA_CONTRAST_ARGS_H
#define S2CLR_BACKEND_CUDA_CONTRAST_ARGS_H

#include <stddef.h>
#include <stdint.h>

/* What a view is compared with: place is NULL where every other patch counts. */
typedef struct cuda_views {
    size_t count, d;      // M, D
    const int32_t *place; // (M / 2)
    double temperature;
} cuda_views;

/* u = z / |z| */
typedef struct cuda_contrast_unit_args {
    cuda_views views;
    const float *z; // (M, D)
    float *u;       // (M, D)
    double *norm;   // (M)
} cuda_contrast_unit_args;

/* The largest cosine, and the sum of exponentials below it, over every slices-th view from i on.
 * A slice in which no view counts has the sum 0. */
typedef struct cuda_contrast_slice_args {
    cuda_views views;
    size_t first, rows, slices;
    const float *cosine; // (R, M) of the views [first, first + rows)
    double *partial;     // (R, slices, 2)
} cuda_contrast_slice_args;

/* log: of the sum of exponentials of a view; cost: what it adds to the loss. */
typedef struct cuda_contrast_cost_args {
    cuda_views views;
    size_t first, rows, slices;
    const float *cosine;   // (R, M)
    const double *partial; // (R, slices, 2)
    double *log, *cost;    // (M)
} cuda_contrast_cost_args;

/* cosine = how much of u_j is in the gradient of u_i, temperature and number of views aside. */
typedef struct cuda_contrast_pull_args {
    cuda_views views;
    size_t first, rows;
    const double *log; // (M)
    float *cosine;     // (R, M)
} cuda_contrast_pull_args;

/* Of u_i to that of z_i, in place. */
typedef struct cuda_contrast_turn_args {
    cuda_views views;
    const float *u;     // (M, D)
    const double *norm; // (M)
    float *gradient;    // (M, D)
} cuda_contrast_turn_args;

#endif
