/* Making a step: one op per node for the shape of a unit, and all buffers. */
#include "base/memory.h"
#include "net/pfuse.h"
#include "net/pstep.h"

static s2clr_status new_buffer(s2clr_step *step, size_t each, size_t count, void **out)
{
    size_t bytes;
    S2CLR_TRY(s2clr_size_mul(each, count, &bytes));
    S2CLR_TRY(s2clr_size_add(step->bytes, bytes, &step->bytes));
    if (!step->measuring) S2CLR_TRY(step->backend->buffer_new(step->device, bytes, out));
    return S2CLR_OK;
}

static s2clr_status new_host(s2clr_step *step, size_t each, size_t count, void **out)
{
    size_t bytes;
    S2CLR_TRY(s2clr_size_mul(each, count, &bytes));
    S2CLR_TRY(s2clr_size_add(step->bytes, bytes, &step->bytes));
    step->host_bytes += bytes;
    return step->measuring ? S2CLR_OK : s2clr_alloc(count, each, "training buffers", out);
}

/* Numbers of batch norms: of the host, or of the device where the weights are. */
static s2clr_status new_numbers(s2clr_step *step, size_t each, size_t count, void **out)
{
    return step->resident ? new_buffer(step, each, count, out) : new_host(step, each, count, out);
}

static void free_numbers(const s2clr_step *step, void *numbers)
{
    if (!step->resident)
        s2clr_free(numbers);
    else if (numbers)
        step->backend->buffer_free(step->device, numbers);
}

static s2clr_status compile_op(s2clr_step *step, int i)
{
    const s2clr_node *node = &step->net->node[i];
    s2clr_step_node *own = &step->node[i];
    const s2clr_op_desc desc = {.kind = s2clr_node_op(node->kind),
                                .x = step->shape[node->input[0]],
                                .y = step->shape[i],
                                .window = s2clr_node_window(node, step->shape[node->input[0]]),
                                .groups = node->groups,
                                .bias = node->bias,
                                .residual = node->input[1] >= 0,
                                .relu = node->relu,
                                .training = s2clr_step_trains(step, i),
                                .count_pad = node->count_pad};
    S2CLR_TRY(step->backend->op_new(step->device, &desc, &own->op));
    const size_t scratch = step->backend->op_scratch_bytes(own->op);
    if (scratch > step->scratch_bytes) step->scratch_bytes = scratch;
    own->workspace_bytes = (step->backend->op_workspace_bytes(own->op) + 63) / 64 * 64;
    if (own->workspace_bytes)
        S2CLR_TRY(
            new_buffer(step, own->workspace_bytes, (size_t)step->units, (void **)&own->workspace));
    if (node->kind == S2CLR_NODE_CONV)
        S2CLR_TRY(new_buffer(step, step->backend->op_packed_bytes(own->op), 1, &own->packed));
    return S2CLR_OK;
}

static s2clr_status compile_norm(s2clr_step *step, int i)
{
    const size_t channels = (size_t)step->shape[i].c;
    if (2 * channels > step->sums_room) step->sums_room = 2 * channels;
    S2CLR_TRY(new_numbers(step, sizeof(float), 5 * channels, (void **)&step->node[i].coefficient));
    return new_numbers(step, sizeof(double), 2 * channels, (void **)&step->node[i].moment);
}

/* Whether only frozen nodes read node i, which is none of the trained ones itself. */
static bool passes(const s2clr_step *step, int i)
{
    if (s2clr_step_trains(step, i) || i == step->last) return false;
    for (int reader = i + 1; reader <= step->last; reader++)
        for (int k = 0; k < 2; k++)
            if (step->net->node[reader].input[k] == i && s2clr_step_trains(step, reader))
                return false;
    return true;
}

/* A passing value lives from its own node to its last reader. */
static s2clr_status place_passing(s2clr_step *step)
{
    const size_t count = (size_t)step->last + 1;
    s2clr_life life[count];
    for (int i = 0; i <= step->last; i++) {
        const s2clr_step_node *own = &step->node[i];
        life[i] = (s2clr_life){.first = i, .last = i, .shares = -1};
        if (own->needed && own->passing) life[i].bytes = own->value_bytes;
        for (int k = 0; k < 2 && own->needed; k++)
            if (step->net->node[i].input[k] >= 0) life[step->net->node[i].input[k]].last = i;
    }
    S2CLR_TRY(s2clr_arena_place(life, count, &step->passing_bytes));
    S2CLR_TRY(
        new_buffer(step, step->passing_bytes, (size_t)step->workers, (void **)&step->passing));
    for (size_t i = 0; i < count; i++)
        if (step->node[i].passing && step->passing)
            step->node[i].value = step->passing + life[i].offset;
    return S2CLR_OK;
}

