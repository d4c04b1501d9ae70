#include "backend/cuda_matmul.h"

enum { ALIGNED = 64 /* what callers of the backend promise of tensors */ };

static cudaDataType_t type_of(cuda_element element)
{
    return element == CUDA_FLOAT32   ? CUDA_R_32F
           : element == CUDA_FLOAT16 ? CUDA_R_16F
                                     : CUDA_R_16BF;
}

/* ---- descriptors ---- */

static s2clr_status layout_new(const s2clr_device *device, cuda_element element, size_t rows,
                               size_t columns, cublasLtMatrixLayout_t *out)
{
    return s2clr_cuda_check_blas(
        cublasLtMatrixLayoutCreate(out, type_of(element), rows, columns, (int64_t)rows), device,
        "describing a matrix");
}

static s2clr_status attribute(const s2clr_device *device, cublasLtMatmulDesc_t desc,
                              cublasLtMatmulDescAttributes_t which, const void *value, size_t bytes)
{
    return s2clr_cuda_check_blas(cublasLtMatmulDescSetAttribute(desc, which, value, bytes), device,
                                 "describing a product");
}

static s2clr_status desc_fill(const s2clr_device *device, const cuda_product *p, const float *bias,
                              cublasLtMatmulDesc_t desc)
{
    const cublasOperation_t op_a = p->a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t op_b = p->b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasLtEpilogue_t epilogue = p->bias && p->relu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                        : p->bias          ? CUBLASLT_EPILOGUE_BIAS
                                        : p->relu          ? CUBLASLT_EPILOGUE_RELU
                                                           : CUBLASLT_EPILOGUE_DEFAULT;
    S2CLR_TRY(attribute(device, desc, CUBLASLT_MATMUL_DESC_TRANSA, &op_a, sizeof op_a));
    S2CLR_TRY(attribute(device, desc, CUBLASLT_MATMUL_DESC_TRANSB, &op_b, sizeof op_b));
    S2CLR_TRY(attribute(device, desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue));
    if (!bias) return S2CLR_OK;
    return attribute(device, desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias);
}

/* One for each run: it holds the pointer to the bias, and runs share everything else. */
static s2clr_status desc_new(const s2clr_device *device, const cuda_product *p, const float *bias,
                             cublasLtMatmulDesc_t *out)
{
    const bool rounds = device->precision == S2CLR_TF32 && !p->exact;
    const cublasComputeType_t compute = rounds ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    S2CLR_TRY(s2clr_cuda_check_blas(cublasLtMatmulDescCreate(out, compute, CUDA_R_32F), device,
                                    "describing a product"));
    const s2clr_status status = desc_fill(device, p, bias, *out);
    if (status != S2CLR_OK) cublasLtMatmulDescDestroy(*out);
    return status;
}

/* ---- choosing ---- */

static s2clr_status preference_fill(const s2clr_device *device,
                                    cublasLtMatmulPreference_t preference)
{
    const size_t workspace = CUDA_MATMUL_WORKSPACE;
    /* Partial products are added in float32, in a fixed order. */
    const uint32_t reduction = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, aligned = ALIGNED;
    const struct {
        cublasLtMatmulPreferenceAttributes_t which;
        const void *value;
        size_t bytes;
    } wishes[] = {
        {CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace},
        {CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reduction, sizeof reduction},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &aligned, sizeof aligned},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &aligned, sizeof aligned},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &aligned, sizeof aligned},
        {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &aligned, sizeof aligned},
    };
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
        S2CLR_TRY(s2clr_cuda_check_blas(
            cublasLtMatmulPreferenceSetAttribute(preference, wishes[i].which, wishes[i].value,
                                                 wishes[i].bytes),
            device, "preparing a product"));
    return S2CLR_OK;
}

