/* Which device, in which precision, and what it says of itself. */
#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda_plan.h"
#include "backend/cudap.h"
#include "base/memory.h"

/* What a precision needs. */
typedef struct precision_line {
    cuda_element element;
    int capability; /* 0: any */
} precision_line;

static const precision_line precisions[S2CLR_PRECISIONS] = {
    [S2CLR_F32] = {CUDA_FLOAT32, 0},
    [S2CLR_BF16] = {CUDA_BFLOAT16, 80},
    [S2CLR_TF32] = {CUDA_FLOAT32, 80},
    [S2CLR_FP16] = {CUDA_FLOAT16, 70},
};

/* ---- which ---- */

static s2clr_status spec_wrong(const char *spec)
{
    return s2clr_error_set(
        S2CLR_ERR_ARGUMENT,
        "the cuda backend has no device '%s': write cuda, or cuda:N for the N-th "
        "device from 0, with ,fast behind it where results may differ in their "
        "last digits from run to run",
        spec);
}

/* "", "cuda", "cuda:1", "cuda,fast", "cuda:1,fast" */
static s2clr_status spec_read(const char *spec, int *index, bool *fast)
{
    const char *at = spec;
    char *end;
    *index = 0;
    *fast = false;
    if (!spec[0]) return S2CLR_OK;
    if (strncmp(at, "cuda", 4) != 0) return spec_wrong(spec);
    at += 4;
    if (*at == ':') {
        at++;
        const long value = strtol(at, &end, 10);
        if (*at < '0' || *at > '9' || end - at > 4) return spec_wrong(spec);
        *index = (int)value;
        at = end;
    }
    *fast = strcmp(at, ",fast") == 0;
    return *fast || !*at ? S2CLR_OK : spec_wrong(spec);
}

static s2clr_status no_driver(cudaError_t code)
{
    int offered = 0, wanted = 0;
    const char *const text = cudaGetErrorString(code);
    cudaGetLastError();
    if (code == cudaErrorNoDevice)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "the NVIDIA driver shows no GPU (%s): is CUDA_VISIBLE_DEVICES set, "
                               "and to what? Or use --device cpu",
                               text);
    s2clr_cuda_quiet(cudaDriverGetVersion(&offered));
    s2clr_cuda_quiet(cudaRuntimeGetVersion(&wanted));
    if (offered == 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "no NVIDIA driver (%s): install one, or use --device cpu", text);
    return s2clr_error_set(
        S2CLR_ERR_UNSUPPORTED,
        "the NVIDIA driver offers CUDA %d.%d, this program uses CUDA %d.%d (%s): "
        "update the driver, or use --device cpu",
        offered / 1000, offered % 1000 / 10, wanted / 1000, wanted % 1000 / 10, text);
}

static s2clr_status index_check(int index)
{
    int count;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorInsufficientDriver || code == cudaErrorNoDevice ||
        code == cudaErrorStubLibrary || code == cudaErrorSystemDriverMismatch)
        return no_driver(code);
    S2CLR_TRY(s2clr_cuda_check(code, NULL, "counting the devices"));
    if (count < 1) return no_driver(cudaErrorNoDevice);
    s2clr_cuda_process_claim();
    if (index < count) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "there is no device cuda:%d: this machine has %d, counted from 0", index,
                           count);
}

/* ---- what it can do ---- */

static s2clr_status capability_check(const s2clr_device *device, const char *model)
{
    const int own = device->capability, wanted = precisions[device->precision].capability;
    if (own < S2CLR_CUDA_LOWEST)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s (%s) has compute capability %d.%d, this program was built for "
                               "%d.%d and later: use --device cpu",
                               device->name, model, own / 10, own % 10, S2CLR_CUDA_LOWEST / 10,
                               S2CLR_CUDA_LOWEST % 10);
    if (own >= wanted) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s (%s) has compute capability %d.%d, %s needs %d.%d: use --precision "
                           "f32",
                           device->name, model, own / 10, own % 10,
                           s2clr_precision_name(device->precision), wanted / 10, wanted % 10);
}

