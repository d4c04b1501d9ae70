/* What the files of the pretended cuDNN share: descriptors, and the programs they stand for. */
#ifndef S2CLR_TESTS_CUDA_FAKE_DNN_H
#define S2CLR_TESTS_CUDA_FAKE_DNN_H

#include <cudnn.h>

#include "cuda_fake.h"

enum { FAKE_TENSORS = 16, FAKE_NODES = 8 };

typedef struct fake_tensor {
    int64_t uid;
    fake_type type;
    int64_t n, c, h, w; /* a filter: (k, c of a group, r, s) */
    int64_t stride[4];  /* in that order */
    bool is_virtual;
} fake_tensor;

typedef enum fake_kind { FAKE_FORWARD, FAKE_DATA, FAKE_FILTER, FAKE_ADD, FAKE_RELU } fake_kind;

/* One operation, by the numbers of its tensors in the program. */
typedef struct fake_node {
    fake_kind kind;
    int x, w, y; /* w: the filter, or what is added; the roles of the forward direction */
    int64_t top, left, bottom, right, stride[2];
} fake_node;

/* An operation, a graph of them, and from an engine on with the engine that runs it. */
typedef struct fake_program {
    fake_tensor tensor[FAKE_TENSORS];
    int tensors;
    fake_node node[FAKE_NODES];
    int nodes;
    int engine;
    bool from_fallback; /* the list of engines that it comes from */
} fake_program;

typedef struct fake_attribute {
    struct fake_attribute *next;
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t count;
    unsigned char *values;
} fake_attribute;

typedef struct fake_descriptor {
    cudnnBackendDescriptorType_t type;
    bool finalised, busy; /* busy: a plan that a thread is queuing */
    fake_attribute *attributes;
    fake_program program;
} fake_descriptor;

/* ---- cuda_fake_dnn.c ---- */

extern const char fake_descriptor_kind[], fake_handle_kind[];

/* NULL when it was not set. */
const fake_attribute *fake_attribute_of(const fake_descriptor *d, cudnnBackendAttributeName_t name);
int64_t fake_int64(const fake_descriptor *d, cudnnBackendAttributeName_t name, int64_t at,
                   int64_t otherwise);
int fake_enum(const fake_descriptor *d, cudnnBackendAttributeName_t name, int otherwise);
fake_descriptor *fake_child(const fake_descriptor *d, cudnnBackendAttributeName_t name, int64_t at);

/* ---- cuda_fake_graph.c: what becomes of a descriptor that is complete ---- */

cudnnStatus_t fake_finish_tensor(fake_descriptor *d);
cudnnStatus_t fake_finish_convolution(fake_descriptor *d);
cudnnStatus_t fake_finish_pointwise(fake_descriptor *d);
cudnnStatus_t fake_finish_graph(fake_descriptor *d);

/* ---- cuda_fake_engine.c ---- */

cudnnStatus_t fake_finish_heuristics(fake_descriptor *d);
cudnnStatus_t fake_finish_plan(fake_descriptor *d);
/* The engines that the heuristics offer, into `configs` when there is room. */
int64_t fake_offer(const fake_descriptor *heuristics, int64_t room,
                   fake_descriptor *const *configs);
int64_t fake_notes(const fake_program *program, int64_t room, cudnnBackendNumericalNote_t *notes);
int64_t fake_behaviour(const fake_program *program, int64_t room,
                       cudnnBackendBehaviorNote_t *notes);
size_t fake_workspace(const fake_program *program);
cudnnStatus_t fake_execute(cudaStream_t stream, const fake_descriptor *plan,
                           const fake_descriptor *pack);

/* ---- cuda_fake_conv.c ---- */

/* Data of the tensors, dense, (n, h, w, c), made and filled as the nodes need and give them. */
typedef struct fake_values {
    float *of[FAKE_TENSORS];
} fake_values;

size_t fake_tensor_count(const fake_tensor *tensor);
void fake_compute(const fake_program *program, const fake_node *node, fake_values *values);

#endif
