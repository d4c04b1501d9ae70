#include "base/philox.h"

#include <math.h>

#define ROUNDS 10

/* Multipliers and Weyl increments of the paper's table 2. */
static const uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
static const uint32_t increment[2] = {0x9E3779B9u, 0xBB67AE85u};

void s2clr_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t p0 = (uint64_t)multiplier[0] * c0;
        const uint64_t p1 = (uint64_t)multiplier[1] * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += increment[0];
        k1 += increment[1];
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

uint32_t s2clr_random_u32(uint64_t seed, uint64_t stream, uint64_t index)
{
    const uint64_t block = index / 4;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                                 (uint32_t)(stream >> 32)};
    uint32_t words[4];
    s2clr_philox(key, counter, words);
    return words[index % 4];
}

float s2clr_random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (float)(s2clr_random_u32(seed, stream, index) >> 8) * 0x1p-24f;
}

float s2clr_random_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    const double tau = 6.283185307179586476925286766559;
    /* +1: the logarithm's argument is in (0, 1], never 0. */
    const double u = ((double)s2clr_random_u32(seed, stream, 2 * index) + 1.0) * 0x1p-32;
    const double v = (double)s2clr_random_u32(seed, stream, 2 * index + 1) * 0x1p-32;
    return (float)(sqrt(-2.0 * log(u)) * cos(tau * v));
}

uint32_t s2clr_random_below(uint64_t seed, uint64_t stream, uint64_t index, uint32_t bound)
{
    return (uint32_t)(((uint64_t)s2clr_random_u32(seed, stream, index) * bound) >> 32);
}
