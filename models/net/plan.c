/* Compiling a network for one backend and one shape. */
#include <string.h>

#include "backend/backend_training.h"
#include "base/memory.h"
#include "net/pplan.h"
#include "net/pnet.h"

/* ---- operations ---- */

/* Of a scale or a shift on the device. */
static size_t norm_bytes(const s2clr_fused *fused)
{
    return ((size_t)fused->desc.y.c * sizeof(float) + 63) / 64 * 64;
}

static s2clr_status compile_ops(s2clr_plan *plan)
{
    for (size_t i = 0; i < plan->ops; i++) {
        const s2clr_fused *fused = &plan->fused[i];
        S2CLR_TRY(plan->backend->op_new(plan->device, &fused->desc, &plan->op[i].op));
        const size_t scratch = plan->backend->op_scratch_bytes(plan->op[i].op);
        if (scratch > plan->scratch_bytes) plan->scratch_bytes = scratch;
        plan->op[i].packed = plan->weight_bytes;
        if (fused->desc.kind == S2CLR_OP_AFFINE && plan->resident)
            plan->weight_bytes += 2 * norm_bytes(fused);
        if (fused->desc.kind != S2CLR_OP_CONV) continue;
        plan->weight_bytes += (plan->backend->op_packed_bytes(plan->op[i].op) + 63) / 64 * 64;
        plan->flop += 2.0 * fused->desc.y.n * fused->desc.y.c * (double)fused->desc.y.h *
                      fused->desc.y.w * (double)s2clr_op_weight_count(&fused->desc) /
                      fused->desc.y.c;
    }
    return S2CLR_OK;
}

/* ---- weights ---- */

static s2clr_status pack_conv(s2clr_plan *plan, const float *params, size_t i, s2clr_stream *stream)
{
    const s2clr_fused *fused = &plan->fused[i];
    const size_t count = s2clr_op_weight_count(&fused->desc);
    float *weight;
    S2CLR_TRY(s2clr_alloc(count + (size_t)fused->desc.y.c, sizeof *weight, "folded weights",
                          (void **)&weight));
    float *bias = weight + count;
    s2clr_fold_conv(plan->net, params, fused, weight, bias);
    const s2clr_status status =
        plan->backend->op_pack(plan->op[i].op, stream, weight, fused->desc.bias ? bias : NULL,
                               (char *)plan->weights + plan->op[i].packed);
    s2clr_free(weight);
    return status;
}

/* Only the device's own arrays can be read by what is recorded. */
static s2clr_status send_norm(s2clr_plan *plan, size_t i, s2clr_stream *stream)
{
    s2clr_plan_op *op = &plan->op[i];
    const size_t bytes = (size_t)plan->fused[i].desc.y.c * sizeof(float);
    float *scale = (float *)(void *)((char *)plan->weights + op->packed);
    float *shift = scale + norm_bytes(&plan->fused[i]) / sizeof *scale;
    S2CLR_TRY(plan->backend->training->copy_in(stream, op->scale, bytes, scale));
    S2CLR_TRY(plan->backend->training->copy_in(stream, op->shift, bytes, shift));
    op->scale = scale;
    op->shift = shift;
    s2clr_free(op->norm);
    op->norm = NULL;
    return S2CLR_OK;
}

static s2clr_status pack_norm(s2clr_plan *plan, const float *params, size_t i, s2clr_stream *stream)
{
    s2clr_plan_op *op = &plan->op[i];
    const size_t channels = (size_t)plan->fused[i].desc.y.c;
    S2CLR_TRY(s2clr_alloc(2 * channels, sizeof(float), "scale and shift", (void **)&op->norm));
    s2clr_fold_norm(plan->net, params, plan->fused[i].norm, op->norm, op->norm + channels);
    op->scale = op->norm;
    op->shift = op->norm + channels;
    return plan->resident ? send_norm(plan, i, stream) : S2CLR_OK;
}

static s2clr_status pack_all(s2clr_plan *plan, const float *params)
{
    s2clr_stream *stream;
    S2CLR_TRY(plan->backend->buffer_new(plan->device, plan->weight_bytes, &plan->weights));
    S2CLR_TRY(plan->backend->stream_new(plan->device, plan->scratch_bytes, &stream));
    s2clr_status status = S2CLR_OK;
    for (size_t i = 0; i < plan->ops && status == S2CLR_OK; i++) {
        if (plan->fused[i].desc.kind == S2CLR_OP_CONV)
            status = pack_conv(plan, params, i, stream);
        else if (plan->fused[i].desc.kind == S2CLR_OP_AFFINE)
            status = pack_norm(plan, params, i, stream);
    }
    if (status == S2CLR_OK) status = plan->backend->stream_wait(stream);
    plan->backend->stream_free(stream);
    return status;
}

/* ---- arena ---- */

/* Index of the operation that makes node's value; -1 for the input. */
static int maker_of(const s2clr_plan *plan, int node)
{
    for (size_t i = 0; i < plan->ops; i++)
        if (plan->fused[i].y == node) return (int)i;
    return -1;
}

