/*
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011).
 *
 *     float u = s2clr_random_uniform(seed, S2CLR_STREAM_AUGMENT, sample_index);
 *
 * A value depends on (seed, stream, index) only: no state, so threads, ranks and resumption cannot
 * change it, and a test in another language can make the same numbers (tests/golden/philox.py).
 *
 * Definition of word `index` of (seed, stream): key = {seed low, seed high}; counter =
 * {block low, block high, stream low, stream high} with block = index / 4; the value is word
 * index % 4 of the ten-round output. Thread-safe, no errors.
 */
#ifndef S2CLR_BASE_PHILOX_H
#define S2CLR_BASE_PHILOX_H

#include <stdint.h>

void s2clr_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

uint32_t s2clr_random_u32(uint64_t seed, uint64_t stream, uint64_t index);

/* (word >> 8) * 2^-24: in [0, 1), exactly representable. */
float s2clr_random_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* Standard normal by Box-Muller in double from words a = 2*index and b = 2*index + 1:
 * sqrt(-2 ln((a + 1) * 2^-32)) * cos(2 pi b * 2^-32). */
float s2clr_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* Uniform integer in [0, bound), bound >= 1: (word * bound) >> 32. */
uint32_t s2clr_random_below(uint64_t seed, uint64_t stream, uint64_t index, uint32_t bound);

#endif
