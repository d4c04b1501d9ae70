/*
 * Teachers: what trained models say about the samples that a student will learn from.
 *
 *     S2CLR_TRY(s2clr_teach(models, count, card, "L2A", &train, "run/teacher.safetensors",
 *                           &machine, progress, logits));
 *     settings.soft = logits;
 *     S2CLR_TRY(s2clr_supervised_run(&settings, card, &train, &val, ...));
 *
 * Every teacher sees each sample once, unaugmented, prepared as its own card says: bands are found
 * by name among the student's, and the level must be one of the teacher's.
 */
#ifndef S2CLR_TRAIN_TEACH_H
#define S2CLR_TRAIN_TEACH_H

#include "base/progress.h"
#include "file/model.h"
#include "train/machine.h"
#include "train/samples.h"

/* What s2clr_teach() would refuse, found before anything is computed: outputs, bands, level, patch.
 * card: the student's; its bands are the samples'. */
s2clr_status s2clr_teach_check(const s2clr_model *const *models, size_t count,
                               const s2clr_card *card, const char *level);

/* logits: (samples->count, K), K = card->arch.outputs: of one teacher, as its card calibrates them;
 * of several, those of the mean of their probabilities, which are moved to the first one's share of
 * positives before, where both cards say one between 0 and 1. cache: file that keeps what
 * was computed, part by part, so that a killed run goes on where it was; NULL: none. A file of
 * other teachers or samples is S2CLR_ERR_MISMATCH. */
s2clr_status s2clr_teach(const s2clr_model *const *models, size_t count, const s2clr_card *card,
                         const char *level, const s2clr_samples *samples, const char *cache,
                         const s2clr_machine *on, const s2clr_progress *progress, float *logits);

/* Removes what the teachers of an earlier run said; nothing when there is no such file.
 * S2CLR_ERR_EXISTS: `cache` is something else, and stays. */
s2clr_status s2clr_teach_forget(const char *cache);

/* The least logit, of those above, that the teachers of one output call positive: by the mean of
 * their cards' thresholds, moved as their probabilities are. count >= 1. */
double s2clr_teach_least(const s2clr_model *const *models, size_t count);

/* The label that a row of such logits is for: (k); of one, from `least` on it is 1. */
int s2clr_teach_decision(const float *logits, size_t k, double least);

#endif
