/* From a graph to something that runs: heuristics, the rules for engines, plans. */
#include "backend/cuda_graph.h"

#include <string.h>

#include "backend/cudap.h"
#include "base/memory.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void destroy(cuda_descriptor descriptor)
{
    if (descriptor != NULL) cudnnBackendDestroyDescriptor(descriptor);
}

/* ---- engine configurations ---- */

enum { MODES = 2 };

static const cudnnBackendHeurMode_t modes[MODES] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};

typedef struct config_list {
    cuda_descriptor *config;
    size_t count;
} config_list;

static void free_configs(config_list *list)
{
    for (size_t i = 0; i < list->count; i++) destroy(list->config[i]);
    s2clr_free(list->config);
    *list = (config_list){NULL, 0};
}

/* cuDNN fills descriptors that the caller made; it may use fewer than it announced. */
static s2clr_status read_configs(const s2clr_device *device, cuda_descriptor heuristics,
                                 config_list *list)
{
    const char *const what = "asking for convolution engines";
    int64_t announced = 0, given = 0;
    S2CLR_TRY(s2clr_cuda_check_dnn(
        cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &announced, NULL),
        device, what));
    if (announced <= 0) return S2CLR_OK;
    S2CLR_TRY(s2clr_alloc((size_t)announced, sizeof *list->config, "engine list",
                          (void **)&list->config));
    for (int64_t i = 0; i < announced; i++) {
        S2CLR_TRY(s2clr_cuda_check_dnn(
            cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &list->config[i]),
            device, what));
        list->count++;
    }
    S2CLR_TRY(s2clr_cuda_check_dnn(
        cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, announced, &given, list->config),
        device, what));
    while ((int64_t)list->count > given && list->count > 0) destroy(list->config[--list->count]);
    return S2CLR_OK;
}

/* An empty list when cuDNN knows no engine. */
static s2clr_status ask(cuda_graph *graph, const cuda_planner *planner, cuda_descriptor whole,
                        cudnnBackendHeurMode_t mode, config_list *list)
{
    const char *const what = "asking for convolution engines";
    const cuda_attribute attributes[] = {
        {CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &whole},
        {CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode},
        {CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, planner->handle == NULL,
         &planner->properties},
    };
    cuda_descriptor heuristics = NULL;
    s2clr_status status =
        s2clr_cuda_graph_new(graph, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, what, &heuristics);
    if (status == S2CLR_OK)
        status = s2clr_cuda_descriptor_set(graph->device, heuristics, what, COUNT(attributes),
                                           attributes);
    if (status == S2CLR_OK) status = read_configs(graph->device, heuristics, list);
    return status == S2CLR_ERR_UNSUPPORTED ? S2CLR_OK : status;
}

/* ---- what an engine says of itself ---- */

/* More notes than cuDNN has today: a newer one may know new ones. */
enum { NOTES_MAX = 32 };

/* Notes are enumerations of int size, numerical and behavioural ones alike. */
static s2clr_status read_notes(const s2clr_device *device, cuda_descriptor engine,
                               cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                               unsigned *out)
{
    int notes[NOTES_MAX];
    int64_t count = 0;
    unsigned bits = 0;
    S2CLR_TRY(
        s2clr_cuda_check_dnn(cudnnBackendGetAttribute(engine, name, type, NOTES_MAX, &count, notes),
                             device, "reading the notes of a convolution engine"));
    for (int64_t i = 0; i < count && i < NOTES_MAX; i++)
        if (notes[i] >= 0 && notes[i] < NOTES_MAX) bits |= 1u << notes[i];
    *out = bits;
    return S2CLR_OK;
}

static s2clr_status read_engine(const s2clr_device *device, cuda_descriptor config,
                                cuda_descriptor engine, cuda_plan *out)
{
    const char *const what = "asking which engine a convolution gets";
    int64_t number = 0, count = 0;
    unsigned behaviour;
    S2CLR_TRY(s2clr_cuda_check_dnn(cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                                            CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                                            &count, &engine),
                                   device, what));
    S2CLR_TRY(s2clr_cuda_check_dnn(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX,
                                                            CUDNN_TYPE_INT64, 1, &count, &number),
                                   device, what));
    S2CLR_TRY(read_notes(device, engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                         CUDNN_TYPE_NUMERICAL_NOTE, &out->notes));
    S2CLR_TRY(read_notes(device, engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                         &behaviour));
    out->engine = number;
    out->compiled = behaviour & 1u << CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION;
    return S2CLR_OK;
}

