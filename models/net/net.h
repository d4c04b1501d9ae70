/*
 * A network: a list of nodes with named inputs (a DAG), and the table of its parameters.
 *
 *     s2clr_arch arch = {.name = "resnet50", .channels = 12, .outputs = 1};
 *     s2clr_net *net;
 *     S2CLR_TRY(s2clr_net_new(&arch, &net));
 *     S2CLR_TRY(s2clr_alloc(s2clr_net_param_count(net), sizeof(float), "weights", (void **)&w));
 *     S2CLR_TRY(s2clr_net_init(net, seed, w));
 *
 * A net knows structure only: no sizes of images, no weights, no backend. It is immutable once
 * made and may be shared by threads. Weights are ONE flat float array: the optimiser is one loop,
 * a checkpoint one write. Trainable parameters come first, then batch-norm running statistics.
 * Nodes are stored so that inputs precede their readers.
 *
 * Tensor names are torchvision's ("layer1.0.conv1.weight", "bn1.running_mean", "fc.bias"), so
 * PyTorch loads a model file as it is.
 *
 * Letters used for shapes everywhere: N batch, C channels, H rows, W columns, K outputs.
 */
#ifndef S2CLR_NET_NET_H
#define S2CLR_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/status.h"

#define S2CLR_NAME_MAX 64

typedef enum s2clr_node_kind {
    S2CLR_NODE_INPUT,
    S2CLR_NODE_CONV,
    S2CLR_NODE_BATCHNORM,
    S2CLR_NODE_ADD,
    S2CLR_NODE_MAXPOOL,
    S2CLR_NODE_MEANPOOL,
    S2CLR_NODE_AVGPOOL,
    S2CLR_NODE_CONCAT, /* channels of input[0], then of input[1] */
    S2CLR_NODE_RELU    /* an activation that stands alone */
} s2clr_node_kind;

typedef struct s2clr_node {
    s2clr_node_kind kind;
    char name[S2CLR_NAME_MAX]; /* prefix of its tensor names: "layer1.0.conv1" */
    int input[2];              /* node indices, -1 when absent */
    int channels;              /* of the output */
    s2clr_window window;       /* CONV, MAXPOOL, AVGPOOL */
    int groups;                /* CONV */
    bool bias;                 /* CONV */
    bool linear;               /* CONV on (C, 1, 1): its weight has rank 2 in a file */
    bool relu;                 /* activation after this node */
    bool count_pad;            /* AVGPOOL, as in s2clr_op_desc */
    bool same;                 /* padding follows from the map: s2clr_node_window() */
    float epsilon;             /* BATCHNORM */
} s2clr_node;

/* The window of a node that reads a map of shape x. With `same`, as many pixels are padded that the
 * output has ceil(size / stride), what is odd at the bottom and right: TensorFlow's SAME. */
s2clr_window s2clr_node_window(const s2clr_node *node, s2clr_shape x);

typedef enum s2clr_param_role {
    S2CLR_PARAM_WEIGHT, /* (out, in / groups, kh, kw) of a CONV; (out, in) for a linear layer */
    S2CLR_PARAM_BIAS,
    S2CLR_PARAM_GAMMA,
    S2CLR_PARAM_BETA,
    S2CLR_PARAM_RUNNING_MEAN, /* not trainable */
    S2CLR_PARAM_RUNNING_VAR   /* not trainable */
} s2clr_param_role;

typedef struct s2clr_param {
    char name[S2CLR_NAME_MAX]; /* "layer1.0.conv1.weight" */
    s2clr_param_role role;
    int node;
    int rank;
    int dims[4];   /* as stored in a file: a linear layer's weight has rank 2 */
    size_t count;  /* product of dims */
    size_t offset; /* first element in the flat array */
} s2clr_param;

#define S2CLR_HEAD_MAX 4

