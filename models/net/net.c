/* The network as data: making one, its nodes, its parameter table. */
#include "net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"
#include "net/pnet.h"

enum { CHANNELS_MAX = 4096, OUTPUTS_MAX = 4096, WIDTH_MAX = 1024, DEPTH_MAX = 64, ARCHS_MAX = 64 };

static s2clr_status check_range(const char *what, int value, int low, int high)
{
    if (value >= low && value <= high) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "architecture: %s is %d, must be %d to %d", what,
                           value, low, high);
}

static s2clr_status find_entry(const char *name, const s2clr_arch_entry **out)
{
    const s2clr_arch_entry *list;
    const size_t count = s2clr_arch_list(&list);
    const char *names[ARCHS_MAX];
    char known[256] = "";
    for (size_t i = 0; i < count && i < ARCHS_MAX; i++) {
        names[i] = list[i].name;
        if (strcmp(list[i].name, name) == 0) {
            *out = &list[i];
            return S2CLR_OK;
        }
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", list[i].name);
    }
    const char *near = s2clr_suggest(name, names, count < ARCHS_MAX ? count : ARCHS_MAX);
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "unknown architecture \"%.31s\"%s%s: choose one of %s", name,
                           near ? ": did you mean " : "", near ? near : "", known);
}

static s2clr_status check_head(const s2clr_arch *arch)
{
    S2CLR_TRY(check_range("number of projection layers", arch->projections, 0, S2CLR_HEAD_MAX));
    for (int i = 0; i < arch->projections; i++)
        S2CLR_TRY(check_range("width of a projection layer", arch->projection[i], 1, CHANNELS_MAX));
    S2CLR_TRY(check_range("tap (a projection layer)", arch->tap, 0, arch->projections));
    S2CLR_TRY(check_range("number of hidden layers", arch->hiddens, 0, S2CLR_HEAD_MAX));
    for (int i = 0; i < arch->hiddens; i++)
        S2CLR_TRY(check_range("width of a hidden layer", arch->hidden[i], 1, CHANNELS_MAX));
    if (arch->outputs == 0 && (arch->tap || arch->hiddens))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "architecture: tap %d and %d hidden layers belong to a classifier, "
                               "but outputs is 0",
                               arch->tap, arch->hiddens);
    return S2CLR_OK;
}

static s2clr_status complete_arch(const s2clr_arch *asked, const s2clr_arch_entry *entry,
                                  s2clr_arch *out)
{
    *out = *asked;
    if (out->width == 0) out->width = entry->width;
    if (out->depth == 0) out->depth = entry->depth;
    S2CLR_TRY(check_head(out));
    S2CLR_TRY(check_range("input channels", out->channels, 1, CHANNELS_MAX));
    S2CLR_TRY(check_range("outputs", out->outputs, 0, OUTPUTS_MAX));
    S2CLR_TRY(check_range("width", out->width, 1, WIDTH_MAX));
    if (entry->depth == 0)
        S2CLR_TRY(check_range("depth (this architecture has a fixed one)", out->depth, 0, 0));
    else
        S2CLR_TRY(check_range("depth", out->depth, 1, DEPTH_MAX));
    return S2CLR_OK;
}

/* ---- parameters ---- */

static void append_param(s2clr_net *net, int node, s2clr_param_role role, const char *suffix,
                         int rank, const int dims[4])
{
    s2clr_param *p = &net->param[net->params++];
    snprintf(p->name, sizeof p->name, "%.48s.%s", net->node[node].name, suffix);
    p->role = role;
    p->node = node;
    p->rank = rank;
    p->count = 1;
    for (int i = 0; i < rank; i++) {
        p->dims[i] = dims[i];
        p->count *= (size_t)dims[i];
    }
    p->offset = net->param_floats;
    net->param_floats += p->count;
}

static void append_trainable(s2clr_net *net, int index)
{
    const s2clr_node *n = &net->node[index];
    const int c[4] = {n->channels, 0, 0, 0};
    if (n->kind == S2CLR_NODE_CONV) {
        const s2clr_node *from = &net->node[n->input[0]];
        const int w[4] = {n->channels, from->channels / n->groups, n->window.h, n->window.w};
        append_param(net, index, S2CLR_PARAM_WEIGHT, "weight", n->linear ? 2 : 4, w);
        if (n->bias) append_param(net, index, S2CLR_PARAM_BIAS, "bias", 1, c);
    } else if (n->kind == S2CLR_NODE_BATCHNORM) {
        append_param(net, index, S2CLR_PARAM_GAMMA, "weight", 1, c);
        append_param(net, index, S2CLR_PARAM_BETA, "bias", 1, c);
    }
}

static int compare_names(const void *left, const void *right)
{
    return strcmp((*(const s2clr_param *const *)left)->name,
                  (*(const s2clr_param *const *)right)->name);
}

static int compare_key(const void *key, const void *element)
{
    return strcmp(key, (*(const s2clr_param *const *)element)->name);
}

static s2clr_status sort_names(s2clr_net *net)
{
    S2CLR_TRY(
        s2clr_alloc(net->params, sizeof *net->by_name, "parameter names", (void **)&net->by_name));
    for (size_t i = 0; i < net->params; i++) net->by_name[i] = &net->param[i];
    qsort(net->by_name, net->params, sizeof *net->by_name, compare_names);
    return S2CLR_OK;
}

