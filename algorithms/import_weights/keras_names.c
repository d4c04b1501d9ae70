/*
 * Which layer of keras.applications holds which of our tensors.
 *
 * ResNets: their names say it. Xception and InceptionV3 leave convolutions and batch norms to
 * Keras' own numbering ("conv2d_7"), which counts on from model to model within a program: there
 * the order decides, that of our nodes against that of the numbers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import_weights/pkeras.h"

enum { KINDS = 2 }; /* convolutions, batch norms */

typedef s2clr_status (*name_fn)(const s2clr_keras_names *names, const s2clr_node *node, int index,
                                char layer[S2CLR_KERAS_NAME]);

struct s2clr_keras_names {
    name_fn name;
    const char *arch, *path;
    char (*numbered[KINDS])[S2CLR_KERAS_NAME]; // (count) "conv2d", "conv2d_1", ... in order
    int count[KINDS];
    int *order; // (nodes) place of a node among those of its kind that have numbers, -1: none
};

static s2clr_status put(char layer[S2CLR_KERAS_NAME], const char *format, const char *name)
{
    snprintf(layer, S2CLR_KERAS_NAME, format, name);
    return S2CLR_OK;
}

static s2clr_status unknown(const s2clr_keras_names *names, const s2clr_node *node)
{
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: the layer '%.63s' of %s is none that Keras has; a projection head "
                           "or hidden layers cannot be imported",
                           names->path, node->name, names->arch);
}

/* ---- ResNet, ResNetV2 ---- */

/* "conv4_block6_2_bn": block and stage count from 1, the shortcut is number 0. */
static void put_block(char layer[S2CLR_KERAS_NAME], int stage, int block, const char *part)
{
    snprintf(layer, S2CLR_KERAS_NAME, "conv%d_block%d_%s", stage + 1, block + 1, part);
}

static s2clr_status name_resnet(const s2clr_keras_names *names, const s2clr_node *node, int index,
                                char layer[S2CLR_KERAS_NAME])
{
    int stage, block, number, end = 0;
    char part[24];
    (void)index;
    if (strcmp(node->name, "conv1") == 0) return put(layer, "%s_conv", node->name);
    if (strcmp(node->name, "bn1") == 0) return put(layer, "%s", "conv1_bn");
    if (strcmp(node->name, "fc") == 0) return put(layer, "%s", "predictions");
    if (sscanf(node->name, "layer%d.%d.%n", &stage, &block, &end) < 2 || end == 0)
        return unknown(names, node);
    const char *rest = node->name + end;
    if (sscanf(rest, "downsample.%d", &number) == 1)
        snprintf(part, sizeof part, "0_%s", number ? "bn" : "conv");
    else if (sscanf(rest, "conv%d", &number) == 1)
        snprintf(part, sizeof part, "%d_conv", number);
    else if (sscanf(rest, "bn%d", &number) == 1)
        snprintf(part, sizeof part, "%d_bn", number);
    else
        return unknown(names, node);
    put_block(layer, stage, block, part);
    return S2CLR_OK;
}

static const struct {
    const char *ours, *keras;
} v2_parts[] = {{"norm1", "preact_bn"},       {"conv1", "1_conv"}, {"norm2", "1_bn"},
                {"conv2", "2_conv"},          {"norm3", "2_bn"},   {"conv3", "3_conv"},
                {"downsample.conv", "0_conv"}};

static s2clr_status name_resnet_v2(const s2clr_keras_names *names, const s2clr_node *node,
                                   int index, char layer[S2CLR_KERAS_NAME])
{
    int stage, block, end = 0;
    (void)index;
    if (strcmp(node->name, "stem.conv") == 0) return put(layer, "%s", "conv1_conv");
    if (strcmp(node->name, "norm") == 0) return put(layer, "%s", "post_bn");
    if (strcmp(node->name, "head.fc") == 0 || strcmp(node->name, "fc") == 0)
        return put(layer, "%s", "predictions");
    if (sscanf(node->name, "stages.%d.blocks.%d.%n", &stage, &block, &end) < 2 || end == 0)
        return unknown(names, node);
    for (size_t i = 0; i < sizeof v2_parts / sizeof *v2_parts; i++) {
        if (strcmp(node->name + end, v2_parts[i].ours) != 0) continue;
        put_block(layer, stage + 1, block, v2_parts[i].keras);
        return S2CLR_OK;
    }
    return unknown(names, node);
}

