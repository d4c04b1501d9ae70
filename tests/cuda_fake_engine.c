/*
 * Engines of the pretended cuDNN, in the order in which the heuristics offer them: those first that
 * a careful caller refuses.
 */
#include "cuda_fake_dnn.h"

#include <stdlib.h>
#include <string.h>

#define NOTE(name) (1u << CUDNN_NUMERICAL_NOTE_##name)

typedef struct engine {
    int number;
    unsigned notes;
    size_t workspace;
    bool compiled; /* at run time */
} engine;

static const engine engines[] = {
    {5, NOTE(TENSOR_CORE) | NOTE(DOWN_CONVERT_INPUTS), 0, false},
    {9, NOTE(TENSOR_CORE), 0, true},
    {7, NOTE(TENSOR_CORE), (size_t)1 << 30, false},
    {2, NOTE(TENSOR_CORE) | NOTE(NONDETERMINISTIC), 0, false},
    {4, NOTE(NONDETERMINISTIC), 256, false},
    {3, NOTE(TENSOR_CORE), 0, false},
    {1, 0, 4096, false},
};

enum { ENGINES = sizeof engines / sizeof engines[0] };

static const engine *engine_of(const fake_program *p)
{
    for (int i = 0; i < ENGINES; i++)
        if (engines[i].number == p->engine) return &engines[i];
    abort();
}

size_t fake_workspace(const fake_program *p)
{
    return engine_of(p)->workspace;
}

int64_t fake_notes(const fake_program *p, int64_t room, cudnnBackendNumericalNote_t *notes)
{
    int64_t count = 0;
    for (int i = 0; i < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; i++)
        if (engine_of(p)->notes & (1u << i)) {
            if (count < room) notes[count] = (cudnnBackendNumericalNote_t)i;
            count++;
        }
    return count;
}

int64_t fake_behaviour(const fake_program *p, int64_t room, cudnnBackendBehaviorNote_t *notes)
{
    if (!engine_of(p)->compiled) return 0;
    if (room > 0) notes[0] = CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION;
    return 1;
}

/* ---- heuristics ---- */

static bool unsupported(const fake_program *p)
{
    static const char *const kinds[] = {"forward", "data", "filter"};
    const fake_node *const first = &p->node[0];
    const char *const kind = p->nodes > 1 ? "fused" : kinds[first->kind];
    /* as cuDNN 9.19 for an H100 */
    if (first->kind == FAKE_FILTER && p->tensor[first->x].type != p->tensor[first->w].type)
        return true;
    return fake_is("noengine", "all") || fake_is("noengine", kind);
}

/* As the heuristics of cuDNN 9.19 for an H100 have it: what is fused behind a convolution begins
 * with a bias of the tensors' type, or comes with one; all tensors are of one type. */
static bool ready_made(const fake_program *p)
{
    bool bias = p->nodes == 1;
    for (int i = 0; i < p->tensors; i++)
        if (!p->tensor[i].is_virtual && p->tensor[i].type != p->tensor[0].type) return false;
    for (int i = 1; i < p->nodes; i++)
        if (p->node[i].kind == FAKE_ADD) {
            const fake_tensor *const b = &p->tensor[p->node[i].w];
            bias |= b->n * b->h * b->w == 1;
        }
    return bias;
}

static bool is_fallback(const fake_descriptor *heuristics)
{
    return fake_enum(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, -1) == CUDNN_HEUR_MODE_FALLBACK;
}

/* No engine: mode A says so at once, the fallback list is empty. */
cudnnStatus_t fake_finish_heuristics(fake_descriptor *d)
{
    const fake_descriptor *const graph = fake_child(d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, 0);
    if (!graph) return CUDNN_STATUS_BAD_PARAM;
    d->program = graph->program;
    d->program.from_fallback = is_fallback(d);
    if (d->program.node[0].kind > FAKE_FILTER) {
        fake_misuse("a graph does not begin with a convolution");
        return CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN;
    }
    return unsupported(&d->program) && !d->program.from_fallback ? CUDNN_STATUS_NOT_SUPPORTED
                                                                 : CUDNN_STATUS_SUCCESS;
}

int64_t fake_offer(const fake_descriptor *heuristics, int64_t room, fake_descriptor *const *configs)
{
    const int first = heuristics->program.from_fallback ? ENGINES - 1 : 0;
    int64_t count = 0;
    if (unsupported(&heuristics->program)) return 0;
    for (int i = first; i < ENGINES; i++) {
        if (!engines[i].compiled && !ready_made(&heuristics->program)) continue;
        if (count++ >= room) continue;
        fake_descriptor *const config = configs[count - 1];
        if (!fake_object_is(config, fake_descriptor_kind) ||
            config->type != CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) {
            fake_misuse("results of heuristics want descriptors of engine configurations");
            return 0;
        }
        config->program = heuristics->program;
        config->program.engine = engines[i].number;
        config->finalised = true;
    }
    return count;
}

cudnnStatus_t fake_finish_plan(fake_descriptor *d)
{
    const fake_descriptor *const config = fake_child(d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, 0);
    if (!config) return CUDNN_STATUS_BAD_PARAM;
    d->program = config->program;
    if (engine_of(&d->program)->notes & NOTE(DOWN_CONVERT_INPUTS))
        fake_misuse("an engine that rounds its inputs was taken");
    if (fake_number("plan", 0)) {
        if (fake_is("breaks", "")) fake_break();
        return (cudnnStatus_t)fake_number("plan", 0);
    }
    if (fake_is(engine_of(&d->program)->compiled ? "nonvrtc" : "noready", ""))
        return CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING;
    return fake_is("noplan", "") && !d->program.from_fallback
               ? CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH
               : CUDNN_STATUS_SUCCESS;
}