static s2clr_status list_params(s2clr_net *net)
{
    S2CLR_TRY(
        s2clr_alloc(net->nodes * 4, sizeof *net->param, "parameter table", (void **)&net->param));
    for (size_t i = 0; i < net->nodes; i++) append_trainable(net, (int)i);
    net->trainable_floats = net->param_floats;
    for (size_t i = 0; i < net->nodes; i++) {
        if (net->node[i].kind != S2CLR_NODE_BATCHNORM) continue;
        const int c[4] = {net->node[i].channels, 0, 0, 0};
        append_param(net, (int)i, S2CLR_PARAM_RUNNING_MEAN, "running_mean", 1, c);
        append_param(net, (int)i, S2CLR_PARAM_RUNNING_VAR, "running_var", 1, c);
    }
    return sort_names(net);
}

/* ---- life ---- */

s2clr_status s2clr_net_new(const s2clr_arch *arch, s2clr_net **out)
{
    const s2clr_arch_entry *entry = NULL;
    S2CLR_TRY(find_entry(arch->name, &entry));
    return s2clr_net_assemble(arch, entry, out);
}

s2clr_status s2clr_net_assemble(const s2clr_arch *arch, const s2clr_arch_entry *entry,
                                s2clr_net **out)
{
    s2clr_net *net;
    S2CLR_TRY(s2clr_alloc(1, sizeof *net, "network", (void **)&net));
    for (int i = 0; i < S2CLR_OUTPUTS; i++) net->output[i] = -1;
    net->epsilon = S2CLR_EPSILON_TORCH;
    s2clr_status status = complete_arch(arch, entry, &net->arch);
    if (status == S2CLR_OK) status = entry->build(net);
    if (status == S2CLR_OK) status = list_params(net);
    if (status != S2CLR_OK) {
        s2clr_net_free(net);
        return status;
    }
    *out = net;
    return S2CLR_OK;
}

void s2clr_net_free(s2clr_net *net)
{
    if (!net) return;
    s2clr_free(net->node);
    s2clr_free(net->by_name);
    s2clr_free(net->param);
    s2clr_free(net->group);
    s2clr_free(net);
}

/* ---- looking at it ---- */

const s2clr_arch *s2clr_net_arch(const s2clr_net *net)
{
    return &net->arch;
}

size_t s2clr_net_node_count(const s2clr_net *net)
{
    return net->nodes;
}

const s2clr_node *s2clr_net_node(const s2clr_net *net, size_t index)
{
    return &net->node[index];
}

int s2clr_net_output(const s2clr_net *net, s2clr_output output)
{
    return net->output[output];
}

s2clr_status s2clr_net_find_output(const s2clr_net *net, s2clr_output output, int *node)
{
    static const char *const names[S2CLR_OUTPUTS] = {"logits", "features", "local logits",
                                                     "local features", "projection head"};
    if (net->output[output] < 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED, "architecture %s has no %s", net->arch.name,
                               names[output]);
    *node = net->output[output];
    return S2CLR_OK;
}

size_t s2clr_net_param_list(const s2clr_net *net, const s2clr_param **out)
{
    *out = net->param;
    return net->params;
}

size_t s2clr_net_param_count(const s2clr_net *net)
{
    return net->param_floats;
}

size_t s2clr_net_trainable_count(const s2clr_net *net)
{
    return net->trainable_floats;
}

const s2clr_param *s2clr_net_param_named(const s2clr_net *net, const char *name)
{
    const s2clr_param *const *found =
        bsearch(name, net->by_name, net->params, sizeof *net->by_name, compare_key);
    return found ? *found : NULL;
}

int s2clr_net_param_of(const s2clr_net *net, int node, s2clr_param_role role)
{
    for (size_t i = 0; i < net->params; i++)
        if (net->param[i].node == node && net->param[i].role == role) return (int)i;
    return -1;
}

int s2clr_net_step(const s2clr_net *net)
{
    return net->step;
}

int s2clr_net_field(const s2clr_net *net)
{
    return net->field;
}

size_t s2clr_net_depth_list(const s2clr_net *net, const s2clr_net_group **out)
{
    *out = net->group;
    return net->groups;
}

s2clr_op_kind s2clr_node_op(s2clr_node_kind kind)
{
    switch (kind) {
    case S2CLR_NODE_CONV:
        return S2CLR_OP_CONV;
    case S2CLR_NODE_ADD:
    case S2CLR_NODE_RELU:
        return S2CLR_OP_ADD;
    case S2CLR_NODE_AVGPOOL:
        return S2CLR_OP_AVGPOOL;
    case S2CLR_NODE_CONCAT:
        return S2CLR_OP_CONCAT;
    case S2CLR_NODE_MAXPOOL:
        return S2CLR_OP_MAXPOOL;
    case S2CLR_NODE_MEANPOOL:
        return S2CLR_OP_MEANPOOL;
    case S2CLR_NODE_BATCHNORM:
    case S2CLR_NODE_INPUT:
        break;
    }
    return S2CLR_OP_AFFINE;
}

void s2clr_net_mark_needed(const s2clr_net *net, int last, bool *needed)
{
    memset(needed, 0, net->nodes * sizeof *needed);
    needed[last] = true;
    for (int i = last; i >= 0; i--)
        for (int k = 0; k < 2; k++)
            if (needed[i] && net->node[i].input[k] >= 0) needed[net->node[i].input[k]] = true;
}
