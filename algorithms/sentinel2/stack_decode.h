/*
 * What reading a window of a stack makes GDAL decode: whole blocks of the sources, tiles of a JP2
 * for instance, however little of them is asked for.
 *
 *     const uint64_t bytes = s2clr_stack_decode_bytes(stack, x0, y0, w, h);
 */
#ifndef S2CLR_SENTINEL2_STACK_DECODE_H
#define S2CLR_SENTINEL2_STACK_DECODE_H

#include <stdint.h>

#include "sentinel2/stack.h"

/* Bytes of the blocks of all bound bands, and of the scene classification where it masks, that the
 * window meets; every block counts once. 0 outside. */
uint64_t s2clr_stack_decode_bytes(const s2clr_stack *stack, int64_t x0, int64_t y0, int w, int h);

#endif
