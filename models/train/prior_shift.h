/*
 * Metrics at another share of positives than the samples have: test sets are balanced or enriched,
 * the land is not.
 *
 *     q[i] = s2clr_probability_shift(p[i], card->prevalence, 0.023);     // file/probability.h
 *     at = s2clr_probability_shift(card->threshold, card->prevalence, 0.023);
 *     S2CLR_TRY(s2clr_metrics_at_prevalence(q, label, n, at, 0.023, 1000, seed, pool, &m));
 *
 * That shift (Saerens, Latinne and Decaestecker 2002; also behind predict's --prevalence) is
 * monotone: with the threshold moved along, every decision stays and only what it is worth changes.
 * Without moving it, fewer samples are called positive where positives are rarer. The caller has to
 * say which of the two it does.
 */
#ifndef S2CLR_TRAIN_PRIOR_SHIFT_H
#define S2CLR_TRAIN_PRIOR_SHIFT_H

#include "file/probability.h"
#include "train/metrics.h"

/* As s2clr_metrics_compute(), with every positive weighing prevalence / positives and every
 * negative (1 - prevalence) / negatives; resamples are drawn alike and weighted afresh, those with
 * one label only are left out. The counts n, positives, tp, fp, tn, fn stay those of the samples.
 * prevalence in (0, 1). S2CLR_ERR_ARGUMENT also when a label is absent: no weight makes up
 * for it. */
s2clr_status s2clr_metrics_at_prevalence(const double *p, const int *label, size_t n,
                                         double threshold, double prevalence, int resamples,
                                         uint64_t seed, s2clr_pool *pool, s2clr_metrics *out);

#endif
