/*
 * From the logits of a network to the probabilities that its card calibrates: the one place where
 * that happens.
 *
 *     p = s2clr_card_probability(card, logit);
 *     p = s2clr_probability_shift(p, card->prevalence, 0.023);     // file/probability.h
 *
 * One output, T the temperature, b the bias:
 *     without knots     log odds of p = logit / T + b
 *     with knots        p is linear between them; beyond the first and the last, where nothing was
 *                       measured, the log odds go on with slope 1 / T
 * so that p rises with the logit: who is above whom is never changed. K outputs: softmax of
 * logits / T.
 *
 * NaN in, NaN out. Thread-safe, no errors.
 */
#ifndef S2CLR_FILE_CARD_PROBABILITY_H
#define S2CLR_FILE_CARD_PROBABILITY_H

#include <stddef.h>

#include "file/card.h"

double s2clr_card_probability(const s2clr_card *card, double logit);

/* log(p / (1 - p)) of that, without rounding to 0 or 1 on the way. */
double s2clr_card_log_odds(const s2clr_card *card, double logit);

/* The logit that has that probability; p 0 and 1 give -infinity and infinity. */
double s2clr_card_logit(const s2clr_card *card, double p);

// p, logits: (k)
void s2clr_card_probabilities(const s2clr_card *card, const float *logits, size_t k, double *p);

#endif
