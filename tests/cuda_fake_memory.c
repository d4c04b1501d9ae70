/*
 * Memory of the pretended devices. Addresses come from a reserved range that nobody can read, so
 * that a host that follows one dies at once; what they stand for is kept elsewhere, every piece in
 * an allocation of its own. An address is never given twice: use after free is always seen.
 */
#define _GNU_SOURCE
#include "cuda_fake_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RANGE ((size_t)1 << 40)
#define ALIGNMENT ((size_t)256)
#define GAP ((size_t)4096)       /* between two allocations: nothing lies there */
#define FRESH ((size_t)16 << 20) /* so much of a new allocation is filled with NaN */

typedef struct piece {
    size_t at, bytes;    /* at: in the range */
    unsigned char *kept; /* NULL: freed */
    int device;
} piece;

static unsigned char *range;
static piece *pieces; /* in the order of `at` */
static size_t pieces_count, pieces_room, used;

static bool reserve(void)
{
    if (range) return true;
    void *const got =
        mmap(NULL, RANGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) return false;
    range = got;
    return true;
}

bool fake_on_device(const void *address)
{
    const unsigned char *const a = address;
    return range && a >= range && a < range + RANGE;
}

/* The last piece that begins at or before the address. */
static piece *piece_of(const void *address)
{
    if (!fake_on_device(address)) return NULL;
    const size_t at = (size_t)((const unsigned char *)address - range);
    size_t low = 0, high = pieces_count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (pieces[middle].at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? &pieces[low - 1] : NULL;
}

void *fake_at(const void *address, size_t bytes, const char *what)
{
    const piece *const p = piece_of(address);
    if (!p) {
        fake_misuse("%s: %p is no address on a device", what, address);
        return NULL;
    }
    const size_t offset = (size_t)((const unsigned char *)address - range) - p->at;
    if (!p->kept) {
        fake_misuse("%s: %p was freed", what, address);
        return NULL;
    }
    if (offset > p->bytes || bytes > p->bytes - offset) {
        fake_misuse("%s: %zu bytes at offset %zu of %zu", what, bytes, offset, p->bytes);
        return NULL;
    }
    return p->kept + offset;
}

static size_t total(void)
{
    return (size_t)fake_number("memory", 81920) << 20;
}

size_t fake_memory_free(int device)
{
    size_t taken = 0;
    for (size_t i = 0; i < pieces_count; i++)
        if (pieces[i].kept && pieces[i].device == device) taken += pieces[i].bytes;
    return taken < total() ? total() - taken : 0;
}

static cudaError_t piece_new(size_t bytes, void **out)
{
    if (bytes > fake_memory_free(fake_device())) return cudaErrorMemoryAllocation;
    if (!reserve() || used + bytes + 2 * GAP > RANGE) return cudaErrorMemoryAllocation;
    if (pieces_count == pieces_room) {
        pieces_room = pieces_room ? 2 * pieces_room : 64;
        pieces = realloc(pieces, pieces_room * sizeof *pieces);
        if (!pieces) abort();
    }
    unsigned char *const kept = malloc(bytes);
    if (!kept) return cudaErrorMemoryAllocation;
    memset(kept, 0xff, bytes < FRESH ? bytes : FRESH);
    used += GAP;
    pieces[pieces_count++] = (piece){used, bytes, kept, fake_device()};
    *out = range + used;
    used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    fake_object_add(*out, "piece of memory on the device");
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **out, size_t bytes)
{
    FAKE_ENTRY(fake_result(cudaErrorMemoryAllocation))
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    if (!out) FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    *out = NULL;
    if (fake_capturing("cudaMalloc")) FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    FAKE_RETURN(fake_result(bytes ? piece_new(bytes, out) : cudaSuccess));
}

/* Waits for the device, as the real one does. */
cudaError_t cudaFree(void *address)
{
    FAKE_RELEASE();
    if (!address) FAKE_RETURN(fake_result(cudaSuccess));
    fake_capturing("cudaFree");
    fake_run_all();
    piece *const p = piece_of(address);
    if (!p || !p->kept || range + p->at != (unsigned char *)address) {
        fake_misuse("cudaFree: %p was not allocated, or was freed", address);
        FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    }
    free(p->kept);
    p->kept = NULL;
    fake_object_remove(address);
    FAKE_RETURN(fake_result(fails ? cudaErrorUnknown : fake_broken()));
}

cudaError_t cudaMemGetInfo(size_t *left, size_t *whole)
{
    FAKE_ENTRY(fake_result(cudaErrorUnknown))
    *left = fake_memory_free(fake_device());
    *whole = total();
    FAKE_RETURN(fake_result(fake_broken()));
}

/* ---- pinned memory of the host ---- */

static const char pinned[] = "piece of pinned memory";

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned flags)
{
    FAKE_ENTRY(fake_result(cudaErrorMemoryAllocation))
    (void)flags;
    if (fake_broken()) FAKE_RETURN(fake_result(fake_broken()));
    if (fake_capturing("pinning memory"))
        FAKE_RETURN(fake_result(cudaErrorStreamCaptureUnsupported));
    *out = malloc(bytes ? bytes : 1);
    if (!*out) abort();
    memset(*out, 0xff, bytes);
    fake_object_add(*out, pinned);
    FAKE_RETURN(fake_result(cudaSuccess));
}

cudaError_t cudaMallocHost(void **out, size_t bytes)
{
    FAKE_ENTRY(fake_result(cudaErrorMemoryAllocation))
    FAKE_RETURN(cudaHostAlloc(out, bytes, cudaHostAllocDefault));
}

cudaError_t cudaFreeHost(void *memory)
{
    FAKE_RELEASE();
    if (!memory) FAKE_RETURN(fake_result(cudaSuccess));
    fake_run_all();
    if (!fake_object_is(memory, pinned)) FAKE_RETURN(fake_result(cudaErrorInvalidValue));
    fake_object_remove(memory);
    free(memory);
    FAKE_RETURN(fake_result(fails ? cudaErrorUnknown : fake_broken()));
}

/* The range itself and the table are the process's; freed so that leak checkers stay silent. */
__attribute__((destructor)) static void release(void)
{
    for (size_t i = 0; i < pieces_count; i++) free(pieces[i].kept);
    free(pieces);
    pieces = NULL;
    pieces_count = 0;
    if (range) munmap(range, RANGE);
    range = NULL;
}
