/*
 * From logits to probabilities, and what a probability says: temperature, prevalence, entropy.
 *
 *     p = s2clr_probability_of_logit(logit, 1.5);      // of a model: file/card_probability.h
 *     p = s2clr_probability_shift(p, card->prevalence, 0.1);
 *
 * NaN in, NaN out. Pure arithmetic; thread-safe.
 */
#ifndef S2CLR_FILE_PROBABILITY_H
#define S2CLR_FILE_PROBABILITY_H

#include <stddef.h>

/* 1 / (1 + exp(-logit / temperature)). Guo et al., On calibration of modern neural networks,
 * ICML 2017. temperature > 0. */
double s2clr_probability_of_logit(double logit, double temperature);

/* The probability when positives make up the share `to` of all, from one that holds when they make
 * up `from`: both in (0, 1). Saerens, Latinne, Decaestecker, Neural Computation 14, 2002, eq. 2.4.
 * 0 and 1 stay; from == to returns p itself. */
double s2clr_probability_shift(double p, double from, double to);

/* Entropy of a yes/no answer in bits: 0 (certain) to 1 (p = 0.5). */
double s2clr_probability_entropy(double p);

/* Entropy of an answer of k kinds in bits: 0 to log2(k). p: k floats, `gap` apart. */
double s2clr_probability_entropy_of(const float *p, size_t k, size_t gap);

#endif
