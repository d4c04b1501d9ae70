/* cuBLASLt, pretended: products of matrices that lie column by column. */
#include <cublasLt.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_fake.h"

static const char handle_kind[] = "cuBLASLt handle", matrix_kind[] = "matrix layout",
                  product_kind[] = "description of a product", wishes_kind[] = "preference";

enum { ALGORITHM = 0x5a, WORKSPACE = 2048 };

struct cublasLtContext {
    int device;
};

typedef struct matrix {
    fake_type type;
    size_t rows, columns, leading;
} matrix;

/* op(a) op(b) */
typedef struct product {
    cublasComputeType_t compute;
    int32_t transposed[2]; /* a, b */
    uint32_t epilogue;
    const void *bias;
} product;

typedef struct wishes {
    uint64_t workspace;
} wishes;

/* ---- handles ---- */

cublasStatus_t cublasLtCreate(cublasLtHandle_t *out)
{
    FAKE_ENTRY(CUBLAS_STATUS_NOT_INITIALIZED)
    if (fake_broken()) FAKE_RETURN(CUBLAS_STATUS_NOT_INITIALIZED);
    struct cublasLtContext *const handle = fake_calloc(1, sizeof *handle);
    handle->device = fake_device();
    fake_object_add(handle, handle_kind);
    *out = handle;
    FAKE_RETURN(CUBLAS_STATUS_SUCCESS);
}

static cublasStatus_t release(void *object, const char *kind, bool fails)
{
    if (!fake_object_is(object, kind)) return CUBLAS_STATUS_INVALID_VALUE;
    fake_object_remove(object);
    free(object);
    return fails ? CUBLAS_STATUS_INTERNAL_ERROR : CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    FAKE_RELEASE();
    FAKE_RETURN(release(handle, handle_kind, fails));
}

size_t cublasLtGetVersion(void)
{
    return (size_t)fake_number("blas", CUBLAS_VERSION);
}

const char *cublasLtGetStatusString(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_SUCCESS         ? "CUBLAS_STATUS_SUCCESS"
           : status == CUBLAS_STATUS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                                   : "CUBLAS_STATUS_OTHER";
}

/* ---- descriptions ---- */

static bool type_of(cudaDataType type, fake_type *out)
{
    if (type == CUDA_R_32F)
        *out = FAKE_FLOAT32;
    else if (type == CUDA_R_16BF)
        *out = FAKE_BFLOAT16;
    else if (type == CUDA_R_16F)
        *out = FAKE_FLOAT16;
    else
        return false;
    return true;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *out, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t leading)
{
    FAKE_ENTRY(CUBLAS_STATUS_ALLOC_FAILED)
    matrix m = {.rows = rows, .columns = columns, .leading = (size_t)leading};
    if (!type_of(type, &m.type) || rows < 1 || columns < 1 || leading < (int64_t)rows) {
        fake_misuse("a matrix of type %d, %zu x %zu, every %d", (int)type, m.rows, m.columns,
                    (int)leading);
        FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
    }
    matrix *const made = fake_calloc(1, sizeof *made);
    *made = m;
    fake_object_add(made, matrix_kind);
    *out = (cublasLtMatrixLayout_t)(void *)made;
    FAKE_RETURN(CUBLAS_STATUS_SUCCESS);
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout)
{
    FAKE_RELEASE();
    FAKE_RETURN(release(layout, matrix_kind, fails));
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *out, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    FAKE_ENTRY(CUBLAS_STATUS_ALLOC_FAILED)
    if ((compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_FAST_TF32) ||
        scale != CUDA_R_32F) {
        fake_misuse("a product in compute type %d, scaled in %d", (int)compute, (int)scale);
        FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
    }
    product *const made = fake_calloc(1, sizeof *made);
    made->compute = compute;
    made->epilogue = CUBLASLT_EPILOGUE_DEFAULT;
    fake_object_add(made, product_kind);
    *out = (cublasLtMatmulDesc_t)(void *)made;
    FAKE_RETURN(CUBLAS_STATUS_SUCCESS);
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc)
{
    FAKE_RELEASE();
    FAKE_RETURN(release(desc, product_kind, fails));
}

