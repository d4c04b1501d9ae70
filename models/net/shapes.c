/* Shape inference: the size of every node's output for one input size. */
#include "net/net.h"
#include "net/pnet.h"

/* TensorFlow's rule for one axis; returns what goes before the map. */
static int same_padding(int size, int kernel, int stride, int *behind)
{
    const int total = ((size + stride - 1) / stride - 1) * stride + kernel - size;
    const int pad = total > 0 ? total : 0;
    *behind = pad - pad / 2;
    return pad / 2;
}

s2clr_window s2clr_node_window(const s2clr_node *node, s2clr_shape x)
{
    s2clr_window window = node->window;
    if (!node->same) return window;
    window.top = same_padding(x.h, window.h, window.stride, &window.bottom);
    window.left = same_padding(x.w, window.w, window.stride, &window.right);
    return window;
}

static s2clr_status check_sides(const s2clr_node *node, s2clr_shape a, s2clr_shape b)
{
    if (a.h == b.h && a.w == b.w) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "network: node %s joins maps of %d x %d and %d x %d; they must agree",
                           node->name, a.h, a.w, b.h, b.w);
}

static s2clr_status check_sum(const s2clr_node *node, s2clr_shape a, s2clr_shape b)
{
    if (a.c == b.c && a.h == b.h && a.w == b.w) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "network: node %s adds %d x %d x %d to %d x %d x %d; the two must agree",
                           node->name, a.c, a.h, a.w, b.c, b.h, b.w);
}

/* The first node that cannot see what it is given, or node_count when all can. */
static s2clr_status infer(const s2clr_net *net, int n, int h, int w, s2clr_shape *shapes,
                          size_t *failed)
{
    for (size_t i = 0; i < net->nodes; i++) {
        const s2clr_node *node = &net->node[i];
        if (node->kind == S2CLR_NODE_INPUT) {
            shapes[i] = (s2clr_shape){n, net->arch.channels, h, w};
            continue;
        }
        const s2clr_shape x = shapes[node->input[0]];
        if (node->kind == S2CLR_NODE_ADD) S2CLR_TRY(check_sum(node, x, shapes[node->input[1]]));
        if (node->kind == S2CLR_NODE_CONCAT)
            S2CLR_TRY(check_sides(node, x, shapes[node->input[1]]));
        const s2clr_window window = s2clr_node_window(node, x);
        *failed = i;
        S2CLR_TRY(
            s2clr_op_output(s2clr_node_op(node->kind), x, node->channels, &window, &shapes[i]));
    }
    *failed = net->nodes;
    return S2CLR_OK;
}

enum { SIDE_MAX = 16384 }; /* no patch of a card is larger */

/* The smallest square that fits, 0: none does. */
static int smallest_side(const s2clr_net *net, s2clr_shape *shapes)
{
    size_t failed;
    for (int side = 1; side <= SIDE_MAX; side++)
        if (infer(net, 1, side, side, shapes, &failed) == S2CLR_OK) return side;
    return 0;
}

s2clr_status s2clr_net_shapes(const s2clr_net *net, int n, int h, int w, s2clr_shape *shapes)
{
    size_t failed = net->nodes;
    if (n < 1 || h < 1 || w < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "network input of %d patches of %d x %d pixels: each must be >= 1",
                               n, h, w);
    const s2clr_status status = infer(net, n, h, w, shapes, &failed);
    if (status == S2CLR_OK || failed == net->nodes) return status;
    const s2clr_node *node = &net->node[failed];
    const s2clr_shape x = shapes[node->input[0]];
    const int side = smallest_side(net, shapes);
    if (side == 0 || (h >= side && w >= side)) return infer(net, n, h, w, shapes, &failed);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s at %d x %d pixels: layer %s (kernel %d x %d) sees a map of %d x %d; "
                           "it takes patches of at least %d x %d pixels",
                           net->arch.name, w, h, node->name, node->window.h, node->window.w, x.w,
                           x.h, side, side);
}
