/* bfloat16: the upper half of a float. */
#ifndef S2CLR_BASE_BF16_H
#define S2CLR_BASE_BF16_H

#include <stdint.h>
#include <string.h>

/* To the nearest, ties to even. A NaN keeps its upper half and is made quiet: rounding could carry
 * it to infinity. */
static inline uint16_t s2clr_bf16_narrow(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    return (uint16_t)((value != value ? bits | 0x00400000u : rounded) >> 16);
}

static inline float s2clr_bf16_widen(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
