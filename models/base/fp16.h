/* IEEE half precision: 1 sign, 5 exponent, 10 fraction bits. */
#ifndef S2CLR_BASE_FP16_H
#define S2CLR_BASE_FP16_H

#include <stdint.h>
#include <string.h>

/* To the nearest, ties to even; beyond 65504 to infinity. A NaN stays one and is made quiet. */
static inline uint16_t s2clr_fp16_narrow(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = (bits >> 16) & 0x8000u, size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | ((size >> 13) & 0x1ffu));
    if (size >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);
    uint32_t kept, lost, half;
    if (size >= 0x38800000u) {
        kept = (size - 0x38000000u) >> 13; /* the exponents' zeros are 127 and 15 */
        lost = size & 0x1fffu;
        half = 0x1000u;
    } else { /* below 2^-14: multiples of 2^-24 */
        const uint32_t shift = 126u - (size >> 23);
        if (shift > 24) return (uint16_t)sign;
        const uint32_t fraction = (size & 0x7fffffu) | 0x800000u;
        kept = fraction >> shift;
        lost = fraction & ((1u << shift) - 1u);
        half = 1u << (shift - 1u);
    }
    kept += lost > half || (lost == half && (kept & 1u));
    return (uint16_t)(sign | kept);
}

static inline float s2clr_fp16_widen(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, size = half & 0x7fffu;
    uint32_t bits;
    float value;
    if (size < 0x0400u) {
        value = (float)size * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
    } else {
        bits = (size << 13) + (size < 0x7c00u ? 0x38000000u : 0x70000000u);
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
