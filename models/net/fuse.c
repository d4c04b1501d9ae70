/* From nodes to operations: batch norm, residual sum and activation disappear into convolutions. */
#include "net/pfuse.h"
#include "net/pnet.h"

/* The only reader of `node` among needed ones, or -1 when there are several or none. */
static int sole_reader(const s2clr_net *net, const bool *needed, int last, int node)
{
    int reader = -1;
    if (node == last) return -1;
    for (int i = node + 1; i <= last; i++) {
        if (!needed[i]) continue;
        for (int k = 0; k < 2; k++) {
            if (net->node[i].input[k] != node) continue;
            if (reader >= 0) return -1;
            reader = i;
        }
    }
    return reader;
}

static bool is_kind(const s2clr_net *net, int node, s2clr_node_kind kind)
{
    return node >= 0 && net->node[node].kind == kind;
}

/* Follows a convolution through batch norm, sum and activation as far as it can swallow them.
 * taken[i]: the sum of node i already belongs to another convolution. */
static s2clr_fused group(const s2clr_net *net, const bool *needed, int last, int conv, bool *taken)
{
    s2clr_fused op = {
        .x = net->node[conv].input[0], .residual = -1, .conv = conv, .norm = -1, .sum = -1};
    int tail = conv;
    int next = sole_reader(net, needed, last, tail);
    if (is_kind(net, next, S2CLR_NODE_BATCHNORM)) {
        op.norm = next;
        tail = next;
        next = sole_reader(net, needed, last, tail);
    }
    if (!net->node[tail].relu && is_kind(net, next, S2CLR_NODE_ADD) && !taken[next]) {
        const s2clr_node *sum = &net->node[next];
        taken[next] = true;
        op.residual = sum->input[0] == tail ? sum->input[1] : sum->input[0];
        tail = next;
        next = sole_reader(net, needed, last, tail);
        op.sum = tail;
    }
    if (!net->node[tail].relu && is_kind(net, next, S2CLR_NODE_RELU)) tail = next;
    if (op.sum == tail) op.sum = -1;
    op.y = tail;
    return op;
}

static void describe(const s2clr_net *net, const s2clr_shape *shapes, s2clr_fused *op)
{
    const s2clr_node *head = &net->node[op->conv >= 0 ? op->conv : op->y];
    op->desc = (s2clr_op_desc){.kind = s2clr_node_op(head->kind),
                               .x = shapes[op->x],
                               .y = shapes[op->y],
                               .window = s2clr_node_window(head, shapes[op->x]),
                               .groups = head->groups,
                               .bias = op->conv >= 0 && (head->bias || op->norm >= 0),
                               .residual = op->residual >= 0,
                               .relu = net->node[op->y].relu,
                               .count_pad = head->count_pad};
}

static s2clr_fused single(const s2clr_net *net, int node)
{
    const s2clr_node *n = &net->node[node];
    return (s2clr_fused){.x = n->input[0],
                         .residual = n->input[1],
                         .y = node,
                         .conv = -1,
                         .sum = -1,
                         .norm = n->kind == S2CLR_NODE_BATCHNORM ? node : -1};
}

size_t s2clr_fuse(const s2clr_net *net, const s2clr_shape *shapes, const bool *needed, int last,
                  s2clr_fused *list)
{
    bool taken[net->nodes];     /* sums that belong to a convolution */
    int group_at[net->nodes];   /* convolution whose group ends at this node, -1: none */
    bool swallowed[net->nodes]; /* inside a group; its end is in group_at */
    s2clr_fused groups[net->nodes];
    for (size_t i = 0; i < net->nodes; i++) {
        taken[i] = swallowed[i] = false;
        group_at[i] = -1;
    }
    for (int i = 0; i <= last; i++) {
        if (!needed[i] || net->node[i].kind != S2CLR_NODE_CONV) continue;
        groups[i] = group(net, needed, last, i, taken);
        swallowed[i] = true;
        if (groups[i].norm >= 0) swallowed[groups[i].norm] = true;
        if (groups[i].sum >= 0) swallowed[groups[i].sum] = true;
        group_at[groups[i].y] = i;
    }
    size_t count = 0;
    for (int i = 0; i <= last; i++) {
        if (!needed[i] || net->node[i].kind == S2CLR_NODE_INPUT) continue;
        if (group_at[i] < 0 && swallowed[i]) continue;
        list[count] = group_at[i] >= 0 ? groups[group_at[i]] : single(net, i);
        describe(net, shapes, &list[count++]);
    }
    return count;
}
