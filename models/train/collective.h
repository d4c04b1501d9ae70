/*
 * Several learners as one: each has a share of every batch, all have the same weights.
 *
 *     char name[S2CLR_GROUP_NAME];
 *     S2CLR_TRY(s2clr_collective_name(backend, name));            // once; the others are told it
 *     S2CLR_TRY(s2clr_collective_join(&machine, name, rank, ranks, &stop, &together));
 *     options.together = together;                                // of s2clr_learner_new()
 *     ...
 *     s2clr_collective_leave(together);
 *
 * A learner without one is alone. The gradient of a batch is the sum of what the ranks say: each
 * divides its loss by the whole batch. Batch norm sees a rank's own samples, and its running
 * statistics are those of rank 0. Every rank makes the same calls in the same order, and waits in
 * them for the others. When one of them fails elsewhere it sets `stop`, and all calls end, with an
 * error; a call that fails does so itself. train/learner.h does all this for the devices of one
 * machine.
 */
#ifndef S2CLR_TRAIN_COLLECTIVE_H
#define S2CLR_TRAIN_COLLECTIVE_H

#include "backend/backend_training.h"
#include "base/stop.h"
#include "train/machine.h"

typedef struct s2clr_collective {
    void *self;
    int rank, ranks;
    bool resident; /* arrays are the device's, and calls are queued on `stream`; else the host's */
    /* Sum over all ranks, of every element, for every rank: the same bits for all, and again when
     * it is done again. The order of ranks is the library's; where there is a choice, rising. */
    s2clr_status (*sum)(void *self, s2clr_stream *stream, size_t count, float *values);
    /* Rank 0's bytes for every rank. */
    s2clr_status (*share)(void *self, s2clr_stream *stream, size_t bytes, void *values);
} s2clr_collective;

/* A name for a new group of devices of that backend. S2CLR_ERR_UNSUPPORTED: it has none. */
s2clr_status s2clr_collective_name(const s2clr_backend *backend, char name[S2CLR_GROUP_NAME]);

/* The device of `on` as number `rank` of `ranks`, one device each. Returns when all have joined.
 * stop: of all ranks of this process, borrowed. */
s2clr_status s2clr_collective_join(const s2clr_machine *on, const char *name, int rank, int ranks,
                                   s2clr_stop *stop, s2clr_collective **out);
/* NULL: nothing. All learners that used it are gone. Waits for the others, which leave as well. */
void s2clr_collective_leave(s2clr_collective *together);

#endif
