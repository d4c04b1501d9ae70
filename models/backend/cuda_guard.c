/*
 * What a call of the table does to the thread it comes from, which belongs to somebody else:
 * nothing that lasts. The thread's current device is what it was before, and an error that was told
 * is not left behind for the next who asks CUDA.
 *
 * Except that a device on which nobody computes is not gone back to. Every fresh thread has device
 * 0, and since CUDA 12 cudaSetDevice() starts a context: hundreds of megabytes on a card that the
 * user did not name.
 *
 * CUDA does not survive fork(): a child of a process that used it gets errors at best. So the first
 * process is remembered, and in any other one nothing here calls CUDA.
 */
#include <string.h>
#include <unistd.h>

#include "backend/cudap.h"

/* Process-wide, as CUDA itself is; 0: it was not used yet. */
static atomic_long first_process;

void s2clr_cuda_process_claim(void)
{
    long nobody = 0;
    atomic_compare_exchange_strong(&first_process, &nobody, (long)getpid());
}

bool s2clr_cuda_is_forked(void)
{
    const long first = atomic_load(&first_process);
    return first != 0 && first != (long)getpid();
}

s2clr_status s2clr_cuda_process_check(void)
{
    if (!s2clr_cuda_is_forked()) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "cuda: this process was forked from one that computes with CUDA, which "
                           "then works in neither way here: start it anew (Python: "
                           "multiprocessing's method \"spawn\"), or use --device cpu");
}

s2clr_status s2clr_cuda_guard_enter(const s2clr_device *device, cuda_guard *guard)
{
    int before;
    S2CLR_TRY(s2clr_cuda_process_check());
    S2CLR_TRY(s2clr_cuda_fault_check(device));
    S2CLR_TRY(s2clr_cuda_check(cudaGetDevice(&before), device, "asking for the thread's device"));
    if (before == device->index) return S2CLR_OK;
    S2CLR_TRY(s2clr_cuda_check(cudaSetDevice(device->index), device, "choosing the device"));
    guard->before = before;
    return S2CLR_OK;
}

void s2clr_cuda_guard_enter_quietly(const s2clr_device *device, cuda_guard *guard)
{
    int before;
    if (s2clr_cuda_quiet(cudaGetDevice(&before)) != cudaSuccess || before == device->index) return;
    if (s2clr_cuda_quiet(cudaSetDevice(device->index)) == cudaSuccess) guard->before = before;
}

/* cuDevicePrimaryCtxGetState of cuda.h, where a device of this process is its number. */
typedef int (*context_state)(int device, unsigned *flags, int *active);

static context_state context_state_find(void)
{
    static const char name[] = "cuDevicePrimaryCtxGetState";
    void *entry = NULL;
    enum cudaDriverEntryPointQueryResult found;
    context_state function;
#if CUDART_VERSION >= 12050
    const cudaError_t code =
        cudaGetDriverEntryPointByVersion(name, &entry, 12000, cudaEnableDefault, &found);
#else
    const cudaError_t code = cudaGetDriverEntryPoint(name, &entry, cudaEnableDefault, &found);
#endif
    if (s2clr_cuda_quiet(code) != cudaSuccess || found != cudaDriverEntryPointSuccess) return NULL;
    memcpy(&function, &entry, sizeof function);
    return function;
}

/* Whether somebody uses the device already; yes where nobody can tell. */
static bool is_started(int device)
{
    const context_state state = context_state_find();
    unsigned flags;
    int active = 1;
    return !state || state(device, &flags, &active) != 0 || active;
}

void s2clr_cuda_guard_leave(const cuda_guard *guard)
{
    if (guard->before >= 0 && is_started(guard->before))
        s2clr_cuda_quiet(cudaSetDevice(guard->before));
}

cudaError_t s2clr_cuda_quiet(cudaError_t code)
{
    if (code != cudaSuccess) cudaGetLastError();
    return code;
}
