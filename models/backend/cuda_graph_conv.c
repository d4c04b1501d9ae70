/*
 * The convolution graphs: forward with what is fused behind it, backward data, backward filter.
 *
 * Forward: conv -> [+ residual] -> [+ bias] -> [max(., 0)] -> y, in this order because cuDNN's
 * ready-made convolution engines know it so (its runtime-compiled ones know any). What lies between
 * is virtual float32: y is the only value that is rounded.
 */
#include <string.h>

#include "backend/cuda_plan.h"

/* ---- shapes ---- */

/* Padding behind that no window reads is free to choose: the same as before, where that will do.
 * More engines know equal padding, and more ops share a plan. */
static int64_t behind(int64_t before, int64_t wanted, int64_t size, int64_t kernel, int64_t stride,
                      int64_t outputs)
{
    const int64_t spread = size + 2 * before - kernel;
    return spread >= 0 && spread / stride + 1 == outputs ? before : wanted;
}

bool s2clr_cuda_conv_shape(const s2clr_op *op, cuda_direction direction, int64_t fused,
                           cuda_conv_shape *out)
{
    const s2clr_op_desc *const d = &op->desc;
    const s2clr_window *const v = &d->window;
    const int64_t groups = d->groups, xc = (int64_t)op->x.lanes, yc = (int64_t)op->y.lanes;
    const bool whole = d->x.c == xc && d->y.c == yc;
    const bool depthwise = groups == d->x.c && groups == d->y.c;
    if (groups > 1 && !whole && !depthwise) return false;
    cuda_conv_shape s;
    memset(&s, 0, sizeof s);
    s.n = d->x.n;
    s.xc = xc;
    s.xh = d->x.h;
    s.xw = d->x.w;
    s.yc = yc;
    s.yh = d->y.h;
    s.yw = d->y.w;
    s.wc = depthwise && groups > 1 ? 1 : xc / groups;
    s.kh = v->h;
    s.kw = v->w;
    s.window.stride = v->stride;
    s.window.top = v->top;
    s.window.left = v->left;
    s.window.bottom = behind(v->top, v->bottom, s.xh, s.kh, v->stride, s.yh);
    s.window.right = behind(v->left, v->right, s.xw, s.kw, v->stride, s.yw);
    s.direction = direction;
    s.element = op->device->element;
    s.fused = fused;
    *out = s;
    return true;
}

/* ---- engines ---- */

unsigned s2clr_cuda_refused_notes(s2clr_precision precision, bool fast)
{
    /* Large tiles and Fourier transforms lose digits relative to the largest value of a map. */
    unsigned refused = CUDA_NOTE(DOWN_CONVERT_INPUTS) | CUDA_NOTE(REDUCED_PRECISION_REDUCTION) |
                       CUDA_NOTE(FFT) | CUDA_NOTE(WINOGRAD_TILE_6x6) |
                       CUDA_NOTE(WINOGRAD_TILE_13x13);
    if (!fast) refused |= CUDA_NOTE(NONDETERMINISTIC);
    if (precision == S2CLR_F32) refused |= CUDA_NOTE(TENSOR_CORE);
    /* They transform in the precision of the tensor. */
    if (precision != S2CLR_F32) refused |= CUDA_NOTE(WINOGRAD) | CUDA_NOTE(WINOGRAD_TILE_4x4);
    return refused;
}

/* ---- graphs ---- */

enum { UID_X = 1, UID_W, UID_Y, UID_BIAS, UID_RESIDUAL, UID_BETWEEN };

static cudnnDataType_t type_of(int64_t element)
{
    static const cudnnDataType_t types[] = {
        [CUDA_FLOAT32] = CUDNN_DATA_FLOAT,
        [CUDA_BFLOAT16] = CUDNN_DATA_BFLOAT16,
        [CUDA_FLOAT16] = CUDNN_DATA_HALF,
    };
    return types[element];
}

/* One after the other: each operation but the last writes a virtual tensor. */
typedef struct chain {
    cuda_graph *graph;
    const cuda_conv_shape *shape;
    int64_t left; /* CUDA_FUSED_* to come */
    int64_t next_uid;
    cuda_descriptor y, last; /* y of the graph; what was written last */
} chain;

