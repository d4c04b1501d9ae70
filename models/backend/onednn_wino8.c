/* Winograd convolution in blocks of 8 channels, AVX2 and FMA. */
#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 8
#define TARGET __attribute__((target("avx2,fma")))
#define MADD(a, b, c) ((vec)_mm256_fmadd_ps(_mm256_set1_ps(a), (__m256)(b), (__m256)(c)))
/* The second operand is what comes out when one is NaN: a NaN passes. */
#define RELU(v) ((vec)_mm256_max_ps(_mm256_setzero_ps(), (__m256)(v)))

#include "backend/onednn_wino_lanes.h"

const s2clr_winograd_lanes s2clr_winograd_avx2 = {weights, forward, gradient};

#endif
