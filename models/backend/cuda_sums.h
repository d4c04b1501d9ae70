/*
 * Private to the CUDA module: sums over all pixels, in a fixed order, from launches of
 * cuda_kernels.h. Launched, not waited for: results are in device memory.
 *
 *     const size_t bytes = s2clr_cuda_sums_bytes(&view, true);
 *     s2clr_cuda_sums_launch(stream, element, &view, x, x, NULL, scratch, sums); // 2 * lanes
 * doubles
 */
#ifndef S2CLR_BACKEND_CUDA_SUMS_H
#define S2CLR_BACKEND_CUDA_SUMS_H

#include "backend/cuda_kernels.h"

/* Bytes of scratch; `products` as below. */
size_t s2clr_cuda_sums_bytes(const cuda_view *view, bool products);

/* sums[0..lanes) = sum of g, and when b is given sums[lanes..2*lanes) = sum of g * b, by channel;
 * g = a where y > 0 (y: NULL for everywhere), else 0. The channels that fill up give zeros.
 * scratch and sums: device memory, aligned to 16 bytes. Returns a cudaError_t, 0 when fine. */
int s2clr_cuda_sums_launch(void *stream, cuda_element element, const cuda_view *view, const void *a,
                           const void *b, const void *y, void *scratch, double *sums);

/* The same for one factor, rounded to float32: the gradient of a bias. scratch:
 * s2clr_cuda_sums_bytes(view, false). to: view->lanes floats on the device. */
int s2clr_cuda_bias_launch(void *stream, cuda_element element, const cuda_view *view,
                           const void *dy, void *scratch, float *to);

/* The next part of `all` indices, of `work` multiply-adds each, that is to be one launch; *part
 * begins as zeros. False: there is none left. A launch must end in time: where a card draws the
 * screen as well, the driver ends what takes longer than some seconds, and the program with it. */
bool s2clr_cuda_part_next(size_t all, size_t work, size_t launch_work, cuda_part *part);

/* Gradient of the weights by direct convolution, in the order of the plain weights:
 * (out, in per group, taps) floats on the device. */
size_t s2clr_cuda_filter_bytes(const cuda_direct *shape);
int s2clr_cuda_filter_launch(void *stream, const cuda_direct *shape, const void *x, const void *dy,
                             void *scratch, float *dweight);

#endif
