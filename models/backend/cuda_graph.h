/*
 * Private to the CUDA module: a small C layer over cuDNN's backend (graph) API. It knows tensors,
 * convolutions and pointwise operations, nothing of the ops of backend.h.
 *
 *     cuda_graph graph = {.device = device};
 *     s2clr_cuda_graph_tensor(&graph, &(cuda_tensor){...}, &x); // and w, y
 *     s2clr_cuda_graph_convolution(&graph, CUDA_FORWARD, &convolution, x, w, y);
 *     s2clr_cuda_graph_plan(&graph, &planner, &rules, &plan);
 *     s2clr_cuda_graph_free(&graph); // the plan stays
 *     s2clr_cuda_plan_run(&plan, handle, count, uids, pointers, workspace);
 *
 * A graph's functions may fail half way: s2clr_cuda_graph_free() frees what there is.
 *
 * Facts about cuDNN 9.19, tried without a device on the description (CUDNN_BACKEND_DEVICEPROP) of
 * an H100; tests/test_cuda_engines.c holds on to what the module relies on, from sm_75 to sm_120:
 *   - Descriptors of all kinds are made and finalised without a handle; only plans that are to run
 *     need one. Attributes are copied: a plan outlives the graph and the tensors it was made from.
 *   - Output descriptors of cudnnBackendGetAttribute() (engines, engine configurations) are created
 *     by the caller; asked for 0 elements it tells their number.
 *   - Engines that are compiled at run time need NVRTC beside cuDNN and take seconds each.
 *   - For channels last, a multiple of 8 of them, there are ready-made engines in f32, tf32, bf16
 *     and fp16, in all three directions, with uneven padding, groups and depthwise; forward with a
 *     bias of the tensors' type, then with residual and ReLU as well. Without such a bias only
 *     engines that are compiled fuse anything, and no engine that f32 accepts; nor is there one
 *     that adds up 16-bit values into a float32 tensor.
 *   - A plan may not run on two threads at once, not even with two handles (PyTorch pull request
 *     103939): plans carry a lock, held while work is queued, not while it is done.
 */
#ifndef S2CLR_BACKEND_CUDA_GRAPH_H
#define S2CLR_BACKEND_CUDA_GRAPH_H

#include <cudnn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"

typedef cudnnBackendDescriptor_t cuda_descriptor;

enum { CUDA_GRAPH_DESCRIPTORS = 32, CUDA_GRAPH_OPERATIONS = 4 };

typedef struct cuda_graph {
    const s2clr_device *device; /* for messages; may be NULL */
    cuda_descriptor owned[CUDA_GRAPH_DESCRIPTORS];
    size_t owned_count;
    cuda_descriptor operation[CUDA_GRAPH_OPERATIONS];
    size_t operations;
} cuda_graph;

/* (n, c, h, w), channels lying next to each other; a filter is (k, c of a group, r, s). Virtual: it
 * exists between the operations of a graph only. */
typedef struct cuda_tensor {
    int64_t uid;
    cudnnDataType_t type;
    int64_t n, c, h, w;
    bool is_virtual;
} cuda_tensor;

typedef enum cuda_direction {
    CUDA_FORWARD,
    CUDA_DATA,
    CUDA_FILTER,
    CUDA_DIRECTIONS
} cuda_direction;

/* Cross-correlation in float32. Groups follow from the channels of x and of the filter. */
typedef struct cuda_convolution {
    int64_t stride, top, left, bottom, right;
} cuda_convolution;

void s2clr_cuda_graph_free(cuda_graph *graph);

/* *out is borrowed from the graph. */
s2clr_status s2clr_cuda_graph_tensor(cuda_graph *graph, const cuda_tensor *tensor,
                                     cuda_descriptor *out);

/* x, w, y stand for dx in CUDA_DATA, dw in CUDA_FILTER, dy in both. */
s2clr_status s2clr_cuda_graph_convolution(cuda_graph *graph, cuda_direction direction,
                                          const cuda_convolution *convolution, cuda_descriptor x,
                                          cuda_descriptor w, cuda_descriptor y);

/* y = x + b with CUDNN_POINTWISE_ADD, y = max(x, 0) with CUDNN_POINTWISE_RELU_FWD (b: NULL) */
s2clr_status s2clr_cuda_graph_pointwise(cuda_graph *graph, cudnnPointwiseMode_t mode,
                                        cuda_descriptor x, cuda_descriptor b, cuda_descriptor y);

/* ---- plans ---- */

/* What plans are made for: a handle, or the description of a device that need not be here (such
 * plans cannot run). */
typedef struct cuda_planner {
    cudnnHandle_t handle;
    cuda_descriptor properties; /* read when handle is NULL */
    bool *failed; /* set when an engine failed twice and did not say that it is unable: another
                   * time it may do; NULL: of no interest */
} cuda_planner;

#define CUDA_NOTE(name) (1u << CUDNN_NUMERICAL_NOTE_##name)

typedef struct cuda_rules {
    unsigned refused; /* CUDA_NOTE bits: an engine with one of them is not taken */
    size_t workspace_limit;
} cuda_rules;

typedef struct cuda_plan {
    cuda_descriptor plan, config;
    size_t workspace;
    int64_t engine; /* cuDNN's number of it */
    unsigned notes; /* CUDA_NOTE bits */
    bool compiled;  /* at run time */
    pthread_mutex_t *lock;
} cuda_plan;

/* The first engine that cuDNN's heuristics offer (mode A, then the fallback list) that follows the
 * rules and can be made; one that is compiled at run time only when there is no other.
 * S2CLR_ERR_UNSUPPORTED, without a message, when there is none. */
s2clr_status s2clr_cuda_graph_plan(cuda_graph *graph, const cuda_planner *planner,
                                   const cuda_rules *rules, cuda_plan *out);
void s2clr_cuda_plan_free(cuda_plan *plan);

/* Queues it on the handle's stream. uids and pointers of all tensors that are not virtual. */
s2clr_status s2clr_cuda_plan_run(const cuda_plan *plan, const s2clr_device *device,
                                 cudnnHandle_t handle, size_t count, const int64_t *uids,
                                 void *const *pointers, void *workspace);

/* ---- shared by the layer's files ---- */

/* New, owned by the graph. */
s2clr_status s2clr_cuda_graph_new(cuda_graph *graph, cudnnBackendDescriptorType_t type,
                                  const char *what, cuda_descriptor *out);

/* One attribute to set; count 0: leave it. */
typedef struct cuda_attribute {
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t count;
    const void *values;
} cuda_attribute;

/* Sets them in order and finalises; `what` names the descriptor in messages.
 * S2CLR_ERR_UNSUPPORTED, without a message, when cuDNN says that it does not do such a thing. */
s2clr_status s2clr_cuda_descriptor_set(const s2clr_device *device, cuda_descriptor descriptor,
                                       const char *what, size_t count,
                                       const cuda_attribute *attributes);

#endif
