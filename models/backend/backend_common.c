/* What all backends share: shapes and the consistency of an op description. */
#include "backend/backend.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { GEOMETRY_MAX = 32767 }; /* keeps every index computation of a window inside an int */

const char *s2clr_op_kind_name(s2clr_op_kind kind)
{
    static const char *const names[S2CLR_OP_KINDS] = {
        [S2CLR_OP_CONV] = "conv",         [S2CLR_OP_AFFINE] = "affine",
        [S2CLR_OP_ADD] = "add",           [S2CLR_OP_MAXPOOL] = "maxpool",
        [S2CLR_OP_MEANPOOL] = "meanpool", [S2CLR_OP_AVGPOOL] = "avgpool",
        [S2CLR_OP_CONCAT] = "concat",
    };
    return (unsigned)kind < S2CLR_OP_KINDS ? names[kind] : "unknown";
}

static s2clr_status shape_check(s2clr_op_kind kind, const char *which, s2clr_shape s)
{
    if (s.n < 1 || s.c < 1 || s.h < 1 || s.w < 1)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: %s has the shape (%d, %d, %d, %d), every number must be "
                               "at least 1",
                               s2clr_op_kind_name(kind), which, s.n, s.c, s.h, s.w);
    if ((int64_t)s.h * s.w > INT_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: %s has a plane of %d x %d elements, at most %d fit",
                               s2clr_op_kind_name(kind), which, s.h, s.w, INT_MAX);
    size_t bytes;
    S2CLR_TRY(s2clr_size_mul((size_t)s.n, (size_t)s.c, &bytes));
    S2CLR_TRY(s2clr_size_mul(bytes, (size_t)s.h * (size_t)s.w, &bytes));
    return s2clr_size_mul(bytes, sizeof(float), &bytes);
}

s2clr_window s2clr_window_square(int kernel, int stride, int pad)
{
    return (s2clr_window){kernel, kernel, stride, pad, pad, pad, pad};
}

static bool reads_window(s2clr_op_kind kind)
{
    return kind == S2CLR_OP_CONV || kind == S2CLR_OP_MAXPOOL || kind == S2CLR_OP_AVGPOOL;
}

/* One axis: kernel, padding before and behind, size of the map. */
static s2clr_status axis_check(s2clr_op_kind kind, int kernel, int before, int behind, int size)
{
    const char *const name = s2clr_op_kind_name(kind);
    /* A window may not lie wholly in the padding of one side, unless that has a mean: 0. */
    const int most = kind == S2CLR_OP_CONV      ? kernel - 1
                     : kind == S2CLR_OP_AVGPOOL ? kernel
                                                : kernel / 2;
    const int pad = before > behind ? before : behind;
    if (before < 0 || behind < 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: pad %d is below 0", name,
                               before < behind ? before : behind);
    if (pad > most)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: pad %d is too large for kernel %d, at most %d", name, pad,
                               kernel, most);
    if (size > INT_MAX - before - behind || kernel > size + before + behind)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: kernel %d does not fit %d pixels with pad %d and %d", name,
                               kernel, size, before, behind);
    return S2CLR_OK;
}

static s2clr_status window_check(s2clr_op_kind kind, s2clr_shape x, const s2clr_window *v)
{
    if (v->h < 1 || v->h > GEOMETRY_MAX || v->w < 1 || v->w > GEOMETRY_MAX || v->stride < 1 ||
        v->stride > GEOMETRY_MAX)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: kernel %d x %d, stride %d: all three must be 1 to %d",
                               s2clr_op_kind_name(kind), v->h, v->w, v->stride, GEOMETRY_MAX);
    S2CLR_TRY(axis_check(kind, v->h, v->top, v->bottom, x.h));
    return axis_check(kind, v->w, v->left, v->right, x.w);
}

s2clr_status s2clr_op_output(s2clr_op_kind kind, s2clr_shape x, int channels,
                             const s2clr_window *window, s2clr_shape *y)
{
    if ((unsigned)kind >= S2CLR_OP_KINDS)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "op kind %d does not exist", (int)kind);
    S2CLR_TRY(shape_check(kind, "the input", x));
    s2clr_shape out = x;
    if (reads_window(kind)) {
        S2CLR_TRY(window_check(kind, x, window));
        out.h = (x.h + window->top + window->bottom - window->h) / window->stride + 1;
        out.w = (x.w + window->left + window->right - window->w) / window->stride + 1;
    }
    if (kind == S2CLR_OP_CONV || kind == S2CLR_OP_CONCAT) out.c = channels;
    if (kind == S2CLR_OP_MEANPOOL) out.h = out.w = 1;
    S2CLR_TRY(shape_check(kind, "the output", out));
    if (kind == S2CLR_OP_CONCAT && channels <= x.c)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "concat op: %d channels of output hold no second part behind %d",
                               channels, x.c);
    *y = out;
    return S2CLR_OK;
}

s2clr_shape s2clr_op_residual(const s2clr_op_desc *desc)
{
    s2clr_shape shape = desc->y;
    if (desc->kind == S2CLR_OP_CONCAT) shape.c -= desc->x.c;
    return shape;
}

