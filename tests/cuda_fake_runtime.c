/*
 * The CUDA runtime, pretended: devices and errors. Which functions are here is what the module
 * calls.
 */
#include "cuda_fake.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Thread_local int current_device;
static _Thread_local cudaError_t last_error;
static cudaError_t broken;
static pid_t owner; /* the process that first used CUDA; 0: none yet */
static bool started[DEVICES_MAX];

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
    owner = 0;
}

static bool is_forked(void)
{
    if (!owner) owner = getpid();
    return owner != getpid();
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
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
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
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
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
    if (is_forked()) return cudaErrorInitializationError;
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

static bool is_for_others(int device)
{
    return fake_number("only", device) != device;
}

/* As since CUDA 12: the device's context is there from now on. */
cudaError_t cudaSetDevice(int device)
{
    FAKE_ENTRY(fake_result(cudaErrorDevicesUnavailable))
    const cudaError_t code = device_check(device);
    if (code == cudaSuccess) {
        if (is_for_others(device)) fake_misuse("a context is started on device %d", device);
        started[device % DEVICES_MAX] = true;
        current_device = device;
    }
    FAKE_RETURN(fake_result(code));
}

/* As cuDevicePrimaryCtxGetState of the driver. */
static int context_state(int device, unsigned *flags, int *active)
{
    fake_lock();
    *flags = 0;
    *active = started[device % DEVICES_MAX] && !is_for_others(device);
    fake_unlock();
    return 0;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char *symbol, void **function, unsigned version,
                                             unsigned long long flags,
                                             enum cudaDriverEntryPointQueryResult *found)
{
    int (*const known)(int, unsigned *, int *) = context_state;
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    if (version < 12000 || flags != cudaEnableDefault ||
        strcmp(symbol, "cuDevicePrimaryCtxGetState") != 0) {
        fake_misuse("the driver's %s is not pretended", symbol);
        *found = cudaDriverEntryPointSymbolNotFound;
        FAKE_RETURN(fake_result(cudaSuccess));
    }
    memcpy(function, &known, sizeof known);
    *found = cudaDriverEntryPointSuccess;
    FAKE_RETURN(fake_result(driver()));
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
    *version = fake_number("cudart", CUDART_VERSION);
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
