/* Running a training batch: forward and backward programs over the units. */
#include "net/step.h"

#include <string.h>

#include "base/memory.h"
#include "net/pfuse.h"
#include "net/pstep.h"

/* ---- what one unit does ---- */

static char *value_of(const s2clr_step *step, int node, size_t unit, int worker)
{
    const s2clr_step_node *own = &step->node[node];
    if (own->passing) return own->value + (size_t)worker * step->passing_bytes;
    return own->value + unit * own->value_bytes;
}

static s2clr_op_args args_of(const s2clr_step *step, int i, size_t unit, int worker)
{
    const s2clr_node *node = &step->net->node[i];
    const s2clr_step_node *own = &step->node[i];
    const size_t channels = (size_t)step->shape[i].c;
    s2clr_op_args args = {.x = value_of(step, node->input[0], unit, worker),
                          .y = value_of(step, i, unit, worker),
                          .packed = own->packed,
                          .resident = step->resident != NULL};
    if (node->input[1] >= 0) args.residual = value_of(step, node->input[1], unit, worker);
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

/* Sums and concatenations: one call per input that wants its gradient, since both may have to go
 * through the same spare place. */
static s2clr_status backward_pair(const s2clr_step *step, int i, size_t unit, int worker)
{
    for (int slot = 0; slot < 2; slot++) {
        s2clr_op_args args = args_of(step, i, unit, worker);
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

/* Where the gradients of a convolution go. */
static void weight_targets(const s2clr_step *step, int i, size_t unit, s2clr_op_args *args)
{
    if (step->resident) {
        s2clr_step_resident_gradients(step, i, args);
        return;
    }
    const s2clr_param *weight =
        &step->net->param[s2clr_net_param_of(step->net, i, S2CLR_PARAM_WEIGHT)];
    args->dweight = step->weight_gradient + unit * step->weight_room + step->node[i].weight_at;
    if (step->net->node[i].bias) args->dbias = args->dweight + weight->count;
}

static s2clr_status backward_node(const s2clr_step *step, int i, size_t unit, int worker)
{
    const s2clr_node *node = &step->net->node[i];
    if (node->input[1] >= 0) return backward_pair(step, i, unit, worker);
    s2clr_op_args args = args_of(step, i, unit, worker);
    args.dy = gradient_of(step, i, unit);
    args.dx = gradient_target(step, i, 0, unit, worker);
    if (node->kind == S2CLR_NODE_CONV) weight_targets(step, i, unit, &args);
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
    s2clr_op_args args = args_of(step, action.node, unit, worker);
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
    const float *from = (forward ? step->x : step->dout) + unit * floats;
    void *to = forward ? value_of(step, 0, unit, worker) : gradient_of(step, node, unit);
    if (forward && step->takes_resident)
        return step->resident->upload(step->stream[worker], s, from, to);
    return step->backend->upload(step->stream[worker], s, from, to);
}

static s2clr_status bring_out(const s2clr_step *step, size_t unit, int worker)
{
    const s2clr_shape s = step->shape[step->last];
    return step->backend->download(step->stream[worker], s,
                                   value_of(step, step->last, unit, worker),
                                   step->out + unit * (size_t)s.n * (size_t)s.c);
}

static s2clr_status run_unit(void *context, size_t unit, int worker)
{
    const s2clr_step *step = context;
    const s2clr_program *program = step->running;
    const s2clr_segment *segment = &program->segment[step->segment];
    if (step->segment == 0 && !step->resident) S2CLR_TRY(bring_in(step, unit, worker));
    for (size_t a = 0; a < segment->count; a++)
        S2CLR_TRY(run_action(step, program->action[segment->first + a], unit, worker));
    /* Of a resident step, the border is crossed before and after what is repeated, and the host
     * does nothing with the numbers of a segment. */
    if (step->resident) return S2CLR_OK;
    if (program == &step->forward && step->segment + 1 == program->segments)
        S2CLR_TRY(bring_out(step, unit, worker));
    return step->backend->stream_wait(step->stream[worker]);
}

/* A resident step has one unit and one stream. */
static s2clr_status run_units(s2clr_step *step)
{
    if (step->resident) return run_unit(step, 0, 0);
    return s2clr_pool_run(step->pool, run_unit, step, (size_t)step->units);
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

/* Frozen batch norms have their numbers before the batch comes. */
static void fold_frozen(const s2clr_step *step)
{
    for (int i = 0; i <= step->last; i++)
        if (step->node[i].coefficient && !s2clr_step_trains(step, i))
            s2clr_fold_norm(step->net, step->params, i, step->node[i].coefficient,
                            step->node[i].coefficient + step->shape[i].c);
}

/* All that the programs read of the weights. */
static s2clr_status bring_weights(s2clr_step *step)
{
    if (step->resident) return s2clr_step_resident_begin(step);
    fold_frozen(step);
    return s2clr_pool_run(step->pool, pack_node, step, step->net->nodes);
}

static s2clr_status forward_program(void *context)
{
    s2clr_step *step = context;
    S2CLR_TRY(bring_weights(step));
    for (step->segment = 0; step->segment < step->forward.segments; step->segment++) {
        const int norm = step->forward.segment[step->segment].norm;
        S2CLR_TRY(run_units(step));
        if (norm >= 0) S2CLR_TRY(s2clr_step_norm_forward(step, norm));
    }
    return S2CLR_OK;
}

static s2clr_status run_forward(s2clr_step *step, const float *params, const float *x, float *out)
{
    step->params = params;
    step->x = x;
    step->out = out;
    step->running = &step->forward;
    if (!step->resident) return forward_program(step);
    const void *const key[S2CLR_REPEAT_KEYS] = {params};
    s2clr_repeat *repeat = step->statistics ? &step->repeat_forward : &step->repeat_look;
    S2CLR_TRY(bring_in(step, 0, 0));
    S2CLR_TRY(s2clr_repeat_run(repeat, step->stream[0], key, forward_program, step));
    return bring_out(step, 0, 0);
}

s2clr_status s2clr_step_forward(s2clr_step *step, float *params, const float *x, float *out)
{
    step->statistics = params;
    return run_forward(step, params, x, out);
}

s2clr_status s2clr_step_replay(s2clr_step *step, const float *params, const float *x, float *out)
{
    step->statistics = NULL;
    return run_forward(step, params, x, out);
}

/* What no action of the program will write. */
static s2clr_status clear_untrained(const s2clr_step *step)
{
    if (step->resident) return s2clr_step_resident_clear(step);
    for (size_t i = 0; i < step->net->params; i++) {
        const s2clr_param *p = &step->net->param[i];
        if (p->offset < step->net->trainable_floats && !s2clr_step_trains(step, p->node))
            memset(step->dparams + p->offset, 0, p->count * sizeof *step->dparams);
    }
    return S2CLR_OK;
}

static s2clr_status backward_program(void *context)
{
    s2clr_step *step = context;
    S2CLR_TRY(clear_untrained(step));
    for (step->segment = 0; step->segment < step->backward.segments; step->segment++) {
        const s2clr_segment *segment = &step->backward.segment[step->segment];
        S2CLR_TRY(run_units(step));
        if (!step->resident) S2CLR_TRY(sum_weight_gradients(step, segment));
        if (segment->norm >= 0) S2CLR_TRY(s2clr_step_norm_backward(step, segment->norm));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_step_backward(s2clr_step *step, const float *params, const float *dout,
                                 float *dparams)
{
    step->params = params;
    step->dout = dout;
    step->dparams = dparams;
    step->running = &step->backward;
    if (!step->resident) return backward_program(step);
    const void *const key[S2CLR_REPEAT_KEYS] = {params, dparams};
    S2CLR_TRY(bring_in(step, 0, 0));
    return s2clr_repeat_run(&step->repeat_backward, step->stream[0], key, backward_program, step);
}

/* ---- life ---- */

static s2clr_status check_options(const s2clr_net *net, const s2clr_backend *backend,
                                  const s2clr_step_options *o)
{
    if (o->resident && (!backend->training || o->batch != o->micro))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "weights cannot stay on the device: %s",
                               backend->training ? "the batch is cut into micro-batches"
                                                 : "the backend keeps none there");
    if (o->batch < 1 || o->micro < 1 || o->batch % o->micro != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "batch of %d in micro-batches of %d: the first must be a multiple "
                               "of the second",
                               o->batch, o->micro);
    if (o->output != S2CLR_OUTPUT_LOGITS && o->output != S2CLR_OUTPUT_PROJECTION &&
        o->output != S2CLR_OUTPUT_FEATURES)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "training on output %d: only logits, projection head and features "
                               "have one value per patch",
                               (int)o->output);
    int last;
    S2CLR_TRY(s2clr_net_find_output(net, o->output, &last));
    if (o->frozen > (size_t)last)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%zu frozen layers leave nothing to train below node %d of %s",
                               o->frozen, last, net->arch.name);
    return S2CLR_OK;
}

static s2clr_status fill(s2clr_step *step)
{
    const s2clr_net *net = step->net;
    const s2clr_step_options *o = &step->options;
    step->last = s2clr_net_output(net, o->output);
    step->units = o->batch / o->micro;
    S2CLR_TRY(s2clr_alloc(net->nodes, sizeof *step->shape, "training plan", (void **)&step->shape));
    S2CLR_TRY(s2clr_alloc(net->nodes, sizeof *step->node, "training plan", (void **)&step->node));
    S2CLR_TRY(s2clr_net_shapes(net, o->micro, o->h, o->w, step->shape));
    bool needed[net->nodes];
    s2clr_net_mark_needed(net, step->last, needed);
    for (size_t i = 0; i < net->nodes; i++) step->node[i].needed = needed[i];
    return s2clr_step_compile(step);
}

/* pool: NULL for a step that is only measured, for so many threads. */
static s2clr_status new_step(const s2clr_net *net, const s2clr_backend *backend,
                             s2clr_device *device, s2clr_pool *pool, int threads,
                             const s2clr_step_options *options, s2clr_step **out)
{
    s2clr_step *step;
    S2CLR_TRY(check_options(net, backend, options));
    S2CLR_TRY(s2clr_alloc(1, sizeof *step, "training step", (void **)&step));
    step->net = net;
    step->backend = backend;
    step->device = device;
    step->pool = pool;
    step->workers = options->resident ? 1 : threads;
    step->resident = options->resident ? backend->training : NULL;
    step->measuring = pool == NULL;
    step->repeat_forward.backend = step->repeat_look.backend = step->repeat_backward.backend =
        backend;
    step->options = *options;
    const s2clr_status status = fill(step);
    if (status != S2CLR_OK) {
        s2clr_step_free(step);
        return status;
    }
    *out = step;
    return S2CLR_OK;
}

s2clr_status s2clr_step_new(const s2clr_net *net, const s2clr_backend *backend,
                            s2clr_device *device, s2clr_pool *pool,
                            const s2clr_step_options *options, s2clr_step **out)
{
    return new_step(net, backend, device, pool, s2clr_pool_threads(pool), options, out);
}

s2clr_status s2clr_step_needs(const s2clr_net *net, const s2clr_backend *backend,
                              s2clr_device *device, int threads, const s2clr_step_options *options,
                              size_t *bytes, size_t *buffers)
{
    s2clr_step *step;
    S2CLR_TRY(new_step(net, backend, device, NULL, threads, options, &step));
    *bytes = step->bytes;
    *buffers = step->bytes - step->host_bytes;
    s2clr_step_free(step);
    return S2CLR_OK;
}

void s2clr_step_free(s2clr_step *step)
{
    if (!step) return;
    s2clr_step_release(step);
    s2clr_free(step);
}

s2clr_stream *s2clr_step_stream(const s2clr_step *step)
{
    return step->stream[0];
}

void s2clr_step_take_resident(s2clr_step *step)
{
    step->takes_resident = true;
}

size_t s2clr_step_bytes(const s2clr_step *step)
{
    return step->bytes;
}
