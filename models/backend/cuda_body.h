/*
 * Private to cuda_kernels.cu and the tests: what all kernel bodies are written in.
 *
 * A body is compiled by nvcc as device code and by the C compiler as an inline function: it uses
 * nothing but what stands here. Values pass in runs of CUDA_LANES, which is one load of 16 bytes
 * for the short formats and two for float32.
 */
#ifndef S2CLR_BACKEND_CUDA_BODY_H
#define S2CLR_BACKEND_CUDA_BODY_H

#include "backend/cuda_kernels.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define CUDA_BODY static __device__ __forceinline__
#else
#include <string.h>

#include "base/bf16.h"
#include "base/fp16.h"
#define CUDA_BODY static inline
#endif

typedef struct cuda_run {
    float v[CUDA_LANES];
} cuda_run;

/* ---- values ---- */

CUDA_BODY float cuda_widen(cuda_element element, uint16_t half)
{
#ifdef __CUDACC__
    return element == CUDA_BFLOAT16 ? __bfloat162float(__ushort_as_bfloat16(half))
                                    : __half2float(__ushort_as_half(half));
#else
    return element == CUDA_BFLOAT16 ? s2clr_bf16_widen(half) : s2clr_fp16_widen(half);
#endif
}

CUDA_BODY uint16_t cuda_narrow(cuda_element element, float value)
{
#ifdef __CUDACC__
    return element == CUDA_BFLOAT16 ? __bfloat16_as_ushort(__float2bfloat16_rn(value))
                                    : __half_as_ushort(__float2half_rn(value));
#else
    return element == CUDA_BFLOAT16 ? s2clr_bf16_narrow(value) : s2clr_fp16_narrow(value);
#endif
}

CUDA_BODY float cuda_get(cuda_element element, const void *values, size_t at)
{
    if (element == CUDA_FLOAT32) return ((const float *)values)[at];
    return cuda_widen(element, ((const uint16_t *)values)[at]);
}

CUDA_BODY void cuda_set(cuda_element element, void *values, size_t at, float value)
{
    if (element == CUDA_FLOAT32)
        ((float *)values)[at] = value;
    else
        ((uint16_t *)values)[at] = cuda_narrow(element, value);
}

/* ---- runs: `at` is a multiple of CUDA_LANES ---- */

/* 16 bytes at once: only a vector type makes the device do so. */
#ifdef __CUDACC__
typedef uint4 cuda_word4;
#else
typedef struct cuda_word4 {
    uint32_t x, y, z, w;
} cuda_word4;
#endif

CUDA_BODY cuda_run cuda_floats_at(const float *values, size_t at)
{
    const cuda_word4 *const from = (const cuda_word4 *)(const void *)(values + at);
    const cuda_word4 half[2] = {from[0], from[1]};
    cuda_run run;
    memcpy(run.v, half, sizeof run.v);
    return run;
}

CUDA_BODY cuda_run cuda_load(cuda_element element, const void *values, size_t at)
{
    if (element == CUDA_FLOAT32) return cuda_floats_at((const float *)values, at);
    const cuda_word4 word = ((const cuda_word4 *)values)[at / CUDA_LANES];
    uint16_t half[CUDA_LANES];
    cuda_run run;
    memcpy(half, &word, sizeof half);
    for (int l = 0; l < CUDA_LANES; l++) run.v[l] = cuda_widen(element, half[l]);
    return run;
}

CUDA_BODY void cuda_store(cuda_element element, void *values, size_t at, cuda_run run)
{
    if (element == CUDA_FLOAT32) {
        cuda_word4 *const to = (cuda_word4 *)values + at / 4;
        cuda_word4 half[2];
        memcpy(half, run.v, sizeof run.v);
        to[0] = half[0];
        to[1] = half[1];
        return;
    }
    uint16_t half[CUDA_LANES];
    cuda_word4 word;
    for (int l = 0; l < CUDA_LANES; l++) half[l] = cuda_narrow(element, run.v[l]);
    memcpy(&word, half, sizeof half);
    ((cuda_word4 *)values)[at / CUDA_LANES] = word;
}

CUDA_BODY cuda_run cuda_zeros(void)
{
    cuda_run run;
    for (int l = 0; l < CUDA_LANES; l++) run.v[l] = 0.0f;
    return run;
}

/* ---- indices ---- */

/* Takes the last factor off an index: returns *i % by and divides *i. Almost every index fits 32
 * bits, whose division is several times faster on the device. */
CUDA_BODY size_t cuda_split(size_t *i, size_t by)
{
    if (((*i | by) >> 32) == 0) {
        const uint32_t whole = (uint32_t)*i / (uint32_t)by;
        const size_t rest = (uint32_t)*i - whole * (uint32_t)by;
        *i = whole;
        return rest;
    }
    const size_t rest = *i % by;
    *i /= by;
    return rest;
}

/* A run of channels of one pixel: index (n, row, column, block of lanes). */
typedef struct cuda_place {
    size_t n, row, column, channel; /* channel: the first of the run */
} cuda_place;

CUDA_BODY cuda_place cuda_place_of(const cuda_view *view, size_t i)
{
    cuda_place place;
    place.channel = cuda_split(&i, view->lanes / CUDA_LANES) * CUDA_LANES;
    place.column = cuda_split(&i, view->w);
    place.row = cuda_split(&i, view->h);
    place.n = i;
    return place;
}

CUDA_BODY size_t cuda_at(const cuda_view *view, size_t n, size_t row, size_t column, size_t channel)
{
    return ((n * view->h + row) * view->w + column) * view->lanes + channel;
}

/* Indices of a kernel that goes through all of a view. */
static inline size_t cuda_view_runs(const cuda_view *view)
{
    return cuda_view_count(view) / CUDA_LANES;
}

/* ---- arithmetic ---- */

/* A NaN passes: hiding one would hide a broken model. */
CUDA_BODY float cuda_act(float value, bool relu)
{
    return relu && value < 0.0f ? 0.0f : value;
}

/* The gradient inside the activation. y: NULL when there was none. */
CUDA_BODY cuda_run cuda_masked(cuda_element element, const void *y, const void *dy, size_t at)
{
    cuda_run g = cuda_load(element, dy, at);
    if (!y) return g;
    const cuda_run passed = cuda_load(element, y, at);
    for (int l = 0; l < CUDA_LANES; l++)
        if (!(passed.v[l] > 0.0f)) g.v[l] = 0.0f;
    return g;
}

#endif