/* ---- Xception ---- */

static bool ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name), part = strlen(end);
    return length >= part && strcmp(name + length - part, end) == 0;
}

static bool is_skip(const s2clr_node *node)
{
    return ends_with(node->name, ".skip") || ends_with(node->name, ".skipbn");
}

static s2clr_status name_numbered(const s2clr_keras_names *names, const s2clr_node *node, int index,
                                  char layer[S2CLR_KERAS_NAME])
{
    const int kind = node->kind == S2CLR_NODE_BATCHNORM, place = names->order[index];
    if (place < 0) return unknown(names, node);
    if (place < names->count[kind]) return put(layer, "%s", names->numbered[kind][place]);
    return s2clr_error_set(S2CLR_ERR_MISMATCH,
                           "%s: %d layers are called \"%s\" and a number, %s has more: the file "
                           "holds the weights of another network",
                           names->path, names->count[kind], kind ? "batch_normalization" : "conv2d",
                           names->arch);
}

static const struct {
    const char *ours, *keras;
} xception_ends[] = {
    {"conv1", "block1_conv1"},     {"bn1", "block1_conv1_bn"},     {"conv2", "block1_conv2"},
    {"bn2", "block1_conv2_bn"},    {"conv3", "block14_sepconv1"},  {"bn3", "block14_sepconv1_bn"},
    {"conv4", "block14_sepconv2"}, {"bn4", "block14_sepconv2_bn"}, {"fc", "predictions"}};

/* "block3.rep.4.conv1" is the second separable convolution of Keras' block 4: of the sequence of
 * activation, convolution and norm, every third number counts. */
static s2clr_status name_xception(const s2clr_keras_names *names, const s2clr_node *node, int index,
                                  char layer[S2CLR_KERAS_NAME])
{
    int block, place, end = 0;
    if (is_skip(node)) return name_numbered(names, node, index, layer);
    if (sscanf(node->name, "block%d.rep.%d%n", &block, &place, &end) == 2) {
        snprintf(layer, S2CLR_KERAS_NAME, "block%d_sepconv%d%s", block + 1, place / 3 + 1,
                 node->name[end] ? "" : "_bn");
        return S2CLR_OK;
    }
    const size_t length = strcspn(node->name, ".");
    for (size_t i = 0; i < sizeof xception_ends / sizeof *xception_ends; i++)
        if (strlen(xception_ends[i].ours) == length &&
            strncmp(xception_ends[i].ours, node->name, length) == 0)
            return put(layer, "%s", xception_ends[i].keras);
    return unknown(names, node);
}

/* ---- Inception ---- */

static s2clr_status name_inception(const s2clr_keras_names *names, const s2clr_node *node,
                                   int index, char layer[S2CLR_KERAS_NAME])
{
    if (strcmp(node->name, "fc") == 0) return put(layer, "%s", "predictions");
    return name_numbered(names, node, index, layer);
}

static bool is_trunk(const s2clr_node *node)
{
    return !node->linear;
}

/* ---- the table ---- */

static const struct {
    const char *arch;
    name_fn name;
    bool (*numbered)(const s2clr_node *node); /* has a number instead of a name */
} table[] = {{"resnet50-keras", name_resnet, NULL},
             {"resnet152-keras", name_resnet, NULL},
             {"resnet101v2", name_resnet_v2, NULL},
             {"xception-keras", name_xception, is_skip},
             {"inceptionv3-keras", name_inception, is_trunk}};

enum { ROWS = sizeof table / sizeof table[0] };

/* ---- numbers ---- */

/* "conv2d": 0, "conv2d_7": 7, else -1. */
static long number_of(const char *layer, const char *base)
{
    const size_t length = strlen(base);
    char *end;
    if (strncmp(layer, base, length) != 0) return -1;
    if (layer[length] == '\0') return 0;
    const long number = layer[length] == '_' ? strtol(layer + length + 1, &end, 10) : -1;
    return number > 0 && *end == '\0' ? number : -1;
}

