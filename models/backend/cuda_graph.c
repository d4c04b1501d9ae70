/* Graphs: tensors, convolutions, pointwise operations. */
#include "backend/cuda_graph.h"

#include "backend/cudap.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Category of cuDNN's status codes: valid, but not something it does (3000 to 3999). */
static bool is_unsupported(cudnnStatus_t code)
{
    return CUDNN_STATUS_CATEGORY(code) == CUDNN_STATUS_NOT_SUPPORTED;
}

s2clr_status s2clr_cuda_descriptor_set(const s2clr_device *device, cuda_descriptor descriptor,
                                       const char *what, size_t count,
                                       const cuda_attribute *attributes)
{
    cudnnStatus_t code = CUDNN_STATUS_SUCCESS;
    for (size_t i = 0; i < count && code == CUDNN_STATUS_SUCCESS; i++)
        if (attributes[i].count > 0)
            code = cudnnBackendSetAttribute(descriptor, attributes[i].name, attributes[i].type,
                                            attributes[i].count, attributes[i].values);
    if (code == CUDNN_STATUS_SUCCESS) code = cudnnBackendFinalize(descriptor);
    if (is_unsupported(code)) return S2CLR_ERR_UNSUPPORTED;
    return s2clr_cuda_check_dnn(code, device, what);
}

s2clr_status s2clr_cuda_graph_new(cuda_graph *graph, cudnnBackendDescriptorType_t type,
                                  const char *what, cuda_descriptor *out)
{
    if (graph->owned_count == CUDA_GRAPH_DESCRIPTORS)
        return s2clr_error_set(S2CLR_ERR_BACKEND, "%s: a graph holds %d descriptors at most", what,
                               CUDA_GRAPH_DESCRIPTORS);
    cuda_descriptor made = NULL;
    const cudnnStatus_t code = cudnnBackendCreateDescriptor(type, &made);
    if (is_unsupported(code)) return S2CLR_ERR_UNSUPPORTED;
    S2CLR_TRY(s2clr_cuda_check_dnn(code, graph->device, what));
    graph->owned[graph->owned_count++] = made;
    *out = made;
    return S2CLR_OK;
}

void s2clr_cuda_graph_free(cuda_graph *graph)
{
    while (graph->owned_count > 0)
        cudnnBackendDestroyDescriptor(graph->owned[--graph->owned_count]);
    graph->operations = 0;
}

/* ---- nodes ---- */

s2clr_status s2clr_cuda_graph_tensor(cuda_graph *graph, const cuda_tensor *tensor,
                                     cuda_descriptor *out)
{
    const cuda_tensor *const t = tensor;
    /* Every tensor begins at a multiple of 64 bytes, more than any engine asks for. */
    const int64_t alignment = 16;
    const int64_t sizes[] = {t->n, t->c, t->h, t->w};
    const int64_t strides[] = {t->h * t->w * t->c, 1, t->w * t->c, t->c};
    const cuda_attribute attributes[] = {
        {CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &t->uid},
        {CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &t->type},
        {CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment},
        {CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, sizes},
        {CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides},
        {CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &t->is_virtual},
    };
    const char *const what = "describing a tensor of a convolution";
    cuda_descriptor made;
    S2CLR_TRY(s2clr_cuda_graph_new(graph, CUDNN_BACKEND_TENSOR_DESCRIPTOR, what, &made));
    S2CLR_TRY(s2clr_cuda_descriptor_set(graph->device, made, what, COUNT(attributes), attributes));
    *out = made;
    return S2CLR_OK;
}

static s2clr_status add_operation(cuda_graph *graph, cuda_descriptor operation, const char *what)
{
    if (graph->operations == CUDA_GRAPH_OPERATIONS)
        return s2clr_error_set(S2CLR_ERR_BACKEND, "%s: a graph holds %d operations at most", what,
                               CUDA_GRAPH_OPERATIONS);
    graph->operation[graph->operations++] = operation;
    return S2CLR_OK;
}

static s2clr_status geometry(cuda_graph *graph, const cuda_convolution *c, cuda_descriptor *out)
{
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t axes = 2, dilations[] = {1, 1}, strides[] = {c->stride, c->stride};
    const int64_t before[] = {c->top, c->left}, behind[] = {c->bottom, c->right};
    const cuda_attribute attributes[] = {
        {CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes},
        {CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute},
        {CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode},
        {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, before},
        {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, behind},
        {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilations},
        {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, strides},
    };
    const char *const what = "describing the window of a convolution";
    cuda_descriptor made;
    S2CLR_TRY(s2clr_cuda_graph_new(graph, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, what, &made));
    S2CLR_TRY(s2clr_cuda_descriptor_set(graph->device, made, what, COUNT(attributes), attributes));
    *out = made;
    return S2CLR_OK;
}

/* How cuDNN calls the same things in the three directions. */
typedef struct direction_line {
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t alpha, beta, window, x, w, y;
    const char *what;
} direction_line;

static const direction_line directions[CUDA_DIRECTIONS] = {
    [CUDA_FORWARD] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, "describing a convolution"},
    [CUDA_DATA] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                   CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                   CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                   CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                   CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                   CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                   CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                   "describing the gradient of a convolution's input"},
    [CUDA_FILTER] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                     "describing the gradient of a convolution's weights"},
};

s2clr_status s2clr_cuda_graph_convolution(cuda_graph *graph, cuda_direction direction,
                                          const cuda_convolution *convolution, cuda_descriptor x,
                                          cuda_descriptor w, cuda_descriptor y)
{
    const direction_line *const line = &directions[direction];
    const float alpha = 1, beta = 0;
    cuda_descriptor window, made;
    S2CLR_TRY(geometry(graph, convolution, &window));
    const cuda_attribute attributes[] = {
        {line->window, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &window},
        {line->x, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x},
        {line->w, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &w},
        {line->y, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y},
        {line->alpha, CUDNN_TYPE_FLOAT, 1, &alpha},
        {line->beta, CUDNN_TYPE_FLOAT, 1, &beta},
    };
    S2CLR_TRY(s2clr_cuda_graph_new(graph, line->type, line->what, &made));
    S2CLR_TRY(
        s2clr_cuda_descriptor_set(graph->device, made, line->what, COUNT(attributes), attributes));
    return add_operation(graph, made, line->what);
}

s2clr_status s2clr_cuda_graph_pointwise(cuda_graph *graph, cudnnPointwiseMode_t mode,
                                        cuda_descriptor x, cuda_descriptor b, cuda_descriptor y)
{
    const char *const what = "describing what follows a convolution";
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cuda_attribute of_mode[] = {
        {CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode},
        {CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &compute},
    };
    cuda_descriptor kind, made;
    S2CLR_TRY(s2clr_cuda_graph_new(graph, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, what, &kind));
    S2CLR_TRY(s2clr_cuda_descriptor_set(graph->device, kind, what, COUNT(of_mode), of_mode));
    const cuda_attribute attributes[] = {
        {CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &kind},
        {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x},
        {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, b != NULL, &b},
        {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y},
    };
    S2CLR_TRY(
        s2clr_cuda_graph_new(graph, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, what, &made));
    S2CLR_TRY(s2clr_cuda_descriptor_set(graph->device, made, what, COUNT(attributes), attributes));
    return add_operation(graph, made, what);
}
