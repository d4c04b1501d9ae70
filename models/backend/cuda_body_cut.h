/* Kernel body: windows of plain planes -> native. See cuda_kernels.h. */
#ifndef S2CLR_BACKEND_CUDA_BODY_CUT_H
#define S2CLR_BACKEND_CUDA_BODY_CUT_H

#include "backend/cuda_body_move.h"

static inline size_t cuda_cut_count(const cuda_cut_args *a)
{
    return cuda_view_runs(&a->view);
}

/* As in cuda_upload_body, neighbouring indices are neighbours in a plane. */
CUDA_BODY void cuda_cut_body(size_t i, const cuda_cut_args *a)
{
    const cuda_border b = cuda_border_of(&a->view, i);
    size_t at = i, place = cuda_split(&at, b.plane);
    const size_t channel = cuda_split(&at, a->view.lanes / CUDA_LANES) * CUDA_LANES;
    const int64_t x = (int64_t)cuda_split(&place, a->view.w), y = (int64_t)place;
    const int64_t column = a->at[at][0] + x, row = a->at[at][1] + y;
    const bool inside = column >= 0 && column < a->columns && row >= 0 && row < a->rows;
    const size_t plane = (size_t)(a->columns * a->rows);
    const float *const from =
        inside ? a->planes + channel * plane + (size_t)(row * a->columns + column) : a->planes;
    cuda_run run = cuda_zeros();
    for (size_t l = 0; l < CUDA_LANES; l++)
        if (inside && l < b.used) run.v[l] = from[l * plane];
    cuda_store(a->element, a->native, b.native, run);
}

#endif
