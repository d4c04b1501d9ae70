/*
 * From DN to network input, as the card defines it (file/card.h). Training and inference go
 * through these loops, so a pixel's value cannot depend on who prepared it.
 *
 *     s2clr_normalise_unit(card, level, offset, valid, pixels, dn, v); // card's unit, NaN =
 * invalid
 *     ... training augments v here ...
 *     s2clr_normalise_standard(card, pixels, v, x);                    // network input, invalid =
 * 0
 *
 * All planes are (bands, pixels), contiguous, in the card's band order. Arithmetic is float32,
 * element by element. Thread-safe.
 */
#ifndef S2CLR_TRAIN_NORMALISE_H
#define S2CLR_TRAIN_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "file/card.h"
#include "train/samples.h"

/* v = clamp(gain * (dn + offset) + bias, low, high); NaN in all bands of an invalid pixel.
 * offset: (bands) product offsets, NULL for 0. valid: (pixels) 0 = invalid; NULL: judged here by
 * the level's own nodata value. A band that is not finite makes its pixel invalid either way.
 * v may be dn. */
void s2clr_normalise_unit(const s2clr_card *card, const s2clr_card_level *level,
                          const double *offset, const uint8_t *valid, size_t pixels,
                          const float *dn, float *v);

/* x = (v - mean) / std, 0 where v is NaN. x may be v. */
void s2clr_normalise_standard(const s2clr_card *card, size_t pixels, const float *v, float *x);

/* Fills card->mean and card->std (double precision, reduced in sample order) from at most 4096
 * samples that (seed) chooses. S2CLR_ERR_MISMATCH when a band is constant. */
s2clr_status s2clr_normalise_measure(s2clr_card *card, const s2clr_card_level *level,
                                     const s2clr_samples *samples, uint64_t seed, s2clr_pool *pool);

#endif
