/* Private to learner*.c: what the two kinds of learner share, and the table of what tells them
 * apart. */
#ifndef S2CLR_TRAIN_PLEARNER_H
#define S2CLR_TRAIN_PLEARNER_H

#include "backend/backend_training.h"
#include "train/learner.h"

typedef struct learner_kind {
    s2clr_status (*open)(s2clr_learner *l); /* arrays; the step is there */
    void (*close)(s2clr_learner *l);        /* also after a failure */
    s2clr_status (*load)(s2clr_learner *l);
    s2clr_status (*fetch)(s2clr_learner *l);
    /* Around a part's forward and backward, where a batch has several. */
    s2clr_status (*before_forward)(s2clr_learner *l, size_t part);
    s2clr_status (*after_forward)(s2clr_learner *l, size_t part);
    s2clr_status (*before_backward)(s2clr_learner *l, size_t part);
    s2clr_status (*after_backward)(s2clr_learner *l, size_t part);
    s2clr_status (*update)(s2clr_learner *l, double rate, uint64_t step);
    s2clr_status (*gradient)(s2clr_learner *l, float *out);
} learner_kind;

struct s2clr_learner {
    const learner_kind *kind;
    s2clr_learner_options options;
    s2clr_machine on;
    s2clr_step *step;
    size_t trainable, running; /* floats of params: weights, then running statistics */
    bool stale;                /* params and moments of the options are not up to date */
    /* Where the kind keeps them. */
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

extern const learner_kind s2clr_learner_host, s2clr_learner_resident;

#endif
