/*
 * `pixel`: 1x1 convolutions only, a classifier of single pixels that is trained on patches.
 *
 *     hidden.0 .. hidden.(depth-1)   1x1, width channels, batch norm, ReLU
 *     local   1x1, one logit per class and pixel; patch logit = mean over all pixels
 *
 * Step and receptive field are 1: whatever the window, a pixel's local logit depends on that pixel
 * alone, which is what a pixel function of GDAL can offer. A patch is a bag of pixels.
 */
#include <stdio.h>

#include "net/pnet.h"

s2clr_status s2clr_arch_pixel(s2clr_net *net)
{
    int x = s2clr_net_input(net);
    for (int i = 0; i < net->arch.depth; i++) {
        char name[S2CLR_NAME_MAX];
        snprintf(name, sizeof name, "hidden.%d.conv", i);
        x = s2clr_net_conv(net, x, name, net->arch.width, 1, 1, 0, false);
        snprintf(name, sizeof name, "hidden.%d.bn", i);
        x = s2clr_net_batchnorm(net, x, name, true);
    }
    const int local = s2clr_net_conv(net, x, "local", net->arch.outputs, 1, 1, 0, true);
    net->step = net->field = 1;
    net->output[S2CLR_OUTPUT_LOCAL] = local;
    net->output[S2CLR_OUTPUT_LOCAL_FEATURES] = x;
    net->output[S2CLR_OUTPUT_LOGITS] = s2clr_net_meanpool(net, local);
    net->output[S2CLR_OUTPUT_FEATURES] = s2clr_net_meanpool(net, x);
    return net->status;
}
