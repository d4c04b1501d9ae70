/* Running a training batch: forward and backward programs over the units. */
#include "net/step.h"

#include <string.h>

#include "base/memory.h"
#include "net/pstep.h"

/* ---- what one unit does ---- */

static s2clr_op_args args_of(const s2clr_step *step, int i, size_t unit)
{
    const s2clr_node *node = &step->net->node[i];
    const s2clr_step_node *own = &step->node[i];
    const s2clr_step_node *x = &step->node[node->input[0]];
    const size_t channels = (size_t)step->shape[i].c;
    s2clr_op_args args = {.x = x->value + unit * x->value_bytes,
                          .y = own->value + unit * own->value_bytes,
                          .packed = own->packed};
    if (node->input[1] >= 0) {
        const s2clr_step_node *residual = &step->node[node->input[1]];
        args.residual = residual->value + unit * residual->value_bytes;
    }
    if (own->workspace) args.workspace = own->workspace + unit * own->workspace_bytes;
    if (own->coefficient) {
        args.scale = own->coefficient;
        args.shift = own->coefficient + channels;
        for (size_t k = 0; k < 3; k++) args.affine[k] = own->coefficient + (2 + k) * channels;
    }
    return args;
}

static char *gradient_of(const s2clr_step *step, int node, size_t unit)
{
    return step->gradients + unit * step->gradient_bytes + step->node[node].gradient_at;
}

/* Where input `slot` of node i shall receive its gradient: its own place when it is written there
 * for the first time, else the worker's spare place, from which it is added. NULL: not wanted. */
static void *gradient_target(const s2clr_step *step, int i, int slot, size_t unit, int worker)
{
    const int input = step->net->node[i].input[slot];
    if (input < 0 || !step->node[input].gradient_wanted) return NULL;
    if (s2clr_step_writes_first(step, i, slot, input)) return gradient_of(step, input, unit);
    return step->spare[worker];
}

static s2clr_status add_spare(const s2clr_step *step, int i, int slot, size_t unit, int worker)
{
    const int input = step->net->node[i].input[slot];
    return step->backend->accumulate(step->stream[worker], step->shape[input], step->spare[worker],
                                     gradient_of(step, input, unit));
}

/* A sum's two gradients are the same numbers: one call per input that wants them. */
static s2clr_status backward_sum(const s2clr_step *step, int i, size_t unit, int worker)
{
    for (int slot = 0; slot < 2; slot++) {
        s2clr_op_args args = args_of(step, i, unit);
        args.dy = gradient_of(step, i, unit);
        void *target = gradient_target(step, i, slot, unit, worker);
        if (!target) continue;
        if (slot == 0)
            args.dx = target;
        else
            args.dresidual = target;
        S2CLR_TRY(step->backend->op_backward(step->node[i].op, step->stream[worker], &args));
        if (target == step->spare[worker]) S2CLR_TRY(add_spare(step, i, slot, unit, worker));
    }
    return S2CLR_OK;
}

static s2clr_status backward_node(const s2clr_step *step, int i, size_t unit, int worker)
{
    const s2clr_node *node = &step->net->node[i];
    if (node->kind == S2CLR_NODE_ADD) return backward_sum(step, i, unit, worker);
    s2clr_op_args args = args_of(step, i, unit);
    args.dy = gradient_of(step, i, unit);
    args.dx = gradient_target(step, i, 0, unit, worker);
    if (node->kind == S2CLR_NODE_CONV) {
        const s2clr_param *weight =
            &step->net->param[s2clr_net_param_of(step->net, i, S2CLR_PARAM_WEIGHT)];
        args.dweight = step->weight_gradient + unit * step->weight_room + step->node[i].weight_at;
        if (node->bias) args.dbias = args.dweight + weight->count;
    }
    S2CLR_TRY(step->backend->op_backward(step->node[i].op, step->stream[worker], &args));
    if (args.dx && args.dx == step->spare[worker]) return add_spare(step, i, 0, unit, worker);
    return S2CLR_OK;
}

