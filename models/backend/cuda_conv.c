/*
 * Convolution: which way each direction goes, and where things lie in the stream's scratch.
 *
 * Forward, the first that cuDNN has an engine for of: all in one; the convolution alone, the rest
 * in a launch of ours; own kernels. The gradients: cuDNN, else own kernels.
 *
 * On 16-bit devices three values are rounded that a float32 device does not round, because cuDNN
 * 9.19 has no ready-made engine with a float32 tensor beside 16-bit ones: a fused bias, as the
 * weights beside it are; the gradient of the weights; and, where nothing could be fused, the bare
 * result of the convolution.
 */
#include <stdio.h>
#include <string.h>

#include "backend/cuda_conv.h"
#include "base/memory.h"

/* ---- ways ---- */

/* Takes a plan for the direction, unless it has one or cuDNN cannot do it. */
static s2clr_status attempt(s2clr_op *op, cuda_direction direction, int64_t fused, bool finish)
{
    cuda_step *const step = &op->conv->step[direction];
    cuda_conv_shape shape;
    if (step->planned != NULL || !s2clr_cuda_conv_shape(op, direction, fused, &shape))
        return S2CLR_OK;
    cuda_planned *planned;
    const s2clr_status status = s2clr_cuda_plans_take(op->device, &shape, &planned);
    if (status == S2CLR_ERR_UNSUPPORTED) return S2CLR_OK;
    S2CLR_TRY(status);
    *step = (cuda_step){.planned = planned, .finish = finish};
    return S2CLR_OK;
}

static s2clr_status choose_ways(s2clr_op *op)
{
    const s2clr_op_desc *const d = &op->desc;
    const bool follows = d->bias || d->residual || d->relu;
    const int64_t fused = (d->residual ? CUDA_FUSED_RESIDUAL : 0) |
                          (follows ? CUDA_FUSED_BIAS : 0) | (d->relu ? CUDA_FUSED_RELU : 0);
    S2CLR_TRY(attempt(op, CUDA_FORWARD, fused, false));
    if (follows) S2CLR_TRY(attempt(op, CUDA_FORWARD, 0, true));
    if (!d->training) return S2CLR_OK;
    S2CLR_TRY(attempt(op, CUDA_DATA, 0, false));
    return attempt(op, CUDA_FILTER, 0, false);
}

/* ---- scratch ---- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* What a plan of ours writes that is not its op's result: bare sums, packed gradients. */
static size_t result_bytes(const s2clr_op *op)
{
    const cuda_step *const step = op->conv->step;
    size_t values = 0;
    if (step[CUDA_FORWARD].finish) values = cuda_view_count(&op->y);
    if (step[CUDA_FILTER].planned != NULL)
        values = larger(values, cuda_weights_packed(&op->conv->packing.shape));
    return values * op->device->element_bytes;
}

static size_t plain_bytes(const s2clr_op *op)
{
    const bool training = op->desc.training;
    size_t bytes = s2clr_cuda_pack_scratch(&op->desc);
    if (training && op->conv->step[CUDA_FILTER].planned == NULL)
        bytes = larger(bytes, s2clr_cuda_direct_filter_scratch(op));
    if (training && op->desc.bias) bytes = larger(bytes, s2clr_cuda_bias_scratch(op));
    return bytes;
}

static void lay_out(s2clr_op *op)
{
    struct cuda_conv *const conv = op->conv;
    const cuda_planned *const forward = conv->step[CUDA_FORWARD].planned;
    size_t own = 0;
    for (int i = 0; i < CUDA_DIRECTIONS; i++)
        if (conv->step[i].planned != NULL) own = larger(own, conv->step[i].planned->plan.workspace);
    conv->result_at = s2clr_cuda_align(own);
    conv->plain_at = conv->result_at + s2clr_cuda_align(result_bytes(op));
    op->scratch_bytes = conv->plain_at + s2clr_cuda_align(plain_bytes(op));
    op->packed_bytes = conv->packing.bytes;
    if (forward == NULL || !(forward->shape.fused & CUDA_FUSED_BIAS)) return;
    conv->fused_bias_at = op->packed_bytes;
    op->packed_bytes += s2clr_cuda_align(op->y.lanes * op->device->element_bytes);
}

/* ---- names ---- */

static const char *arithmetic(unsigned notes)
{
    if (notes & (CUDA_NOTE(WINOGRAD) | CUDA_NOTE(WINOGRAD_TILE_4x4))) return "_wino";
    return notes & CUDA_NOTE(TENSOR_CORE) ? "_tc" : "";
}

/* "cudnn_62_tc", "cudnn_7_tc+finish", "direct" */
static void name_step(const cuda_step *step, char text[40])
{
    if (step->planned == NULL) {
        snprintf(text, 40, "direct");
        return;
    }
    const cuda_plan *const plan = &step->planned->plan;
    snprintf(text, 40, "cudnn_%lld%s%s%s", (long long)plan->engine, arithmetic(plan->notes),
             plan->compiled ? "_rt" : "", step->finish ? "+finish" : "");
}

/* Own kernels are so slow that who reads the name wants to know for which shape. */
static void name_op(s2clr_op *op)
{
    const s2clr_op_desc *const d = &op->desc;
    bool slow = false;
    size_t at = 0;
    for (int i = 0; i < (d->training ? CUDA_DIRECTIONS : 1); i++) {
        char text[40];
        name_step(&op->conv->step[i], text);
        slow |= op->conv->step[i].planned == NULL;
        at += (size_t)snprintf(op->kernel + at, sizeof op->kernel - at, "%s%s", i > 0 ? " " : "",
                               text);
    }
    if (slow)
        snprintf(op->kernel + at, sizeof op->kernel - at, " of %dx%dx%dx%d->%d %dx%d/%d groups %d",
                 d->x.n, d->x.c, d->x.h, d->x.w, d->y.c, d->window.h, d->window.w, d->window.stride,
                 d->groups);
}

/* ---- life ---- */

s2clr_status s2clr_cuda_conv_new(s2clr_op *op)
{
    S2CLR_TRY(s2clr_alloc(1, sizeof *op->conv, "convolution", (void **)&op->conv));
    op->conv->packing = s2clr_cuda_packing_of(&op->desc, op->device->element_bytes);
    S2CLR_TRY(choose_ways(op));
    lay_out(op);
    name_op(op);
    return S2CLR_OK;
}

void s2clr_cuda_conv_free(s2clr_op *op)
{
    if (op->conv == NULL) return;
    for (int i = 0; i < CUDA_DIRECTIONS; i++)
        s2clr_cuda_plans_give(op->device, op->conv->step[i].planned);
    s2clr_free(op->conv);
    op->conv = NULL;
}
