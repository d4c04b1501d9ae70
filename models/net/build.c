/* Appending nodes: the words that architecture files are written in. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "net/pnet.h"

static void grow(s2clr_net *net)
{
    const size_t room = net->node_room ? 2 * net->node_room : 64;
    s2clr_node *node;
    net->status = s2clr_alloc(room, sizeof *node, "network nodes", (void **)&node);
    if (net->status != S2CLR_OK) return;
    if (net->nodes) memcpy(node, net->node, net->nodes * sizeof *node);
    s2clr_free(net->node);
    net->node = node;
    net->node_room = room;
}

static void grow_groups(s2clr_net *net)
{
    const size_t room = net->group_room ? 2 * net->group_room : 32;
    s2clr_net_group *group;
    net->status = s2clr_alloc(room, sizeof *group, "network groups", (void **)&group);
    if (net->status != S2CLR_OK) return;
    if (net->groups) memcpy(group, net->group, net->groups * sizeof *group);
    s2clr_free(net->group);
    net->group = group;
    net->group_room = room;
}

/* Returns the index of the new node. After a failure node 0 stands in: the result is thrown away.
 */
static int append(s2clr_net *net, const s2clr_node *node, const char *name)
{
    if (net->status == S2CLR_OK && net->nodes == net->node_room) grow(net);
    if (net->status != S2CLR_OK) return 0;
    net->node[net->nodes] = *node;
    snprintf(net->node[net->nodes].name, S2CLR_NAME_MAX, "%s", name);
    return (int)net->nodes++;
}

static int channels_of(const s2clr_net *net, int node)
{
    return net->nodes ? net->node[node].channels : 0;
}

int s2clr_net_input(s2clr_net *net)
{
    const s2clr_node node = {
        .kind = S2CLR_NODE_INPUT, .input = {-1, -1}, .channels = net->arch.channels};
    return append(net, &node, "input");
}

int s2clr_net_conv_window(s2clr_net *net, int from, const char *name, int channels,
                          const s2clr_window *window, int groups, bool bias)
{
    const s2clr_node node = {.kind = S2CLR_NODE_CONV,
                             .input = {from, -1},
                             .channels = channels,
                             .window = *window,
                             .groups = groups,
                             .bias = bias};
    return append(net, &node, name);
}

int s2clr_net_conv(s2clr_net *net, int from, const char *name, int channels, int kernel, int stride,
                   int pad, bool bias)
{
    const s2clr_window window = s2clr_window_square(kernel, stride, pad);
    return s2clr_net_conv_window(net, from, name, channels, &window, 1, bias);
}

int s2clr_net_batchnorm(s2clr_net *net, int from, const char *name, bool relu)
{
    const s2clr_node node = {.kind = S2CLR_NODE_BATCHNORM,
                             .input = {from, -1},
                             .channels = channels_of(net, from),
                             .relu = relu,
                             .epsilon = net->epsilon};
    return append(net, &node, name);
}

int s2clr_net_relu(s2clr_net *net, int from)
{
    const s2clr_node node = {.kind = S2CLR_NODE_RELU,
                             .input = {from, -1},
                             .channels = channels_of(net, from),
                             .relu = true};
    return append(net, &node, "relu");
}

int s2clr_net_add(s2clr_net *net, int a, int b, bool relu)
{
    const s2clr_node node = {
        .kind = S2CLR_NODE_ADD, .input = {a, b}, .channels = channels_of(net, a), .relu = relu};
    return append(net, &node, "add");
}

int s2clr_net_concat(s2clr_net *net, int a, int b)
{
    const s2clr_node node = {.kind = S2CLR_NODE_CONCAT,
                             .input = {a, b},
                             .channels = channels_of(net, a) + channels_of(net, b)};
    return append(net, &node, "concat");
}

int s2clr_net_maxpool_window(s2clr_net *net, int from, const s2clr_window *window)
{
    const s2clr_node node = {.kind = S2CLR_NODE_MAXPOOL,
                             .input = {from, -1},
                             .channels = channels_of(net, from),
                             .window = *window};
    return append(net, &node, "maxpool");
}

int s2clr_net_maxpool(s2clr_net *net, int from, int kernel, int stride, int pad)
{
    const s2clr_window window = s2clr_window_square(kernel, stride, pad);
    return s2clr_net_maxpool_window(net, from, &window);
}

int s2clr_net_maxpool_same(s2clr_net *net, int from, int kernel, int stride)
{
    const s2clr_node node = {.kind = S2CLR_NODE_MAXPOOL,
                             .input = {from, -1},
                             .channels = channels_of(net, from),
                             .window = s2clr_window_square(kernel, stride, 0),
                             .same = true};
    return append(net, &node, "maxpool");
}

int s2clr_net_avgpool(s2clr_net *net, int from, const s2clr_window *window, bool count_pad)
{
    const s2clr_node node = {.kind = S2CLR_NODE_AVGPOOL,
                             .input = {from, -1},
                             .channels = channels_of(net, from),
                             .window = *window,
                             .count_pad = count_pad};
    return append(net, &node, "avgpool");
}

int s2clr_net_meanpool(s2clr_net *net, int from)
{
    const s2clr_node node = {
        .kind = S2CLR_NODE_MEANPOOL, .input = {from, -1}, .channels = channels_of(net, from)};
    return append(net, &node, "meanpool");
}

int s2clr_net_linear(s2clr_net *net, int from, const char *name, int outputs)
{
    const int node = s2clr_net_conv(net, from, name, outputs, 1, 1, 0, true);
    if (net->status == S2CLR_OK) net->node[node].linear = true;
    return node;
}

void s2clr_net_begin_group(s2clr_net *net, const char *name)
{
    if (net->status == S2CLR_OK && net->groups == net->group_room) grow_groups(net);
    if (net->status != S2CLR_OK) return;
    s2clr_net_group *group = &net->group[net->groups];
    snprintf(group->name, sizeof group->name, "%s", name);
    group->first_node = net->groups++ == 0 ? 0 : net->nodes; /* the first holds the input too */
}
