/*
 * cuDNN, pretended: handles, and descriptors with their attributes. Which attribute belongs to
 * which descriptor, of which type and how many, stands in one table; whatever is not in it is
 * refused.
 */
#define _GNU_SOURCE
#include "cuda_fake_dnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char fake_descriptor_kind[] = "cuDNN descriptor", fake_handle_kind[] = "cuDNN handle";

/* ---- the table ---- */

typedef struct line {
    cudnnBackendDescriptorType_t owner;
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type, other_type; /* other_type: as good */
    int least, most;                              /* how many; least 0: need not be set */
    int child; /* type of a descriptor; OPERATION: any of these */
} line;

enum { NONE = -1, OPERATION = -2 };

#define L(owner, name, type, least, most, child)                                                   \
    {                                                                                              \
        CUDNN_BACKEND_##owner##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_##type,                  \
            CUDNN_TYPE_##type, least, most, child                                                  \
    }
#define CHILD(owner, name, least, child)                                                           \
    L(owner, name, BACKEND_DESCRIPTOR, least, 1, CUDNN_BACKEND_##child##_DESCRIPTOR)
#define FACTOR(owner, name)                                                                        \
    {                                                                                              \
        CUDNN_BACKEND_##owner##_DESCRIPTOR, CUDNN_ATTR_##name, CUDNN_TYPE_FLOAT,                   \
            CUDNN_TYPE_DOUBLE, 1, 1, NONE                                                          \
    }
#define CONVOLUTION(owner, prefix, x, w, y)                                                        \
    CHILD(owner, prefix##_CONV_DESC, 1, CONVOLUTION), CHILD(owner, prefix##_##x, 1, TENSOR),       \
        CHILD(owner, prefix##_##w, 1, TENSOR), CHILD(owner, prefix##_##y, 1, TENSOR),              \
        FACTOR(owner, prefix##_ALPHA), FACTOR(owner, prefix##_BETA)

static const line lines[] = {
    L(TENSOR, TENSOR_UNIQUE_ID, INT64, 1, 1, NONE),
    L(TENSOR, TENSOR_DATA_TYPE, DATA_TYPE, 1, 1, NONE),
    L(TENSOR, TENSOR_BYTE_ALIGNMENT, INT64, 1, 1, NONE),
    L(TENSOR, TENSOR_DIMENSIONS, INT64, 4, 4, NONE),
    L(TENSOR, TENSOR_STRIDES, INT64, 4, 4, NONE),
    L(TENSOR, TENSOR_IS_VIRTUAL, BOOLEAN, 0, 1, NONE),
    L(CONVOLUTION, CONVOLUTION_SPATIAL_DIMS, INT64, 1, 1, NONE),
    L(CONVOLUTION, CONVOLUTION_COMP_TYPE, DATA_TYPE, 1, 1, NONE),
    L(CONVOLUTION, CONVOLUTION_CONV_MODE, CONVOLUTION_MODE, 1, 1, NONE),
    L(CONVOLUTION, CONVOLUTION_PRE_PADDINGS, INT64, 2, 2, NONE),
    L(CONVOLUTION, CONVOLUTION_POST_PADDINGS, INT64, 2, 2, NONE),
    L(CONVOLUTION, CONVOLUTION_DILATIONS, INT64, 2, 2, NONE),
    L(CONVOLUTION, CONVOLUTION_FILTER_STRIDES, INT64, 2, 2, NONE),
    L(POINTWISE, POINTWISE_MODE, POINTWISE_MODE, 1, 1, NONE),
    L(POINTWISE, POINTWISE_MATH_PREC, DATA_TYPE, 1, 1, NONE),
    CONVOLUTION(OPERATION_CONVOLUTION_FORWARD, OPERATION_CONVOLUTION_FORWARD, X, W, Y),
    CONVOLUTION(OPERATION_CONVOLUTION_BACKWARD_DATA, OPERATION_CONVOLUTION_BWD_DATA, DX, W, DY),
    CONVOLUTION(OPERATION_CONVOLUTION_BACKWARD_FILTER, OPERATION_CONVOLUTION_BWD_FILTER, X, DW, DY),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_PW_DESCRIPTOR, 1, POINTWISE),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_XDESC, 1, TENSOR),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_BDESC, 0, TENSOR),
    CHILD(OPERATION_POINTWISE, OPERATION_POINTWISE_YDESC, 1, TENSOR),
    L(OPERATIONGRAPH, OPERATIONGRAPH_HANDLE, HANDLE, 1, 1, NONE),
    L(OPERATIONGRAPH, OPERATIONGRAPH_OPS, BACKEND_DESCRIPTOR, 1, FAKE_NODES, OPERATION),
    L(ENGINEHEUR, ENGINEHEUR_MODE, HEUR_MODE, 1, 1, NONE),
    CHILD(ENGINEHEUR, ENGINEHEUR_OPERATION_GRAPH, 1, OPERATIONGRAPH),
    L(EXECUTION_PLAN, EXECUTION_PLAN_HANDLE, HANDLE, 1, 1, NONE),
    CHILD(EXECUTION_PLAN, EXECUTION_PLAN_ENGINE_CONFIG, 1, ENGINECFG),
    L(VARIANT_PACK, VARIANT_PACK_UNIQUE_IDS, INT64, 1, FAKE_TENSORS, NONE),
    L(VARIANT_PACK, VARIANT_PACK_DATA_POINTERS, VOID_PTR, 1, FAKE_TENSORS, NONE),
    L(VARIANT_PACK, VARIANT_PACK_WORKSPACE, VOID_PTR, 0, 1, NONE),
};

enum { LINES = sizeof lines / sizeof lines[0] };

static size_t value_bytes(cudnnBackendAttributeType_t type)
{
    switch (type) {
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR:
        return sizeof(void *);
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
        return 8;
    case CUDNN_TYPE_BOOLEAN:
        return sizeof(bool);
    default:
        return 4; /* float and the enumerations */
    }
}

/* ---- reading ---- */

const fake_attribute *fake_attribute_of(const fake_descriptor *d, cudnnBackendAttributeName_t name)
{
    for (const fake_attribute *a = d->attributes; a; a = a->next)
        if (a->name == name) return a;
    return NULL;
}

int64_t fake_int64(const fake_descriptor *d, cudnnBackendAttributeName_t name, int64_t at,
                   int64_t otherwise)
{
    const fake_attribute *const a = fake_attribute_of(d, name);
    int64_t value = otherwise;
    if (a) memcpy(&value, a->values + (size_t)at * sizeof value, sizeof value);
    return value;
}

int fake_enum(const fake_descriptor *d, cudnnBackendAttributeName_t name, int otherwise)
{
    const fake_attribute *const a = fake_attribute_of(d, name);
    int value = otherwise;
    if (a && a->type == CUDNN_TYPE_BOOLEAN)
        value = a->values[0];
    else if (a)
        memcpy(&value, a->values, sizeof value);
    return value;
}

fake_descriptor *fake_child(const fake_descriptor *d, cudnnBackendAttributeName_t name, int64_t at)
{
    const fake_attribute *const a = fake_attribute_of(d, name);
    fake_descriptor *child = NULL;
    if (a) memcpy(&child, a->values + (size_t)at * sizeof child, sizeof child);
    if (child && !fake_object_is(child, fake_descriptor_kind)) return NULL;
    return child;
}

/* ---- life ---- */

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t *out)
{
    FAKE_ENTRY(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED)
    fake_descriptor *const d = fake_calloc(1, sizeof *d);
    d->type = type;
    fake_object_add(d, fake_descriptor_kind);
    *out = d;
    FAKE_RETURN(CUDNN_STATUS_SUCCESS);
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor)
{
    FAKE_RELEASE();
    fake_descriptor *const d = descriptor;
    if (!fake_object_is(d, fake_descriptor_kind)) FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    while (d->attributes) {
        fake_attribute *const a = d->attributes;
        d->attributes = a->next;
        free(a->values);
        free(a);
    }
    fake_object_remove(d);
    free(d);
    FAKE_RETURN(fails ? CUDNN_STATUS_INTERNAL_ERROR : CUDNN_STATUS_SUCCESS);
}