static s2clr_status compile_nodes(s2clr_step *step)
{
    for (int i = 0; i <= step->last; i++) {
        s2clr_step_node *own = &step->node[i];
        if (!own->needed) continue;
        S2CLR_TRY(step->backend->tensor_bytes(step->device, step->shape[i], &own->value_bytes));
        own->value_bytes = (own->value_bytes + 63) / 64 * 64;
        if (own->value_bytes > step->spare_bytes) step->spare_bytes = own->value_bytes;
        own->passing = passes(step, i);
        if (!own->passing)
            S2CLR_TRY(
                new_buffer(step, own->value_bytes, (size_t)step->units, (void **)&own->value));
        const s2clr_node_kind kind = step->net->node[i].kind;
        own->gradient_wanted = s2clr_step_trains(step, i);
        if (kind != S2CLR_NODE_INPUT) S2CLR_TRY(compile_op(step, i));
        if (kind == S2CLR_NODE_BATCHNORM) S2CLR_TRY(compile_norm(step, i));
    }
    return S2CLR_OK;
}

/* A value's gradient lives from the backward of its last reader to its own node's backward. */
static s2clr_status place_gradients(s2clr_step *step)
{
    const size_t count = (size_t)step->last + 1;
    s2clr_life life[count];
    for (int i = 0; i <= step->last; i++)
        life[i] = (s2clr_life){.first = step->last - i, .last = step->last - i, .shares = -1};
    life[step->last].first = -1;
    for (int i = step->last; i >= 0; i--) {
        const s2clr_node *node = &step->net->node[i];
        if (!step->node[i].needed) continue;
        life[i].bytes = step->node[i].gradient_wanted ? step->node[i].value_bytes : 0;
        for (int k = 0; k < 2; k++)
            if (node->input[k] >= 0 && life[node->input[k]].first > step->last - i)
                life[node->input[k]].first = step->last - i;
    }
    S2CLR_TRY(s2clr_arena_place(life, count, &step->gradient_bytes));
    for (size_t i = 0; i < count; i++) step->node[i].gradient_at = life[i].offset;
    return new_buffer(step, step->gradient_bytes, (size_t)step->units, (void **)&step->gradients);
}

static s2clr_status make_workers(s2clr_step *step)
{
    const size_t workers = (size_t)step->workers;
    S2CLR_TRY(new_host(step, sizeof(void *), workers, (void **)&step->stream));
    S2CLR_TRY(new_host(step, sizeof(void *), workers, (void **)&step->spare));
    size_t scratch;
    S2CLR_TRY(s2clr_size_mul(step->scratch_bytes, workers, &scratch));
    S2CLR_TRY(s2clr_size_add(step->bytes, scratch, &step->bytes));
    if (step->measuring)
        return s2clr_size_add(step->bytes, step->spare_bytes * workers, &step->bytes);
    for (size_t w = 0; w < workers; w++) {
        S2CLR_TRY(step->backend->stream_new(step->device, step->scratch_bytes, &step->stream[w]));
        S2CLR_TRY(new_buffer(step, step->spare_bytes, 1, (void **)&step->spare[w]));
    }
    return S2CLR_OK;
}

s2clr_status s2clr_step_compile(s2clr_step *step)
{
    S2CLR_TRY(compile_nodes(step));
    S2CLR_TRY(place_passing(step));
    S2CLR_TRY(s2clr_step_programs(step));
    S2CLR_TRY(place_gradients(step));
    if (!step->resident)
        S2CLR_TRY(new_host(step, sizeof(float) * (size_t)step->units, step->weight_room,
                           (void **)&step->weight_gradient));
    S2CLR_TRY(new_numbers(step, sizeof(double) * (size_t)step->units, step->sums_room,
                          (void **)&step->sums));
    return make_workers(step);
}

static void release_node(s2clr_step *step, s2clr_step_node *own)
{
    if (own->op) step->backend->op_free(own->op);
    if (own->value && !own->passing) step->backend->buffer_free(step->device, own->value);
    if (own->workspace) step->backend->buffer_free(step->device, own->workspace);
    if (own->packed) step->backend->buffer_free(step->device, own->packed);
    free_numbers(step, own->coefficient);
    free_numbers(step, own->moment);
}

void s2clr_step_release(s2clr_step *step)
{
    s2clr_repeat_end(&step->repeat_forward);
    s2clr_repeat_end(&step->repeat_look);
    s2clr_repeat_end(&step->repeat_backward);
    for (int w = 0; w < step->workers; w++) {
        /* First, for it ends what is queued, which reads the buffers. */
        if (step->stream && step->stream[w]) step->backend->stream_free(step->stream[w]);
        if (step->spare && step->spare[w]) step->backend->buffer_free(step->device, step->spare[w]);
    }
    for (size_t i = 0; step->node && i < step->net->nodes; i++) release_node(step, &step->node[i]);
    if (step->gradients) step->backend->buffer_free(step->device, step->gradients);
    if (step->passing) step->backend->buffer_free(step->device, step->passing);
    s2clr_free(step->stream);
    s2clr_free(step->spare);
    s2clr_free(step->weight_gradient);
    free_numbers(step, step->sums);
    s2clr_free(step->forward.action);
    s2clr_free(step->forward.segment);
    s2clr_free(step->backward.action);
    s2clr_free(step->backward.segment);
    s2clr_free(step->node);
    s2clr_free(step->shape);
}