/* What to build. Zero width and depth take the architecture's default. */
typedef struct s2clr_arch {
    char name[32]; /* a line of the table in arch_list.c */
    int channels;  /* input bands, >= 1 */
    int outputs;   /* logits K; 0: an encoder without a classifier */
    int width;     /* channels of the first stage (resnet*: 64, others: 32) */
    int depth;     /* dense: 3x3 layers at stride 4; pixel: hidden layers */
    /* Linear layers on the features, ReLU after each but the last: the head that contrastive
     * pretraining compares the ends of. */
    int projections, projection[S2CLR_HEAD_MAX];
    int tap; /* what the classifier sees: 0 the features, i the i-th projection layer behind ReLU */
    int hiddens,
        hidden[S2CLR_HEAD_MAX]; /* linear + ReLU layers of the classifier before the last */
} s2clr_arch;

typedef enum s2clr_output {
    S2CLR_OUTPUT_LOGITS,   /* (N, K, 1, 1): one value per patch */
    S2CLR_OUTPUT_FEATURES, /* (N, F, 1, 1): the end of the trunk, which all heads see */
    S2CLR_OUTPUT_LOCAL,    /* (N, K, h, w): local logits, networks without padding have them */
    S2CLR_OUTPUT_LOCAL_FEATURES, /* (N, F, h, w): their mean over h x w are the features */
    S2CLR_OUTPUT_PROJECTION,     /* (N, D, 1, 1): end of the projection head */
    S2CLR_OUTPUTS
} s2clr_output;

typedef struct s2clr_net s2clr_net;

/* Free with s2clr_net_free(). S2CLR_ERR_ARGUMENT names the field, the value and what is allowed. */
s2clr_status s2clr_net_new(const s2clr_arch *arch, s2clr_net **out);
void s2clr_net_free(s2clr_net *net);

/* The architecture with its defaults filled in. Borrowed. */
const s2clr_arch *s2clr_net_arch(const s2clr_net *net);

size_t s2clr_net_node_count(const s2clr_net *net);
const s2clr_node *s2clr_net_node(const s2clr_net *net, size_t index);

/* Node index of an output, or -1 when the architecture has none of that kind. */
int s2clr_net_output(const s2clr_net *net, s2clr_output output);

size_t s2clr_net_param_list(const s2clr_net *net, const s2clr_param **out); /* borrowed */
size_t s2clr_net_param_count(const s2clr_net *net);     /* floats in the flat array */
size_t s2clr_net_trainable_count(const s2clr_net *net); /* its leading, trainable part */

/* The parameter of that tensor name ("layer1.0.conv1.weight") or NULL. Borrowed. */
const s2clr_param *s2clr_net_param_named(const s2clr_net *net, const char *name);

/* Index of the parameter of `node` with `role` in the list, or -1. */
int s2clr_net_param_of(const s2clr_net *net, int node, s2clr_param_role role);

/* Networks with local logits: their step in pixels and their receptive field R; both 0 for
 * networks that pad (a patch is all they can see). */
int s2clr_net_step(const s2clr_net *net);
int s2clr_net_field(const s2clr_net *net);

/* Runs of nodes from the input up: one per stage of the trunk ("stem", "layer1", ...), one per
 * linear layer of the heads ("projection.0", "hidden.0", "fc"). What "the last N layers" and rates
 * by layer mean. A group ends where the next begins. Borrowed. */
typedef struct s2clr_net_group {
    char name[S2CLR_NAME_MAX];
    size_t first_node;
} s2clr_net_group;
size_t s2clr_net_depth_list(const s2clr_net *net, const s2clr_net_group **out);

/* Shape of every node for an input of n x channels x h x w; `shapes` has node_count entries. */
s2clr_status s2clr_net_shapes(const s2clr_net *net, int n, int h, int w, s2clr_shape *shapes);

/* He et al. (2015) normal initialisation: fan-out for convolutions, fan-in for the linear layers of
 * the heads; biases 0; gamma 1, beta 0, running mean 0, variance 1; the layer that makes the logits
 * uniform +-1/sqrt(fan-in), bias too. Element j of parameter i comes from Philox stream i, index j.
 */
s2clr_status s2clr_net_init(const s2clr_net *net, uint64_t seed, float *params);

/* ---- the table of architectures (arch_list.c) ---- */

typedef struct s2clr_arch_entry {
    const char *name;
    const char *summary;
    int width, depth; /* defaults; depth 0: not adjustable */
    s2clr_status (*build)(s2clr_net *net);
} s2clr_arch_entry;

size_t s2clr_arch_list(const s2clr_arch_entry **out);

#endif
