#include "file/onnx.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "file/file_replace.h"
#include "file/ponnx.h"

#define IR_VERSION 8
#define OPSET 17
#define MESSAGE_MOST 2147483647u /* protocol buffers' own limit */

/* ---- parts of a graph ---- */

static void put_attribute(s2clr_onnx_graph *g, const char *name, uint64_t type)
{
    s2clr_proto_text(&g->part, ONNX_ATTRIBUTE_NAME, name);
    s2clr_proto_int(&g->part, ONNX_ATTRIBUTE_TYPE, type);
    s2clr_proto_message(&g->attribute, ONNX_NODE_ATTRIBUTE, &g->part);
}

void s2clr_onnx_attribute_int(s2clr_onnx_graph *g, const char *name, int64_t value)
{
    s2clr_proto_int(&g->part, ONNX_ATTRIBUTE_INT, (uint64_t)value);
    put_attribute(g, name, ONNX_ATTRIBUTE_IS_INT);
}

void s2clr_onnx_attribute_ints(s2clr_onnx_graph *g, const char *name, const int64_t *values,
                               size_t count)
{
    s2clr_proto_ints(&g->part, ONNX_ATTRIBUTE_INTS, values, count);
    put_attribute(g, name, ONNX_ATTRIBUTE_IS_INTS);
}

void s2clr_onnx_attribute_float(s2clr_onnx_graph *g, const char *name, float value)
{
    s2clr_proto_float(&g->part, ONNX_ATTRIBUTE_FLOAT, value);
    put_attribute(g, name, ONNX_ATTRIBUTE_IS_FLOAT);
}

/* Attributes gather as finished fields, which follow the node's own. */
void s2clr_onnx_node(s2clr_onnx_graph *g, const char *operator_name, const char *const *inputs,
                     const char *output)
{
    for (; *inputs; inputs++) s2clr_proto_text(&g->node, ONNX_NODE_INPUT, *inputs);
    s2clr_proto_text(&g->node, ONNX_NODE_OUTPUT, output);
    s2clr_proto_text(&g->node, ONNX_NODE_NAME, output);
    s2clr_proto_text(&g->node, ONNX_NODE_OPERATOR, operator_name);
    s2clr_proto_append(&g->node, &g->attribute);
    s2clr_proto_message(&g->body, ONNX_GRAPH_NODE, &g->node);
}

void s2clr_onnx_value(s2clr_onnx_graph *g, unsigned field, const char *name, int rank,
                      const int64_t *dims, const char *doc)
{
    s2clr_proto *dim = &g->part, shape = {0}, tensor = {0}, type = {0};
    for (int i = 0; i < rank; i++) {
        if (i == 0)
            s2clr_proto_text(dim, ONNX_DIM_PARAM, "N");
        else
            s2clr_proto_int(dim, ONNX_DIM_VALUE, (uint64_t)dims[i]);
        s2clr_proto_message(&shape, ONNX_SHAPE_DIM, dim);
    }
    s2clr_proto_int(&tensor, ONNX_TENSOR_TYPE_ELEMENT, ONNX_FLOAT);
    s2clr_proto_message(&tensor, ONNX_TENSOR_TYPE_SHAPE, &shape);
    s2clr_proto_message(&type, ONNX_TYPE_TENSOR, &tensor);
    s2clr_proto_text(&g->node, ONNX_VALUE_NAME, name);
    s2clr_proto_message(&g->node, ONNX_VALUE_TYPE, &type);
    if (doc) s2clr_proto_text(&g->node, ONNX_VALUE_DOC, doc);
    s2clr_proto_message(&g->body, field, &g->node);
    s2clr_proto_free(&shape);
    s2clr_proto_free(&tensor);
    s2clr_proto_free(&type);
}

void s2clr_onnx_constant(s2clr_onnx_graph *g, const char *name, const double *values, int count)
{
    float *to = g->constant[g->constants++];
    s2clr_onnx_tensor *tensor = &g->tensor[g->tensors++];
    *tensor = (s2clr_onnx_tensor){.count = count ? (size_t)count : 1, .values = to};
    for (size_t i = 0; i < tensor->count; i++) to[i] = (float)values[i];
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    if (count == 0) return;
    tensor->rank = 3;
    tensor->dims[0] = count;
    tensor->dims[1] = tensor->dims[2] = 1;
}

/* ---- the graph ---- */

