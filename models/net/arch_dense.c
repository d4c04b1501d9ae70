/*
 * `dense`: valid convolutions only, so that one network is both a patch classifier and a map.
 *
 *     stem.0  4x4 / 2, width       stem.1  3x3, width       stem.2  3x3 / 2, 2 width
 *     trunk.0 .. trunk.(depth-1)   3x3, 2 width each
 *     local   1x1, one logit per class and position; patch logit = mean over all positions
 *
 * Local logits lie 4 pixels apart. Each 3x3 of the trunk widens the field by 8 pixels: R = 12 + 8
 * depth, a multiple of 4, so patches of 64 or 120 pixels hold a whole number of positions. The bag
 * of local features follows Brendel and Bethge, ICLR 2019; man/s2clr-design.7 says why.
 */
#include <stdio.h>

#include "net/pnet.h"

static int conv_norm(s2clr_net *net, int x, const char *part, int number, int channels, int kernel,
                     int stride)
{
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, "%s.%d.conv", part, number);
    x = s2clr_net_conv(net, x, name, channels, kernel, stride, 0, false);
    snprintf(name, sizeof name, "%s.%d.bn", part, number);
    return s2clr_net_batchnorm(net, x, name, true);
}

/* Step and field of the local logits, from the convolutions as they were added. */
static void measure_field(s2clr_net *net)
{
    net->step = net->field = 1;
    for (size_t i = 0; i < net->nodes; i++) {
        const s2clr_node *node = &net->node[i];
        if (node->kind != S2CLR_NODE_CONV) continue;
        net->field += (node->window.h - 1) * net->step;
        net->step *= node->window.stride;
    }
}

s2clr_status s2clr_arch_dense(s2clr_net *net)
{
    const int width = net->arch.width;
    s2clr_net_begin_group(net, "stem");
    int x = s2clr_net_input(net);
    x = conv_norm(net, x, "stem", 0, width, 4, 2);
    x = conv_norm(net, x, "stem", 1, width, 3, 1);
    x = conv_norm(net, x, "stem", 2, 2 * width, 3, 2);
    for (int i = 0; i < net->arch.depth; i++) {
        char group[S2CLR_NAME_MAX];
        snprintf(group, sizeof group, "trunk.%d", i);
        s2clr_net_begin_group(net, group);
        x = conv_norm(net, x, "trunk", i, 2 * width, 3, 1);
    }
    if (net->status == S2CLR_OK) measure_field(net);
    s2clr_net_local_classifier(net, x);
    return net->status;
}