static cublasStatus_t copy(void *to, size_t wanted, const void *from, size_t bytes)
{
    if (bytes != wanted) {
        fake_misuse("an attribute of %zu bytes was given %zu", wanted, bytes);
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    memcpy(to, from, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                              cublasLtMatmulDescAttributes_t which,
                                              const void *value, size_t bytes)
{
    FAKE_ENTRY(CUBLAS_STATUS_INVALID_VALUE)
    product *const p = (product *)(void *)desc;
    if (!fake_object_is(p, product_kind)) FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
    if (which == CUBLASLT_MATMUL_DESC_TRANSA || which == CUBLASLT_MATMUL_DESC_TRANSB)
        FAKE_RETURN(copy(&p->transposed[which == CUBLASLT_MATMUL_DESC_TRANSB],
                         sizeof p->transposed[0], value, bytes));
    if (which == CUBLASLT_MATMUL_DESC_EPILOGUE)
        FAKE_RETURN(copy(&p->epilogue, sizeof p->epilogue, value, bytes));
    if (which == CUBLASLT_MATMUL_DESC_BIAS_POINTER)
        FAKE_RETURN(copy(&p->bias, sizeof p->bias, value, bytes));
    fake_misuse("attribute %d of a product is not pretended", (int)which);
    FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out)
{
    FAKE_ENTRY(CUBLAS_STATUS_ALLOC_FAILED)
    wishes *const made = fake_calloc(1, sizeof *made);
    fake_object_add(made, wishes_kind);
    *out = (cublasLtMatmulPreference_t)(void *)made;
    FAKE_RETURN(CUBLAS_STATUS_SUCCESS);
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference)
{
    FAKE_RELEASE();
    FAKE_RETURN(release(preference, wishes_kind, fails));
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t which,
                                                    const void *value, size_t bytes)
{
    FAKE_ENTRY(CUBLAS_STATUS_INVALID_VALUE)
    wishes *const w = (wishes *)(void *)preference;
    uint32_t number;
    if (!fake_object_is(w, wishes_kind)) FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
    if (which == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
        FAKE_RETURN(copy(&w->workspace, sizeof w->workspace, value, bytes));
    FAKE_RETURN(copy(&number, sizeof number, value, bytes));
}

/* ---- the product ---- */

/* The work of one call: everything that the descriptions said then. */
typedef struct multiplication {
    product p;
    matrix a, b, d;
    const void *from_a, *from_b, *from_c;
    void *to, *workspace;
    float alpha, beta;
} multiplication;

static bool fits(const product *p, const matrix *a, const matrix *b, const matrix *c,
                 const matrix *d)
{
    const size_t rows = p->transposed[0] ? a->columns : a->rows;
    const size_t inner = p->transposed[0] ? a->rows : a->columns;
    const size_t columns = p->transposed[1] ? b->rows : b->columns;
    const bool shapes = inner == (p->transposed[1] ? b->columns : b->rows) && d->rows == rows &&
                        d->columns == columns && memcmp(c, d, sizeof *c) == 0;
    const bool types = a->type == b->type && (d->type == a->type || d->type == FAKE_FLOAT32);
    if (!shapes || !types)
        fake_misuse("%zu x %zu by %zu x %zu to %zu x %zu does not fit", a->rows, a->columns,
                    b->rows, b->columns, d->rows, d->columns);
    return shapes && types;
}

static bool known(const void *a, const void *b, const void *c, const void *d, const void *desc)
{
    return fake_object_is(a, matrix_kind) && fake_object_is(b, matrix_kind) &&
           fake_object_is(c, matrix_kind) && fake_object_is(d, matrix_kind) &&
           fake_object_is(desc, product_kind);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int *count)
{
    FAKE_ENTRY(CUBLAS_STATUS_INTERNAL_ERROR)
    const wishes *const w = (const wishes *)(const void *)preference;
    if (!fake_object_is(handle, handle_kind) || !fake_object_is(w, wishes_kind) ||
        !known(a, b, c, d, desc) ||
        !fits((const product *)(const void *)desc, (const matrix *)(const void *)a,
              (const matrix *)(const void *)b, (const matrix *)(const void *)c,
              (const matrix *)(const void *)d))
        FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
    *count = 0;
    if (wanted < 1 || w->workspace < WORKSPACE || fake_is("noengine", "product"))
        FAKE_RETURN(CUBLAS_STATUS_NOT_SUPPORTED);
    memset(&results[0], 0, sizeof results[0]);
    results[0].algo.data[0] = ALGORITHM;
    results[0].workspaceSize = WORKSPACE;
    results[0].state = CUBLAS_STATUS_SUCCESS;
    *count = 1;
    FAKE_RETURN(CUBLAS_STATUS_SUCCESS);
}

static size_t matrix_bytes(const matrix *m)
{
    return ((m->columns - 1) * m->leading + m->rows) * fake_type_bytes(m->type);
}

static const void *place(const void *at, size_t bytes, const char *what)
{
    if (((uintptr_t)at & 15) != 0) fake_misuse("%s is not aligned to 16 bytes", what);
    return fake_at(at, bytes, what);
}

static double element(const multiplication *m, const matrix *of, const void *values,
                      bool transposed, size_t row, size_t column)
{
    const size_t at = transposed ? column + row * of->leading : row + column * of->leading;
    const float value = fake_get(of->type, values, at);
    const bool rounds = m->p.compute == CUBLAS_COMPUTE_32F_FAST_TF32 && of->type == FAKE_FLOAT32;
    return (double)(rounds ? fake_tf32(value) : value);
}

static void multiply(const multiplication *m)
{
    const size_t inner = m->p.transposed[0] ? m->a.rows : m->a.columns;
    for (size_t j = 0; j < m->d.columns; j++)
        for (size_t i = 0; i < m->d.rows; i++) {
            const size_t at = i + j * m->d.leading;
            double sum = 0;
            for (size_t k = 0; k < inner; k++)
                sum += element(m, &m->a, m->from_a, m->p.transposed[0] != 0, i, k) *
                       element(m, &m->b, m->from_b, m->p.transposed[1] != 0, k, j);
            sum *= (double)m->alpha;
            if (m->beta != 0) sum += (double)m->beta * (double)fake_get(m->d.type, m->from_c, at);
            if (m->p.epilogue & CUBLASLT_EPILOGUE_BIAS)
                sum += (double)fake_get(m->d.type, m->p.bias, i);
            if ((m->p.epilogue & CUBLASLT_EPILOGUE_RELU) && !(sum > 0)) sum = 0;
            fake_set(m->d.type, m->to, at, (float)sum);
        }
}

static void run(void *args)
{
    multiplication *const m = args;
    void *const workspace = fake_at(m->workspace, WORKSPACE, "workspace of a product");
    m->from_a = place(m->from_a, matrix_bytes(&m->a), "first factor");
    m->from_b = place(m->from_b, matrix_bytes(&m->b), "second factor");
    if (m->beta != 0) m->from_c = place(m->from_c, matrix_bytes(&m->d), "summand of a product");
    m->to = fake_at(m->to, matrix_bytes(&m->d), "product");
    if (m->p.epilogue & CUBLASLT_EPILOGUE_BIAS)
        m->p.bias = place(m->p.bias, m->d.rows * fake_type_bytes(m->d.type), "bias of a product");
    if (!workspace || !m->from_a || !m->from_b || !m->to || (m->beta != 0 && !m->from_c) ||
        ((m->p.epilogue & CUBLASLT_EPILOGUE_BIAS) && !m->p.bias)) {
        fake_break();
        return;
    }
    memset(workspace, 0xee, WORKSPACE);
    multiply(m);
    memset(workspace, 0xee, WORKSPACE); /* what it shares with the result is lost, too */
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t a_layout, const void *b,
                              cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
                              cublasLtMatrixLayout_t c_layout, void *d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo,
                              void *workspace, size_t workspace_bytes, cudaStream_t stream)
{
    FAKE_ENTRY(CUBLAS_STATUS_EXECUTION_FAILED)
    if (!fake_object_is(handle, handle_kind) ||
        !known(a_layout, b_layout, c_layout, d_layout, desc))
        FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
    const multiplication m = {*(const product *)(const void *)desc,
                              *(const matrix *)(const void *)a_layout,
                              *(const matrix *)(const void *)b_layout,
                              *(const matrix *)(const void *)d_layout,
                              a,
                              b,
                              c,
                              d,
                              workspace,
                              *(const float *)alpha,
                              *(const float *)beta};
    const bool ready = algo && algo->data[0] == ALGORITHM && workspace_bytes >= WORKSPACE &&
                       handle->device == fake_device();
    if (!ready) fake_misuse("cublasLtMatmul: no algorithm, no workspace or another device");
    if (!ready || !fits(&m.p, &m.a, &m.b, (const matrix *)(const void *)c_layout, &m.d))
        FAKE_RETURN(CUBLAS_STATUS_INVALID_VALUE);
    FAKE_RETURN(fake_queue(stream, run, &m, sizeof m) == cudaSuccess
                    ? CUBLAS_STATUS_SUCCESS
                    : CUBLAS_STATUS_EXECUTION_FAILED);
}
