/* Cutting a training batch into segments. */
#include "base/memory.h"
#include "net/pstep.h"

static void add(s2clr_program *program, s2clr_act act, int node)
{
    program->action[program->actions++] = (s2clr_action){act, node};
    program->segment[program->segments].count++;
}

static void close_segment(s2clr_program *program, int norm)
{
    s2clr_segment *segment = &program->segment[program->segments];
    if (segment->count == 0) return;
    segment->norm = norm;
    segment[1] = (s2clr_segment){.first = program->actions, .norm = -1};
    program->segments++;
}

static s2clr_status start(s2clr_program *program, size_t nodes)
{
    S2CLR_TRY(s2clr_alloc(2 * nodes, sizeof *program->action, "training program",
                          (void **)&program->action));
    return s2clr_alloc(2 * nodes + 2, sizeof *program->segment, "training program",
                       (void **)&program->segment);
}

bool s2clr_step_trains(const s2clr_step *step, int i)
{
    return step->node[i].needed && (size_t)i >= step->options.frozen &&
           step->net->node[i].kind != S2CLR_NODE_INPUT;
}

static void forward_program(s2clr_step *step)
{
    for (int i = 0; i <= step->last; i++) {
        if (!step->node[i].needed || step->net->node[i].kind == S2CLR_NODE_INPUT) continue;
        if (step->net->node[i].kind == S2CLR_NODE_BATCHNORM && s2clr_step_trains(step, i)) {
            add(&step->forward, S2CLR_ACT_REDUCE, i);
            close_segment(&step->forward, i);
        }
        add(&step->forward, S2CLR_ACT_FORWARD, i);
    }
    close_segment(&step->forward, -1);
}

static void backward_program(s2clr_step *step)
{
    size_t room = 0;
    for (int i = step->last; i >= 0; i--) {
        const s2clr_node_kind kind = step->net->node[i].kind;
        if (!s2clr_step_trains(step, i)) continue;
        if (kind == S2CLR_NODE_BATCHNORM) {
            add(&step->backward, S2CLR_ACT_REDUCE_BACKWARD, i);
            close_segment(&step->backward, i);
            room = 0;
        }
        add(&step->backward, S2CLR_ACT_BACKWARD, i);
        if (kind != S2CLR_NODE_CONV) continue;
        const s2clr_param *weight =
            &step->net->param[s2clr_net_param_of(step->net, i, S2CLR_PARAM_WEIGHT)];
        step->node[i].weight_at = room;
        room += weight->count + (step->net->node[i].bias ? (size_t)weight->dims[0] : 0);
        room = (room + 15) / 16 * 16;
        if (room > step->weight_room) step->weight_room = room;
    }
    close_segment(&step->backward, -1);
}

s2clr_status s2clr_step_programs(s2clr_step *step)
{
    S2CLR_TRY(start(&step->forward, step->net->nodes));
    S2CLR_TRY(start(&step->backward, step->net->nodes));
    forward_program(step);
    backward_program(step);
    return S2CLR_OK;
}

bool s2clr_step_writes_first(const s2clr_step *step, int reader, int slot, int node)
{
    const s2clr_node *own = &step->net->node[reader];
    if (slot == 1 && own->input[0] == node) return false;
    for (int i = reader + 1; i <= step->last; i++)
        for (int k = 0; k < 2; k++)
            if (step->node[i].needed && step->net->node[i].input[k] == node) return false;
    return true;
}