size_t s2clr_op_weight_count(const s2clr_op_desc *desc)
{
    return (size_t)desc->y.c * (size_t)(desc->x.c / desc->groups) * (size_t)desc->window.h *
           (size_t)desc->window.w;
}

/* A mean over no pixel at all is only one when the padding counts. */
static s2clr_status avgpool_check(const s2clr_op_desc *d)
{
    const s2clr_window *const v = &d->window;
    const int y = v->top > v->bottom ? v->top : v->bottom;
    const int x = v->left > v->right ? v->left : v->right;
    if (d->count_pad || (y <= v->h / 2 && x <= v->w / 2)) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "avgpool op: pad %d and %d are too large for kernel %d x %d, at most %d "
                           "and %d unless the padding counts",
                           y, x, v->h, v->w, v->h / 2, v->w / 2);
}

static s2clr_status flags_check(const s2clr_op_desc *d)
{
    const char *const name = s2clr_op_kind_name(d->kind);
    const bool conv = d->kind == S2CLR_OP_CONV;
    if (d->bias && !conv)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: only conv has a bias", name);
    if (d->kind == S2CLR_OP_CONCAT && !d->residual)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: needs a residual, its second part",
                               name);
    if (d->residual && !conv && d->kind != S2CLR_OP_ADD && d->kind != S2CLR_OP_CONCAT)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: only conv, add and concat have a residual", name);
    if (d->relu && !conv && d->kind != S2CLR_OP_AFFINE && d->kind != S2CLR_OP_ADD)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: only conv, affine and add have an activation", name);
    if (d->count_pad && d->kind != S2CLR_OP_AVGPOOL)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: only avgpool has count_pad", name);
    if (d->training && conv && (d->relu || d->residual))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: no backward with %s; in training leave it to the affine or "
                               "add op that follows",
                               name, d->relu ? "relu" : "residual");
    return S2CLR_OK;
}

static s2clr_status weights_check(const s2clr_op_desc *d)
{
    size_t count;
    if (d->groups < 1 || d->x.c % d->groups != 0 || d->y.c % d->groups != 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "conv op: %d groups must be at least 1 and divide %d input and %d "
                               "output channels",
                               d->groups, d->x.c, d->y.c);
    S2CLR_TRY(s2clr_size_mul((size_t)d->window.h * (size_t)d->window.w, (size_t)d->x.c, &count));
    S2CLR_TRY(s2clr_size_mul(count, (size_t)d->y.c, &count));
    S2CLR_TRY(s2clr_size_add(count, (size_t)d->y.c, &count));
    return s2clr_size_mul(count, sizeof(float), &count);
}

s2clr_status s2clr_op_check(const s2clr_op_desc *desc)
{
    const s2clr_op_desc d = *desc;
    s2clr_shape y = {0};
    S2CLR_TRY(s2clr_op_output(d.kind, d.x, d.y.c, &d.window, &y));
    if (y.n != d.y.n || y.c != d.y.c || y.h != d.y.h || y.w != d.y.w)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: the output shape is (%d, %d, %d, %d), but the input "
                               "(%d, %d, %d, %d) gives (%d, %d, %d, %d)",
                               s2clr_op_kind_name(d.kind), d.y.n, d.y.c, d.y.h, d.y.w, d.x.n, d.x.c,
                               d.x.h, d.x.w, y.n, y.c, y.h, y.w);
    if (d.kind == S2CLR_OP_CONV) S2CLR_TRY(weights_check(&d));
    if (d.kind == S2CLR_OP_AVGPOOL) S2CLR_TRY(avgpool_check(&d));
    return flags_check(&d);
}

/* ---- arguments ---- */

static s2clr_status need(const s2clr_op_desc *d, bool needed, const void *pointer, const char *what)
{
    if (!needed || pointer) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: %s was not given",
                           s2clr_op_kind_name(d->kind), what);
}

static s2clr_status need_training(const s2clr_op_desc *d)
{
    if (d->training) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: was not made for training",
                           s2clr_op_kind_name(d->kind));
}

s2clr_status s2clr_op_check_pack(const s2clr_op_desc *d, const float *weight, const float *bias,
                                 const void *packed)
{
    if (d->kind != S2CLR_OP_CONV)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: has no weights to pack",
                               s2clr_op_kind_name(d->kind));
    S2CLR_TRY(need(d, true, weight, "the weight"));
    S2CLR_TRY(need(d, d->bias, bias, "the bias"));
    return need(d, true, packed, "packed");
}

s2clr_status s2clr_op_check_forward(const s2clr_op_desc *d, size_t workspace,
                                    const s2clr_op_args *args)
{
    const bool affine = d->kind == S2CLR_OP_AFFINE;
    S2CLR_TRY(need(d, true, args->x, "x"));
    S2CLR_TRY(need(d, true, args->y, "y"));
    S2CLR_TRY(need(d, d->kind == S2CLR_OP_CONV, args->packed, "packed"));
    S2CLR_TRY(need(d, d->residual, args->residual, "residual"));
    S2CLR_TRY(need(d, affine, args->scale, "scale"));
    S2CLR_TRY(need(d, affine, args->shift, "shift"));
    return need(d, workspace > 0, args->workspace, "workspace");
}

