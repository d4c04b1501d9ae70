/* What all backends share: shapes and the consistency of an op description. */
#include "backend/backend.h"

#include <limits.h>

#include "base/memory.h"

enum { GEOMETRY_MAX = 32767 }; /* keeps every index computation of a window inside an int */

const char *s2clr_op_kind_name(s2clr_op_kind kind)
{
    static const char *const names[S2CLR_OP_KINDS] = {
        [S2CLR_OP_CONV] = "conv",       [S2CLR_OP_AFFINE] = "affine",     [S2CLR_OP_ADD] = "add",
        [S2CLR_OP_MAXPOOL] = "maxpool", [S2CLR_OP_MEANPOOL] = "meanpool",
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

static s2clr_status window_check(s2clr_op_kind kind, s2clr_shape x, int kernel, int stride, int pad)
{
    const char *const name = s2clr_op_kind_name(kind);
    if (kernel < 1 || kernel > GEOMETRY_MAX || stride < 1 || stride > GEOMETRY_MAX || pad < 0)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: kernel %d, stride %d, pad %d: kernel and stride must be "
                               "1 to %d, pad at least 0",
                               name, kernel, stride, pad, GEOMETRY_MAX);
    /* A window may not lie wholly in the padding of one side. */
    const int most = kind == S2CLR_OP_MAXPOOL ? kernel / 2 : kernel - 1;
    if (pad > most)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: pad %d is too large for kernel %d, at most %d", name, pad,
                               kernel, most);
    if (x.h > INT_MAX - 2 * pad || x.w > INT_MAX - 2 * pad || kernel > x.h + 2 * pad ||
        kernel > x.w + 2 * pad)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: kernel %d does not fit %d x %d pixels with pad %d", name,
                               kernel, x.h, x.w, pad);
    return S2CLR_OK;
}

s2clr_status s2clr_op_output(s2clr_op_kind kind, s2clr_shape x, int channels, int kernel,
                             int stride, int pad, s2clr_shape *y)
{
    if ((unsigned)kind >= S2CLR_OP_KINDS)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "op kind %d does not exist", (int)kind);
    S2CLR_TRY(shape_check(kind, "the input", x));
    s2clr_shape out = x;
    if (kind == S2CLR_OP_CONV || kind == S2CLR_OP_MAXPOOL) {
        S2CLR_TRY(window_check(kind, x, kernel, stride, pad));
        out.h = (x.h + 2 * pad - kernel) / stride + 1;
        out.w = (x.w + 2 * pad - kernel) / stride + 1;
    }
    if (kind == S2CLR_OP_CONV) out.c = channels;
    if (kind == S2CLR_OP_MEANPOOL) out.h = out.w = 1;
    S2CLR_TRY(shape_check(kind, "the output", out));
    *y = out;
    return S2CLR_OK;
}

static s2clr_status flags_check(const s2clr_op_desc *d)
{
    const char *const name = s2clr_op_kind_name(d->kind);
    const bool conv = d->kind == S2CLR_OP_CONV;
    if (d->bias && !conv)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: only conv has a bias", name);
    if (d->residual && !conv && d->kind != S2CLR_OP_ADD)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: only conv and add have a residual",
                               name);
    if (d->relu && (d->kind == S2CLR_OP_MAXPOOL || d->kind == S2CLR_OP_MEANPOOL))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT, "%s op: pooling has no activation", name);
    if (d->training && conv && (d->relu || d->residual))
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: no backward with %s; in training leave it to the affine or "
                               "add op that follows",
                               name, d->relu ? "relu" : "residual");
    return S2CLR_OK;
}

s2clr_status s2clr_op_check(const s2clr_op_desc *desc)
{
    const s2clr_op_desc d = *desc;
    s2clr_shape y = {0};
    S2CLR_TRY(s2clr_op_output(d.kind, d.x, d.y.c, d.kernel, d.stride, d.pad, &y));
    if (y.n != d.y.n || y.c != d.y.c || y.h != d.y.h || y.w != d.y.w)
        return s2clr_error_set(S2CLR_ERR_ARGUMENT,
                               "%s op: the output shape is (%d, %d, %d, %d), but the input "
                               "(%d, %d, %d, %d) gives (%d, %d, %d, %d)",
                               s2clr_op_kind_name(d.kind), d.y.n, d.y.c, d.y.h, d.y.w, d.x.n, d.x.c,
                               d.x.h, d.x.w, y.n, y.c, y.h, y.w);
    if (d.kind == S2CLR_OP_CONV) {
        size_t count;
        S2CLR_TRY(s2clr_size_mul((size_t)d.kernel * (size_t)d.kernel, (size_t)d.x.c, &count));
        S2CLR_TRY(s2clr_size_mul(count, (size_t)d.y.c, &count));
        S2CLR_TRY(s2clr_size_add(count, (size_t)d.y.c, &count));
        S2CLR_TRY(s2clr_size_mul(count, sizeof(float), &count));
    }
    return flags_check(&d);
}
