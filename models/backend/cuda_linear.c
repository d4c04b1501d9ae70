/*
 * Linear layers: a convolution of 1 x 1 on maps of 1 x 1 is a product of matrices. With x (n, in)
 * and the packed weight w (out, in), rows one behind the other, cuBLASLt, which thinks in columns,
 * sees their transposes:
 *
 *     forward   y' = w x'            (out, n)
 *     data      dx' = w' dy'         (in, n)
 *     filter    dw' = x' dy          (in, out)
 */
#include <stdio.h>

#include "backend/cuda_matmul.h"
#include "base/memory.h"

enum { FORWARD, DATA, FILTER, PRODUCTS };

typedef struct linear {
    cuda_matmul product[PRODUCTS];
    size_t workspace_at[PRODUCTS]; /* in scratch, behind what else the direction keeps there */
} linear;

bool s2clr_cuda_is_linear(const s2clr_op_desc *desc)
{
    return desc->kind == S2CLR_OP_CONV && desc->groups == 1 && desc->window.h == 1 &&
           desc->window.w == 1 && desc->x.h == 1 && desc->x.w == 1;
}

/* A result of 16 bits is rounded once, after bias and residual: the product goes to scratch. */
static bool is_wide(const s2clr_op *op)
{
    return op->device->element == CUDA_FLOAT32;
}

/* ---- life ---- */

static s2clr_status products_new(const s2clr_op *op, linear *l)
{
    const s2clr_op_desc *const d = &op->desc;
    const size_t n = op->x.n, in = op->x.lanes, out = op->y.lanes;
    const cuda_element element = op->device->element;
    const cuda_product wanted[PRODUCTS] = {
        [FORWARD] = {.a = {in, out, true},
                     .b = {in, n, false},
                     .element = element,
                     .result = CUDA_FLOAT32,
                     .bias = d->bias && is_wide(op),
                     .relu = d->relu && is_wide(op)},
        [DATA] = {.a = {in, out, false},
                  .b = {out, n, false},
                  .element = element,
                  .result = element},
        [FILTER] = {.a = {in, n, false},
                    .b = {out, n, true},
                    .element = element,
                    .result = CUDA_FLOAT32},
    };
    for (int i = 0; i < (d->training ? PRODUCTS : DATA); i++)
        S2CLR_TRY(s2clr_cuda_matmul_new(op->device, &wanted[i], &l->product[i]));
    return S2CLR_OK;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void place(s2clr_op *op, linear *l)
{
    const s2clr_op_desc *const d = &op->desc;
    const cuda_packing p = s2clr_cuda_packing_of(d, op->device->element_bytes);
    l->workspace_at[FORWARD] =
        is_wide(op) ? 0 : s2clr_cuda_align(cuda_view_count(&op->y) * sizeof(float));
    l->workspace_at[FILTER] = s2clr_cuda_align(cuda_weights_packed(&p.shape) * sizeof(float)) +
                              s2clr_cuda_pack_scratch(d);
    op->packed_bytes = p.bytes;
    op->scratch_bytes = s2clr_cuda_pack_scratch(d);
    for (int i = 0; i < (d->training ? PRODUCTS : DATA); i++)
        op->scratch_bytes =
            larger(op->scratch_bytes, l->workspace_at[i] + l->product[i].workspace_bytes);
    if (d->training && d->bias)
        op->scratch_bytes = larger(op->scratch_bytes, s2clr_cuda_bias_scratch(op));
}

s2clr_status s2clr_cuda_linear_new(s2clr_op *op)
{
    linear *l;
    S2CLR_TRY(s2clr_alloc(1, sizeof *l, "linear layer", (void **)&l));
    op->linear = l;
    S2CLR_TRY(products_new(op, l));
    place(op, l);
    snprintf(op->kernel, sizeof op->kernel, "cublaslt_%s",
             s2clr_precision_name(op->device->precision));
    return S2CLR_OK;
}

void s2clr_cuda_linear_free(s2clr_op *op)
{
    linear *const l = op->linear;
    if (!l) return;
    for (int i = 0; i < PRODUCTS; i++) s2clr_cuda_matmul_free(&l->product[i]);
    s2clr_free(l);
    op->linear = NULL;
}

/* ---- running ---- */

s2clr_status s2clr_cuda_linear_pack(const s2clr_op *op, s2clr_stream *stream, const float *weight,
                                    const float *bias, void *packed)
{
    return s2clr_cuda_weights_pack(op, stream, 0, weight, bias, packed);
}

static s2clr_status run(const s2clr_op *op, const s2clr_stream *stream, int which,
                        const cuda_matmul_tensors *tensors)
{
    const linear *const l = op->linear;
    return s2clr_cuda_matmul_run(&l->product[which], stream, tensors,
                                 s2clr_cuda_scratch(stream, l->workspace_at[which]));
}

s2clr_status s2clr_cuda_linear_forward(const s2clr_op *op, s2clr_stream *stream,
                                       const s2clr_op_args *args)
{
    const float *const bias = s2clr_cuda_packed_bias(op, args->packed);
    const void *const residual = op->desc.residual ? args->residual : NULL;
    const cuda_matmul_tensors wide = {
        .a = args->packed, .b = args->x, .c = residual, .bias = bias, .d = args->y};
    if (is_wide(op)) return run(op, stream, FORWARD, &wide);
    void *const product = s2clr_cuda_scratch(stream, 0);
    const cuda_matmul_tensors plain = {.a = args->packed, .b = args->x, .d = product};
    const cuda_finish_args finish = {.element = op->device->element,
                                     .x_element = CUDA_FLOAT32,
                                     .relu = op->desc.relu,
                                     .view = op->y,
                                     .bias = bias,
                                     .x = product,
                                     .residual = residual,
                                     .y = args->y};
    S2CLR_TRY(run(op, stream, FORWARD, &plain));
    return s2clr_cuda_check_launch(s2clr_cuda_launch_finish(stream->stream, finish), op->device,
                                   "finish");
}

static s2clr_status filter(const s2clr_op *op, s2clr_stream *stream, const s2clr_op_args *args)
{
    const cuda_packing p = s2clr_cuda_packing_of(&op->desc, sizeof(float));
    float *const krsc = s2clr_cuda_scratch(stream, 0);
    const cuda_matmul_tensors tensors = {.a = args->x, .b = args->dy, .d = krsc};
    S2CLR_TRY(run(op, stream, FILTER, &tensors));
    return s2clr_cuda_weights_gradient(
        op, stream, s2clr_cuda_align(cuda_weights_packed(&p.shape) * sizeof(float)), CUDA_FLOAT32,
        krsc, args->dweight);
}

s2clr_status s2clr_cuda_linear_backward(const s2clr_op *op, s2clr_stream *stream,
                                        const s2clr_op_args *args)
{
    const cuda_matmul_tensors data = {.a = args->packed, .b = args->dy, .d = args->dx};
    if (args->dx) S2CLR_TRY(run(op, stream, DATA, &data));
    if (args->dweight) S2CLR_TRY(filter(op, stream, args));
    if (op->desc.bias && args->dbias)
        S2CLR_TRY(s2clr_cuda_bias_gradient(op, stream, 0, args->dy, args->dbias));
    return S2CLR_OK;
}
