/*
 * Winograd convolution F(4 x 4, 3 x 3) over the native layout: 3 x 3 kernels, stride 1, pad 0 to 2,
 * with a quarter of the direct algorithm's products (Lavin and Gray, "Fast Algorithms for
 * Convolutional Neural Networks", CVPR 2016; matrices A, B, G are theirs).
 *
 *     y = A^T [ U . V ] A,  U = G w G^T,  V = B^T x B      per 6 x 6 input tile, 4 x 4 output tile
 *
 * "." is a matrix product over channels for each of the 36 places of a tile. The same three
 * transforms, transposed, give the gradients: that of x is a convolution of dy with w turned by
 * 180 degrees; that of w is  G^T [ (A dy A^T) . V ] G  with the product taken over tiles.
 */
#ifndef S2CLR_BACKEND_ONEDNN_WINOGRAD_H
#define S2CLR_BACKEND_ONEDNN_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

enum { WINOGRAD_PLACES = 36 };

/* One direction of one convolution; channel counts are filled up. */
typedef struct s2clr_winograd {
    int n, ic, oc, ih, iw, oh, ow, pad;
    int tile_rows, tile_cols;
    size_t tiles, group; /* all tiles; how many are transformed before they are multiplied */
} s2clr_winograd;

/* What is done to a finished tile of y. */
typedef struct s2clr_winograd_finish {
    const float *bias; // (oc) or NULL
    bool sum;          /* add what y holds */
    bool relu;
} s2clr_winograd_finish;

/* The arithmetic for one block size. `scratch` holds s2clr_winograd_scratch() floats. */
typedef struct s2clr_winograd_lanes {
    /* weight (k, c, 3, 3) of real channels -> u; turned: for the gradient of x */
    void (*weights)(const s2clr_winograd *shape, const float *weight, int k, int c, bool turned,
                    float *u);
    void (*forward)(const s2clr_winograd *shape, const float *x, const float *u,
                    s2clr_winograd_finish finish, float *y, float *scratch);
    void (*gradient)(const s2clr_winograd *shape, const float *x, const float *dy, int k, int c,
                     float *dweight, float *scratch);
} s2clr_winograd_lanes;

extern const s2clr_winograd_lanes s2clr_winograd_avx2;   /* blocks of 8 */
extern const s2clr_winograd_lanes s2clr_winograd_avx512; /* blocks of 16 */

/* For this block size on this processor; NULL when there is none. */
const s2clr_winograd_lanes *s2clr_winograd_for(int block);

/* Sets the shape up; `gradient`: for that of the weights. */
void s2clr_winograd_shape(int n, int ic, int oc, int ih, int iw, int pad, bool gradient,
                          s2clr_winograd *out);

size_t s2clr_winograd_weights(const s2clr_winograd *shape); /* floats of u */
size_t s2clr_winograd_scratch(const s2clr_winograd *shape, bool gradient);

/* Rows and places are a little longer than they have to be: a power of two apart, they would fight
 * for the same cache lines. */
enum { WINOGRAD_SKEW = 16 };

#endif
