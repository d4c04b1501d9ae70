/* Winograd convolution in blocks of 16 channels, AVX-512. */
#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#define TARGET __attribute__((target("avx512f")))
#define MADD(a, b, c) ((vec)_mm512_fmadd_ps(_mm512_set1_ps(a), (__m512)(b), (__m512)(c)))
/* The second operand is what comes out when one is NaN: a NaN passes. */
#define RELU(v) ((vec)_mm512_max_ps(_mm512_setzero_ps(), (__m512)(v)))

#include "backend/onednn_wino_lanes.h"

const s2clr_winograd_lanes s2clr_winograd_avx512 = {weights, forward, gradient};

#endif
