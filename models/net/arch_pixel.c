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
        snprintf(name, sizeof name, "trunk.%d", i);
        s2clr_net_begin_group(net, name);
        snprintf(name, sizeof name, "hidden.%d.conv", i);
        x = s2clr_net_conv(net, x, name, net->arch.width, 1, 1, 0, false);
        snprintf(name, sizeof name, "hidden.%d.bn", i);
        x = s2clr_net_batchnorm(net, x, name, true);
    }
    net->step = net->field = 1;
    s2clr_net_local_classifier(net, x);
    return net->status;
}
