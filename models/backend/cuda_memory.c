/* Memory of the device: what was taken, and what to say when there is no more. */
#include "backend/cudap.h"
#include "base/memory.h"

typedef struct cuda_block {
    void *memory;
    size_t bytes;
    struct cuda_block *next;
} cuda_block;

struct cuda_ledger {
    pthread_mutex_t lock;
    cuda_block *blocks;
    size_t held;
};

struct cuda_ledger *s2clr_cuda_ledger_new(void)
{
    struct cuda_ledger *ledger;
    if (s2clr_alloc(1, sizeof *ledger, "device memory", (void **)&ledger) != S2CLR_OK) return NULL;
    pthread_mutex_init(&ledger->lock, NULL);
    return ledger;
}

void s2clr_cuda_ledger_free(struct cuda_ledger *ledger)
{
    if (!ledger) return;
    while (ledger->blocks) {
        cuda_block *const block = ledger->blocks;
        ledger->blocks = block->next;
        s2clr_free(block);
    }
    pthread_mutex_destroy(&ledger->lock);
    s2clr_free(ledger);
}

static s2clr_status no_room(const s2clr_device *device, size_t bytes, const char *what)
{
    size_t available = 0, total = 0;
    const double giga = 1e9;
    cudaGetLastError();
    s2clr_cuda_quiet(cudaMemGetInfo(&available, &total));
    pthread_mutex_lock(&device->ledger->lock);
    const size_t held = device->ledger->held;
    pthread_mutex_unlock(&device->ledger->lock);
    return s2clr_error_set(
        S2CLR_ERR_MEMORY,
        "%s: no room for %.3g GB (%s): %.3g of %.3g GB are free, %.3g GB are held by this "
        "computation: end what else uses the device, compute less at once, or compute on the CPU",
        device->name, (double)bytes / giga, what, (double)available / giga, (double)total / giga,
        (double)held / giga);
}

s2clr_status s2clr_cuda_memory_new(s2clr_device *device, size_t bytes, const char *what, void **out)
{
    struct cuda_ledger *const ledger = device->ledger;
    cuda_block *block;
    S2CLR_TRY(s2clr_alloc(1, sizeof *block, what, (void **)&block));
    block->bytes = bytes ? bytes : CUDA_ALIGN;
    const cudaError_t code = cudaMalloc(&block->memory, block->bytes);
    if (code != cudaSuccess) {
        s2clr_free(block);
        return code == cudaErrorMemoryAllocation ? no_room(device, bytes, what)
                                                 : s2clr_cuda_check(code, device, what);
    }
    pthread_mutex_lock(&ledger->lock);
    block->next = ledger->blocks;
    ledger->blocks = block;
    ledger->held += block->bytes;
    pthread_mutex_unlock(&ledger->lock);
    *out = block->memory;
    return S2CLR_OK;
}

void s2clr_cuda_memory_free(s2clr_device *device, void *memory)
{
    struct cuda_ledger *const ledger = device->ledger;
    pthread_mutex_lock(&ledger->lock);
    cuda_block **at = &ledger->blocks;
    while (*at && (*at)->memory != memory) at = &(*at)->next;
    cuda_block *const found = *at;
    if (found) {
        *at = found->next;
        ledger->held -= found->bytes;
    }
    pthread_mutex_unlock(&ledger->lock);
    if (!found) return;
    s2clr_cuda_quiet(cudaFree(memory));
    s2clr_free(found);
}

s2clr_status s2clr_cuda_memory_left(const s2clr_device *device, size_t *available, size_t *total)
{
    size_t left, whole;
    CUDA_USE(device);
    S2CLR_TRY(
        s2clr_cuda_check(cudaMemGetInfo(&left, &whole), device, "asking how much memory is free"));
    *available = left > device->workspace_limit ? left - device->workspace_limit : 0;
    *total = whole;
    return S2CLR_OK;
}
