/* Geometry of Winograd convolution and the choice of its arithmetic. */
#include "backend/onednn_winograd.h"

/* Transformed tiles of x and y are to stay in the second-level cache; for the gradient in the
 * third: there each group reads and writes a whole set of weights. */
enum { GROUP_FLOATS = 96 * 1024, GRADIENT_GROUP_FLOATS = 512 * 1024, GROUP_STEP = 6 };

const s2clr_winograd_lanes *s2clr_winograd_for(int block)
{
#if defined(__x86_64__)
    if (block == 16 && __builtin_cpu_supports("avx512f")) return &s2clr_winograd_avx512;
    if (block == 8 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &s2clr_winograd_avx2;
#endif
    (void)block;
    return NULL;
}

void s2clr_winograd_shape(int n, int ic, int oc, int ih, int iw, int pad, bool gradient,
                          s2clr_winograd *out)
{
    s2clr_winograd shape = {.n = n, .ic = ic, .oc = oc, .ih = ih, .iw = iw, .pad = pad};
    shape.oh = ih + 2 * pad - 2;
    shape.ow = iw + 2 * pad - 2;
    shape.tile_rows = (shape.oh + 3) / 4;
    shape.tile_cols = (shape.ow + 3) / 4;
    shape.tiles = (size_t)n * (size_t)shape.tile_rows * (size_t)shape.tile_cols;
    const size_t one = WINOGRAD_PLACES * ((size_t)ic + (size_t)oc + 2 * WINOGRAD_SKEW);
    const size_t steps = (gradient ? GRADIENT_GROUP_FLOATS : GROUP_FLOATS) / (one * GROUP_STEP);
    shape.group = (steps < 2 ? 2 : steps) * GROUP_STEP;
    if (shape.group > shape.tiles) shape.group = shape.tiles;
    *out = shape;
}

/* Weights lie in panels of 16 or 32 output channels. */
size_t s2clr_winograd_weights(const s2clr_winograd *shape)
{
    const size_t panels = (size_t)shape->oc / 16 + 1;
    return WINOGRAD_PLACES * ((size_t)shape->ic * (size_t)shape->oc + panels * WINOGRAD_SKEW);
}

size_t s2clr_winograd_scratch(const s2clr_winograd *shape, bool gradient)
{
    const size_t row = (size_t)shape->ic + (size_t)shape->oc + 2 * WINOGRAD_SKEW;
    const size_t panel = WINOGRAD_PLACES * (32 * (size_t)shape->ic + WINOGRAD_SKEW);
    const size_t kept = shape->group == shape->tiles ? panel : s2clr_winograd_weights(shape);
    return WINOGRAD_PLACES * shape->group * row + (gradient ? kept : 0);
}
