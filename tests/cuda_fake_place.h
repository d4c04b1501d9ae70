/*
 * What the kernels of the pretended device touch: before one runs, every pointer of its arguments
 * is looked up with all that it may touch behind it, and the place there put in its stead.
 *
 *     bool fake_place_add(cuda_add_args *a) // false: it must not run
 */
#ifndef S2CLR_TESTS_CUDA_FAKE_PLACE_H
#define S2CLR_TESTS_CUDA_FAKE_PLACE_H

#include "backend/cuda_kernels.h"
#include "cuda_fake.h"

/* *pointer = the place behind the address it holds; false when it is not there. */
bool fake_place(const void *pointer, size_t align, size_t bytes, const char *what);

/* Bytes of a native tensor. */
size_t fake_tensor(cuda_element element, const cuda_view *view);

#define PLACE(name, field, bytes) ok &= fake_place(&a->field, 16, bytes, #name ": " #field)
/* An array that training keeps: parameters begin anywhere. */
#define PLACE_ARRAY(name, field, elements)                                                         \
    ok &= fake_place(&a->field, sizeof *a->field > 8 ? 8 : sizeof *a->field,                       \
                     (elements) * sizeof *a->field, #name ": " #field)
#define PLACE_IF(name, field, bytes)                                                               \
    if (a->field) PLACE(name, field, bytes)

#define FAKE_PLACE(name) bool fake_place_##name(cuda_##name##_args *a);
CUDA_KERNELS(FAKE_PLACE)
#undef FAKE_PLACE

#endif
