/*
 * Private to the CUDA module: a product of matrices with what follows it, by cuBLASLt.
 *
 *     cuda_product p = {.a = {rows, columns, transposed}, .b = ..., .element = CUDA_BFLOAT16,
 *                       .result = CUDA_FLOAT32, .bias = true, .relu = true};
 *     S2CLR_TRY(s2clr_cuda_matmul_new(device, &p, &matmul));
 *     S2CLR_TRY(s2clr_cuda_matmul_run(&matmul, stream, &tensors, workspace));
 *
 * Columns lie one behind the other, as in Fortran, no gaps between them: d = act(a b + c + bias),
 * one bias for each row of d.
 */
#ifndef S2CLR_BACKEND_CUDA_MATMUL_H
#define S2CLR_BACKEND_CUDA_MATMUL_H

#include "backend/cudap.h"

#define CUDA_MATMUL_WORKSPACE ((size_t)32 << 20) /* no product wants more */

/* As it lies in memory. */
typedef struct cuda_factor {
    size_t rows, columns;
    bool transposed; /* before it is multiplied */
} cuda_factor;

typedef struct cuda_product {
    cuda_factor a, b;
    cuda_element element; /* of a and b */
    cuda_element result;  /* of c and d; the bias is float32, and so is this if there is one */
    bool bias, relu;
    bool exact; /* float32 factors are not rounded, whatever the device's precision */
} cuda_product;

typedef struct cuda_matmul {
    cuda_product product;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulAlgo_t algorithm;
    size_t workspace_bytes;
} cuda_matmul;

typedef struct cuda_matmul_tensors {
    const void *a, *b;
    const void *c; /* NULL: none; may be d */
    const float *bias;
    void *d;
} cuda_matmul_tensors;

/* S2CLR_ERR_UNSUPPORTED when cuBLASLt has no algorithm. On failure nothing is left to free. */
s2clr_status s2clr_cuda_matmul_new(const s2clr_device *device, const cuda_product *product,
                                   cuda_matmul *out);
void s2clr_cuda_matmul_free(cuda_matmul *matmul); /* all zero: nothing */
s2clr_status s2clr_cuda_matmul_run(const cuda_matmul *matmul, const s2clr_stream *stream,
                                   const cuda_matmul_tensors *tensors, void *workspace);

#endif
