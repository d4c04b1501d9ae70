/*
 * What follows a trunk: a projection head and a classifier.
 *
 *     features -- projection.0, ReLU -- projection.1, ReLU -- ... projection.(n-1)      PROJECTION
 *             \-- or, with tap i, from the i-th projection layer's ReLU
 *              hidden.0, ReLU -- ... -- classifier                                      LOGITS
 *
 * Chen et al. (SimCLR, 2020) compare the ends of the projection head and throw it away; in their
 * second version the classifier starts from one of its layers, which `tap` says.
 */
#include <stdio.h>

#include "net/pnet.h"

static int layer(s2clr_net *net, int from, const char *part, int number, int width)
{
    char name[S2CLR_NAME_MAX];
    snprintf(name, sizeof name, "%s.%d", part, number);
    s2clr_net_begin_group(net, name);
    return s2clr_net_linear(net, from, name, width);
}

/* Returns what the classifier sees. */
static int project(s2clr_net *net, int features)
{
    const s2clr_arch *arch = &net->arch;
    int x = features, seen = features;
    for (int i = 0; i < arch->projections; i++) {
        x = layer(net, x, "projection", i, arch->projection[i]);
        const bool last = i + 1 == arch->projections;
        if (last) net->output[S2CLR_OUTPUT_PROJECTION] = x;
        if (last && (arch->tap != arch->projections || arch->outputs == 0)) break;
        x = s2clr_net_relu(net, x);
        if (arch->tap == i + 1) seen = x;
    }
    return seen;
}

int s2clr_net_classifier(s2clr_net *net, int features, const char *name)
{
    net->output[S2CLR_OUTPUT_FEATURES] = features;
    int x = project(net, features);
    if (net->arch.outputs == 0) return -1;
    for (int i = 0; i < net->arch.hiddens; i++)
        x = s2clr_net_relu(net, layer(net, x, "hidden", i, net->arch.hidden[i]));
    s2clr_net_begin_group(net, name);
    x = s2clr_net_linear(net, x, name, net->arch.outputs);
    net->output[S2CLR_OUTPUT_LOGITS] = x;
    return x;
}

void s2clr_net_local_classifier(s2clr_net *net, int map)
{
    net->output[S2CLR_OUTPUT_LOCAL_FEATURES] = map;
    const int features = s2clr_net_meanpool(net, map);
    if (net->arch.tap > 0 || net->arch.hiddens > 0) {
        s2clr_net_classifier(net, features, "fc");
        net->step = net->field = 0;
        return;
    }
    net->output[S2CLR_OUTPUT_FEATURES] = features;
    project(net, features);
    if (net->arch.outputs == 0) return;
    s2clr_net_begin_group(net, "local");
    const int local = s2clr_net_conv(net, map, "local", net->arch.outputs, 1, 1, 0, true);
    net->output[S2CLR_OUTPUT_LOCAL] = local;
    net->output[S2CLR_OUTPUT_LOGITS] = s2clr_net_meanpool(net, local);
}
