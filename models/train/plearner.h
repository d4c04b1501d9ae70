/*
 * Private to learner*.c: the table of what tells the kinds of learner apart, and what those share
 * that have a step of their own.
 *
 * learner.c           the door: kinds, what is up to date
 * learner_bounds.c    bytes, and whether they are there
 * learner_step.c      a step, parts of a batch, ranks: of the host's and the resident learner
 * learner_host.c      arrays of the host
 * learner_resident.c  arrays of a device
 * learner_group.c     resident learners of several devices
 */
#ifndef S2CLR_TRAIN_PLEARNER_H
#define S2CLR_TRAIN_PLEARNER_H

#include "backend/backend_training.h"
#include "train/learner.h"

typedef struct learner_kind {
    s2clr_status (*open)(s2clr_learner *l);
    void (*close)(s2clr_learner *l); /* also after a failure */
    s2clr_status (*load)(s2clr_learner *l);
    s2clr_status (*fetch)(s2clr_learner *l);
    s2clr_status (*forward)(s2clr_learner *l, size_t part, const float *x, float *out);
    s2clr_status (*look)(s2clr_learner *l, const float *x, float *out);
    s2clr_status (*backward)(s2clr_learner *l, size_t part, const float *dout);
    s2clr_status (*update)(s2clr_learner *l, double rate, uint64_t step);
    s2clr_status (*gradient)(s2clr_learner *l, float *out);
    /* Of those that have a step: around a part's forward and backward, where a batch has several.
     */
    s2clr_status (*before_forward)(s2clr_learner *l, size_t part);
    s2clr_status (*after_forward)(s2clr_learner *l, size_t part);
    s2clr_status (*before_backward)(s2clr_learner *l, size_t part);
    s2clr_status (*after_backward)(s2clr_learner *l, size_t part);
} learner_kind;

struct s2clr_learner {
    const learner_kind *kind;
    s2clr_learner_options options;
    s2clr_machine on;
    size_t trainable, running;   /* floats of params: weights, then running statistics */
    bool stale;                  /* params and moments of the options are not up to date */
    char note[400];              /* what was chosen otherwise than one would think; "": nothing */
    struct learner_group *group; /* learner_group.c; the rest is for those that have a step */
    s2clr_step *step;
    float *params;             // (trainable + running)
    float *gradient;           // (trainable)
    float *part;               // (trainable) of one part; NULL: a batch has one
    float *moments;            // (optimiser->moments, trainable)
    float *kept;               // (running) running statistics before the batch
    double *sum;               // (running) host: of the parts
    float *moved;              // (parts, running) resident: after each part
    s2clr_update_range *range; // (parameters) resident
    void *scratch;             /* resident: of updates */
};

extern const learner_kind s2clr_learner_host, s2clr_learner_resident, s2clr_learner_group;

/* A learner of that kind that has no arrays yet. */
s2clr_learner s2clr_learner_prepared(const learner_kind *kind, const s2clr_learner_options *options,
                                     const s2clr_machine *on);

/* Which of them, with a note where that is another than the options' place would have it. Refuses
 * what the devices have no room for. */
s2clr_status s2clr_learner_choose(const s2clr_learner_options *options, const s2clr_machine *on,
                                  s2clr_learner *out);

/* The kind that there is room for, if there is room. */
const learner_kind *s2clr_learner_kind_for(const s2clr_learner_options *options,
                                           const s2clr_machine *on);

/* ---- learner_step.c ---- */

s2clr_status s2clr_learner_step_open(s2clr_learner *l);
s2clr_status s2clr_learner_step_forward(s2clr_learner *l, size_t part, const float *x, float *out);
s2clr_status s2clr_learner_step_look(s2clr_learner *l, const float *x, float *out);
s2clr_status s2clr_learner_step_backward(s2clr_learner *l, size_t part, const float *dout);

/* What rank 0 has, for all; the gradient of all ranks, and one of their running statistics. Of a
 * learner that is alone: nothing. */
s2clr_status s2clr_learner_step_share(s2clr_learner *l);
s2clr_status s2clr_learner_step_gather(s2clr_learner *l);

/* ---- learner_group.c ---- */

/* The options of one of `count` learners that share the batches of those. */
s2clr_status s2clr_learner_slice(const s2clr_learner_options *options, int count,
                                 s2clr_learner_options *out);

#endif
