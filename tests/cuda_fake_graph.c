/* Operations and graphs of the pretended cuDNN: what descriptors say becomes a program. */
#include "cuda_fake_dnn.h"

#include <string.h>

#define REFUSE(...)                                                                                \
    do {                                                                                           \
        fake_misuse(__VA_ARGS__);                                                                  \
        return CUDNN_STATUS_BAD_PARAM;                                                             \
    } while (0)

size_t fake_tensor_count(const fake_tensor *t)
{
    return (size_t)(t->n * t->c * t->h * t->w);
}

/* ---- tensors ---- */

static bool type_of(int type, fake_type *out)
{
    if (type == CUDNN_DATA_FLOAT)
        *out = FAKE_FLOAT32;
    else if (type == CUDNN_DATA_BFLOAT16)
        *out = FAKE_BFLOAT16;
    else if (type == CUDNN_DATA_HALF)
        *out = FAKE_FLOAT16;
    else
        return false;
    return true;
}

cudnnStatus_t fake_finish_tensor(fake_descriptor *d)
{
    fake_tensor t = {.uid = fake_int64(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, 0, 0)};
    int64_t *const sizes[] = {&t.n, &t.c, &t.h, &t.w};
    for (int i = 0; i < 4; i++) {
        *sizes[i] = fake_int64(d, CUDNN_ATTR_TENSOR_DIMENSIONS, i, 0);
        t.stride[i] = fake_int64(d, CUDNN_ATTR_TENSOR_STRIDES, i, 0);
        if (*sizes[i] < 1 || t.stride[i] < 1) REFUSE("a tensor has no size or no stride");
    }
    if (!type_of(fake_enum(d, CUDNN_ATTR_TENSOR_DATA_TYPE, -1), &t.type))
        REFUSE("a tensor is of a type that is not pretended");
    if (fake_int64(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 0, 0) != 16)
        REFUSE("a tensor is not aligned to 16 bytes");
    if (t.stride[1] != 1 || t.stride[3] != t.c || t.stride[2] != t.w * t.c ||
        t.stride[0] != t.h * t.w * t.c)
        REFUSE("tensor %d is not dense with its channels together", (int)t.uid);
    t.is_virtual = fake_enum(d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, 0) != 0;
    d->program.tensor[0] = t;
    d->program.tensors = 1;
    return CUDNN_STATUS_SUCCESS;
}

/* The tensor's number in the program, appended when it is new. */
static int add_tensor(fake_program *p, const fake_tensor *t)
{
    for (int i = 0; i < p->tensors; i++)
        if (p->tensor[i].uid == t->uid) {
            if (memcmp(&p->tensor[i], t, sizeof *t) != 0)
                fake_misuse("two different tensors have the number %d", (int)t->uid);
            return i;
        }
    if (p->tensors == FAKE_TENSORS) {
        fake_misuse("too many tensors");
        return 0;
    }
    p->tensor[p->tensors] = *t;
    return p->tensors++;
}

static bool take(fake_descriptor *d, cudnnBackendAttributeName_t name, int *out)
{
    const fake_descriptor *const child = fake_child(d, name, 0);
    if (!child) return false;
    *out = add_tensor(&d->program, &child->program.tensor[0]);
    return true;
}

/* ---- operations ---- */

typedef struct names {
    fake_kind kind;
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t window, x, w, y, alpha, beta;
} names;

