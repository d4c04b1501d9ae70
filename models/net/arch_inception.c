/*
 * InceptionV3 (Szegedy et al. 2016) without the auxiliary classifier, with torchvision's tensor
 * names: Conv2d_1a_3x3.conv, Conv2d_1a_3x3.bn, Mixed_5b.branch5x5_1.conv, fc. Patches need 75
 * pixels.
 *
 * torchvision's average pooling counts the padding, keras.applications' does not. Keras' batch
 * norms have no weight: it is 1 in a network that comes from there.
 */
#include <stdio.h>

#include "net/pnet.h"

enum { WIDTH = 32 }; /* channels of the first convolution */

/* One convolution of a branch: kernel h x w; pad: as much as keeps the size. */
typedef struct layer {
    const char *name;
    int channels, h, w, stride;
    bool pad;
} layer;

static int conv_norm(s2clr_net *net, int x, const char *mixed, layer l)
{
    const int c = l.channels * net->arch.width / WIDTH;
    const int dy = l.pad ? l.h / 2 : 0, dx = l.pad ? l.w / 2 : 0;
    const s2clr_window window = {l.h, l.w, l.stride, dy, dx, dy, dx};
    char name[S2CLR_NAME_MAX];
    const char *const dot = mixed[0] ? "." : "";
    snprintf(name, sizeof name, "%s%s%s.conv", mixed, dot, l.name);
    x = s2clr_net_conv_window(net, x, name, c < 1 ? 1 : c, &window, 1, false);
    snprintf(name, sizeof name, "%s%s%s.bn", mixed, dot, l.name);
    return s2clr_net_batchnorm(net, x, name, true);
}

/* Layers one after the other, to the first without a name. */
static int chain(s2clr_net *net, int x, const char *mixed, const layer *list)
{
    for (; list->name; list++) x = conv_norm(net, x, mixed, *list);
    return x;
}

static int pool_branch(s2clr_net *net, int x, const char *mixed, int channels, bool keras)
{
    const s2clr_window window = s2clr_window_square(3, 1, 1);
    const int pooled = s2clr_net_avgpool(net, x, &window, !keras);
    return conv_norm(net, pooled, mixed, (layer){"branch_pool", channels, 1, 1, 1, false});
}

static int concat(s2clr_net *net, const int *branch, int count)
{
    int x = branch[0];
    for (int i = 1; i < count; i++) x = s2clr_net_concat(net, x, branch[i]);
    return x;
}

static int stem(s2clr_net *net)
{
    const layer before[] = {{"Conv2d_1a_3x3", 32, 3, 3, 2, false},
                            {"Conv2d_2a_3x3", 32, 3, 3, 1, false},
                            {"Conv2d_2b_3x3", 64, 3, 3, 1, true},
                            {0}};
    const layer between[] = {
        {"Conv2d_3b_1x1", 80, 1, 1, 1, false}, {"Conv2d_4a_3x3", 192, 3, 3, 1, false}, {0}};
    s2clr_net_begin_group(net, "stem");
    int x = chain(net, s2clr_net_input(net), "", before);
    x = chain(net, s2clr_net_maxpool(net, x, 3, 2, 0), "", between);
    return s2clr_net_maxpool(net, x, 3, 2, 0);
}

/* The blocks are called by the letters of torchvision's classes. */
static int block_a(s2clr_net *net, int x, const char *mixed, int pool, bool keras)
{
    const layer five[] = {
        {"branch5x5_1", 48, 1, 1, 1, false}, {"branch5x5_2", 64, 5, 5, 1, true}, {0}};
    const layer twice[] = {{"branch3x3dbl_1", 64, 1, 1, 1, false},
                           {"branch3x3dbl_2", 96, 3, 3, 1, true},
                           {"branch3x3dbl_3", 96, 3, 3, 1, true},
                           {0}};
    s2clr_net_begin_group(net, mixed);
    const int branch[] = {conv_norm(net, x, mixed, (layer){"branch1x1", 64, 1, 1, 1, false}),
                          chain(net, x, mixed, five), chain(net, x, mixed, twice),
                          pool_branch(net, x, mixed, pool, keras)};
    return concat(net, branch, 4);
}

static int block_b(s2clr_net *net, int x, const char *mixed)
{
    const layer twice[] = {{"branch3x3dbl_1", 64, 1, 1, 1, false},
                           {"branch3x3dbl_2", 96, 3, 3, 1, true},
                           {"branch3x3dbl_3", 96, 3, 3, 2, false},
                           {0}};
    s2clr_net_begin_group(net, mixed);
    const int branch[] = {conv_norm(net, x, mixed, (layer){"branch3x3", 384, 3, 3, 2, false}),
                          chain(net, x, mixed, twice), s2clr_net_maxpool(net, x, 3, 2, 0)};
    return concat(net, branch, 3);
}

