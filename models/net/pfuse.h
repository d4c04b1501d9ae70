/*
 * Private to models/net: the list of operations an inference plan runs, after fusing.
 */
#ifndef S2CLR_NET_PFUSE_H
#define S2CLR_NET_PFUSE_H

#include "net/net.h"

/* One operation. Values are named by the node whose output they are. */
typedef struct s2clr_fused {
    s2clr_op_desc desc;
    int x, residual; /* input values, residual -1 when there is none */
    int y;           /* value it makes: the last node of the group */
    int conv, norm;  /* nodes of the group, -1 when absent */
    int sum;         /* node of a sum inside the group, before its last node; -1: none */
} s2clr_fused;

/* Groups convolution + batch norm + (sum) + activation. `list` has room for all nodes; returns how
 * many were written, in an order in which inputs precede readers. shapes: of every node. */
size_t s2clr_fuse(const s2clr_net *net, const s2clr_shape *shapes, const bool *needed, int last,
                  s2clr_fused *list);

/* Weight (out, in, kh, kw) and bias (out) of a group's convolution with its batch norm folded in;
 * weight and bias are the caller's. */
void s2clr_fold_conv(const s2clr_net *net, const float *params, const s2clr_fused *op,
                     float *weight, float *bias);

/* scale and shift (C) of a batch norm that stands alone. */
void s2clr_fold_norm(const s2clr_net *net, const float *params, int norm, float *scale,
                     float *shift);

/* A value's life for the arena: [first, last] are operation indices, both included. */
typedef struct s2clr_life {
    size_t bytes;
    int first, last;
    int shares;    /* index of an earlier life whose place it takes over, or -1 */
    size_t offset; /* out */
} s2clr_life;

/* Gives every life a 64-byte aligned offset such that lives that overlap in time do not overlap in
 * space; *total is the size of the arena. */
s2clr_status s2clr_arena_place(s2clr_life *life, size_t count, size_t *total);

#endif
