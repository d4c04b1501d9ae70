/*
 * Private to models/net: a training batch as a program.
 *
 * Everything that one micro-batch ("unit") can do without knowing of the others is one segment: the
 * pool shares out the units of a segment, each runs all actions of it on its own piece, which stays
 * in cache. A segment ends where whole-batch numbers are needed: at the sums of a batch norm. Then
 * the calling thread adds up sums and weight gradients in unit order and the next segment starts.
 */
#ifndef S2CLR_NET_PSTEP_H
#define S2CLR_NET_PSTEP_H

#include "backend/backend_training.h"
#include "net/pnet.h"
#include "net/repeat.h"
#include "net/step.h"

typedef enum s2clr_act {
    S2CLR_ACT_FORWARD,
    S2CLR_ACT_REDUCE, /* batch norm: sums of its input */
    S2CLR_ACT_BACKWARD,
    S2CLR_ACT_REDUCE_BACKWARD
} s2clr_act;

typedef struct s2clr_action {
    s2clr_act act;
    int node;
} s2clr_action;

typedef struct s2clr_segment {
    size_t first, count; /* actions */
    int norm;            /* batch norm whose sums this segment ends with, -1: none */
} s2clr_segment;

typedef struct s2clr_program {
    s2clr_action *action;
    s2clr_segment *segment;
    size_t actions, segments;
} s2clr_program;

typedef struct s2clr_step_node {
    bool needed;
    s2clr_op *op;
    size_t value_bytes; /* native, of one unit */
    char *value;        /* (units) values, kept for backward; or in a worker's passing place */
    bool passing;       /* only frozen nodes read it: one place per worker will do */
    char *workspace;    /* (units) */
    size_t workspace_bytes;
    void *packed;         /* CONV */
    size_t weight_at;     /* CONV: where its gradient lies in a unit's weight-gradient buffer */
    float *coefficient;   // BATCHNORM: (5, C) scale, shift, and a, b, d of dx = a g + b x + d
    double *moment;       // BATCHNORM: (2, C) mean and 1/sqrt(variance + epsilon) of the batch
    size_t gradient_at;   /* offset in a unit's gradient arena */
    bool gradient_wanted; /* false for the network's input and below what is trained */
} s2clr_step_node;

struct s2clr_step {
    const s2clr_net *net;
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_pool *pool;
    s2clr_step_options options;
    const s2clr_backend_training *resident; /* NULL: arrays of the host */
    int units, workers, last;
    bool measuring;     /* sizes only: no buffers, no streams */
    s2clr_shape *shape; // (nodes) of one unit
    s2clr_step_node *node;
    s2clr_program forward, backward;
    char *passing; // (workers, passing_bytes) native: all of them lie in the first segment
    size_t passing_bytes;
    s2clr_stream **stream; // (workers)
    char **spare;          // (workers) native, for gradients that are added to others
    size_t spare_bytes, scratch_bytes;
    char *gradients; // (units, gradient_bytes) native: units reuse places at times of their own
    size_t gradient_bytes;
    float *weight_gradient; // (units, weight_room) host; resident: none, they go to dparams
    size_t weight_room;
    double *sums;             // (units, sums_room)
    size_t sums_room;         /* 2 * widest batch norm */
    size_t bytes, host_bytes; /* all that is held, and what of it is no buffer of the device */
    bool takes_resident;      /* x is on the device */
    s2clr_repeat repeat_forward, repeat_look, repeat_backward; /* where it is resident */
    /* of the call in progress */
    const s2clr_program *running;
    size_t segment;
    const float *params;
    float *statistics; /* the same array where running statistics are updated, else NULL */
    const float *x;
    float *out;        // (batch, K)
    const float *dout; // (batch, K)
    float *dparams;
};

s2clr_status s2clr_step_compile(s2clr_step *step); /* ops, programs, buffers */
void s2clr_step_release(s2clr_step *step);

/* Fills both programs and every node's weight_at; weight_room gets the largest segment's need. */
s2clr_status s2clr_step_programs(s2clr_step *step);

/* Walking backward: is input `slot` of `reader`, which is `node`, the first place where the
 * gradient of `node` is written? Later ones are added to it. */
bool s2clr_step_writes_first(const s2clr_step *step, int reader, int slot, int node);

/* Whether node i takes part in backward. */
bool s2clr_step_trains(const s2clr_step *step, int i);

/* Batch norm: whole-batch numbers from the units' sums. */
s2clr_status s2clr_step_norm_forward(s2clr_step *step, int node);
s2clr_status s2clr_step_norm_backward(s2clr_step *step, int node);

/* ---- step_resident.c: the same where params and dparams lie on the device ---- */

/* Packs all weights and gives frozen batch norms their numbers. */
s2clr_status s2clr_step_resident_begin(const s2clr_step *step);
s2clr_status s2clr_step_resident_clear(const s2clr_step *step);
s2clr_status s2clr_step_resident_norm(const s2clr_step *step, int node);

/* Where backward writes the gradients of a convolution. */
void s2clr_step_resident_gradients(const s2clr_step *step, int node, s2clr_op_args *args);

#endif
