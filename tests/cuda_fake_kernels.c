/*
 * The module's own kernels on the pretended device: each body as a loop over its indices, from the
 * last to the first, which must not matter.
 */
#include "backend/cuda_bodies.h"
#include "cuda_fake_place.h"

bool fake_place(const void *pointer, size_t align, size_t bytes, const char *what)
{
    const void **const at = (const void **)(uintptr_t)pointer;
    if ((uintptr_t)*at % align != 0)
        fake_misuse("%s: %p is not aligned to %zu bytes", what, *at, align);
    *at = fake_at(*at, bytes, what);
    return *at != NULL;
}

/* ---- launchers ---- */

/* A kernel is started with what its stream and its pointers are then; it runs later. */
#define FAKE_KERNEL(name)                                                                          \
    static void run_##name(void *args)                                                             \
    {                                                                                              \
        cuda_##name##_args *const a = args;                                                        \
        if (!fake_place_##name(a)) {                                                               \
            fake_break();                                                                          \
            return;                                                                                \
        }                                                                                          \
        for (size_t i = cuda_##name##_count(a); i-- > 0;) cuda_##name##_body(i, a);                \
    }                                                                                              \
    int s2clr_cuda_launch_##name(void *stream, cuda_##name##_args args)                            \
    {                                                                                              \
        FAKE_ENTRY((int)fake_result(cudaErrorNoKernelImageForDevice))                              \
        FAKE_RETURN((int)fake_result(fake_queue(stream, run_##name, &args, sizeof args)));         \
    }

CUDA_KERNELS(FAKE_KERNEL)
