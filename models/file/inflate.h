/*
 * From three channels to more: weights of a network for RGB pictures made to fit other bands.
 *
 *     S2CLR_TRY(s2clr_inflate(rgb, from, net, card, "rgb", to));
 *
 * In the first convolution, the kernels for red, green and blue go to the bands B04, B03 and B02;
 * every other band gets their mean; all are multiplied by 3 / bands, so that an input with the same
 * standardised value in all bands gives the response that it gave before. The rest is copied.
 */
#ifndef S2CLR_FILE_INFLATE_H
#define S2CLR_FILE_INFLATE_H

#include "file/card.h"

/* rgb: the architecture of `net` with 3 channels; from: its parameters; order: "rgb", or "bgr" as
 * in weights that Caffe made. */
s2clr_status s2clr_inflate(const s2clr_net *rgb, const float *from, const s2clr_net *net,
                           const s2clr_card *card, const char *order, float *to);

#endif
