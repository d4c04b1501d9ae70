/*
 * Xception (Chollet 2017): separable convolutions in twelve residual blocks, with timm's tensor
 * names: conv1, bn1, blockN.rep.I.conv1 (depthwise), blockN.rep.I.pointwise, blockN.rep.I (batch
 * norm), blockN.skip, blockN.skipbn, conv3.conv1, fc. I counts the parts of a block, ReLUs too.
 *
 * timm pads the pooling of blocks 1 to 3 and 12 on all sides; keras.applications pads as TensorFlow
 * does (SAME), by the size of the map, and its epsilon is 1e-3.
 */
#include <stdio.h>

#include "net/pnet.h"

enum { WIDTH = 32, MIDDLE = 728 }; /* channels of the first convolution, and of the middle flow */

typedef struct block {
    int inputs, outputs, separables;
    bool halve;
} block;

static const block blocks[] = {
    {64, 128, 2, true},      {128, 256, 2, true},
    {256, MIDDLE, 2, true},  {MIDDLE, MIDDLE, 3, false}, /* eight of them */
    {MIDDLE, 1024, 2, true},
};

/* A channel count of the paper, for networks of another width. */
static int scaled(const s2clr_net *net, int channels)
{
    const int c = channels * net->arch.width / WIDTH;
    return c < 1 ? 1 : c;
}

static int separable(s2clr_net *net, int x, const char *prefix, int inputs, int outputs)
{
    const s2clr_window window = s2clr_window_square(3, 1, 1);
    const int c = scaled(net, inputs);
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, "%s.conv1", prefix);
    x = s2clr_net_conv_window(net, x, name, c, &window, c, false);
    snprintf(name, sizeof name, "%s.pointwise", prefix);
    return s2clr_net_conv(net, x, name, scaled(net, outputs), 1, 1, 0, false);
}

static int shortcut(s2clr_net *net, int x, const block *b, int number)
{
    char name[S2CLR_NAME_MAX];
    if (!b->halve) return x;
    snprintf(name, sizeof name, "block%d.skip", number);
    x = s2clr_net_conv(net, x, name, scaled(net, b->outputs), 1, 2, 0, false);
    snprintf(name, sizeof name, "block%d.skipbn", number);
    return s2clr_net_batchnorm(net, x, name, false);
}

static int residual_block(s2clr_net *net, int x, const block *b, int number, bool keras)
{
    const int skip = shortcut(net, x, b, number);
    int part = 0, y = x, channels = b->inputs;
    if (number > 1) { /* what block 1 sees is active already */
        y = s2clr_net_relu(net, y);
        part++;
    }
    for (int i = 0; i < b->separables; i++) {
        char name[S2CLR_NAME_MAX / 2];
        const bool last = i + 1 == b->separables;
        /* The last block widens at its end, the others at their beginning. */
        const int next = number == 12 && !last ? b->inputs : b->outputs;
        snprintf(name, sizeof name, "block%d.rep.%d", number, part);
        y = separable(net, y, name, channels, next);
        snprintf(name, sizeof name, "block%d.rep.%d", number, part + 1);
        y = s2clr_net_batchnorm(net, y, name, !last);
        part += 3;
        channels = next;
    }
    if (b->halve)
        y = keras ? s2clr_net_maxpool_same(net, y, 3, 2) : s2clr_net_maxpool(net, y, 3, 2, 1);
    return s2clr_net_add(net, y, skip, false);
}

static s2clr_status build(s2clr_net *net, bool keras)
{
    if (keras) net->epsilon = S2CLR_EPSILON_KERAS;
    s2clr_net_begin_group(net, "stem");
    int x = s2clr_net_input(net);
    x = s2clr_net_conv(net, x, "conv1", scaled(net, 32), 3, 2, 0, false);
    x = s2clr_net_batchnorm(net, x, "bn1", true);
    x = s2clr_net_conv(net, x, "conv2", scaled(net, 64), 3, 1, 0, false);
    x = s2clr_net_batchnorm(net, x, "bn2", true);
    for (int number = 1; number <= 12; number++) {
        char group[S2CLR_NAME_MAX];
        const int kind = number < 4 ? number - 1 : number < 12 ? 3 : 4;
        snprintf(group, sizeof group, "block%d", number);
        s2clr_net_begin_group(net, group);
        x = residual_block(net, x, &blocks[kind], number, keras);
    }
    s2clr_net_begin_group(net, "exit");
    x = separable(net, x, "conv3", 1024, 1536);
    x = s2clr_net_batchnorm(net, x, "bn3", true);
    x = separable(net, x, "conv4", 1536, 2048);
    x = s2clr_net_batchnorm(net, x, "bn4", true);
    s2clr_net_classifier(net, s2clr_net_meanpool(net, x), "fc");
    return net->status;
}

s2clr_status s2clr_arch_xception(s2clr_net *net)
{
    return build(net, false);
}

s2clr_status s2clr_arch_xception_keras(s2clr_net *net)
{
    return build(net, true);
}
