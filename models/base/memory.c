#define _POSIX_C_SOURCE 200809L
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64 /* a cache line and the widest vector register */

s2clr_status s2clr_size_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return s2clr_error_set(S2CLR_ERR_MEMORY,
                               "a size of %zu x %zu does not fit this machine's address space", a,
                               b);
    *out = a * b;
    return S2CLR_OK;
}

s2clr_status s2clr_size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return s2clr_error_set(S2CLR_ERR_MEMORY,
                               "a size of %zu + %zu does not fit this machine's address space", a,
                               b);
    *out = a + b;
    return S2CLR_OK;
}

s2clr_status s2clr_alloc(size_t count, size_t size, const char *what, void **out)
{
    size_t bytes = 0;
    if (s2clr_size_mul(count, size, &bytes) != S2CLR_OK)
        return s2clr_error_set(S2CLR_ERR_MEMORY,
                               "%s: %zu items of %zu bytes do not fit this machine's address space",
                               what, count, size);
    void *pointer;
    if (posix_memalign(&pointer, ALIGNMENT, bytes ? bytes : 1) != 0)
        return s2clr_error_set(S2CLR_ERR_MEMORY,
                               "%s: out of memory (%zu bytes wanted); ask for less or free some",
                               what, bytes);
    memset(pointer, 0, bytes);
    *out = pointer;
    return S2CLR_OK;
}

void s2clr_free(void *pointer)
{
    free(pointer);
}

s2clr_status s2clr_strdup(const char *text, char **out)
{
    const size_t bytes = strlen(text) + 1;
    void *copy;
    S2CLR_TRY(s2clr_alloc(bytes, 1, "text", &copy));
    memcpy(copy, text, bytes);
    *out = copy;
    return S2CLR_OK;
}
