/* Shape inference: the size of every node's output for one input size. */
#include "net/net.h"
#include "net/pnet.h"

static s2clr_status check_sum(const s2clr_node *node, s2clr_shape a, s2clr_shape b)
{
    if (a.c == b.c && a.h == b.h && a.w == b.w) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "network: node %s adds %d x %d x %d to %d x %d x %d; the two must agree",
                           node->name, a.c, a.h, a.w, b.c, b.h, b.w);
}

s2clr_status s2clr_net_shapes(const s2clr_net *net, int n, int h, int w, s2clr_shape *shapes)
{
    if (n < 1 || h < 1 || w < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "network input of %d patches of %d x %d pixels: each must be >= 1",
                               n, h, w);
    for (size_t i = 0; i < net->nodes; i++) {
        const s2clr_node *node = &net->node[i];
        if (node->kind == S2CLR_NODE_INPUT) {
            shapes[i] = (s2clr_shape){n, net->arch.channels, h, w};
            continue;
        }
        const s2clr_shape x = shapes[node->input[0]];
        if (node->kind == S2CLR_NODE_ADD) S2CLR_TRY(check_sum(node, x, shapes[node->input[1]]));
        if (s2clr_op_output(s2clr_node_op(node->kind), x, node->channels, node->kernel,
                            node->stride, node->pad, &shapes[i]) != S2CLR_OK)
            return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                                   "%s at %d x %d pixels: layer %s (kernel %d) sees a map of "
                                   "%d x %d; use larger patches",
                                   net->arch.name, w, h, node->name, node->kernel, x.w, x.h);
    }
    return S2CLR_OK;
}
