/*
 * ResNets with pre-activation (He et al. 2016, "Identity mappings"), 101 layers, with timm's tensor
 * names: stem.conv, stages.S.blocks.B.norm1, ...conv1, ...downsample.conv, norm, head.fc.
 *
 *     block: y = norm1, ReLU   x' = x, or downsample.conv(y) in the first block of a stage
 *            conv1 1x1, norm2, ReLU, conv2 3x3, norm3, ReLU, conv3 1x1, + x'
 *
 * timm halves a map in the first block of a stage, keras.applications in the last one, whose
 * shortcut takes every second pixel; and Keras has a bias in every convolution that no batch norm
 * follows.
 */
#include <stdio.h>

#include "net/pnet.h"

enum { STAGES = 4 };

static const int blocks[STAGES] = {3, 4, 23, 3};

static int conv(s2clr_net *net, int x, const char *prefix, const char *part, int channels,
                int kernel, int stride, bool bias)
{
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    return s2clr_net_conv(net, x, name, channels, kernel, stride, kernel / 2, bias);
}

static int norm(s2clr_net *net, int x, const char *prefix, int number)
{
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, "%s.norm%d", prefix, number);
    return s2clr_net_batchnorm(net, x, name, true);
}

static int block(s2clr_net *net, int x, const char *prefix, int width, int stride, bool first,
                 bool keras)
{
    const int active = norm(net, x, prefix, 1);
    int skip = x;
    if (first)
        skip = conv(net, active, prefix, "downsample.conv", 4 * width, 1, stride, keras);
    else if (stride > 1)
        skip = s2clr_net_maxpool(net, x, 1, stride, 0);
    int y = conv(net, active, prefix, "conv1", width, 1, 1, false);
    y = norm(net, y, prefix, 2);
    y = conv(net, y, prefix, "conv2", width, 3, stride, false);
    y = norm(net, y, prefix, 3);
    y = conv(net, y, prefix, "conv3", 4 * width, 1, 1, keras);
    return s2clr_net_add(net, y, skip, false);
}

/* The map that is pooled has no activation yet, and Keras pads it with zeros that may win: the mean
 * of single pixels over padding. */
static int stem_pool(s2clr_net *net, int x, bool keras)
{
    const s2clr_window frame = s2clr_window_square(1, 1, 1);
    if (!keras) return s2clr_net_maxpool(net, x, 3, 2, 1);
    return s2clr_net_maxpool(net, s2clr_net_avgpool(net, x, &frame, true), 3, 2, 0);
}

static int stride_of(int stage, int b, bool keras)
{
    if (keras) return stage + 1 < STAGES && b + 1 == blocks[stage] ? 2 : 1;
    return stage > 0 && b == 0 ? 2 : 1;
}

static s2clr_status build(s2clr_net *net, bool keras)
{
    const int width = net->arch.width;
    if (keras) net->epsilon = S2CLR_EPSILON_KERAS_RESNET;
    s2clr_net_begin_group(net, "stem");
    int x = s2clr_net_input(net);
    x = s2clr_net_conv(net, x, "stem.conv", width, 7, 2, 3, keras);
    x = stem_pool(net, x, keras);
    for (int stage = 0; stage < STAGES; stage++) {
        char group[S2CLR_NAME_MAX];
        snprintf(group, sizeof group, "stages.%d", stage);
        s2clr_net_begin_group(net, group);
        for (int b = 0; b < blocks[stage]; b++) {
            char prefix[S2CLR_NAME_MAX / 2];
            snprintf(prefix, sizeof prefix, "stages.%d.blocks.%d", stage, b);
            x = block(net, x, prefix, width << stage, stride_of(stage, b, keras), b == 0, keras);
        }
    }
    x = s2clr_net_batchnorm(net, x, "norm", true);
    const int head = s2clr_net_classifier(net, s2clr_net_meanpool(net, x), "head.fc");
    /* timm's classifier is a 1x1 convolution: its weight has rank 4 in a file. */
    if (net->status == S2CLR_OK && head >= 0) net->node[head].linear = false;
    return net->status;
}

s2clr_status s2clr_arch_resnetv2_101(s2clr_net *net)
{
    return build(net, false);
}

s2clr_status s2clr_arch_resnet101v2(s2clr_net *net)
{
    return build(net, true);
}