/* Where the next operation writes. */
static s2clr_status between(chain *c, cuda_descriptor *out)
{
    if (c->left == 0) {
        *out = c->y;
        return S2CLR_OK;
    }
    const cuda_conv_shape *const s = c->shape;
    const cuda_tensor t = {c->next_uid++, CUDNN_DATA_FLOAT,  s->n, s->yc, s->yh,
                           s->yw,         .is_virtual = true};
    return s2clr_cuda_graph_tensor(c->graph, &t, out);
}

/* operand: of an addition */
static s2clr_status follow(chain *c, int64_t step, cudnnPointwiseMode_t mode,
                           const cuda_tensor *operand)
{
    cuda_descriptor b = NULL, to;
    if (!(c->left & step)) return S2CLR_OK;
    c->left &= ~step;
    if (operand != NULL) S2CLR_TRY(s2clr_cuda_graph_tensor(c->graph, operand, &b));
    S2CLR_TRY(between(c, &to));
    S2CLR_TRY(s2clr_cuda_graph_pointwise(c->graph, mode, c->last, b, to));
    c->last = to;
    return S2CLR_OK;
}

static s2clr_status build(cuda_graph *graph, const cuda_conv_shape *s)
{
    const cudnnDataType_t type = type_of(s->element);
    const cuda_tensor tensors[] = {
        {UID_X, type, s->n, s->xc, s->xh, s->xw, false},
        {UID_W, type, s->yc, s->wc, s->kh, s->kw, false},
        {UID_Y, type, s->n, s->yc, s->yh, s->yw, false},
        {UID_BIAS, type, 1, s->yc, 1, 1, false},
        {UID_RESIDUAL, type, s->n, s->yc, s->yh, s->yw, false},
    };
    cuda_descriptor x, w;
    chain c = {.graph = graph, .shape = s, .left = s->fused, .next_uid = UID_BETWEEN};
    S2CLR_TRY(s2clr_cuda_graph_tensor(graph, &tensors[0], &x));
    S2CLR_TRY(s2clr_cuda_graph_tensor(graph, &tensors[1], &w));
    S2CLR_TRY(s2clr_cuda_graph_tensor(graph, &tensors[2], &c.y));
    S2CLR_TRY(between(&c, &c.last));
    S2CLR_TRY(s2clr_cuda_graph_convolution(graph, (cuda_direction)s->direction, &s->window, x, w,
                                           c.last));
    S2CLR_TRY(follow(&c, CUDA_FUSED_RESIDUAL, CUDNN_POINTWISE_ADD, &tensors[4]));
    S2CLR_TRY(follow(&c, CUDA_FUSED_BIAS, CUDNN_POINTWISE_ADD, &tensors[3]));
    return follow(&c, CUDA_FUSED_RELU, CUDNN_POINTWISE_RELU_FWD, NULL);
}

s2clr_status s2clr_cuda_conv_plan(const s2clr_device *device, const cuda_planner *planner,
                                  const cuda_rules *rules, const cuda_conv_shape *shape,
                                  cuda_plan *out)
{
    cuda_graph graph = {.device = device};
    s2clr_status status = build(&graph, shape);
    if (status == S2CLR_OK) status = s2clr_cuda_graph_plan(&graph, planner, rules, out);
    s2clr_cuda_graph_free(&graph);
    return status;
}

/* ---- running ---- */

s2clr_status s2clr_cuda_planned_run(const cuda_planned *planned, s2clr_stream *stream,
                                    const cuda_conv_tensors *tensors, void *workspace)
{
    int64_t uids[] = {UID_X, UID_W, UID_Y, 0, 0};
    void *pointers[] = {tensors->x, tensors->w, tensors->y, NULL, NULL};
    size_t count = 3;
    if (planned->shape.fused & CUDA_FUSED_BIAS) {
        uids[count] = UID_BIAS;
        pointers[count++] = tensors->bias;
    }
    if (planned->shape.fused & CUDA_FUSED_RESIDUAL) {
        uids[count] = UID_RESIDUAL;
        pointers[count++] = tensors->residual;
    }
    return s2clr_cuda_plan_run(&planned->plan, stream->device, stream->cudnn, count, uids, pointers,
                               workspace);
}