/* ---- running ---- */

typedef struct execution {
    fake_program program;
    void *pointer[FAKE_TENSORS]; /* of the tensors that are not virtual */
    void *workspace;
} execution;

static size_t tensor_bytes(const fake_tensor *t)
{
    return fake_tensor_count(t) * fake_type_bytes(t->type);
}

/* Done before and after: whatever the workspace shares with something else is lost. */
static bool spoil_workspace(const execution *e)
{
    const size_t bytes = fake_workspace(&e->program);
    if (bytes == 0) return true;
    void *const at = fake_at(e->workspace, bytes, "workspace of a convolution");
    if (at) memset(at, 0xee, bytes);
    return at != NULL;
}

static bool place_tensors(execution *e)
{
    for (int i = 0; i < e->program.tensors; i++) {
        const fake_tensor *const t = &e->program.tensor[i];
        if (t->is_virtual) continue;
        e->pointer[i] = fake_at(e->pointer[i], tensor_bytes(t), "tensor of a convolution");
        if (!e->pointer[i]) return false;
    }
    return true;
}

static void load(const execution *e, fake_values *values)
{
    for (int i = 0; i < e->program.tensors; i++) {
        const fake_tensor *const t = &e->program.tensor[i];
        const size_t count = fake_tensor_count(t);
        values->of[i] = fake_calloc(count, sizeof(float));
        for (size_t k = 0; k < count && !t->is_virtual; k++)
            values->of[i][k] = fake_get(t->type, e->pointer[i], k);
    }
}

static void round_inputs(const execution *e, fake_values *values)
{
    const fake_node *const n = &e->program.node[0];
    const int tensors[] = {n->x, n->w, n->y};
    if (!(engine_of(&e->program)->notes & NOTE(TENSOR_CORE))) return;
    for (int i = 0; i < 3; i++) {
        const fake_tensor *const t = &e->program.tensor[tensors[i]];
        if (t->type != FAKE_FLOAT32 || t->is_virtual) continue;
        for (size_t k = 0; k < fake_tensor_count(t); k++)
            values->of[tensors[i]][k] = fake_tf32(values->of[tensors[i]][k]);
    }
}

/* What the last operation wrote is the result; a nondeterministic engine has it every other time a
 * little larger. */
static void store(const execution *e, const fake_values *values)
{
    static int runs;
    const fake_node *const n = &e->program.node[e->program.nodes - 1];
    const int to = n->kind == FAKE_DATA ? n->x : n->kind == FAKE_FILTER ? n->w : n->y;
    const fake_tensor *const t = &e->program.tensor[to];
    const bool differs = (engine_of(&e->program)->notes & NOTE(NONDETERMINISTIC)) && runs++ % 2;
    if (t->is_virtual) {
        fake_misuse("the result of a graph is virtual");
        return;
    }
    const float factor = fake_is("wrong", "") ? 1.02f : differs ? 1 + 0x1p-21f : 1;
    for (size_t k = 0; k < fake_tensor_count(t); k++)
        fake_set(t->type, e->pointer[to], k, values->of[to][k] * factor);
}

static void run(void *args)
{
    execution *const e = args;
    fake_values values = {{NULL}};
    if (!spoil_workspace(e) || !place_tensors(e)) {
        fake_break();
        return;
    }
    load(e, &values);
    round_inputs(e, &values);
    for (int i = 0; i < e->program.nodes; i++)
        fake_compute(&e->program, &e->program.node[i], &values);
    store(e, &values);
    spoil_workspace(e);
    for (int i = 0; i < FAKE_TENSORS; i++) free(values.of[i]);
}

static bool pointer_of(const fake_descriptor *pack, int64_t uid, void **out)
{
    const int64_t count = fake_attribute_of(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS)->count;
    const fake_attribute *const pointers =
        fake_attribute_of(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    if (pointers->count != count) return false;
    for (int64_t i = 0; i < count; i++)
        if (fake_int64(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, i, 0) == uid) {
            memcpy(out, pointers->values + (size_t)i * sizeof *out, sizeof *out);
            return true;
        }
    return false;
}

cudnnStatus_t fake_execute(cudaStream_t stream, const fake_descriptor *plan,
                           const fake_descriptor *pack)
{
    execution e = {.program = plan->program};
    int64_t found = 0;
    for (int i = 0; i < e.program.tensors; i++) {
        const fake_tensor *const t = &e.program.tensor[i];
        const bool given = pointer_of(pack, t->uid, &e.pointer[i]);
        if (given == t->is_virtual || (given && ((uintptr_t)e.pointer[i] & 15) != 0)) {
            fake_misuse("tensor %d of a convolution: virtual %d, given %d, at %p", (int)t->uid,
                        t->is_virtual, given, e.pointer[i]);
            return CUDNN_STATUS_BAD_PARAM;
        }
        found += given;
    }
    if (found != fake_attribute_of(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS)->count) {
        fake_misuse("tensors are given that the graph does not have");
        return CUDNN_STATUS_BAD_PARAM;
    }
    const fake_attribute *const room = fake_attribute_of(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
    if (room) memcpy(&e.workspace, room->values, sizeof e.workspace);
    return fake_queue(stream, run, &e, sizeof e) == cudaSuccess
               ? CUDNN_STATUS_SUCCESS
               : CUDNN_STATUS_EXECUTION_FAILED_CUDART;
}
