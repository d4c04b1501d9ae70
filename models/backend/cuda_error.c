/* Codes of the three libraries -> one line. */
#include <stdio.h>

#include "backend/cudap.h"

static const char *name_of(const s2clr_device *device)
{
    return device ? device->name : "cuda";
}

/* Errors after which the process gets the same answer to whatever it asks of the device. The last
 * two have names only in the headers of CUDA 13. */
static bool is_fatal(cudaError_t code)
{
    static const int fatal[] = {
        cudaErrorIllegalAddress,
        cudaErrorLaunchFailure,
        cudaErrorLaunchTimeout,
        cudaErrorAssert,
        cudaErrorHardwareStackError,
        cudaErrorIllegalInstruction,
        cudaErrorMisalignedAddress,
        cudaErrorInvalidAddressSpace,
        cudaErrorInvalidPc,
        cudaErrorECCUncorrectable,
        cudaErrorContextIsDestroyed,
        cudaErrorNvlinkUncorrectable,
        226, /* cudaErrorContained */
        721, /* cudaErrorTensorMemoryLeak */
    };
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        if ((int)code == fatal[i]) return true;
    return false;
}

static s2clr_status fault_set(const s2clr_device *device, cudaError_t code, const char *what)
{
    cuda_fault *const fault = device->fault;
    pthread_mutex_lock(&fault->lock);
    if (!atomic_load(&fault->broken)) {
        snprintf(fault->text, sizeof fault->text,
                 "%s: %s failed: %s (%s); until this program ends, the device does nothing more "
                 "for it: start it again",
                 device->name, what, cudaGetErrorString(code), cudaGetErrorName(code));
        atomic_store(&fault->broken, true);
    }
    pthread_mutex_unlock(&fault->lock);
    return s2clr_cuda_fault_check(device);
}

s2clr_status s2clr_cuda_fault_check(const s2clr_device *device)
{
    if (!atomic_load(&device->fault->broken)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_BACKEND, "%s", device->fault->text);
}

s2clr_status s2clr_cuda_fault_seek(const s2clr_device *device, const char *what)
{
    cudaError_t code = cudaGetLastError();
    if (!device || !device->fault) return S2CLR_OK;
    if (!is_fatal(code)) {
        code = cudaStreamQuery(NULL);
        cudaGetLastError();
    }
    return is_fatal(code) ? fault_set(device, code, what) : s2clr_cuda_fault_check(device);
}

s2clr_status s2clr_cuda_check(cudaError_t code, const s2clr_device *device, const char *what)
{
    if (code == cudaSuccess) return S2CLR_OK;
    /* Else the next launch, which is fine, would report it again. */
    cudaGetLastError();
    if (device && is_fatal(code)) return fault_set(device, code, what);
    const s2clr_status status = code == cudaErrorMemoryAllocation         ? S2CLR_ERR_MEMORY
                                : code == cudaErrorNoKernelImageForDevice ? S2CLR_ERR_UNSUPPORTED
                                                                          : S2CLR_ERR_BACKEND;
    return s2clr_error_set(status, "%s: %s failed: %s (%s)", name_of(device), what,
                           cudaGetErrorString(code), cudaGetErrorName(code));
}

s2clr_status s2clr_cuda_check_launch(int code, const s2clr_device *device, const char *kernel)
{
    char what[64];
    if (code == 0) return S2CLR_OK;
    snprintf(what, sizeof what, "starting the kernel %s", kernel);
    return s2clr_cuda_check((cudaError_t)code, device, what);
}

s2clr_status s2clr_cuda_check_dnn(cudnnStatus_t code, const s2clr_device *device, const char *what)
{
    char more[256] = "";
    if (code == CUDNN_STATUS_SUCCESS) return S2CLR_OK;
    S2CLR_TRY(s2clr_cuda_fault_seek(device, what));
    cudnnGetLastErrorString(more, sizeof more);
    for (char *c = more; *c; c++)
        if (*c == '\n') *c = ' ';
    const s2clr_status status = code == CUDNN_STATUS_ALLOC_FAILED ||
                                        code == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED
                                    ? S2CLR_ERR_MEMORY
                                    : S2CLR_ERR_BACKEND;
    return s2clr_error_set(status, "%s: %s failed: %s%s%s", name_of(device), what,
                           cudnnGetErrorString(code), more[0] ? ": " : "", more);
}

s2clr_status s2clr_cuda_check_blas(cublasStatus_t code, const s2clr_device *device,
                                   const char *what)
{
    if (code == CUBLAS_STATUS_SUCCESS) return S2CLR_OK;
    S2CLR_TRY(s2clr_cuda_fault_seek(device, what));
    return s2clr_error_set(
        code == CUBLAS_STATUS_ALLOC_FAILED ? S2CLR_ERR_MEMORY : S2CLR_ERR_BACKEND,
        "%s: %s failed: %s", name_of(device), what, cublasLtGetStatusString(code));
}
