/*
 * Which libraries were found. Inside another program (a Python that imported PyTorch, say) one of
 * the same name may have been loaded before: then that is ours as well, whatever version it is, and
 * would fail in its own ways later.
 */
#define _GNU_SOURCE /* dladdr */
#include <cublas_api.h>
#include <dlfcn.h>

#include "backend/cudap.h"

typedef struct library_version {
    int major, minor;
} library_version;

static library_version runtime_version(int number)
{
    return (library_version){number / 1000, number % 1000 / 10};
}

/* 91900 and, of cuDNN 8 and before, 8902 */
static library_version dnn_version(size_t number)
{
    const size_t of_major = number < 10000 ? 1000 : 10000;
    return (library_version){(int)(number / of_major), (int)(number % of_major / 100)};
}

static const char *file_of(const void *function)
{
    Dl_info info;
    return dladdr(function, &info) && info.dli_fname ? info.dli_fname : "unknown file";
}

static s2clr_status wrong(const char *name, library_version found, library_version built,
                          const char *file)
{
    return s2clr_error_set(
        S2CLR_ERR_UNSUPPORTED,
        "cuda: %s %d.%d is in this process (%s), this program was built for %d.%d: see that this "
        "one is found first (LD_LIBRARY_PATH), and that no other library of the process has "
        "loaded its own before; or use --device cpu",
        name, found.major, found.minor, file, built.major, built.minor);
}

s2clr_status s2clr_cuda_libraries_check(void)
{
    int number;
    S2CLR_TRY(s2clr_cuda_check(cudaRuntimeGetVersion(&number), NULL, "asking for CUDA's version"));
    const library_version runtime = runtime_version(number),
                          runtime_built = runtime_version(CUDART_VERSION),
                          blas = dnn_version(cublasLtGetVersion()),
                          blas_built = dnn_version(CUBLAS_VERSION),
                          dnn = dnn_version(cudnnGetVersion()),
                          dnn_built = dnn_version(CUDNN_VERSION),
                          dnn_runtime = runtime_version((int)cudnnGetCudartVersion());
    if (runtime.major != runtime_built.major)
        return wrong("CUDA", runtime, runtime_built, file_of((const void *)cudaRuntimeGetVersion));
    if (blas.major != blas_built.major)
        return wrong("cuBLASLt", blas, blas_built, file_of((const void *)cublasLtGetVersion));
    /* cuDNN promises that what was built for a version runs with later ones, not with earlier. */
    if (dnn.major != dnn_built.major || dnn.minor < dnn_built.minor)
        return wrong("cuDNN", dnn, dnn_built, file_of((const void *)cudnnGetVersion));
    if (dnn_runtime.major != runtime_built.major)
        return wrong("a cuDNN for CUDA", dnn_runtime, runtime_built,
                     file_of((const void *)cudnnGetVersion));
    return S2CLR_OK;
}