static const names directions[] = {
    {FAKE_FORWARD, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    {FAKE_DATA, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    {FAKE_FILTER, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA},
};

static double factor(const fake_descriptor *d, cudnnBackendAttributeName_t name)
{
    const fake_attribute *const a = fake_attribute_of(d, name);
    float single;
    double value;
    if (a->type == CUDNN_TYPE_DOUBLE) {
        memcpy(&value, a->values, sizeof value);
        return value;
    }
    memcpy(&single, a->values, sizeof single);
    return (double)single;
}

static int64_t outputs(int64_t size, int64_t before, int64_t behind, int64_t kernel, int64_t stride)
{
    return (size + before + behind - kernel) / stride + 1;
}

static bool shapes_fit(const fake_program *p, const fake_node *node)
{
    const fake_tensor *const x = &p->tensor[node->x], *const w = &p->tensor[node->w];
    const fake_tensor *const y = &p->tensor[node->y];
    return x->n == y->n && w->n == y->c && x->c % w->c == 0 && w->n % (x->c / w->c) == 0 &&
           y->h == outputs(x->h, node->top, node->bottom, w->h, node->stride[0]) &&
           y->w == outputs(x->w, node->left, node->right, w->w, node->stride[1]);
}

cudnnStatus_t fake_finish_convolution(fake_descriptor *d)
{
    const names *line = directions;
    while (line->type != d->type) line++;
    const fake_descriptor *const v = fake_child(d, line->window, 0);
    fake_node node = {.kind = line->kind};
    if (!v || !take(d, line->x, &node.x) || !take(d, line->w, &node.w) ||
        !take(d, line->y, &node.y))
        return CUDNN_STATUS_BAD_PARAM;
    if (factor(d, line->alpha) != 1 || factor(d, line->beta) != 0)
        REFUSE("a convolution is scaled or added: not pretended");
    if (fake_int64(v, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 0, 0) != 2 ||
        fake_enum(v, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, -1) != CUDNN_DATA_FLOAT ||
        fake_enum(v, CUDNN_ATTR_CONVOLUTION_CONV_MODE, -1) != CUDNN_CROSS_CORRELATION ||
        fake_int64(v, CUDNN_ATTR_CONVOLUTION_DILATIONS, 0, 0) != 1 ||
        fake_int64(v, CUDNN_ATTR_CONVOLUTION_DILATIONS, 1, 0) != 1)
        REFUSE("a convolution is not a plain cross-correlation in float32");
    node.top = fake_int64(v, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0, 0);
    node.left = fake_int64(v, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 1, 0);
    node.bottom = fake_int64(v, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0, 0);
    node.right = fake_int64(v, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 1, 0);
    for (int i = 0; i < 2; i++)
        node.stride[i] = fake_int64(v, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, i, 0);
    if (node.stride[0] < 1 || node.stride[1] < 1 || !shapes_fit(&d->program, &node))
        REFUSE("the sizes of a convolution's tensors do not follow from each other");
    d->program.node[d->program.nodes++] = node;
    return CUDNN_STATUS_SUCCESS;
}

static bool spreads_to(int64_t size, int64_t whole)
{
    return size == whole || size == 1;
}

cudnnStatus_t fake_finish_pointwise(fake_descriptor *d)
{
    const fake_descriptor *const kind =
        fake_child(d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, 0);
    fake_node node = {.kind = FAKE_RELU};
    if (!kind || !take(d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, &node.x) ||
        !take(d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, &node.y))
        return CUDNN_STATUS_BAD_PARAM;
    const int mode = fake_enum(kind, CUDNN_ATTR_POINTWISE_MODE, -1);
    const bool adds = mode == CUDNN_POINTWISE_ADD;
    if (adds) node.kind = FAKE_ADD;
    if (adds != take(d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, &node.w))
        REFUSE("an addition without a second operand, or an activation with one");
    if ((!adds && mode != CUDNN_POINTWISE_RELU_FWD) ||
        fake_enum(kind, CUDNN_ATTR_POINTWISE_MATH_PREC, -1) != CUDNN_DATA_FLOAT)
        REFUSE("pointwise operation %d is not pretended", mode);
    const fake_tensor *const x = &d->program.tensor[node.x], *const y = &d->program.tensor[node.y];
    const fake_tensor *const b = adds ? &d->program.tensor[node.w] : x;
    if (x->n != y->n || x->c != y->c || x->h != y->h || x->w != y->w || !spreads_to(b->n, y->n) ||
        !spreads_to(b->c, y->c) || !spreads_to(b->h, y->h) || !spreads_to(b->w, y->w))
        REFUSE("the operands of a pointwise operation do not fit");
    d->program.node[d->program.nodes++] = node;
    return CUDNN_STATUS_SUCCESS;
}

/* ---- graphs ---- */

static bool written_before(const fake_program *p, int nodes, int tensor)
{
    for (int i = 0; i < nodes; i++) {
        const fake_node *const n = &p->node[i];
        const int to = n->kind == FAKE_DATA ? n->x : n->kind == FAKE_FILTER ? n->w : n->y;
        if (to == tensor) return true;
    }
    return false;
}

static bool readable(const fake_program *p, int nodes, int tensor)
{
    return !p->tensor[tensor].is_virtual || written_before(p, nodes, tensor);
}

/* Every operation reads what is in memory or was written by one before it. */
cudnnStatus_t fake_finish_graph(fake_descriptor *d)
{
    fake_program *const p = &d->program;
    const int64_t count = fake_attribute_of(d, CUDNN_ATTR_OPERATIONGRAPH_OPS)->count;
    for (int64_t i = 0; i < count; i++) {
        const fake_descriptor *const op = fake_child(d, CUDNN_ATTR_OPERATIONGRAPH_OPS, i);
        if (!op) return CUDNN_STATUS_BAD_PARAM;
        fake_node node = op->program.node[0];
        node.x = add_tensor(p, &op->program.tensor[node.x]);
        if (node.kind != FAKE_RELU) node.w = add_tensor(p, &op->program.tensor[node.w]);
        node.y = add_tensor(p, &op->program.tensor[node.y]);
        const bool x = node.kind == FAKE_DATA || readable(p, p->nodes, node.x);
        const bool w =
            node.kind == FAKE_FILTER || node.kind == FAKE_RELU || readable(p, p->nodes, node.w);
        if (!x || !w) REFUSE("operation %d reads a virtual tensor that nothing wrote", (int)i);
        p->node[p->nodes++] = node;
    }
    return CUDNN_STATUS_SUCCESS;
}
