/* Private to cuda_kernels.h: arguments of the kernel that cuts windows from planes. */
#ifndef S2CLR_BACKEND_CUDA_CUT_ARGS_H
#define S2CLR_BACKEND_CUDA_CUT_ARGS_H

enum { CUDA_CUTS = 128 }; /* windows of one launch: positions are among its arguments */

/* native = the windows of planes that begin at `at`, zeros where a window is outside. */
typedef struct cuda_cut_args {
    cuda_element element;
    cuda_view view; /* of native; view.n <= CUDA_CUTS */
    int64_t columns, rows;
    const float *planes; // (view.c, rows, columns)
    void *native;
    int64_t at[CUDA_CUTS][2]; /* column, row */
} cuda_cut_args;

#endif