/* ---- setting ---- */

static bool is_operation(cudnnBackendDescriptorType_t type)
{
    return type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR ||
           (type >= CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR &&
            type <= CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
}

static bool children_fit(const line *l, int64_t count, fake_descriptor *const *children)
{
    for (int64_t i = 0; i < count && l->type == CUDNN_TYPE_BACKEND_DESCRIPTOR; i++) {
        const fake_descriptor *const child = children[i];
        if (!fake_object_is(child, fake_descriptor_kind)) return false;
        const bool fits =
            l->child == OPERATION ? is_operation(child->type) : (int)child->type == l->child;
        if (!fits || !child->finalised) {
            fake_misuse("attribute %d of a descriptor of type %d: its descriptor is %s",
                        (int)l->name, (int)l->owner, fits ? "not finalised" : "of another type");
            return false;
        }
    }
    return true;
}

static const line *line_of(cudnnBackendDescriptorType_t owner, cudnnBackendAttributeName_t name)
{
    for (int i = 0; i < LINES; i++)
        if (lines[i].owner == owner && lines[i].name == name) return &lines[i];
    return NULL;
}

static bool may_set(const fake_descriptor *d, cudnnBackendAttributeName_t name,
                    cudnnBackendAttributeType_t type, int64_t count, const void *values)
{
    if (!fake_object_is(d, fake_descriptor_kind)) return false;
    const line *const l = line_of(d->type, name);
    const char *const wrong = !l             ? "has no such attribute"
                              : d->finalised ? "was finalised"
                              : !values      ? "gets no values"
                              : count < l->least || count < 1 || count > l->most
                                  ? "wants another number of them"
                              : type != l->type && type != l->other_type ? "wants another type"
                                                                         : NULL;
    if (!wrong) return children_fit(l, count, (fake_descriptor *const *)values);
    fake_misuse("attribute %d of type %d, %d times, for a descriptor of type %d: it %s", (int)name,
                (int)type, (int)count, (int)d->type, wrong);
    return false;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void *values)
{
    FAKE_ENTRY(CUDNN_STATUS_INTERNAL_ERROR)
    fake_descriptor *const d = descriptor;
    if (!may_set(d, name, type, count, values)) FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    if (fake_attribute_of(d, name)) fake_misuse("attribute %d is set twice", (int)name);
    if (type == CUDNN_TYPE_HANDLE && !fake_object_is(*(void *const *)values, fake_handle_kind))
        FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    const size_t bytes = (size_t)count * value_bytes(type);
    fake_attribute *const a = fake_calloc(1, sizeof *a);
    *a = (fake_attribute){d->attributes, name, type, count, fake_calloc(1, bytes)};
    memcpy(a->values, values, bytes);
    d->attributes = a;
    FAKE_RETURN(CUDNN_STATUS_SUCCESS);
}

static bool is_complete(const fake_descriptor *d)
{
    for (int i = 0; i < LINES; i++) {
        if (lines[i].owner != d->type || lines[i].least == 0) continue;
        if (fake_attribute_of(d, lines[i].name)) continue;
        fake_misuse("a descriptor of type %d is finalised without attribute %d", (int)d->type,
                    (int)lines[i].name);
        return false;
    }
    return true;
}

static cudnnStatus_t finish(fake_descriptor *d)
{
    switch (d->type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
        return fake_finish_tensor(d);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR:
        return fake_finish_convolution(d);
    case CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR:
        return fake_finish_pointwise(d);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        return fake_finish_graph(d);
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        return fake_finish_heuristics(d);
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        return fake_finish_plan(d);
    default:
        return CUDNN_STATUS_SUCCESS;
    }
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor)
{
    FAKE_ENTRY(CUDNN_STATUS_INTERNAL_ERROR)
    fake_descriptor *const d = descriptor;
    if (!fake_object_is(d, fake_descriptor_kind) || !is_complete(d))
        FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    const cudnnStatus_t status = finish(d);
    d->finalised = status == CUDNN_STATUS_SUCCESS;
    FAKE_RETURN(status);
}

/* ---- asking ---- */

/* An engine's or a configuration's descriptor, made by the caller, filled here. */
static cudnnStatus_t give_engine(const fake_descriptor *config, int64_t room, int64_t *count,
                                 fake_descriptor *const *engines)
{
    *count = 1;
    if (room < 1) return CUDNN_STATUS_SUCCESS;
    if (!fake_object_is(engines[0], fake_descriptor_kind) ||
        engines[0]->type != CUDNN_BACKEND_ENGINE_DESCRIPTOR)
        return CUDNN_STATUS_BAD_PARAM;
    engines[0]->program = config->program;
    engines[0]->finalised = true;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t give(const fake_descriptor *d, cudnnBackendAttributeName_t name,
                          cudnnBackendAttributeType_t type, int64_t room, int64_t *count,
                          void *values)
{
    if (name == CUDNN_ATTR_ENGINEHEUR_RESULTS && type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
        return *count = fake_offer(d, room, values), CUDNN_STATUS_SUCCESS;
    if (name == CUDNN_ATTR_ENGINECFG_ENGINE && type == CUDNN_TYPE_BACKEND_DESCRIPTOR)
        return give_engine(d, room, count, values);
    if (name == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE && type == CUDNN_TYPE_NUMERICAL_NOTE)
        return *count = fake_notes(&d->program, room, values), CUDNN_STATUS_SUCCESS;
    if (name == CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE && type == CUDNN_TYPE_BEHAVIOR_NOTE)
        return *count = fake_behaviour(&d->program, room, values), CUDNN_STATUS_SUCCESS;
    *count = 1;
    if (name == CUDNN_ATTR_ENGINE_GLOBAL_INDEX && type == CUDNN_TYPE_INT64 && room > 0)
        return *(int64_t *)values = d->program.engine, CUDNN_STATUS_SUCCESS;
    if (name == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE && type == CUDNN_TYPE_INT64 && room > 0)
        return *(int64_t *)values = (int64_t)fake_workspace(&d->program), CUDNN_STATUS_SUCCESS;
    fake_misuse("attribute %d of a descriptor of type %d cannot be asked for as type %d", (int)name,
                (int)d->type, (int)type);
    return CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t room,
                                       int64_t *count, void *values)
{
    FAKE_ENTRY(CUDNN_STATUS_INTERNAL_ERROR)
    const fake_descriptor *const d = descriptor;
    if (!fake_object_is(d, fake_descriptor_kind)) FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    if (!d->finalised) {
        fake_misuse("a descriptor of type %d is asked before it was finalised", (int)d->type);
        FAKE_RETURN(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
    }
    FAKE_RETURN(give(d, name, type, room, count, values));
}

/* ---- handles ---- */

struct cudnnContext {
    cudaStream_t stream;
    int device;
};

cudnnStatus_t cudnnCreate(cudnnHandle_t *out)
{
    FAKE_ENTRY(CUDNN_STATUS_NOT_INITIALIZED)
    if (fake_broken()) FAKE_RETURN(CUDNN_STATUS_EXECUTION_FAILED_CUDART);
    struct cudnnContext *const handle = fake_calloc(1, sizeof *handle);
    handle->device = fake_device();
    fake_object_add(handle, fake_handle_kind);
    *out = handle;
    FAKE_RETURN(CUDNN_STATUS_SUCCESS);
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    FAKE_RELEASE();
    if (!fake_object_is(handle, fake_handle_kind)) FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    fake_object_remove(handle);
    free(handle);
    FAKE_RETURN(fails ? CUDNN_STATUS_INTERNAL_ERROR : CUDNN_STATUS_SUCCESS);
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    FAKE_ENTRY(CUDNN_STATUS_INTERNAL_ERROR)
    if (!fake_object_is(handle, fake_handle_kind) || !fake_object_is(stream, "stream"))
        FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    handle->stream = stream;
    FAKE_RETURN(CUDNN_STATUS_SUCCESS);
}

/* A plan must not be run by two threads at once: queuing takes a while, in which others may call.
 */
static cudnnStatus_t execute(cudaStream_t stream, fake_descriptor *plan,
                             const fake_descriptor *pack)
{
    if (plan->busy) fake_misuse("a plan is run by two threads at once");
    plan->busy = true;
    if (fake_is("slow", "")) {
        fake_unlock();
        usleep(2000);
        fake_lock();
    }
    const cudnnStatus_t status = fake_execute(stream, plan, pack);
    plan->busy = false;
    return status;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack)
{
    FAKE_ENTRY(CUDNN_STATUS_EXECUTION_FAILED)
    const fake_descriptor *const p = plan, *const v = pack;
    if (!fake_object_is(handle, fake_handle_kind) || !fake_object_is(p, fake_descriptor_kind) ||
        !fake_object_is(v, fake_descriptor_kind))
        FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    if (p->type != CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR || !p->finalised || !v->finalised ||
        v->type != CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR || handle->device != fake_device() ||
        !handle->stream) {
        fake_misuse("cudnnBackendExecute: no plan, no pack, another device or no stream");
        FAKE_RETURN(CUDNN_STATUS_BAD_PARAM);
    }
    FAKE_RETURN(execute(handle->stream, plan, v));
}

size_t cudnnGetVersion(void)
{
    return (size_t)fake_number("cudnn", CUDNN_VERSION);
}

size_t cudnnGetCudartVersion(void)
{
    return (size_t)fake_number("dnnrt", CUDART_VERSION);
}

const char *cudnnGetErrorString(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_SUCCESS           ? "CUDNN_STATUS_SUCCESS"
           : status == CUDNN_STATUS_NOT_INITIALIZED ? "CUDNN_STATUS_NOT_INITIALIZED"
           : status == CUDNN_STATUS_INTERNAL_ERROR  ? "CUDNN_STATUS_INTERNAL_ERROR"
                                                    : "CUDNN_STATUS_OTHER";
}

void cudnnGetLastErrorString(char *message, size_t size)
{
    snprintf(message, size, "a pretended failure");
}
