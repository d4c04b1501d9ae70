/*
 * Private to file/: an ONNX graph while it is made.
 */
#ifndef S2CLR_FILE_PONNX_H
#define S2CLR_FILE_PONNX_H

#include "file/onnx.h"
#include "file/proto.h"

#define S2CLR_ONNX_NAME 96
#define S2CLR_ONNX_CONSTANTS 8

/* Field numbers of onnx.proto. */
enum {
    ONNX_MODEL_IR_VERSION = 1,
    ONNX_MODEL_PRODUCER = 2,
    ONNX_MODEL_PRODUCER_VERSION = 3,
    ONNX_MODEL_DOC = 6,
    ONNX_MODEL_GRAPH = 7,
    ONNX_MODEL_OPSET = 8,
    ONNX_MODEL_METADATA = 14,
    ONNX_OPSET_DOMAIN = 1,
    ONNX_OPSET_VERSION = 2,
    ONNX_ENTRY_KEY = 1,
    ONNX_ENTRY_VALUE = 2,
    ONNX_GRAPH_NODE = 1,
    ONNX_GRAPH_NAME = 2,
    ONNX_GRAPH_INITIALIZER = 5,
    ONNX_GRAPH_INPUT = 11,
    ONNX_GRAPH_OUTPUT = 12,
    ONNX_NODE_INPUT = 1,
    ONNX_NODE_OUTPUT = 2,
    ONNX_NODE_NAME = 3,
    ONNX_NODE_OPERATOR = 4,
    ONNX_NODE_ATTRIBUTE = 5,
    ONNX_ATTRIBUTE_NAME = 1,
    ONNX_ATTRIBUTE_FLOAT = 2,
    ONNX_ATTRIBUTE_INT = 3,
    ONNX_ATTRIBUTE_INTS = 8,
    ONNX_ATTRIBUTE_TYPE = 20,
    ONNX_TENSOR_DIMS = 1,
    ONNX_TENSOR_TYPE = 2,
    ONNX_TENSOR_NAME = 8,
    ONNX_TENSOR_RAW = 9,
    ONNX_VALUE_NAME = 1,
    ONNX_VALUE_TYPE = 2,
    ONNX_VALUE_DOC = 3,
    ONNX_TYPE_TENSOR = 1,
    ONNX_TENSOR_TYPE_ELEMENT = 1,
    ONNX_TENSOR_TYPE_SHAPE = 2,
    ONNX_SHAPE_DIM = 1,
    ONNX_DIM_VALUE = 1,
    ONNX_DIM_PARAM = 2
};
enum {
    ONNX_FLOAT = 1,
    ONNX_INT64 = 7,
    ONNX_ATTRIBUTE_IS_FLOAT = 1,
    ONNX_ATTRIBUTE_IS_INT = 2,
    ONNX_ATTRIBUTE_IS_INTS = 7
};

/* A weight or a constant; the values are borrowed from the model or lie in `constant`. */
typedef struct s2clr_onnx_tensor {
    char name[S2CLR_ONNX_NAME];
    int rank;
    int64_t dims[4];
    size_t count;
    const float *values;
    const int64_t *whole; /* or whole numbers */
} s2clr_onnx_tensor;

typedef struct s2clr_onnx_graph {
    const s2clr_model *model;
    const s2clr_card *card;
    const s2clr_net *net;
    bool *needed;                   // (nodes) of the network
    bool *flat;                     // (nodes) its value is (N, C), no map any more
    s2clr_shape *shape;             // (nodes), for a batch of 1
    char (*value)[S2CLR_ONNX_NAME]; // (nodes) name of what each node gives
    s2clr_onnx_tensor *tensor;      // (tensors)
    size_t tensors, tensor_room;
    float constant[S2CLR_ONNX_CONSTANTS][S2CLR_CARD_BANDS_MAX];
    int constants;
    int64_t (*frame)[8]; // (frames) pads of Pad operators, of all dimensions
    int frames;
    s2clr_proto body;                  /* fields of GraphProto except the initializers */
    s2clr_proto node, attribute, part; /* under way */
} s2clr_onnx_graph;

/* Attributes of the node to come, then the node itself. `inputs` ends with NULL. */
void s2clr_onnx_attribute_int(s2clr_onnx_graph *g, const char *name, int64_t value);
void s2clr_onnx_attribute_ints(s2clr_onnx_graph *g, const char *name, const int64_t *values,
                               size_t count);
void s2clr_onnx_attribute_float(s2clr_onnx_graph *g, const char *name, float value);
void s2clr_onnx_node(s2clr_onnx_graph *g, const char *operator_name, const char *const *inputs,
                     const char *output);

/* An input or output of the graph: dims[0] is the free batch. */
void s2clr_onnx_value(s2clr_onnx_graph *g, unsigned field, const char *name, int rank,
                      const int64_t *dims, const char *doc);

/* A constant per band, (count, 1, 1), or with count 0 a scalar. */
void s2clr_onnx_constant(s2clr_onnx_graph *g, const char *name, const double *values, int count);

/* onnx_network.c: the network's nodes, from the value "input" to its outputs. */
void s2clr_onnx_network(s2clr_onnx_graph *g);

/* Makes room for the pads that the network needs; *count: as many more initializers. */
s2clr_status s2clr_onnx_make_frames(s2clr_onnx_graph *g, size_t *count);

/* onnx_scaling.c: "dn" to "input", "logits" to "probability". */
void s2clr_onnx_standardise(s2clr_onnx_graph *g, const s2clr_card_level *level);
void s2clr_onnx_probability(s2clr_onnx_graph *g);

#endif