static s2clr_status run_action(const s2clr_step *step, s2clr_action action, size_t unit, int worker)
{
    const s2clr_backend *be = step->backend;
    const s2clr_op *op = step->node[action.node].op;
    s2clr_stream *stream = step->stream[worker];
    double *sums = step->sums + unit * step->sums_room;
    s2clr_op_args args = args_of(step, action.node, unit);
    switch (action.act) {
    case S2CLR_ACT_FORWARD:
        return be->op_forward(op, stream, &args);
    case S2CLR_ACT_REDUCE:
        return be->op_reduce(op, stream, &args, sums);
    case S2CLR_ACT_BACKWARD:
        return backward_node(step, action.node, unit, worker);
    case S2CLR_ACT_REDUCE_BACKWARD:
        break;
    }
    args.dy = gradient_of(step, action.node, unit);
    return be->op_reduce_backward(op, stream, &args, sums);
}

/* ---- the border to the caller's arrays ---- */

static s2clr_status bring_in(const s2clr_step *step, size_t unit, int worker)
{
    const bool forward = step->running == &step->forward;
    const int node = forward ? 0 : step->last;
    const s2clr_shape s = step->shape[node];
    const size_t floats = (size_t)s.n * (size_t)s.c * (size_t)s.h * (size_t)s.w;
    const float *from = (forward ? step->x : step->dlogits) + unit * floats;
    void *to = forward ? step->node[0].value + unit * step->node[0].value_bytes
                       : gradient_of(step, node, unit);
    return step->backend->upload(step->stream[worker], s, from, to);
}

static s2clr_status bring_out(const s2clr_step *step, size_t unit, int worker)
{
    const s2clr_shape s = step->shape[step->last];
    const s2clr_step_node *own = &step->node[step->last];
    return step->backend->download(step->stream[worker], s, own->value + unit * own->value_bytes,
                                   step->logits + unit * (size_t)s.n * (size_t)s.c);
}

static s2clr_status run_unit(void *context, size_t unit, int worker)
{
    const s2clr_step *step = context;
    const s2clr_program *program = step->running;
    const s2clr_segment *segment = &program->segment[step->segment];
    if (step->segment == 0) S2CLR_TRY(bring_in(step, unit, worker));
    for (size_t a = 0; a < segment->count; a++)
        S2CLR_TRY(run_action(step, program->action[segment->first + a], unit, worker));
    if (program == &step->forward && step->segment + 1 == program->segments)
        S2CLR_TRY(bring_out(step, unit, worker));
    return step->backend->stream_wait(step->stream[worker]);
}

/* ---- weights ---- */

static s2clr_status pack_node(void *context, size_t i, int worker)
{
    const s2clr_step *step = context;
    const s2clr_net *net = step->net;
    if (!step->node[i].needed || net->node[i].kind != S2CLR_NODE_CONV) return S2CLR_OK;
    const int weight = s2clr_net_param_of(net, (int)i, S2CLR_PARAM_WEIGHT);
    const int bias = s2clr_net_param_of(net, (int)i, S2CLR_PARAM_BIAS);
    S2CLR_TRY(step->backend->op_pack(
        step->node[i].op, step->stream[worker], step->params + net->param[weight].offset,
        bias >= 0 ? step->params + net->param[bias].offset : NULL, step->node[i].packed));
    return step->backend->stream_wait(step->stream[worker]);
}

enum { CHUNK = 16384 };

typedef struct sum_job {
    const s2clr_step *step;
    const float *from; // first unit's
    float *to;
    size_t count;
} sum_job;

static s2clr_status sum_chunk(void *context, size_t chunk, int worker)
{
    const sum_job *job = context;
    (void)worker;
    const size_t begin = chunk * CHUNK;
    const size_t end = begin + CHUNK < job->count ? begin + CHUNK : job->count;
    memcpy(job->to + begin, job->from + begin, (end - begin) * sizeof *job->to);
    for (int u = 1; u < job->step->units; u++) {
        const float *from = job->from + (size_t)u * job->step->weight_room;
        for (size_t i = begin; i < end; i++) job->to[i] += from[i];
    }
    return S2CLR_OK;
}

/* Adds up the units' gradients of one parameter, in unit order for every element. */
static s2clr_status sum_units(const s2clr_step *step, int param, const float *from)
{
    const s2clr_param *p = &step->net->param[param];
    sum_job job = {step, from, step->dparams + p->offset, p->count};
    return s2clr_pool_run(step->pool, sum_chunk, &job, (p->count + CHUNK - 1) / CHUNK);
}

