/*
 * ResNets (He et al. 2016) with torchvision's tensor names: conv1, bn1, layerS.B.conv1,
 * layerS.B.bn1, layerS.B.downsample.0, fc. torchvision has the stride on the 3x3 convolution
 * ("v1.5"); keras.applications has it on the first 1x1, where the paper has it, and a bias in every
 * convolution.
 */
#include <stdio.h>

#include "net/pnet.h"

enum { STAGES = 4 };

typedef struct resnet {
    int blocks[STAGES];
    bool bottleneck; /* 1x1, 3x3, 1x1 with four times the width, instead of 3x3, 3x3 */
    bool keras;
} resnet;

static int conv_norm(s2clr_net *net, const resnet *shape, int x, const char *prefix, int number,
                     int channels, int kernel, int stride, bool relu)
{
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, "%s.conv%d", prefix, number);
    x = s2clr_net_conv(net, x, name, channels, kernel, stride, kernel / 2, shape->keras);
    snprintf(name, sizeof name, "%s.bn%d", prefix, number);
    return s2clr_net_batchnorm(net, x, name, relu);
}

static int shortcut(s2clr_net *net, const resnet *shape, int x, const char *prefix, int channels,
                    int stride)
{
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, "%s.downsample.0", prefix);
    x = s2clr_net_conv(net, x, name, channels, 1, stride, 0, shape->keras);
    snprintf(name, sizeof name, "%s.downsample.1", prefix);
    return s2clr_net_batchnorm(net, x, name, false);
}

static int block(s2clr_net *net, const resnet *shape, int x, const char *prefix, int width,
                 int stride, bool project)
{
    const int channels = shape->bottleneck ? 4 * width : width;
    const int first = shape->keras ? stride : 1; /* stride of a bottleneck's first convolution */
    int y;
    if (shape->bottleneck) {
        y = conv_norm(net, shape, x, prefix, 1, width, 1, first, true);
        y = conv_norm(net, shape, y, prefix, 2, width, 3, stride / first, true);
        y = conv_norm(net, shape, y, prefix, 3, channels, 1, 1, false);
    } else {
        y = conv_norm(net, shape, x, prefix, 1, width, 3, stride, true);
        y = conv_norm(net, shape, y, prefix, 2, width, 3, 1, false);
    }
    const int skip = project ? shortcut(net, shape, x, prefix, channels, stride) : x;
    return s2clr_net_add(net, y, skip, true);
}

static s2clr_status build(s2clr_net *net, const resnet *shape)
{
    const int width = net->arch.width;
    if (shape->keras) net->epsilon = S2CLR_EPSILON_KERAS_RESNET;
    s2clr_net_begin_group(net, "stem");
    int x = s2clr_net_input(net);
    x = s2clr_net_conv(net, x, "conv1", width, 7, 2, 3, shape->keras);
    x = s2clr_net_batchnorm(net, x, "bn1", true);
    x = s2clr_net_maxpool(net, x, 3, 2, 1); /* nothing is below 0: Keras' zeros never win either */
    for (int stage = 0; stage < STAGES; stage++) {
        char group[S2CLR_NAME_MAX];
        snprintf(group, sizeof group, "layer%d", stage + 1);
        s2clr_net_begin_group(net, group);
        for (int b = 0; b < shape->blocks[stage]; b++) {
            char prefix[S2CLR_NAME_MAX / 2];
            snprintf(prefix, sizeof prefix, "layer%d.%d", stage + 1, b);
            const bool project = b == 0 && (stage > 0 || shape->bottleneck);
            x = block(net, shape, x, prefix, width << stage, b == 0 && stage > 0 ? 2 : 1, project);
        }
    }
    s2clr_net_classifier(net, s2clr_net_meanpool(net, x), "fc");
    return net->status;
}

s2clr_status s2clr_arch_resnet18(s2clr_net *net)
{
    return build(net, &(resnet){.blocks = {2, 2, 2, 2}});
}

s2clr_status s2clr_arch_resnet50(s2clr_net *net)
{
    return build(net, &(resnet){.blocks = {3, 4, 6, 3}, .bottleneck = true});
}

s2clr_status s2clr_arch_resnet152(s2clr_net *net)
{
    return build(net, &(resnet){.blocks = {3, 8, 36, 3}, .bottleneck = true});
}

s2clr_status s2clr_arch_resnet50_keras(s2clr_net *net)
{
    return build(net, &(resnet){.blocks = {3, 4, 6, 3}, .bottleneck = true, .keras = true});
}

s2clr_status s2clr_arch_resnet152_keras(s2clr_net *net)
{
    return build(net, &(resnet){.blocks = {3, 8, 36, 3}, .bottleneck = true, .keras = true});
}
