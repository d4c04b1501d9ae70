/*
 * A network that learns: its weights, their gradient and the optimiser's moments, wherever they are
 * kept. Training loops go through this door and do not know which of three it is:
 *
 *   host      arrays of the machine's memory, the batch shared out over the pool
 *   resident  arrays of the device (backend_training.h), which weights and gradients never leave
 *             while they are trained; the batch runs as one
 *   group     one resident learner on each of the machine's devices: each has an equal slice of
 *             every part, in the order of the devices, and they add up their gradients
 *             (collective.h)
 *
 *     const s2clr_learner_options options = {.net = net, .step = step, .parts = 1,
 *                                            .optimiser = adamw, .numbers = numbers,
 *                                            .params = weights, .moments = moments};
 *     S2CLR_TRY(s2clr_learner_new(&options, &machine, &learner));
 *     S2CLR_TRY(s2clr_learner_load(learner));               // `weights` and `moments` are taken
 * over S2CLR_TRY(s2clr_learner_forward(learner, 0, x, logits));
 *     ... loss: logits -> dlogits ...
 *     S2CLR_TRY(s2clr_learner_backward(learner, 0, dlogits));
 *     S2CLR_TRY(s2clr_learner_update(learner, rate, 1));
 *     S2CLR_TRY(s2clr_learner_fetch(learner));              // ... and are up to date again
 *
 * A batch may be computed in several parts of one size, each forward and backward in turn, part 0
 * first: their gradients are added in that order, batch norm sees the samples of one part, and its
 * running statistics move once, by the mean of what the parts would have moved them.
 *
 * A loss is the caller's, over all that forward gives, so that of a group is over the whole part as
 * well. Batch norm is not: it sees the samples of a slice, and its running statistics are those of
 * the first device. So a group learns what one device does with as many parts, and another number
 * of devices is another run. When one device fails the others are not waited for: the call ends
 * with its error, and so do all later ones.
 */
#ifndef S2CLR_TRAIN_LEARNER_H
#define S2CLR_TRAIN_LEARNER_H

#include "net/step.h"
#include "train/collective.h"
#include "train/machine.h"
#include "train/optimiser.h"

typedef struct s2clr_learner s2clr_learner;

typedef enum s2clr_learner_place {
    S2CLR_LEARNER_ANYWHERE, /* resident where the device's memory is not the machine's, and has room
                             * for that */
    S2CLR_LEARNER_HOST,
    S2CLR_LEARNER_RESIDENT
} s2clr_learner_place;

typedef struct s2clr_learner_options {
    const s2clr_net *net;
    s2clr_step_options step; /* of one part; `resident` is the learner's, and micro where it is */
    size_t parts;            /* of a batch */
    const s2clr_optimiser *optimiser;
    s2clr_optimiser_settings numbers;
    float *params;              // (param_count) the host's copy, borrowed
    float *moments;             // (optimiser->moments, trainable) likewise
    s2clr_learner_place place;  /* several devices: RESIDENT, whatever this says */
    s2clr_collective *together; /* others that learn the same; NULL: alone */
    /* For messages: the option that says how large a part is, and how many samples of the step it
     * counts as one (0: 1). NULL: there is none. */
    const char *part_option;
    int part_unit;
    size_t beside; /* bytes of the device's own memory that the caller needs beside the learner */
} s2clr_learner_options;

/* What a learner holds beside params and moments. */
typedef struct s2clr_learner_bytes {
    size_t host;
    size_t device; /* of each device's own memory; 0 where that is the machine's */
} s2clr_learner_bytes;

/* Everything borrowed must outlive the learner. S2CLR_ERR_MEMORY where the device has no room: the
 * message says what would fit. Free with s2clr_learner_free(). */
s2clr_status s2clr_learner_new(const s2clr_learner_options *options, const s2clr_machine *on,
                               s2clr_learner **out);
void s2clr_learner_free(s2clr_learner *learner);

/* Why the weights are not kept where one would think, a line for the user; "" when they are. */
const char *s2clr_learner_note(const s2clr_learner *learner);

/* Found without allocating anything. */
s2clr_status s2clr_learner_needs(const s2clr_learner_options *options, const s2clr_machine *on,
                                 s2clr_learner_bytes *out);

/* Whether this machine has room for that, as far as it can be known. */
bool s2clr_learner_fits(const s2clr_machine *on, const s2clr_learner_bytes *bytes);

/* Whether batches may be made on the learner's device. */
bool s2clr_learner_can_take_resident(const s2clr_learner *learner);
/* From now on x of forward and look is an array of the device, made by what was queued on the
 * stream that is returned. NULL: this learner goes on taking arrays of the host. */
s2clr_stream *s2clr_learner_take_resident(s2clr_learner *learner);

/* Takes over what params and moments of the options say now; together, those of rank 0. */
s2clr_status s2clr_learner_load(s2clr_learner *learner);
/* Brings them up to date. */
s2clr_status s2clr_learner_fetch(s2clr_learner *learner);

/* x and out as for s2clr_step_forward(). */
s2clr_status s2clr_learner_forward(s2clr_learner *learner, size_t part, const float *x, float *out);
/* A look at a part that leaves the running statistics alone; no backward may follow. */
s2clr_status s2clr_learner_look(s2clr_learner *learner, const float *x, float *out);
/* dout: as for s2clr_step_backward(); must follow the forward of the same part. */
s2clr_status s2clr_learner_backward(s2clr_learner *learner, size_t part, const float *dout);

/* One step of the optimiser, numbered from 1, with the gradient of the last batch. */
s2clr_status s2clr_learner_update(s2clr_learner *learner, double rate, uint64_t step);

/* A copy of that gradient, after the update: (trainable). */
s2clr_status s2clr_learner_gradient(s2clr_learner *learner, float *out);

#endif
