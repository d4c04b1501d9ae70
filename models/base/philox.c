#include "base/philox.h"

#include <math.h>

#include "base/philox_rounds.h"

void s2clr_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
    s2clr_philox_rounds(key, counter, out);
}

uint32_t s2clr_random_u32(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t words[4];
    s2clr_philox_block(seed, stream, index / 4, words);
    return words[index % 4];
}

float s2clr_random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return s2clr_philox_uniform(s2clr_random_u32(seed, stream, index));
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
