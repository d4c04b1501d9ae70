/*
 * Private to the CUDA module: what cuda_conv.c (ways and places), cuda_conv_run.c (packing,
 * forward, backward) and cuda_direct.c (own kernels) share.
 */
#ifndef S2CLR_BACKEND_CUDA_CONV_H
#define S2CLR_BACKEND_CUDA_CONV_H

#include "backend/cuda_plan.h"

/* One direction of an op. planned is NULL: own kernels do it. */
typedef struct cuda_step {
    cuda_planned *planned;
    bool finish; /* forward: bias, residual and activation come in a launch of their own */
} cuda_step;

struct cuda_conv {
    cuda_step step[CUDA_DIRECTIONS];
    cuda_packing packing;
    /* In packed: the bias in the device's precision, or zeros; 0: not there. */
    size_t fused_bias_at;
    /* In the stream's scratch, behind what cuDNN wants for itself at 0. */
    size_t result_at; /* what is finished, or the packed gradient of the weights */
    size_t plain_at;  /* weights, biases and their gradients on their way */
};

/* ---- own kernels: cuda_direct.c ---- */

cuda_direct s2clr_cuda_direct_of(const s2clr_op *op);
s2clr_status s2clr_cuda_direct_forward(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args);
s2clr_status s2clr_cuda_direct_data(const s2clr_op *op, s2clr_stream *stream,
                                    const s2clr_op_args *args);
/* Scratch from `at` on. */
size_t s2clr_cuda_direct_filter_scratch(const s2clr_op *op);
s2clr_status s2clr_cuda_direct_filter(const s2clr_op *op, s2clr_stream *stream, size_t at,
                                      const s2clr_op_args *args);

#endif