static s2clr_status make_room(s2clr_onnx_graph *g)
{
    const s2clr_param *list;
    const size_t nodes = s2clr_net_node_count(g->net);
    size_t frames;
    S2CLR_TRY(s2clr_onnx_make_frames(g, &frames));
    g->tensor_room = s2clr_net_param_list(g->net, &list) + S2CLR_ONNX_CONSTANTS + frames;
    S2CLR_TRY(s2clr_alloc(nodes, sizeof *g->needed, "nodes", (void **)&g->needed));
    S2CLR_TRY(s2clr_alloc(nodes, sizeof *g->flat, "nodes", (void **)&g->flat));
    S2CLR_TRY(s2clr_alloc(nodes, sizeof *g->shape, "shapes", (void **)&g->shape));
    S2CLR_TRY(s2clr_alloc(nodes, sizeof *g->value, "names", (void **)&g->value));
    S2CLR_TRY(s2clr_alloc(g->tensor_room, sizeof *g->tensor, "initializers", (void **)&g->tensor));
    return s2clr_net_shapes(g->net, 1, g->card->patch, g->card->patch, g->shape);
}

static void put_input(s2clr_onnx_graph *g, const s2clr_card_level *level)
{
    const int64_t dims[] = {0, g->card->bands, g->card->patch, g->card->patch};
    char doc[2 * S2CLR_CARD_BANDS_MAX * S2CLR_CARD_WORD];
    int at =
        level ? snprintf(doc, sizeof doc, "DN of level %s plus the product's offset; ", level->name)
              : snprintf(doc, sizeof doc, "standardised with the card's mean and std; ");
    at += snprintf(doc + at, sizeof doc - (size_t)at, "bands");
    for (int b = 0; b < g->card->bands; b++)
        at += snprintf(doc + at, sizeof doc - (size_t)at, " %s", g->card->band[b]);
    s2clr_onnx_value(g, ONNX_GRAPH_INPUT, level ? "dn" : "input", 4, dims, doc);
}

static void fill_graph(s2clr_onnx_graph *g, const s2clr_card_level *level)
{
    s2clr_proto_text(&g->body, ONNX_GRAPH_NAME, g->card->id);
    put_input(g, level);
    if (level) s2clr_onnx_standardise(g, level);
    if (level && g->card->arch.outputs > 0) {
        const int64_t dims[] = {0, g->card->arch.outputs};
        s2clr_onnx_value(g, ONNX_GRAPH_OUTPUT, "probability", 2, dims, g->card->positive);
    }
    s2clr_onnx_network(g);
    if (level && g->card->arch.outputs > 0) s2clr_onnx_probability(g);
}

/* ---- the file: head, then each initializer's head and values, then the rest ---- */

typedef struct assembly {
    s2clr_proto head;    /* of the model, up to the first initializer */
    s2clr_proto tensors; /* heads of the initializers, one behind the other */
    s2clr_proto tail;    /* the model's metadata */
    size_t *end;         // (tensors) of each head
    s2clr_piece *pieces; // (2 tensors + 2)
} assembly;

static size_t tensor_bytes(const s2clr_onnx_tensor *tensor)
{
    return tensor->count * (tensor->whole ? sizeof *tensor->whole : sizeof *tensor->values);
}

/* Everything of a TensorProto but its values, which come last. */
static void put_tensor(s2clr_onnx_graph *g, const s2clr_onnx_tensor *tensor, s2clr_proto *to)
{
    s2clr_proto inner = {0};
    const size_t bytes = tensor_bytes(tensor);
    s2clr_proto_ints(&g->part, ONNX_TENSOR_DIMS, tensor->dims, (size_t)tensor->rank);
    s2clr_proto_int(&g->part, ONNX_TENSOR_TYPE, tensor->whole ? ONNX_INT64 : ONNX_FLOAT);
    s2clr_proto_text(&g->part, ONNX_TENSOR_NAME, tensor->name);
    s2clr_proto_head(&g->part, ONNX_TENSOR_RAW, bytes);
    s2clr_proto_head(&inner, ONNX_GRAPH_INITIALIZER, g->part.size + bytes);
    s2clr_proto_append(to, &inner);
    s2clr_proto_append(to, &g->part);
    s2clr_proto_free(&inner);
}

static void put_entry(s2clr_onnx_graph *g, s2clr_proto *to, const char *key, const char *value)
{
    s2clr_proto_text(&g->part, ONNX_ENTRY_KEY, key);
    s2clr_proto_text(&g->part, ONNX_ENTRY_VALUE, value);
    s2clr_proto_message(to, ONNX_MODEL_METADATA, &g->part);
}

