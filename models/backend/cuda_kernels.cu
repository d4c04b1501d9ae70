/*
 * The device side of cuda_kernels.h: one kernel and one launcher for each line of the table. The
 * bodies are in cuda_body_*.h. Compiled with --fmad=false: the device rounds as the tests on the
 * host do, and these kernels wait for memory, not for arithmetic.
 */
#include <cuda_runtime.h>

#include "backend/cuda_bodies.h"
#include "backend/cuda_kernels.h"

enum { THREADS = 256 };

/* A grid holds 2^31 - 1 blocks; beyond this many every thread takes several indices. */
static const size_t BLOCKS_MAX = (size_t)1 << 24;

static unsigned blocks_for(size_t count)
{
    const size_t blocks = (count + THREADS - 1) / THREADS;
    return (unsigned)(blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX);
}

/* What the launch itself says: the thread's last error may be somebody else's, and stays. */
static int launch(const void *kernel, size_t count, void **arguments, void *stream)
{
    return (int)cudaLaunchKernel(kernel, dim3(blocks_for(count)), dim3(THREADS), arguments, 0,
                                 (cudaStream_t)stream);
}

#define CUDA_KERNEL(name)                                                                          \
    static __global__ void __launch_bounds__(THREADS)                                              \
        name##_kernel(size_t count, const __grid_constant__ cuda_##name##_args args)               \
    {                                                                                              \
        const size_t step = (size_t)gridDim.x * THREADS;                                           \
        for (size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x; i < count; i += step)          \
            cuda_##name##_body(i, &args);                                                          \
    }                                                                                              \
    int s2clr_cuda_launch_##name(void *stream, cuda_##name##_args args)                            \
    {                                                                                              \
        size_t count = cuda_##name##_count(&args);                                                 \
        void *arguments[] = {&count, &args};                                                       \
        if (count == 0) return 0;                                                                  \
        return launch((const void *)name##_kernel, count, arguments, stream);                      \
    }

CUDA_KERNELS(CUDA_KERNEL)