static int block_c(s2clr_net *net, int x, const char *mixed, int c, bool keras)
{
    const layer once[] = {{"branch7x7_1", c, 1, 1, 1, false},
                          {"branch7x7_2", c, 1, 7, 1, true},
                          {"branch7x7_3", 192, 7, 1, 1, true},
                          {0}};
    const layer twice[] = {
        {"branch7x7dbl_1", c, 1, 1, 1, false},  {"branch7x7dbl_2", c, 7, 1, 1, true},
        {"branch7x7dbl_3", c, 1, 7, 1, true},   {"branch7x7dbl_4", c, 7, 1, 1, true},
        {"branch7x7dbl_5", 192, 1, 7, 1, true}, {0}};
    s2clr_net_begin_group(net, mixed);
    const int branch[] = {conv_norm(net, x, mixed, (layer){"branch1x1", 192, 1, 1, 1, false}),
                          chain(net, x, mixed, once), chain(net, x, mixed, twice),
                          pool_branch(net, x, mixed, 192, keras)};
    return concat(net, branch, 4);
}

static int block_d(s2clr_net *net, int x, const char *mixed)
{
    const layer three[] = {
        {"branch3x3_1", 192, 1, 1, 1, false}, {"branch3x3_2", 320, 3, 3, 2, false}, {0}};
    const layer seven[] = {{"branch7x7x3_1", 192, 1, 1, 1, false},
                           {"branch7x7x3_2", 192, 1, 7, 1, true},
                           {"branch7x7x3_3", 192, 7, 1, 1, true},
                           {"branch7x7x3_4", 192, 3, 3, 2, false},
                           {0}};
    s2clr_net_begin_group(net, mixed);
    const int branch[] = {chain(net, x, mixed, three), chain(net, x, mixed, seven),
                          s2clr_net_maxpool(net, x, 3, 2, 0)};
    return concat(net, branch, 3);
}

/* A row and a column of 3 side by side. */
static int split(s2clr_net *net, int x, const char *mixed, const char *row, const char *column)
{
    const int a = conv_norm(net, x, mixed, (layer){row, 384, 1, 3, 1, true});
    const int b = conv_norm(net, x, mixed, (layer){column, 384, 3, 1, 1, true});
    return s2clr_net_concat(net, a, b);
}

static int block_e(s2clr_net *net, int x, const char *mixed, bool keras)
{
    const layer twice[] = {
        {"branch3x3dbl_1", 448, 1, 1, 1, false}, {"branch3x3dbl_2", 384, 3, 3, 1, true}, {0}};
    s2clr_net_begin_group(net, mixed);
    const int one = conv_norm(net, x, mixed, (layer){"branch1x1", 320, 1, 1, 1, false});
    int three = conv_norm(net, x, mixed, (layer){"branch3x3_1", 384, 1, 1, 1, false});
    three = split(net, three, mixed, "branch3x3_2a", "branch3x3_2b");
    int deep = chain(net, x, mixed, twice);
    deep = split(net, deep, mixed, "branch3x3dbl_3a", "branch3x3dbl_3b");
    const int branch[] = {one, three, deep, pool_branch(net, x, mixed, 192, keras)};
    return concat(net, branch, 4);
}

static s2clr_status build(s2clr_net *net, bool keras)
{
    net->epsilon = S2CLR_EPSILON_KERAS; /* torchvision's Inception has it too */
    int x = stem(net);
    x = block_a(net, x, "Mixed_5b", 32, keras);
    x = block_a(net, x, "Mixed_5c", 64, keras);
    x = block_a(net, x, "Mixed_5d", 64, keras);
    x = block_b(net, x, "Mixed_6a");
    x = block_c(net, x, "Mixed_6b", 128, keras);
    x = block_c(net, x, "Mixed_6c", 160, keras);
    x = block_c(net, x, "Mixed_6d", 160, keras);
    x = block_c(net, x, "Mixed_6e", 192, keras);
    x = block_d(net, x, "Mixed_7a");
    x = block_e(net, x, "Mixed_7b", keras);
    x = block_e(net, x, "Mixed_7c", keras);
    s2clr_net_classifier(net, s2clr_net_meanpool(net, x), "fc");
    return net->status;
}

s2clr_status s2clr_arch_inceptionv3(s2clr_net *net)
{
    return build(net, false);
}

s2clr_status s2clr_arch_inceptionv3_keras(s2clr_net *net)
{
    return build(net, true);
}