static void put_head(s2clr_onnx_graph *g, size_t graph_bytes, s2clr_proto *to)
{
    s2clr_proto_int(to, ONNX_MODEL_IR_VERSION, IR_VERSION);
    s2clr_proto_text(to, ONNX_MODEL_PRODUCER, "s2clr");
    s2clr_proto_text(to, ONNX_MODEL_PRODUCER_VERSION, S2CLR_VERSION);
    s2clr_proto_text(to, ONNX_MODEL_DOC, g->card->text[S2CLR_CARD_TITLE]);
    s2clr_proto_text(&g->part, ONNX_OPSET_DOMAIN, "");
    s2clr_proto_int(&g->part, ONNX_OPSET_VERSION, OPSET);
    s2clr_proto_message(to, ONNX_MODEL_OPSET, &g->part);
    s2clr_proto_head(to, ONNX_MODEL_GRAPH, graph_bytes);
    s2clr_proto_append(to, &g->body);
}

static s2clr_status fill_assembly(s2clr_onnx_graph *g, const char *path, const char *card,
                                  assembly *a)
{
    size_t weights = 0;
    S2CLR_TRY(s2clr_alloc(g->tensors, sizeof *a->end, path, (void **)&a->end));
    S2CLR_TRY(s2clr_alloc(2 * g->tensors + 2, sizeof *a->pieces, path, (void **)&a->pieces));
    for (size_t i = 0; i < g->tensors; i++) {
        put_tensor(g, &g->tensor[i], &a->tensors);
        a->end[i] = a->tensors.size;
        weights += tensor_bytes(&g->tensor[i]);
    }
    put_entry(g, &a->tail, "s2clr.card", card);
    put_head(g, g->body.size + a->tensors.size + weights, &a->head);
    S2CLR_TRY(a->tensors.status);
    S2CLR_TRY(a->tail.status);
    S2CLR_TRY(a->head.status);
    if (a->head.size + a->tensors.size + weights + a->tail.size > MESSAGE_MOST)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: %zu bytes of weights; ONNX takes 2 GB in one file", path,
                               weights);
    return S2CLR_OK;
}

static s2clr_status write_pieces(const s2clr_onnx_graph *g, const char *path, assembly *a)
{
    size_t n = 0, begin = 0;
    a->pieces[n++] = (s2clr_piece){a->head.at, a->head.size};
    for (size_t i = 0; i < g->tensors; begin = a->end[i++]) {
        a->pieces[n++] = (s2clr_piece){a->tensors.at + begin, a->end[i] - begin};
        const s2clr_onnx_tensor *tensor = &g->tensor[i];
        const void *values = tensor->whole ? (const void *)tensor->whole : tensor->values;
        a->pieces[n++] = (s2clr_piece){values, tensor_bytes(tensor)};
    }
    a->pieces[n++] = (s2clr_piece){a->tail.at, a->tail.size};
    return s2clr_file_replace(path, a->pieces, n);
}

static s2clr_status write_graph(s2clr_onnx_graph *g, const char *path)
{
    char *card;
    assembly a = {0};
    S2CLR_TRY(s2clr_card_format(g->card, &card));
    s2clr_status status = fill_assembly(g, path, card, &a);
    if (status == S2CLR_OK) status = write_pieces(g, path, &a);
    s2clr_free(card);
    s2clr_free(a.end);
    s2clr_free(a.pieces);
    s2clr_proto_free(&a.head);
    s2clr_proto_free(&a.tensors);
    s2clr_proto_free(&a.tail);
    return status;
}

s2clr_status s2clr_onnx_write(const char *path, const s2clr_model *model,
                              const s2clr_card_level *level)
{
    s2clr_onnx_graph g = {
        .model = model, .card = s2clr_model_card(model), .net = s2clr_model_net(model)};
    if (level && g.card->calibration.knots > 0)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: its probabilities follow %d knots, which this export has no "
                               "operators for; export the logits alone, or calibrate the model "
                               "with temperature or platt",
                               s2clr_model_path(model), g.card->calibration.knots);
    s2clr_status status = make_room(&g);
    if (status == S2CLR_OK) {
        fill_graph(&g, level);
        status = g.body.status;
    }
    if (status == S2CLR_OK) status = write_graph(&g, path);
    s2clr_free(g.needed);
    s2clr_free(g.flat);
    s2clr_free(g.frame);
    s2clr_free(g.shape);
    s2clr_free(g.value);
    s2clr_free(g.tensor);
    s2clr_proto_free(&g.body);
    s2clr_proto_free(&g.node);
    s2clr_proto_free(&g.attribute);
    s2clr_proto_free(&g.part);
    return status;
}
