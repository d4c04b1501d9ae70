/*
 * A network run over samples: one row of numbers each, whatever the threads and the company.
 *
 *     const s2clr_scorer_options options = {.net = net, .params = w, .card = card, .level = "L2A",
 *                                           .samples = &val, .output = S2CLR_OUTPUT_LOGITS};
 *     S2CLR_TRY(s2clr_scorer_new(&options, backend, device, pool, &scorer));
 *     S2CLR_TRY(s2clr_scorer_run(scorer, 0, val.count, progress, logits));
 */
#ifndef S2CLR_TRAIN_SCORER_H
#define S2CLR_TRAIN_SCORER_H

#include "base/pool.h"
#include "base/progress.h"
#include "file/card.h"
#include "train/samples.h"

typedef struct s2clr_scorer s2clr_scorer;

typedef struct s2clr_scorer_options {
    const s2clr_net *net;
    const float *params;
    const s2clr_card *card; /* of the network: bands, statistics, levels, patch */
    const char *level;      /* of the samples' DN; a level of the card */
    const s2clr_samples *samples;
    const int *band;     // (card->bands) channel of the samples for each; NULL: they are the same
    s2clr_output output; /* LOGITS, FEATURES or PROJECTION */
} s2clr_scorer_options;

/* Everything borrowed must outlive the scorer; params need not. S2CLR_ERR_MISMATCH names what does
 * not fit. Free with s2clr_scorer_free(). */
s2clr_status s2clr_scorer_new(const s2clr_scorer_options *options, const s2clr_backend *backend,
                              s2clr_device *device, s2clr_pool *pool, s2clr_scorer **out);
void s2clr_scorer_free(s2clr_scorer *scorer);

/* Whether a device with memory of its own has room for one, found by making it: what comes at the
 * end of an epoch would otherwise fail only then. Nothing on any other. */
s2clr_status s2clr_scorer_try(const s2clr_scorer_options *options, const s2clr_backend *backend,
                              s2clr_device *device, s2clr_pool *pool);

size_t s2clr_scorer_width(const s2clr_scorer *scorer); /* numbers per sample */

/* Rows of samples [first, first + count), rows: (count, width). A number that is not finite is an
 * error that names the sample. One thread at a time. */
s2clr_status s2clr_scorer_run(s2clr_scorer *scorer, size_t first, size_t count,
                              const s2clr_progress *progress, float *rows);

#endif
