/*
 * Private to models/net: what a plan holds and a session uses.
 */
#ifndef S2CLR_NET_PPLAN_H
#define S2CLR_NET_PPLAN_H

#include "net/infer.h"
#include "net/pfuse.h"
#include "net/repeat.h"

typedef struct s2clr_plan_op {
    s2clr_op *op;
    int x, residual; /* indices into offset[], residual -1 when there is none */
    size_t packed;   /* offset in weights (convolutions, and what is resident of a batch norm) */
    float *norm;     // (2, C) scale then shift: batch norms that stand alone, else NULL
    const float *scale, *shift; // (C) each: in norm, or on the device
} s2clr_plan_op;

struct s2clr_plan {
    const s2clr_net *net; /* while being made */
    const s2clr_backend *backend;
    s2clr_device *device;
    s2clr_shape input, output;
    size_t ops;
    s2clr_fused *fused; // (ops)
    s2clr_plan_op *op;  // (ops)
    size_t *offset;     // (1 + ops) of every value in a session's arena
    size_t arena_bytes, scratch_bytes, weight_bytes;
    void *weights; /* native, shared by the sessions */
    bool
        resident; /* scales and shifts lie among them: what is recorded reads nothing of the host */
    double flop;
};

struct s2clr_strip {
    const s2clr_plan *plan;
    s2clr_stream *stream;
    float *planes; // (C, rows, columns) on the device
    size_t room;   /* bytes of planes */
    int64_t columns, rows;
};

#endif
