/*
 * The CUDA runtime, pretended: devices and errors. Which functions are here is what the module
 * calls.
 */
#include "cuda_fake.h"

#include <stdio.h>
#include <string.h>

static _Thread_local int current_device;
static _Thread_local cudaError_t last_error;
static cudaError_t broken;

/* ---- errors ---- */

cudaError_t fake_broken(void)
{
    return broken;
}

void fake_break(void)
{
    broken = cudaErrorIllegalAddress;
}

void fake_mend(void)
{
    broken = last_error = cudaSuccess;
}

cudaError_t fake_result(cudaError_t code)
{
    if (code != cudaSuccess && code != cudaErrorNotReady) last_error = code;
    return code;
}

cudaError_t cudaPeekAtLastError(void)
{
    return broken ? broken : last_error;
}

cudaError_t cudaGetLastError(void)
{
    const cudaError_t code = cudaPeekAtLastError();
    last_error = cudaSuccess;
    return code;
}

static const struct {
    cudaError_t code;
    const char *name, *text;
} errors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorDevicesUnavailable, "cudaErrorDevicesUnavailable",
     "CUDA-capable device(s) is/are busy or unavailable"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"},
};

static size_t error_line(cudaError_t code)
{
    const size_t count = sizeof errors / sizeof errors[0];
    for (size_t i = 0; i < count; i++)
        if (errors[i].code == code) return i;
    return count - 1;
}

const char *cudaGetErrorName(cudaError_t code)
{
    return errors[error_line(code)].name;
}

const char *cudaGetErrorString(cudaError_t code)
{
    return errors[error_line(code)].text;
}

/* ---- devices ---- */

static int devices(void)
{
    return fake_number("devices", 1);
}

static cudaError_t driver(void)
{
    if (fake_number("driver", 1) == 0) return cudaErrorInsufficientDriver;
    return devices() < 1 ? cudaErrorNoDevice : broken;
}

int fake_device(void)
{
    return current_device;
}

cudaError_t cudaGetDeviceCount(int *count)
{
    FAKE_ENTRY(fake_result(cudaErrorInsufficientDriver))
    const cudaError_t code = driver();
    if (code == cudaSuccess) *count = devices();
    FAKE_RETURN(fake_result(code));
}

static cudaError_t device_check(int device)
{
    if (driver() != cudaSuccess) return driver();
    return device >= 0 && device < devices() ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaSetDevice(int device)
{
    FAKE_ENTRY(fake_result(cudaErrorDevicesUnavailable))
    const cudaError_t code = device_check(device);
    if (code == cudaSuccess) current_device = device;
    FAKE_RETURN(fake_result(code));
}

cudaError_t cudaGetDevice(int *device)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    *device = current_device;
    FAKE_RETURN(fake_result(driver()));
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *out, int device)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    const cudaError_t code = device_check(device);
    if (code == cudaSuccess) {
        memset(out, 0, sizeof *out);
        snprintf(out->name, sizeof out->name, "Pretended %d", device);
        out->totalGlobalMem = (size_t)fake_number("memory", 81920) << 20;
        out->major = fake_number("sm", 90) / 10;
        out->minor = fake_number("sm", 90) % 10;
        out->multiProcessorCount = 4;
        out->unifiedAddressing = 1;
    }
    FAKE_RETURN(fake_result(code));
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    const cudaError_t code = device_check(device);
    if (code != cudaSuccess) FAKE_RETURN(fake_result(code));
    if (attribute == cudaDevAttrComputeCapabilityMajor)
        *value = fake_number("sm", 90) / 10;
    else if (attribute == cudaDevAttrComputeCapabilityMinor)
        *value = fake_number("sm", 90) % 10;
    else {
        fake_misuse("cudaDeviceGetAttribute: attribute %d is not pretended", (int)attribute);
        FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    }
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    *version = CUDART_VERSION;
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaDriverGetVersion(int *version)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    *version = fake_number("driver", 1) ? CUDART_VERSION : 0;
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaDeviceSynchronize(void)
{
    FAKE_ENTRY(fake_result((fake_break(), cudaErrorIllegalAddress)))
    fake_run_all();
    FAKE_RETURN(fake_result(fake_broken()));
}
