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

/* PyTorch's, and Keras' for networks that leave it alone. */
#define S2CLR_EPSILON_TORCH 1e-5f
#define S2CLR_EPSILON_KERAS 1e-3f
#define S2CLR_EPSILON_KERAS_RESNET 1.001e-5f

struct s2clr_net {
    s2clr_arch arch;
    s2clr_node *node;
    size_t nodes, node_room;
    s2clr_param *param;
    const s2clr_param **by_name; // (params) sorted
    size_t params;
    size_t param_floats, trainable_floats;
    int output[S2CLR_OUTPUTS]; /* by s2clr_output, -1: none */
    int step, field;
    float epsilon;          /* of the batch norms to come; an architecture may set it first */
    s2clr_net_group *group; // (group_room)
    size_t groups, group_room;
    s2clr_status status; /* first failure while building */
};

int s2clr_net_input(s2clr_net *net);
int s2clr_net_conv(s2clr_net *net, int from, const char *name, int channels, int kernel, int stride,
                   int pad, bool bias);
int s2clr_net_conv_window(s2clr_net *net, int from, const char *name, int channels,
                          const s2clr_window *window, int groups, bool bias);
int s2clr_net_batchnorm(s2clr_net *net, int from, const char *name, bool relu);
int s2clr_net_relu(s2clr_net *net, int from);
int s2clr_net_add(s2clr_net *net, int a, int b, bool relu);
int s2clr_net_concat(s2clr_net *net, int a, int b);
int s2clr_net_maxpool(s2clr_net *net, int from, int kernel, int stride, int pad);
int s2clr_net_maxpool_window(s2clr_net *net, int from, const s2clr_window *window);
/* With TensorFlow's SAME padding, which depends on the size of the map. */
int s2clr_net_maxpool_same(s2clr_net *net, int from, int kernel, int stride);
int s2clr_net_avgpool(s2clr_net *net, int from, const s2clr_window *window, bool count_pad);
int s2clr_net_meanpool(s2clr_net *net, int from);
/* On (C, 1, 1) maps; its weight has rank 2 in a file. */
int s2clr_net_linear(s2clr_net *net, int from, const char *name, int outputs);

/* The nodes from here on are a group of this name (s2clr_net_depth_list). */
void s2clr_net_begin_group(s2clr_net *net, const char *name);

/* head.c: what follows the trunk. All set the outputs they make. */

/* Projection head "projection.0", ... on `features` (C, 1, 1), hidden layers "hidden.0", ... and
 * the classifier `name`, whose node is returned; -1 when the architecture has no outputs. Every
 * architecture that pads ends with it. */
int s2clr_net_classifier(s2clr_net *net, int features, const char *name);
/* The same for networks without padding, from their last map. As long as the classifier is linear
 * and sees the features, it runs at every position and the patch's logits are the mean of local
 * ones; with a tap or hidden layers it sees the mean of the features, there are no local logits,
 * and step and field become 0. */
void s2clr_net_local_classifier(s2clr_net *net, int map);

/* A network of an entry that need not be in the table. */
s2clr_status s2clr_net_assemble(const s2clr_arch *arch, const s2clr_arch_entry *entry,
                                s2clr_net **out);

/* One line per architecture in arch_list.c. */
s2clr_status s2clr_arch_resnet18(s2clr_net *net);
s2clr_status s2clr_arch_resnet50(s2clr_net *net);
s2clr_status s2clr_arch_resnet152(s2clr_net *net);
s2clr_status s2clr_arch_resnet50_keras(s2clr_net *net);
s2clr_status s2clr_arch_resnet152_keras(s2clr_net *net);
s2clr_status s2clr_arch_resnetv2_101(s2clr_net *net);
s2clr_status s2clr_arch_resnet101v2(s2clr_net *net);
s2clr_status s2clr_arch_xception(s2clr_net *net);
s2clr_status s2clr_arch_xception_keras(s2clr_net *net);
s2clr_status s2clr_arch_inceptionv3(s2clr_net *net);
s2clr_status s2clr_arch_inceptionv3_keras(s2clr_net *net);
s2clr_status s2clr_arch_dense(s2clr_net *net);
s2clr_status s2clr_arch_pixel(s2clr_net *net);

/* S2CLR_ERR_UNSUPPORTED when the architecture has none of that kind. */
s2clr_status s2clr_net_find_output(const s2clr_net *net, s2clr_output output, int *node);

/* The operation that computes a node of this kind (meaningless for the input). */
s2clr_op_kind s2clr_node_op(s2clr_node_kind kind);

/* Marks the ancestors of node `last` (needed[i] = true), itself included. */
void s2clr_net_mark_needed(const s2clr_net *net, int last, bool *needed);

#endif
