/*
 * Checked, 64-byte aligned memory.
 *
 *     float *x;
 *     S2CLR_TRY(s2clr_alloc(count, sizeof *x, "activations", (void **)&x));
 *     ...
 *     s2clr_free(x);
 *
 * Sizes that depend on input always go through s2clr_size_mul()/s2clr_size_add(). Thread-safe.
 */
#ifndef S2CLR_BASE_MEMORY_H
#define S2CLR_BASE_MEMORY_H

#include <stddef.h>

#include "base/status.h"

/* *out = a * b (a + b); S2CLR_ERR_MEMORY when that overflows. */
s2clr_status s2clr_size_mul(size_t a, size_t b, size_t *out);
s2clr_status s2clr_size_add(size_t a, size_t b, size_t *out);

/* count * size zeroed bytes, 64-byte aligned; zero bytes gives a valid pointer. `what` names the
 * thing in the message. The caller frees *out with s2clr_free(). *out is written on success only. */
s2clr_status s2clr_alloc(size_t count, size_t size, const char *what, void **out);

/* Frees what s2clr_alloc() gave; NULL is allowed. */
void s2clr_free(void *pointer);

/* A heap copy of `text` (free with s2clr_free()). */
s2clr_status s2clr_strdup(const char *text, char **out);

#endif
