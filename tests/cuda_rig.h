/*
 * The CUDA module's own sources in this process, linked with the pretended CUDA (cuda_fake.h): what
 * the tests of its convolutions share.
 *
 *     s2clr_device *device = cuda_open("noengine=fused", "", S2CLR_BF16);
 *     cuda_check(device, &desc); // against the portable backend
 *     s2clr_cuda_device_close(device);
 */
#ifndef S2CLR_TESTS_CUDA_RIG_H
#define S2CLR_TESTS_CUDA_RIG_H

#include "backend/cuda_conv.h"
#include "op_compare.h"

/* The module's table. */
const s2clr_backend *s2clr_backend_module(void);

/* words: FAKE_CUDA from now on. Calls are counted from 1 again. */
s2clr_device *cuda_open(const char *words, const char *spec, s2clr_precision precision);

s2clr_op_desc cuda_conv_desc(s2clr_shape x, int channels, s2clr_window window, int groups);
/* 2 x 12 x 9 x 8 -> 20 channels, 3 x 3: with all that can be fused; with stride 2, in training. */
s2clr_op_desc cuda_usual(void);
s2clr_op_desc cuda_usual_training(void);

/* Borrowed until the next call. */
const char *cuda_kernel_of(s2clr_device *device, const s2clr_op_desc *d);

/* Inputs that the device's precision holds. */
void cuda_data(const s2clr_device *device, const s2clr_op_desc *d, op_data *data);

/* Fails the test with the name of a result that is not as near as its precision lets it be. */
void cuda_compare(const s2clr_device *device, const s2clr_op_desc *d, const op_data *got,
                  const op_data *wanted);
void cuda_check(s2clr_device *device, const s2clr_op_desc *d);

#endif