/* Life 0 is the network's input, life i + 1 what operation i makes. A convolution that adds a
 * residual nobody reads later writes over it: backends then add in place. */
static s2clr_status place_values(s2clr_plan *plan, const s2clr_shape *shapes)
{
    const size_t count = plan->ops + 1;
    s2clr_life life[count];
    for (size_t i = 0; i < count; i++) {
        const int node = i == 0 ? 0 : plan->fused[i - 1].y;
        life[i] = (s2clr_life){.first = (int)i - 1, .last = (int)i - 1, .shares = -1};
        S2CLR_TRY(plan->backend->tensor_bytes(plan->device, shapes[node], &life[i].bytes));
    }
    for (size_t i = 0; i < plan->ops; i++) {
        plan->op[i].x = maker_of(plan, plan->fused[i].x) + 1;
        plan->op[i].residual =
            plan->fused[i].residual >= 0 ? maker_of(plan, plan->fused[i].residual) + 1 : -1;
        life[plan->op[i].x].last = (int)i;
        if (plan->op[i].residual >= 0) life[plan->op[i].residual].last = (int)i;
    }
    for (size_t i = 0; i < plan->ops; i++) {
        const int r = plan->op[i].residual;
        if (plan->fused[i].desc.kind == S2CLR_OP_CONV && r >= 0 && life[r].last == (int)i &&
            r != plan->op[i].x)
            life[i + 1].shares = r;
    }
    life[count - 1].last = (int)plan->ops;
    S2CLR_TRY(s2clr_arena_place(life, count, &plan->arena_bytes));
    for (size_t i = 0; i < count; i++) plan->offset[i] = life[i].offset;
    return S2CLR_OK;
}

/* ---- life ---- */

static s2clr_status fill_plan(s2clr_plan *plan, const float *params, s2clr_output output, int n,
                              int h, int w)
{
    const s2clr_net *net = plan->net;
    int last;
    S2CLR_TRY(s2clr_net_find_output(net, output, &last));
    s2clr_shape shapes[net->nodes];
    bool needed[net->nodes];
    S2CLR_TRY(s2clr_net_shapes(net, n, h, w, shapes));
    s2clr_net_mark_needed(net, last, needed);
    S2CLR_TRY(s2clr_alloc(net->nodes, sizeof *plan->fused, "plan", (void **)&plan->fused));
    S2CLR_TRY(s2clr_alloc(net->nodes, sizeof *plan->op, "plan", (void **)&plan->op));
    S2CLR_TRY(s2clr_alloc(net->nodes + 1, sizeof *plan->offset, "plan", (void **)&plan->offset));
    plan->ops = s2clr_fuse(net, shapes, needed, last, plan->fused);
    plan->input = shapes[0];
    plan->output = shapes[last];
    S2CLR_TRY(compile_ops(plan));
    S2CLR_TRY(place_values(plan, shapes));
    S2CLR_TRY(pack_all(plan, params));
    plan->net = NULL; /* not needed any more, and the caller may free it */
    return S2CLR_OK;
}

s2clr_status s2clr_plan_new(const s2clr_net *net, const float *params, const s2clr_backend *backend,
                            s2clr_device *device, s2clr_output output, int n, int h, int w,
                            s2clr_plan **out)
{
    s2clr_plan *plan;
    S2CLR_TRY(s2clr_alloc(1, sizeof *plan, "plan", (void **)&plan));
    plan->net = net;
    plan->backend = backend;
    plan->device = device;
    plan->resident = backend->recording != NULL;
    const s2clr_status status = fill_plan(plan, params, output, n, h, w);
    if (status != S2CLR_OK) {
        s2clr_plan_free(plan);
        return status;
    }
    *out = plan;
    return S2CLR_OK;
}

void s2clr_plan_free(s2clr_plan *plan)
{
    if (!plan) return;
    for (size_t i = 0; plan->op && i < plan->ops; i++) {
        if (plan->op[i].op) plan->backend->op_free(plan->op[i].op);
        s2clr_free(plan->op[i].norm);
    }
    if (plan->weights) plan->backend->buffer_free(plan->device, plan->weights);
    s2clr_free(plan->fused);
    s2clr_free(plan->op);
    s2clr_free(plan->offset);
    s2clr_free(plan);
}

s2clr_shape s2clr_plan_input(const s2clr_plan *plan)
{
    return plan->input;
}

s2clr_shape s2clr_plan_output(const s2clr_plan *plan)
{
    return plan->output;
}

size_t s2clr_plan_session_bytes(const s2clr_plan *plan)
{
    return plan->arena_bytes + plan->scratch_bytes;
}

size_t s2clr_plan_weight_bytes(const s2clr_plan *plan)
{
    return plan->weight_bytes;
}

double s2clr_plan_flop(const s2clr_plan *plan)
{
    return plan->flop;
}

const char *s2clr_plan_kernel(const s2clr_plan *plan, size_t index)
{
    return index < plan->ops ? plan->backend->op_kernel(plan->op[index].op) : NULL;
}
