/*
 * Private to the CUDA module: arguments of the kernels that make views, a part of cuda_kernels.h.
 * What the steps are: view_steps.h; who launches what, and in which order: cuda_views.c.
 */
#ifndef S2CLR_BACKEND_CUDA_VIEW_ARGS_H
#define S2CLR_BACKEND_CUDA_VIEW_ARGS_H

#include "backend/view_steps.h"

/* Views [first, first + count) of a list at their step number `round`, a plane being a channel of
 * one of them. A view that has fewer steps is left alone. */
typedef struct cuda_viewing {
    s2clr_view_list list; /* its arrays are the device's */
    size_t first, count, round;
    const float *patches; // (list.patches, C, H, W)
    float *between[2];    // (count, C, H, W) after rounds 0, 2 ..., and after 1, 3 ...
    float *across[2];     // (count, C, H, W) GAUSSIAN half done: values, and weights
    float *measure; // (count, C) CONTRAST: mean; GAUSSIAN: 1 where the plane has holes, else 0
    float *y;       // (list.views, C, H, W) after a view's last step
} cuda_viewing;

typedef cuda_viewing cuda_view_measure_args, cuda_view_across_args, cuda_view_step_args;

#endif
