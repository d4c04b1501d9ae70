/*
 * From logits to probabilities, and what a probability says: temperature, prevalence, entropy.
 *
 *     p = s2clr_probability_of_logit(logit, card->temperature);
 *     p = s2clr_probability_shift(p, card->prevalence, 0.1);
 *
 * NaN in, NaN out. Pure arithmetic; thread-safe.
 */
#ifndef S2CLR_FILE_PROBABILITY_H
#define S2CLR_FILE_PROBABILITY_H

/* 1 / (1 + exp(-logit / temperature)). Guo et al., On calibration of modern neural networks,
 * ICML 2017. temperature > 0. */
double s2clr_probability_of_logit(double logit, double temperature);

/* The probability when positives make up the share `to` of all, from one that holds when they make
 * up `from`: both in (0, 1). Saerens, Latinne, Decaestecker, Neural Computation 14, 2002, eq. 2.4.
 * 0 and 1 stay; from == to returns p itself. */
double s2clr_probability_shift(double p, double from, double to);

/* Entropy of a yes/no answer in bits: 0 (certain) to 1 (p = 0.5). */
double s2clr_probability_entropy(double p);

#endif
