/*
 * Convolution: which kernels, and where weights and scratch lie.
 *
 * packed: weights in the form forward wants, bias, weights in the form backward data wants.
 * scratch: oneDNN's own, then what the op stages: x or y in blocks when their native form is plain
 * (three channels), filled-up plain weights, the gradient of the weights in oneDNN's form.
 */
#include <string.h>

#include "backend/onednnp.h"
#include "base/memory.h"

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Takes `bytes` of *end and returns where they start. */
static size_t take(size_t *end, size_t bytes)
{
    const size_t at = *end;
    *end += aligned(bytes);
    return at;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int filled_up(int channels, int block)
{
    return (channels + block - 1) / block * block;
}

/* ---- choosing primitives ---- */

/* Measured on AVX2, batches 1 to 16: below these numbers the transforms, or reading four times as
 * many weights, cost more than the products saved. A fixed rule, never a timing at run time: the
 * same shape always gets the same kernel. */
enum { WINOGRAD_CHANNELS = 32, WINOGRAD_TILES = 4 };

static bool winograd_pays(const s2clr_winograd *shape)
{
    const size_t tiled = 16 * (size_t)shape->tile_rows * (size_t)shape->tile_cols;
    const size_t wanted = (size_t)shape->oh * (size_t)shape->ow;
    return shape->ic >= WINOGRAD_CHANNELS && shape->oc >= WINOGRAD_CHANNELS &&
           shape->tiles >= WINOGRAD_TILES && 5 * tiled <= 9 * wanted;
}

static bool winograd_window(const s2clr_window *v)
{
    return v->h == 3 && v->w == 3 && v->stride == 1 && v->top == v->left && v->top == v->bottom &&
           v->top == v->right;
}

static bool try_winograd(const s2clr_op *op, s2clr_dnnl_direction direction,
                         s2clr_dnnl_conv_op *out)
{
    const s2clr_op_desc *d = &op->desc;
    s2clr_winograd shape;
    const int ic = filled_up(d->x.c, op->device->block), oc = filled_up(d->y.c, op->device->block);
    out->lanes = s2clr_winograd_for(op->device->block);
    if (op->device->bf16 || out->lanes == NULL || !winograd_window(&d->window) || d->groups != 1 ||
        op->x.lanes == 1 || op->y.lanes == 1)
        return false;
    if (direction == S2CLR_DNNL_BACKWARD_DATA)
        s2clr_winograd_shape(d->y.n, oc, ic, d->y.h, d->y.w, 2 - d->window.top, false, &shape);
    else
        s2clr_winograd_shape(d->x.n, ic, oc, d->x.h, d->x.w, d->window.top,
                             direction == S2CLR_DNNL_BACKWARD_WEIGHTS, &shape);
    if (!winograd_pays(&shape)) return false;
    out->is_winograd[direction] = true;
    out->winograd[direction] = shape;
    return true;
}

/* Makes `conv` if oneDNN has a kernel for it; with `fast`, its reference code counts as none. */
static s2clr_status try_prim(const s2clr_op *op, s2clr_dnnl_conv conv, bool fast,
                             s2clr_dnnl_conv_op *out)
{
    s2clr_dnnl_prim prim;
    conv.ic = conv.plain_x ? op->desc.x.c : filled_up(op->desc.x.c, conv.block);
    conv.oc = conv.plain_y ? op->desc.y.c : filled_up(op->desc.y.c, conv.block);
    if (conv.groups > 1) conv.groups = conv.ic;
    S2CLR_TRY(s2clr_dnnl_prim_conv(op->device->engine, &conv, &prim));
    if (fast && strncmp(prim.kernel, "ref", 3) == 0) {
        s2clr_dnnl_prim_free(&prim);
        return S2CLR_ERR_UNSUPPORTED; /* no message: the caller has another way */
    }
    out->shape[conv.direction] = conv;
    out->prim[conv.direction] = prim;
    return S2CLR_OK;
}

/* The first that exists of: Winograd, thinned (oneDNN does that itself, but not when stride times
 * output size differs from the input size), reading RGB as it is, direct, by matrix products; and
 * what oneDNN can still do without any of these, its slow reference code. */
static s2clr_status choose(const s2clr_op *op, s2clr_dnnl_conv shape, s2clr_dnnl_conv_op *out)
{
    s2clr_dnnl_conv rgb = shape, products = shape;
    rgb.plain_x = products.plain_x = products.plain_y = true;
    if (try_winograd(op, shape.direction, out)) return S2CLR_OK;
    if (shape.window.h == 1 && shape.window.w == 1 && shape.window.stride > 1 && op->x.lanes > 1) {
        s2clr_dnnl_conv thinned = shape;
        thinned.thinned = true;
        thinned.window.stride = 1;
        thinned.ih = shape.oh;
        thinned.iw = shape.ow;
        if (try_prim(op, thinned, true, out) == S2CLR_OK) return S2CLR_OK;
    }
    if (op->x.lanes == 1 && try_prim(op, rgb, true, out) == S2CLR_OK) return S2CLR_OK;
    if (try_prim(op, shape, true, out) == S2CLR_OK) return S2CLR_OK;
    if (!shape.bf16 && try_prim(op, products, true, out) == S2CLR_OK) return S2CLR_OK;
    if (shape.groups > 1) {
        shape.groups = 1;
        if (try_prim(op, shape, true, out) == S2CLR_OK) return S2CLR_OK;
    }
    return try_prim(op, shape, false, out);
}

static s2clr_status new_prims(const s2clr_op *op, s2clr_dnnl_conv_op *conv)
{
    const s2clr_op_desc *d = &op->desc;
    /* Other groups, which no network here has, are computed as one with zeros between them. */
    const bool depthwise =
        d->groups > 1 && d->groups == d->x.c && d->groups == d->y.c && op->x.lanes > 1;
    s2clr_dnnl_conv shape = {
        .direction = S2CLR_DNNL_FORWARD,
        .n = d->x.n,
        .ih = d->x.h,
        .iw = d->x.w,
        .oh = d->y.h,
        .ow = d->y.w,
        .window = d->window,
        .groups = depthwise ? d->groups : 1,
        .block = op->device->block,
        .training = d->training,
        .bf16 = op->device->bf16,
        .bias = d->bias,
        .sum = d->residual,
        .relu = d->relu,
    };
    S2CLR_TRY(choose(op, shape, conv));
    if (!d->training) return S2CLR_OK;
    shape.bias = shape.sum = shape.relu = false;
    shape.direction = S2CLR_DNNL_BACKWARD_DATA;
    S2CLR_TRY(choose(op, shape, conv));
    shape.direction = S2CLR_DNNL_BACKWARD_WEIGHTS;
    return choose(op, shape, conv);
}

static s2clr_status new_reorders(const s2clr_op *op, s2clr_dnnl_conv_op *conv)
{
    const dnnl_engine_t engine = op->device->engine;
    for (int i = S2CLR_DNNL_FORWARD; i <= S2CLR_DNNL_BACKWARD_DATA; i++)
        if (conv->prim[i].primitive != NULL)
            S2CLR_TRY(s2clr_dnnl_prim_reorder(engine, &conv->shape[i], &conv->prim[i], true,
                                              &conv->pack[i]));
    const int i = S2CLR_DNNL_BACKWARD_WEIGHTS;
    if (conv->prim[i].primitive == NULL) return S2CLR_OK;
    return s2clr_dnnl_prim_reorder(engine, &conv->shape[i], &conv->prim[i], false, &conv->unpack);
}

/* ---- sizes ---- */

static size_t plain_floats(const s2clr_dnnl_conv *conv)
{
    return (size_t)conv->oc * (size_t)(conv->ic / conv->groups) * (size_t)conv->window.h *
           (size_t)conv->window.w;
}

/* Whether the plain weights of the caller are not those of the shape: it is filled up, or groups
 * are computed as one. */
bool s2clr_dnnl_weights_filled_up(const s2clr_op *op, const s2clr_dnnl_conv *conv)
{
    return conv->ic != op->desc.x.c || conv->oc != op->desc.y.c ||
           (conv->groups == 1 && op->desc.groups > 1);
}

/* The larger of a tensor's two forms. */
static size_t form_bytes(const s2clr_op *op, s2clr_shape shape)
{
    const s2clr_dnnl_view view = s2clr_dnnl_view_blocked(shape, op->device->block);
    return s2clr_dnnl_view_floats(&view) * op->device->element;
}

static size_t packed_bytes(const s2clr_dnnl_conv_op *conv, int direction)
{
    if (conv->is_winograd[direction])
        return s2clr_winograd_weights(&conv->winograd[direction]) * sizeof(float);
    return conv->prim[direction].bytes[SLOT_WEIGHTS];
}

static size_t winograd_bytes(const s2clr_dnnl_conv_op *conv, int direction)
{
    if (!conv->is_winograd[direction]) return 0;
    return s2clr_winograd_scratch(&conv->winograd[direction],
                                  direction == S2CLR_DNNL_BACKWARD_WEIGHTS) *
           sizeof(float);
}

static void lay_out(s2clr_op *op, s2clr_dnnl_conv_op *conv)
{
    size_t packed = 0, own = conv->unpack.bytes[SLOT_SCRATCH], scratch = 0, plain = 0;
    bool stage_x = false, stage_y = false;
    for (int i = 0; i < 2; i++) {
        conv->packed_at[i] = take(&packed, packed_bytes(conv, i));
        own = larger(own, conv->pack[i].bytes[SLOT_SCRATCH]);
    }
    conv->bias_at =
        take(&packed, op->desc.bias ? op->y.blocks * S2CLR_DNNL_LANES * sizeof(float) : 0);
    for (int i = 0; i < 3; i++) {
        const s2clr_dnnl_conv *shape = &conv->shape[i];
        own = larger(own, winograd_bytes(conv, i));
        if (conv->prim[i].primitive == NULL) continue;
        own = larger(own, conv->prim[i].bytes[SLOT_SCRATCH]);
        if (s2clr_dnnl_weights_filled_up(op, shape)) plain = larger(plain, plain_floats(shape));
        stage_x |= shape->thinned || shape->plain_x != (op->x.lanes == 1);
        stage_y |= shape->plain_y != (op->y.lanes == 1);
    }
    take(&scratch, own);
    conv->x_at = take(&scratch, stage_x ? form_bytes(op, op->desc.x) : 0);
    conv->y_at = take(&scratch, stage_y ? form_bytes(op, op->desc.y) : 0);
    conv->weights_at = take(&scratch, conv->prim[S2CLR_DNNL_BACKWARD_WEIGHTS].bytes[SLOT_WEIGHTS]);
    conv->plain_at = take(&scratch, plain * sizeof(float));
    const bool sums = op->device->bf16 && op->desc.training && op->desc.bias;
    conv->wide_at = take(&scratch, sums ? s2clr_dnnl_view_floats(&op->y) * sizeof(float) : 0);
    op->packed_bytes = packed;
    op->scratch_bytes = scratch;
}

/* oneDNN must see the tensors at the size we give them. */
static s2clr_status check_sizes(const s2clr_op *op, const s2clr_dnnl_conv_op *conv)
{
    for (int i = 0; i < 3; i++) {
        const s2clr_dnnl_prim *prim = &conv->prim[i];
        const s2clr_dnnl_conv *s = &conv->shape[i];
        if (prim->primitive == NULL) continue;
        const size_t pixels = (size_t)s->ih * (size_t)s->iw;
        const size_t x = (size_t)s->n * (size_t)s->ic * pixels * op->device->element;
        const size_t y = (size_t)s->n * (size_t)s->oc * op->y.plane * op->device->element;
        if (prim->bytes[SLOT_X] != x || prim->bytes[SLOT_Y] != y)
            return s2clr_error_set(S2CLR_ERR_BACKEND,
                                   "oneDNN %s reads %zu and %zu bytes, expected %zu and %zu",
                                   prim->kernel, prim->bytes[SLOT_X], prim->bytes[SLOT_Y], x, y);
    }
    return S2CLR_OK;
}

static void name_kernels(s2clr_op *op, const s2clr_dnnl_conv_op *conv)
{
    op->kernel[0] = '\0';
    for (int i = 0; i < 3; i++) {
        const char *name = conv->is_winograd[i] ? op->device->block == 16 ? "winograd_4x4:avx512"
                                                                          : "winograd_4x4:avx2"
                                                : conv->prim[i].kernel;
        if (i > 0 && op->desc.training) strcat(op->kernel, " ");
        strcat(op->kernel, name);
    }
}

s2clr_status s2clr_dnnl_conv_new(s2clr_op *op)
{
    S2CLR_TRY(s2clr_alloc(1, sizeof *op->conv, "convolution", (void **)&op->conv));
    S2CLR_TRY(new_prims(op, op->conv));
    S2CLR_TRY(check_sizes(op, op->conv));
    S2CLR_TRY(new_reorders(op, op->conv));
    lay_out(op, op->conv);
    name_kernels(op, op->conv);
    return S2CLR_OK;
}

void s2clr_dnnl_conv_free(s2clr_op *op)
{
    if (op->conv == NULL) return;
    for (int i = 0; i < 3; i++) s2clr_dnnl_prim_free(&op->conv->prim[i]);
    for (int i = 0; i < 2; i++) s2clr_dnnl_prim_free(&op->conv->pack[i]);
    s2clr_dnnl_prim_free(&op->conv->unpack);
    s2clr_free(op->conv);
}
