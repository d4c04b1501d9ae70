/*
 * The bands of a stack as they are in their files: own grid, own type, nothing added or resampled.
 *
 *     s2clr_native band;
 *     S2CLR_TRY(s2clr_stack_native(stack, i, &band));
 *     S2CLR_TRY(s2clr_stack_native_read(stack, i, 0, 0, 60, 60, dn));   // uint16_t dn[60 * 60]
 */
#ifndef S2CLR_SENTINEL2_STACK_NATIVE_H
#define S2CLR_SENTINEL2_STACK_NATIVE_H

#include "file/safetensors.h"
#include "sentinel2/stack.h"

typedef struct s2clr_native {
    const char *name; /* "B02", "SCL"; borrowed */
    const char *source;
    s2clr_dtype dtype;
    size_t pixel_bytes;
    int width, height;              /* pixels of the file */
    double scale, shift_x, shift_y; /* pixel x of the stack begins at scale * x + shift_x here */
} s2clr_native;

/* Bands as in the description; one more, with that index, is SCL when the stack has it. Fails for
 * types a patch cannot hold, naming the remedy. */
s2clr_status s2clr_stack_native(const s2clr_stack *stack, int index, s2clr_native *out);

/* Pixels of the file, which must lie inside it. out: (h, w) of the band's type. */
s2clr_status s2clr_stack_native_read(s2clr_stack *stack, int index, int x, int y, int w, int h,
                                     void *out);

#endif