s2clr_status s2clr_op_check_backward(const s2clr_op_desc *d, size_t workspace,
                                     const s2clr_op_args *args)
{
    const bool conv = d->kind == S2CLR_OP_CONV, affine = d->kind == S2CLR_OP_AFFINE;
    S2CLR_TRY(need_training(d));
    S2CLR_TRY(need(d, true, args->dy, "dy"));
    S2CLR_TRY(need(d, d->relu, args->y, "y"));
    S2CLR_TRY(need(d, affine || (conv && args->dweight), args->x, "x"));
    S2CLR_TRY(need(d, conv && args->dx, args->packed, "packed"));
    for (int i = 0; i < 3; i++) S2CLR_TRY(need(d, affine, args->affine[i], "affine"));
    return need(d, workspace > 0, args->workspace, "workspace");
}

s2clr_status s2clr_op_check_reduce(const s2clr_op_desc *d, bool backward, const s2clr_op_args *args)
{
    if (d->kind != S2CLR_OP_AFFINE)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: only affine has channel sums",
                               s2clr_op_kind_name(d->kind));
    S2CLR_TRY(need_training(d));
    S2CLR_TRY(need(d, true, args->x, "x"));
    S2CLR_TRY(need(d, backward, args->dy, "dy"));
    return need(d, backward && d->relu, args->y, "y");
}

s2clr_status s2clr_op_check_scratch(const s2clr_op_desc *d, size_t needed, size_t there)
{
    if (there >= needed) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "%s op: the stream was made with %zu bytes of scratch, %zu are needed",
                           s2clr_op_kind_name(d->kind), there, needed);
}

/* ---- cutting ---- */

s2clr_status s2clr_backend_cut_check(const s2clr_backend_cut *cut, const float *planes,
                                     const void *native)
{
    const s2clr_shape *const to = &cut->to;
    if (to->n > 0 && to->c > 0 && to->h > 0 && to->w > 0 && cut->columns > 0 && cut->rows > 0 &&
        cut->at && planes && native)
        return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "cut: %d windows of %d x %d x %d from planes of %lld x %lld: sizes must "
                           "be positive, and positions, planes and a tensor be given",
                           to->n, to->c, to->h, to->w, (long long)cut->rows,
                           (long long)cut->columns);
}

/* ---- precision ---- */

static const char *const precisions[S2CLR_PRECISIONS] = {
    [S2CLR_F32] = "f32",
    [S2CLR_BF16] = "bf16",
    [S2CLR_TF32] = "tf32",
    [S2CLR_FP16] = "fp16",
};

const char *s2clr_precision_name(s2clr_precision precision)
{
    return (unsigned)precision < S2CLR_PRECISIONS ? precisions[precision] : "unknown";
}

s2clr_status s2clr_precision_parse(const char *text, s2clr_precision *out)
{
    for (int i = 0; i < S2CLR_PRECISIONS; i++)
        if (strcmp(text, precisions[i]) == 0) {
            *out = (s2clr_precision)i;
            return S2CLR_OK;
        }
    return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                           "precision '%s' is not known: choose f32, bf16, tf32 or fp16", text);
}

double s2clr_op_tolerance(s2clr_precision precision, const char *kernel)
{
    /* 2^-9 and 2^-12 of each value for one rounding, twice that for one to the neighbour. */
    static const double tolerances[S2CLR_PRECISIONS] = {
        [S2CLR_F32] = 1e-5,
        [S2CLR_BF16] = 0x1p-8,
        [S2CLR_TF32] = 1e-5,
        [S2CLR_FP16] = 0x1p-11,
    };
    /* Winograd's transforms lose about a digit; all other kernels only reorder sums. */
    const bool transforms = precision == S2CLR_F32 && strstr(kernel, "wino");
    return tolerances[precision] * (transforms ? 10 : 1);
}

void s2clr_op_distance(const float *got, const float *wanted, size_t count, double *norm,
                       double *largest)
{
    double difference = 0, size = 0, most = 0, peak = 0;
    for (size_t i = 0; i < count; i++) {
        const double apart = (double)got[i] - (double)wanted[i];
        difference += apart * apart;
        size += (double)wanted[i] * (double)wanted[i];
        most = fmax(most, fabs(apart));
        peak = fmax(peak, fabs((double)wanted[i]));
    }
    const bool finite = isfinite(difference) && isfinite(size);
    *norm = !finite ? INFINITY : difference > 0 ? sqrt(difference / size) : 0;
    *largest = !finite ? INFINITY : most > 0 ? most / peak : 0;
}

s2clr_status s2clr_precision_check_cpu(const char *backend, s2clr_precision precision)
{
    if (precision == S2CLR_F32 || precision == S2CLR_BF16) return S2CLR_OK;
    return s2clr_error_set(S2CLR_ERR_UNSUPPORTED,
                           "the %s backend does not compute in %s: use --precision f32 or bf16, or "
                           "a CUDA device (--device cuda)",
                           backend, s2clr_precision_name(precision));
}