static s2clr_status choose(const s2clr_device *device, cublasLtMatmulDesc_t desc,
                           cublasLtMatmulPreference_t preference, cuda_matmul *matmul)
{
    cublasLtMatmulHeuristicResult_t found;
    int count = 0;
    S2CLR_TRY(preference_fill(device, preference));
    const cublasStatus_t code =
        cublasLtMatmulAlgoGetHeuristic(device->blas, desc, matmul->a, matmul->b, matmul->d,
                                       matmul->d, preference, 1, &found, &count);
    const cuda_product *const p = &matmul->product;
    const bool unable =
        code == CUBLAS_STATUS_NOT_SUPPORTED ||
        (code == CUBLAS_STATUS_SUCCESS && (count < 1 || found.state != CUBLAS_STATUS_SUCCESS));
    if (unable) S2CLR_TRY(s2clr_cuda_fault_seek(device, "choosing an algorithm for a product"));
    if (unable)
        return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                               "%s: cuBLASLt does not multiply %zu x %zu by %zu x %zu",
                               device->name, p->a.rows, p->a.columns, p->b.rows, p->b.columns);
    S2CLR_TRY(s2clr_cuda_check_blas(code, device, "choosing an algorithm for a product"));
    matmul->algorithm = found.algo;
    matmul->workspace_bytes = found.workspaceSize;
    return S2CLR_OK;
}

static s2clr_status prepare(const s2clr_device *device, cuda_matmul *m)
{
    const cuda_product *const p = &m->product;
    cublasLtMatmulDesc_t desc;
    cublasLtMatmulPreference_t preference;
    const size_t rows = p->a.transposed ? p->a.columns : p->a.rows;
    const size_t columns = p->b.transposed ? p->b.rows : p->b.columns;
    S2CLR_TRY(layout_new(device, p->element, p->a.rows, p->a.columns, &m->a));
    S2CLR_TRY(layout_new(device, p->element, p->b.rows, p->b.columns, &m->b));
    S2CLR_TRY(layout_new(device, p->result, rows, columns, &m->d));
    /* Algorithms with a bias are offered to those who have one; it is not read here. */
    S2CLR_TRY(desc_new(device, p, p->bias ? (const float *)CUDA_ALIGN : NULL, &desc));
    s2clr_status status = s2clr_cuda_check_blas(cublasLtMatmulPreferenceCreate(&preference), device,
                                                "preparing a product");
    if (status == S2CLR_OK) {
        status = choose(device, desc, preference, m);
        cublasLtMatmulPreferenceDestroy(preference);
    }
    cublasLtMatmulDescDestroy(desc);
    return status;
}

/* ---- public ---- */

s2clr_status s2clr_cuda_matmul_new(const s2clr_device *device, const cuda_product *product,
                                   cuda_matmul *out)
{
    cuda_matmul matmul = {.product = *product};
    const s2clr_status status = prepare(device, &matmul);
    if (status == S2CLR_OK)
        *out = matmul;
    else
        s2clr_cuda_matmul_free(&matmul);
    return status;
}

void s2clr_cuda_matmul_free(cuda_matmul *matmul)
{
    if (matmul->a) cublasLtMatrixLayoutDestroy(matmul->a);
    if (matmul->b) cublasLtMatrixLayoutDestroy(matmul->b);
    if (matmul->d) cublasLtMatrixLayoutDestroy(matmul->d);
}

s2clr_status s2clr_cuda_matmul_run(const cuda_matmul *matmul, const s2clr_stream *stream,
                                   const cuda_matmul_tensors *tensors, void *workspace)
{
    const s2clr_device *const device = stream->device;
    const float alpha = 1, beta = tensors->c ? 1 : 0;
    const void *const c = tensors->c ? tensors->c : tensors->d;
    cublasLtMatmulDesc_t desc;
    S2CLR_TRY(desc_new(device, &matmul->product, tensors->bias, &desc));
    const cublasStatus_t code =
        cublasLtMatmul(device->blas, desc, &alpha, tensors->a, matmul->a, tensors->b, matmul->b,
                       &beta, c, matmul->d, tensors->d, matmul->d, &matmul->algorithm, workspace,
                       matmul->workspace_bytes, stream->stream);
    cublasLtMatmulDescDestroy(desc);
    return s2clr_cuda_check_blas(code, device, "multiplying matrices");
}