/* Into out->engine, notes and compiled. */
static s2clr_status engine_of(const s2clr_device *device, cuda_descriptor config, cuda_plan *out)
{
    cuda_descriptor engine = NULL;
    S2CLR_TRY(
        s2clr_cuda_check_dnn(cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine),
                             device, "asking which engine a convolution gets"));
    const s2clr_status status = read_engine(device, config, engine, out);
    destroy(engine);
    return status;
}

/* ---- plans ---- */

/* An engine may turn out unable only when its plan is made, in various words, or fail then where
 * the next does not: *failed. No memory is another matter, a device that does not work another. */
static s2clr_status judge(const s2clr_device *device, cudnnStatus_t code, const char *what,
                          bool *failed)
{
    const int category = CUDNN_STATUS_CATEGORY((int)code);
    if (category == CUDNN_STATUS_NOT_SUPPORTED || category == CUDNN_STATUS_BAD_PARAM)
        return S2CLR_ERR_UNSUPPORTED;
    if (code == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
        code == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ||
        (category != CUDNN_STATUS_INTERNAL_ERROR && category != CUDNN_STATUS_EXECUTION_FAILED))
        return s2clr_cuda_check_dnn(code, device, what);
    S2CLR_TRY(s2clr_cuda_fault_seek(device, what));
    *failed = true;
    return S2CLR_ERR_UNSUPPORTED;
}

static cudnnStatus_t finish_plan(const cuda_planner *planner, cuda_descriptor config,
                                 cuda_descriptor plan)
{
    cudnnStatus_t code;
    if (planner->handle != NULL)
        code = cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE,
                                        1, &planner->handle);
    else
        code = cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP,
                                        CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &planner->properties);
    if (code == CUDNN_STATUS_SUCCESS)
        code = cudnnBackendSetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
                                        CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
    return code == CUDNN_STATUS_SUCCESS ? cudnnBackendFinalize(plan) : code;
}

/* out->plan when `config` can be made within the limit, else S2CLR_ERR_UNSUPPORTED. */
static s2clr_status try_config(const s2clr_device *device, const cuda_planner *planner,
                               size_t limit, cuda_descriptor config, bool *failed, cuda_plan *out)
{
    const char *const what = "making a convolution plan";
    cuda_descriptor plan = NULL;
    int64_t workspace = 0, one = 0;
    S2CLR_TRY(s2clr_cuda_check_dnn(
        cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan), device,
        what));
    s2clr_status status = judge(device, finish_plan(planner, config, plan), what, failed);
    if (status == S2CLR_OK)
        status = s2clr_cuda_check_dnn(
            cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                     CUDNN_TYPE_INT64, 1, &one, &workspace),
            device, what);
    if (status == S2CLR_OK && (workspace < 0 || (size_t)workspace > limit))
        status = S2CLR_ERR_UNSUPPORTED;
    if (status != S2CLR_OK) {
        destroy(plan);
        return status;
    }
    out->plan = plan;
    out->workspace = (size_t)workspace;
    return S2CLR_OK;
}

/* The same; what fails is tried once more, because another engine means other bytes. What fails
 * always is said in *planner->failed. */
static s2clr_status try_twice(const s2clr_device *device, const cuda_planner *planner, size_t limit,
                              cuda_descriptor config, cuda_plan *out)
{
    bool failed = false, again = false;
    s2clr_status status = try_config(device, planner, limit, config, &failed, out);
    if (failed) status = try_config(device, planner, limit, config, &again, out);
    if (again && planner->failed) *planner->failed = true;
    return status;
}

/* The first of the list that will do, of the ready-made engines or of the others; its configuration
 * moves into *out. */
