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

int s2clr_net_conv(s2clr_net *net, int from, const char *name, int channels, int kernel, int stride,
                   int pad, bool bias)
{
    const s2clr_node node = {.kind = S2CLR_NODE_CONV,
                             .input = {from, -1},
                             .channels = channels,
                             .kernel = kernel,
                             .stride = stride,
                             .pad = pad,
                             .bias = bias};
    return append(net, &node, name);
}

int s2clr_net_batchnorm(s2clr_net *net, int from, const char *name, bool relu)
{
    const s2clr_node node = {.kind = S2CLR_NODE_BATCHNORM,
                             .input = {from, -1},
                             .channels = channels_of(net, from),
                             .relu = relu};
    return append(net, &node, name);
}

int s2clr_net_add(s2clr_net *net, int a, int b, bool relu)
{
    const s2clr_node node = {
        .kind = S2CLR_NODE_ADD, .input = {a, b}, .channels = channels_of(net, a), .relu = relu};
    return append(net, &node, "add");
}

int s2clr_net_maxpool(s2clr_net *net, int from, int kernel, int stride, int pad)
{
    const s2clr_node node = {.kind = S2CLR_NODE_MAXPOOL,
                             .input = {from, -1},
                             .channels = channels_of(net, from),
                             .kernel = kernel,
                             .stride = stride,
                             .pad = pad};
    return append(net, &node, "maxpool");
}

int s2clr_net_meanpool(s2clr_net *net, int from)
{
    const s2clr_node node = {
        .kind = S2CLR_NODE_MEANPOOL, .input = {from, -1}, .channels = channels_of(net, from)};
    return append(net, &node, "meanpool");
}

int s2clr_net_linear(s2clr_net *net, int from, const char *name, int outputs)
{
    return s2clr_net_conv(net, from, name, outputs, 1, 1, 0, true);
}