static void describe(s2clr_device *device, const char *model)
{
    const size_t dnn = cudnnGetVersion(), blas = cublasLtGetVersion();
    int runtime = 0;
    const bool plain = device->precision == S2CLR_F32;
    s2clr_cuda_quiet(cudaRuntimeGetVersion(&runtime));
    snprintf(device->text, sizeof device->text,
             "CUDA %d.%d, cuDNN %zu.%zu.%zu, cuBLASLt %zu.%zu.%zu, %.160s (%d.%d)%s%s%s",
             runtime / 1000, runtime % 1000 / 10, dnn / 10000, dnn / 100 % 100, dnn % 100,
             blas / 10000, blas / 100 % 100, blas % 100, model, device->capability / 10,
             device->capability % 10, plain ? "" : ", ",
             plain ? "" : s2clr_precision_name(device->precision), device->fast ? ", fast" : "");
    snprintf(device->text_lacking, sizeof device->text_lacking, "%s, without engines that failed",
             device->text);
}

static s2clr_status look(s2clr_device *device)
{
    struct cudaDeviceProp of;
    S2CLR_TRY(s2clr_cuda_check(cudaGetDeviceProperties(&of, device->index), device,
                               "asking for the device's properties"));
    of.name[sizeof of.name - 1] = '\0';
    device->capability = of.major * 10 + of.minor;
    if (device->workspace_limit > of.totalGlobalMem / CUDA_PART_OF_MEMORY)
        device->workspace_limit = of.totalGlobalMem / CUDA_PART_OF_MEMORY;
    S2CLR_TRY(capability_check(device, of.name));
    describe(device, of.name);
    return S2CLR_OK;
}

/* ---- life ---- */

static s2clr_status furnish(s2clr_device *device)
{
    S2CLR_TRY(s2clr_alloc(1, sizeof *device->fault, "device", (void **)&device->fault));
    pthread_mutex_init(&device->fault->lock, NULL);
    S2CLR_TRY(look(device));
    CUDA_USE(device);
    device->ledger = s2clr_cuda_ledger_new();
    device->plans = s2clr_cuda_plans_new();
    if (!device->ledger || !device->plans)
        return s2clr_error_set(S2CLR_ERR_MEMORY, "%s: out of memory on the host", device->name);
    S2CLR_TRY(s2clr_cuda_check_dnn(cudnnCreate(&device->planner), device, "starting cuDNN"));
    return s2clr_cuda_check_blas(cublasLtCreate(&device->blas), device, "starting cuBLASLt");
}

s2clr_status s2clr_cuda_device_open(const char *spec, s2clr_precision precision, s2clr_device **out)
{
    s2clr_device *device;
    int index;
    bool fast;
    S2CLR_TRY(spec_read(spec, &index, &fast));
    S2CLR_TRY(s2clr_cuda_process_check());
    S2CLR_TRY(index_check(index));
    S2CLR_TRY(s2clr_cuda_libraries_check());
    S2CLR_TRY(s2clr_alloc(1, sizeof *device, "device", (void **)&device));
    snprintf(device->name, sizeof device->name, "cuda:%d", index);
    device->index = index;
    device->fast = fast;
    device->precision = precision;
    device->element = precisions[precision].element;
    device->element_bytes = cuda_element_bytes(device->element);
    device->workspace_limit = CUDA_WORKSPACE_LIMIT;
    device->launch_work = CUDA_LAUNCH_WORK;
    pthread_mutex_init(&device->planner_lock, NULL);
    const s2clr_status status = furnish(device);
    if (status != S2CLR_OK) {
        s2clr_cuda_device_close(device);
        return status;
    }
    *out = device;
    return S2CLR_OK;
}

void s2clr_cuda_device_close(s2clr_device *device)
{
    if (!device) return;
    CUDA_USE_QUIETLY(device);
    s2clr_cuda_plans_free(device->plans);
    if (device->planner) cudnnDestroy(device->planner);
    if (device->blas) cublasLtDestroy(device->blas);
    s2clr_cuda_ledger_free(device->ledger);
    if (device->fault) pthread_mutex_destroy(&device->fault->lock);
    s2clr_free(device->fault);
    pthread_mutex_destroy(&device->planner_lock);
    s2clr_free(device);
}
