/* The generator of philox.h as functions that devices run as well. */
#ifndef S2CLR_BASE_PHILOX_ROUNDS_H
#define S2CLR_BASE_PHILOX_ROUNDS_H

#include <stdint.h>

#include "base/everywhere.h"

/* Ten rounds; multipliers and Weyl increments of the paper's table 2. */
S2CLR_EVERYWHERE void s2clr_philox_rounds(const uint32_t key[2], const uint32_t counter[4],
                                          uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* Words 4 block to 4 block + 3 of (seed, stream). */
S2CLR_EVERYWHERE void s2clr_philox_block(uint64_t seed, uint64_t stream, uint64_t block,
                                         uint32_t out[4])
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                                 (uint32_t)(stream >> 32)};
    s2clr_philox_rounds(key, counter, out);
}

/* (word >> 8) * 2^-24: in [0, 1), exactly representable. */
S2CLR_EVERYWHERE float s2clr_philox_uniform(uint32_t word)
{
    return (float)(word >> 8) * 5.9604644775390625e-8f;
}

#endif
