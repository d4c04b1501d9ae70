/* The nodes of a network as ONNX operators. Maps are (N, C, H, W); behind a mean over the whole map
 * values are (N, C), which is what users expect of features and logits. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "file/ponnx.h"

/* ---- weights ---- */

static void add_param(s2clr_onnx_graph *g, int node, s2clr_param_role role, const char **out)
{
    const s2clr_param *list;
    const int index = s2clr_net_param_of(g->net, node, role);
    s2clr_net_param_list(g->net, &list);
    s2clr_onnx_tensor *tensor = &g->tensor[g->tensors++];
    snprintf(tensor->name, sizeof tensor->name, "%s", list[index].name);
    tensor->rank = list[index].rank;
    for (int i = 0; i < tensor->rank; i++) tensor->dims[i] = list[index].dims[i];
    tensor->count = list[index].count;
    tensor->values = s2clr_model_params(g->model) + list[index].offset;
    *out = tensor->name;
}

/* ---- operators ---- */

/* The graph has one size of patch: padding that follows from the map is known. */
static void put_window(s2clr_onnx_graph *g, const s2clr_node *node)
{
    const s2clr_window window = s2clr_node_window(node, g->shape[node->input[0]]), *w = &window;
    const int64_t kernel[] = {w->h, w->w}, strides[] = {w->stride, w->stride},
                  pads[] = {w->top, w->left, w->bottom, w->right};
    s2clr_onnx_attribute_ints(g, "kernel_shape", kernel, 2);
    s2clr_onnx_attribute_ints(g, "strides", strides, 2);
    s2clr_onnx_attribute_ints(g, "pads", pads, 4);
}

static void put_conv(s2clr_onnx_graph *g, int index, const s2clr_node *node, const char *from,
                     const char *to)
{
    const char *inputs[4] = {from, NULL, NULL, NULL};
    add_param(g, index, S2CLR_PARAM_WEIGHT, &inputs[1]);
    if (node->bias) add_param(g, index, S2CLR_PARAM_BIAS, &inputs[2]);
    if (g->flat[index]) {
        g->tensor[g->tensors - (node->bias ? 2 : 1)].rank = 2; /* (out, in, 1, 1) in some files */
        s2clr_onnx_attribute_int(g, "transB", 1);
        s2clr_onnx_node(g, "Gemm", inputs, to);
        return;
    }
    put_window(g, node);
    s2clr_onnx_attribute_int(g, "group", node->groups);
    s2clr_onnx_node(g, "Conv", inputs, to);
}

static void put_batchnorm(s2clr_onnx_graph *g, int index, const s2clr_node *node, const char *from,
                          const char *to)
{
    const char *inputs[6] = {from};
    add_param(g, index, S2CLR_PARAM_GAMMA, &inputs[1]);
    add_param(g, index, S2CLR_PARAM_BETA, &inputs[2]);
    add_param(g, index, S2CLR_PARAM_RUNNING_MEAN, &inputs[3]);
    add_param(g, index, S2CLR_PARAM_RUNNING_VAR, &inputs[4]);
    s2clr_onnx_attribute_float(g, "epsilon", node->epsilon);
    s2clr_onnx_node(g, "BatchNormalization", inputs, to);
}

static void put_meanpool(s2clr_onnx_graph *g, const char *from, const char *to)
{
    char map[S2CLR_ONNX_NAME];
    const char *inputs[] = {from, NULL}, *flat[] = {map, NULL};
    snprintf(map, sizeof map, "%.80s.map", to);
    s2clr_onnx_node(g, "GlobalAveragePool", inputs, map);
    s2clr_onnx_attribute_int(g, "axis", 1);
    s2clr_onnx_node(g, "Flatten", flat, to);
}

/* A mean over one pixel with padding is a frame of zeros; runtimes want pads below the kernel. */
static bool is_frame(const s2clr_node *node)
{
    const s2clr_window *w = &node->window;
    return node->kind == S2CLR_NODE_AVGPOOL && node->count_pad && w->h == 1 && w->w == 1 &&
           w->stride == 1;
}

static void put_frame(s2clr_onnx_graph *g, const s2clr_node *node, const char *from, const char *to)
{
    const s2clr_window *w = &node->window;
    const int64_t frame[8] = {0, 0, w->top, w->left, 0, 0, w->bottom, w->right};
    s2clr_onnx_tensor *tensor = &g->tensor[g->tensors++];
    *tensor = (s2clr_onnx_tensor){.rank = 1, .dims = {8}, .count = 8};
    tensor->whole = memcpy(g->frame[g->frames++], frame, sizeof frame);
    snprintf(tensor->name, sizeof tensor->name, "%.80s.pads", to);
    const char *inputs[] = {from, tensor->name, NULL};
    s2clr_onnx_node(g, "Pad", inputs, to);
}