static s2clr_status sum_weight_gradients(s2clr_step *step, const s2clr_segment *segment)
{
    for (size_t a = 0; a < segment->count; a++) {
        const s2clr_action action = step->backward.action[segment->first + a];
        if (action.act != S2CLR_ACT_BACKWARD ||
            step->net->node[action.node].kind != S2CLR_NODE_CONV)
            continue;
        const int weight = s2clr_net_param_of(step->net, action.node, S2CLR_PARAM_WEIGHT);
        const int bias = s2clr_net_param_of(step->net, action.node, S2CLR_PARAM_BIAS);
        const float *from = step->weight_gradient + step->node[action.node].weight_at;
        S2CLR_TRY(sum_units(step, weight, from));
        if (bias >= 0) S2CLR_TRY(sum_units(step, bias, from + step->net->param[weight].count));
    }
    return S2CLR_OK;
}

/* ---- the two halves ---- */

s2clr_status s2clr_step_forward(s2clr_step *step, float *params, const float *x, float *logits)
{
    step->params = step->statistics = params;
    step->x = x;
    step->logits = logits;
    step->running = &step->forward;
    S2CLR_TRY(s2clr_pool_run(step->pool, pack_node, step, step->net->nodes));
    for (step->segment = 0; step->segment < step->forward.segments; step->segment++) {
        S2CLR_TRY(s2clr_pool_run(step->pool, run_unit, step, (size_t)step->units));
        const int norm = step->forward.segment[step->segment].norm;
        if (norm >= 0) s2clr_step_norm_forward(step, norm);
    }
    return S2CLR_OK;
}

s2clr_status s2clr_step_backward(s2clr_step *step, const float *params, const float *dlogits,
                                 float *dparams)
{
    step->params = params;
    step->dlogits = dlogits;
    step->dparams = dparams;
    step->running = &step->backward;
    for (step->segment = 0; step->segment < step->backward.segments; step->segment++) {
        const s2clr_segment *segment = &step->backward.segment[step->segment];
        S2CLR_TRY(s2clr_pool_run(step->pool, run_unit, step, (size_t)step->units));
        S2CLR_TRY(sum_weight_gradients(step, segment));
        if (segment->norm >= 0) s2clr_step_norm_backward(step, segment->norm);
    }
    return S2CLR_OK;
}

/* ---- life ---- */

static s2clr_status fill(s2clr_step *step, int h, int w)
{
    const s2clr_net *net = step->net;
    step->last = s2clr_net_output(net, S2CLR_OUTPUT_LOGITS);
    step->workers = s2clr_pool_threads(step->pool);
    step->units = step->batch / step->micro;
    S2CLR_TRY(s2clr_alloc(net->nodes, sizeof *step->shape, "training plan", (void **)&step->shape));
    S2CLR_TRY(s2clr_alloc(net->nodes, sizeof *step->node, "training plan", (void **)&step->node));
    S2CLR_TRY(s2clr_net_shapes(net, step->micro, h, w, step->shape));
    bool needed[net->nodes];
    s2clr_net_mark_needed(net, step->last, needed);
    for (size_t i = 0; i < net->nodes; i++) step->node[i].needed = needed[i];
    return s2clr_step_compile(step);
}

s2clr_status s2clr_step_new(const s2clr_net *net, const s2clr_backend *backend,
                            s2clr_device *device, s2clr_pool *pool, int batch, int micro, int h,
                            int w, s2clr_step **out)
{
    if (batch < 1 || micro < 1 || batch % micro != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "batch of %d in micro-batches of %d: the first must be a multiple "
                               "of the second",
                               batch, micro);
    s2clr_step *step;
    S2CLR_TRY(s2clr_alloc(1, sizeof *step, "training step", (void **)&step));
    step->net = net;
    step->backend = backend;
    step->device = device;
    step->pool = pool;
    step->batch = batch;
    step->micro = micro;
    const s2clr_status status = fill(step, h, w);
    if (status != S2CLR_OK) {
        s2clr_step_free(step);
        return status;
    }
    *out = step;
    return S2CLR_OK;
}

void s2clr_step_free(s2clr_step *step)
{
    if (!step) return;
    s2clr_step_release(step);
    s2clr_free(step);
}

size_t s2clr_step_bytes(const s2clr_step *step)
{
    return step->bytes;
}
