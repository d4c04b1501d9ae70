/*
 * What inputs offer before any model asks for it: a card of every Sentinel-2 band they name, that
 * leaves DN as they are, to open them with.
 *
 *     s2clr_card card;
 *     S2CLR_TRY(s2clr_stack_offer(inputs, count, &options, NULL, &card));
 *     S2CLR_TRY(s2clr_stack_open(inputs, count, &card, &options, &stack));
 *
 * Network input through that card is DN + product offset; pixels are not resampled but repeated.
 * Levels L1C and L2A, both with DN 0 for "no data" where the raster declares none.
 */
#ifndef S2CLR_SENTINEL2_STACK_OFFER_H
#define S2CLR_SENTINEL2_STACK_OFFER_H

#include "sentinel2/stack.h"

/* bands: NULL for all there are, else names with commas between, all of which must be there. Fails
 * when the inputs name no band. The card owns nothing. */
s2clr_status s2clr_stack_offer(const char *const *inputs, size_t count,
                               const s2clr_stack_options *options, const char *bands,
                               s2clr_card *out);

/* How many different bands the inputs name (0: none, or not readable). Reports no error. */
int s2clr_stack_offered(const char *const *inputs, size_t count);

#endif