/* One tensor and one row of g->frame for each. */
s2clr_status s2clr_onnx_make_frames(s2clr_onnx_graph *g, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < s2clr_net_node_count(g->net); i++)
        *count += is_frame(s2clr_net_node(g->net, i));
    return s2clr_alloc(*count, sizeof *g->frame, "pads", (void **)&g->frame);
}

static void put_operator(s2clr_onnx_graph *g, int index, const s2clr_node *node, const char *to)
{
    const char *from = g->value[node->input[0]];
    const char *other = node->input[1] >= 0 ? g->value[node->input[1]] : NULL;
    const char *inputs[] = {from, other, NULL};
    switch (node->kind) {
    case S2CLR_NODE_INPUT:
        break;
    case S2CLR_NODE_CONV:
        put_conv(g, index, node, from, to);
        break;
    case S2CLR_NODE_BATCHNORM:
        put_batchnorm(g, index, node, from, to);
        break;
    case S2CLR_NODE_ADD:
        s2clr_onnx_node(g, "Add", inputs, to);
        break;
    case S2CLR_NODE_CONCAT:
        s2clr_onnx_attribute_int(g, "axis", 1);
        s2clr_onnx_node(g, "Concat", inputs, to);
        break;
    case S2CLR_NODE_MAXPOOL:
        put_window(g, node);
        s2clr_onnx_node(g, "MaxPool", inputs, to);
        break;
    case S2CLR_NODE_AVGPOOL:
        if (is_frame(node)) {
            put_frame(g, node, from, to);
            break;
        }
        put_window(g, node);
        s2clr_onnx_attribute_int(g, "count_include_pad", node->count_pad);
        s2clr_onnx_node(g, "AveragePool", inputs, to);
        break;
    case S2CLR_NODE_MEANPOOL:
        put_meanpool(g, from, to);
        break;
    case S2CLR_NODE_RELU:
        s2clr_onnx_node(g, "Relu", inputs, to);
        break;
    }
}

static void put_node(s2clr_onnx_graph *g, int index, const s2clr_node *node)
{
    char plain[S2CLR_ONNX_NAME];
    const char *to = g->value[index], *before[] = {plain, NULL};
    if (!node->relu || node->kind == S2CLR_NODE_RELU) {
        put_operator(g, index, node, to);
        return;
    }
    snprintf(plain, sizeof plain, "%.80s.plain", to);
    put_operator(g, index, node, plain);
    s2clr_onnx_node(g, "Relu", before, to);
}

/* ---- the network ---- */

static void mark_flat(s2clr_onnx_graph *g)
{
    for (size_t i = 0; i < s2clr_net_node_count(g->net); i++) {
        const s2clr_node *node = s2clr_net_node(g->net, i);
        g->flat[i] = node->kind == S2CLR_NODE_MEANPOOL ||
                     (node->kind != S2CLR_NODE_INPUT && g->flat[node->input[0]]);
    }
}

/* Names of nodes that have weights are unique, those of others are not. */
static void name_values(s2clr_onnx_graph *g)
{
    const size_t nodes = s2clr_net_node_count(g->net);
    for (size_t i = 0; i < nodes; i++) {
        const s2clr_node *node = s2clr_net_node(g->net, i);
        const bool unique = node->kind == S2CLR_NODE_CONV || node->kind == S2CLR_NODE_BATCHNORM ||
                            node->kind == S2CLR_NODE_INPUT;
        if (unique)
            snprintf(g->value[i], sizeof g->value[i], "%s", node->name);
        else
            snprintf(g->value[i], sizeof g->value[i], "%s.%zu", node->name, i);
    }
}

static void mark_needed(s2clr_onnx_graph *g, int output)
{
    g->needed[output] = true;
    for (int i = output; i >= 0; i--) {
        const s2clr_node *node = s2clr_net_node(g->net, (size_t)i);
        for (int k = 0; k < 2; k++)
            if (g->needed[i] && node->input[k] >= 0) g->needed[node->input[k]] = true;
    }
}

static void put_output(s2clr_onnx_graph *g, s2clr_output output, const char *name)
{
    const int node = s2clr_net_output(g->net, output);
    if (node < 0) return;
    const int64_t dims[] = {0, g->shape[node].c};
    snprintf(g->value[node], sizeof g->value[node], "%s", name);
    mark_needed(g, node);
    s2clr_onnx_value(g, ONNX_GRAPH_OUTPUT, name, 2, dims, NULL);
}

void s2clr_onnx_network(s2clr_onnx_graph *g)
{
    const size_t nodes = s2clr_net_node_count(g->net);
    name_values(g);
    mark_flat(g);
    if (g->card->arch.outputs > 0) {
        put_output(g, S2CLR_OUTPUT_LOGITS, "logits");
    } else {
        put_output(g, S2CLR_OUTPUT_FEATURES, "features");
        put_output(g, S2CLR_OUTPUT_PROJECTION, "projection");
    }
    for (size_t i = 0; i < nodes; i++)
        if (g->needed[i]) put_node(g, (int)i, s2clr_net_node(g->net, i));
}
