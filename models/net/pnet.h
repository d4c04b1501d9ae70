/*
 * Private to models/net: what a network is made of, and how architecture files build one.
 *
 * Builders append nodes and get node indices back. The first failure (memory, too many nodes) is
 * remembered in net->status and makes the rest do nothing, so a builder reads like the drawing of
 * its network; s2clr_net_new() returns that status.
 */
#ifndef S2CLR_NET_PNET_H
#define S2CLR_NET_PNET_H

#include "net/net.h"

#define S2CLR_BATCHNORM_EPSILON 1e-5f

struct s2clr_net {
    s2clr_arch arch;
    s2clr_node *node;
    size_t nodes, node_room;
    s2clr_param *param;
    size_t params;
    size_t param_floats, trainable_floats;
    int output[S2CLR_OUTPUTS]; /* by s2clr_output, -1: none */
    int step, field;
    s2clr_status status; /* first failure while building */
};

int s2clr_net_input(s2clr_net *net);
int s2clr_net_conv(s2clr_net *net, int from, const char *name, int channels, int kernel, int stride,
                   int pad, bool bias);
int s2clr_net_batchnorm(s2clr_net *net, int from, const char *name, bool relu);
int s2clr_net_add(s2clr_net *net, int a, int b, bool relu);
int s2clr_net_maxpool(s2clr_net *net, int from, int kernel, int stride, int pad);
int s2clr_net_meanpool(s2clr_net *net, int from);
/* On (C, 1, 1) maps; its weight has rank 2 in a file. */
int s2clr_net_linear(s2clr_net *net, int from, const char *name, int outputs);

/* One line per architecture in arch_list.c. */
s2clr_status s2clr_arch_resnet18(s2clr_net *net);
s2clr_status s2clr_arch_resnet50(s2clr_net *net);
s2clr_status s2clr_arch_resnet152(s2clr_net *net);
s2clr_status s2clr_arch_dense(s2clr_net *net);
s2clr_status s2clr_arch_pixel(s2clr_net *net);

/* The operation that computes a node of this kind (meaningless for the input). */
s2clr_op_kind s2clr_node_op(s2clr_node_kind kind);

/* Marks the ancestors of node `last` (needed[i] = true), itself included. */
void s2clr_net_mark_needed(const s2clr_net *net, int last, bool *needed);

#endif
