/*
 * Calibration: which probability a logit stands for, learned from samples that the network was not
 * trained on, and kept in the card.
 *
 *     S2CLR_TRY(s2clr_calibration_fit(S2CLR_CALIBRATION_PLATT, logit, label, n, 0, card));
 *     S2CLR_TRY(s2clr_calibration_score(card, logit, label, n, 0, &after));
 *
 * prevalence 0: samples count as they are; else as if positives made up that share, and the
 * probabilities hold for it. The logits are the network's own, whatever the card said before: a fit
 * gives the same curve whichever ones went before it.
 *
 * A temperature turns log odds about 0, and so cannot bring them to another share of positives than
 * the network was trained for. It is fitted as if the samples had that share, and the card goes on
 * saying it (again, after a bias or knots); a card whose share is 0 or 1, for which there are no
 * odds, keeps it, and its samples count as they are. Of K classes the card holds no shares, and
 * none are claimed: samples count as they are.
 */
#ifndef S2CLR_TRAIN_CALIBRATION_H
#define S2CLR_TRAIN_CALIBRATION_H

#include <stddef.h>

#include "base/status.h"
#include "file/card.h"

typedef enum s2clr_calibration_method {
    S2CLR_CALIBRATION_TEMPERATURE, /* one number: Guo, Pleiss, Sun and Weinberger 2017 */
    S2CLR_CALIBRATION_PLATT,       /* temperature and bias: Platt 1999, with his softened targets */
    S2CLR_CALIBRATION_ISOTONIC     /* any rising curve: pool adjacent violators, a knot in the
                                      middle of every pool (Oron and Flournoy 2017) */
} s2clr_calibration_method;

#define S2CLR_CALIBRATION_ENOUGH 50 /* samples of either label, below which isotonic overfits */

const char *s2clr_calibration_method_name(s2clr_calibration_method method);

/* Sets the temperature of the card, of one output, and its calibration but for part, samples and
 * ECE, which are the caller's; its prevalence, of bias and knots to `prevalence` or the share in
 * the samples; and its threshold so that every decision stays. S2CLR_ERR_ARGUMENT, the card
 * untouched: a label is absent, a logit is not finite; no finite temperature fits (the logits tell
 * all samples apart, or nothing, or the wrong way round); a temperature is to have a prevalence, or
 * follows on a curve whose card does not tell the network's. */
s2clr_status s2clr_calibration_fit(s2clr_calibration_method method, const float *logit,
                                   const int *label, size_t n, double prevalence, s2clr_card *card);

/* The temperature of K >= 2 logits per sample; the card's bias and knots become 0.
 * logits: (n, k); label: below k. */
s2clr_status s2clr_calibration_fit_classes(const float *logits, const int *label, size_t n,
                                           size_t k, s2clr_card *card);

typedef struct s2clr_calibration_scores {
    double nll;   /* mean of -log(probability of the label) */
    double brier; /* mean squared error; of K classes summed over them */
    double ece;   /* 15 equal-width bins; of K classes: of the most probable class */
} s2clr_calibration_scores;

/* How well the card's probabilities fit where positives make up `prevalence` (0: that of the
 * samples): they are moved there from the card's own, when that is between 0 and 1. */
s2clr_status s2clr_calibration_score(const s2clr_card *card, const float *logit, const int *label,
                                     size_t n, double prevalence, s2clr_calibration_scores *out);
s2clr_status s2clr_calibration_score_classes(const s2clr_card *card, const float *logits,
                                             const int *label, size_t n, size_t k,
                                             s2clr_calibration_scores *out);

#endif