static s2clr_status choose(const s2clr_device *device, const cuda_planner *planner,
                           const cuda_rules *rules, bool compiled, config_list *list,
                           cuda_plan *out)
{
    for (size_t i = 0; i < list->count; i++) {
        S2CLR_TRY(engine_of(device, list->config[i], out));
        if (out->compiled != compiled || (out->notes & rules->refused)) continue;
        const s2clr_status status =
            try_twice(device, planner, rules->workspace_limit, list->config[i], out);
        if (status == S2CLR_ERR_UNSUPPORTED) continue;
        S2CLR_TRY(status);
        out->config = list->config[i];
        list->config[i] = NULL;
        return S2CLR_OK;
    }
    return S2CLR_ERR_UNSUPPORTED;
}

static s2clr_status whole_graph(cuda_graph *graph, const cuda_planner *planner,
                                cuda_descriptor *out)
{
    const char *const what = "describing a convolution graph";
    const cuda_attribute attributes[] = {
        {CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, planner->handle != NULL,
         &planner->handle},
        {CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, (int64_t)graph->operations,
         graph->operation},
    };
    S2CLR_TRY(s2clr_cuda_graph_new(graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, what, out));
    return s2clr_cuda_descriptor_set(graph->device, *out, what, COUNT(attributes), attributes);
}

static s2clr_status new_lock(cuda_plan *plan)
{
    S2CLR_TRY(s2clr_alloc(1, sizeof *plan->lock, "plan", (void **)&plan->lock));
    pthread_mutex_init(plan->lock, NULL);
    return S2CLR_OK;
}

/* Ready-made engines of all lists, then those that are compiled. */
static s2clr_status search(cuda_graph *graph, const cuda_planner *planner, const cuda_rules *rules,
                           cuda_descriptor whole, config_list lists[MODES], cuda_plan *out)
{
    s2clr_status status = S2CLR_ERR_UNSUPPORTED;
    for (int compiled = 0; compiled <= 1; compiled++)
        for (int i = 0; i < MODES && status == S2CLR_ERR_UNSUPPORTED; i++) {
            if (!compiled) S2CLR_TRY(ask(graph, planner, whole, modes[i], &lists[i]));
            status = choose(graph->device, planner, rules, compiled, &lists[i], out);
        }
    return status;
}

s2clr_status s2clr_cuda_graph_plan(cuda_graph *graph, const cuda_planner *planner,
                                   const cuda_rules *rules, cuda_plan *out)
{
    config_list lists[MODES] = {{NULL, 0}, {NULL, 0}};
    cuda_descriptor whole;
    cuda_plan plan = {.plan = NULL};
    S2CLR_TRY(whole_graph(graph, planner, &whole));
    s2clr_status status = search(graph, planner, rules, whole, lists, &plan);
    if (status == S2CLR_OK) status = new_lock(&plan);
    for (int i = 0; i < MODES; i++) free_configs(&lists[i]);
    if (status != S2CLR_OK) {
        s2clr_cuda_plan_free(&plan);
        return status;
    }
    *out = plan;
    return S2CLR_OK;
}

void s2clr_cuda_plan_free(cuda_plan *plan)
{
    destroy(plan->plan);
    destroy(plan->config);
    if (plan->lock != NULL) pthread_mutex_destroy(plan->lock);
    s2clr_free(plan->lock);
    *plan = (cuda_plan){.plan = NULL};
}

/* ---- running ---- */

s2clr_status s2clr_cuda_plan_run(const cuda_plan *plan, const s2clr_device *device,
                                 cudnnHandle_t handle, size_t count, const int64_t *uids,
                                 void *const *pointers, void *workspace)
{
    const char *const what = "starting a convolution";
    const cuda_attribute attributes[] = {
        {CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, (int64_t)count, uids},
        {CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, (int64_t)count, pointers},
        {CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace},
    };
    cuda_descriptor pack = NULL;
    S2CLR_TRY(s2clr_cuda_check_dnn(
        cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack), device, what));
    s2clr_status status =
        s2clr_cuda_descriptor_set(device, pack, what, COUNT(attributes), attributes);
    if (status == S2CLR_OK) {
        pthread_mutex_lock(plan->lock);
        const cudnnStatus_t code = cudnnBackendExecute(handle, plan->plan, pack);
        pthread_mutex_unlock(plan->lock);
        status = s2clr_cuda_check_dnn(code, device, what);
    }
    destroy(pack);
    return status;
}