static int compare_layers(const void *left, const void *right)
{
    const char *a = strrchr(left, '_'), *b = strrchr(right, '_');
    const long x = a ? strtol(a + 1, NULL, 10) : 0, y = b ? strtol(b + 1, NULL, 10) : 0;
    return (x > y) - (x < y);
}

/* Layers called `base` and a number, by their number; each has one array of that role. */
static s2clr_status list_numbered(const s2clr_keras_file *file, const char *base,
                                  s2clr_keras_role role, s2clr_keras_names *names, int kind)
{
    const s2clr_keras_array *array;
    const size_t arrays = s2clr_keras_list(file, &array);
    S2CLR_TRY(s2clr_alloc(arrays, sizeof *names->numbered[kind], "layer names",
                          (void **)&names->numbered[kind]));
    for (size_t i = 0; i < arrays; i++)
        if (array[i].role == role && number_of(array[i].layer, base) >= 0)
            strcpy(names->numbered[kind][names->count[kind]++], array[i].layer);
    qsort(names->numbered[kind], (size_t)names->count[kind], sizeof *names->numbered[kind],
          compare_layers);
    return S2CLR_OK;
}

static void number_nodes(s2clr_keras_names *names, const s2clr_net *net,
                         bool (*numbered)(const s2clr_node *node))
{
    int count[KINDS] = {0};
    for (size_t i = 0; i < s2clr_net_node_count(net); i++) {
        const s2clr_node *node = s2clr_net_node(net, i);
        const bool norm = node->kind == S2CLR_NODE_BATCHNORM;
        names->order[i] = -1;
        if ((norm || node->kind == S2CLR_NODE_CONV) && numbered && numbered(node))
            names->order[i] = count[norm ? 1 : 0]++;
    }
}

/* ---- life ---- */

static s2clr_status refuse_arch(const char *path, const char *arch)
{
    char known[256] = "";
    for (size_t i = 0, used = 0; i < ROWS; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 table[i].arch);
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "%s: weights of Keras fit %s; architecture %s takes safetensors", path,
                           known, arch);
}

static s2clr_status fill(const s2clr_net *net, const s2clr_keras_file *file, size_t row,
                         s2clr_keras_names *names)
{
    names->name = table[row].name;
    names->arch = table[row].arch;
    names->path = s2clr_keras_path(file);
    S2CLR_TRY(s2clr_alloc(s2clr_net_node_count(net), sizeof *names->order, "node order",
                          (void **)&names->order));
    S2CLR_TRY(list_numbered(file, "conv2d", S2CLR_KERAS_KERNEL, names, 0));
    S2CLR_TRY(list_numbered(file, "batch_normalization", S2CLR_KERAS_BETA, names, 1));
    number_nodes(names, net, table[row].numbered);
    return S2CLR_OK;
}

s2clr_status s2clr_keras_names_new(const s2clr_net *net, const s2clr_keras_file *file,
                                   s2clr_keras_names **out)
{
    const char *arch = s2clr_net_arch(net)->name;
    size_t row = 0;
    s2clr_keras_names *names;
    while (row < ROWS && strcmp(table[row].arch, arch) != 0) row++;
    if (row == ROWS) return refuse_arch(s2clr_keras_path(file), arch);
    S2CLR_TRY(s2clr_alloc(1, sizeof *names, "layer names", (void **)&names));
    const s2clr_status status = fill(net, file, row, names);
    if (status != S2CLR_OK) {
        s2clr_keras_names_free(names);
        return status;
    }
    *out = names;
    return S2CLR_OK;
}

void s2clr_keras_names_free(s2clr_keras_names *names)
{
    if (!names) return;
    for (int k = 0; k < KINDS; k++) s2clr_free(names->numbered[k]);
    s2clr_free(names->order);
    s2clr_free(names);
}

s2clr_status s2clr_keras_names_of(const s2clr_keras_names *names, const s2clr_node *node, int index,
                                  char layer[S2CLR_KERAS_NAME])
{
    return names->name(names, node, index, layer);
}
